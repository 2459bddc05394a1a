"""Running means over hours, time-major: the inner loop runs over series, so that it has no chain of dependent additions."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from analytics.kernels.past import stream
from analytics.kernels.whole import MISSING, NONE, Whole, half_even, settled

Ints = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float32]
UNIT: Final = np.float32(1000)
"""An hour's weight in a sum of thousandths: the divisor is carried along ready made, exact as a float of 24 bits up to 16,777 hours."""


class State(NamedTuple):
    """Scratch of s series."""

    total: Ints
    """(s,) int32 [thousandths·h]: sums of the hours in the window."""
    weight: Floats
    """(s,) float32 [thousands of h]: what divides them."""
    line: Floats
    """(s,) float32: a row of means, to be written past the caches, if ``out`` lies as :func:`stream` asks; (0,): rows are written as they are made."""


@njit(cache=True, nogil=True, error_model="numpy")
def sums(hours: Ints, window: int, total: Ints, count: Ints) -> None:
    """Exact sum and number of valid hours in the ``window`` hours that end with each row.

    Parameters
    ----------
    hours : (t, s) int32 [thousandths of the reporting unit]
        Oldest first; ``MISSING`` = no valid hour.
    window : int [h]
    total, count : (t, s) int32
        Written. A sum of 24 hours fits while values stay below 89,478 units.
    """
    rows, series = hours.shape
    for t in range(rows):
        for s in range(series):
            new = hours[t, s]
            has = np.int32(new != MISSING)
            add = new & -has
            number = has
            if t > 0:
                add += total[t - 1, s]
                number += count[t - 1, s]
            if t >= window:
                old = hours[t - window, s]
                had = np.int32(old != MISSING)
                add -= old & -had
                number -= had
            total[t, s] = add
            count[t, s] = number


@njit(cache=True, nogil=True, error_model="numpy")
def means(hours: Ints, window: int, least: int, first: int, state: State, out: Floats) -> None:
    """Running means for charts: exact sums, quotient as float32, NaN below ``least`` valid hours.

    Never a published figure: the quotient has 24 bits. Rows before ``first`` only warm up and are not written, so that
    blocks of time can be computed apart: ``out[0]`` belongs to ``hours[first]``.

    Parameters
    ----------
    hours : (t, s) int32 [thousandths of the reporting unit]
    window, least : int [h]
    first : int
    state : State
        Scratch of s series; left with the last row's sums.
    out : (t - first, s) float32 [reporting unit]
        Written.
    """
    total, weight, line = state  # a tuple's part would be counted as held and let go in every row, and that waits for all stores
    begin = max(0, first - window)
    full = min(begin + window, hours.shape[0])
    for s in range(hours.shape[1]):
        total[s] = 0
        weight[s] = 0
    for t in range(begin, full):
        _enter(hours, t, total, weight)
        if t >= first:
            _divide(total, weight, least, t - first, out)
    for t in range(full, hours.shape[0]):
        if line.shape[0] > 0:
            _slide(hours, (t, t - window), total, weight, least, line)
            stream(line, out, t - first)
        else:
            _slide(hours, (t, t - window), total, weight, least, out[t - first])


# The compiler adds and subtracts int32 in 64 bits; without the casts the loops below take half the lanes and twice the time.


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _enter(hours: Ints, t: Whole, total: Ints, weight: Floats) -> None:
    """Add row ``t``."""
    for s in range(hours.shape[1]):
        new = hours[t, s]
        has = new != MISSING
        total[s] = np.int32(total[s] + (new if has else np.int32(0)))
        weight[s] = np.float32(weight[s] + (UNIT if has else np.float32(0)))


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _slide(hours: Ints, place: tuple[Whole, Whole], total: Ints, weight: Floats, least: Whole, line: Floats) -> None:
    """Add a row, take the row of a window before away, and make the quotients, all in one loop."""
    t, gone = place
    enough = np.float32(least * UNIT)
    for s in range(hours.shape[1]):
        new, old = hours[t, s], hours[gone, s]
        has, had = new != MISSING, old != MISSING
        value = np.int32(np.int32(total[s] + (new if has else np.int32(0))) - (old if had else np.int32(0)))
        below = np.float32(np.float32(weight[s] + (UNIT if has else np.float32(0))) - (UNIT if had else np.float32(0)))
        total[s], weight[s] = value, below
        line[s] = np.float32(value) / below if below >= enough else np.float32(np.nan)


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _divide(total: Ints, weight: Floats, least: Whole, row: Whole, out: Floats) -> None:
    """Write the quotients of a row."""
    enough = np.float32(least * UNIT)
    for s in range(out.shape[1]):
        out[row, s] = np.float32(total[s]) / weight[s] if weight[s] >= enough else np.float32(np.nan)


@njit(cache=True, nogil=True, error_model="numpy")
def rounded(total: Ints, count: Ints, least: int, steps: Ints, out: Ints) -> None:
    """Running means in displayed units, half to even.

    Parameters
    ----------
    total, count : (t, s) int32
        From :func:`sums`.
    least : int [h]
        Valid hours needed (24 h mean: 20, GB 3095-2026 table 4).
    steps : (s,) int32 [thousandths in one displayed unit]
    out : (t, s) int32 [displayed units]
        Written; ``NONE`` below ``least``.
    """
    rows, series = total.shape
    for t in range(rows):
        for s in range(series):
            number = count[t, s]
            below = np.int32(max(number, np.int32(1)) * steps[s])
            low = np.int32(np.float64(total[t, s]) / np.float64(below))
            units = settled(low, np.int32(total[t, s] - np.int32(low * below)), below)
            out[t, s] = units if number >= least else np.int32(NONE)


@njit(cache=True, nogil=True, error_model="numpy")
def alone(hours: Ints, window: int, law: tuple[Whole, Whole, Whole], room: tuple[Ints, Ints], shown: Any, behind: Any) -> None:
    """Running means of one series in displayed units, half to even: :func:`sums` and :func:`rounded` of it, in two passes.

    Sums of one series are a chain, so they go alone; their quotients run side by side.

    Parameters
    ----------
    hours : (window + n, s) int32 [thousandths of the reporting unit]
        The rows of the window before the first mean are there.
    window : int [h]
    law : (uint64, int32, int32)
        Column of the series; valid hours needed; thousandths in one displayed unit.
    room : two (n,) int32
        Scratch.
    shown : (n,) int16 [displayed units]
        Written; ``NONE`` with too few valid hours.
    behind : (n,) uint8 [h]
        Written: the valid hours of a mean that is there, 0 without one.
    """
    column, least, step = law
    total, number = room
    value, count = np.int32(0), np.int32(0)
    for t in range(window):
        new = hours[t, column]
        has = np.int32(new != MISSING)
        value, count = np.int32(value + np.int32(new & np.int32(-has))), np.int32(count + has)
    for place in range(shown.shape[0]):
        new, old = hours[np.uint64(window + place), column], hours[np.uint64(place), column]
        has, had = np.int32(new != MISSING), np.int32(old != MISSING)
        value = np.int32(value + np.int32(np.int32(new & np.int32(-has)) - np.int32(old & np.int32(-had))))
        count = np.int32(count + np.int32(has - had))
        total[place], number[place] = value, count
    for place in range(shown.shape[0]):
        below = np.int32(max(number[place], np.int32(1)) * step)
        low = np.int32(np.float64(total[place]) / np.float64(below))
        units = settled(low, np.int32(total[place] - np.int32(low * below)), below)
        enough = number[place] >= least
        shown[place] = np.int16(units if enough else np.int32(NONE))
        behind[place] = np.uint8(number[place] if enough else np.int32(0))


@njit(cache=True, nogil=True, error_model="numpy")
def ozone(hours: Ints, window: int, least: int, step: int, out: Ints) -> None:
    """Day-bounded 8 h means: hours 1…h before hour 8, then the last 8 hours; half to even.

    Bounded by the day as the national platform shows it (157 of 157 published windows); before hour 8 three quarters of the
    hours must be valid, from hour 8 on ``least`` of ``window``.

    Parameters
    ----------
    hours : (24·d, s) int32 [thousandths]
        Whole civil days, rows are hours 1…24.
    window, least : int [h]
    step : int [thousandths in one displayed unit]
    out : (24·d, s) int32 [displayed units]
        Written; ``NONE`` = not valid.
    """
    rows, series = hours.shape
    for t in range(rows):
        hour = t % 24 + 1
        length = min(hour, window)
        needed = least if hour >= window else (length * 3 + 3) // 4
        for s in range(series):
            total, number = _back(hours, t, s, length)
            out[t, s] = half_even(total, number * step) if number >= needed else NONE


@njit(cache=True, nogil=True, error_model="numpy")
def _back(hours: Ints, t: Whole, s: Whole, length: Whole) -> tuple[Whole, Whole]:
    """Sum and number of the valid among the ``length`` hours that end with row ``t``."""
    total, number = np.int64(0), np.int64(0)
    for row in range(t - length + 1, t + 1):
        has = hours[row, s] != MISSING
        total += hours[row, s] if has else 0
        number += has
    return total, number
