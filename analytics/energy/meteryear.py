"""A meter's year: what it counted in each hour and day, how much of that is known, and how complete its readings are."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from analytics import counting
from analytics.counting import Counted, Longs, Readings
from analytics.kernels import registers as kernel
from analytics.kernels import spreading
from domain import civil

Bytes = npt.NDArray[np.uint8]
SPREAD: Final = 128
"""Mark of an amount whose sum is known and whose hours are not: shared by time over them."""
GUESSED: Final = SPREAD | 1 << counting.ESTIMATED
HELD: Final = 1 << counting.HELD
TOLERATED: Final = (1_800, 3_600)
"""Distances of readings that are tolerated beside 15 min (重点用能单位能耗在线监测) [s]."""


class MeterDays(NamedTuple):
    """Days of a meter's year so far: a twentieth of what its hours take.

    Attributes
    ----------
    first : int
        Civil day of the first of January.
    unit : Decimal
        The fine unit, in the registered unit.
    days : (d,) int64 [fine units]
    cover : (d,) int64 [s]
        Time that counted intervals cover; 0 = nothing is known, which is not zero.
    marks : (d,) uint8
        Flags of the intervals behind each day, bit ``1 << flag``, and :data:`SPREAD`.
    readings : (d,) int64
        Accepted readings.
    expected : (d,) int64
        Readings of a whole day, by the distance that most of them have.
    held : (d,) int64 [fine units]
        Kept apart for a person.
    """

    first: int
    unit: Decimal
    days: Longs
    cover: Longs
    marks: Bytes
    readings: Longs
    expected: Longs
    held: Longs

    def upto(self, count: int) -> MeterDays:
        """The same for so many days; of those that are new nothing is known."""
        more = count - len(self.days)
        if not more:
            return self
        days, cover, readings, held = (np.pad(one[:count], (0, max(more, 0))) for one in (self.days, self.cover, self.readings, self.held))
        marks, expected = np.pad(self.marks[:count], (0, max(more, 0))), np.pad(self.expected[:count], (0, max(more, 0)), mode="edge")
        return MeterDays(self.first, self.unit, days, cover, marks, readings, expected, held)


class MeterHours(NamedTuple):
    """Hours of the same days: amounts [fine units], time that they cover [s], marks."""

    first: int
    unit: Decimal
    hours: Longs
    covered: Longs
    marks: Bytes


def laid(counted: Counted, readings: Readings, span: tuple[int, int], interval: int) -> tuple[MeterHours, MeterDays]:
    """Lay a meter's intervals over some civil days.

    Parameters
    ----------
    span : (int, int)
        First civil day, and how many.
    interval : int [s]
        How often readings are expected.
    """
    first, count = span
    start = civil.day_start(first)
    hours, covered, marks = np.empty(24 * count, np.int64), np.empty(24 * count, np.int64), np.empty(24 * count, np.uint8)
    spreading.spread(counted.begin, counted.end, counted.amount, counted.flag, counting.HELD, start, civil.HOUR_S, hours, covered, marks)
    good = counted.meaning % kernel.GAP < kernel.SPIKE
    own = readings.times[good & (readings.times > start) & (readings.times <= start + count * civil.DAY_S)]
    received = np.bincount(civil.day_of_array(own) - first, minlength=count)
    held = np.zeros(count, np.int64)
    apart = (counted.flag == counting.HELD) & (counted.end > start) & (counted.end <= start + count * civil.DAY_S)
    np.add.at(held, civil.day_of_array(counted.end[apart]) - first, counted.amount[apart])
    days = (hours.reshape(-1, 24).sum(axis=1), covered.reshape(-1, 24).sum(axis=1), np.bitwise_or.reduce(marks.reshape(-1, 24), axis=1))
    # Where nobody reads a register and files state quantities, no reading is due.
    expected = due(own, span, interval) if len(readings.times) else np.zeros(count, np.int64)
    return MeterHours(first, counted.unit, hours, covered, marks), MeterDays(first, counted.unit, *days, received, expected, held)


def due(times: Longs, span: tuple[int, int], interval: int) -> Longs:
    """Readings that a whole day should have: by the registered interval, or by 30 or 60 min where most of a day's come so.

    Both are tolerated for key energy users. What matters is the distance that most readings of the day have, not how many there are:
    an outage does not make a day expect less.

    Parameters
    ----------
    times : (n,) int64 [s]
        Accepted readings of the days, ascending.
    """
    first, count = span
    steps, days = np.diff(times), civil.day_of_array(times[1:]) - first
    rates = [interval, *(step for step in TOLERATED if step > interval)]
    place = np.searchsorted([(one + other) // 2 for one, other in pairwise(rates)], steps)
    votes = np.stack([np.bincount(days[place == rate], minlength=count)[:count] for rate in range(len(rates))])
    most = np.array([civil.DAY_S // rate for rate in rates], np.int64)
    return np.asarray(most[votes.argmax(axis=0)])


def between(counted: Counted, begin: int, end: int) -> tuple[Decimal, int] | None:
    """What was counted between two instants [registered unit], and how much of that time is known [%]; None where nothing is."""
    sums, covered, marks = np.empty(1, np.int64), np.empty(1, np.int64), np.empty(1, np.uint8)
    spreading.spread(counted.begin, counted.end, counted.amount, counted.flag, counting.HELD, begin, end - begin, sums, covered, marks)
    return (int(sums[0]) * counted.unit, int(100 * covered[0] // (end - begin))) if covered[0] else None


@lru_cache(maxsize=32)
def months(first: int, count: int) -> tuple[tuple[int, int], ...]:
    """Rows [start, stop) of each calendar month that days from ``first`` on touch."""
    edges = [place for place in range(count) if place == 0 or civil.date_of(first + place).day == 1]
    return tuple(zip(edges, [*edges[1:], count], strict=True))


@lru_cache(maxsize=32)
def stamps(first: int, count: int, year: int) -> tuple[Longs, Longs, Longs]:
    """Times of the days, of the months and of the year they lie in: the start of the last day of each whole period."""
    days = np.array([civil.period_stamp(first + place) for place in range(count)], np.int64)
    last = [_last_day(first + start) for start, _ in months(first, count)]
    return days, np.array([civil.period_stamp(day) for day in last], np.int64), np.array([civil.period_stamp(civil.year_days(year)[1])], np.int64)


def _last_day(day: int) -> int:
    when = civil.date_of(day)
    year, month = (when.year + 1, 1) if when.month == 12 else (when.year, when.month + 1)
    return civil.day_number(when.replace(year=year, month=month, day=1)) - 1
