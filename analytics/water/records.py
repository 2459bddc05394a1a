"""A section's day of records: what counts, the class of each record, and exact sums for the means.

A day is a pure function of the rows that are stored for it, so neither the order of arrival nor a repetition can be seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from analytics import bases
from analytics.causes import Cell
from domain import civil, fixed, water
from domain.items import BY_REALM, ITEMS
from domain.marks import Span
from domain.readings import STATISTICAL, Series

REALM: Final = "water"
NAMES: Final = BY_REALM[REALM]
PLACES: Final = 9
"""Decimals of the exact sums; a value with more of them is rounded there, a millionth of a microgram."""
SCALE: Final = 10**PLACES
_COUNTED: Final = np.isin(np.arange(256), [ord(letter) for letter in STATISTICAL])
_WITHDRAWN: Final = ord("W")
_DECIDING: Final = [NAMES.index(item) for item in water.DECIDING]
_AVERAGED: Final = [NAMES.index(item) for item in water.AVERAGED]
_EXACT: Final = 2.0**53 / SCALE

Longs = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


class Record(NamedTuple):
    """A classed record: end label [s], class 1…6, the items at it."""

    time: int
    worst: int
    deciding: tuple[str, ...]


class Day(NamedTuple):
    """What a section's civil day says.

    Attributes
    ----------
    time : (n,) int64 [s]
        Labels of records that hold anything, ascending.
    values : (n, k) float64
        Items of :data:`NAMES`; NaN = no value that counts.
    flags : (n, k) uint8
        Letter of each stored value (ASCII), also of those that do not count; 0 = none stored.
    records : tuple of Record
        Those with a class: all four deciding items are there.
    sums : tuple of int
        Exact sums of :data:`domain.water.AVERAGED` in units of 10⁻⁹.
    counts : tuple of int
        Values in each sum.
    """

    time: Longs
    values: Floats
    flags: npt.NDArray[np.uint8]
    records: tuple[Record, ...]
    sums: tuple[int, ...]
    counts: tuple[int, ...]


def days(known: Iterable[Series], body: str, accepts: Callable[[int], bool] = lambda _: True, marks: Sequence[Span] = ()) -> dict[int, Day]:
    """Days of a section out of stored rows.

    Parameters
    ----------
    known : iterable of Series
        All rows of the days they touch. Of several spans with one label the longest that carries an item gives it.
    body : str
        River or lake.
    accepts : callable
        Whether readings of a civil day enter figures; those of a device on trial do not.
    marks : sequence of Span
        What people marked, in order of receipt: held and rejected values (H, R) count as missing.
    """
    time, values, flags = _merged(known)
    letters = bases.placed(marks, time, NAMES)
    gone = bases.out(letters) & (flags != 0)
    values, flags = np.where(gone, np.nan, values), np.where(gone, letters, flags).astype(np.uint8)
    day = civil.day_of_array(time)
    edges = np.flatnonzero(np.diff(day, prepend=-(2**31), append=2**31))
    found = {}
    for start, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        number = int(day[start])
        if accepts(number):
            found[number] = _day(time[start:end], values[start:end], flags[start:end], body)
    return found


def _merged(known: Iterable[Series]) -> tuple[Longs, Floats, npt.NDArray[np.uint8]]:
    parts = sorted(known, key=lambda one: one.span)
    time = np.unique(np.concatenate([one.time for one in parts])) if parts else np.zeros(0, np.int64)
    values = np.full((len(time), len(NAMES)), np.nan)
    flags = np.zeros(values.shape, np.uint8)
    for one in parts:
        rows = np.searchsorted(time, one.time)
        carried = one.flags != 0
        counts = carried & _COUNTED[one.flags] & ~np.isnan(one.values)
        # What a longer span withdrew or flagged says nothing about what a shorter one measured.
        over = counts | (carried & np.isnan(values[rows]))
        values[rows] = np.where(counts, one.values, values[rows])
        flags[rows] = np.where(over, one.flags, flags[rows])
    return time, values, flags


def _day(time: Longs, values: Floats, flags: npt.NDArray[np.uint8], body: str) -> Day:
    whole = np.flatnonzero(~np.isnan(values[:, _DECIDING]).any(axis=1))
    records = tuple(_record(int(time[row]), values[row], body) for row in whole.tolist())
    sums = tuple(exact_sum(values[:, place]) for place in _AVERAGED)
    counts = tuple(int((~np.isnan(values[:, place])).sum()) for place in _AVERAGED)
    return Day(time, values, flags, records, sums, counts)


def _record(time: int, values: Floats, body: str) -> Record:
    shown = {item: thousandths(float(values[place]), item) for item, place in zip(water.DECIDING, _DECIDING, strict=True)}
    worst, deciding = water.judge(shown, body)
    if worst is None:
        raise AssertionError("all four items are there")
    return Record(time, worst, tuple(deciding))


def thousandths(value: float, item: str) -> int:
    """Displayed thousandths of a value, rounded once from the decimal that was sent.

    >>> thousandths(0.025, "nh3n"), thousandths(6.012, "codmn")
    (20, 6000)
    """
    return fixed.from_decimal(water.displayed(Decimal(repr(value)), ITEMS[REALM, item].digits))


def exact_sum(values: Floats) -> int:
    """Exact sum of the decimals that the floats print as."""
    there = values[~np.isnan(values)]
    scaled = np.rint(there * SCALE)
    good = (np.abs(there) < _EXACT) & (scaled / SCALE == there)
    odd = [int(Decimal(repr(one)).scaleb(PLACES).to_integral_value()) for one in there[~good].tolist()]
    return int(scaled[good].astype(np.int64).sum()) + sum(odd)


def differing(site: str, old: Day | None, new: Day | None) -> list[Cell]:
    """Values that differ between two states of a section's day, each with the code of its cause."""
    before, after = _cells(old), _cells(new)
    nothing = (None, 0)
    found = []
    for time, item in sorted(before.keys() | after.keys()):
        was, now = before.get((time, item), nothing), after.get((time, item), nothing)
        if was[0] != now[0]:
            found.append(Cell(_kind(was, now), site, time, 0, item))
    return found


def _cells(day: Day | None) -> dict[tuple[int, str], tuple[float | None, int]]:
    if day is None:
        return {}
    places = zip(*(one.tolist() for one in np.nonzero(day.flags)), strict=True)
    there = ~np.isnan(day.values)
    return {
        (int(day.time[row]), NAMES[place]): (float(day.values[row, place]) if there[row, place] else None, int(day.flags[row, place])) for row, place in places
    }


def _kind(was: tuple[float | None, int], now: tuple[float | None, int]) -> str:
    if was[0] is not None and now[0] is not None:
        return "correction"
    flag = was[1] if now[0] is not None else now[1]
    if flag and not _COUNTED[flag] and flag != _WITHDRAWN:
        return "flag"
    return "late" if now[0] is not None else "correction"
