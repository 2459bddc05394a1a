"""Levels and flows against what is registered: warning (警戒), guarantee (保证), rate of rise, and the lowest level of a well.

A run begins with a record at or beyond its limit and ends with the first one that is not; records without the item say nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from analytics.water.records import NAMES, SCALE, Day, exact_sum
from domain import civil, water

Longs = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


class Limit(NamedTuple):
    """A line that an item may reach: ``rung`` is one of :data:`domain.water.RUNGS`; ``value`` as decimal text."""

    rung: str
    item: str
    value: str


class Run(NamedTuple):
    """Records at or beyond a line.

    Attributes
    ----------
    end : int or None [s]
        The first record that is not; None = still open.
    worst : float
        Farthest value: the highest, of a well the lowest [unit of the item, of a rise m/h].
    """

    limit: Limit
    start: int
    end: int | None
    worst: float
    worst_time: int
    records: int


class Series(NamedTuple):
    """Valid values of one item, ascending in time: (n,) int64 [s], (n,) float64."""

    time: Longs
    values: Floats

    @property
    def mean(self) -> Fraction | None:
        """Exact mean of the decimals; None of nothing."""
        return Fraction(exact_sum(self.values), len(self.values) * SCALE) if len(self.values) else None


def series(days: Mapping[int, Day], item: str, first: int, last: int) -> Series:
    """Values of an item on some civil days, both ends included."""
    some = [days[day] for day in sorted(days) if first <= day <= last]
    time = np.concatenate([day.time for day in some]) if some else np.zeros(0, np.int64)
    values = np.concatenate([day.values[:, NAMES.index(item)] for day in some]) if some else np.zeros(0)
    there = ~np.isnan(values)
    return Series(time[there], values[there])


def rises(known: Series) -> Series:
    """Rate of rise at each record [m/h]: against the newest record at least an hour older, but not older than six hours; no record without one."""
    before = known.time.searchsorted(known.time - water.RISE_S, side="right") - 1
    there = before >= 0
    apart = np.where(there, known.time - known.time[np.maximum(before, 0)], 2**40)
    good = there & (apart <= water.RISE_REACH_S)
    rate = np.round((known.values[good] - known.values[before[good]]) * civil.HOUR_S / apart[good], 4)
    return Series(known.time[good], rate)


def runs(known: Series, limit: Limit) -> Iterator[Run]:
    """Runs of one line in order of time; floats of shortest decimals keep the decimals' order, so the comparison is exact."""
    low = limit.rung == water.LOW
    beyond = known.values <= float(limit.value) if low else known.values >= float(limit.value)
    edges = np.flatnonzero(np.diff(beyond.astype(np.int8), prepend=0, append=0))
    for begin, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        part = known.values[begin:end]
        worst = begin + int(part.argmin() if low else part.argmax())
        over = int(known.time[end]) if end < len(known.time) else None
        yield Run(limit, int(known.time[begin]), over, float(known.values[worst]), int(known.time[worst]), end - begin)
