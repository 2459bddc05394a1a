"""Figures as integers of their last digit, against fractions."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics import tables
from analytics.air import displayed, periods, years
from analytics.air.days import Days
from analytics.air.years import MEANS
from analytics.jobs.rounding import half_even
from domain import air, fixed
from domain.civil import day_number
from domain.indicators import FIGURES
from domain.items import AIR
from tests import reference

FIRST = day_number(date(2025, 1, 1))
STATIONS = [[1], [4], [3, 4], [17, 19, 23, 29, 31, 37]]
"""Numbers of valid stations by day; for the last no common divisor fits into 64 bits."""


def scope(seed: int, days: int, parts: list[int], step: int = 1) -> tuple[Days, tuple[years.Running, ...]]:
    """Days of a place under both rule sets; values are multiples of ``step`` thousandths, so that ties occur."""
    generator = np.random.default_rng(seed)
    several = np.repeat(generator.choice(parts, (days, 1)), 6, axis=1).astype(np.int32)
    exact = generator.integers(0, 400_000 // step, (days, 6)) * step * tables.COMMON * several
    exact[generator.random(exact.shape) < 0.1] = -1
    units = [
        [fixed.half_even(int(value), int(of) * tables.COMMON * step) for value, of, step in zip(*row, tables.STEPS, strict=True)]
        for row in zip(exact.tolist(), several.tolist(), strict=True)
    ]
    shown = np.where(exact < 0, -1, np.array(units)).astype(np.int32)
    found = Days(exact, several, np.where(exact < 0, 0, 24).astype(np.int32), shown)
    aqis = [found.judged(np.full(days, rule, np.uint8)).aqi for rule in (0, 1)]
    return found, years.under(found, aqis, FIRST)


def units(value: Fraction | None, digits: int) -> int:
    """A figure in units of its last digit."""
    return -1 if value is None else fixed.half_even(value.numerator * 10**digits, value.denominator)


def wanted(name: str, running: years.Running, row: int) -> tuple[int, int]:
    """A running figure and what is behind it, by fractions."""
    valid, good, heavy = (int(number) for number in running.counts[row])
    digits = FIGURES[name].digits
    if name in {"good_days", "heavy_days", "valid_days"}:
        return {"good_days": good, "heavy_days": heavy, "valid_days": valid}[name], valid
    if name in {"good_ratio", "data_capture"}:
        return units(running.ratio(row) if name == "good_ratio" else Fraction(100 * valid, row + 1), digits), valid
    if name == "composite":
        found = running.composite(row)
        return -1 if found is None else int(found[0] * 100), int(running.valid[row].min())
    item = name.partition("_")[0]
    value = running.mean(item, row) if name.endswith("mean") else running.percentile(item, row)
    return units(value, digits), running.number(item, row)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 60), st.sampled_from(STATIONS), st.sampled_from([1, 50, 500]))
def test_running_figures_equal_fractions(seed: Any, days: Any, parts: Any, step: Any) -> None:
    """Every running figure of any place is the exact fraction rounded half to even, with what is behind it."""
    _, both = scope(seed, days, parts, step)
    for running, found in zip(both, displayed.of_year(both, days), strict=True):
        for place, name in enumerate(displayed.NAMES):
            for row in range(days):
                assert wanted(name, running, row) == (found.units[place, row], found.behind[place, row]), (name, row)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(STATIONS), st.sampled_from([1, 500]))
def test_figures_of_closed_periods_equal_fractions(seed: Any, parts: Any, step: Any) -> None:
    """Means, percentiles and the composite index of every month, quarter and year are those of fractions."""
    found, both = scope(seed, 365, parts, step)
    over = periods.closed(FIRST, 365)
    several = periods.under(found, both, air.RULE_SETS, over)
    for figures, made in zip(several, displayed.of_periods(several), strict=True):
        for place, name in enumerate((*displayed.PERIODICAL, *displayed.YEARLY)):
            item, _, kind = name.partition("_")
            for row in range(len(over)):
                digits = FIGURES[name].digits
                if name.endswith("_mean"):
                    assert units(figures.mean(item, row), digits) == made.units[place, row]
                elif name == "composite":
                    index = figures.composite(row)
                    assert (-1 if index is None else int(index[0] * 100)) == made.units[place, row]
                elif kind == "rate":
                    assert units(figures.rate(item, row), digits) == made.units[place, row]
                elif item in AIR:
                    assert units(figures.percentile(item, row), digits) == made.units[place, row]


def test_the_case_without_a_common_divisor_is_met() -> None:
    """The stations of the hardest case really leave several sums, or the test above would not try it."""
    _, both = scope(0, 60, STATIONS[-1])

    assert len(both[0].sums) > 1
    assert len(scope(0, 60, STATIONS[2])[1][0].sums) == 1


def test_means_near_a_tie_are_decided_exactly() -> None:
    """A mean of exactly x.x5 goes to the even digit, and one a hair above it up, whatever the float says."""
    for several in (1, 4):
        exact = np.full((2, 6), 12_300 * tables.COMMON * several, np.int64)
        exact[1] = 12_400 * tables.COMMON * several
        for shift, tenths in ((0, 124), (1, 124), (-1, 123)):
            nudged = exact.copy()
            nudged[1] += shift
            days = Days(nudged, np.full((2, 6), several, np.int32), np.full((2, 6), 24, np.int32), np.full((2, 6), 12, np.int32))
            running = years.running(days, np.zeros(2, np.int16), FIRST)
            assert tenths == displayed.of_year((running,), 2)[0].units[0, 1], shift


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2**40), st.integers(0, 2**20)), min_size=1, max_size=20))
def test_quotients_of_arrays_equal_those_of_integers(pairs: Any) -> None:
    """Half to even, element by element; over zero there is none."""
    numerator, denominator = np.array(pairs, np.int64).T
    large = numerator // np.maximum(denominator, 1) >= 2**31

    assert [fixed.half_even(n, d) if d else -1 for (n, d), no in zip(pairs, large, strict=True) if not no] == half_even(numerator, denominator)[~large].tolist()


@pytest.mark.parametrize("item", MEANS)
def test_reference_agrees_on_a_mean(item: str) -> None:
    """The slow twin's mean of displayed days is the one that is shown."""
    days, (running, _) = scope(5, 30, [1], 1_000)
    place = AIR.index(item)
    values = [None if value < 0 else Fraction(int(value), 1_000 * tables.COMMON) for value in days.exact[:, place]]
    mean = reference.mean(values, 1)

    assert mean is not None
    assert int(reference.half_even(mean, 1) * 10) == displayed.of_year((running,), 30)[0].units[MEANS.index(item), -1]
