"""A scope's year in two calls: its days as rows of figures with their verdicts, and its running figures with those of closed periods.

One call costs some microseconds whatever it does, and everything between two calls some more, so that a site-year out of a dozen
small calls takes twice the time of its arithmetic.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from analytics.kernels import aqi, figures, periods, years
from analytics.kernels.whole import Whole

Ints = npt.NDArray[np.int32]
Shorts = npt.NDArray[np.int16]
Longs = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]
Behind = npt.NDArray[np.uint16]


class Rows(NamedTuple):
    """What is written of days, item by item and by rule set.

    Attributes
    ----------
    shown : (6, d) int32 [displayed units]
    behind : (6, d) uint16 [h]
    items : (d,) uint8
        By :func:`turned`.
    aqi, primary : (r, d) int16 and uint8
        By :func:`analytics.kernels.aqi.days`.
    level : (r, d) uint8
        By :func:`analytics.kernels.aqi.levels`.
    """

    shown: Ints
    behind: Behind
    items: Bytes
    aqi: Shorts
    primary: Bytes
    level: Bytes


class Law(NamedTuple):
    """What a year is held against.

    Attributes
    ----------
    cuts : (2,) int16
    ranked : two (k,) int32
        Of running percentiles, see :func:`analytics.kernels.years.alone`.
    sizes : Sizes
        Of the periods that are over.
    daily : periods.Law
    steps : (2, 4) int64
        Of means, see :func:`analytics.kernels.figures.means`.
    digits : two Digits
        See :func:`analytics.kernels.figures.periodical`.
    elapsed, length : (n,) and (p,) int32 [d]
        Calendar days of each running year, and of each period.
    needs : (f,) uint8
        See :func:`analytics.kernels.figures.short`.
    limits : (2, r, 6) int64
        See :func:`analytics.kernels.figures.standard`.
    power : int64
    """

    cuts: Shorts
    ranked: tuple[Ints, Ints]
    sizes: periods.Sizes
    daily: periods.Law
    steps: Longs
    digits: tuple[figures.Digits, figures.Digits]
    elapsed: Ints
    length: Ints
    needs: Bytes
    limits: Longs
    power: Whole


class Room(NamedTuple):
    """Scratch: means of n running years and of p periods, sums of periods, a counting table, and numbers of days of periods.

    Attributes
    ----------
    running, closed : (2, 4, n) and (2, 4, p) int64
    sums : (6, p) int64
    table : (width,) int32
        Zero on entry and on return, wider than the largest value by one.
    days : periods.Out
    """

    running: Longs
    closed: Longs
    sums: Longs
    table: Ints
    days: periods.Out


class Out(NamedTuple):
    """What is written of a year.

    Attributes
    ----------
    running : tuples of (f, n) int32 and uint16
        Running figures and the values behind each, by rule set.
    closed : (r, g, p) int32 and uint16
        Figures of closed periods and the values behind each.
    short : (r, g, p) uint8
        1 where a figure is made of too little.
    standard : (r, 2) int64 and (r, 2) uint8
        By :func:`analytics.kernels.figures.standard`; unwritten without any period.
    """

    running: tuple[tuple[Ints, ...], tuple[Behind, ...]]
    closed: tuple[Ints, Behind]
    short: Bytes
    standard: tuple[Longs, Bytes]


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
def hours(values: Ints, law: tuple[aqi.Rounding, Shorts, Shorts], tops: Shorts, scratch: aqi.Scratch, out: tuple[Any, Bytes, Any, Bytes]) -> None:
    """Real-time AQI with its levels.

    Parameters
    ----------
    values : (n · 6,) int32
    law : Rounding, (6, 4098) int16, (3,) int16
        See :func:`analytics.kernels.aqi.hours`.
    tops : (5,) int16
        Of levels.
    scratch : Scratch
    out : (n,) int16 and three of uint8
        Written: AQI, primary pollutants, items there, level.
    """
    aqi.hours(values, law[0], law[1], law[2], scratch, aqi.Verdicts(out[0], out[1], out[2]))
    aqi.levels(out[0], tops, out[3])


@njit(cache=True, nogil=True, error_model="numpy")
def judged(shown: Ints, hours: Ints, law: tuple[Shorts, Shorts, Shorts], scratch: Shorts, out: Rows) -> Whole:
    """Days as rows of figures, with AQI, level and primary pollutants under each rule set.

    Parameters
    ----------
    shown, hours : (d, 6) int32
    law : (r, 6, 4098) int16, (r, 3) int16, (5,) int16
        Answers and marks, see :func:`analytics.kernels.aqi.days`; tops of levels.
    scratch : (6, d) int16
    out : Rows
        Written.

    Returns
    -------
    int
        The largest displayed value, at least 0.
    """
    top = turned(shown, hours, out.shown, out.behind, out.items)
    aqi.days(out.shown, law[0], law[1], scratch, (out.aqi, out.primary))
    for rule in range(out.level.shape[0]):
        aqi.levels(out.aqi[rule], law[2], out.level[rule])
    return top


@njit(cache=True, nogil=True, error_model="numpy")
def station(exact: Longs, shown: Ints, verdicts: Shorts, law: Law, room: Room, year: years.Alone, out: Out) -> bool:
    """Everything of a year out of its days; returns what :func:`displayed` does.

    Parameters
    ----------
    exact : (d, 6) int64
    shown : (6, d) int32
    verdicts : (r, d) int16
    law : Law
    room : Room
    year, out
        Written.
    """
    years.alone(exact, shown, (verdicts, law.cuts), law.ranked, room.table, year)
    same: bool = joined(year, shown, law, room, out)
    return same


@njit(cache=True, nogil=True, error_model="numpy")
def joined(year: years.Alone, shown: Ints, law: Law, room: Room, out: Out) -> bool:
    """Figures of running years whose sums share one divisor, and of the closed periods; see :func:`station`."""
    figures.means(year.total, year.valid, law.steps, room.running)
    counted(year, shown, law, room)
    figures.between(year.total, law.sizes.spans, room.sums, room.days.valid, law.steps, room.closed)
    if room.sums.shape[1] > 0:
        figures.standard(room.sums, (room.days.valid, room.days.tops, room.days.enough), law.limits, law.power, out.standard)
    same: bool = displayed(year, law, room, out)
    return same


@njit(cache=True, nogil=True, error_model="numpy")
def counted(year: years.Alone, shown: Ints, law: Law, room: Room) -> None:
    """Numbers of days and percentiles of the closed periods."""
    periods.closed(periods.Days(shown, year.valid, year.counts), law.sizes, law.daily, room.table, room.days)


@njit(cache=True, nogil=True, error_model="numpy")
def displayed(year: years.Alone, law: Law, room: Room, out: Out) -> bool:
    """Figures out of means and counts; returns whether the same days have an AQI under every rule set."""
    figures.displayed(room.running, year.tops, year.valid, year.counts, law.elapsed, law.digits[0], out.running)
    days = room.days.valid, room.days.counts, law.length, room.days.within
    figures.periodical(room.closed, room.days.tops, days, law.digits, out.closed)
    figures.short(room.days.enough, law.needs, out.short)
    same = True
    for rule in range(1, year.counts.shape[0]):
        for row in range(law.elapsed.shape[0]):
            same &= year.counts[rule, 0, row] == year.counts[0, 0, row]
    return same
