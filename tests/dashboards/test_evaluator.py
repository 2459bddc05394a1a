"""The yardstick of the alerts itself: golden timelines of Grafana's own rules of evaluation."""

from __future__ import annotations

from typing import Any

from tests.dashboards.evaluator import NO_DATA, Evaluator, Found, reduced

MINUTE = 60
LABELS = (("scope", "a"),)


def rule(lasting: str = "30m", keep: str = "60m", no_data: str = "NoData") -> dict[str, Any]:
    """Fires above 1.0, recovers below 0.9."""
    condition = {"evaluator": {"type": "gt", "params": [1.0]}, "unloadEvaluator": {"type": "lt", "params": [0.9]}}
    steps = [{"relativeTimeRange": {"from": 300}, "model": {"query": "q"}}, {"model": {"conditions": [condition]}}]
    return {"for": lasting, "keepFiringFor": keep, "noDataState": no_data, "data": steps}


def states(values: dict[int, float | None], **more: str) -> dict[int, str]:
    """State at each minute; None = the series is missing."""
    one, found = Evaluator(rule(**more), 5 * MINUTE), {}
    for minute, value in values.items():
        rows: Found = {} if value is None else {LABELS: [(minute * MINUTE, value)]}
        other: Found = {(("scope", "b"),): [(minute * MINUTE, 0.0)]}
        one.step(minute * MINUTE, lambda *_, rows=rows, other=other: {**other, **rows})  # type: ignore[misc]
        found[minute] = one.instances[LABELS].state if LABELS in one.instances else "gone"
    return found


def test_the_band_holds_while_pending_and_recovering_needs_its_time() -> None:
    """One exceedance followed by values inside the band fires after `for`; firing again while recovering is at once."""
    values: dict[int, float | None] = {0: 0.95, 5: 1.05} | dict.fromkeys(range(10, 40, 5), 0.95) | {40: 0.85, 45: 0.95, 50: 1.05}
    values |= dict.fromkeys(range(55, 120, 5), 0.85)
    found = states(values)

    assert {0: "Normal", 5: "Pending", 30: "Pending", 35: "Alerting", 40: "Recovering", 45: "Recovering", 50: "Alerting"} == {
        minute: found[minute] for minute in (0, 5, 30, 35, 40, 45, 50)
    }
    assert {"Recovering"} == {found[minute] for minute in range(55, 115, 5)}
    assert "Normal" == found[115]


def test_a_missing_series_resolves_after_two_evaluations() -> None:
    """KeepFiringFor does not delay it."""
    values: dict[int, float | None] = {0: 1.05} | dict.fromkeys(range(5, 40, 5), 1.2) | {40: None, 45: None}
    found = states(values)

    assert ["Pending", "Alerting", "Alerting", "Alerting", "gone"] == [found[minute] for minute in (25, 30, 35, 40, 45)]


def test_an_empty_answer_is_no_data_or_nothing() -> None:
    """A rule with NoData raises one alert without labels and takes it back; one with OK stays quiet."""
    loud, quiet = Evaluator(rule(), 300), Evaluator(rule(no_data="OK"), 300)
    for one in (loud, quiet):
        one.step(0, lambda *_: {})
        one.step(300, lambda *_: {LABELS: [(300, 0.5)]})

    assert [(0, NO_DATA), (300, NO_DATA)] == [(change.time, change.labels) for change in (*loud.fired(), *loud.resolved())]
    assert [] == quiet.changes


def test_reduce_drops_what_is_no_number() -> None:
    """The last finite value counts; nothing at all is no data, never zero."""
    assert 2.0 == reduced([(0, 1.0), (1, 2.0), (2, None), (3, float("nan"))])
    assert reduced([(0, None)]) is None
