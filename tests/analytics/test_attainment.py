"""States of targets: met, missed, and the rest of the year that is still required."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from analytics import attainment, tally
from analytics.air import days, years
from analytics.tally import Standing
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


@pytest.mark.parametrize(("days_so_far", "status"), [(10, "at-risk"), (11, "on-course")])
def test_last_years_share_is_that_of_the_same_date(days_so_far: int, status: str) -> None:
    """2024's first heavy day of two was 11 January: on 10 January 2025 none of the budget was used by then, for 29 February is still ahead."""
    last = [10] * 10 + [160] + [10] * 290 + [160] + [10] * 64

    assert status == state(target(HEAVY, "<=", "2"), [160] + [10] * (days_so_far - 1), last).status


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


@pytest.mark.parametrize(
    ("goal", "pm25", "rate"),
    [
        (target(HEAVY, "<=", "5"), [160] * 3 + [10] * 97, Fraction(3 * 365, 5 * 100)),
        (target(RATIO, ">=", "65.3"), [80] * 40 + [10] * 60, Fraction(400, 347)),
        (target(MEAN, "<=", "42"), [45] * 200, Fraction(45, 42)),
        (target(HEAVY, "<=", "0"), [160] + [10] * 99, None),
        (target(RATIO, ">=", "100"), [10] * 100, None),
    ],
)
def test_burn_rate(goal: Target, pm25: Any, rate: Fraction | None) -> None:
    """Used share of the allowed over the elapsed share of valid days: 3 of 5 heavy days in 100 of 365 burn 2.19 times too fast."""
    assert rate == state(goal, pm25).burn_rate


def test_burn_rate_counts_valid_days_only() -> None:
    """Days without data have not used anything up and have not passed either."""
    assert state(target(HEAVY, "<=", "5"), [160] * 3 + [10] * 97).burn_rate == state(target(HEAVY, "<=", "5"), [160] * 3 + [10] * 97 + [None] * 50).burn_rate


def test_one_more_heavy_day_may_decide() -> None:
    """With the budget used up, one more heavy day misses the target; with one left, it uses that."""
    spent = state(target(HEAVY, "<=", "5"), [160] * 5 + [10] * 95).one_more
    left = state(target(HEAVY, "<=", "5"), [160] * 4 + [10] * 96).one_more

    assert spent is not None
    assert left is not None
    assert ("missed", -1, 6) == (spent.status, spent.remaining_budget, spent.value)
    assert (0, 5) == (left.remaining_budget, left.value)


def test_one_more_bad_day_for_means_and_ratios() -> None:
    """A day of 151 (the lowest PM2.5 of a heavy day) raises mean and required rest; a day above AQI 100 costs one of the 126."""
    mean = state(target(MEAN, "<=", "42"), [45] * 200).one_more
    ratio = state(target(RATIO, ">=", "65.3"), [10] * 100).one_more

    assert mean is not None
    assert ratio is not None
    assert (Fraction(45 * 200 + 151, 201), Fraction(42 * 365 - 45 * 200 - 151, 164)) == (mean.value, mean.required_rest)
    assert (Fraction(10_000, 101), 125) == (ratio.value, ratio.remaining_budget)


def test_a_closed_year_has_no_one_more() -> None:
    """When the year is over no day can be added."""
    assert state(target(MEAN, "<=", "42"), [42] * 365).one_more is None


@pytest.mark.parametrize(
    ("days_so_far", "mean", "rest", "status"), [(90, 70, "32.836", "undecidable"), (300, 45, "28.154", "undecidable"), (340, 46, "-12.400", "missed")]
)
def test_required_rest_of_published_examples(days_so_far: int, mean: int, rest: str, status: str) -> None:
    """N = 365, T = 42: 90 days at 70 leave 32.836, 300 at 45 leave 28.154, 340 at 46 can no longer reach it."""
    found = state(target(MEAN, "<=", "42"), [mean] * days_so_far)

    assert found.required_rest is not None
    assert (rest, status) == (f"{float(found.required_rest):.3f}", found.status)


def test_the_first_exact_change_is_found() -> None:
    """A tally changes from the day on which what it counts changed, whether or not a displayed figure does."""
    old, new = running([40] * 50), running([40] * 30 + [41] + [40] * 29)

    assert [30, 50, 50, 0] == [
        tally.first_change("pm25_mean", old, new),
        tally.first_change("good_ratio", old, new),
        tally.first_change("heavy_days", old, new),
        tally.first_change("heavy_days", None, new),
    ]
    assert 20 == tally.first_change("heavy_days", running([40] * 50), running([40] * 20 + [160] + [40] * 29))
    assert 10 == tally.first_change("heavy_days", running([40] * 50), running([40] * 10 + [None] + [40] * 39))
