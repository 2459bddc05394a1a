"""Who may what: rights, what each role holds, and what each route asks for. Tables, so that a list typed by hand can judge them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

RIGHTS: Final = MappingProxyType(
    {
        "words": ("名称、单位与本人信息", "names, units, and oneself"),
        "figures": ("全区指标、目标与告警", "the county's figures, targets and alarms"),
        "air": ("空气站数据", "air stations"),
        "water": ("断面数据", "water sections"),
        "meters": ("计量表、排污口与企业的日值和合计", "meters, permit points and enterprises: days and sums"),
        "curves": ("计量表小时内曲线", "curves of meters within the hour"),
        "ingest": ("死信与入账", "dead letters and the account of readings"),
        "health": ("运行状态与监控指标", "health and metrics"),
        "desk": ("审核、确认、填报、处置", "review, confirm, report, dispose"),
        "reply": ("回复任务", "answer tasks"),
        "alert": ("推送告警", "deliver alerts to the duty log"),
        "manage": ("账号与审计", "accounts and audit"),
    },
)
"""Rights (zh, en); a key may be given fewer than its role holds."""

_READS: Final = frozenset({"words", "figures", "air", "water"})
_ALL_READS: Final = _READS | {"meters", "curves", "ingest", "health"}
ROLES: Final = MappingProxyType(
    {
        "reader": _READS,
        "enterprise": frozenset({"words"}),
        "department": _READS | {"meters", "health", "reply"},
        "operator": _ALL_READS | {"desk", "reply"},
        "admin": _ALL_READS | {"desk", "reply", "manage"},
        "sender": frozenset({"alert"}),
        "probe": frozenset({"health"}),
    },
)
"""Rights of each role. An enterprise holds none on the county's data: it sees its own objects where a route says how (:attr:`Rule.own`).
``sender`` and ``probe`` are roles of keys only: Grafana's webhook, and a monitoring system."""
MACHINES: Final = frozenset({"sender", "probe"})
BOUND: Final = "enterprise"
"""The role whose people and keys are bound to enterprises."""


class Rule(NamedTuple):
    """What a route asks for: a right, and what an enterprise may see of it."""

    right: str
    own: str = ""
    """Empty: nothing; ``object``: where every parameter that names an object names one of its own; ``list``: the answer holds its own only."""


PUBLIC: Final = frozenset(
    {
        ("GET", "/"),
        ("GET", "/favicon.ico"),
        ("GET", "/board/{name}"),
        ("GET", "/board/plotly.min.js"),
        ("GET", "/livez"),
        ("POST", "/api/v1/login"),
        ("POST", "/api/v1/alerts/grafana"),
    }
)
"""What may be had without a login: the page that asks for one, and whether the process answers. No figure, no name.
Alerts are judged by their route: a signature needs no key."""

EXACT: Final[Mapping[tuple[str, str], Rule]] = MappingProxyType(
    {
        ("GET", "/api/v1/meters"): Rule("meters", "list"),
        ("GET", "/api/v1/points"): Rule("meters", "list"),
        ("GET", "/api/v1/enterprises"): Rule("meters", "list"),
        ("GET", "/api/v1/clues"): Rule("meters", "list"),
        ("GET", "/api/v1/orders"): Rule("meters", "list"),
        ("GET", "/api/v1/freshness"): Rule("figures", "list"),
        ("GET", "/api/v1/deadletters"): Rule("ingest", "list"),
        ("GET", "/api/v1/alerts"): Rule("figures", "list"),
        ("GET", "/api/v1/indicators"): Rule("figures", "object"),
        ("GET", "/api/v1/audit"): Rule("manage", "list"),
        ("POST", "/api/v1/enterprises/{enterprise}/filings"): Rule("desk", "object"),
        ("POST", "/api/v1/enterprises/{enterprise}/receipts"): Rule("desk", "object"),
    },
)
"""Routes that say themselves what an enterprise sees of them."""

PREFIXES: Final[Mapping[tuple[str, str], Rule]] = MappingProxyType(
    {
        ("GET", "/readyz"): Rule("health"),
        ("GET", "/metrics"): Rule("health"),
        ("GET", "/api/v1/openapi.json"): Rule("words"),
        ("GET", "/api/v1/county"): Rule("words", "list"),
        ("GET", "/api/v1/legend"): Rule("words", "list"),
        ("GET", "/api/v1/me"): Rule("words", "list"),
        ("POST", "/api/v1/logout"): Rule("words", "list"),
        ("POST", "/api/v1/password"): Rule("words", "list"),
        ("GET", "/api/v1/targets"): Rule("figures"),
        ("GET", "/api/v1/indicators"): Rule("figures"),
        ("GET", "/api/v1/restatements"): Rule("figures"),
        ("GET", "/api/v1/completeness"): Rule("figures"),
        ("GET", "/api/v1/today"): Rule("figures"),
        ("GET", "/api/v1/alerts"): Rule("figures"),
        ("GET", "/api/v1/freshness"): Rule("figures"),
        ("GET", "/api/v1/air"): Rule("air"),
        ("GET", "/api/v1/water"): Rule("water"),
        ("GET", "/api/v1/meters"): Rule("meters", "object"),
        ("GET", "/api/v1/points"): Rule("meters", "object"),
        ("GET", "/api/v1/enterprises"): Rule("meters", "object"),
        ("GET", "/api/v1/clues"): Rule("meters", "object"),
        ("GET", "/api/v1/orders"): Rule("meters", "object"),
        ("GET", "/api/v1/filings"): Rule("meters", "list"),
        ("GET", "/api/v1/tasks"): Rule("meters", "list"),
        ("POST", "/api/v1/tasks"): Rule("reply", "list"),
        ("GET", "/api/v1/dispatch"): Rule("meters", "list"),
        ("GET", "/api/v1/account"): Rule("ingest"),
        ("GET", "/api/v1/deadletters"): Rule("ingest"),
        ("GET", "/api/v1/duty"): Rule("figures"),
        ("GET", "/api/v1/desk"): Rule("desk"),
        ("POST", "/api/v1/desk"): Rule("desk"),
        ("GET", "/api/v1/reports"): Rule("figures", "list"),
        ("GET", "/api/v1/audit"): Rule("manage"),
    },
)
"""Routes at and below a path; the longest that fits decides."""

OBJECTS: Final = frozenset({"site", "scope", "meter", "point", "enterprise", "source", "line"})
"""Parameters that name an object."""


def rule_of(method: str, path: str) -> Rule | None:
    """What a route asks for; None where no table names it, and then nobody may.

    >>> rule_of("GET", "/api/v1/meters").own, rule_of("GET", "/api/v1/meters/{meter}/events").own, rule_of("PUT", "/api/v1/meters")
    ('list', 'object', None)
    """
    found = EXACT.get((method, path))
    if found:
        return found
    fits = [prefix for known, prefix in PREFIXES if known == method and (path == prefix or path.startswith(prefix + "/"))]
    return PREFIXES[method, max(fits, key=len)] if fits else None
