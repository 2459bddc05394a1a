"""Days become year figures: counts, means, percentiles, composite index, validity."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics import tables
from analytics.air import crowds, days, years
from analytics.kernels import years as kernel
from domain.civil import day_number
from domain.fixed import MISSING
from tests import reference

FIRST = day_number(date(2015, 1, 1))


def year(values: np.ndarray) -> years.Running:
    """A year of published days under the 2012 set."""
    found = days.published(values)
    return years.running(found, found.judged(np.zeros(len(values), np.uint8)).aqi, FIRST)


def ranked(values: list[int], percent: int) -> Fraction:
    """Percentile of all values."""
    return Fraction(running_percentiles(np.array(values), percent)[-1], 100)


def running_percentiles(values: Any, percent: int) -> list[int]:
    """Hundredths of a displayed unit after each value; computed beside another series, which must not be seen."""
    shown = np.stack([np.asarray(values)[::-1], np.asarray(values)], axis=1).astype(np.int32)
    table, out = np.zeros(int(shown.max()) + 2, np.int32), np.empty(shown.shape[::-1], np.int64)
    kernel.percentiles(shown, np.array([0, 1], np.int32), np.full(2, percent, np.int32), table, out)
    assert not table.any(), "the table is left as it was found"
    return out[1].tolist()


@pytest.mark.parametrize(
    ("values", "percent", "wanted"),
    [
        (range(1, 366), 90, "328.6"),
        (range(1, 366), 95, "346.8"),
        (range(1, 366), 98, "357.72"),
        (range(1, 367), 98, "358.7"),
        (range(1, 325), 90, "291.7"),
        (range(10, 101, 10), 90, "91.0"),
        ([112, 98, 145, 160, 171, 88, 76, 203, 150, 133, 149, 158, 167], 90, "170.2"),
    ],
)
def test_golden_percentiles(values: Any, percent: int, wanted: Any) -> None:
    """Percentiles by counting are those of HJ 663's formula."""
    assert Fraction(wanted) == ranked(list(values), percent)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(-1, 1_500), min_size=1, max_size=80), st.sampled_from([90, 95, 98]))
def test_running_percentiles_equal_sorting(values: Any, percent: int) -> None:
    """Every row is the percentile of the valid days up to it, whatever their order."""
    out = running_percentiles(values, percent)
    for row in range(len(values)):
        valid = [Fraction(value) for value in values[: row + 1] if value >= 0]
        wanted = reference.percentile(valid, Fraction(percent, 100)) * 100 if valid else -1

        assert wanted == out[row]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.one_of(st.just(MISSING), st.integers(0, 300_000)), min_size=6, max_size=6), min_size=1, max_size=40))
def test_a_year_equals_fractions(rows: list[Any]) -> None:
    """Counts, means and percentiles of any days are those of plain fractions; a prefix of the days has the prefix of the figures."""
    values = np.array(rows, np.int32)
    running = year(values)
    zero = (True, True, False, False, False, True)
    table = [[None if v == MISSING or (z and v == 0) else Fraction(v, 1000) for v, z in zip(row, zero, strict=True)] for row in rows]
    aqis = [reference.judge(2012, "day", [reference.shown(i, v) for i, v in zip(reference.ITEMS, row, strict=True)])[0] for row in table]
    known = [aqi for aqi in aqis if aqi is not None]

    assert [len(known), sum(aqi <= 100 for aqi in known), sum(aqi > 200 for aqi in known)] == running.counts[-1].tolist()
    assert reference.mean([row[0] for row in table], 1) == running.mean("pm25")
    ozone = [reference.shown("o3", row[5]) for row in table if row[5] is not None]
    assert (reference.percentile(ozone, Fraction(9, 10)) if ozone else None) == running.percentile("o3")
    half = len(rows) // 2 + 1
    assert year(values[:half]).counts.tolist() == running.counts[:half].tolist()


@pytest.mark.parametrize(
    ("so2", "no2", "pm10", "pm25", "co", "o3", "wanted"),
    [(11, 16, 40, 16, "0.6", 139, "2.63"), (12, 27, 65, 29, "0.8", 191, "4.03"), (9, 14, 77, 23, "1.1", 96, "3.14"), (3, 13, 16, 13, "0.9", 87, "1.73")],
)
def test_published_composite_indices(so2: int, no2: int, pm10: int, pm25: Any, co: str, o3: int, wanted: Any) -> None:
    """The composite index of four published bulletins is met: sub-indices rounded to two decimals, then summed."""
    found = years.composite([Fraction(value) for value in (pm25, pm10, so2, no2, co, o3)])

    assert found is not None
    assert Fraction(wanted) == found[0]


def test_235_of_360_valid_days_are_65_28_percent() -> None:
    """The good-day ratio divides by valid days, exactly."""
    values = np.full((365, 6), 1_000, np.int32)
    values[235:360, 0] = 76_000
    values[360:] = MISSING
    running = year(values)

    assert Fraction(23_500, 360) == running.ratio()
    assert Fraction(36_000, 365) == running.capture()


@pytest.mark.parametrize(("gap", "wanted"), [(slice(0, 4), True), (slice(0, 5), False), (slice(31, 34), True), (slice(31, 35), False)])
def test_the_annual_rule_looks_at_every_month(gap: slice, wanted: Any) -> None:
    """A year is valid with 27 days in every month, February 25 (GB 3095-2026 table 4)."""
    values = np.full((365, 6), 10_000, np.int32)
    values[gap] = MISSING

    assert wanted == year(values).adequate()


def test_fewer_than_324_days_are_no_valid_year() -> None:
    """324 daily values are needed even if each month has its own."""
    values = np.full((365, 6), 10_000, np.int32)
    values[:320:8] = MISSING
    values[1] = values[2] = MISSING

    assert not year(values).adequate()


@pytest.mark.parametrize(("known", "wanted"), [(333, False), (334, False), (360, False), (361, True), (365, True)])
def test_a_month_that_is_not_there_has_no_days(known: int, wanted: Any) -> None:
    """334 valid days to the end of November are more than 324, yet December has none of its 27; by the 27th of December it has."""
    assert wanted == year(np.full((known, 6), 10_000, np.int32)).adequate()


def test_a_city_year_divides_by_the_stations_of_each_day() -> None:
    """Days with four and with three valid stations enter a city's mean with their own divisors."""
    hours = np.full((48, 4, 6), 10_000, np.int32)
    hours[:, 1] = 20_000
    hours[24:, 3] = MISSING
    found = days.city(days.from_hours(hours), np.ones((2, 4), bool))
    running = years.running(found, found.judged(np.zeros(2, np.uint8)).aqi, FIRST)

    assert (Fraction(50, 4) + Fraction(40, 3)) / 2 == running.mean("pm25")


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 5))
def test_years_side_by_side_are_what_each_is_alone(seed: Any, scopes: Any) -> None:
    """The years of many scopes, computed together, are those of each scope."""
    generator = np.random.default_rng(seed)
    hours = generator.integers(0, 300_000, (24 * 40, scopes, 6)).astype(np.int32)
    hours[generator.random(hours.shape) < 0.1] = MISSING
    found = days.from_hours(hours)
    aqis = [found.judged(np.full(40 * scopes, rule, np.uint8)).aqi.reshape(40, scopes) for rule in (0, 1)]
    for place, both in enumerate(years.together(found, aqis, FIRST)):
        alone = years.under(found.scope(place), [aqi[:, place] for aqi in aqis], FIRST)
        for one, other in zip(both, alone, strict=True):
            assert one.counts.tolist() == other.counts.tolist()
            assert one.sums[0].total.tolist() == other.sums[0].total.tolist()
            assert one.valid.tolist() == other.valid.tolist()
            assert all(one.percentiles[item].tolist() == other.percentiles[item].tolist() for item in years.TOPS)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 2, 7, 8, 9, 20]), st.sampled_from([1, 3, 8, 128]), st.sampled_from([1, 20, 70, 8_192]))
def test_years_in_blocks_of_stations_are_what_each_is_alone(seed: Any, stations: Any, block: Any, room: Any) -> None:
    """However many stations and days are made at a time, also where the last ones are fewer, each station has the year of its own hours."""
    generator = np.random.default_rng(seed)
    hours = generator.integers(0, 300_000, (24 * 40, stations, 6)).astype(np.int32)
    hours[generator.random(hours.shape) < 0.1] = MISSING
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(crowds, "BLOCK", block)
        patch.setattr(crowds, "ROOM", room)
        found = crowds.running(hours, (0, 1), FIRST, threads=1 + seed % 2)
    assert stations == len(found)
    for place, both in enumerate(found):
        own = days.from_hours(hours[:, place : place + 1]).scope(0)
        for one, rule in zip(both, (0, 1), strict=True):
            wanted = years.running(own, own.judged(np.full(40, rule, np.uint8)).aqi, FIRST)
            assert wanted.counts.tolist() == one.counts.tolist()
            assert wanted.valid.tolist() == one.valid.tolist()
            assert wanted.sums[0].total.tolist() == one.sums[0].total.tolist()
            assert all(wanted.percentiles[item].tolist() == one.percentiles[item].tolist() for item in years.TOPS)


@pytest.mark.parametrize(("stations", "one"), [(4, True), (8, True), (40, False)])
def test_days_of_different_station_counts_share_one_divisor_where_it_fits(stations: int, one: Any) -> None:
    """A year whose days have different numbers of valid stations is exact whether its sums fit one common divisor or stay apart."""
    generator = np.random.default_rng(stations)
    hours = generator.integers(0, 400_000, (24 * 30, stations, 6)).astype(np.int32)
    gone = generator.integers(0, stations // 4 + 1, 30)
    for day, number in enumerate(gone.tolist()):
        hours[24 * day : 24 * (day + 1), :number] = MISSING
    found = days.city(days.from_hours(hours), np.ones((30, stations), bool))
    year = years.running(found, found.judged(np.zeros(30, np.uint8)).aqi, FIRST)
    values = [Fraction(int(found.exact[day, 0]), 1_000 * tables.COMMON * int(found.parts[day, 0])) for day in range(30)]

    assert one is (len(year.sums) == 1)
    for row in range(30):
        assert sum(values[: row + 1], Fraction()) / (row + 1) == year.mean("pm25", row)
        assert Fraction(*year.total("pm25", row)) == sum(values[: row + 1], Fraction())
