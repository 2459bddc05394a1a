"""A county of devices with known truth, speaking only the public wire.

``noise`` is seeded chance, ``air water points meters`` turn it into plausible measurements, ``county`` puts one registered
source behind one call, ``devices`` make messages of it, ``spool`` keeps them until the receipt, ``fleet`` publishes them
over MQTT and ``history`` writes years of them at once. Nothing here is imported by the rooms that judge the readings.
"""
