"""A figure's year as numbers: what it is made of at the end of a day, and what the rest of the year can and must still bring.

All exact: counts of days, sums of daily values as integers, results as fractions.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np

from analytics.air.years import Running
from domain import air
from domain.items import AIR, ITEMS

HUNDRED: Final = 100
BEFORE_MARCH: Final = 59
"""Days of a year up to 28 February, which every year has."""
COUNTS: Final = MappingProxyType({"good_ratio": 1, "heavy_days": 2})
"""Figures that count days, with their column of :attr:`analytics.air.years.Running.counts`."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A year as it stood at the end of one day, with the year before it.

    Attributes
    ----------
    year : int
    length : int [d]
        Calendar days of the year.
    now : Running
    row : int
        The day, from 0.
    last : Running or None
        The whole year before.
    """

    year: int
    length: int
    now: Running
    row: int
    last: Running | None = None

    @property
    def remaining(self) -> int:
        """Calendar days that are still to come."""
        return self.length - self.row - 1


class Tally(NamedTuple):
    """What a figure is made of at the end of a day.

    Attributes
    ----------
    valid : int [d]
        Days that count: with an AQI, or with a daily value of the item.
    hits : int [d]
        Good days, or heavy-pollution days; 0 for means.
    total, unit : int
        Sum of the daily values in 1/``unit`` of the reporting unit; 0 and 1 for counts.
    remaining : int [d]
        Calendar days to come.
    length : int [d]
        Calendar days of the year.
    """

    valid: int
    hits: int
    total: int
    unit: int
    remaining: int
    length: int

    @property
    def whole(self) -> int:
        """Days that count if all that are to come do."""
        return self.valid + self.remaining


class Case(NamedTuple):
    """A figure held against a goal, with the whole year before."""

    figure: str
    op: str
    goal: Fraction
    last: Running | None


def tally_of(figure: str, at: Standing) -> Tally:
    """What a figure is made of at the end of the standing's day."""
    now, row = at.now, at.row
    if figure in COUNTS:
        return Tally(int(now.counts[row, 0]), int(now.counts[row, COUNTS[figure]]), 0, 1, at.remaining, at.length)
    item = figure.removesuffix("_mean")
    total, unit = now.total(item, row)
    return Tally(now.number(item, row), 0, total, unit, at.remaining, at.length)


def first_change(figure: str, old: Running | None, new: Running) -> int:
    """First row at which a figure's tally differs from what it was, exactly and not as displayed; the number of common rows if none does."""
    if old is None or [part.parts for part in old.sums] != [part.parts for part in new.sums]:
        return 0
    size = min(len(old), len(new))
    columns = [0, COUNTS.get(figure, 0)]
    differs = (old.counts[:size, columns] != new.counts[:size, columns]).any(axis=1)
    if figure not in COUNTS:
        place = AIR.index(figure.removesuffix("_mean"))
        for before, after in zip(old.sums, new.sums, strict=True):
            differs |= (before.total[:size, place] != after.total[:size, place]) | (before.count[:size, place] != after.count[:size, place])
    return int(np.argmax(differs)) if differs.any() else size


def worse(figure: str, tally: Tally) -> Tally:
    """The tally after one more bad day: above AQI 100 for the ratio, a heavy-pollution day for the others.

    The mean gets the smallest daily value that alone makes such a day: 151 µg/m³ of PM2.5.
    """
    valid, remaining = tally.valid + 1, tally.remaining - 1
    if figure in COUNTS:
        return tally._replace(valid=valid, hits=tally.hits + (figure == "heavy_days"), remaining=remaining)
    return tally._replace(valid=valid, total=tally.total + heavy_value(figure.removesuffix("_mean")) * tally.unit, remaining=remaining)


def heavy_value(item: str) -> int:
    """Smallest daily value [reporting unit] of an item that alone makes the AQI exceed 200."""
    return air.RULES_2012.breakpoints[item, "24h"][air.IAQI_POINTS.index(air.HEAVY_MIN - 1)] + 1


def value_of(figure: str, tally: Tally) -> Fraction | None:
    """The figure itself; None where no day counts yet."""
    if figure == "heavy_days":
        return Fraction(tally.hits)
    if not tally.valid:
        return None
    return Fraction(HUNDRED * tally.hits, tally.valid) if figure == "good_ratio" else Fraction(tally.total, tally.unit * tally.valid)


def bounds_of(figure: str, tally: Tally) -> tuple[Fraction, Fraction] | None:
    """Smallest and largest figure that the year can still end with; late data of past days aside."""
    if figure == "heavy_days":
        return Fraction(tally.hits), Fraction(tally.hits + tally.remaining)
    if not tally.whole:
        return None
    if figure == "good_ratio":
        return Fraction(HUNDRED * tally.hits, tally.whole), Fraction(HUNDRED * (tally.hits + tally.remaining), tally.whole)
    most = tally.total + tally.remaining * _highest(figure) * tally.unit
    return Fraction(tally.total, tally.unit * tally.whole), Fraction(most, tally.unit * tally.whole)


def _highest(figure: str) -> int:
    return int(ITEMS["air", figure.removesuffix("_mean")].high)


def same_date(tally: Tally, days: int) -> int:
    """Row of the tally's date in the year before, which has so many days; 29 February is held against the 28th.

    >>> [same_date(Tally(0, 0, 0, 1, 365 - day, 365), 366) for day in (1, 59, 60, 365)]
    [0, 58, 60, 365]
    >>> [same_date(Tally(0, 0, 0, 1, 366 - day, 366), 365) for day in (1, 59, 60, 61, 366)]
    [0, 58, 58, 59, 364]
    """
    row = tally.length - tally.remaining - 1
    return row if row < BEFORE_MARCH else row + days - tally.length


def last_rest(case: Case, tally: Tally) -> Fraction | None:
    """The figure of last year's days from this date to its end."""
    last = case.last
    if last is None or not tally.remaining:
        return None
    since = same_date(tally, len(last))
    if case.figure == "good_ratio":
        valid, good, _ = (last.counts[-1] - last.counts[since]).tolist()
        return Fraction(HUNDRED * good, valid) if valid else None
    return last.mean(case.figure.removesuffix("_mean"), -1, since)


def rest_of(case: Case, tally: Tally) -> tuple[int | None, Fraction | None]:
    """Remaining budget and required rest."""
    goal, whole = case.goal, tally.whole
    if case.figure == "heavy_days":
        most = goal.numerator // goal.denominator
        return (most - 1 if case.op == "<" and goal.denominator == 1 else most) - tally.hits, None
    if case.figure == "good_ratio":
        needed = -(-goal.numerator * whole // (goal.denominator * HUNDRED))
        budget = whole - needed - (tally.valid - tally.hits)
        return budget, (goal * whole - HUNDRED * tally.hits) / tally.remaining if tally.remaining else None
    if not tally.remaining:
        return None, None
    return None, (goal * whole - Fraction(tally.total, tally.unit)) / tally.remaining


def burn_rate(case: Case, tally: Tally) -> Fraction | None:
    """Used share of the allowed over the elapsed share of the year, in valid days."""
    if not tally.valid or case.goal <= 0:
        return None
    if case.figure == "heavy_days":
        return Fraction(tally.hits * tally.length, tally.valid) / case.goal
    if case.figure == "good_ratio":
        bad = Fraction(HUNDRED * (tally.valid - tally.hits), tally.valid)
        return bad / (HUNDRED - case.goal) if case.goal < HUNDRED else None
    return Fraction(tally.total, tally.unit * tally.valid) / case.goal
