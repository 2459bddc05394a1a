"""Every rule over simulated time on a real store: it fires on its fault, holds, recovers once, and is quiet when nothing is wrong.

A fault is planted as the figures that would tell it, at the pace at which analytics writes them; the statement of the rule is
asked of the store at every evaluation, and Grafana's own logic decides. `python -m tests.dashboards.alarms` prints the table.
"""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest

from dashboards.rules import alerting
from tests.dashboards.alarms import Planted, plant, quiet, simulated
from tests.dashboards.evaluator import NO_DATA, Evaluator
from tests.dashboards.filled import Filled
from tests.dashboards.sample import sample

pytestmark = [pytest.mark.services, pytest.mark.timeout(400)]  # the first test fills the county

UIDS = [rule["uid"] for group in alerting(sample())["groups"] for rule in group["rules"]]
MONTH_DAYS = 30.4


@pytest.mark.parametrize("uid", UIDS)
def test_a_rule_fires_on_its_fault_and_recovers(county: Filled, uid: str) -> None:
    """One alert a fault: within its time, held until the fault is over, gone within its time; nothing before and nothing after."""
    planted = plant(uid)
    found = simulated(county, planted)

    assert ([planted.labels], [planted.labels]) == ([one.labels for one in found.fired()], [one.labels for one in found.resolved()])
    assert planted.begun <= found.fired()[0].time <= planted.begun + planted.patience
    assert planted.over <= found.resolved()[0].time <= planted.over + planted.recovery


@pytest.mark.parametrize("uid", ["target-air-pm25-annual-mean", "source-silent", "service-law"])
def test_a_rule_that_judges_something_else_misses_its_fault(county: Filled, uid: str) -> None:
    """The yardstick itself: with another limit the same fault does not fire."""
    planted = plant(uid)
    rule = dict(planted.rule)
    *steps, last = rule["data"]
    (condition,) = last["model"]["conditions"]
    dull = {**condition, "evaluator": {**condition["evaluator"], "params": [10_000.0]}}
    rule["data"] = [*steps, {**last, "model": {**last["model"], "conditions": [dull]}}]

    assert [] == simulated(county, replace(planted, rule=rule)).fired()


def test_an_empty_store_is_not_all_quiet(county: Filled) -> None:
    """Rules of the service raise an alert of their own when their figures are not there at all; it goes to the platform's owner."""
    rules = [rule for group in alerting(sample())["groups"] for rule in group["rules"] if group["name"] == "system"]
    for rule in rules:
        one = Evaluator(rule, 300)
        one.step(0, lambda *_: {})
        assert [NO_DATA] == [change.labels for change in one.fired()]
    assert rules


def test_a_year_without_faults_is_quiet(county: Filled, capsys: pytest.CaptureFixture[str]) -> None:
    """Over all rules at most one alert a month in which nothing was planted."""
    alerts, days = quiet(county)
    with capsys.disabled():
        sys.stdout.write(f"\nquiet: {len(alerts)} alerts in {days:.0f} days over {len(UIDS)} rules: {sorted({uid for uid, _ in alerts})}\n")

    assert days > 300
    assert len(alerts) <= days / MONTH_DAYS


def test_planted_faults_are_faults() -> None:
    """What is planted lies on the far side of a rule's threshold, what is healthy on the far side of its recovery."""
    for uid in UIDS:
        planted: Planted = plant(uid)
        assert planted.begun < planted.over
        assert planted.healthy != planted.faulty
