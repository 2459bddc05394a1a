"""Year figures of a scope, running day by day and exact: the last row is the year."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from analytics import tables
from analytics.air.days import Days
from analytics.kernels import years as kernel
from domain import air
from domain.civil import month_of_day
from domain.fixed import rounded
from domain.items import AIR

MEANS: Final = ("pm25", "pm10", "so2", "no2")
"""Items with an annual mean; CO and O3 are judged by percentiles."""
TOPS: Final = ("co", "o3")
"""Items with an annual percentile."""
_MONTHS: Final = 12


@dataclass(frozen=True)
class Sums:
    """Running sums of daily values that share one divisor: days on which ``parts`` stations were valid, or all of them over a common multiple."""

    parts: int
    total: npt.NDArray[np.int64]
    count: npt.NDArray[np.int32]


@dataclass(frozen=True)
class Running:
    """A scope's year under one rule set, as it stood at the end of each day.

    Attributes
    ----------
    first : int
        Civil day of row 0, the first of January.
    counts : (d, 3) int32 [d]
        Days with an AQI, good days, heavy-pollution days so far.
    valid : (d, 6) int32 [d]
        Valid daily values so far, by item.
    """

    first: int
    counts: npt.NDArray[np.int32]
    valid: npt.NDArray[np.int32]
    sums: tuple[Sums, ...]
    percentiles: Mapping[str, npt.NDArray[np.int64]]

    def __len__(self) -> int:
        """Days of the year so far."""
        return len(self.counts)

    def mean(self, item: str, row: int = -1, since: int | None = None) -> Fraction | None:
        """Exact mean of the daily values of an item [reporting unit] up to a row, or of the rows after ``since`` up to it."""
        found = self.exact(item, row, since)
        return Fraction(*found) if found else None

    def exact(self, item: str, row: int = -1, since: int | None = None) -> tuple[int, int] | None:
        """The same as numerator and denominator, whatever they have in common."""
        place, total, number = AIR.index(item), 0, 0
        parts = self.sums[0].parts if len(self.sums) == 1 else math.lcm(*(part.parts for part in self.sums))
        for part in self.sums:
            total += _between(part.total, (row, place), since) * (parts // part.parts)
            number += _between(part.count, (row, place), since)
        return (total, 1_000 * tables.COMMON * parts * number) if number else None

    def total(self, item: str, row: int = -1) -> tuple[int, int]:
        """Exact sum of the daily values of an item up to a row, and the parts of the reporting unit that it is counted in."""
        place = AIR.index(item)
        parts = math.lcm(*(part.parts for part in self.sums))
        total = sum(int(part.total[row, place]) * (parts // part.parts) for part in self.sums)
        return total, 1_000 * tables.COMMON * parts

    def number(self, item: str, row: int = -1) -> int:
        """Valid daily values of an item up to a row."""
        return int(self.valid[row][AIR.index(item)])

    def percentile(self, item: str, row: int = -1) -> Fraction | None:
        """Exact percentile of the displayed daily values of CO (95) or O3 (90) [reporting unit]."""
        hundredths = int(self.percentiles[item][row])
        step = tables.STEPS[AIR.index(item)]
        return Fraction(hundredths * step, 100_000) if hundredths >= 0 else None

    def ratio(self, row: int = -1) -> Fraction | None:
        """Good days in a hundred days with an AQI."""
        valid, good, _ = (int(number) for number in self.counts[row])
        return Fraction(100 * good, valid) if valid else None

    def capture(self, row: int = -1) -> Fraction:
        """Days with an AQI in a hundred calendar days."""
        return Fraction(100 * int(self.counts[row][0]), row % len(self) + 1)

    def composite(self, row: int = -1) -> tuple[Fraction, Fraction] | None:
        """Composite index (环办〔2014〕64号): as published, sub-indices rounded half to even to two decimals, and unrounded."""
        figures = [*(self.mean(item, row) for item in MEANS), self.percentile("co", row), self.percentile("o3", row)]
        return composite([figure for figure in figures if figure is not None])

    def adequate(self) -> bool:
        """Annual rule of GB 3095-2026 table 4 for all six items: 324 days, and 27 in every month (February 25), in one that has not begun too."""
        if len(self) < air.YEAR_DAYS or int(self.valid[-1].min()) < air.YEAR_DAYS:
            return False
        months = [month_of_day(self.first + row)[1] for row in range(len(self))]
        ends = [row for row in range(len(self)) if row + 1 == len(self) or months[row + 1] != months[row]]
        monthly = np.diff(self.valid[ends], axis=0, prepend=np.zeros((1, 6), np.int32)).min(axis=1)
        needed = [air.FEBRUARY_DAYS if months[row] == 2 else air.MONTH_DAYS for row in ends]
        return len(ends) == _MONTHS and bool((monthly >= needed).all())


def _between(running: npt.NDArray[np.integer], cell: tuple[int, int], since: int | None) -> int:
    row, place = cell
    return int(running[row, place]) - (0 if since is None or since < 0 else int(running[since, place]))


def composite(figures: list[Fraction]) -> tuple[Fraction, Fraction] | None:
    """Composite index of PM2.5, PM10, SO2, NO2 means, CO P95 and O3 P90, in this order; None unless all six are there."""
    if len(figures) != len(AIR):
        return None
    divisors = [Fraction(air.COMPOSITE[item] * tables.STEPS[place], 1_000) for place, item in enumerate(AIR)]
    parts = [figure / divisor for figure, divisor in zip(figures, divisors, strict=True)]
    return sum((rounded(part, 2) for part in parts), Fraction()), sum(parts, Fraction())


def running(days: Days, aqi: npt.NDArray[np.int16], first: int) -> Running:
    """Year of one scope under one rule set.

    Parameters
    ----------
    days : Days
        (d, 6): calendar days from the first of January on, none left out.
    aqi : (d,) int16
        AQI of each day; -1 = none.
    first : int
        Civil day of the first row.
    """
    return under(days, (aqi,), first)[0]


def under(days: Days, aqis: Sequence[npt.NDArray[np.int16]], first: int) -> tuple[Running, ...]:
    """Year of one scope under several rule sets: only the counts differ, means and percentiles are made once."""
    beside = Days(days.exact[:, None], days.parts[:, None], days.hours[:, None], days.shown[:, None])
    return together(beside, [aqi[:, None] for aqi in aqis], first)[0]


def together(days: Days, aqis: Sequence[npt.NDArray[np.int16]], first: int) -> list[tuple[Running, ...]]:
    """Years of scopes side by side under several rule sets.

    Parameters
    ----------
    days : Days
        (d, n, 6): calendar days of n scopes from the first of January on, none left out.
    aqis : sequence of (d, n) int16
        AQI of each day, one array a rule set; -1 = none.
    first : int
        Civil day of the first row.

    Returns
    -------
    list of tuple of Running
        By scope and rule set.
    """
    low, high, top = kernel.extent(days.parts.reshape(-1), days.shown.reshape(-1))
    divisors = [high] if low == high else np.unique(days.parts).tolist()
    out = _run(_of(days, divisors[0], alone=low == high), days, aqis, top)
    shape = days.exact.shape
    groups = [Sums(divisors[0], out.total.reshape(shape), out.valid.reshape(shape)), *(_sums(_of(days, parts), parts, shape) for parts in divisors[1:])]
    groups = _joined(groups)
    valid = sum((group.count for group in groups[1:]), groups[0].count)
    return handed(first, groups, valid, out)


def handed(first: int, groups: Sequence[Sums], valid: npt.NDArray[np.int32], out: kernel.Running) -> list[tuple[Running, ...]]:
    """Years side by side, (d, n, 6), as one of each scope and rule set."""
    scopes, found = valid.shape[1], []
    for place in range(scopes):
        own = tuple(Sums(group.parts, group.total[:, place], group.count[:, place]) for group in groups)
        ranked = {item: out.tops[scopes * number + place] for number, item in enumerate(TOPS)}
        found.append(tuple(Running(first, count[:, place], valid[:, place], own, ranked) for count in out.counts))
    return found


_ROOM: Final = 2**62 // 100
"""Largest sum that may still be multiplied by a hundred when it is rounded."""
CUTS: Final = np.array([air.GOOD_MAX, air.HEAVY_MIN], np.int16)


def _joined(groups: list[Sums]) -> list[Sums]:
    """Groups brought to one common divisor where 64 bits hold it, so that no figure needs fractions: nearly every county."""
    if len(groups) == 1:
        return groups
    parts = math.lcm(*(group.parts for group in groups))
    if sum(int(group.total.max(initial=0)) * (parts // group.parts) for group in groups) > _ROOM:
        return groups
    total = np.zeros_like(groups[0].total)
    for group in groups:
        total += group.total * (parts // group.parts)
    return [Sums(parts, total, np.sum([group.count for group in groups], axis=0, dtype=np.int32))]


def _of(days: Days, parts: int, *, alone: bool = False) -> npt.NDArray[np.int64]:
    """(d, 6·n) exact values of the days that are to be divided by ``parts``; -1 = others."""
    exact: npt.NDArray[np.int64] = np.ascontiguousarray(days.exact if alone else np.where(days.parts == parts, days.exact, -1))
    return exact.reshape(len(exact), exact.shape[1] * exact.shape[2])


def _sums(exact: npt.NDArray[np.int64], parts: int, shape: tuple[int, ...]) -> Sums:
    total, count = np.empty(exact.shape, np.int64), np.empty(exact.shape, np.int32)
    kernel.sums(exact, 0, total, count)
    return Sums(parts, total.reshape(shape), count.reshape(shape))


def _run(exact: npt.NDArray[np.int64], days: Days, aqis: Sequence[npt.NDArray[np.int16]], top: int) -> kernel.Running:
    """Sums of values that share a divisor, counts of days, and percentiles; ``top`` is the largest displayed value."""
    rows, scopes, items = days.shown.shape
    columns, percent = ranked_columns(scopes, items)
    aqi = np.empty((len(aqis), rows, scopes), np.int16)
    for place, one in enumerate(aqis):
        aqi[place] = one
    counts, tops = np.empty((*aqi.shape, 3), np.int32), np.empty((len(columns), rows), np.int64)
    out = kernel.Running(np.empty(exact.shape, np.int64), np.empty(exact.shape, np.int32), counts, tops)
    shown = np.ascontiguousarray(days.shown).reshape(rows, scopes * items)
    kernel.running(exact, shown, (aqi, CUTS), (columns, percent), np.zeros(top + 2, np.int32), out)
    return out


@lru_cache(maxsize=64)
def ranked_columns(scopes: int, items: int) -> npt.NDArray[np.int32]:
    """Columns with a percentile among those of scopes side by side, and the percent of each."""
    ranked = [(items * place + AIR.index(item), air.PERCENTILES[item]) for item in TOPS for place in range(scopes)]
    return np.array(ranked, np.int32).reshape(-1, 2).T.copy()
