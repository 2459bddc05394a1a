"""Grafana dashboards and alerts, made with grafanalib."""
