"""Hours become days: exact daily means and the daily maximum of the 8 h ozone mean."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from analytics.kernels.ahead import LINE, fetch
from analytics.kernels.whole import MISSING, NONE, Whole, nearest

Ints = npt.NDArray[np.int32]
Longs = npt.NDArray[np.int64]
ITEMS: Final = 6
WIDE: Final = 48
"""Series from which on a row of hours fills the registers."""
CHUNK: Final = 256
"""Station-days that are worked on at a time: their hours stay in the core's own cache while they are read twice."""
NEAR: Final = 4_000_000
"""Hours that the last cache may hold: of more than these, the next chunk is asked for ahead."""


class DayLaw(NamedTuple):
    """What the kernels need of the law of days.

    Attributes
    ----------
    means : (25,) int64
        The common denominator divided by each number of hours, 0 where so few hours make no day (below 20, GB 3095-2026
        table 4).
    ozone : (5,) int32
        Its place among the items; window (8 h); valid hours a window needs (6); windows a day needs (14); the limit above which
        fewer windows are enough, in displayed units (160, HJ 663-2013 6.1.2).
    windows : (10,) int64
        The common denominator divided by each number of hours 1…8 of a window (0: unused); last the units of an exact value in
        one displayed unit of ozone.
    steps : (256 · 6,) int64
        Units of an exact value in one displayed unit, item by item, again and again.
    """

    means: Longs
    ozone: Ints
    windows: Longs
    steps: Longs


class Windows(NamedTuple):
    """Room for the ozone windows of a block of b station-days side by side, and for the sums of a chunk.

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
    sums, counts : (256 · 6,) int32
        Sums of days and their valid hours.
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
    sums: Ints
    counts: Ints


@njit(cache=True, nogil=True, error_model="numpy")
def daily(hours: Ints, days: tuple[int, int], own: tuple[int, int], law: DayLaw, scratch: Windows, out: tuple[Longs, Ints, Ints]) -> None:
    """Daily values of some stations, some station-days at a time: of each the means and ozone's maximum, exact and as displayed.

    Parameters
    ----------
    hours : (24·d, 6·n) int32 [thousandths]
        Whole civil days, rows are hours 1…24; ``MISSING`` = no valid hour.
    days : (int, int)
        First row of days, and the one behind the last.
    own : (int, int)
        First station and how many; of few series all.
    law : DayLaw
    scratch : Windows
    out : (d · 6m,) int64 [1/(1000·common) of the reporting unit], int32 [h] and int32 [displayed units]
        Written: exact values, valid hours and displayed values; ``NONE`` = not valid.
    """
    exact, number, shown = out
    stations = own[1]
    chunk = CHUNK if hours.shape[1] >= WIDE else CHUNK // stations * stations
    begin, end = days[0] * stations, days[1] * stations
    for first in range(begin, end, chunk):
        last, place = min(first + chunk, end), np.uint64(ITEMS * (first - begin))
        _sum(hours, (first, last), own, scratch)
        _divide(place, ITEMS * (last - first), law.means, scratch, (exact, number))
        _ozone(hours, (first, last), own, law, scratch, (exact, place))
        _show(place, ITEMS * (last - first), law.steps, exact, shown)


@njit(cache=True, nogil=True, error_model="numpy")
def _sum(hours: Ints, part: tuple[Whole, Whole], own: tuple[Whole, Whole], scratch: Windows) -> None:
    """Sums and numbers of the valid hours of some station-days."""
    first, last = part
    days, flat, out = (first // own[1], (last - 1) // own[1] + 1), hours.reshape(hours.size), (scratch.sums, scratch.counts)
    if hours.shape[1] < WIDE:
        fold(flat, days, hours.shape[1], (scratch.folded, scratch.folds), out)
        return
    for day in range(days[0], days[1]):
        begin, end = max(first - day * own[1], 0), min(last - day * own[1], own[1])
        series, place = (np.uint64(ITEMS * (own[0] + begin)), ITEMS * (end - begin)), np.uint64(ITEMS * (begin + day * own[1] - first))
        by_hours(hours, day, series, out, place)


# Both give the sum and the number of the valid hours of days; 24 hours fit while values stay below 89,478 units.


@njit(cache=True, nogil=True, error_model="numpy")
def fold(flat: Ints, days: tuple[Whole, Whole], series: Whole, folded: tuple[Ints, Ints], out: tuple[Ints, Ints]) -> None:
    """Few series: the day's second half is added to its first, and again, so that even one series fills the registers.

    Parameters
    ----------
    flat : (24·d · s,) int32 [thousandths]
    days : (int, int)
        First day and the one behind the last.
    series : int
    folded : two (12·s,) int32
        Scratch.
    out : two (m,) int32 [thousandths·h] and [h]
        Written, day by day.
    """
    value, number = folded
    for day in range(days[0], days[1]):
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
        to = np.uint64((day - days[0]) * series)
        for s in range(series):
            second, third = np.uint64(series + s), np.uint64(2 * series + s)
            out[0][to + np.uint64(s)] = np.int32(np.int32(value[s] + value[second]) + value[third])
            out[1][to + np.uint64(s)] = np.int32(np.int32(number[s] + number[second]) + number[third])


@njit(cache=True, nogil=True, error_model="numpy")
def by_hours(hours: Ints, day: Whole, part: tuple[Whole, Whole], out: tuple[Ints, Ints], place: Whole) -> None:
    """Many series: hour by hour, as they lie in memory.

    Parameters
    ----------
    hours : (24·d, s) int32 [thousandths]
    day : int
    part : (uint64, int)
        First series and how many.
    out : two (m,) int32 [thousandths·h] and [h]
        Written, from ``place`` on.
    """
    first, width = part
    total, count = out
    for s in range(width):
        total[place + np.uint64(s)], count[place + np.uint64(s)] = 0, 0
    for hour in range(day * 24, day * 24 + 24):
        for s in range(width):
            one, lane = hours[hour, first + np.uint64(s)], place + np.uint64(s)
            has = np.int32(one != MISSING)
            total[lane] = np.int32(total[lane] + np.int32(one & np.int32(-has)))
            count[lane] = np.int32(count[lane] + has)


@njit(cache=True, nogil=True, error_model="numpy")
def _divide(first: Whole, width: Whole, factors: Longs, scratch: Windows, out: tuple[Longs, Ints]) -> None:
    """Unrounded daily means as integers over one common denominator, and the hours behind them."""
    exact, number = out
    for lane in range(width):
        hours = scratch.counts[lane]
        factor = factors[np.uint32(hours)]
        exact[first + np.uint64(lane)] = scratch.sums[lane] * factor if factor else np.int64(NONE)
        number[first + np.uint64(lane)] = hours


@njit(cache=True, nogil=True, error_model="numpy")
def _show(first: Whole, width: Whole, steps: Longs, exact: Longs, shown: Ints) -> None:
    """Displayed units, half to even."""
    for lane in range(width):
        value = exact[first + np.uint64(lane)]
        units = nearest(value, steps[lane])
        shown[first + np.uint64(lane)] = units if value >= 0 else np.int64(NONE)


@njit(cache=True, nogil=True, error_model="numpy")
def _ozone(hours: Ints, part: tuple[Whole, Whole], own: tuple[Whole, Whole], law: DayLaw, scratch: Windows, out: tuple[Longs, Whole]) -> None:
    """Daily maximum of the 8 h mean over the windows that end with hour 8…24, compared as exact fractions.

    Station-days stand side by side in blocks, because one window after the other is a chain of dependent additions.
    """
    window, block, item = law.ozone[1], scratch.top.shape[0], np.uint64(law.ozone[0])
    flat, far = hours.reshape(hours.size), hours.size > NEAR
    for start in range(part[0], part[1], block):
        count = min(block, part[1] - start)
        _lay(hours, law.ozone[0], (start, count), own, scratch)
        later = np.uint64((start + CHUNK) // own[1] * 24 * hours.shape[1] + ITEMS * (own[0] + (start + CHUNK) % own[1]))
        for hour in range(24):
            if far:
                _ask(flat, later + np.uint64(hour * hours.shape[1]), ITEMS * count)
            _move(hour, window, count, scratch)
            if hour >= window - 1:
                _raise(law.ozone, count, scratch)
        _settle(law, count, scratch)
        for lane in range(count):
            out[0][out[1] + np.uint64(ITEMS * (start - part[0] + lane)) + item] = scratch.top[lane]


@njit(cache=True, nogil=True, error_model="numpy")
def _ask(flat: Ints, place: Whole, width: Whole) -> None:
    """Ask for some hours: while windows are computed, the memory would be idle."""
    for part in range(0, width, LINE):
        fetch(flat, place + np.uint64(part))


@njit(cache=True, nogil=True, error_model="numpy")
def _lay(hours: Ints, item: Whole, part: tuple[Whole, Whole], own: tuple[Whole, Whole], scratch: Windows) -> None:
    """Lay the hours of some station-days side by side."""
    start, count = part
    width, stations = hours.shape[1], own[1]
    flat = hours.reshape(hours.size)
    day, station = start // stations, start % stations
    for lane in range(count):
        scratch.base[lane] = day * 24 * width + ITEMS * (own[0] + station) + item
        scratch.total[lane], scratch.number[lane], scratch.valid[lane] = 0, 0, 0
        station += 1
        if station == stations:
            day, station = day + 1, 0
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
    for number in range(law[2], law[1] + 1):
        for lane in range(count):
            here = np.int32(scratch.number[lane] == number)
            scratch.best[number, lane] = max(scratch.best[number, lane], np.int32(scratch.total[lane] | np.int32(here - 1)))
            scratch.valid[lane] = np.int32(scratch.valid[lane] + here)


@njit(cache=True, nogil=True, error_model="numpy")
def _settle(law: DayLaw, count: Whole, scratch: Windows) -> None:
    """Largest means over the common denominator; ``NONE`` where the windows are too few."""
    window, least, enough, limit = law.ozone[1], law.ozone[2], law.ozone[3], law.ozone[4]
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
