"""Days become figures of calendar months, quarters and years that a running year does not hold: percentiles and compliance."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from analytics.kernels.whole import MEANS, NONE, Whole

Ints = npt.NDArray[np.int32]
Longs = npt.NDArray[np.int64]


class Sizes(NamedTuple):
    """What makes periods complete.

    Attributes
    ----------
    spans : (p, 2) int32
        First row of days and the row behind the last.
    months : (p, 2) int32
        First month of each period and the one behind its last, from 0.
    least : (p,) int32 [d]
        Valid days that the whole period needs (a year 324, GB 3095-2026 table 4).
    edges : (13,) int32
        Row of the first day of each month, and the row behind the year.
    needed : (12,) int32 [d]
        Valid days that each month needs (27, February 25).
    """

    spans: Ints
    months: Ints
    least: Ints
    edges: Ints
    needed: Ints


class Law(NamedTuple):
    """What the law asks of daily values in a period.

    Attributes
    ----------
    percent : (6,) int32
        p in hundredths, by item.
    limits : (r, 6) int32 [displayed units]
        Daily limits by rule set and item (GB 3095; ozone's is that of the daily maximum 8 h).
    """

    percent: Ints
    limits: Ints


class Days(NamedTuple):
    """A scope's year.

    Attributes
    ----------
    shown : (6, d) int32 [displayed units]
        Daily values, item by item; ``NONE`` = not valid.
    valid : (6, d) int32 [d]
        Running numbers of valid daily values.
    counts : (r, 3, d) int32 [d]
        Running numbers of days with an AQI, good days and heavy days, by rule set.
    """

    shown: Ints
    valid: Ints
    counts: Ints


class Out(NamedTuple):
    """What is written of p periods.

    Attributes
    ----------
    tops : (6, p) int64 [hundredths of a displayed unit]
        Percentiles; ``NONE`` without a valid day, and of the first four items in anything shorter than a year.
    within : (r, 6, p) int32 [d]
        Valid daily values that keep their limit.
    valid : (6, p) int32 [d]
    counts : (r, 3, p) int32 [d]
    enough : (r, 7, p) bool
        Whether there is the minimum of data, by item and (last) of days with an AQI.
    """

    tops: Longs
    within: Ints
    valid: Ints
    counts: Ints
    enough: npt.NDArray[np.bool_]


@njit(cache=True, nogil=True, error_model="numpy")
def closed(days: Days, sizes: Sizes, law: Law, table: Ints, out: Out) -> None:
    """Percentiles, compliance and numbers of days of periods under several rule sets, and whether they have their minimum of data.

    Parameters
    ----------
    days : Days
    sizes : Sizes
    law : Law
    table : (width,) int32
        Scratch, zero on entry and on return, wider than the largest value by one.
    out : Out
    """
    for span in range(sizes.spans.shape[0]):
        rows = sizes.spans[span, 0], sizes.spans[span, 1]
        # A few days' percentiles of an item with an annual mean are nobody's figure.
        first = 0 if sizes.least[span] > 0 else MEANS
        for item in range(6):
            out.tops[item, span] = _ranked(days.shown[item], rows, law.percent[item], table) if item >= first else np.int64(NONE)
            there, full = _counted(days.valid[item], sizes, span)
            out.valid[item, span] = there
            for rule in range(law.limits.shape[0]):
                out.within[rule, item, span] = _keeping(days.shown[item], rows, law.limits[rule, item])
                out.enough[rule, item, span] = full
        for rule in range(law.limits.shape[0]):
            out.counts[rule, 0, span], out.enough[rule, 6, span] = _counted(days.counts[rule, 0], sizes, span)
            for k in range(1, 3):
                out.counts[rule, k, span] = _between(days.counts[rule, k], rows[0], rows[1])


@njit(cache=True, nogil=True, error_model="numpy")
def _ranked(shown: Ints, span: tuple[Whole, Whole], percent: Whole, table: Ints) -> Whole:
    """X[lo]·100 + (X[lo+1] - X[lo])·rest of the valid values of a span by counting, k = (n - 1)·p, exact (HJ 663, numpy's ``linear``).

    The percentiles of the law are high, so the rank is looked for from the largest value down.
    """
    number, at = np.int32(0), np.int32(0)
    for day in range(span[0], span[1]):
        value = shown[np.uint64(day)]
        has = np.int32(value >= 0)
        place = np.uint32(max(value, np.int32(0)))
        table[place] = np.int32(table[place] + has)
        number, at = np.int32(number + has), max(at, value)
    if number == 0:
        return np.int64(NONE)
    place, below = np.int64(number - 1) * percent, np.int64(number - table[np.uint32(at)])
    rank, high = place // 100, at
    while below > rank:
        high = at if table[np.uint32(at)] else high
        at = np.int32(at - 1)
        below -= table[np.uint32(at)]
    # The next larger value is asked for only where the rank is the last of its own.
    alone = rank + 1 >= number or rank + 1 < below + table[np.uint32(at)]
    rest = np.int64(0) if alone else np.int64(high - at)
    for day in range(span[0], span[1]):
        table[np.uint32(max(shown[np.uint64(day)], np.int32(0)))] = 0
    return np.int64(at) * 100 + rest * (place % 100)


@njit(cache=True, nogil=True, error_model="numpy")
def _keeping(shown: Ints, span: tuple[Whole, Whole], limit: Whole) -> Whole:
    """Valid values of an item in a span up to a limit."""
    kept = np.int32(0)
    for day in range(span[0], span[1]):
        value = shown[np.uint64(day)]
        kept = np.int32(kept + np.int32((value >= 0) & (value <= limit)))
    return kept


@njit(cache=True, nogil=True, error_model="numpy")
def _counted(running: Ints, sizes: Sizes, span: int) -> tuple[Whole, Whole]:
    """A number of days in a period, and whether it is the minimum of data, from a running one."""
    days = running.shape[0]
    there = _between(running, sizes.spans[span, 0], sizes.spans[span, 1])
    full = there >= sizes.least[span]
    for month in range(sizes.months[span, 0], sizes.months[span, 1]):
        full &= _between(running, min(sizes.edges[month], days), min(sizes.edges[month + 1], days)) >= sizes.needed[month]
    return there, full


@njit(cache=True, nogil=True, error_model="numpy")
def _between(running: Ints, start: Whole, stop: Whole) -> Whole:
    """Difference of a running number over rows."""
    before = running[start - 1] if start > 0 else 0
    return (running[stop - 1] if stop > 0 else 0) - before
