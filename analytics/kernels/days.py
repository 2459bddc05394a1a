"""Hours become days: exact daily means and the daily maximum of the 8 h ozone mean."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from analytics.kernels.whole import MISSING, NONE, Whole, nearest

Ints = npt.NDArray[np.int32]
Shorts = npt.NDArray[np.int16]
Longs = npt.NDArray[np.int64]
WIDE: Final = 48
"""Series from which on a row of hours fills the registers."""
CACHE: Final = 65_536
"""Values that stay in the core's own cache while they are read twice."""


class DayLaw(NamedTuple):
    """What the kernels need of the law of days.

    Attributes
    ----------
    means : (25,) int64
        The common denominator divided by each number of hours, 0 where so few hours make no day (below 20, GB 3095-2026
        table 4).
    columns : (k,) int32
        Series that hold ozone.
    ozone : (4,) int32
        Window (8 h); valid hours a window needs (6); windows a day needs (14); the limit above which fewer windows are enough,
        in displayed units (160, HJ 663-2013 6.1.2).
    windows : (10,) int64
        The common denominator divided by each number of hours 1…8 of a window (0: unused); last the units of an exact value in
        one displayed unit of ozone.
    """

    means: Longs
    columns: Ints
    ozone: Ints
    windows: Longs


class Windows(NamedTuple):
    """Room for the ozone windows of a block of b station-days side by side.

    Attributes
    ----------
    base : (b,) uint64
        Place of the day's first hour.
    hours : (24, b) int32 [thousandths]
    total, number, valid : (b,) int32
        Sum and valid hours of the window; windows that were valid so far.
    best : (w + 1, b) int32 [thousandths·h]
        Largest sum among the windows with each number of valid hours so far; ``NONE`` = no such window.
    top : (b,) int64 [1/(1000·common) of the reporting unit]
        The largest of them; ``NONE`` = none.
    folded, folds : (12·s,) int32
        Sums and numbers of valid hours while a day of few series is folded (s < :data:`WIDE`).
    """

    base: npt.NDArray[np.uint64]
    hours: Ints
    total: Ints
    number: Ints
    valid: Ints
    best: Ints
    top: Longs
    folded: Ints
    folds: Ints


@njit(cache=True, nogil=True, error_model="numpy")
def daily(hours: Ints, days: tuple[int, int], law: DayLaw, scratch: Windows, total: Ints, count: Shorts, exact: Longs) -> None:
    """:func:`totals`, :func:`means` and :func:`ozone` of some days at a time, so that their hours are read from memory once.

    Parameters
    ----------
    hours : (24·d, s) int32 [thousandths]
        Whole civil days, rows are hours 1…24; ``MISSING`` = no valid hour.
    days : (int, int)
        First row of days, and the one behind the last.
    law : DayLaw
    scratch : Windows
    total, count, exact : (d, s)
        Written, see there.
    """
    many = max(CACHE // (24 * hours.shape[1]), 1)
    for first in range(days[0], days[1], many):
        some = first, min(first + many, days[1])
        totals(hours, some, (scratch.folded, scratch.folds), total, count)
        means(total, count, some, law.means, exact)
        ozone(hours, some, law, scratch, exact)


@njit(cache=True, nogil=True, error_model="numpy")
def station(hours: Ints, days: tuple[int, int], law: tuple[DayLaw, Longs], scratch: tuple[Windows, Ints, Shorts], out: tuple[Longs, Ints, Ints]) -> None:
    """Some days of a single station.

    Parameters
    ----------
    hours : (24·d, 6) int32 [thousandths]
    days : (int, int)
    law : DayLaw and (6,) int64
        See :func:`daily` and :func:`shown`.
    scratch : Windows, (d, 6) int32 and int16
        Room, and for sums and numbers of hours.
    out : (d, 6) int64, int32 and int32
        Written: exact values, valid hours, displayed units.
    """
    windows, total, count = scratch
    exact, number, units = out
    daily(hours, days, law[0], windows, total, count, exact)
    for day in range(days[0], days[1]):
        for item in range(6):
            value = exact[day, item]
            number[day, item] = count[day, item]
            units[day, item] = nearest(value, law[1][item]) if value >= 0 else np.int64(NONE)


@njit(cache=True, nogil=True, error_model="numpy")
def totals(hours: Ints, days: tuple[int, int], folded: tuple[Ints, Ints], total: Ints, count: Shorts) -> None:
    """Sum and number of the valid hours of each day and series.

    Parameters
    ----------
    hours : (24·d, s) int32 [thousandths]
    days : (int, int)
        First row of days, and the one behind the last.
    folded : two (12·s,) int32
        Scratch for few series.
    total : (d, s) int32 [thousandths·h]
        Written; 24 hours fit while values stay below 89,478 units.
    count : (d, s) int16 [h]
        Written.
    """
    flat = hours.reshape(hours.size)
    for day in range(days[0], days[1]):
        if total.shape[1] < WIDE:
            _fold(flat, day, folded, total, count)
        else:
            _by_hours(hours, day, total, count)


@njit(cache=True, nogil=True, error_model="numpy")
def _fold(flat: Ints, day: Whole, folded: tuple[Ints, Ints], total: Ints, count: Shorts) -> None:
    """Few series: the day's second half is added to its first, and again, so that even one series fills the registers."""
    series = total.shape[1]
    value, number = folded
    start, half = np.uint64(day * 24 * series), np.uint64(12 * series)
    for place in range(12 * series):
        one, other = flat[start + np.uint64(place)], flat[start + half + np.uint64(place)]
        has, too = np.int32(one != MISSING), np.int32(other != MISSING)
        value[place] = np.int32(np.int32(one & np.int32(-has)) + np.int32(other & np.int32(-too)))
        number[place] = np.int32(has + too)
    for left in (6 * series, 3 * series):
        for place in range(left):
            other = np.uint64(left + place)
            value[place] = np.int32(value[place] + value[other])
            number[place] = np.int32(number[place] + number[other])
    for s in range(series):
        second, third = np.uint64(series + s), np.uint64(2 * series + s)
        total[day, s] = np.int32(np.int32(value[s] + value[second]) + value[third])
        count[day, s] = np.int16(number[s] + number[second] + number[third])


@njit(cache=True, nogil=True, error_model="numpy")
def _by_hours(hours: Ints, day: Whole, total: Ints, count: Shorts) -> None:
    """Many series: hour by hour, as they lie in memory."""
    for s in range(total.shape[1]):
        total[day, s], count[day, s] = 0, 0
    for hour in range(day * 24, day * 24 + 24):
        for s in range(total.shape[1]):
            one = hours[hour, s]
            has = np.int32(one != MISSING)
            total[day, s] = np.int32(total[day, s] + np.int32(one & np.int32(-has)))
            count[day, s] = np.int16(count[day, s] + has)


@njit(cache=True, nogil=True, error_model="numpy")
def means(total: Ints, count: Shorts, days: tuple[int, int], factors: Longs, exact: Longs) -> None:
    """Unrounded daily means as integers over one common denominator.

    Parameters
    ----------
    total, count : (d, s)
        From :func:`totals`.
    days : (int, int)
    factors : (25,) int64
        The common denominator divided by each number of hours, 0 where so few hours make no day (below 20, GB 3095-2026
        table 4).
    exact : (d, s) int64 [1/(1000·common) of the reporting unit]
        Written; ``NONE`` = not valid.
    """
    for day in range(days[0], days[1]):
        for s in range(total.shape[1]):
            factor = factors[np.uint16(count[day, s])]
            exact[day, s] = total[day, s] * factor if factor else NONE


@njit(cache=True, nogil=True, error_model="numpy")
def ozone(hours: Ints, days: tuple[int, int], law: DayLaw, scratch: Windows, exact: Longs) -> None:
    """Daily maximum of the 8 h mean over the windows that end with hour 8…24, compared as exact fractions.

    Station-days stand side by side in blocks, because one window after the other is a chain of dependent additions.

    Parameters
    ----------
    hours : (24·d, s) int32 [thousandths]
    days : (int, int)
    law : DayLaw
    scratch : Windows
    exact : (d, s) int64 [1/(1000·common) of the reporting unit]
        Columns of ozone are written; ``NONE`` = not valid.
    """
    columns, window = law.columns, law.ozone[0]
    block, last = scratch.top.shape[0], days[1] * columns.shape[0]
    for start in range(days[0] * columns.shape[0], last, block):
        count = min(block, last - start)
        _lay(hours, columns, (start, count), scratch)
        for hour in range(24):
            _move(hour, window, count, scratch)
            if hour >= window - 1:
                _raise(law.ozone, count, scratch)
        _settle(law, count, scratch)
        day, k = start // columns.shape[0], start % columns.shape[0]
        for lane in range(count):
            exact[day, columns[k]] = scratch.top[lane]
            k += 1
            if k == columns.shape[0]:
                day, k = day + 1, 0


@njit(cache=True, nogil=True, error_model="numpy")
def _lay(hours: Ints, columns: Ints, part: tuple[Whole, Whole], scratch: Windows) -> None:
    """Lay the hours of some station-days side by side."""
    start, count = part
    width = hours.shape[1]
    flat = hours.reshape(hours.size)
    day, k = start // columns.shape[0], start % columns.shape[0]
    for lane in range(count):
        scratch.base[lane] = day * 24 * width + columns[k]
        scratch.total[lane], scratch.number[lane], scratch.valid[lane] = 0, 0, 0
        k += 1
        if k == columns.shape[0]:
            day, k = day + 1, 0
    scratch.best[:] = NONE
    for hour in range(24):
        for lane in range(count):
            scratch.hours[hour, lane] = flat[scratch.base[lane] + np.uint64(hour * width)]


@njit(cache=True, nogil=True, error_model="numpy")
def _move(hour: int, window: Whole, count: Whole, scratch: Windows) -> None:
    """Move the windows on to end with ``hour`` (from 0)."""
    gone = max(hour - window, 0)
    slides = np.int32(hour >= window)
    for lane in range(count):
        new, old = scratch.hours[hour, lane], scratch.hours[gone, lane]
        has, had = np.int32(new != MISSING), np.int32(np.int32(old != MISSING) & slides)
        scratch.total[lane] = np.int32(np.int32(scratch.total[lane] + np.int32(new & np.int32(-has))) - np.int32(old & np.int32(-had)))
        scratch.number[lane] = np.int32(scratch.number[lane] + np.int32(has - had))


@njit(cache=True, nogil=True, error_model="numpy")
def _raise(law: Ints, count: Whole, scratch: Windows) -> None:
    """Keep the larger of the best and the present window with the same number of valid hours."""
    for number in range(law[1], law[0] + 1):
        for lane in range(count):
            here = np.int32(scratch.number[lane] == number)
            scratch.best[number, lane] = max(scratch.best[number, lane], np.int32(scratch.total[lane] | np.int32(here - 1)))
            scratch.valid[lane] = np.int32(scratch.valid[lane] + here)


@njit(cache=True, nogil=True, error_model="numpy")
def _settle(law: DayLaw, count: Whole, scratch: Windows) -> None:
    """Largest means over the common denominator; ``NONE`` where the windows are too few."""
    window, least, enough, limit = law.ozone
    for lane in range(count):
        scratch.top[lane] = NONE
    for number in range(least, window + 1):
        factor = law.windows[number]
        for lane in range(count):
            scratch.top[lane] = max(scratch.top[lane], scratch.best[number, lane] * factor)
    unit = law.windows[window + 1]
    for lane in range(count):
        top = scratch.top[lane]
        stands = (scratch.valid[lane] >= enough) | (nearest(top, unit) > limit)
        scratch.top[lane] = top if stands else np.int64(NONE)


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
            units = nearest(value, steps[s] * parts[day, s])
            out[day, s] = units if value >= 0 else np.int64(NONE)


@njit(cache=True, nogil=True, error_model="numpy")
def turned(units: Ints, hours: Ints, shown: Ints, behind: npt.NDArray[np.uint16], items: npt.NDArray[np.uint8]) -> Whole:
    """Days as rows of figures: displayed units and the hours behind them, item by item, and how many items a day has; returns the largest.

    Parameters
    ----------
    units, hours : (d, 6) int32
        ``NONE`` = not valid; hours not known.
    shown : (6, d) int32 [displayed units]
    behind : (6, d) uint16 [h]
        A published day does not say its hours: it counts as whole.
    items : (d,) uint8
        All three are written.
    """
    top = np.int32(0)
    for day in range(units.shape[0]):
        there = 0
        for item in range(6):
            value, known = units[day, item], hours[day, item]
            shown[item, day] = value
            behind[item, day] = known if known >= 0 else 24 if value >= 0 else 0
            there += value >= 0
            top = max(top, value)
        items[day] = there
    return top


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
