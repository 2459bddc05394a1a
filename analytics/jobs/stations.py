"""A site's year: hours, days and running year figures of one station or city, under both rule sets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from analytics import tables
from analytics.air import days as air_days
from analytics.air import displayed, years
from analytics.air import hours as air_hours
from analytics.air.days import Days
from analytics.air.hours import Judged
from analytics.cube import BACK, SiteYear
from analytics.jobs.sheets import Kind, Sheet, single
from analytics.kernels import rolling as kernel
from domain import air, civil
from domain.fixed import MISSING, SCALE
from domain.items import AIR

Bytes = npt.NDArray[np.uint8]
NAMES: Final = tuple(rules.name for rules in air.RULE_SETS)
_BUILT: Final = ("", "built")
_LEVELS: Final = ("", *(str(level) for level in range(1, len(air.LEVELS) + 1)))
_DIVISORS: Final = np.array([[1_000.0 / step] for step in tables.STEPS])
"""Displayed units in one unit, by item."""


class Span(NamedTuple):
    """How far a year is known: its first day, days that have begun, days that are over, hours of it that are over."""

    first: int
    begun: int
    closed: int
    hours: int


def span(year: int, now: int) -> Span:
    """State of a year at an instant [s]."""
    first, last = civil.year_days(year)
    day = civil.day_of(now)
    begun, closed = (max(0, min(one, last) - first + 1) for one in (day, civil.day_of(now + 1) - 1))
    return Span(first, begun, closed, max(0, min((now - civil.day_start(first)) // civil.HOUR_S, 24 * begun)))


def daily(site: SiteYear, begun: int) -> Days:
    """(d, 6) daily values of the days that have begun: from hours, or as published where a day has no hour at all."""
    hours = site.hours[24 * BACK : 24 * (BACK + begun)]
    days = air_days.from_hours(hours[:, None, :]).scope(0)
    sent = site.days[:begun]
    only = np.flatnonzero((days.hours == 0).all(axis=1) & (sent != MISSING).any(axis=1))
    if len(only):
        air_days.put(days, only, air_days.published(sent[only]))
    return days


def judged(days: Days) -> tuple[Judged, ...]:
    """Daily AQI under each rule set."""
    return tuple(days.judged(np.full(len(days.shown), place, np.uint8)) for place in range(len(NAMES)))


def hour_sheets(scope: str, first: int, values: npt.NDArray[np.int32]) -> list[Sheet]:
    """Real-time AQI of each hour of the days that have begun.

    Parameters
    ----------
    first : int
        Civil day of the first row.
    values : (24·d, 6) int32 [thousandths of the reporting unit]
        ``MISSING`` = no valid hour.
    """
    time = labels(first, len(values))
    found = []
    for place, rows in in_force(first, len(values)):
        part = air_hours.real_time(values[rows], place)
        kind = Kind(("aqi",), "hour", scope, NAMES[place])
        found.append(_aqi(kind, time[rows], part.aqi, (part.primary, part.valid), tables.primaries(daily=False)))
    return found


@lru_cache(maxsize=64)
def labels(first: int, count: int) -> npt.NDArray[np.int64]:
    """End labels of hours from the first hour of a day on; kept, for every scope of a year has the same."""
    return _fixed(civil.day_start(first) + civil.HOUR_S * np.arange(1, count + 1, dtype=np.int64))


def in_force(first: int, count: int) -> list[tuple[int, slice]]:
    """Rule sets in force with their rows of hours: hours are judged by the set of their own day only."""
    rule = tables.rules_on(first + np.arange(count) // 24)
    return [(place, slice(*np.searchsorted(rule, [place, place + 1]).tolist())) for place in np.unique(rule).tolist()]


def rolling_sheets(scope: str, site: SiteYear, at: Span) -> list[Sheet]:
    """Running 24 h means of PM2.5 of the hours that are over, and the hours that were built of shorter spans."""
    found = [rolling_pm25(scope, site.hours[: 24 * BACK + at.hours], at)]
    found += [one for place in range(len(AIR)) for one in _built(scope, site, at.hours, place)]
    return [one.part(rows, NAMES[place]) for one in found for place, rows in in_force(site.first, at.hours)]


def rolling_pm25(scope: str, hours: npt.NDArray[np.int32], at: Span) -> Sheet:
    """Running 24 h means of PM2.5 of (24·(BACK + d), 6) hours, without a rule set."""
    pm25 = np.ascontiguousarray(hours[:, :1])
    total, count, mean = (np.empty_like(pm25) for _ in range(3))
    kernel.sums(pm25, 24, total, count)
    kernel.rounded(total, count, air.DAY_HOURS, tables.steps()[:1], mean)
    shown = mean[24 * BACK :, 0].astype(np.int16)
    behind = np.where(shown < 0, 0, count[24 * BACK :, 0]).astype(np.uint8)
    return single(Kind(("pm25_24h",), "hour", scope, ""), labels(at.first, at.hours), shown, 1, (behind, 24))


def passing(scope: str) -> list[Kind]:
    """Figures of a scope that are made only while there is anything to make them of: hours that were built of shorter spans."""
    return [Kind((item,), "hour", scope, name) for item in AIR for name in NAMES]


def unbuilt(scope: str, found: Sequence[Sheet]) -> list[Sheet]:
    """The sheets of :func:`passing` without any hour, with the hours of the AQI that was found."""
    made = []
    for one in found:
        if one.kind.figures == ("aqi",) and one.kind.period == "hour":
            nothing = np.zeros(len(one.time), np.uint8)
            empty = (single(Kind((item,), "hour", scope, one.kind.rule_set), one.time, nothing.astype(np.int32) - 1, SCALE, (nothing, 1)) for item in AIR)
            made += [replace(sheet, status=nothing[None], statuses=_BUILT) for sheet in empty]
    return made


def _built(scope: str, site: SiteYear, count: int, place: int) -> list[Sheet]:
    own = slice(24 * BACK, 24 * BACK + count)
    built = site.built[own, place]
    if not built.any():
        return []
    units = np.where(built, site.hours[own, place], -1)
    made = single(Kind((AIR[place],), "hour", scope, ""), labels(site.first, count), units, SCALE, (built.astype(np.uint8), 1))
    return [replace(made, status=built.astype(np.uint8)[None], statuses=_BUILT)]


def day_sheets(scope: str, days: Days, verdicts: tuple[Judged, ...], at: Span, expected: npt.NDArray[np.integer] | int = 24) -> list[Sheet]:
    """AQI and displayed concentrations of each day; ``expected`` are the hours that a full day has."""
    time = stamps(at.first, len(days.shown))
    shown, known = np.ascontiguousarray(days.shown.T), days.hours.T
    # A published day does not say its hours: it counts as whole.
    behind = np.where(known >= 0, known, np.where(shown >= 0, 24, 0)).astype(np.uint16)
    found = []
    for name, verdict in zip(NAMES, verdicts, strict=True):
        items = verdict.primary, (verdict.shown >= 0).sum(axis=1).astype(np.uint8)
        found.append(_aqi(Kind(("aqi",), "day", scope, name), time, verdict.aqi, items, tables.primaries(daily=True)))
        found.append(Sheet(Kind(tables.DAILY, "day", scope, name), time, shown, _DIVISORS, behind, np.asarray(expected)))
    return found


def _aqi(kind: Kind, time: npt.NDArray[np.int64], aqi: npt.NDArray[np.int16], behind: tuple[Bytes, Bytes], texts: tuple[str, ...]) -> Sheet:
    """AQI with its level as status and its primary pollutants as text; ``behind`` are primary pollutants and valid items."""
    primary, items = behind
    level = np.maximum(tables.levels()[aqi], 0).astype(np.uint8)
    return replace(single(kind, time, aqi, 1, (items, len(AIR))), status=level[None], text=primary[None], statuses=_LEVELS, texts=texts)


def year_sheets(scope: str, rule_set: str, running: years.Running, at: Span) -> list[Sheet]:
    """Running year figures at the end of each closed day; those of closed months, quarters and years: :mod:`analytics.jobs.periods`."""
    count = min(len(running), at.closed)
    if not count:
        return []
    names = displayed.names(years.TOPS)
    found = displayed.of_year(running, count)
    kind = Kind(names, "ytd", scope, rule_set)
    return [Sheet(kind, stamps(at.first, count), found.units, displayed.divisors(names), found.behind.astype(np.uint16), _elapsed(count))]


@lru_cache(maxsize=64)
def stamps(first: int, count: int) -> npt.NDArray[np.int64]:
    """Times of day rows: 00:00 +08:00 of each day."""
    return _fixed(civil.period_stamp(first) + civil.DAY_S * np.arange(count, dtype=np.int64))


@lru_cache(maxsize=64)
def _elapsed(count: int) -> npt.NDArray[np.int64]:
    return _fixed(np.arange(1, count + 1))


def _fixed(kept: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """An array that is kept and shared, so nobody may write into it."""
    kept.flags.writeable = False
    return kept
