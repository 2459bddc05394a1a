"""Targets judged on what an authority reports: the year so far under the day that is reported, a budget that is used up, the year itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from analytics.jobs.intensities import reported
from domain import civil
from domain.indicators import Indicator
from domain.readings import Entry
from domain.targets import Plan, Target, YearValue

GOAL = Target("energy.total", "41", "能耗总量", "", "<=", "tce", "annual", "sensor+reported", values=(YearValue(2025, Decimal(365), "市文"),))
STRENGTH = replace(GOAL, id="energy.intensity", name_zh="能耗强度")


def judged(said: Sequence[tuple[str, str, str]], today: str, plan: Plan | None = None) -> list[Indicator]:
    """Rows of 2025 for what was reported: (target, period, value), received on that day."""
    day = civil.parse_date(today)
    received = (civil.day_start(day) + civil.DAY_S // 2) * 10**9
    entries = [
        Entry("reported", f"person/{n}", received, "李工", {"target": name, "period": when, "value": value}) for n, (name, when, value) in enumerate(said)
    ]
    return list(reported(entries, (plan or Plan("p", "", "", 2025, (GOAL, STRENGTH)),), "c", 2025, day))


def test_a_running_year_is_judged_under_the_day_it_is_reported_to() -> None:
    """Each month's report makes a row of the year so far under its last day, never under 31 December, and the state as a number beside it."""
    rows = judged([("energy.total", "2025-01", "31"), ("energy.total", "2025-02", "29")], "2025-04-20")
    told = [(row.figure, row.period, row.value, row.status, civil.date_of(civil.day_of(row.time + 1)).isoformat()) for row in rows]

    assert [
        ("energy.total", "ytd", 31.0, "on-course", "2025-01-31"),
        ("energy.total.state", "ytd", 1.0, "on-course", "2025-01-31"),
        ("energy.total", "ytd", 60.0, "at-risk", "2025-02-28"),
        ("energy.total.state", "ytd", 3.0, "at-risk", "2025-02-28"),
    ] == told


def test_a_month_inside_a_reported_quarter_is_not_counted_twice() -> None:
    """Quarter and its months: the quarter counts; months that nobody reported use up no time either."""
    both = judged([("energy.total", "2025-01", "31"), ("energy.total", "2025Q1", "80"), ("energy.total", "2025-03", "20")], "2025-04-20")
    gap = judged([("energy.total", "2025-03", "32")], "2025-04-20")

    assert [(80.0, "on-course")] == [(row.value, row.status) for row in both if row.figure == "energy.total"]
    assert [(32.0, "at-risk")] == [(row.value, row.status) for row in gap if row.figure == "energy.total"]


def test_what_decides_a_reported_year() -> None:
    """Its own report, or twelve months of a total; months of an intensity decide nothing, and a row of the year itself stands when it is over."""
    months = [(f"2025-{number:02}", "31") for number in range(1, 13)]
    total = judged([("energy.total", *one) for one in months], "2026-02-01")[-1]
    strength = judged([("energy.intensity", *one) for one in months], "2026-02-01")[-1]
    early = judged([("energy.total", "2025", "400")], "2025-12-20")

    assert ("year", 372.0, "missed", -7.0) == (total.period, total.value, total.status, total.margin)
    assert ("year", "undecidable") == (strength.period, strength.status)
    assert [("ytd", "missed", "2025-12-20")] * 2 == [(row.period, row.status, civil.date_of(civil.day_of(row.time + 1)).isoformat()) for row in early]


def test_a_budget_that_is_used_up_is_missed_at_once() -> None:
    """More than the whole year's value in its first months cannot be made good."""
    assert ["missed", "missed"] == [row.status for row in judged([("energy.total", "2025Q1", "366")], "2025-04-20")]
