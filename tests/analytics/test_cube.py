"""The cube: which stored value stands in which hour, whatever the order of arrival."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics import cube, filling
from domain import civil
from domain.fixed import MISSING
from domain.items import AIR
from domain.readings import Reading
from tests import reference_filling
from tests.columns import columns

DAY = civil.parse_date("2025-01-01")
START = civil.day_start(DAY)


def reading(seconds: int, span: int, values: dict[str, float | None], flags: dict[str, str] | None = None) -> Reading:
    """A reading of station a, seconds after the year began."""
    return Reading("air", "a", span, START + seconds, values, flags or {})


def filled(rows: list[Reading], interval: int = 60) -> cube.SiteYear:
    """A year filled with rows."""
    year = cube.empty(2025)
    filling.fill(year, columns(rows), lambda _: interval)
    return year


def hour(year: cube.SiteYear, number: int) -> list[int]:
    """The six items of an hour of the first of January."""
    return year.hours[24 * cube.BACK + number - 1].tolist()


def test_an_hour_stands_where_its_end_label_says() -> None:
    """01:00 is hour 1 of its day and 00:00 hour 24 of the day before."""
    year = filled([reading(3_600, 3_600, {"pm25": 35.0}), reading(0, 3_600, {"pm25": 7.0})])

    assert 35_000 == hour(year, 1)[0]
    assert 7_000 == year.hours[24 * cube.BACK - 1, 0]


@pytest.mark.parametrize(("flag", "wanted"), [("N", 5_000), ("P", 5_000), ("X", 5_000), ("M", MISSING), ("S", MISSING), ("H", MISSING), ("R", MISSING)])
def test_flags_decide_what_enters(flag: str, wanted: Any) -> None:
    """Only valid, back-filled and dust values enter the raw series."""
    assert wanted == hour(filled([reading(3_600, 3_600, {"pm25": 5.0}, {"pm25": flag})]), 1)[0]


def test_noise_below_zero_counts_as_zero() -> None:
    """A value that accept stored with flag Z is no negative concentration."""
    assert 0 == hour(filled([reading(3_600, 3_600, {"pm25": -3.0}, {"pm25": "Z"})]), 1)[0]


def test_a_withdrawn_value_is_missing() -> None:
    """None takes the cell back."""
    assert MISSING == hour(filled([reading(3_600, 3_600, {"pm25": None}, {"pm25": "W"})]), 1)[0]


@pytest.mark.parametrize(("minutes", "wanted"), [(60, 30_500), (45, 23_000), (44, MISSING)])
def test_hours_are_built_of_45_minutes(minutes: int, wanted: Any) -> None:
    """Minute values make an hour if they cover 45 minutes: their exact mean, rounded once."""
    year = filled([reading(60 * minute, 60, {"pm25": float(minute)}) for minute in range(1, minutes + 1)])

    assert wanted == hour(year, 1)[0]
    assert (wanted != MISSING) == year.built[24 * cube.BACK, 0]


def test_a_sent_hour_goes_before_a_built_one() -> None:
    """Where the station sent its hour, minutes do not count, even if the hour is marked invalid."""
    minutes = [reading(60 * minute, 60, {"pm25": 9.0, "co": 1.0}) for minute in range(1, 61)]
    year = filled([*minutes, reading(3_600, 3_600, {"pm25": 5.0}, {"pm25": "D"})])

    assert (MISSING, 1_000) == (hour(year, 1)[0], hour(year, 1)[4])


def test_instantaneous_values_stand_for_the_devices_interval() -> None:
    """Span 0 counts what the registry says: 60 values a minute apart make an hour, 12 do not."""
    rows = [reading(300 * step, 0, {"pm25": 6.0}) for step in range(1, 13)]

    assert (6_000, MISSING) == (hour(filled(rows, 300), 1)[0], hour(filled(rows, 60), 1)[0])


@given(st.lists(st.integers(0, 2_000_000), min_size=1, max_size=50))
@settings(deadline=None)
def test_decimals_survive_the_float(values: Any) -> None:
    """The float of a decimal with three places becomes exactly its thousandths."""
    assert values == filling.laid(np.array([[float(f"{value / 1000:.3f}") for value in values]]))[:, 0].tolist()


@pytest.mark.parametrize(("value", "wanted"), [(0.0005, 0), (0.0015, 2), (0.0025, 2), (2.6755, 2_676), (2.6745, 2_674)])
def test_longer_decimals_are_rounded_half_even(value: Any, wanted: Any) -> None:
    """A fourth decimal is rounded by its text, not by its binary value."""
    assert [wanted] == filling.laid(np.array([[value]]))[:, 0].tolist()
    assert Fraction(str(value)) != Fraction(value)


@settings(max_examples=100, deadline=None)
@given(
    st.permutations(
        [
            *(reading(60 * m, 60, {"pm25": float(m % 7)}) for m in range(1, 61)),
            *(reading(3_600 * h, 3_600, {"pm25": float(h), "o3": 1.5}) for h in range(2, 20)),
        ]
    )
)
def test_the_order_of_rows_cannot_be_seen(rows: list[Any]) -> None:
    """Any order of the same rows fills the same bytes."""
    assert cube.digest({"a": filled(sorted(rows, key=lambda row: row.time))}) == cube.digest({"a": filled(list(rows))})


def test_a_day_that_was_cleared_is_filled_anew() -> None:
    """Clearing touches one civil day and nothing else."""
    year = filled([reading(3_600 * h, 3_600, {"pm25": 5.0}) for h in range(49)])
    cube.clear(year, DAY)

    assert [5_000] + [MISSING] * 24 + [5_000] * 24 == year.hours[24 * cube.BACK - 1 : 24 * (cube.BACK + 2), 0].tolist()


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_what_is_folded_unfolds_to_the_same_cells(seed: int) -> None:
    """Folded years give back every cell, site by site, can be written again, and take less room."""
    chance = np.random.default_rng(seed)
    years = cube.Cubes()
    for name in ("a", "b"):
        one = years[name] = cube.empty(2024)
        one.hours[:] = np.where(chance.random(one.hours.shape) < 0.05, MISSING, chance.integers(0, 300, one.hours.shape) * 100)
        one.lost[:] = chance.choice([0, 0, ord("M"), cube.BUILT], one.lost.shape)
        one.days[:] = chance.integers(-5, 10**6, one.days.shape)
    before = cube.digest(years)
    years.fold()
    folded = sum(len(part) for _, parts in years._folded.values() for part in parts)
    years["b"].hours[7, 2] += 0

    assert (2, ["a", "b"]) == (len(years), sorted(years))
    assert before == cube.digest(years)
    assert folded < len(before) / 2


def test_published_days_are_kept_beside_the_hours() -> None:
    """A daily value has its own place and its own ozone item."""
    year = filled([Reading("air", "a", 86_400, civil.day_end(DAY), {"pm25": 40.0, "o3_8h": 120.0})])

    assert [40_000, MISSING, MISSING, MISSING, MISSING, 120_000] == year.days[0].tolist()
    assert np.all(year.hours == MISSING)


def test_a_missing_hour_remembers_why() -> None:
    """An hour that does not count keeps the letter that took it out, or the mark of too few minutes; a counted or unheard one has none."""
    year = cube.empty(2025)
    start = civil.day_start(civil.parse_date("2025-06-01"))
    hours = [({"pm25": 5.0, "o3": 60.0}, {"pm25": "M"}), ({"pm25": None}, {"pm25": "W"}), ({"pm25": 5.0}, {"pm25": "P"})]
    rows = [Reading("air", "s", 3_600, start + 3_600 * (place + 1), values, flags, 1) for place, (values, flags) in enumerate(hours)]
    rows += [Reading("air", "s", 60, start + 3 * 3_600 + 60 * minute, {"pm25": 5.0, "so2": 1.0}, {"so2": "C"}, 1) for minute in range(1, 31)]
    filling.fill(year, columns(rows), lambda _: 60)
    first = 24 * (civil.parse_date("2025-06-01") - year.first + cube.BACK)
    letters = [[chr(code) if code else "" for code in year.lost[first + hour, [0, 2, 5]].tolist()] for hour in range(5)]

    assert [["M", "", ""], ["W", "", ""], ["", "", ""], ["-", "C", ""], ["", "", ""]] == letters


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 70), st.integers(1, 140), st.integers(0, 2**32 - 1))
def test_foreign_floats_are_turned_and_rounded(series: Any, hours: Any, seed: Any) -> None:
    """Floats of any shape lie hour by hour afterwards, as their thousandths, with NaN as missing."""
    generator = np.random.default_rng(seed)
    units = generator.integers(0, 2_000_000, (series, hours))
    values = np.where(generator.random(units.shape) < 0.1, np.nan, units / 1_000)
    before = values.copy()

    assert np.array_equal(np.where(np.isnan(values), MISSING, units).T, filling.laid(values))
    assert np.array_equal(before, values, equal_nan=True), "inputs are never modified"


@pytest.mark.parametrize("bad", [float("inf"), float("-inf"), 1e20, 9.969209968386869e36, 2_147_483.648])
def test_what_no_sum_can_hold_is_refused_by_count(bad: Any) -> None:
    """Infinite and leaked values never become a number of the core."""
    with pytest.raises(ValueError, match="1 values are infinite or too large"):
        filling.laid(np.array([[1.0, bad, np.nan]]))


READING = st.builds(
    lambda second, span, values, flags: reading(
        max(second // span, 1) * span if span else max(second, 1),
        span,
        {item: None if flags[place] == "W" else value for place, (item, value) in enumerate(values.items())},
        {item: flags[place] for place, item in enumerate(values) if flags[place] not in "NW"},
    ),
    st.integers(1, 4 * 3_600),
    st.sampled_from([0, 60, 300, 900, 3_600]),
    st.dictionaries(st.sampled_from(["pm25", "co", "o3", "temp"]), st.integers(-20, 3_000).map(lambda tenths: tenths / 10), min_size=1),
    st.text("NNNNNNNZPXMDWB", min_size=4, max_size=4),
)
MINUTES = st.lists(st.sampled_from("NNNNNNNNZXMDW"), min_size=30, max_size=60)


@settings(max_examples=200, deadline=None)
@given(st.lists(READING, max_size=60), MINUTES, st.sampled_from([60, 300]))
def test_any_rows_fill_what_the_slow_twin_says(rows: list[Any], minutes: list[str], interval: Any) -> None:
    """Hours from any mixture of spans, flags, gaps and withdrawals are those of plain Python, row by row."""
    extra = [
        reading(60 * (place + 1), 60, {"pm25": None if flag == "W" else 2.5 + place % 3}, {} if flag in "NW" else {"pm25": flag})
        for place, flag in enumerate(minutes)
    ]
    known = list({row.key: row for row in [*rows, *extra]}.values())
    year = filled(known, interval)
    wanted = cube.empty(2025)
    start, end = cube.bounds(year)
    for (label, item), (value, built, letter) in reference_filling.hours(known, lambda _: interval).items():
        if start < label <= end:
            cell = (label - start) // 3_600 - 1, AIR.index(item)
            assert not (built and letter), "an hour that is there was not lost"
            wanted.hours[cell], wanted.lost[cell] = (MISSING if value is None else value), cube.BUILT if built else ord(letter or "\0")

    assert np.array_equal(wanted.hours, year.hours)
    assert np.array_equal(wanted.built, year.built)
    assert np.array_equal(wanted.lost, year.lost)


def test_a_day_that_does_not_count_leaves_no_trace() -> None:
    """Rows of a day on which the device was on trial enter nothing, those of the next day do."""
    year = cube.empty(2025)
    rows = [reading(3_600 * h, 3_600, {"pm25": 5.0}) for h in (24, 25)]
    filling.fill(year, columns(rows), lambda _: 60, lambda day: day != DAY)

    assert [MISSING, 5_000] == year.hours[24 * cube.BACK + 23 : 24 * cube.BACK + 25, 0].tolist()
    assert not year.lost.any()
