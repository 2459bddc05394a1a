"""How Grafana evaluates a rule: reduce, threshold with recovery, for, keepFiringFor, missing series, no data; as its source has it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

Labels = tuple[tuple[str, str], ...]
Points = Sequence[tuple[int, float | None]]
"""Time [s] and value."""
Found = Mapping[Labels, Points]
Asked = Callable[[str, int, int], Found]
"""Statement, start and end [s] → series."""
SECONDS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
MISSING: Final = 2
"""Evaluations after which a series that is gone resolves."""
FIRING: Final = {"Alerting", "Recovering"}
"""For whoever is notified."""
NO_DATA: Final[Labels] = (("alertname", "DatasourceNoData"),)
ERROR: Final[Labels] = (("alertname", "DatasourceError"),)


class Refused(Exception):
    """The data source gave no answer, or refused one."""


def seconds(text: str) -> int:
    """A duration of a file."""
    found = re.fullmatch(r"(\d+)([smhd])", text)
    assert found, text
    return int(found.group(1)) * SECONDS[found.group(2)]


@dataclass
class Instance:
    """One labelled series of a rule, and since when it is in its state."""

    state: str = "Normal"
    since: int = 0
    seen: int = 0


@dataclass
class Change:
    """An instance changed its state."""

    time: int
    labels: Labels
    old: str
    new: str


@dataclass
class Evaluator:
    """One rule over simulated time; call ``step`` at every evaluation."""

    rule: dict[str, Any]
    interval: int
    instances: dict[Labels, Instance] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)

    def step(self, now: int, ask: Asked) -> None:
        """Evaluate once."""
        results = self._answered(now, ask)
        if results is None:
            return
        if results:
            self._to(NO_DATA, "Normal", now) if NO_DATA in self.instances else None
            for labels, value in results.items():
                self._result(labels, value, now)
        elif self.rule["noDataState"] == "NoData":
            self._to(NO_DATA, "NoData", now)
        for labels, one in list(self.instances.items()):
            if labels not in results and labels not in {NO_DATA, ERROR} and now - one.seen >= MISSING * self.interval:
                self._to(labels, "Normal", now)
                del self.instances[labels]

    def _answered(self, now: int, ask: Asked) -> dict[Labels, float | None] | None:
        """What the store says; an error, told and taken back as an alert of its own, is no answer."""
        try:
            results = self._results(now, ask)
        except Refused:
            if self.rule["execErrState"] == "Error":
                self._to(ERROR, "Error", now)
            return None
        if ERROR in self.instances:
            self._to(ERROR, "Normal", now)
        return results

    def _results(self, now: int, ask: Asked) -> dict[Labels, float | None]:
        (first, *_) = self.rule["data"]
        reach = first["relativeTimeRange"]["from"]
        series = ask(first["model"]["query"], now - reach, now)
        return {labels: reduced(points) for labels, points in series.items()}

    def _result(self, labels: Labels, value: float | None, now: int) -> None:
        one = self.instances.setdefault(labels, Instance(since=now))
        one.seen = now
        if value is None:
            self._to(labels, "NoData", now)
            return
        loaded = one.state in {"Alerting", "Pending"}
        firing = self._fires(value, loaded=loaded)
        lasting, keep = seconds(self.rule["for"]), seconds(self.rule["keepFiringFor"])
        if firing:
            self._fire(labels, one, now, lasting)
        elif one.state == "Alerting":
            self._to(labels, "Recovering" if keep else "Normal", now)
        elif one.state != "Recovering" or now - one.since >= keep:
            self._to(labels, "Normal", now)

    def _fire(self, labels: Labels, one: Instance, now: int, lasting: int) -> None:
        if one.state in {"Recovering", "Alerting"} or (one.state == "Pending" and now - one.since >= lasting) or not lasting:
            self._to(labels, "Alerting", now)
        elif one.state != "Pending":
            self._to(labels, "Pending", now)

    def _fires(self, value: float, *, loaded: bool) -> bool:
        (condition,) = self.rule["data"][-1]["model"]["conditions"]
        if loaded:
            return not _holds(condition["unloadEvaluator"], value)
        return _holds(condition["evaluator"], value)

    def _to(self, labels: Labels, state: str, now: int) -> None:
        one = self.instances.setdefault(labels, Instance(since=now))
        one.seen = now
        if one.state != state:
            self.changes.append(Change(now, labels, one.state, state))
            one.state, one.since = state, now

    def fired(self) -> list[Change]:
        """When whom somebody was told about: the first of each stretch of firing."""
        return [change for change in self.changes if change.new in {"Alerting", "NoData", "Error"} and change.old not in FIRING]

    def resolved(self) -> list[Change]:
        """When it was over."""
        return [change for change in self.changes if change.old in {*FIRING, "NoData", "Error"} and change.new == "Normal"]


def reduced(points: Points) -> float | None:
    """Reduce ``last`` with dropNN; nothing left is no data."""
    kept = [value for _, value in points if value is not None and math.isfinite(value)]
    return kept[-1] if kept else None


def _holds(evaluator: Mapping[str, Any], value: float) -> bool:
    (limit,) = evaluator["params"]
    return bool({"gt": value > limit, "lt": value < limit}[evaluator["type"]])
