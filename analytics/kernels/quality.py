"""Quality rules on hours in one pass, time-major: range, rate of change, spike, standing still, relation, copy of a neighbour."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from analytics.kernels.whole import MISSING

Ints = npt.NDArray[np.int32]
Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]
RANGE, RATE, STUCK, SPIKE, RELATION, COPY = (np.uint8(1 << bit) for bit in range(6))


@njit(cache=True, nogil=True, error_model="numpy")
def scan(hours: Ints, numbers: Ints, share: Floats, out: Bytes) -> None:
    """Flag range, rate, spike and standing values of every item.

    Parameters
    ----------
    hours : (t, k) int32 [thousandths]
        ``MISSING`` = no value; a gap ends no standing run and begins no rate.
    numbers : (k, 5) int32
        Low, high, rate, floor [thousandths] and hours of standing, by item.
    share : (k,) float64
        Share of the larger value that a change must exceed too.
    out : (t, k) uint8
        Written: bits of the rules.
    """
    out[:] = 0
    for k in range(hours.shape[1]):
        low, high, rate, floor, least = numbers[k]
        _ranges(hours[:, k], low, high, out[:, k])
        _changes(hours[:, k], float(rate), share[k], out[:, k])
        _standing(hours[:, k], floor, least, out[:, k])


@njit(cache=True, nogil=True, error_model="numpy")
def _ranges(values: Ints, low: int, high: int, out: Bytes) -> None:
    for t in range(len(values)):
        if values[t] != MISSING and (values[t] < low or values[t] > high):
            out[t] |= RANGE


@njit(cache=True, nogil=True, error_model="numpy")
def _changes(values: Ints, rate: float, share: float, out: Bytes) -> None:
    before = 0
    for t in range(1, len(values)):
        jump = values[t] - values[t - 1] if values[t] != MISSING and values[t - 1] != MISSING else 0
        limit = max(rate, share * max(values[t], values[t - 1]))
        if abs(jump) > limit and abs(before) > limit and (before > 0) != (jump > 0):
            # What came back at once was a spike and no change, as which the hour before had been flagged.
            out[t - 1] = (out[t - 1] & ~RATE) | SPIKE
        elif abs(jump) > limit:
            out[t] |= RATE
        before = jump


@njit(cache=True, nogil=True, error_model="numpy")
def _standing(values: Ints, floor: int, least: int, out: Bytes) -> None:
    run, begin, last = 0, 0, MISSING
    for t in range(len(values)):
        if values[t] == MISSING:
            continue
        if values[t] != last or values[t] <= floor:
            run, begin, last = 1, t, values[t]
            continue
        run += 1
        if run == least:
            _mark(values, begin, t, out)
        if run >= least:
            out[t] |= STUCK


@njit(cache=True, nogil=True, error_model="numpy")
def _mark(values: Ints, begin: int, end: int, out: Bytes) -> None:
    for t in range(begin, end):
        out[t] |= STUCK * np.uint8(values[t] != MISSING)


@njit(cache=True, nogil=True, error_model="numpy")
def relation(part: Ints, whole: Ints, factor: float, least: int, flags: Bytes) -> None:
    """Flag hours in which a part exceeds its whole: (t,) each, thousandths."""
    for t in range(len(part)):
        if part[t] != MISSING and whole[t] != MISSING and part[t] > factor * whole[t] and part[t] - whole[t] > least:
            flags[t] |= RELATION


@njit(cache=True, nogil=True, error_model="numpy")
def copied(own: Ints, other: Ints, items: int, least: int, out: Bytes) -> None:
    """Flag runs of hours in which all values that both stations have are equal.

    Parameters
    ----------
    own, other : (t, k) int32 [thousandths]
    items : int
        So many values must be there on both sides.
    least : int [h]
        Length of a run that is no chance.
    out : (t, k) uint8
        The bit is added.
    """
    begin = 0
    for t in range(len(own) + 1):
        if t < len(own) and _equal(own[t], other[t]) >= items:
            continue
        if t - begin >= least:
            _copy(own, begin, t, out)
        begin = t + 1


@njit(cache=True, nogil=True, error_model="numpy")
def _equal(own: Ints, other: Ints) -> int:
    """How many values agree; negative if any differs."""
    same = 0
    for k in range(len(own)):
        if own[k] != MISSING and other[k] != MISSING:
            if own[k] != other[k]:
                return -1
            same += 1
    return same


@njit(cache=True, nogil=True, error_model="numpy")
def _copy(own: Ints, begin: int, end: int, out: Bytes) -> None:
    for t in range(begin, end):
        for k in range(own.shape[1]):
            out[t, k] |= COPY * np.uint8(own[t, k] != MISSING)
