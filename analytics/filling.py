"""Filling the cube: stored readings of a site become the hours and days of its year.

Every cell is a pure function of the stored rows of its hour, so that neither the order of arrival nor the batching can be
seen in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from analytics import cube
from analytics.cube import BUILT, SHORT, SiteYear
from analytics.kernels import days as kernel
from analytics.kernels import layout
from analytics.kernels.whole import NONE
from domain import air, civil, fixed
from domain.items import AIR, BY_REALM, DAILY
from domain.readings import STATISTICAL, Series

Cells = npt.NDArray[np.int32]
Rows = npt.NDArray[np.bool_]
_COUNTED: Final = np.isin(np.arange(256), [ord(letter) for letter in STATISTICAL | {"X"}])
"""By letter: whether the value enters the raw series; a dust event stays in it."""
_HOURLY, _DAILY = ([BY_REALM["air"].index(item) for item in items] for items in (AIR, DAILY))
_SPANS: Final = 1 << 20
"""More than the seconds that any value stands for."""


class Short(NamedTuple):
    """Rows of spans below an hour.

    Attributes
    ----------
    hour : (n,) int64
        Place of the hour they belong to in the site's year.
    span : (n,) int64 [s]
        What each row stands for.
    cells : (n, 6) int32 [thousandths]
        ``MISSING`` = does not count.
    flags : (n, 6) uint8
    """

    hour: npt.NDArray[np.int64]
    span: npt.NDArray[np.int64]
    cells: Cells
    flags: npt.NDArray[np.uint8]


def fill(site: SiteYear, known: Iterable[Series], interval: Callable[[int], int], accepts: Callable[[int], bool] = lambda _: True) -> None:
    """Put stored rows of one site into its year; a sent hour goes before one built of shorter spans.

    Parameters
    ----------
    known : iterable of Series
        All rows of the hours they touch; other years' rows are passed over.
    interval : callable
        Seconds that an instantaneous value of a civil day stands for.
    accepts : callable
        Whether the rows of a civil day count at all (a device on trial does not).
    """
    sent: list[Series] = []
    short: list[Short] = []
    for one in known:
        own = _within(site, one, accepts)
        if one.span == civil.HOUR_S:
            sent.append(_part(own, own.time % civil.HOUR_S == 0))
        elif one.span == civil.DAY_S:
            _days(site, own)
        elif 0 <= one.span < civil.HOUR_S:
            short.append(_short(site, own, interval))
    if short:
        _build(site, Short(*map(np.concatenate, zip(*short, strict=True))))
    for one in sent:
        _sent(site, one)


def _within(site: SiteYear, one: Series, accepts: Callable[[int], bool]) -> Series:
    """Rows of the site's year on days that count."""
    start, end = cube.bounds(site)
    inside = (one.time > start) & (one.time <= end)
    days = civil.day_of_array(one.time)
    for day in np.unique(days[inside]).tolist():
        if not accepts(day):
            inside &= days != day
    return one if inside.all() else _part(one, inside)


def _part(one: Series, rows: Rows) -> Series:
    return Series(one.span, one.time[rows], one.values[rows], one.flags[rows])


def _counted(one: Series, columns: Sequence[int]) -> tuple[Cells, npt.NDArray[np.uint8]]:
    """Thousandths of the values that enter statistics, and the flags of some items; noise below zero (flag Z) counts as zero."""
    flags = one.flags[:, columns]
    counts = _COUNTED[flags]
    return laid(np.where(counts, np.maximum(one.values[:, columns], 0.0), np.nan).T), flags


def laid(values: npt.NDArray[np.float64]) -> Cells:
    """Thousandths of floats that stand for decimals, turned from one series a row to one hour a row.

    Parameters
    ----------
    values : (s, t) float64 [reporting unit]
        NaN = no value.

    Returns
    -------
    (t, s) int32 [thousandths]
        Half to even on the decimal; ``MISSING`` = no value.

    Raises
    ------
    ValueError
        A value is infinite or beyond ±2,147,483.647.
    """
    out = np.empty(values.shape[::-1], np.int32)
    values = np.ascontiguousarray(values)
    refused, between = layout.laid(values, np.empty((layout.TILE, layout.TILE), np.int32), out)
    if refused:
        message = f"{refused} values are infinite or too large"
        raise ValueError(message)
    if between:
        scaled = values * fixed.SCALE
        for series, hour in np.argwhere(np.abs(scaled - np.rint(scaled)) > layout.NEAR).tolist():
            out[hour, series] = fixed.from_float(float(values[series, hour]))
    return out


def _sent(site: SiteYear, one: Series) -> None:
    """Hours as they were sent; one that does not count says why."""
    cells, flags = _counted(one, _HOURLY)
    rows, columns = np.nonzero(flags)
    place = (one.time[rows] - cube.bounds(site)[0]) // civil.HOUR_S - 1, columns
    letters = flags[rows, columns]
    site.hours[place] = cells[rows, columns]
    said = np.where(_COUNTED[letters], 0, letters)
    new = said != site.lost[place]
    site.lost[place[0][new], columns[new]] = said[new]


def _days(site: SiteYear, one: Series) -> None:
    place = civil.day_of_array(one.time) - site.first
    own = place >= 0
    site.days[place[own]] = _counted(one, _DAILY)[0][own]


def _short(site: SiteYear, one: Series, interval: Callable[[int], int]) -> Short:
    hour = -(-one.time // civil.HOUR_S) - cube.bounds(site)[0] // civil.HOUR_S - 1
    span = np.full(len(one.time), one.span, np.int64)
    if not one.span:
        days, place = np.unique(civil.day_of_array(one.time), return_inverse=True)
        span = np.array([interval(day) for day in days.tolist()], np.int64)[place]
    return Short(hour, span, *_counted(one, _HOURLY))


def _build(site: SiteYear, short: Short) -> None:
    """Hours of each item from shorter spans that cover at least 45 minutes (GB 3095-2026 table 4).

    The mean is taken over the span length that covers most, exact and rounded once; ties go to the longer span.
    """
    if not len(short.hour):
        return
    order = np.lexsort((short.span, short.hour))
    hour, span, cells, flags = short.hour[order], short.span[order], short.cells[order], short.flags[order]
    starts = np.flatnonzero((np.diff(hour, prepend=-1) != 0) | (np.diff(span, prepend=-1) != 0))
    there = cells != fixed.MISSING
    number = np.add.reduceat(there.astype(np.int64), starts)
    total = np.add.reduceat(np.where(there, cells, 0).astype(np.int64), starts)
    firsts = np.flatnonzero(np.diff(hour[starts], prepend=-1))
    covered = number * span[starts, None]
    # Spans ascend within an hour, so the composite is largest for the one that covers most, and of equals for the longest.
    rank = np.where(number > 0, covered * _SPANS + span[starts, None], -1)
    chosen = rank == np.maximum.reduceat(rank, firsts).repeat(np.diff(firsts, append=len(starts)), axis=0)
    total, number, covered = (np.add.reduceat(np.where(chosen & (number > 0), part, 0), firsts) for part in (total, number, covered))
    valid = covered >= air.HOUR_MINUTES * 60
    means = np.empty(valid.shape, np.int32)
    kernel.shown(np.where(valid, total, NONE), np.maximum(number, 1).astype(np.int32), np.ones(len(AIR), np.int64), means)
    place = hour[starts][firsts]
    site.hours[place], site.lost[place] = np.where(valid, means, fixed.MISSING), np.where(valid, BUILT, 0)
    edges = [*starts[firsts].tolist(), len(hour)]
    for row, item in np.argwhere(np.logical_or.reduceat(flags != 0, edges[:-1]) & ~valid).tolist():
        site.lost[place[row], item] = _excuse(flags[edges[row] : edges[row + 1], item])


def _excuse(flags: npt.NDArray[np.uint8]) -> int:
    """The letter that most of the shorter spans bear; ``SHORT`` where the ones that count are at least as many."""
    carried = flags[flags != 0]
    letters = np.where(_COUNTED[carried], 0, carried)
    return int(np.argmax(np.bincount(letters))) or SHORT
