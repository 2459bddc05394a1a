"""Heavy-pollution warnings: what measured hours have met, by each scheme's table, hour by hour."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.air import warning
from analytics.cube import BACK
from analytics.jobs import stations, warned
from domain import civil
from domain.civil import day_number
from domain.fixed import MISSING
from domain.warning import BLUE, LEVELS, LONGEST_H, NONE, ORANGE, RED, SCHEMES, YELLOW

PM25 = {100: 70, 160: 120, 210: 160, 320: 270, 500: 520}
"""A concentration of PM2.5 for an index about so high."""


def hours(*parts: tuple[int, int]) -> npt.NDArray[np.int32]:
    """(t, 6) thousandths: stretches of (AQI about, hours) of PM2.5, the gases low."""
    pm25 = np.concatenate([np.full(count, PM25[aqi]) for aqi, count in parts])
    return np.stack([pm25, np.full(len(pm25), 80), *np.full((3, len(pm25)), 10), np.full(len(pm25), 60)], axis=1).astype(np.int32) * 1_000


def levels(scheme: str, *parts: tuple[int, int], single: int | None = None) -> list[int]:
    """Level at the end of each hour; the 24 h index has these values, the first 24 hours making one mean.

    ``single`` is the index of one hour itself, in the middle; all others are at the mean's own.
    """
    means = np.concatenate([np.full(count, aqi) for aqi, count in parts]).astype(np.int16)
    own = means.copy()
    means[:23] = -1
    if single is not None:
        own[len(own) // 2] = single
    return warning.warned(means, own, SCHEMES[scheme]).level.tolist()


def first(found: list[int], level: int) -> int | None:
    """Hours until a level is met, from the first hour on; None = never."""
    return next((place + 1 for place, one in enumerate(found) if one >= level), None)


def test_48_hours_above_150_with_one_above_200_are_yellow() -> None:
    """Shandong: 48 polluted hours meet yellow if one hour of them was above 200, at the end of the 48th; without one they do not."""
    with_hour = levels("shandong-2022", (160, 60), single=210)
    without = levels("shandong-2022", (160, 60))

    assert (48, NONE) == (first(with_hour, YELLOW), max(without))
    assert [NONE] * 47 + [YELLOW] * 13 == with_hour


def test_72_hours_with_a_day_above_200_are_orange() -> None:
    """Shandong: 72 hours above 150 with a 24 h mean above 200 meet orange, a single hour above it is not enough; 72 above 200 with a day above 300 meet red."""
    assert 72 == first(levels("shandong-2022", (160, 20), (210, 40), (160, 30)), ORANGE)
    assert None is first(levels("shandong-2022", (160, 100), single=320), ORANGE)
    assert 72 == first(levels("shandong-2022", (210, 24), (320, 40), (210, 20)), RED)


@pytest.mark.parametrize(
    ("parts", "wanted"),
    [([(210, 24)], YELLOW), ([(160, 47)], NONE), ([(160, 48)], YELLOW), ([(210, 48)], ORANGE), ([(160, 72)], ORANGE), ([(210, 48), (320, 30)], RED)],
)
def test_the_national_table(parts: Any, wanted: int) -> None:
    """Above 200 for a day or above 150 for two are yellow, above 200 for two or 150 for three orange, three above 200 with a day above 300 red."""
    assert wanted == levels("national-2024", *parts)[-1]


@pytest.mark.parametrize(
    ("parts", "wanted"),
    [([(210, 24)], BLUE), ([(210, 48)], YELLOW), ([(210, 72)], YELLOW), ([(320, 72)], ORANGE), ([(210, 48), (320, 48)], RED), ([(500, 24)], RED)],
)
def test_the_ministrys_table(parts: Any, wanted: int) -> None:
    """One day above 200 is blue, two yellow, three with one above 300 orange, four with two above 300 or one at 500 red."""
    assert wanted == levels("mep-2017", *parts)[-1]


def test_a_clean_spell_ends_the_stretch() -> None:
    """Hours that bring the 24 h mean below the threshold begin the count anew."""
    found = levels("national-2024", (160, 47), (150, 1), (160, 24))

    assert NONE == max(found)


def test_missing_hours_break_the_stretch() -> None:
    """A 24 h mean of fewer than 20 hours meets nothing."""
    cells = hours((160, 60))
    cells[30:36] = MISSING
    means = warning.index(cells, np.zeros(60, np.uint8))

    assert (-1, True) == (means[36], means[20] > 150)
    assert NONE == max(warning.warned(means, means, SCHEMES["national-2024"]).level.tolist())


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(-1, 500), min_size=1, max_size=120), st.sampled_from(sorted(SCHEMES)))
def test_levels_equal_a_plain_reading_of_the_table(values: list[int], scheme: str) -> None:
    """For any course of means each hour's level is that of a plain look back, criterion by criterion."""
    means = np.array(values, np.int16)
    single = means[::-1].copy()
    found = warning.warned(means, single, SCHEMES[scheme]).level.tolist()
    for place in range(len(values)):
        wanted = NONE
        for one in SCHEMES[scheme].criteria:
            begun = place + 1
            while begun and values[begun - 1] > one.over:
                begun -= 1
            met = place - begun + 1 >= max(one.hours - 23, 1)
            if met and one.also is not None and one.also.hours == 0:
                met = any(single[hour] > one.also.over for hour in range(max(begun - 23, 0), place + 1))
            elif met and one.also is not None:
                need = one.also.hours - 23
                met = any(all(value > one.also.over for value in values[end - need + 1 : end + 1]) for end in range(begun + need - 1, place + 1))
            wanted = max(wanted, one.level if met else NONE)

        assert wanted == found[place], (place, values)


def test_an_episode_over_new_year_keeps_its_length() -> None:
    """Two days of pollution that began on 30 December are orange from the first hour of 1 January on, in the new year's own rows."""
    start = day_number(date(2025, 1, 1))
    cells = np.concatenate([hours((100, 24 * (BACK - 2))), hours((210, 24 * 4))])
    at = stations.Span(start, 2, 2, 48)
    (level,) = [one.column(0) for one in warned.sheets("c", cells, at, SCHEMES["national-2024"]) if one.kind.figures == ("warning",)]
    rows = [level.row(place, 0.0) for place in range(48) if level.valid[place]]

    assert (48, "orange", 3.0, "national-2024") == (len(rows), rows[0].status, rows[0].value, rows[0].text)
    assert (51.0, civil.day_start(start) + 3_600) == (rows[0].valid, rows[0].time), "the mean of 22 polluted hours is above 200 too"
    assert LONGEST_H <= 24 * BACK


def test_rolling_pm25_of_the_county_and_no_scheme() -> None:
    """Without a scheme only the rolling mean stands; hours without a level have no row."""
    start = day_number(date(2025, 1, 1))
    cells = hours((100, 24 * (BACK + 2)))
    at = stations.Span(start, 2, 2, 48)

    assert ["pm25_24h"] == [figure for one in warned.sheets("c", cells, at, None) for figure in one.kind.figures]
    (rolling, level) = (one.column(0) for one in warned.sheets("c", cells, at, SCHEMES["shandong-2022"]))
    assert ([70.0] * 48, 0.0) == (rolling.value.tolist(), float(level.valid.max()))


def test_levels_have_words() -> None:
    """Codes of the levels stand in the order of their numbers."""
    assert ("", "blue", "yellow", "orange", "red") == tuple(code for code, _, _ in LEVELS)
    assert (BLUE, YELLOW, ORANGE, RED) == (1, 2, 3, 4)
