"""Today's allowance: what the rest of the day may bring, checked by bringing it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from analytics.air import allowance
from analytics.air import days as air_days
from analytics.air.allowance import CAPS, GRID, ITEMS, KEPT, LOST, OPEN, VOID, Allowance, Today
from domain import air
from domain.fixed import MISSING
from domain.items import AIR

LIMITS = allowance.limits((air.RULES_2012,))
TOPS = (2_000_000, 10_000_000, 1_500_000)
"""Hard ranges in thousandths: nothing above them is accepted."""
COLUMNS = (AIR.index("pm25"), AIR.index("pm10"), AIR.index("o3"))


def day(pm25: list[float | None], places: int = 1) -> npt.NDArray[np.int32]:
    """A day of which only PM2.5's first hours are known, the same at every place."""
    hours = np.full((24, places, 6), MISSING, np.int32)
    for hour, value in enumerate(pm25):
        hours[hour, :, 0] = MISSING if value is None else round(value * 1_000)
    return hours


def one(found: Allowance, item: str, cap: int) -> tuple[str, float, int]:
    """State, rest and hours to come of the first place."""
    place, column = ITEMS.index(item), CAPS.index(cap)
    return allowance.STATES[found.state[0, place, column]], found.rest[0, place, column] / 1_000, int(found.left[0, place])


def test_twelve_hours_at_190_leave_111() -> None:
    """12 h at 190 µg/m³ leave a mean of 111.0 for the rest if the day is to display 150, and nothing for 75."""
    found = allowance.stations(Today(day([190.0] * 12), 12), LIMITS)

    assert ("open", 111.0, 12) == one(found, "pm25", 200)
    assert ("open", 40.9, 12) == one(found, "pm25", 150)
    assert ("lost", 12) == one(found, "pm25", 100)[::2]


@pytest.mark.parametrize(
    ("rules", "cap", "limit", "rest"),
    [(air.RULES_2012, 100, 75, 75.4), (air.RULES_2026, 100, 60, 60.5), (air.RULES_2012, 150, 115, 115.4), (air.RULES_2012, 200, 150, 150.5)],
)
def test_an_untouched_day_may_have_its_limit(rules: air.RuleSet, cap: int, limit: int, rest: float) -> None:
    """Before the first hour the rest may have what is displayed as the limit: a tie rounds to the even number, so 60.5 but not 75.5."""
    found = allowance.stations(Today(day([]), 0), allowance.limits((rules,)))

    assert limit == int(found.limit[0, CAPS.index(cap)])
    assert ("open", rest, 24) == one(found, "pm25", cap)


def test_a_day_with_too_few_hours_is_void() -> None:
    """When more than four hours are missing the day cannot become valid; the hour that has just ended may still come."""
    four = allowance.stations(Today(day([50.0] + [None] * 4), 5), LIMITS)
    five = allowance.stations(Today(day([50.0] + [None] * 5), 6), LIMITS)
    six = allowance.stations(Today(day([50.0] + [None] * 5 + [50.0]), 7), LIMITS)

    assert ["open", "open", "void"] == [one(found, "pm25", 200)[0] for found in (four, five, six)]
    assert [20, 19, 17] == [one(found, "pm25", 200)[2] for found in (four, five, six)]


def test_a_finished_day_is_kept_or_lost() -> None:
    """After the last hour nothing is to come: the day kept the cap, or it did not."""
    found = allowance.stations(Today(day([110.0] * 24), 24), LIMITS)

    assert ["lost", "kept", "kept"] == [one(found, "pm25", cap)[0] for cap in CAPS]


def test_a_county_below_its_quorum_is_void() -> None:
    """With three of four stations silent all day the county's day cannot become valid."""
    hours = np.concatenate([day([50.0] * 12), *[day([None] * 12)] * 3], axis=1)

    assert VOID == int(allowance.county(Today(hours, 12), LIMITS).state[0, 0, 0])


def fill(today: Today, rest: int, column: int) -> npt.NDArray[np.int32]:
    """The day with every hour to come at a value of an item."""
    hours = today.hours.copy()
    coming = np.arange(24)[:, None] >= today.done
    late = (np.arange(24)[:, None] == today.done - 1) & (hours[:, :, column] == MISSING)
    hours[:, :, column] = np.where(coming | late, rest, hours[:, :, column])
    return hours


def shown(hours: npt.NDArray[np.int32], column: int, *, county: bool) -> int:
    """Displayed daily value through the same path as any day; -1 = not valid."""
    found = air_days.from_hours(hours)
    if county:
        return int(air_days.city(found, np.ones((1, hours.shape[1]), bool)).shown[0, column])
    return int(found.shown[0, 0, column])


def could_enter(today: Today) -> bool:
    """Whether a place without 14 possible ozone windows might still become valid by exceeding: the module says that it does not foresee that."""
    best = fill(today, 300_000, 5)[:, :, 5]
    for place in range(best.shape[1]):
        windows = [best[end - 8 : end, place] for end in range(8, 25)]
        enough = [window for window in windows if (window != MISSING).sum() >= 6]
        now = shown(today.hours[:, [place]], 5, county=False)
        if 0 < len(enough) < 14 and now <= 160:
            return True
    return False


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), done=st.integers(0, 24), places=st.integers(1, 5), level=st.sampled_from([60, 120, 250]))
def test_the_allowance_is_the_largest_that_keeps_the_cap(seed: int, done: int, places: int, level: int) -> None:
    """Filled with its allowance the day keeps the cap, with a tenth more it does not; lost days exceed even with zeros, kept ones never."""
    generator = np.random.default_rng(seed)
    hours = generator.integers(0, 2 * level * 1_000, (24, places, 6)).astype(np.int32)
    hours[generator.random(hours.shape) < 0.12] = MISSING
    hours[done:] = MISSING
    today, county = Today(hours, done), places > 1
    assume(not could_enter(today))
    found = (allowance.county if county else allowance.stations)(today, LIMITS)
    for place, column in enumerate(COLUMNS):
        for cap in range(len(CAPS)):
            limit, state, rest = int(LIMITS[place, cap]), int(found.state[0, place, cap]), int(found.rest[0, place, cap])
            if state == OPEN:
                assert shown(fill(today, rest, column), column, county=county) <= limit
                assert shown(fill(today, rest + GRID, column), column, county=county) > limit
            elif state == LOST:
                assert shown(fill(today, 0, column), column, county=county) > limit
            elif state == KEPT:
                assert 0 <= shown(fill(today, TOPS[place], column), column, county=county) <= limit
