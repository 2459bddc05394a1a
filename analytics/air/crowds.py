"""Running years of many stations at once, in blocks whose days stay near while a year is made of them.

Fresh memory costs more than the arithmetic: a page has to be cleared before it is written. So the days of all blocks share one room, and only
what is handed out is new, in a few large pieces.
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
from analytics.air.years import TOPS, Running
from analytics.kernels import aqi as kernel
from analytics.kernels import years as year_kernel
from domain.items import AIR

BLOCK: Final = 128
"""Stations of a block: their hours of four days, which are read together, fit into the core's own cache."""


class _Room(NamedTuple):
    """Days of a block's stations, their IAQIs, AQIs, primary pollutants and rule sets."""

    days: Days
    iaqi: npt.NDArray[np.int16]
    aqi: npt.NDArray[np.int16]
    primary: npt.NDArray[np.uint8]
    rule: npt.NDArray[np.uint8]


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

    Returns
    -------
    list of tuple of Running
        By station and rule set.
    """
    count, stations, _ = hours.shape
    count //= 24
    found: list[tuple[Running, ...]] = []
    room: _Room | None = None
    for own, out in _parts(count, stations, len(rules)):
        if room is None or room.days.shown.shape[1] != own.stop - own.start:
            room = _room(count, own.stop - own.start)
        air_days.make(room.days, hours, own, threads=threads)
        aqis = [_judged(room, rule).reshape(count, -1).copy() for rule in rules]
        found += years.together(room.days, aqis, first, out)
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


def _room(count: int, stations: int) -> _Room:
    rows, items = count * stations, len(AIR)
    each = np.empty((rows, items), np.int16), np.empty(rows, np.int16), np.empty(rows, np.uint8), np.empty(rows, np.uint8)
    return _Room(air_days.unmade(count, stations), *each)


def _judged(room: _Room, rule: int) -> npt.NDArray[np.int16]:
    """AQI of a block's days under one rule set, in its room."""
    room.rule[:] = rule
    law = kernel.Law(room.rule, tables.strict(), tables.marks(daily=True))
    kernel.verdicts(room.days.shown.reshape(-1, len(AIR)), law, tables.answers(daily=True), room.iaqi, room.aqi, room.primary)
    return room.aqi
