"""Hours become days: exact daily means and the daily maximum of the 8 h ozone mean."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from analytics.kernels.whole import MISSING, NONE, Whole, half_even

Ints = npt.NDArray[np.int32]
Shorts = npt.NDArray[np.int16]
Longs = npt.NDArray[np.int64]


@njit(cache=True, nogil=True, error_model="numpy")
def totals(hours: Ints, total: Ints, count: Shorts) -> None:
    """Sum and number of the valid hours of each day and series.

    Parameters
    ----------
    hours : (24·d, s) int32 [thousandths]
        Whole civil days, rows are hours 1…24; ``MISSING`` = no valid hour.
    total : (d, s) int32 [thousandths·h]
        Written; 24 hours fit while values stay below 89,478 units.
    count : (d, s) int16 [h]
        Written.
    """
    rows, series = hours.shape
    for t in range(rows):
        day = t // 24
        if t % 24 == 0:
            for s in range(series):
                total[day, s] = 0
                count[day, s] = 0
        for s in range(series):
            value = hours[t, s]
            has = np.int32(value != MISSING)
            total[day, s] += value & -has
            count[day, s] += has


@njit(cache=True, nogil=True, error_model="numpy")
def means(total: Ints, count: Shorts, factors: Longs, exact: Longs) -> None:
    """Unrounded daily means as integers over one common denominator.

    Parameters
    ----------
    total, count : (d, s)
        From :func:`totals`.
    factors : (25,) int64
        The common denominator divided by each number of hours, 0 where so few hours make no day (below 20, GB 3095-2026
        table 4).
    exact : (d, s) int64 [1/(1000·common) of the reporting unit]
        Written; ``NONE`` = not valid.
    """
    days, series = total.shape
    for day in range(days):
        for s in range(series):
            factor = factors[np.uint16(count[day, s])]
            exact[day, s] = total[day, s] * factor if factor else NONE


@njit(cache=True, nogil=True, error_model="numpy")
def _top(hours: Ints, start: int, s: int, window: int, least: int) -> tuple[Whole, Whole, Whole]:
    """Sum, count of the day's largest window that ends with hour ``window``…24, and how many windows are valid."""
    best, among, valid = np.int64(0), np.int64(1), 0
    total, number = np.int64(0), np.int64(0)
    for hour in range(24):
        value = hours[start + hour, s]
        if value != MISSING:
            total += value
            number += 1
        if hour >= window and hours[start + hour - window, s] != MISSING:
            total -= hours[start + hour - window, s]
            number -= 1
        if hour >= window - 1 and number >= least:
            if valid == 0 or total * among > best * number:
                best, among = total, number
            valid += 1
    return best, among, valid


@njit(cache=True, nogil=True, error_model="numpy")
def ozone(hours: Ints, columns: Ints, law: Ints, common: int, exact: Longs) -> None:
    """Daily maximum of the 8 h mean over the windows that end with hour 8…24, compared as exact fractions.

    Parameters
    ----------
    hours : (24·d, s) int32 [thousandths]
    columns : (k,) int32
        Series that hold ozone; only these columns of ``exact`` are written.
    law : (5,) int32
        Window (8 h); valid hours a window needs (6); windows a day needs (14); the limit above which fewer windows are enough,
        in displayed units (160, HJ 663-2013 6.1.2); thousandths in one displayed unit.
    common : int
        Multiple of every window's count: 212,520.
    exact : (d, s) int64 [1/(1000·common) of the reporting unit]
        Written; ``NONE`` = not valid.
    """
    for day in range(hours.shape[0] // 24):
        for s in columns:
            best, among, valid = _top(hours, day * 24, s, law[0], law[1])
            exceeds = valid > 0 and half_even(best, among * law[4]) > law[3]
            exact[day, s] = best * (common // among) if valid >= law[2] or exceeds else NONE


@njit(cache=True, nogil=True, error_model="numpy")
def shown(exact: Longs, parts: Ints, steps: Longs, out: Ints) -> None:
    """Displayed units of exact values, half to even.

    Parameters
    ----------
    exact : (d, s) int64
        Sum of ``parts`` values; ``NONE`` = not valid.
    parts : (d, s) int32
        1 for a station, the number of stations for a city.
    steps : (s,) int64 [units of ``exact`` in one displayed unit]
    out : (d, s) int32 [displayed units]
        Written; ``NONE`` = not valid.
    """
    days, series = exact.shape
    for day in range(days):
        for s in range(series):
            value = exact[day, s]
            out[day, s] = NONE if value < 0 else half_even(value, steps[s] * parts[day, s])


@njit(cache=True, nogil=True, error_model="numpy")
def city(exact: Longs, members: npt.NDArray[np.uint8], quorum: Ints, total: Longs, parts: Ints) -> None:
    """City values: the sum over its stations where enough of them are valid.

    Parameters
    ----------
    exact : (d, n, 6) int64
        Values of the stations; ``NONE`` = not valid.
    members : (d, n) uint8
        1 = the station belongs to the city's assessment on that day.
    quorum : (n + 1,) int32
        Valid stations needed, by number of members.
    total : (d, 6) int64
        Written: sum over the valid members, ``NONE`` without quorum.
    parts : (d, 6) int32
        Written: how many were valid.
    """
    days, stations, items = exact.shape
    for day in range(days):
        of = 0
        for n in range(stations):
            of += members[day, n]
        for item in range(items):
            value, number = np.int64(0), 0
            for n in range(stations):
                has = members[day, n] != 0 and exact[day, n, item] >= 0
                value += exact[day, n, item] if has else 0
                number += has
            enough = number > 0 and number >= quorum[of]
            total[day, item] = value if enough else NONE
            parts[day, item] = number
