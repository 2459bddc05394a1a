"""Sums, counts and percentiles become figures: integers of their last displayed digit, rounded half to even."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from analytics.kernels.whole import NONE, nearest

Ints = npt.NDArray[np.int32]
Longs = npt.NDArray[np.int64]
Doubles = npt.NDArray[np.float64]
Behind = npt.NDArray[np.uint16]
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
    """Means of the first four items, each in several units.

    Parameters
    ----------
    total : (n, 6) int64
        Exact sums.
    valid : (n, 6) int32
        Values in each sum.
    steps : (u, 4) int64
        Units of ``total`` in one unit of the result.
    out : (u, 4, n) int64
        Written; ``NONE`` without a value.
    """
    for u in range(steps.shape[0]):
        for k in range(MEANS):
            step = steps[u, k]
            for row in range(total.shape[0]):
                number = valid[row, k]
                mean = nearest(total[row, k], max(number, 1) * step)
                out[u, k, row] = mean if number > 0 else NONE


@njit(cache=True, nogil=True, error_model="numpy")
def between(running: Longs, spans: Ints, room: Longs, valid: Ints, steps: Longs, out: Longs) -> None:
    """:func:`means` over spans of rows, from running sums.

    Parameters
    ----------
    running : (d, 6) int64
        Running sums.
    spans : (p, 2) int32
        First row and the row behind the last.
    room : (p, 6) int64
        Scratch for their sums.
    valid : (p, 6) int32
        Values in each span.
    steps, out : (u, 4) and (u, 4, p)
    """
    for span in range(spans.shape[0]):
        start, stop = spans[span, 0], spans[span, 1]
        for item in range(running.shape[1]):
            room[span, item] = running[stop - 1, item] - (running[start - 1, item] if start > 0 else np.int64(0))
    means(room, valid, steps, out)


@njit(cache=True, nogil=True, error_model="numpy")
def periodical(made: Longs, tops: Longs, days: tuple[Ints, Ints, Ints, Ints], digits: tuple[Digits, Digits], out: tuple[Ints, Behind]) -> None:
    """:func:`displayed` and :func:`rates` of closed periods.

    Parameters
    ----------
    made : (2, 4, n)
    tops : (6, n) int64
        Percentiles of all items: those of the first four are figures of years only.
    days : four int32 arrays
        ``valid``, ``counts``, ``length`` and ``within``, see there.
    digits : two Digits
        Of the last two percentiles, and of the first four.
    out : (r, f, n) int32 and uint16
    """
    valid, counts, length, within = days
    displayed(made, tops[MEANS:], valid, counts, length, digits[0], out)
    rates(tops[:MEANS], valid, within, digits[1], out)


@njit(cache=True, nogil=True, error_model="numpy")
def displayed(made: Longs, tops: Longs, valid: Ints, counts: Ints, length: Ints, digits: Digits, out: tuple[Ints, Behind]) -> None:
    """All figures of rows that are the ends of running years, or closed periods, under several rule sets; only counts differ between these.

    Figure by figure, so that rows stand side by side.

    Parameters
    ----------
    made : (2, 4, n) int64
        Means in units of their last digit, and as hundredths of their part of the composite index, by :func:`means`.
    tops : (k, n) int64
        Percentiles; ``NONE`` = none.
    valid : (n, 6) int32
        Daily values behind each item.
    counts : (r, n, 3) int32
        Days with an AQI, good days, heavy days.
    length : (n,) int32
        Calendar days.
    digits : Digits
    out : (r, f, n) int32 and uint16, f at least 4 + k + 6
        Written: the figures (``NONE`` = none), and the values behind each.
    """
    units, behind = out
    rows, first = valid.shape[0], MEANS + tops.shape[0]
    for k in range(MEANS):
        for row in range(rows):
            units[0, k, row], behind[0, k, row] = made[0, k, row], valid[row, k]
    _tops(tops, valid, digits, MEANS, (units[0], behind[0]))
    _composite(made, tops, valid, digits, (units[0, first + 5], behind[0, first + 5]))
    for rule in range(counts.shape[0]):
        _counted(counts[rule], length, digits.whole, first, (units[rule], behind[rule]))
        for k in range(first + 6 if rule else 0):
            for row in range(rows if k < first or k == first + 5 else 0):
                units[rule, k, row], behind[rule, k, row] = units[0, k, row], behind[0, k, row]


@njit(cache=True, nogil=True, error_model="numpy")
def _tops(tops: Longs, valid: Ints, digits: Digits, first: int, out: tuple[Ints, Behind]) -> None:
    """Percentiles in units of their last digit."""
    units, behind = out
    for k in range(tops.shape[0]):
        factor, parts, item = digits.factors[k], digits.parts, digits.places[k]
        for row in range(valid.shape[0]):
            top = tops[k, row]
            shown = nearest(max(top, 0) * factor, parts)
            units[first + k, row], behind[first + k, row] = (shown if top >= 0 else NONE), valid[row, item]


@njit(cache=True, nogil=True, error_model="numpy")
def _counted(counts: Ints, length: Ints, whole: int, first: int, out: tuple[Ints, Behind]) -> None:
    """Good days, good ratio, heavy days, valid days and capture."""
    units, behind = out
    for row in range(counts.shape[0]):
        number, good = counts[row, 0], counts[row, 1]
        units[first, row], units[first + 2, row], units[first + 3, row] = good, counts[row, 2], number
        ratio = nearest(np.int64(good) * whole, np.int64(max(number, 1)))
        units[first + 1, row] = ratio if number > 0 else NONE
        units[first + 4, row] = nearest(np.int64(number) * whole, np.int64(length[row]))
    for k in range(COUNTS - 1):
        for row in range(counts.shape[0]):
            behind[first + k, row] = counts[row, 0]


@njit(cache=True, nogil=True, error_model="numpy")
def _composite(made: Longs, tops: Longs, valid: Ints, digits: Digits, out: tuple[Ints, Behind]) -> None:
    """Composite index in hundredths: the sum of its rounded parts; and the fewest values of an item. ``NONE`` unless all six are there."""
    units, behind = out
    co, ozone = digits.judged[0, 0], digits.judged[1, 0]
    one, other = digits.judged[0, 1], digits.judged[1, 1]
    for row in range(valid.shape[0]):
        fewest = min(valid[row, 0], valid[row, 1], valid[row, 2], valid[row, 3], valid[row, 4], valid[row, 5])
        total = made[1, 0, row] + made[1, 1, row] + made[1, 2, row] + made[1, 3, row]
        total += nearest(max(tops[co, row], 0), one) + nearest(max(tops[ozone, row], 0), other)
        units[row], behind[row] = (total if fewest > 0 else np.int64(NONE)), fewest


@njit(cache=True, nogil=True, error_model="numpy")
def rates(tops: Longs, valid: Ints, within: Ints, digits: Digits, out: tuple[Ints, Behind]) -> None:
    """Compliance rates of the six items, and percentiles: the figures that only closed periods have.

    Parameters
    ----------
    tops : (k, n) int64
        Percentiles; ``NONE`` = none.
    valid, within : (n, 6) and (r, n, 6) int32
        Daily values behind each item, and those that keep their limit under each rule set.
    digits : Digits
        Of these percentiles.
    out : (r, f, n) int32 and uint16
        The last 6 + k figures are written (``NONE`` = none), and the values behind each.
    """
    units, behind = out
    first = units.shape[1] - 6 - tops.shape[0]
    for rule in range(within.shape[0]):
        for item in range(6):
            for row in range(valid.shape[0]):
                number = valid[row, item]
                rate = nearest(np.int64(within[rule, row, item]) * digits.whole, np.int64(max(number, 1)))
                units[rule, first + item, row], behind[rule, first + item, row] = (rate if number > 0 else NONE), number
        _tops(tops, valid, digits, first + 6, (units[rule], behind[rule]))


@njit(cache=True, nogil=True, error_model="numpy")
def short(enough: npt.NDArray[np.bool_], needs: npt.NDArray[np.bool_], out: npt.NDArray[np.uint8]) -> None:
    """Which figures are made of too little.

    Parameters
    ----------
    enough : (r, n, k) bool
        Whether there is enough of each thing, by rule set.
    needs : (f, k) bool
        What each figure is made of.
    out : (r, f, n) uint8
        Written: 1 where something is lacking.
    """
    for rule in range(enough.shape[0]):
        for figure in range(needs.shape[0]):
            for row in range(enough.shape[1]):
                out[rule, figure, row] = _lacking(enough[rule, row], needs[figure])


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _lacking(enough: npt.NDArray[np.bool_], needs: npt.NDArray[np.bool_]) -> bool:
    """Whether something is needed of which there is not enough."""
    lacking = False
    for k in range(needs.shape[0]):
        lacking |= needs[k] and not enough[k]
    return lacking


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
