"""Alert rules in the flat shape of Grafana's file provisioning: reduce, threshold with a recovery threshold, for, keepFiringFor.

grafanalib's own rule class writes the ruler's API shape, which the file provisioner does not read; its groups and files serve.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any, Final

from grafanalib.core import AlertFileBasedProvisioning, AlertGroup

from dashboards.board import SOURCE
from dashboards.county import Bureau
from dashboards.queries import Select
from dashboards.stored import Need, lacking
from dashboards.watchlist import Watched, watchlist

FOLDER: Final = "环境告警"
EXPRESSION: Final = {"type": "__expr__", "uid": "__expr__"}
RUNBOOK: Final = "env-runbook"
INTERVAL_MS: Final = 60_000
POINTS: Final = 5_000
GONE: Final[tuple[str, ...]] = ()
"""Rules of earlier releases, deleted for at least one release: whether absence deletes is not said anywhere."""


class Flat:
    """A rule that grafanalib's group can hold."""

    def __init__(self, body: dict[str, Any]) -> None:
        self.body = body
        self.rule_group = ""

    def to_json_data(self) -> dict[str, Any]:
        """JSON of the rule."""
        return self.body


def watched(bureau: Bureau) -> tuple[list[Watched], list[tuple[Watched, list[Need]]]]:
    """Rules whose figures are stored, and those that are left out with what is lacking."""
    found = watchlist(bureau)
    missing = {one.uid: lacking(one.needs, bureau) for one in found}
    return [one for one in found if not missing[one.uid]], [(one, missing[one.uid]) for one in found if missing[one.uid]]


def alerting(bureau: Bureau) -> dict[str, Any]:
    """The rules' file."""
    names = _names(bureau.names)
    kept, _ = watched(bureau)
    ordered = sorted(kept, key=lambda one: one.domain)
    groups = [AlertGroup(domain, [Flat(_rule(one, names)) for one in some], FOLDER, "5m") for domain, some in groupby(ordered, key=lambda one: one.domain)]
    file: dict[str, Any] = AlertFileBasedProvisioning([group.to_json_data() | {"orgId": 1} for group in groups]).to_json_data()
    return file | ({"deleteRules": [{"orgId": 1, "uid": uid} for uid in GONE]} if GONE else {})


def _rule(one: Watched, names: str) -> dict[str, Any]:
    return {
        "uid": one.uid,
        "title": one.title,
        "condition": "C",
        "data": list(_data(one)),
        "for": one.lasting,
        "keepFiringFor": one.keep,
        "noDataState": one.no_data,
        "execErrState": "Error",
        "isPaused": False,
        "dashboardUid": one.board,
        "panelId": one.panel,
        "labels": {"severity": one.severity, "domain": one.domain, "team": one.team},
        "annotations": {
            "summary": one.summary.replace("{{ $labels.scope }}", names).replace("{{ $labels.source }}", names.replace("$labels.scope", "$labels.source")),
            "description": f"{one.words[0]}触发，{one.words[1]}解除；持续 {one.lasting} 触发，解除后保持 {one.keep}。始于告警的 startsAt。处置：{one.todo}",
            "runbook_url": f"/d/{RUNBOOK}",
        },
    }


def _data(one: Watched) -> Iterable[dict[str, Any]]:
    yield _query("A", one.ask, one.reach)
    if one.shown is not None:
        yield _query("V", one.shown, one.reach)
        yield _reduce("W", "V")
    yield _reduce("B", "A")
    kinds = ("gt", "lt") if one.above else ("lt", "gt")
    condition = {"evaluator": {"type": kinds[0], "params": [one.fire]}, "unloadEvaluator": {"type": kinds[1], "params": [one.recover]}}
    yield _step("C", {"type": "threshold", "expression": "B", "conditions": [condition]})


def _query(ref: str, ask: Select, reach: int) -> dict[str, Any]:
    model = {
        "refId": ref, "rawQuery": True, "resultFormat": "time_series", "query": ask.text, "intervalMs": INTERVAL_MS, "maxDataPoints": POINTS, "datasource": SOURCE,
    }  # fmt: skip
    return {"refId": ref, "datasourceUid": SOURCE["uid"], "relativeTimeRange": {"from": reach, "to": 0}, "model": model}


def _reduce(ref: str, of: str) -> dict[str, Any]:
    # Without dropNN one null makes the result NaN, and NaN compares false: a silent "all is well".
    return _step(ref, {"type": "reduce", "expression": of, "reducer": "last", "settings": {"mode": "dropNN"}})


def _step(ref: str, what: dict[str, Any]) -> dict[str, Any]:
    return {
        "refId": ref,
        "datasourceUid": EXPRESSION["uid"],
        "relativeTimeRange": {"from": 0, "to": 0},
        "model": {"refId": ref, "datasource": EXPRESSION, **what},
    }


def _names(names: Mapping[str, str]) -> str:
    """A Go template that says a scope's name: templates know no tables."""
    known = [(name, text) for name, text in names.items() if name != text]
    cases = "".join(f'{{{{ {"else if" if place else "if"} eq $labels.scope "{name}" }}}}{_plain(text)}' for place, (name, text) in enumerate(known))
    return f"{cases}{{{{ else }}}}{{{{ $labels.scope }}}}{{{{ end }}}}" if known else "{{ $labels.scope }}"


def _plain(text: str) -> str:
    """A name without what a template or an interpolation would read."""
    return text.replace("{", "（").replace("}", "）").replace("$", "＄")
