"""Year figures of a scope, running day by day and exact: the last row is the year."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np
import numpy.typing as npt

from analytics import tables
from analytics.air.days import Days
from analytics.kernels import years as kernel
from domain import air
from domain.civil import month_of_day
from domain.fixed import half_even
from domain.items import AIR

MEANS: Final = ("pm25", "pm10", "so2", "no2")
"""Items with an annual mean; CO and O3 are judged by percentiles."""
TOPS: Final = ("co", "o3")
"""Items with an annual percentile."""


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
        place = AIR.index(item)
        total, number = Fraction(), 0
        for part in self.sums:
            total += Fraction(_between(part.total[:, place], row, since), 1_000 * tables.COMMON * part.parts)
            number += _between(part.count[:, place], row, since)
        return total / number if number else None

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
        """Annual rule of GB 3095-2026 table 4 for all six items: 324 days, and 27 in every month (February 25)."""
        if len(self) < air.YEAR_DAYS or int(self.valid[-1].min()) < air.YEAR_DAYS:
            return False
        months = [month_of_day(self.first + row)[1] for row in range(len(self))]
        ends = [row for row in range(len(self)) if row + 1 == len(self) or months[row + 1] != months[row]]
        monthly = np.diff(self.valid[ends], axis=0, prepend=np.zeros((1, 6), np.int32)).min(axis=1)
        needed = [air.FEBRUARY_DAYS if months[row] == 2 else air.MONTH_DAYS for row in ends]
        return bool((monthly >= needed).all())


def _between(running: npt.NDArray[np.integer], row: int, since: int | None) -> int:
    return int(running[row]) - (0 if since is None or since < 0 else int(running[since]))


def composite(figures: list[Fraction]) -> tuple[Fraction, Fraction] | None:
    """Composite index of PM2.5, PM10, SO2, NO2 means, CO P95 and O3 P90, in this order; None unless all six are there."""
    if len(figures) != len(AIR):
        return None
    divisors = [Fraction(air.COMPOSITE[item] * tables.STEPS[place], 1_000) for place, item in enumerate(AIR)]
    parts = [figure / divisor for figure, divisor in zip(figures, divisors, strict=True)]
    rounded = sum(half_even(part.numerator * 100, part.denominator) for part in parts)
    return Fraction(rounded, 100), sum(parts, Fraction())


def shown(value: Fraction | None, digits: int) -> float:
    """A figure rounded half to even, as the float whose shortest text is that decimal; NaN for none."""
    if value is None:
        return float("nan")
    power: int = 10**digits
    return half_even(value.numerator * power, value.denominator) / power


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
    groups = _joined([_sums(days, parts) for parts in _divisors(days)])
    valid = sum((group.count for group in groups[1:]), groups[0].count)
    tops = _percentiles(days)
    counts = [_counts(aqi) for aqi in aqis]
    found = []
    for place in range(days.exact.shape[1]):
        own = tuple(Sums(group.parts, group.total[:, place], group.count[:, place]) for group in groups)
        ranked = {item: top[place] for item, top in tops.items()}
        found.append(tuple(Running(first, count[:, place], valid[:, place], own, ranked) for count in counts))
    return found


_ROOM: Final = 2**62 // 100
"""Largest sum that may still be multiplied by a hundred when it is rounded."""
_CUTS: Final = np.array([air.GOOD_MAX, air.HEAVY_MIN], np.int16)


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


def _counts(aqi: npt.NDArray[np.int16]) -> npt.NDArray[np.int32]:
    counts = np.empty((*aqi.shape, 3), np.int32)
    kernel.counts(np.ascontiguousarray(aqi), _CUTS, counts)
    return counts


def _divisors(days: Days) -> list[int]:
    low, high = int(days.parts.min(initial=1)), int(days.parts.max(initial=1))
    return [high] if low == high else np.unique(days.parts).tolist()


def _sums(days: Days, parts: int) -> Sums:
    chosen = np.where(days.parts == parts, days.exact, -1) if _divisors(days) != [parts] else days.exact
    total, count = np.empty(chosen.shape, np.int64), np.empty(chosen.shape, np.int32)
    rows = len(chosen)
    kernel.sums(np.ascontiguousarray(chosen).reshape(rows, -1), total.reshape(rows, -1), count.reshape(rows, -1))
    return Sums(parts, total, count)


def _percentiles(days: Days) -> dict[str, npt.NDArray[np.int64]]:
    """(n, d) running percentiles of CO and O3."""
    rows, scopes, items = days.shown.shape
    shown = np.ascontiguousarray(days.shown).reshape(rows, scopes * items)
    ranked = [(items * place + AIR.index(item), air.PERCENTILES[item]) for item in TOPS for place in range(scopes)]
    columns, percent = np.array(ranked, np.int32).reshape(-1, 2).T.copy()
    out = np.empty((len(ranked), rows), np.int64)
    kernel.percentiles(shown, columns, percent, np.zeros(int(shown.max(initial=0)) + 2, np.int32), out)
    return {item: out[scopes * place : scopes * (place + 1)] for place, item in enumerate(TOPS)}
