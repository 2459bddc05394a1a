"""Sums, counts and percentiles become figures: integers of their last displayed digit, rounded half to even."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
from numba import njit

from analytics.kernels.whole import MEANS, NONE, Whole, nearest

Ints = npt.NDArray[np.int32]
Longs = npt.NDArray[np.int64]
Behind = npt.NDArray[np.uint16]
COUNTS = 6
"""Figures that follow means and percentiles: good days, good ratio, heavy days, valid days, capture, composite index."""


Series: TypeAlias = Ints | tuple[Ints, ...]
SeriesBehind: TypeAlias = Behind | tuple[Behind, ...]


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
    total : (6, n) int64
        Exact sums.
    valid : (6, n) int32
        Values in each sum.
    steps : (u, 4) int64
        Units of ``total`` in one unit of the result.
    out : (u, 4, n) int64
        Written; ``NONE`` without a value.
    """
    for u in range(steps.shape[0]):
        for k in range(MEANS):
            step, sums, numbers, shown = steps[u, k], total[k], valid[k], out[u, k]
            for row in range(shown.shape[0]):
                number = np.int64(numbers[row])
                mean = nearest(sums[row], max(number, np.int64(1)) * step)
                shown[row] = mean if number > 0 else np.int64(NONE)


@njit(cache=True, nogil=True, error_model="numpy")
def between(running: Longs, spans: Ints, room: Longs, valid: Ints, steps: Longs, out: Longs) -> None:
    """:func:`means` over spans of rows, from running sums.

    Parameters
    ----------
    running : (6, d) int64
        Running sums.
    spans : (p, 2) int32
        First row and the row behind the last.
    room : (6, p) int64
        Written: their sums.
    valid : (6, p) int32
        Values in each span.
    steps, out : (u, 4) and (u, 4, p)
    """
    for span in range(spans.shape[0]):
        start, stop = spans[span, 0], spans[span, 1]
        for item in range(running.shape[0]):
            room[item, span] = running[item, stop - 1] - (running[item, start - 1] if start > 0 else np.int64(0))
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
def displayed(made: Longs, tops: Longs, valid: Ints, counts: Ints, length: Ints, digits: Digits, out: tuple[Series, SeriesBehind]) -> None:
    """All figures of rows that are the ends of running years, or closed periods, under several rule sets; only counts differ between these.

    Figure by figure, so that rows stand side by side.

    Parameters
    ----------
    made : (2, 4, n) int64
        Means in units of their last digit, and as hundredths of their part of the composite index, by :func:`means`.
    tops : (k, n) int64
        Percentiles; ``NONE`` = none.
    valid : (6, n) int32
        Daily values behind each item.
    counts : (r, 3, n) int32
        Days with an AQI, good days, heavy days.
    length : (n,) int32
        Calendar days.
    digits : Digits
    out : r times (f, n) int32 and uint16, f at least 4 + k + 6
        Written: the figures (``NONE`` = none), and the values behind each.
    """
    units, behind = out[0][0], out[1][0]
    rows, first = units.shape[1], MEANS + tops.shape[0]
    for k in range(MEANS):
        for row in range(rows):
            units[k, row], behind[k, row] = made[0, k, row], valid[k, row]
    _tops(tops, valid, digits, MEANS, (units, behind))
    _composite(made, tops, valid, digits, (units[first + 5], behind[first + 5]))
    for rule in range(counts.shape[0]):
        own, of = out[0][rule], out[1][rule]
        _counted(counts[rule], length, digits.whole, first, (own, of))
        for k in range(first + 6 if rule else 0):
            for row in range(rows if k < first or k == first + 5 else 0):
                own[k, row], of[k, row] = units[k, row], behind[k, row]


@njit(cache=True, nogil=True, error_model="numpy")
def _tops(tops: Longs, valid: Ints, digits: Digits, first: int, out: tuple[Ints, Behind]) -> None:
    """Percentiles in units of their last digit."""
    units, behind = out
    for k in range(tops.shape[0]):
        factor, parts, own = digits.factors[k], np.int64(digits.parts), valid[digits.places[k]]
        for row in range(units.shape[1]):
            top = tops[k, row]
            shown = nearest(max(top, np.int64(0)) * factor, parts)
            units[first + k, row], behind[first + k, row] = (shown if top >= 0 else np.int64(NONE)), own[row]


@njit(cache=True, nogil=True, error_model="numpy")
def _counted(counts: Ints, length: Ints, whole: int, first: int, out: tuple[Ints, Behind]) -> None:
    """Good days, good ratio, heavy days, valid days and capture."""
    units, behind = out
    days, good, heavy = counts[0], counts[1], counts[2]
    for row in range(units.shape[1]):
        units[first, row], units[first + 2, row], units[first + 3, row] = good[row], heavy[row], days[row]
    for row in range(units.shape[1]):
        number = np.int64(days[row])
        ratio = nearest(np.int64(good[row]) * whole, max(number, np.int64(1)))
        units[first + 1, row] = ratio if number > 0 else np.int64(NONE)
        units[first + 4, row] = nearest(number * whole, np.int64(length[row]))
    for k in range(COUNTS - 1):
        for row in range(units.shape[1]):
            behind[first + k, row] = days[row]


@njit(cache=True, nogil=True, error_model="numpy")
def _composite(made: Longs, tops: Longs, valid: Ints, digits: Digits, out: tuple[Ints, Behind]) -> None:
    """Composite index in hundredths: the sum of its rounded parts; and the fewest values of an item. ``NONE`` unless all six are there."""
    units, behind = out
    co, ozone = digits.judged[0, 0], digits.judged[1, 0]
    one, other = digits.judged[0, 1], digits.judged[1, 1]
    for row in range(units.shape[0]):
        fewest = min(valid[0, row], valid[1, row], valid[2, row], valid[3, row], valid[4, row], valid[5, row])
        total = made[1, 0, row] + made[1, 1, row] + made[1, 2, row] + made[1, 3, row]
        total += nearest(max(tops[co, row], np.int64(0)), one) + nearest(max(tops[ozone, row], np.int64(0)), other)
        units[row], behind[row] = (total if fewest > 0 else np.int64(NONE)), fewest


@njit(cache=True, nogil=True, error_model="numpy")
def rates(tops: Longs, valid: Ints, within: Ints, digits: Digits, out: tuple[Ints, Behind]) -> None:
    """Compliance rates of the six items, and percentiles: the figures that only closed periods have.

    Parameters
    ----------
    tops : (k, n) int64
        Percentiles; ``NONE`` = none.
    valid, within : (6, n) and (r, 6, n) int32
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
            for row in range(valid.shape[1]):
                number = np.int64(valid[item, row])
                rate = nearest(np.int64(within[rule, item, row]) * digits.whole, max(number, np.int64(1)))
                units[rule, first + item, row], behind[rule, first + item, row] = (rate if number > 0 else np.int64(NONE)), number
        _tops(tops, valid, digits, first + 6, (units[rule], behind[rule]))


@njit(cache=True, nogil=True, error_model="numpy")
def short(enough: npt.NDArray[np.bool_], needs: npt.NDArray[np.uint8], out: npt.NDArray[np.uint8]) -> None:
    """Which figures are made of too little.

    Parameters
    ----------
    enough : (r, k, n) bool
        Whether there is enough of each thing, by rule set; k up to 8.
    needs : (f,) uint8
        What each figure is made of: bit i = thing i.
    out : (r, f, n) uint8
        Written: 1 where something is lacking.
    """
    for rule in range(enough.shape[0]):
        for row in range(enough.shape[2]):
            lacking = np.uint8(0)
            for k in range(enough.shape[1]):
                lacking |= np.uint8(not enough[rule, k, row]) << np.uint8(k)
            for figure in range(needs.shape[0]):
                out[rule, figure, row] = (needs[figure] & lacking) != 0


@njit(cache=True, nogil=True, error_model="numpy")
def standard(total: Longs, year: tuple[Ints, Longs, npt.NDArray[np.bool_]], limits: Longs, power: int, out: tuple[Longs, npt.NDArray[np.uint8]]) -> None:
    """Compliance of the last of some periods: the largest exceedance multiple of its means and percentiles, and the items that exceed.

    Parameters
    ----------
    total : (6, p) int64
        Exact sums.
    year : (6, p) int32, (6, p) int64, (r, 7, p) bool
        Values in each sum; percentiles; whether there is enough of each item.
    limits : (2, r, 6) int64
        Limits of means in units of ``total``, and of percentiles; 0 = none.
    power : int
        Parts of one that multiples are given in.
    out : (r, 2) int64 and (r, 2) uint8
        Written: the multiple (0 within the limits, ``NONE`` without a value) and the fewest values of an item; 1 with too few
        values, 2 if everything keeps its limits, 3 if not, and bit i = item i exceeds.
    """
    valid, tops, enough = year
    last = valid.shape[1] - 1
    for rule in range(limits.shape[1]):
        worst, fewest, mask, missing, full = np.int64(NONE), np.int64(valid[0, last]), np.int64(0), False, True
        for item in range(6):
            number, top = np.int64(valid[item, last]), tops[item, last]
            mean, above = _over(total[item, last] if number > 0 else np.int64(NONE), limits[0, rule, item] * number, power)
            rank, beyond = _over(top, limits[1, rule, item], power)
            worst, fewest = max(worst, mean, rank), min(fewest, number)
            missing, full = missing | (max(mean, rank) < 0), full & enough[rule, item, last]
            mask |= np.int64(above | beyond) << item
        out[0][rule, 0], out[0][rule, 1] = worst, fewest
        out[1][rule, 0], out[1][rule, 1] = 1 if (missing and mask == 0) or not full else 3 if mask else 2, mask


@njit(cache=True, nogil=True, error_model="numpy")
def _over(value: Whole, limit: Whole, power: Whole) -> tuple[Whole, bool]:
    """Exceedance multiple in parts of one, and whether the limit is not kept: a multiple may be rounded to 0."""
    if value < 0 or limit <= 0:
        return np.int64(NONE), False
    return nearest(max(value - limit, np.int64(0)) * power, limit), value > limit


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
