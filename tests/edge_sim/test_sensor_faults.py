"""Faults of a sensor, and honest work on it: what a station hears of them, and what the truth log says was true."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.edge_sim.shown_faults import AIR_ITEM, INSIDE, ONSET, Shown, during, fault, logged, readings, scene, words


@pytest.mark.parametrize("kind", sorted(INSIDE))
def test_sensor_faults_change_values_and_nothing_else(kind: str, tmp_path: Path) -> None:
    """Inside its span a fault does what its kind says; outside nothing differs; the log has said, true and the span."""
    shown = Shown(fault(kind, "a-1"), "d-a-1")
    inside, outside = shown.pairs(AIR_ITEM.get(kind, "pm25"))
    log = logged(shown.scene, shown.said, tmp_path)
    marked = [row for row in log["readings-air"] if row["mark"] == 0]

    assert inside and INSIDE[kind](inside)
    assert outside and all(now == then for now, then in outside)
    assert {during(shown.fault, row["time"]) for row in marked} == {True}
    assert len(marked) >= len(inside)
    assert (kind, "a-1", ONSET) == tuple(log["faults"][0][name] for name in ("kind", "target", "begin"))
    item = AIR_ITEM.get(kind, "pm25")
    assert all(row[f"{item}_true"] > 0 for row in marked)


def test_gap_is_silence() -> None:
    """In a gap nothing is said, and numbers go on without a hole: nothing was measured."""
    shown = Shown(fault("gap", "a-1"), "d-a-1")
    times = [word.slot for word in shown.said]

    assert [] == [time for time in times if during(shown.fault, time)]
    assert list(range(len(shown.said))) == [word.row["seq"] for word in shown.said]


def test_inverted_puts_fine_above_coarse() -> None:
    """PM2.5 stands above PM10."""
    shown = Shown(fault("inverted", "a-1"), "d-a-1")
    fine, coarse = readings(shown.said, "pm25"), readings(shown.said, "pm10")
    inside = [time for time in fine.keys() & coarse.keys() if during(shown.fault, time)]

    assert inside and all(fine[time] > coarse[time] for time in inside)


def test_copy_says_what_the_neighbour_says() -> None:
    """Every item is the neighbour's, digit for digit."""
    shown = Shown(fault("copy", "a-1", partner="a-2"), "d-a-1")
    own, other = readings(shown.said, "no2"), readings(words(scene(), "d-a-2"), "no2")
    inside = [time for time in own.keys() & other.keys() if during(shown.fault, time)]

    assert inside and all(own[time] == other[time] for time in inside)


@pytest.mark.parametrize(("kind", "letter", "events"), [("calibration", "C", ["calibration-start", "calibration-end"]), ("maintenance", "M", ["maintenance"])])
def test_honest_work_is_flagged(kind: str, letter: str, events: list[str], tmp_path: Path) -> None:
    """Calibration and maintenance flag each value, and say so on the event topic; the log has both."""
    shown = Shown(fault(kind, "a-1"), "d-a-1")
    inside = [word for word in shown.said if word.stream == "data" and during(shown.fault, word.slot)]
    log = logged(shown.scene, shown.said, tmp_path)

    assert inside and {letter} == {flag for word in inside for flag in word.row["flags"].values()}
    assert all(word.row["flags"].keys() == word.row["values"].keys() for word in inside)
    assert events == [word.row["type"] for word in shown.said if word.stream == "event"]
    assert events == [json.loads(row["body"])["type"] for row in log["beside"]]
    assert {letter} == {flag for row in log["readings-air"] if row["flags"] for flag in json.loads(row["flags"]).values()}
