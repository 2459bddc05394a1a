"""Where alerts go: the duty log always, further channels where they are configured; by department, with mute times.

An unset variable expands to nothing, and a contact point without its address stops Grafana from starting: so each further channel
is a file of its own that is written only where the channel is asked for. Secrets come from the environment alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from dashboards.board import ZONE
from dashboards.county import Bureau
from dashboards.watchlist import PLATFORM

DUTY: Final = "值班日志"
GROUPING: Final = ["grafana_folder", "alertname", "domain"]
MAINTENANCE: Final = "计划检修"
SYSTEM_ALERTS: Final = "DatasourceError|DatasourceNoData"
TITLE: Final = '{{ template "lanbi.title" . }}'
MESSAGE: Final = '{{ template "lanbi.message" . }}'
CHANNELS: Final[Mapping[str, tuple[str, str, dict[str, Any]]]] = {
    "dingtalk": ("钉钉", "dingding", {"url": "${LANBI_DINGTALK_URL}", "msgType": "link", "title": TITLE, "message": MESSAGE}),
    "wecom": ("企业微信", "wecom", {"url": "${LANBI_WECOM_URL}", "msgtype": "markdown", "title": TITLE, "message": MESSAGE}),
    "email": ("邮件", "email", {"addresses": "${LANBI_GRAFANA_MAIL_TO}", "subject": TITLE, "message": MESSAGE}),
    "mqtt": (
        "MQTT", "mqtt",
        {
            "brokerUrl": "${LANBI_GRAFANA_MQTT_URL}", "topic": "lanbi/v1/~alerts", "clientId": "lanbi-grafana", "username": "lanbi-grafana",
            "password": "${LANBI_GRAFANA_MQTT_PASSWORD}", "messageFormat": "json", "qos": 1, "retain": False,
        },
    ),
}  # fmt: skip
"""Channel of the settings → name, type and settings of its contact point."""
TEMPLATE: Final = """{{ define "lanbi.title" }}{{ if eq .Status "firing" }}告警{{ else }}恢复{{ end }}：{{ .CommonLabels.alertname }}（{{ len .Alerts }}）{{ end }}
{{ define "lanbi.message" }}{{ range .Alerts }}{{ .Annotations.summary }}
开始 {{ .StartsAt.Format "2006-01-02 15:04" }} · {{ .Labels.severity }} · {{ .Labels.team }}
{{ .Annotations.description }}
{{ end }}{{ end }}
"""


def contact_point(bureau: Bureau) -> dict[str, Any]:
    """The duty log: our own API, signed, with a time stamp against replay."""
    settings = {
        "url": bureau.webhook, "httpMethod": "POST", "maxAlerts": 0,
        "hmacConfig": {"secret": "${LANBI_GRAFANA_WEBHOOK_SECRET}", "header": "X-Lanbi-Signature", "timestampHeader": "X-Lanbi-Timestamp"},
    }  # fmt: skip
    return _file(DUTY, "lanbi-duty-log", "webhook", settings)


def channel(name: str) -> dict[str, Any]:
    """A further contact point."""
    title, kind, settings = CHANNELS[name]
    return _file(title, f"lanbi-{name}", kind, settings)


def _file(name: str, uid: str, kind: str, settings: dict[str, Any]) -> dict[str, Any]:
    receiver = {"uid": uid, "type": kind, "settings": settings, "disableResolveMessage": False}
    return {"apiVersion": 1, "contactPoints": [{"orgId": 1, "name": name, "receivers": [receiver]}]}


def policies(bureau: Bureau, teams: list[str]) -> dict[str, Any]:
    """Routes: what is wrong with the platform to whoever runs it, everything else by owner; critical ones again after an hour."""
    names = [DUTY, *(CHANNELS[name][0] for name in bureau.channels)]
    platform = [_route(name, ["alertname", "=~", SYSTEM_ALERTS], more=True) for name in names]
    muted = [_route(name, ["team", "=", team], more=True, mute=team != PLATFORM) for team in teams for name in names]
    root = {
        "orgId": 1,
        "receiver": DUTY,
        "group_by": GROUPING,
        "group_wait": "30s",
        "group_interval": "5m",
        "repeat_interval": "12h",
        "routes": [*platform, *muted],
    }
    return {"apiVersion": 1, "policies": [root]}


def _route(receiver: str, matcher: list[str], *, more: bool, mute: bool = False) -> dict[str, Any]:
    found: dict[str, Any] = {"receiver": receiver, "object_matchers": [matcher], "group_by": GROUPING, "continue": more, "repeat_interval": "4h"}
    return found | ({"mute_time_intervals": [MAINTENANCE]} if mute else {})


def mute_times() -> dict[str, Any]:
    """Planned maintenance: an empty stretch on 29 February, to be edited where there is one; it never mutes the platform."""
    interval = {"times": [{"start_time": "00:00", "end_time": "00:01"}], "months": ["2"], "days_of_month": ["29"], "location": ZONE}
    return {"apiVersion": 1, "muteTimes": [{"orgId": 1, "name": MAINTENANCE, "time_intervals": [interval]}]}


def templates() -> dict[str, Any]:
    """Texts of messages, in Chinese."""
    return {"apiVersion": 1, "templates": [{"orgId": 1, "name": "lanbi", "template": TEMPLATE}]}
