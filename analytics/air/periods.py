"""Figures of closed calendar periods: months, quarters and the year, with their minimum of data and their limits.

Means are means of daily values of the calendar period, never of hours or of months (GB 3095-2026 §3).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from analytics import tables
from analytics.air.days import Days
from analytics.air.years import MEANS, Running, composite
from analytics.kernels import periods as kernel
from domain import air
from domain.civil import month_of_day, year_days, year_of_day
from domain.items import AIR

QUARTER: Final = 3
_PERCENT: Final = np.array([air.PERCENTILES[item] for item in AIR], np.int32)


class Period(NamedTuple):
    """A calendar period of one year: its rows and the months that must have their days.

    Attributes
    ----------
    kind : str
        month, quarter or year.
    start, stop : int
        First row of the year's days and the row behind the last.
    months : (int, int)
        Its first month, from 0, and the one behind its last.
    """

    kind: str
    start: int
    stop: int
    months: tuple[int, int]

    @property
    def length(self) -> int:
        """Calendar days."""
        return self.stop - self.start


@lru_cache
def closed(first: int, days: int) -> tuple[Period, ...]:
    """Periods of the year that begins on civil day ``first`` whose last day is among its first ``days`` days."""
    edges = month_edges(first)
    months = [Period("month", edges[place], edges[place + 1], (place, place + 1)) for place in range(12)]
    quarters = [Period("quarter", edges[place], edges[place + QUARTER], (place, place + QUARTER)) for place in range(0, 12, QUARTER)]
    return tuple(one for one in (*months, *quarters, Period("year", 0, edges[12], (0, 12))) if one.stop <= days)


@lru_cache
def month_edges(first: int) -> tuple[int, ...]:
    """Row of the first day of each month of a year, and the row behind its last day: 13 numbers."""
    last = year_days(year_of_day(first))[1]
    starts = [day - first for day in range(first, last + 1) if day == first or month_of_day(day) != month_of_day(day - 1)]
    return (*starts, last - first + 1)


def needed(first: int) -> npt.NDArray[np.int32]:
    """Daily values that each month of a year needs: 27, in February 25 (GB 3095-2026 table 4)."""
    edges = month_edges(first)[:12]
    return np.array([air.FEBRUARY_DAYS if month_of_day(first + edge)[1] == 2 else air.MONTH_DAYS for edge in edges], np.int32)


@dataclass(frozen=True)
class Figures:
    """Figures of some periods of one scope under one rule set, one row a period.

    Attributes
    ----------
    periods : tuple of Period
    running : Running
    valid : (p, 6) int32 [d]
        Valid daily values, by item.
    counts : (p, 3) int32 [d]
        Days with an AQI, good days, heavy days.
    enough : (p, 7) bool
        Whether the minimum of data is reached, by item and (last) by days with an AQI.
    percentiles : (6, p) int64 [hundredths of a displayed unit]
        Of each item at its own percent; -1 = none. Items with an annual mean have one in years only.
    within : (p, 6) int32 [d]
        Valid daily values that keep their limit.
    """

    periods: tuple[Period, ...]
    running: Running
    valid: npt.NDArray[np.int32]
    counts: npt.NDArray[np.int32]
    enough: npt.NDArray[np.bool_]
    percentiles: npt.NDArray[np.int64]
    within: npt.NDArray[np.int32]

    def mean(self, item: str, row: int) -> Fraction | None:
        """Exact mean of the daily values of an item in a period [reporting unit]."""
        found = self.exact(item, row)
        return Fraction(*found) if found else None

    def exact(self, item: str, row: int) -> tuple[int, int] | None:
        """The same as numerator and denominator, whatever they have in common."""
        one = self.periods[row]
        return self.running.exact(item, one.stop - 1, one.start - 1)

    def percentile(self, item: str, row: int) -> Fraction | None:
        """Exact percentile of the displayed daily values of an item in a period [reporting unit]."""
        place = AIR.index(item)
        hundredths = int(self.percentiles[place, row])
        return Fraction(hundredths * tables.STEPS[place], 100_000) if hundredths >= 0 else None

    def composite(self, row: int) -> tuple[Fraction, Fraction] | None:
        """Composite index of a period, as published and unrounded; see :func:`analytics.air.years.composite`."""
        figures = [*(self.mean(item, row) for item in MEANS), self.percentile("co", row), self.percentile("o3", row)]
        return composite([figure for figure in figures if figure is not None])

    def rate(self, item: str, row: int) -> Fraction | None:
        """Valid daily values that keep their limit, in a hundred (达标率)."""
        place = AIR.index(item)
        valid = int(self.valid[row, place])
        return Fraction(100 * int(self.within[row, place]), valid) if valid else None


def figures(days: Days, running: Running, rules: air.RuleSet, periods: tuple[Period, ...]) -> Figures:
    """Figures of periods of one scope under one rule set.

    Parameters
    ----------
    days : Days
        (d, 6), calendar days from the first of January on.
    running : Running
        The same days under the same rule set.
    periods : tuple of Period
        None of them may end behind the days.
    """
    return under(days, (running,), (rules,), periods)[0]


def under(days: Days, years: Sequence[Running], rules: Sequence[air.RuleSet], periods: tuple[Period, ...]) -> list[Figures]:
    """Figures of periods of one scope under several rule sets: percentiles and valid days are made once."""
    one, shown = years[0], np.ascontiguousarray(days.shown.T)
    counts = np.empty((len(years), 3, len(one)), np.int32)
    for place, running in enumerate(years):
        counts[place] = running.counts.T
    out = room(len(rules), len(periods))
    known = kernel.Days(shown, np.ascontiguousarray(one.valid.T), counts)
    kernel.closed(known, laid(one.first, periods), law(tuple(each.name for each in rules), one.first), np.zeros(int(shown.max(initial=0)) + 2, np.int32), out)
    return [Figures(periods, each, out.valid.T, out.counts[place].T, out.enough[place].T, out.tops, out.within[place].T) for place, each in enumerate(years)]


def room(rules: int, periods: int) -> kernel.Out:
    """Room for the numbers of days of periods under some rule sets, unwritten."""
    items = len(AIR)
    return kernel.Out(
        np.empty((items, periods), np.int64),
        np.empty((rules, items, periods), np.int32),
        np.empty((items, periods), np.int32),
        np.empty((rules, 3, periods), np.int32),
        np.empty((rules, items + 1, periods), np.bool_),
    )


@lru_cache(maxsize=64)
def law(names: tuple[str, ...], first: int) -> kernel.Law:
    """What rule sets ask in the year that begins on a civil day."""
    return kernel.Law(_PERCENT, np.array([limits(air.BY_NAME[name], first) for name in names], np.int32))


@lru_cache(maxsize=64)
def laid(first: int, periods: tuple[Period, ...]) -> kernel.Sizes:
    """Periods of the year that begins on a civil day, as the kernels read them."""
    spans = np.array([(one.start, one.stop) for one in periods], np.int32).reshape(-1, 2)
    months = np.array([one.months for one in periods], np.int32).reshape(-1, 2)
    least = np.array([air.YEAR_DAYS if one.kind == "year" else 0 for one in periods], np.int32)
    return kernel.Sizes(spans, months, least, np.array(month_edges(first), np.int32), needed(first))


def limits(rules: air.RuleSet, day: int) -> npt.NDArray[np.int32]:
    """(6,) int32 daily class-2 limits in displayed units under a rule set."""
    table = air.limits_under(rules, day)
    return np.array([table[item].day for item in AIR], np.int32)
