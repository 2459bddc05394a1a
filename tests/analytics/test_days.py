"""Hours become days and running means, against fractions and golden rows."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics import rolling, tables
from analytics.air import days, hours
from analytics.blocks import spread
from analytics.kernels import days as day_kernel
from analytics.kernels import rolling as kernel
from domain.fixed import MISSING
from tests import reference

Cells = npt.NDArray[np.int32]
cell = st.one_of(st.just(MISSING), st.integers(0, 400_000), st.integers(0, 400).map(lambda units: units * 1_000))
MDA8 = [30, 28, 25, 22, 20, 19, 22, 30, 45, 66, 88, 110, 132, 150, 161, 168, 170, 165, 150, 128, 100, 82, 70, 60]


def fraction(value: int) -> Fraction | None:
    """A cell as the slow twin wants it."""
    return None if value == MISSING else Fraction(value, 1000)


def grid(*, rows: int, stations: int = 1) -> st.SearchStrategy[Cells]:
    """Any hours of stations."""
    return st.lists(cell, min_size=rows * stations * 6, max_size=rows * stations * 6).map(lambda cells: np.array(cells, np.int32).reshape(rows, stations, 6))


def exact(found: days.Days, *place: int) -> list[Fraction | None]:
    """Unrounded values as fractions."""
    pairs = zip(found.exact[place].tolist(), found.parts[place].tolist(), strict=True)
    return [None if value < 0 else Fraction(value, 1000 * tables.COMMON * parts) for value, parts in pairs]


def units(values: list[Fraction | None]) -> list[int]:
    """Displayed units of six fractions."""
    displayed = [reference.shown(item, value) for item, value in zip(reference.ITEMS, values, strict=True)]
    return [-1 if value is None else int(value * (10 if item == "co" else 1)) for item, value in zip(reference.ITEMS, displayed, strict=True)]


@settings(max_examples=150, deadline=None)
@given(grid(rows=24))
def test_a_station_day_equals_fractions(cells: Cells) -> None:
    """Unrounded and displayed daily values of any 24 hours are those of plain fractions."""
    before = cells.copy()
    found = days.from_hours(cells)
    wanted = reference.day([[fraction(value) for value in row] for row in cells[:, 0].tolist()])

    assert wanted == exact(found, 0, 0)
    assert units(wanted) == found.shown[0, 0].tolist()
    assert np.array_equal(before, cells), "inputs are never modified"


@settings(max_examples=60, deadline=None)
@given(grid(rows=24, stations=5), st.lists(st.booleans(), min_size=5, max_size=5))
def test_a_city_day_equals_fractions(cells: Cells, member: list[bool]) -> None:
    """A city's day is the mean of its members' unrounded days with the quorum, rounded once."""
    found = days.city(days.from_hours(cells), np.array([member]))
    stations = [reference.day([[fraction(value) for value in row] for row in cells[:, place].tolist()]) for place in range(5)]
    chosen = [station for station, belongs in zip(stations, member, strict=True) if belongs]
    wanted = [reference.city([station[place] for station in chosen]) if chosen else None for place in range(6)]

    assert wanted == exact(found, 0)
    assert units(wanted) == found.shown[0].tolist()


@settings(max_examples=60, deadline=None)
@given(cells=grid(rows=24, stations=2), follows=st.booleans())
def test_running_means_equal_fractions(*, cells: Cells, follows: bool) -> None:
    """Running 24 h means reach into the day before only if it is there; ozone never does."""
    found = rolling.displayed(cells, np.array([False, follows]))
    first, second = ([[fraction(value) for value in row] for row in cells[:, place].tolist()] for place in (0, 1))
    both = [*(first if follows else [[None] * 6] * 24), *second]
    columns = list(zip(*both, strict=True))
    wanted = [[*(reference.rolling(column, 24, 20)[24 + hour] for column in columns[:5]), reference.ozone_hours(columns[5][24:])[hour]] for hour in range(24)]

    assert [units(row) for row in wanted] == found[:, 1].tolist()


def scratch(series: int, line: int = 0) -> kernel.State:
    """What the chart kernel needs for so many series."""
    return kernel.State(np.empty(series, np.int32), np.empty(series, np.float32), np.empty(line, np.float32))


@settings(max_examples=60, deadline=None)
@given(grid(rows=48, stations=2), st.integers(0, 47))
def test_blocks_of_time_give_what_the_whole_gives(cells: Cells, first: Any) -> None:
    """The chart kernel's rows do not depend on where a block of time begins."""
    series = cells.reshape(48, 12)
    whole, part = np.empty((48, 12), np.float32), np.empty((48 - first, 12), np.float32)
    kernel.means(series, 24, 20, 0, scratch(12), whole)
    kernel.means(series, 24, 20, first, scratch(12), part)

    assert np.array_equal(whole[first:], part, equal_nan=True)
    past = np.empty((48 - first, 12), np.float32)
    kernel.means(series, 24, 20, first, scratch(12, line=12), past)

    assert np.array_equal(part, past, equal_nan=True), "written past the caches"


@pytest.mark.parametrize("series", [600, 601])
def test_a_large_result_is_that_of_its_parts(series: int) -> None:
    """Rows written past the caches, and rows that lie where that cannot be done, are what a small result has."""
    generator = np.random.default_rng(series)
    cells = generator.integers(0, 300_000, (3_600, series)).astype(np.int32)
    cells[generator.random(cells.shape) < 0.15] = MISSING
    room = np.empty(cells.size + 1, np.float32)
    places = [room[shift : shift + cells.size].reshape(cells.shape) for shift in (0, 1)]
    assert cells.nbytes > rolling.LARGE
    assert [series == 600, False] == sorted((rolling.is_far(place) for place in places), reverse=True)
    near = np.concatenate([rolling.means(cells[max(0, row - 48) : row + 400])[min(row, 48) :] for row in range(0, 3_600, 400)])
    for place in places:
        place[:] = -1.0

        assert np.array_equal(near, rolling.means(cells, place), equal_nan=True)


@settings(max_examples=60, deadline=None)
@given(grid(rows=40))
def test_chart_means_are_the_nearest_float(cells: Cells) -> None:
    """The chart kernel writes the float32 of the exact sum over the exact count, and nothing below 20 valid hours."""
    series = cells.reshape(40, 6)
    before, out = series.copy(), np.empty((40, 6), np.float32)
    kernel.means(series, 24, 20, 0, scratch(6), out)
    for place in range(6):
        wanted = reference.rolling([fraction(value) for value in series[:, place].tolist()], 24, 20)

        assert [value is None for value in wanted] == np.isnan(out[:, place]).tolist()
        assert all(abs(value - Fraction(float(found))) <= value / 2**22 for value, found in zip(wanted, out[:, place], strict=True) if value is not None)
    assert np.array_equal(before, series), "inputs are never modified"


def test_the_daily_maximum_of_ozone_is_the_golden_one() -> None:
    """Hours of the golden row give 17 windows, maximum 153.0, IAQI 95."""
    cells = np.full((24, 1, 6), MISSING, np.int32)
    cells[:, 0, 5] = np.array(MDA8) * 1_000
    cells[:, 0, 0] = 20_000
    found = days.from_hours(cells)

    assert 153 == found.shown[0, 0, 5]
    assert 95 == found.judged(np.zeros(1, np.uint8)).iaqi[0, 5]


@pytest.mark.parametrize(("top", "wanted"), [(153, -1), (161, 161)])
def test_thirteen_windows_are_enough_only_above_the_limit(top: int, wanted: Any) -> None:
    """With 13 of 17 windows the ozone day stands only if its maximum exceeds 160 (HJ 663-2013 6.1.2)."""
    cells = np.full((24, 1, 6), MISSING, np.int32)
    cells[6:, 0, 5] = top * 1_000
    cells[6, 0, 5] = cells[7, 0, 5] = MISSING
    windows = sum(reference.mean([fraction(value) for value in cells[hour - 8 : hour, 0, 5].tolist()], 6) is not None for hour in range(8, 25))

    assert 11 == windows
    assert wanted == days.from_hours(cells).shown[0, 0, 5]


@pytest.mark.parametrize(
    ("first", "rest", "wanted"),
    [("3.4", "44.2", 42), ("5.3", "62.9", 60), ("4.2", "78.6", 76), ("7.4", "120.2", 116), ("3.3", "36.9", 36)],
)
def test_means_that_floats_round_wrongly_are_right(first: str, rest: str, wanted: Any) -> None:
    """Daily means that decide a published integer are rounded exactly (the float sum is on the other side)."""
    cells = np.full((24, 1, 6), MISSING, np.int32)
    cells[:, 0, 0] = [int(Fraction(value) * 1000) for value in [first] + [rest] * 23]

    assert wanted == days.from_hours(cells).shown[0, 0, 0]


def test_zero_in_published_days_is_missing_for_pm_and_ozone() -> None:
    """A published 0 of PM2.5, PM10 or O3 is a gap; a 0 of SO2 is a value."""
    found = days.published(np.array([[0, 0, 0, 43_000, 700, 0]], np.int32))

    assert [-1, -1, 0, 43, 7, -1] == found.shown[0].tolist()
    assert -1 == found.judged(np.zeros(1, np.uint8)).aqi[0]


@pytest.mark.parametrize(
    ("law", "values", "aqi"),
    [
        (0, (110, 172, 49, 40, 12, 81), 144),
        (0, (200, 290, 92, 102, 29, 72), 250),
        (0, (380, 536, 104, 114, 53, 12), 436),
        (0, (71, 138, 29, 20, 8, 160), 100),
        (0, (48, 87, 15, 61, 13, 67), 77),
        (0, (386, 618, 58, 111, 68, 8), 500),
        (1, (60, 1, 1, 1, 1, 1), 100),
        (1, (61, 1, 1, 1, 1, 1), 101),
    ],
)
def test_published_days_are_met(law: int, values: Any, aqi: int) -> None:
    """Daily rows of the field and the boundary of 2026 have the published AQI."""
    assert aqi == hours.judge(np.array([values], np.int32), np.full(1, law, np.uint8), daily=True).aqi[0]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.one_of(st.just(-1), st.integers(0, 700), st.integers(0, 2**30)), min_size=6, max_size=6), min_size=1, max_size=60))
def test_verdicts_of_days_are_those_of_the_general_judge(rows: Any) -> None:
    """All rule sets at once, item by item, say what each says row by row, also of what no table holds and of days without particulates."""
    shown = np.array(rows, np.int32)
    found = hours.of_days(shown, np.full(shown.shape, 24, np.int32))
    for rule in range(len(found.aqi)):
        one = hours.judge(shown, np.full(len(shown), rule, np.uint8), daily=True)

        assert one.aqi.tolist() == found.aqi[rule].tolist()
        assert one.primary.tolist() == found.primary[rule].tolist()
        assert np.maximum(one.level, 0).tolist() == found.level[rule].tolist() == hours.levels(one.aqi).tolist()
    assert (shown >= 0).sum(axis=1).tolist() == found.items.tolist()
    assert max(shown.max(), 0) == found.top


@settings(max_examples=40, deadline=None)
@given(cells=grid(rows=24), rule=st.integers(0, 1))
def test_hours_judged_in_one_call_are_those_of_the_general_judge(*, cells: Cells, rule: int) -> None:
    """AQI, primary pollutants and level of hours are those of the judge that also keeps the IAQIs."""
    rows = np.ascontiguousarray(cells[:, 0])
    aqi, primary, items, level = np.empty(24, np.int16), np.empty(24, np.uint8), np.empty(24, np.uint8), np.empty(24, np.uint8)
    hours.judge_into(rows, rule, (aqi, primary, items, level))
    wanted = hours.hourly(rows, np.full(24, rule, np.uint8))

    assert wanted.aqi.tolist() == aqi.tolist()
    assert wanted.primary.tolist() == primary.tolist()
    assert np.maximum(wanted.level, 0).tolist() == level.tolist()
    assert (rows != MISSING).sum(axis=1).tolist() == items.tolist()


def test_the_quorum_is_three_quarters_or_half_of_few() -> None:
    """A city needs 75 % of its stations, of fewer than four 50 %."""
    assert [0, 1, 1, 2, 3, 4, 5, 6, 6] == days.quorum(8).tolist()


@pytest.mark.parametrize("series", [1, 6, 47, 48, 100])
def test_sums_of_a_day_count_only_valid_hours(series: int) -> None:
    """Missing hours enter neither the sum nor the count, with few series as with many."""
    cells = np.repeat(np.array([[5_000], [MISSING]] * 24, np.int32), series, axis=1) + np.where(np.arange(48) % 2 == 0, np.arange(48), 0)[:, None].astype(
        np.int32
    )
    total, count, room = np.empty((2, series), np.int32), np.empty((2, series), np.int32), np.empty((2, 12 * series), np.int32)
    if series < day_kernel.WIDE:
        day_kernel.fold(cells.reshape(-1), (0, 2), series, (room[0], room[1]), (total.reshape(-1), count.reshape(-1)))
    else:
        for day in (0, 1):
            day_kernel.by_hours(cells, day, (np.uint64(0), series), (total[day], count[day]), np.uint64(0))

    assert [[60_000 + sum(range(0, 24, 2))] * series, [60_000 + sum(range(24, 48, 2))] * series] == total.tolist()
    assert [[12] * series] * 2 == count.tolist()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 90), st.sampled_from([0.0, 0.1, 0.3]), st.integers(0, 2))
def test_one_series_alone_equals_fractions(seed: Any, rows: Any, gaps: Any, column: Any) -> None:
    """The running mean of one series is that of fractions, rounded half to even, with the hours it was made of; 0 where there is none."""
    generator = np.random.default_rng(seed)
    cells = (generator.integers(0, 4_000, (24 + rows, 3)) * 250).astype(np.int32)
    cells[generator.random(cells.shape) < gaps] = MISSING
    shown, behind = np.empty(rows, np.int16), np.empty(rows, np.uint8)
    kernel.alone(cells, 24, (np.uint64(column), np.int32(20), np.int32(1_000)), (np.empty(rows, np.int32), np.empty(rows, np.int32)), shown, behind)

    own = [fraction(value) for value in cells[:, column].tolist()]
    wanted = [None if mean is None else int(reference.half_even(mean)) for mean in reference.rolling(own, 24, 20)[24:]]
    there = [sum(value is not None for value in own[row + 1 : row + 25]) for row in range(rows)]
    assert [-1 if mean is None else mean for mean in wanted] == shown.tolist()
    assert [hours if hours >= 20 else 0 for hours in there] == behind.tolist()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 40))
def test_stations_side_by_side_give_what_each_gives_alone(seed: Any, stations: Any) -> None:
    """A station's days depend neither on its neighbours nor on how many station-days one block or one look at memory holds."""
    generator = np.random.default_rng(seed)
    cells = generator.integers(0, 300_000, (24 * 5, stations, 6)).astype(np.int32)
    cells[generator.random(cells.shape) < 0.15] = MISSING
    found = days.from_hours(cells)
    for place in range(stations):
        alone = days.from_hours(cells[:, place : place + 1])

        assert all(np.array_equal(one[:, place], other[:, 0]) for one, other in zip(found, alone, strict=True))
        one_by_one = days.unmade(5)
        for day in (4, 0, 2, 1, 3):
            days.remake(one_by_one, np.ascontiguousarray(cells[:, place]), (day, day + 1))
        assert all(np.array_equal(one[:, 0], other) for one, other in zip(alone, one_by_one, strict=True))


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 60), st.integers(1, 3), st.integers(2, 5), st.integers(0, 2**32 - 1))
def test_threads_change_nothing(count: Any, stations: Any, threads: Any, seed: Any) -> None:
    """However many threads share the time, each figure is bit for bit that of one thread."""
    generator = np.random.default_rng(seed)
    cells = generator.integers(0, 500_000, (24 * count, stations, 6)).astype(np.int32)
    cells[generator.random(cells.shape) < 0.1] = MISSING
    series, rows = cells.reshape(24 * count, -1), cells.reshape(-1, 6)

    assert np.array_equal(rolling.means(series), rolling.means(series, threads=threads), equal_nan=True)
    for one, several in zip(hours.real_time(rows, 1), hours.real_time(rows, 1, threads=threads), strict=True):
        assert np.array_equal(one, several)
    for one, several in zip(days.from_hours(cells), days.from_hours(cells, threads=threads), strict=True):
        assert np.array_equal(one, several)


def test_a_fault_in_a_thread_is_not_lost() -> None:
    """What one block raises reaches the caller, and every row is given out exactly once."""
    seen: list[tuple[int, int]] = []
    spread(103, 3, lambda start, stop: seen.append((start, stop)))

    assert list(range(103)) == sorted(row for start, stop in seen for row in range(start, stop))
    with pytest.raises(ZeroDivisionError):
        spread(10, 2, lambda start, _: 1 // (start - 5))
