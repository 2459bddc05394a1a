"""Today's allowance: what the hours to come may bring so that the day's AQI stays within a cap.

For a daily mean it is the mean of the hours to come, for ozone the level that none of them may exceed on average; every hour to
come counts as valid. All in integers: the answer is the largest value, on the grid on which it is displayed, that keeps the cap
through the same rounding that the day itself will see.

A place that cannot have 14 ozone windows any more is left out, unless what is known of its day exceeds the limit already: that it
might still become valid by exceeding (HJ 663-2013 6.1.2) is not foreseen here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from analytics import tables
from analytics.air import days as air_days
from domain import air
from domain.fixed import MISSING
from domain.indicators import ALLOWANCES
from domain.items import AIR
from domain.items import ITEMS as ITEM_LIMITS

ITEMS: Final = ("pm25", "pm10", "o3_8h")
"""Items that spoil days; the others have never been near a cap where these were not."""
CAPS: Final = (air.GOOD_MAX, air.LEVELS[2].top, air.HEAVY_MIN - 1)
STATES: Final = tuple(ALLOWANCES)
"""Codes: hours decide that are to come; the cap is kept whatever may come; even zero is too much; the day cannot become valid."""
OPEN, KEPT, LOST, VOID = range(4)
GRID: Final = 100
"""Thousandths: answers are given to a tenth of a unit, rounded down."""
_TOPS: Final = np.array([int(ITEM_LIMITS["air", item].high) * 1_000 for item in ITEMS], np.int64)
"""Largest values [thousandths] that are ever accepted: what may come."""
_OZONE_DAY: Final = air.limits_on(0)["o3"].day
_WINDOWS: Final = tuple(range(air.O3_FIRST_END, 25))

Longs = npt.NDArray[np.int64]


class Today(NamedTuple):
    """Hours of the running day of n places.

    Attributes
    ----------
    hours : (24, n, 6) int32 [thousandths of the reporting unit]
        ``MISSING`` = no valid hour.
    done : int
        Hours that are over. The last of them counts as still to come where it is missing, for it may be an hour late.
    """

    hours: npt.NDArray[np.int32]
    done: int


class Allowance(NamedTuple):
    """What is left, by place, item of :data:`ITEMS` and cap of the question.

    Attributes
    ----------
    rest : (g, 3, c) int64 [thousandths]
        Largest mean of the hours to come, on the grid; meant only where the state is open.
    state : (g, 3, c) int8
        Position in :data:`STATES`.
    known, left : (g, 3) int64 [h]
        Valid hours so far, and hours to come.
    limit : (3, c) int64 [displayed units]
        Largest daily value within the cap.
    """

    rest: Longs
    state: npt.NDArray[np.int8]
    known: Longs
    left: Longs
    limit: Longs


def limits(rules: Sequence[air.RuleSet]) -> Longs:
    """(3, r·3) displayed daily values that just keep each cap, by item, rule set and cap."""
    pairs = [(item, "8h" if item == "o3_8h" else "24h") for item in ITEMS]
    return np.array([[one.breakpoints[pair][air.IAQI_POINTS.index(cap)] for one in rules for cap in CAPS] for pair in pairs], np.int64)


def stations(today: Today, limit: Longs) -> Allowance:
    """Allowance of each place by itself."""
    return _allowance(today, limit, np.arange(today.hours.shape[1]), np.ones(today.hours.shape[1], np.int64))


def county(today: Today, limit: Longs) -> Allowance:
    """Allowance of the mean of these places, if the hours to come have the same mean at all of them; void below the quorum."""
    count = today.hours.shape[1]
    return _allowance(today, limit, np.zeros(count, np.int64), air_days.quorum(count)[[count]].astype(np.int64))


def _allowance(today: Today, limit: Longs, group: Longs, quorum: Longs) -> Allowance:
    """Places are summed by ``group``; ``quorum`` is the number of usable places that each group needs."""
    places = [AIR.index(item.removesuffix("_8h")) for item in ITEMS]
    hours = today.hours[:, :, places].astype(np.int64)
    valid = hours != MISSING
    coming = np.zeros(hours.shape, bool)
    coming[today.done :] = True
    if today.done:
        coming[today.done - 1] |= ~valid[today.done - 1]
    valid &= ~coming
    values = np.where(valid, hours, 0)
    means = [_means(values[:, :, place], valid[:, :, place], coming[:, :, place]) for place in range(2)]
    parts = [_solve_means(one, limit[place], group, quorum) for place, one in enumerate(means)]
    windows = _windows(values[:, :, 2], valid[:, :, 2], coming[:, :, 2])
    parts.append(_solve_ozone(windows, limit[2], group, quorum))
    rest, state = (np.stack(some, axis=1) for some in zip(*parts, strict=True))
    state = np.where((state == OPEN) & (rest >= _TOPS[:, None]), KEPT, state)
    known, left = (_grouped(flags.sum(axis=0, dtype=np.int64), group, len(quorum)) for flags in (valid, coming))
    return Allowance(rest, state.astype(np.int8), known, left, limit)


class _Sums(NamedTuple):
    """Unrounded daily values as sums over ``COMMON``: what is known, and the weight of one unit in each hour to come."""

    known: Longs
    weight: Longs
    usable: npt.NDArray[np.bool_]


def _means(values: Longs, valid: npt.NDArray[np.bool_], coming: npt.NDArray[np.bool_]) -> _Sums:
    left = coming.sum(axis=0)
    factor = tables.factors()[valid.sum(axis=0) + left]
    return _Sums(values.sum(axis=0) * factor, left * factor, factor > 0)


def _solve_means(sums: _Sums, limit: Longs, group: Longs, quorum: Longs) -> tuple[Longs, Longs]:
    count = len(quorum)
    known, weight, usable = (_grouped(one.astype(np.int64), group, count)[:, None] for one in sums)
    room = _most(limit, usable) - known
    rest = np.where(weight > 0, room // np.maximum(weight, 1), 0)
    state = np.where(weight > 0, OPEN, KEPT)
    state = np.where(room < 0, LOST, state)
    return rest // GRID * GRID, np.where(usable >= np.maximum(quorum[:, None], 1), state, VOID)


def _most(limit: Longs, parts: Longs) -> Longs:
    """Largest sum of unrounded values of ``parts`` places whose mean is displayed as at most the limit (half to even)."""
    doubled = (2 * limit + 1) * 1_000 * tables.COMMON * parts
    most: Longs = np.where(limit % 2 == 0, doubled, doubled - 1) // 2
    return most


class _Windows(NamedTuple):
    """(w, n) 8 h windows: exact sum of known hours, hours to come, and ``COMMON`` over the number of hours (0: too few)."""

    known: Longs
    left: Longs
    factor: Longs


def _windows(values: Longs, valid: npt.NDArray[np.bool_], coming: npt.NDArray[np.bool_]) -> _Windows:
    def last_eight(flags: npt.NDArray[np.generic]) -> Longs:
        total = np.concatenate([np.zeros((1, flags.shape[1]), np.int64), np.cumsum(flags, axis=0, dtype=np.int64)])
        return np.asarray(total[list(_WINDOWS)] - total[[end - air.O3_WINDOW for end in _WINDOWS]], np.int64)

    left = last_eight(coming)
    among = last_eight(valid) + left
    factor = np.where(among >= air.O3_WINDOW_HOURS, tables.COMMON // np.maximum(among, 1), 0)
    return _Windows(last_eight(values), left, factor)


def _solve_ozone(windows: _Windows, limit: Longs, group: Longs, quorum: Longs) -> tuple[Longs, Longs]:
    """The level that the hours to come may have, by bisection: the daily maximum never falls where the level rises."""
    count, usable = len(quorum), _usable(windows)
    parts = _grouped(usable.astype(np.int64), group, count)[:, None]
    most = _most(limit, parts)

    def keeps(level: Longs) -> npt.NDArray[np.bool_]:
        top = ((windows.known[:, :, None] + windows.left[:, :, None] * level[group] * GRID) * windows.factor[:, :, None]).max(axis=0)
        kept: npt.NDArray[np.bool_] = _grouped(np.where(usable[:, None], top, 0), group, count) <= most
        return kept

    low, high = np.zeros((count, len(limit)), np.int64), np.full((count, len(limit)), _TOPS[2] // GRID + 1, np.int64)
    fits = keeps(low)
    while int((high - low).max()) > 1:
        middle = (low + high) // 2
        good = keeps(middle)
        low, high = np.where(good, middle, low), np.where(good, high, middle)
    open_ = _grouped((windows.left * (windows.factor > 0)).sum(axis=0) * usable, group, count)[:, None] > 0
    state = np.where(fits, np.where(open_, OPEN, KEPT), LOST)
    return low * GRID, np.where(parts >= np.maximum(quorum[:, None], 1), state, VOID)


def _usable(windows: _Windows) -> npt.NDArray[np.bool_]:
    """Places whose ozone day can be valid: with 14 windows, or because it exceeds already."""
    known = np.where(windows.left == 0, windows.known * windows.factor, 0).max(axis=0)
    exceeds = known > _most(np.array([_OZONE_DAY]), np.ones(1, np.int64))
    usable: npt.NDArray[np.bool_] = ((windows.factor > 0).sum(axis=0) >= air.O3_DAY_WINDOWS) | exceeds
    return usable


def _grouped(values: Longs, group: Longs, count: int) -> Longs:
    """Sums of rows that belong to the same group."""
    out = np.zeros((count, *values.shape[1:]), np.int64)
    np.add.at(out, group, values)
    return out
