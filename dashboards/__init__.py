"""Grafana: dashboards, alert rules and provisioning, written by grafanalib from the registry and the plans.

``style`` is the house style, one function a kind of panel; ``queries`` holds every InfluxQL statement; ``boards`` puts the two
together; ``watchlist`` says what raises an alert and ``rules`` writes it; ``finalize`` makes what grafanalib emits a JSON that a
current Grafana takes without migration; ``files`` is all of it as named texts. No I/O here: the roof writes the files.
"""
