"""Levels against their lines: runs, rates of rise, wells, on the decimals that were sent."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.water import levels
from analytics.water.levels import Limit, Series
from domain import water

WARNING = Limit("warning", "level", "31.5")


def known(*points: tuple[float, float]) -> Series:
    """(hour, value) as a series."""
    return Series(np.array([round(3_600 * hour) for hour, _ in points], np.int64), np.array([value for _, value in points]))


def test_a_run_begins_at_its_line_and_ends_with_the_first_record_below() -> None:
    """31.5 reaches 31.5; 31.49 does not; the farthest value and its time are told."""
    (one,) = levels.runs(known((1, 31.49), (2, 31.5), (3, 31.8), (4, 31.6), (5, 31.4)), WARNING)

    assert (2 * 3_600, 5 * 3_600, 31.8, 3 * 3_600, 3) == one[1:]


def test_an_open_run_has_no_end_and_several_are_several() -> None:
    """Two crests: the second still stands."""
    first, second = levels.runs(known((1, 32.0), (2, 31.0), (3, 33.0)), WARNING)

    assert (2 * 3_600, None) == (first.end, second.end)


def test_a_well_is_low_at_or_below_its_limit() -> None:
    """−12.5 of −12.5 is low, −12.49 is not; the farthest is the lowest."""
    (one,) = levels.runs(known((1, -12.49), (2, -12.5), (3, -13.0), (4, -12.4)), Limit(water.LOW, "level", "-12.5"))

    assert (2 * 3_600, 4 * 3_600, -13.0) == (one.start, one.end, one.worst)


def test_a_rise_is_taken_over_an_hour_at_least_and_six_at_most() -> None:
    """Half a metre in half an hour is a wave until the hour is over; after a silence of seven hours nothing can be said."""
    rate = levels.rises(known((0, 30.0), (0.5, 30.5), (1, 30.6), (3, 31.6), (10, 35.0)))

    assert ([3_600, 10_800], [0.6, 0.5]) == (rate.time.tolist(), rate.values.tolist())


@pytest.mark.parametrize("values", [(), ((1, 31.0),)])
def test_nothing_reached_is_no_run(values: tuple[tuple[float, float], ...]) -> None:
    """No record, or none at the line."""
    assert [] == list(levels.runs(known(*values), WARNING))
