"""Figures as integers of their last digit, against fractions."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics import tables
from analytics.air import compliance, displayed, hours, periods, years
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


def aqis(found: Days) -> list[npt.NDArray[np.int16]]:
    """AQI of days under both rule sets."""
    return [found.judged(np.full(len(found.shown), rule, np.uint8)).aqi for rule in (0, 1)]


def scope(seed: int, days: int, parts: list[int], step: int = 1, scale: float = 1) -> tuple[Days, tuple[years.Running, ...]]:
    """Days of a place under both rule sets; values are multiples of ``step`` thousandths, so that ties occur."""
    generator = np.random.default_rng(seed)
    several = np.repeat(generator.choice(parts, (days, 1)), 6, axis=1).astype(np.int32)
    exact = generator.integers(0, int(scale * 400_000) // step, (days, 6)) * step * tables.COMMON * several
    exact[generator.random(exact.shape) < 0.1] = -1
    units = [
        [fixed.half_even(int(value), int(of) * tables.COMMON * step) for value, of, step in zip(*row, tables.STEPS, strict=True)]
        for row in zip(exact.tolist(), several.tolist(), strict=True)
    ]
    shown = np.where(exact < 0, -1, np.array(units)).astype(np.int32)
    found = Days(exact, several, np.where(exact < 0, 0, 24).astype(np.int32), shown)
    return found, years.under(found, aqis(found), FIRST)


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
    given, both = scope(seed, days, parts, step)
    made = displayed.of(both, np.ascontiguousarray(given.shown.T), air.RULE_SETS, days)
    for running, found in zip(both, made.running, strict=True):
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
    everything = displayed.of(both, np.ascontiguousarray(found.shown.T), air.RULE_SETS, 365)
    for figures, units_of in zip(several, everything.closed[0], strict=True):
        for place, name in enumerate((*displayed.PERIODICAL, *displayed.YEARLY)):
            item, _, kind = name.partition("_")
            for row in range(len(over)):
                digits = FIGURES[name].digits
                if name.endswith("_mean"):
                    assert units(figures.mean(item, row), digits) == units_of[place, row]
                elif name == "composite":
                    index = figures.composite(row)
                    assert (-1 if index is None else int(index[0] * 100)) == units_of[place, row]
                elif kind == "rate":
                    assert units(figures.rate(item, row), digits) == units_of[place, row]
                elif item in AIR:
                    assert units(figures.percentile(item, row), digits) == units_of[place, row]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0, 1, 30, 89, 90, 364, 365]), st.sampled_from([1, 500]))
def test_a_station_has_the_figures_of_any_scope(seed: Any, closed: Any, step: Any) -> None:
    """What one call makes of a station's year is what is made of running years that were made before."""
    found, _ = scope(seed, 365, [1], step)
    seen = hours.of_days(found.shown, found.hours)
    running = years.under(found, tuple(seen.aqi), FIRST)
    alone, other = displayed.of_station(found, seen, FIRST, closed), displayed.of(running, seen.shown, air.RULE_SETS, closed)

    for one, same in zip(alone.running, other.running, strict=True):
        assert [part.tolist() for part in one] == [part.tolist() for part in same]
    assert [part.tolist() for part in (*alone.closed, alone.short)] == [part.tolist() for part in (*other.closed, other.short)]
    if closed == 365:
        assert [part.tolist() for part in alone.standard] == [part.tolist() for part in other.standard]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(STATIONS), st.sampled_from([1, 500]), st.sampled_from([0.05, 0.1, 0.5]), st.booleans())
def test_the_compliance_of_a_year_is_that_of_fractions(seed: Any, parts: Any, step: Any, scale: Any, few: bool) -> None:  # noqa: FBT001  drawn
    """Largest multiple, items that exceed and the state of a year near its limits are those of fractions, whether its sums share a divisor or not."""
    found, both = scope(seed, 365, parts, step, scale)
    if few:
        for one in found:
            one[:, 2] = -1
        both = years.under(found, aqis(found), FIRST)
    several = periods.under(found, both, air.RULE_SETS, periods.closed(FIRST, 365))
    made = displayed.of(both, np.ascontiguousarray(found.shown.T), air.RULE_SETS, 365)
    for place, (figures, rules) in enumerate(zip(several, air.RULE_SETS, strict=True)):
        items = compliance.verdicts(figures, len(figures.periods) - 1, rules)
        multiples = [0 if one.multiple is None else units(one.multiple, FIGURES["standard"].digits) for item in items for one in item.measures]
        met, enough = compliance.overall(items), figures.enough[-1, :6].all()
        status = 1 if met is None or not enough else 2 if met else 3

        assert [max(multiples, default=-1), figures.valid[-1].min()] == made.standard[0][place].tolist()
        assert [status, sum(1 << number for number, item in enumerate(items) if item.attained is False)] == made.standard[1][place].tolist()


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
            assert tenths == displayed.of((running,), np.full((6, 2), 12, np.int32), air.RULE_SETS[:1], 2).running[0].units[0, 1], shift


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
    assert (
        int(reference.half_even(mean, 1) * 10)
        == displayed.of((running,), np.ascontiguousarray(days.shown.T), air.RULE_SETS[:1], 30).running[0].units[MEANS.index(item), -1]
    )
