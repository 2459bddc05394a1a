"""Every rule over simulated time on a real store: it fires on its fault, holds, recovers once, and is quiet when nothing is wrong.

A fault is planted as the figures that would tell it, at the pace at which analytics writes them; the statement of the rule is
asked of the store at every evaluation, and Grafana's own logic decides. `python -m tests.dashboards.alarms` prints the table.
"""

from __future__ import annotations

import re
import sys
from dataclasses import replace

import pytest
import urllib3

from dashboards.rules import alerting
from tests.dashboards.alarms import Planted, plant, quiet, recorded, simulated
from tests.dashboards.asking import ask, expanded
from tests.dashboards.evaluator import ERROR, NO_DATA, Evaluator, Found, Refused
from tests.dashboards.filled import Filled
from tests.dashboards.sample import alerting as file
from tests.dashboards.sample import sample

pytestmark = [pytest.mark.services, pytest.mark.timeout(400)]  # the first test fills the county

UIDS = [rule["uid"] for group in alerting(sample())["groups"] for rule in group["rules"]]
MONTH_DAYS = 30.4
FROM_READINGS = [
    "target-air-aqi-heavy-days", "quota-energy-total", "budget-air-aqi-heavy-days", "air-heavy-hour", "air-warning-met", "air-day-at-risk",
    "data-restated-confirmed", "sensor-drift", "water-level-warning", "water-level-guarantee", "water-class-breach", "point-over-limit",
    "meter-balance", "line-baseline", "line-water-quota", "meter-incomplete", "meter-fault", "clue-open", "order-receipt",
]  # fmt: skip
"""Rules whose fault lies in the readings and entries of the filled county (`filled.py`); those of the service are in `test_service_faults.py`."""


@pytest.mark.parametrize("uid", UIDS)
def test_a_rule_fires_on_its_fault_and_recovers(county: Filled, uid: str) -> None:
    """One alert a fault: within its time, held until the fault is over, gone within its time; nothing before and nothing after."""
    planted = plant(uid)
    found = simulated(county, planted)

    assert ([planted.labels], [planted.labels]) == ([one.labels for one in found.fired()], [one.labels for one in found.resolved()])
    assert planted.begun <= found.fired()[0].time <= planted.begun + planted.patience
    assert planted.over <= found.resolved()[0].time <= planted.over + planted.recovery


@pytest.mark.parametrize("uid", FROM_READINGS)
def test_a_fault_in_the_readings_fires_its_alert(county: Filled, uid: str) -> None:
    """The same from the other end: readings and entries with a fault in them, through analytics into the store, raise the named alert."""
    found = recorded(county, uid)

    assert found.fired()
    assert all(county.planted <= change.time for change in found.fired())


def test_a_standing_sensor_is_no_faulty_meter(county: Filled) -> None:
    """Both are told as events of one kind; the meters' rule names meters only."""
    named = {dict(change.labels)["source"] for change in recorded(county, "meter-fault").fired()}

    assert named
    assert named <= set(county.registry.meters)


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


def receivers(labels: dict[str, str]) -> set[str]:
    """Who gets an alert with these labels, by the routes of the sample's files with all channels."""
    (root,) = file("policies")["policies"]
    found: set[str] = set()
    for route in root["routes"]:
        if all(re.fullmatch(value if sign == "=~" else re.escape(value), labels.get(key, "")) for key, sign, value in route["object_matchers"]):
            found.add(route["receiver"])
            if not route["continue"]:
                break
    return found or {root["receiver"]}


@pytest.mark.parametrize("fault", ["a wrong secret", "an unreachable store"])
def test_a_store_that_does_not_answer_is_told_to_whoever_runs_the_platform(county: Filled, fault: str) -> None:
    """Every rule raises DatasourceError, for whatever it watches, takes it back when the store answers, and every channel of the platform's owner gets it."""

    def refused(text: str, start: int, end: int) -> Found:
        where = county if fault == "a wrong secret" else replace(county, url="http://127.0.0.1:9")
        try:
            return {(): [(row[0], 0.0) for row in ask(where, expanded(text, (start, end), {}), "wrong").get("series", [])]}
        except (AssertionError, urllib3.exceptions.HTTPError) as error:
            raise Refused(str(error)) from error

    for rule in (rule for group in alerting(sample())["groups"] for rule in group["rules"]):
        one = Evaluator(rule, 300)
        one.step(0, refused)
        one.step(300, lambda *_: {(): [(300, 0.0)]})
        assert (ERROR, ERROR) == (one.fired()[0].labels, one.resolved()[0].labels), rule["uid"]

    assert {"值班日志", "钉钉", "企业微信", "邮件", "MQTT"} == receivers({"alertname": "DatasourceError"}) == receivers({"alertname": "DatasourceNoData"})


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
