"""Days become running year figures: every row is the state of the year at the end of that day; the last row is the year."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from analytics.kernels.whole import NONE, Whole

Ints = npt.NDArray[np.int32]
Shorts = npt.NDArray[np.int16]
Longs = npt.NDArray[np.int64]


class Running(NamedTuple):
    """What is written of running years of n scopes (s = 6·n series) under r rule sets.

    Attributes
    ----------
    total : (d, s) int64
    valid : (d, s) int32
        By :func:`sums`.
    counts : (r, d, n, 3) int32
        By :func:`counts`.
    tops : (k, d) int64
        By :func:`percentiles`.
    """

    total: Longs
    valid: Ints
    counts: Ints
    tops: Longs


class Alone(NamedTuple):
    """What is written of a single scope's running year under r rule sets, figure by figure: days stand side by side.

    Attributes
    ----------
    total : (6, d) int64
    valid : (6, d) int32 [d]
        Sums and numbers of the valid daily values.
    counts : (r, 3, d) int32 [d]
        Days with an AQI, good days, heavy days so far.
    tops : (k, d) int64 [hundredths of a displayed unit]
        Percentiles.
    """

    total: Longs
    valid: Ints
    counts: Ints
    tops: Longs


@njit(cache=True, nogil=True, error_model="numpy")
def extent(parts: Ints, shown: Ints) -> tuple[Whole, Whole, Whole]:
    """Smallest and largest of the (n,) ``parts``, and the largest of the (n,) ``shown``; at least 1, 1 and 0."""
    low, high, top = np.int32(2**31 - 1), np.int32(1), np.int32(0)
    for place in range(parts.shape[0]):
        low, high, top = min(low, parts[place]), max(high, parts[place]), max(top, shown[place])
    return min(low, high), high, top


@njit(cache=True, nogil=True, error_model="numpy")
def running(exact: Longs, shown: Ints, aqi: tuple[Shorts, Shorts], ranked: tuple[Ints, Ints], table: Ints, out: Running) -> None:
    """:func:`sums`, :func:`counts` of every rule set, and :func:`percentiles` in one call.

    Parameters
    ----------
    exact, shown : (d, s)
    aqi : (r, d, n) int16 and (2,) int16
        AQI of each day under each rule set; the cuts of :func:`counts`.
    ranked : (k,) int32 and (k,) int32
        Columns and percents of :func:`percentiles`.
    table : (width,) int32
        Scratch, see there.
    out : Running
        Written.
    """
    onward(exact, aqi, 0, out)
    percentiles(shown, ranked[0], ranked[1], table, out.tops)


@njit(cache=True, nogil=True, error_model="numpy")
def alone(exact: Longs, shown: Ints, aqi: tuple[Shorts, Shorts], ranked: tuple[Ints, Ints], table: Ints, out: Alone) -> None:
    """:func:`running` of a single scope.

    Parameters
    ----------
    exact : (d, 6) int64
        ``NONE`` = not valid.
    shown : (6, d) int32 [displayed units]
    aqi : (r, d) int16 and (2,) int16
        AQI of each day under each rule set; the cuts of :func:`counts`.
    ranked : (k,) int32 and (k,) int32
        Items and percents of :func:`percentiles`.
    table : (width,) int32
        Scratch, see there.
    out : Alone
        Written.
    """
    for item in range(6):
        total, number, sums, numbers = np.int64(0), np.int32(0), out.total[item], out.valid[item]
        for day in range(exact.shape[0]):
            value = exact[day, item]
            total, number = total + max(value, np.int64(0)), np.int32(number + np.int32(value >= 0))
            sums[day], numbers[day] = total, number
    for rule in range(aqi[0].shape[0]):
        _counts(aqi[0][rule], aqi[1], out.counts[rule])
    for k in range(ranked[0].shape[0]):
        _percentile(shown[ranked[0][k]], ranked[1][k], table, out.tops[k])
        table[:] = 0


@njit(cache=True, nogil=True, error_model="numpy")
def _counts(aqi: Shorts, cuts: Shorts, out: Ints) -> None:
    """:func:`counts` of one scope, (3, d)."""
    valid, good, heavy = np.int32(0), np.int32(0), np.int32(0)
    for day in range(out.shape[1]):
        value = aqi[day]
        valid = np.int32(valid + np.int32(value >= 0))
        good = np.int32(good + np.int32((value >= 0) & (value <= cuts[0])))
        heavy = np.int32(heavy + np.int32(value >= cuts[1]))
        out[0, day], out[1, day], out[2, day] = valid, good, heavy


@njit(cache=True, nogil=True, error_model="numpy")
def onward(exact: Longs, aqi: tuple[Shorts, Shorts], first: Whole, out: Running) -> None:
    """:func:`sums` and :func:`counts` of every rule set, of some days behind those that are there.

    Parameters
    ----------
    exact : (m, s) int64
    aqi : (r, m, n) int16 and (2,) int16
        As for :func:`running`.
    first : int
        Row of the first of these days.
    out : Running
        m rows of ``total``, ``valid`` and ``counts`` are written.
    """
    sums(exact, first, out.total, out.valid)
    for rule in range(aqi[0].shape[0]):
        counts(aqi[0][rule], aqi[1], first, out.counts[rule])


@njit(cache=True, nogil=True, error_model="numpy")
def counts(aqi: Shorts, cuts: Shorts, first: Whole, out: Ints) -> None:
    """Running counts of days with an AQI, good days and heavy-pollution days.

    Parameters
    ----------
    aqi : (m, n) int16
        Of n scopes; ``NONE`` = no AQI.
    cuts : (2,) int16
        Largest AQI of a good day (100), smallest of a heavy day (201).
    first : int
        Row of the first of these days; the one before it is there, unless it is 0.
    out : (d, n, 3) int32 [d]
        Written: valid, good, heavy days so far.
    """
    for row in range(aqi.shape[0]):
        day, last, more = first + row, max(first + row - 1, 0), np.int32(first + row > 0)
        for n in range(aqi.shape[1]):
            value = aqi[row, n]
            out[day, n, 0] = np.int32(more * out[last, n, 0] + np.int32(value >= 0))
            out[day, n, 1] = np.int32(more * out[last, n, 1] + np.int32((value >= 0) & (value <= cuts[0])))
            out[day, n, 2] = np.int32(more * out[last, n, 2] + np.int32(value >= cuts[1]))


@njit(cache=True, nogil=True, error_model="numpy")
def sums(exact: Longs, first: Whole, total: Longs, count: Ints) -> None:
    """Running sums and numbers of the valid daily values.

    Parameters
    ----------
    exact : (m, s) int64
        ``NONE`` = not valid. A year of daily means fits: 366 · 10,000 · 1,000 · 212,520 < 2⁶³.
    first : int
        Row of the first of these days; the one before it is there, unless it is 0.
    total : (d, s) int64
        Written, in the unit of ``exact``.
    count : (d, s) int32 [d]
        Written.
    """
    for row in range(exact.shape[0]):
        day, last = first + row, max(first + row - 1, 0)
        for s in range(exact.shape[1]):
            value = exact[row, s]
            has = value >= 0
            total[day, s] = (total[last, s] if day > 0 else np.int64(0)) + (value if has else np.int64(0))
            count[day, s] = np.int32((count[last, s] if day > 0 else np.int32(0)) + np.int32(has))


@njit(cache=True, nogil=True, error_model="numpy")
def _settle(table: Ints, at: Whole, below: Whole, rank: Whole) -> tuple[Whole, Whole]:
    """Move to the value of a rank (from 0) in a counting table; ``below`` values are smaller than ``at``.

    A percentile moves little from day to day, so this takes a few steps where a search would take hundreds.
    """
    while below > rank:
        at -= 1
        below -= table[at]
    while below + table[at] <= rank:
        below += table[at]
        at += 1
    return at, below


@njit(cache=True, nogil=True, error_model="numpy")
def percentiles(shown: Ints, columns: Ints, percent: Ints, table: Ints, out: Longs) -> None:
    """Running percentiles of the valid daily values by counting, exact: X[lo] + (X[lo+1] - X[lo])·(k - lo), k = (n - 1)·p.

    The same as the formula of HJ 663 and as numpy's ``linear``.

    Parameters
    ----------
    shown : (d, s) int32 [displayed units]
        Daily values; ``NONE`` = not valid.
    columns : (k,) int32
        Series that are ranked.
    percent : (k,) int32
        p in hundredths.
    table : (width,) int32
        Scratch, zero on entry and on return, wider than the largest value by one.
    out : (k, d) int64 [hundredths of a displayed unit]
        Written; ``NONE`` before the first valid day.
    """
    for k in range(columns.shape[0]):
        _percentile(shown[:, np.uint64(columns[k])], percent[k], table, out[k])
        table[:] = 0


@njit(cache=True, nogil=True, error_model="numpy")
def _percentile(shown: Ints, percent: Whole, table: Ints, out: Longs) -> None:
    """Running percentile of one series."""
    number, at, below = 0, 0, 0
    for day in range(shown.shape[0]):
        value = shown[day]
        if value >= 0:
            table[np.uint32(value)] += 1
            number += 1
            below += value < at
        if number == 0:
            out[day] = NONE
            continue
        place = (number - 1) * percent
        rank = place // 100
        at, below = _settle(table, at, below, rank)
        high = at
        if rank + 1 < number and rank + 1 >= below + table[at]:
            high += 1
            while table[high] == 0:
                high += 1
        out[day] = np.int64(at) * 100 + np.int64(high - at) * (place % 100)
