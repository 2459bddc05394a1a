"""Daily values: of a station from its hours, of a city from its stations, or as published."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from analytics import tables
from analytics.air.hours import Judged, judge
from analytics.blocks import spread
from analytics.kernels import days as kernel
from analytics.kernels.whole import NONE
from domain import air
from domain.fixed import MISSING
from domain.items import AIR

Place = slice | npt.NDArray[np.integer] | tuple[npt.NDArray[np.integer], npt.NDArray[np.integer]]


class Days(NamedTuple):
    """Daily values of one scope or of many side by side; the day is the leading axis.

    Attributes
    ----------
    exact : (d, …, 6) int64 [1/(1000 · 212,520) of the reporting unit]
        Unrounded; a city's is the sum over its stations. -1 = not valid.
    parts : (d, …, 6) int32
        What ``exact`` is to be divided by: 1 for a station, the number of valid stations for a city.
    hours : (d, …, 6) int32 [h]
        Valid hours behind the value; a city's is the sum over its stations; -1 = not known (published days).
    shown : (d, …, 6) int32 [displayed units]
        Rounded half to even; -1 = not valid.
    """

    exact: npt.NDArray[np.int64]
    parts: npt.NDArray[np.int32]
    hours: npt.NDArray[np.int32]
    shown: npt.NDArray[np.int32]

    def rows(self, chosen: slice | npt.NDArray[np.integer]) -> Days:
        """The same values of these days only."""
        return Days(self.exact[chosen], self.parts[chosen], self.hours[chosen], self.shown[chosen])

    def scope(self, place: int) -> Days:
        """(d, 6) of one of the scopes side by side."""
        return Days(self.exact[:, place], self.parts[:, place], self.hours[:, place], np.ascontiguousarray(self.shown[:, place]))

    def judged(self, rule: npt.NDArray[np.uint8]) -> Judged:
        """AQI of every day; ``rule`` has the shape of the days and scopes, flattened."""
        return judge(self.shown.reshape(-1, 6), rule, daily=True)


BLOCK: Final = 64
"""Station-days whose ozone windows move together."""
_LAW = (tables.OZONE, air.O3_WINDOW, air.O3_WINDOW_HOURS, air.O3_DAY_WINDOWS, air.limits_on(0)["o3"].day)


def from_hours(hours: npt.NDArray[np.int32], *, threads: int = 1) -> Days:
    """Daily values of stations.

    Means need 20 valid hours (GB 3095-2026 table 4); the ozone day needs 14 of 17 windows of at least 6 hours, or a displayed
    maximum above the limit (HJ 663-2013 6.1.2).

    Parameters
    ----------
    hours : (24·d, n, 6) int32 [thousandths of the reporting unit]
        Whole civil days, hours 1…24 of n stations; ``MISSING`` = no valid hour.
    threads : int
    """
    rows, stations, _ = hours.shape
    days = unmade(rows // 24, stations)
    make(days, hours, slice(stations), threads=threads)
    return days


def unmade(*shape: int) -> Days:
    """Days of stations that :func:`make` or :func:`remake` has still to write."""
    whole = *shape, len(AIR)
    return Days(np.empty(whole, np.int64), np.ones(whole, np.int32), np.empty(whole, np.int32), np.empty(whole, np.int32))


def make(days: Days, hours: npt.NDArray[np.int32], own: slice, span: tuple[int, int] | None = None, *, threads: int = 1) -> None:
    """Write the daily values of some of the stations, and of some days, as :func:`from_hours`; ``days`` are theirs alone, (d, m, 6)."""
    if own.stop - (own.start or 0) < len(hours[0]) < kernel.WIDE // len(AIR):
        hours, own = hours[:, own], slice(own.stop - own.start)
    rows, stations, items = hours.shape
    flat, part = np.ascontiguousarray(hours).reshape(rows, stations * items), (own.start or 0, own.stop - (own.start or 0))
    out = days.exact.reshape(-1), days.hours.reshape(-1), days.shown.reshape(-1)
    first, last = span or (0, rows // 24)
    size = part[1] * items

    def some(start: int, end: int) -> None:
        rows = slice(size * start, size * end)
        kernel.daily(flat, (first + start, first + end), part, _law(), _windows(stations * items), (out[0][rows], out[1][rows], out[2][rows]))

    spread(last - first, threads, some)


def remake(days: Days, hours: npt.NDArray[np.int32], span: tuple[int, int]) -> None:
    """Write the daily values of one station from one row of days up to another.

    Parameters
    ----------
    days : Days
        (d, 6).
    hours : (24·d, 6) int32 [thousandths of the reporting unit]
        At least the hours of these days, from the first row's on.
    """
    own = days.rows(slice(*span))
    kernel.daily(hours, span, (0, 1), _law(), _OWN.room, (own.exact.reshape(-1), own.hours.reshape(-1), own.shown.reshape(-1)))


@lru_cache(maxsize=1)
def _law() -> kernel.DayLaw:
    return kernel.DayLaw(tables.factors(), np.array(_LAW, np.int32), tables.ozone_factors(), np.tile(tables.exact_steps(), kernel.CHUNK))


def _windows(series: int) -> kernel.Windows:
    folded, folds = np.empty((2, 12 * min(series, kernel.WIDE)), np.int32)
    rows = [np.empty((many, BLOCK), np.int32) for many in (24, air.O3_WINDOW + 1)]
    total, number, valid = np.empty((3, BLOCK), np.int32)
    sums, counts = np.empty((2, kernel.ITEMS * kernel.CHUNK), np.int32)
    return kernel.Windows(np.empty(BLOCK, np.uint64), rows[0], total, number, valid, rows[1], np.empty(BLOCK, np.int64), folded, folds, sums, counts)


class _Own(threading.local):
    """A thread's own scratch for one station."""

    def __init__(self) -> None:
        self.room = _windows(len(AIR))


_OWN: Final = _Own()


def published(values: npt.NDArray[np.int32]) -> Days:
    """Daily values as a file gives them.

    Zero is missing for PM2.5, PM10 and O3: publishers write it for deducted dust days and for gaps.

    Parameters
    ----------
    values : (n, 6) int32 [thousandths of the reporting unit]
        ``MISSING`` = no value.
    """
    zero = np.array([1, 1, 0, 0, 0, 1], bool)
    absent = (values == MISSING) | (zero & (values == 0))
    exact = np.where(absent, NONE, values.astype(np.int64) * tables.COMMON)
    return _shown(exact, np.ones(values.shape, np.int32), np.full(values.shape, NONE, np.int32))


def quorum(most: int) -> npt.NDArray[np.int32]:
    """Valid stations that a city value needs, by number of its stations 0…``most``: 75 %, or 50 % of fewer than four."""
    need = [-(-count * part // of) for count in range(most + 1) for part, of in [air.QUORUM_FEW if count < air.FEW_STATIONS else air.QUORUM]]
    return np.array(need, np.int32)


def city(days: Days, members: npt.NDArray[np.bool_]) -> Days:
    """Daily values of a city: the mean of its stations' unrounded days, where enough of them are valid.

    Parameters
    ----------
    days : Days
        Of n stations: (d, n, 6).
    members : (d, n) bool
        Whether the station belongs to the city's assessment on the day.
    """
    count, stations, items = days.exact.shape
    total = np.empty((count, items), np.int64)
    parts = np.empty((count, items), np.int32)
    kernel.city(days.exact, members.astype(np.uint8), quorum(stations), total, parts)
    unknown = ((days.hours < 0) & members[:, :, None]).any(axis=1)
    hours = np.where(unknown, -1, (days.hours.astype(np.int32) * members[:, :, None]).sum(axis=1)).astype(np.int32)
    return _shown(total, np.maximum(parts, 1), hours)


def none(*shape: int) -> Days:
    """Days without any value, of this shape (its last axis the six items)."""
    nothing = np.full(shape, NONE, np.int64)
    return Days(nothing, np.ones(shape, np.int32), np.zeros(shape, np.int32), nothing.astype(np.int32))


def join(parts: Sequence[Days]) -> Days:
    """Days one behind the other."""
    exact, divisors, hours, shown = zip(*parts, strict=True)
    return Days(np.concatenate(exact), np.concatenate(divisors), np.concatenate(hours), np.concatenate(shown))


def copy(days: Days) -> Days:
    """The same values, to be written into."""
    return Days(days.exact.copy(), days.parts.copy(), days.hours.copy(), days.shown.copy())


def put(whole: Days, place: Place, known: Days) -> None:
    """Put days into their places of a larger whole."""
    whole.exact[place], whole.parts[place], whole.hours[place], whole.shown[place] = known


def _shown(exact: npt.NDArray[np.int64], parts: npt.NDArray[np.int32], hours: npt.NDArray[np.int32]) -> Days:
    out = np.empty(exact.shape, np.int32)
    kernel.shown(exact.reshape(-1, 6), parts.reshape(-1, 6), tables.exact_steps(), out.reshape(-1, 6))
    return Days(exact, parts, hours, out)
