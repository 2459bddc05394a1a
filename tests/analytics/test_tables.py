"""IAQI, AQI and primary pollutants, exhaustively and on published hours."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics import tables
from analytics.air import hours
from analytics.kernels import aqi as aqi_kernel
from analytics.kernels import rolling as kernel
from domain.fixed import half_even
from domain.items import AIR
from tests import reference

LAWS = (2012, 2026)
CELL = st.one_of(
    st.just(-(2**31)), st.integers(0, 10_000_000), st.integers(0, 1_000).map(lambda units: units * 500), st.integers(0, 9_000).map(lambda units: units * 50)
)


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("average", ["hour", "day"])
@pytest.mark.parametrize("item", AIR)
def test_every_reportable_concentration_has_the_exact_iaqi(law: int, average: str, item: str) -> None:
    """Every displayed concentration up to and beyond the last breakpoint gets the IAQI of rational arithmetic."""
    place, step = AIR.index(item), 10 if item == "co" else 1
    answers = tables.answers(daily=average == "day")[LAWS.index(law), place]
    wanted = [reference.iaqi(law, item, average, Fraction(units, step)) for units in range(tables.WIDTH)]

    assert [-1 if one is None else one for one in wanted] == answers.tolist()


def test_the_exhaustive_table_covers_all_26820_values() -> None:
    """The exhaustive test reaches the 13,410 concentrations up to the last breakpoints of each rule set."""
    tops = [reference.table(law, item, average)[-1] * (10 if item == "co" else 1) for law in LAWS for item in AIR for average in ("hour", "day")]
    pm_twice = sum(reference.table(law, item, "day")[-1] + 1 for law in LAWS for item in ("pm25", "pm10"))

    assert 26_820 == sum(top + 1 for top in tops) - pm_twice
    assert max(tops) < tables.WIDTH


@pytest.mark.parametrize(
    ("values", "aqi", "primary"),
    [
        ((108, 109, 2, 30, "1.5", 97), 142, "pm25"),
        ((71, 151, 3, 36, "1.5", 58), 101, "pm10"),
        ((87, 99, 2, 17, "1.1", 178), 115, "pm25"),
        ((38, 57, 7, 25, "0.8", 87), 54, "pm25+pm10"),
        ((52, 80, 6, 18, "0.8", 177), 72, "pm25+o3"),
        ((63, 100, 11, 14, "1.1", 188), 85, "pm25+o3"),
        ((42, 80, 6, 12, "0.7", 170), 65, "pm10"),
        ((33, 85, 12, 11, "0.8", 182), 78, "o3"),
        ((5, 0, 3, 6, "0.9", 187), 84, "o3"),
        ((None, 78, 6, 17, "1.3", 189), 87, "o3"),
        ((43, None, 13, 31, "8.5", 17), 85, "co"),
        ((26, 39, 154, 38, "0.7", 41), 51, "so2"),
        ((None, 0, None, None, None, None), 0, ""),
        ((479, 781, 49, 34, "2.6", 13), 500, "pm10"),
        ((501, 780, 48, 37, "2.6", 17), 500, "pm25+pm10"),
    ],
)
def test_published_hours_are_met(values: Any, aqi: int, primary: str) -> None:
    """Hours that the national platform published have its AQI and primary pollutants (field-proven rows)."""
    row = np.array([[-(2**31) if one is None else int(Fraction(one) * 1000) for one in values]], np.int32)
    judged = hours.hourly(row, np.zeros(1, np.uint8))

    assert (aqi, primary) == (judged.aqi[0], tables.primaries(daily=False)[judged.primary[0]])


def test_2026_publishes_an_incomplete_aqi_only_above_100() -> None:
    """With an item missing HJ 633-2026 gives an AQI above 100 and none below; HJ 633-2012 gives both."""
    rows = np.array([[76, -1, 1, 1, 1, 1], [30, -1, 1, 1, 1, 1]], np.int32)

    assert [115, -1] == hours.judge(rows, np.ones(2, np.uint8), daily=False).aqi.tolist()
    assert [102, 43] == hours.judge(rows, np.zeros(2, np.uint8), daily=False).aqi.tolist()


def test_the_scale_of_2026_begins_at_one() -> None:
    """Six zeros are AQI 1 under HJ 633-2026 (range 1–500) and 0 under HJ 633-2012."""
    rows = np.zeros((1, 6), np.int32)

    assert [0, 1] == [int(hours.judge(rows, np.full(1, rule, np.uint8), daily=True).aqi[0]) for rule in (0, 1)]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(CELL, min_size=6, max_size=6), min_size=1, max_size=8), st.sampled_from([0, 1]))
def test_one_pass_equals_three(cells: list[list[int]], law: int) -> None:
    """The kernel that does all at once gives what rounding, look-up and judgement give one after the other."""
    values = np.array(cells, np.int32)
    rule = np.full(len(values), law, np.uint8)
    apart, once = hours.hourly(values, rule), hours.real_time(values, law)

    assert apart.aqi.tolist() == once.aqi.tolist()
    assert apart.primary.tolist() == once.primary.tolist()
    assert (apart.shown >= 0).sum(axis=1).tolist() == once.valid.tolist()


@pytest.mark.parametrize("rows", [1, 7, 8, 9, hours.BLOCK - 1, hours.BLOCK, 2 * hours.BLOCK + 3])
def test_blocks_of_hours_leave_no_seam(rows: int) -> None:
    """However many hours there are, each is judged as it is alone."""
    generator = np.random.default_rng(rows)
    values = generator.integers(0, 900_000, (rows, 6)).astype(np.int32)
    values[generator.random(values.shape) < 0.3] = -(2**31)
    for law in (0, 1):
        once, apart = hours.real_time(values, law), hours.hourly(values, np.full(rows, law, np.uint8))

        assert apart.aqi.tolist() == once.aqi.tolist()
        assert apart.primary.tolist() == once.primary.tolist()


def test_every_thousandth_is_rounded_half_to_even() -> None:
    """The product that replaces the division gives the rounded concentration of every value that a table can tell apart."""
    step = tables.steps().astype(np.int64)
    values = np.arange(4_097_000)[:, None] * step // 1_000
    low, rest = np.divmod(values, step)
    wanted = np.minimum(low + ((2 * rest > step) | ((2 * rest == step) & (low % 2 == 1))), tables.WIDTH - 1)
    units = np.empty(values.size, np.int16)
    aqi_kernel._round(values.astype(np.int32).reshape(-1), np.uint64(0), values.size, tables.rounding(), units)

    assert np.array_equal(wanted + 1, units.reshape(-1, 6))


def test_values_of_any_size_are_safe() -> None:
    """A value beyond every table, or below zero, finds the table's end or its beginning and nothing outside."""
    cells = np.full((2, 6), 2**31 - 1, np.int32)
    cells[1] = -5

    assert [500, 0] == hours.real_time(cells, 0).aqi.tolist()


def test_quotients_are_exact_at_every_tie() -> None:
    """The rounding that runs side by side equals the plain one at, below and above ties, for every count of hours."""
    counts = np.arange(1, 25)
    ties = (np.arange(0, 4_000)[:, None] * 2 + 1) * counts * 500
    for shift in (-1, 0, 1):
        total = (ties + shift).astype(np.int32)
        out = np.empty_like(total)
        kernel.rounded(total, np.broadcast_to(counts, total.shape).astype(np.int32), 1, np.full(24, 1_000, np.int32), out)
        wanted = [[half_even(value, int(number) * 1_000) for value, number in zip(row, counts, strict=True)] for row in total.tolist()]

        assert wanted == out.tolist()
