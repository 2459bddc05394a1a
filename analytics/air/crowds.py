"""Running years of many stations at once: a block of stations at a time, and of those some days at a time.

Two things cost more than the arithmetic. Fresh memory: a page has to be cleared before it is written, so only what is handed out is new, in a
few large pieces. And memory that lies far: a wide block reads long rows of hours, but its year of days would not lie near any more when sums are made
of it; so days are summed up as soon as some of them are made, and what is ranked at the year's end is kept aside.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from analytics import tables
from analytics.air import days as air_days
from analytics.air import years
from analytics.air.days import Days
from analytics.air.years import CUTS, TOPS, Running, Sums
from analytics.blocks import spread
from analytics.kernels import aqi as kernel
from analytics.kernels import years as year_kernel
from domain.items import AIR

BLOCK: Final = 512
"""Stations of a block."""
ROOM: Final = 8_192
"""Station-days that are made before they are summed up: with their verdicts a megabyte."""
RANKED: Final = [AIR.index(item) for item in TOPS]


class _Room(NamedTuple):
    """What lies between the hours of a block's stations and their year.

    Attributes
    ----------
    days : Days
        (m, n, 6): some days.
    iaqi, primary, rule
        Of as many station-days: scratch of the verdicts.
    aqi : (r, m, n) int16
    ranked : (2 · n, d) int32 [displayed units]
        Daily values of the whole year that have a percentile, item by item.
    """

    days: Days
    iaqi: npt.NDArray[np.int16]
    primary: npt.NDArray[np.uint8]
    rule: npt.NDArray[np.uint8]
    aqi: npt.NDArray[np.int16]
    ranked: npt.NDArray[np.int32]


def running(hours: npt.NDArray[np.int32], rules: Sequence[int], first: int, *, threads: int = 1) -> list[tuple[Running, ...]]:
    """Years of stations from their hours, as :func:`analytics.air.years.together` makes them of days.

    Parameters
    ----------
    hours : (24·d, n, 6) int32 [thousandths of the reporting unit]
        Whole civil days from the first of January on; ``MISSING`` = no valid hour.
    rules : sequence of int
        Indices of the rule sets in :data:`domain.air.RULE_SETS`.
    first : int
        Civil day of the first row.
    threads : int
        Each makes blocks of stations.

    Returns
    -------
    list of tuple of Running
        By station and rule set.
    """
    count, stations = len(hours) // 24, hours.shape[1]
    found: list[tuple[Running, ...]] = [()] * stations
    parts = list(_parts(count, stations, len(rules)))

    def some(start: int, stop: int) -> None:
        room: _Room | None = None
        for own, out in parts[start:stop]:
            size = own.stop - own.start
            if room is None or room.aqi.shape[2] != size:
                room = _room(count, size, len(rules))
            _year(hours, rules, own, room, out)
            sums = Sums(1, out.total.reshape(count, size, len(AIR)), out.valid.reshape(count, size, len(AIR)))
            found[own] = years.handed(first, [sums], sums.count, out)

    spread(len(parts), threads, some)
    return found


def _parts(days: int, stations: int, rules: int) -> Iterator[tuple[slice, year_kernel.Running]]:
    """Blocks of stations, with their parts of what is handed out."""
    items, sums = len(AIR), days * len(AIR)
    total, valid = np.empty(stations * sums, np.int64), np.empty(stations * sums, np.int32)
    counts, tops = np.empty(stations * rules * days * 3, np.int32), np.empty((len(TOPS) * stations, days), np.int64)
    for start in range(0, stations, BLOCK):
        stop = min(start + BLOCK, stations)
        size, own, numbers = stop - start, slice(start * sums, stop * sums), slice(start * rules * days * 3, stop * rules * days * 3)
        shape, ranked = (days, size * items), slice(len(TOPS) * start, len(TOPS) * stop)
        parts = total[own].reshape(shape), valid[own].reshape(shape), counts[numbers].reshape(rules, days, size, 3), tops[ranked]
        yield slice(start, stop), year_kernel.Running(*parts)


def _room(count: int, stations: int, rules: int) -> _Room:
    rows = min(count, max(1, ROOM // stations))
    each = rows * stations
    verdicts = np.empty((each, len(AIR)), np.int16), np.empty(each, np.uint8), np.empty(each, np.uint8)
    return _Room(air_days.unmade(rows, stations), *verdicts, np.empty((rules, rows, stations), np.int16), np.empty((len(TOPS) * stations, count), np.int32))


def _year(hours: npt.NDArray[np.int32], rules: Sequence[int], own: slice, room: _Room, out: year_kernel.Running) -> None:
    """Write the year of a block's stations."""
    count, stations = room.ranked.shape[1], room.aqi.shape[2]
    for start in range(0, count, room.aqi.shape[1]):
        stop = min(start + room.aqi.shape[1], count)
        days = room.days.rows(slice(stop - start))
        air_days.make(days, hours, own, (start, stop))
        year_kernel.onward(days.exact.reshape(stop - start, -1), (_judged(days, rules, room), CUTS), start, out)
        for place, item in enumerate(RANKED):
            room.ranked[place * stations : (place + 1) * stations, start:stop] = days.shown[:, :, item].T
    _, percent = years.ranked_columns(stations, len(AIR))
    table = np.zeros(int(room.ranked.max(initial=0)) + 2, np.int32)
    year_kernel.percentiles(room.ranked.T, np.arange(len(percent), dtype=np.int32), percent, table, out.tops)


def _judged(days: Days, rules: Sequence[int], room: _Room) -> npt.NDArray[np.int16]:
    """(r, m, n) AQI of some days of a block under each rule set, in its room."""
    shown, rows = days.shown.reshape(-1, len(AIR)), len(days.shown)
    for place, rule in enumerate(rules):
        room.rule[:] = rule
        law = kernel.Law(room.rule[: len(shown)], tables.strict(), tables.marks(daily=True))
        kernel.verdicts(shown, law, tables.answers(daily=True), room.iaqi, room.aqi[place, :rows].reshape(-1), room.primary)
    return room.aqi[:, :rows]
