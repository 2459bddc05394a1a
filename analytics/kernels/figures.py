"""Sums, counts and percentiles become figures: integers of their last displayed digit, rounded half to even."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from analytics.kernels.whole import NONE, Whole, nearest

Ints = npt.NDArray[np.int32]
Longs = npt.NDArray[np.int64]
Doubles = npt.NDArray[np.float64]
MEANS = 4
"""Items with an annual mean: the first of the six."""
COUNTS = 6
"""Figures that follow means and percentiles: good days, good ratio, heavy days, valid days, capture, composite index."""


class Digits(NamedTuple):
    """How percentiles and ratios are displayed.

    Attributes
    ----------
    places : (k,) int32
        Item of each percentile.
    factors : (k,) int64
        A percentile comes in hundredths of a displayed unit; times its factor over ``parts`` it is in units of its last digit.
    parts : int
    judged : (2, 2) int64
        Row of the percentile of CO and of O3, and the limit that each is divided by in the composite index [displayed units].
    whole : int
        A hundred per cent in units of a ratio's last digit.
    """

    places: Ints
    factors: Longs
    parts: int
    judged: Longs
    whole: int


@njit(cache=True, nogil=True, error_model="numpy")
def means(total: Longs, valid: Ints, steps: Longs, out: Longs) -> None:
    """Means of the first four items.

    Parameters
    ----------
    total : (n, 6) int64
        Exact sums.
    valid : (n, 6) int32
        Values in each sum.
    steps : (4,) int64
        Units of ``total`` in one unit of the result.
    out : (4, n) int64
        Written; ``NONE`` without a value.
    """
    for k in range(MEANS):
        step = steps[k]
        for row in range(total.shape[0]):
            number = valid[row, k]
            mean = nearest(total[row, k], max(number, 1) * step)
            out[k, row] = mean if number > 0 else NONE


@njit(cache=True, nogil=True, error_model="numpy")
def displayed(mean: Longs, parts: Longs, tops: Longs, valid: Ints, counts: Ints, length: Ints, digits: Digits, out: tuple[Ints, Ints]) -> None:
    """All figures of rows that are the ends of running years, or closed periods.

    Parameters
    ----------
    mean, parts : (4, n) int64
        Means in units of their last digit, and as hundredths of their part of the composite index, by :func:`means`.
    tops : (k, n) int64
        Percentiles; ``NONE`` = none.
    valid : (n, 6) int32
        Daily values behind each item.
    counts : (n, 3) int32
        Days with an AQI, good days, heavy days.
    length : (n,) int32
        Calendar days.
    digits : Digits
    out : two (4 + k + 6, n) int32
        Written: the figures (``NONE`` = none), and the values behind each.
    """
    units, behind = out
    first = MEANS + tops.shape[0]
    for row in range(valid.shape[0]):
        for k in range(MEANS):
            units[k, row], behind[k, row] = mean[k, row], valid[row, k]
        for k in range(tops.shape[0]):
            top = tops[k, row]
            units[MEANS + k, row] = nearest(max(top, 0) * digits.factors[k], digits.parts) if top >= 0 else NONE
            behind[MEANS + k, row] = valid[row, digits.places[k]]
        number, good, heavy = counts[row, 0], counts[row, 1], counts[row, 2]
        for k in range(COUNTS - 1):
            behind[first + k, row] = number
        units[first, row], units[first + 2, row], units[first + 3, row] = good, heavy, number
        units[first + 1, row] = nearest(np.int64(good) * digits.whole, np.int64(max(number, 1))) if number > 0 else NONE
        units[first + 4, row] = nearest(np.int64(number) * digits.whole, np.int64(length[row]))
        units[first + 5, row], behind[first + 5, row] = _composite(parts, tops, valid, row, digits)


@njit(cache=True, nogil=True, error_model="numpy")
def _composite(parts: Longs, tops: Longs, valid: Ints, row: Whole, digits: Digits) -> tuple[Whole, Whole]:
    """Composite index in hundredths: the sum of its rounded parts; and the fewest values of an item. ``NONE`` unless all six are there."""
    fewest = valid[row, 0]
    for item in range(1, 6):
        fewest = min(fewest, valid[row, item])
    total = np.int64(0)
    for k in range(MEANS):
        total += parts[k, row]
    for k in range(2):
        total += nearest(max(tops[digits.judged[k, 0], row], 0), digits.judged[k, 1])
    return (total if fewest > 0 else np.int64(NONE)), fewest


@njit(cache=True, nogil=True, error_model="numpy")
def quotients(numerator: Longs, denominator: Longs, out: Longs) -> None:
    """Nearest integers to fractions of non-negative numbers, ties to even (GB/T 8170).

    Parameters
    ----------
    numerator, denominator : (n,) int64
        Numerators below 2⁶¹, quotients below 2³¹.
    out : (n,) int64
        Written; ``NONE`` over 0.
    """
    for place in range(out.shape[0]):
        below = denominator[place]
        quotient = nearest(numerator[place], max(below, 1))
        out[place] = quotient if below > 0 else NONE


@njit(cache=True, nogil=True, error_model="numpy")
def alike(new: Doubles, old: Doubles) -> bool:
    """Whether two rows of numbers are the same, NaN being like NaN."""
    same = True
    for place in range(new.shape[0]):
        one, other = new[place], old[place]
        same &= (one == other) | ((one != one) & (other != other))  # noqa: PLR0124  NaN is the only value unequal to itself
    return same
