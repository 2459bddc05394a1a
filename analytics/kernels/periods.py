"""Days become figures of calendar months, quarters and years that a running year does not hold: percentiles and compliance."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from analytics.kernels.whole import NONE, Whole

Ints = npt.NDArray[np.int32]
Longs = npt.NDArray[np.int64]


@njit(cache=True, nogil=True, error_model="numpy")
def _ranked(table: Ints, number: Whole, percent: Whole) -> Whole:
    """X[lo]·100 + (X[lo+1] - X[lo])·rest of a counting table of ``number`` values, k = (n - 1)·p."""
    place = (number - 1) * percent
    rank = place // 100
    at, below = 0, 0
    while below + table[at] <= rank:
        below += table[at]
        at += 1
    high = at
    if rank + 1 < number and rank + 1 >= below + table[at]:
        high += 1
        while table[high] == 0:
            high += 1
    return np.int64(at) * 100 + np.int64(high - at) * (place % 100)


@njit(cache=True, nogil=True, error_model="numpy")
def percentiles(shown: Ints, spans: Ints, percent: Ints, table: Ints, out: Longs) -> None:
    """Percentile of each item's valid daily values in each span, by counting; exact (HJ 663, numpy's ``linear``).

    Parameters
    ----------
    shown : (d, 6) int32 [displayed units]
        Daily values; ``NONE`` = not valid.
    spans : (p, 2) int32
        First row and the row behind the last.
    percent : (6,) int32
        p in hundredths, by item.
    table : (width,) int32
        Scratch, zero on entry and on return, wider than the largest value.
    out : (p, 6) int64 [hundredths of a displayed unit]
        Written; ``NONE`` without a valid day.
    """
    for span in range(spans.shape[0]):
        start, stop = spans[span, 0], spans[span, 1]
        for item in range(6):
            number = np.int64(0)
            for day in range(start, stop):
                value = shown[day, item]
                has = value >= 0
                table[np.uint32(value if has else 0)] += has
                number += has
            out[span, item] = _ranked(table, number, percent[item]) if number else NONE
            for day in range(start, stop):
                table[np.uint32(max(shown[day, item], 0))] = 0


@njit(cache=True, nogil=True, error_model="numpy")
def within(shown: Ints, limits: Ints, count: Ints) -> None:
    """Running numbers of valid daily values that keep their daily limit.

    Parameters
    ----------
    shown : (d, 6) int32 [displayed units]
        ``NONE`` = not valid.
    limits : (6,) int32 [displayed units]
        Daily limits (GB 3095); ozone's is that of the daily maximum 8 h.
    count : (d, 6) int32 [d]
        Written.
    """
    for day in range(shown.shape[0]):
        for item in range(6):
            value = shown[day, item]
            kept = 1 if 0 <= value <= limits[item] else 0
            count[day, item] = kept + (count[day - 1, item] if day else 0)
