"""Intervals of a meter laid over equal cells of time: hours of a year, or the quarter hours of a pair."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from analytics.kernels.whole import Whole

Longs = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]


@njit(cache=True, nogil=True, error_model="numpy")
def _share(amount: Whole, part: Whole, whole: Whole) -> Whole:
    """``amount`` × ``part`` ÷ ``whole`` rounded down, without leaving 64 bits."""
    quotient, rest = amount // whole, amount % whole
    return quotient * part + rest * part // whole


@njit(cache=True, nogil=True, error_model="numpy")
def _lay(begin: Whole, end: Whole, amount: Whole, mark: Whole, first: Whole, width: Whole, sums: Longs, covered: Longs, marks: Bytes) -> None:
    """Add one interval to the cells that it touches."""
    length = end - begin
    cell = max((begin - first) // width, 0)
    done = _share(amount, max(first - begin, 0), length)
    edge = max(begin, first)
    while edge < end and cell < len(sums):
        stop = min(first + (cell + 1) * width, end)
        upto = amount if stop == end else _share(amount, stop - begin, length)
        sums[cell] += upto - done
        covered[cell] += stop - edge
        marks[cell] |= mark
        done, edge = upto, stop
        cell += 1


@njit(cache=True, nogil=True, error_model="numpy")
def spread(begin: Longs, end: Longs, amount: Longs, flag: Bytes, held: Whole, first: Whole, width: Whole, sums: Longs, covered: Longs, marks: Bytes) -> None:
    """Add intervals to cells; what an interval gives to its cells adds up to the interval exactly.

    Parameters
    ----------
    begin, end : (m,) int64 [s]
        Ascending, not overlapping, ``begin`` < ``end``.
    amount : (m,) int64 [fine units]
        Shared by time over the cells that an interval touches: each edge gets what had turned by then, rounded down.
    flag : (m,) uint8
        Flags below 8; those equal to ``held`` add nothing and cover nothing.
    first : int [s]
        Start of the first cell.
    width : int [s]
    sums, covered : (n,) int64 [fine units], [s]
        Written: amount, and seconds that any counted interval covers.
    marks : (n,) uint8
        Written: bit 1 << flag for every interval that touches the cell, and bit 7 where it was spread over more than a cell's width.
    """
    sums[:] = 0
    covered[:] = 0
    marks[:] = 0
    last = first + width * len(sums)
    for i in range(len(begin)):
        if begin[i] >= last or end[i] <= first:
            continue
        mark = np.uint8(1 << flag[i])
        if flag[i] == held:
            marks[min((end[i] - first - 1) // width, len(sums) - 1)] |= mark
            continue
        if end[i] - begin[i] > width:
            mark |= np.uint8(128)
        _lay(begin[i], end[i], amount[i], mark, first, width, sums, covered, marks)
