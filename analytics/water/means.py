"""Means of a section over months, quarters, the year and the running year, exact; then the class of the means.

A month is the mean of its valid values; a longer period is the mean of its months (环办〔2011〕22号). Nothing is rounded before the
mean is displayed, and the class is that of the displayed means.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Final, NamedTuple

from analytics.water.records import SCALE, Day
from domain import civil, fixed, water
from domain.items import ITEMS

QUARTER: Final = 3
Exact = tuple[Fraction | None, ...]


class Mean(NamedTuple):
    """A section over a period.

    Attributes
    ----------
    last : int
        Civil day with which the period ends.
    exact : tuple of Fraction or None [mg/L]
        Means of :data:`domain.water.AVERAGED`.
    days : tuple of int
        Days on which each was measured.
    expected : int
        Calendar days.
    short : bool
        Whether a month lacks days.
    worst, deciding
        Class of the displayed means and the items at it; None unless all four are there.
    """

    last: int
    exact: Exact
    days: tuple[int, ...]
    expected: int
    short: bool
    worst: int | None
    deciding: tuple[str, ...]

    def of(self, item: str) -> Fraction | None:
        """Exact mean of an item."""
        return self.exact[water.AVERAGED.index(item)]


class Tally(NamedTuple):
    """A month so far: exact sums, counts and days by item, and how many days it has had."""

    sums: tuple[int, ...]
    counts: tuple[int, ...]
    days: tuple[int, ...]
    expected: int

    @property
    def exact(self) -> Exact:
        """Means of the month."""
        return tuple(Fraction(total, count * SCALE) if count else None for total, count in zip(self.sums, self.counts, strict=True))

    @property
    def short(self) -> bool:
        """Whether an item lacks days."""
        return min(self.days) < water.MONTH_DAYS


_NOTHING: Final = Tally(*((0,) * len(water.AVERAGED),) * 3, 0)


class Year(NamedTuple):
    """Means of a section's year up to its last closed day.

    ``months`` holds all that are over; ``so_far`` the running year and ``in_month`` the running month, one a day.
    """

    months: list[Mean]
    quarters: list[Mean]
    year: list[Mean]
    so_far: list[Mean]
    in_month: list[Mean]


def year(known: Mapping[int, Day], first: int, closed: int, body: str) -> Year:
    """Means of every period of a year.

    Parameters
    ----------
    known : mapping of civil day to Day
    first : int
        The first of January.
    closed : int
        Days of the year that are over.
    """
    return _year(known, first, closed, body) if known else _nothing(first, closed)


@lru_cache(maxsize=8)
def _nothing(first: int, closed: int) -> Year:
    """The year of a section without readings; shared, and nobody changes one."""
    return _year({}, first, closed, "river")


def _year(known: Mapping[int, Day], first: int, closed: int, body: str) -> Year:
    ends, length = _month_ends(first)
    done: list[Tally] = []
    found = Year([], [], [], [], [])
    running = _NOTHING
    for day in range(first, first + closed):
        seen = known.get(day)
        running = _with(running, seen)
        if seen is None and running.expected > 1:
            # A day without readings leaves the very same numbers, which whoever compares can see at once.
            for kept in (found.so_far, found.in_month):
                kept.append(kept[-1]._replace(last=day, expected=kept[-1].expected + 1))
        else:
            found.so_far.append(_mean(day, [*done, running], body))
            found.in_month.append(_mean(day, [running], body))
        if day in ends:
            done.append(running)
            found.months.append(found.in_month[-1])
            running = _NOTHING
            if len(done) % QUARTER == 0:
                found.quarters.append(_mean(day, done[-QUARTER:], body))
    if closed == length:
        found.year.append(found.so_far[-1]._replace(short=any(one.short for one in done)))
    return found


@lru_cache(maxsize=8)
def _month_ends(first: int) -> tuple[frozenset[int], int]:
    """Last days of the months of a year, and its length."""
    last = civil.year_days(civil.year_of_day(first))[1]
    return frozenset(day for day in range(first, last + 1) if civil.month_of_day(day + 1) != civil.month_of_day(day)), last - first + 1


def _with(month: Tally, day: Day | None) -> Tally:
    if day is None:
        return month._replace(expected=month.expected + 1)
    sums, counts = (tuple(map(sum, zip(one, other, strict=True))) for one, other in ((month.sums, day.sums), (month.counts, day.counts)))
    seen = tuple(before + bool(count) for before, count in zip(month.days, day.counts, strict=True))
    return Tally(sums, counts, seen, month.expected + 1)


def _mean(last: int, months: Sequence[Tally], body: str) -> Mean:
    exact = tuple(map(mean_of, zip(*(one.exact for one in months), strict=True)))
    days = tuple(map(sum, zip(*(one.days for one in months), strict=True)))
    worst, deciding = water.judge(shown(exact), body)
    return Mean(last, exact, days, sum(one.expected for one in months), any(one.short for one in months), worst, tuple(deciding))


def mean_of(values: Sequence[Fraction | None]) -> Fraction | None:
    """Mean of those that are there."""
    there = [value for value in values if value is not None]
    return sum(there, Fraction(0)) / len(there) if there else None


def units(value: Fraction, item: str) -> int:
    """Units of the last displayed digit, half to even."""
    return fixed.units(value, ITEMS["water", item].digits)


def shown(exact: Exact) -> dict[str, int]:
    """Displayed means in thousandths."""
    return dict(_shown(exact))


def _shown(exact: Exact) -> Iterator[tuple[str, int]]:
    for item, value in zip(water.AVERAGED, exact, strict=True):
        if value is not None:
            yield item, units(value, item) * fixed.STEPS[ITEMS["water", item].digits]
