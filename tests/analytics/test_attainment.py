"""States of targets: met, missed, and the rest of the year that is still required."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from analytics import attainment
from analytics.air import days, years
from analytics.attainment import Standing
from domain.civil import day_number
from domain.fixed import MISSING
from domain.targets import Target, YearValue

MEAN, RATIO, HEAVY = "air.pm25.annual_mean", "air.aqi.good_day_ratio", "air.aqi.heavy_days"


def target(name: str, op: str, value: str, kind: str = "annual", year: int = 2025) -> Target:
    """An air target with one dated value."""
    return Target(name, "", "", "", op, "", kind, "sensor", values=(YearValue(year, Decimal(value)),))


def running(pm25: list[int | None], year: int = 2025) -> years.Running:
    """A year of which only PM2.5 matters; None = a day without data."""
    values = np.full((len(pm25), 6), 500, np.int32)
    for row, value in enumerate(pm25):
        values[row] = MISSING if value is None else values[row]
        values[row, 0] = MISSING if value is None else value * 1_000
    found = days.published(values)
    return years.running(found, found.judged(np.zeros(len(pm25), np.uint8)).aqi, day_number(date(year, 1, 1)))


def state(goal: Target, pm25: list[int | None], last: list[int | None] | None = None) -> attainment.Attainment:
    """State of a target at the end of the given days of 2025."""
    before = running(last, 2024) if last else None
    found = attainment.attain(goal, Standing(2025, 365, running(pm25), len(pm25) - 1, before))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("pm25", "status"),
    [([42] * 365, "met"), ([42] * 364 + [43], "missed"), ([42] * 80 + [None] * 285, "undecidable"), ([42] * 90 + [None] * 275, "met")],
)
def test_a_closed_year_is_judged_on_the_unrounded_mean(pm25: Any, status: str) -> None:
    """42 passes, 42 + 1/365 fails, and fewer than 90 valid days decide nothing."""
    assert status == state(target(MEAN, "<=", "42"), pm25).status


def test_rounding_that_would_decide_otherwise_is_told() -> None:
    """A mean of 42.003 misses 42 and says that its displayed 42.0 would pass; 42.0 does not."""
    assert state(target(MEAN, "<=", "42"), [42] * 364 + [43]).rounding
    assert not state(target(MEAN, "<=", "42"), [42] * 365).rounding


def test_235_of_360_days_miss_65_3_percent_and_say_so() -> None:
    """65.28 % is below 65.3 % although it is displayed as 65.3 %."""
    found = state(target(RATIO, ">=", "65.3"), [10] * 235 + [80] * 125 + [None] * 5)

    assert ("missed", True) == (found.status, found.rounding)


@pytest.mark.parametrize(
    ("last", "status"),
    [(None, "undecidable"), ([40] * 182 + [38] * 184, "on-course"), ([40] * 182 + [39] * 184, "at-risk")],
)
def test_a_running_mean_is_compared_with_last_years_rest(last: Any, status: str) -> None:
    """200 days at 45 leave 165 days at (42·365 - 9000)/165 = 38.36; last year's same stretch decides."""
    found = state(target(MEAN, "<=", "42"), [45] * 200, last)

    assert Fraction(42 * 365 - 45 * 200, 165) == found.required_rest
    assert status == found.status


def test_what_no_rest_can_mend_is_missed_at_once() -> None:
    """A mean that even zeros for the rest of the year leave above the target is missed, whatever the number of days."""
    assert "missed" == state(target(MEAN, "<=", "42"), [300] * 60).status


@pytest.mark.parametrize(
    ("heavy", "days_so_far", "status", "budget"),
    [(5, 365, "met", 0), (6, 365, "missed", -1), (6, 100, "missed", -1), (1, 100, "on-course", 4), (3, 100, "at-risk", 2)],
)
def test_heavy_days_use_a_budget(heavy: int, days_so_far: int, status: str, budget: int) -> None:
    """A count is missed the day it is exceeded, met when the year is over, and measured by the elapsed share before."""
    found = state(target(HEAVY, "<=", "5"), [160] * heavy + [10] * (days_so_far - heavy))

    assert (status, budget) == (found.status, found.remaining_budget)


def test_last_years_share_of_heavy_days_counts_where_there_is_one() -> None:
    """With all of last year's heavy days in winter's first half, three by day 100 are on course."""
    last = [160] * 10 + [10] * 356

    assert "on-course" == state(target(HEAVY, "<=", "5"), [160] * 3 + [10] * 97, last).status


def test_the_ratio_says_how_many_bad_days_are_left() -> None:
    """239 good days of 365 are needed for 65.3 %: at most 126 days above AQI 100."""
    found = state(target(RATIO, ">=", "65.3"), [10] * 100)

    assert 126 == found.remaining_budget


def test_a_year_without_a_target_names_the_last() -> None:
    """After the plan's end the figure stays, with the year of its last value."""
    found = attainment.attain(target(MEAN, "<=", "42", year=2024), Standing(2025, 365, running([40] * 10), 9), 2024)

    assert found is not None
    assert ("no-target", None, 2024, 42, True) == (found.status, found.target, found.target_year, found.last, found.horizon_passed)


def test_an_aspiration_is_never_missed() -> None:
    """An aspiration that cannot be reached any more is at risk."""
    assert "at-risk" == state(target(MEAN, "<=", "42", kind="aspiration"), [50] * 365).status


def test_other_targets_are_left_alone() -> None:
    """A target about anything else has no figure here."""
    assert attainment.attain(target("water.tn", "<=", "1"), Standing(2025, 365, running([10]), 0)) is None
