"""A site's year: hours, days and running year figures of one station or city, under both rule sets."""

from __future__ import annotations

from dataclasses import replace
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
from analytics.jobs.columns import Column, Table, Tag, column, columns
from analytics.jobs.rounding import floats as _float
from analytics.kernels import rolling as kernel
from domain import air, civil
from domain.fixed import MISSING
from domain.items import AIR

NAMES: Final = tuple(rules.name for rules in air.RULE_SETS)
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


def hour_columns(scope: str, first: int, values: npt.NDArray[np.int32]) -> list[Column]:
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
        tag = Tag("aqi", "hour", scope, NAMES[place])
        found.append(_aqi(tag, time[rows], part.aqi, (part.primary, part.valid), tables.primaries(daily=False)))
    return found


def labels(first: int, count: int) -> npt.NDArray[np.int64]:
    """End labels of hours from the first hour of a day on."""
    return civil.day_start(first) + civil.HOUR_S * np.arange(1, count + 1, dtype=np.int64)


def in_force(first: int, count: int) -> list[tuple[int, slice]]:
    """Rule sets in force with their rows of hours: hours are judged by the set of their own day only."""
    rule = tables.rules_on(first + np.arange(count) // 24)
    return [(place, slice(*np.searchsorted(rule, [place, place + 1]).tolist())) for place in np.unique(rule).tolist()]


def rolling_columns(scope: str, site: SiteYear, at: Span) -> list[Column]:
    """Running 24 h means of PM2.5 of the hours that are over, and the hours that were built of shorter spans."""
    found = [rolling_pm25(scope, site.hours[: 24 * BACK + at.hours], at)]
    found += [one for place in range(len(AIR)) for one in _built(scope, site, at.hours, place)]
    return [one.part(rows, NAMES[place]) for one in found for place, rows in in_force(site.first, at.hours)]


def rolling_pm25(scope: str, hours: npt.NDArray[np.int32], at: Span) -> Column:
    """Running 24 h means of PM2.5 of (24·(BACK + d), 6) hours, without a rule set."""
    pm25 = np.ascontiguousarray(hours[:, :1])
    total, count, mean = (np.empty_like(pm25) for _ in range(3))
    kernel.sums(pm25, 24, total, count)
    kernel.rounded(total, count, air.DAY_HOURS, tables.steps()[:1], mean)
    shown = mean[24 * BACK :, 0]
    behind = np.where(shown < 0, 0, count[24 * BACK :, 0])
    return column(Tag("pm25_24h", "hour", scope, ""), labels(at.first, at.hours), _float(shown, 1), (behind, 24))


def passing(scope: str) -> list[Tag]:
    """Figures of a scope that are made only while there is anything to make them of: hours that were built of shorter spans."""
    return [Tag(item, "hour", scope, name) for item in AIR for name in NAMES]


def _built(scope: str, site: SiteYear, count: int, place: int) -> list[Column]:
    own = slice(24 * BACK, 24 * BACK + count)
    built = site.built[own, place]
    if not built.any():
        return []
    value = np.where(built, site.hours[own, place] / 1_000, np.nan)
    made = column(Tag(AIR[place], "hour", scope, ""), labels(site.first, count), value, (built, 1))
    return [replace(made, status=built.astype(np.uint8), statuses=("", "built"))]


def day_columns(scope: str, days: Days, verdicts: tuple[Judged, ...], at: Span, expected: npt.NDArray[np.integer] | int = 24) -> list[Column]:
    """AQI and displayed concentrations of each day; ``expected`` are the hours that a full day has."""
    time = stamps(at.first, len(days.shown))
    shown, known = np.ascontiguousarray(days.shown.T), days.hours.T
    # A published day does not say its hours: it counts as whole.
    behind = np.where(known >= 0, known, np.where(shown >= 0, 24, 0))
    found = []
    for name, verdict in zip(NAMES, verdicts, strict=True):
        items = verdict.primary, (verdict.shown >= 0).sum(axis=1)
        found.append(_aqi(Tag("aqi", "day", scope, name), time, verdict.aqi, items, tables.primaries(daily=True)))
        found += columns([Tag(item, "day", scope, name) for item in tables.DAILY], Table(time, shown, _DIVISORS, behind, expected, _plain(shown)))
    return found


def _plain(units: npt.NDArray[np.integer]) -> npt.NDArray[np.uint8]:
    """No status."""
    return np.broadcast_to(np.uint8(0), units.shape)


def _aqi(
    tag: Tag,
    time: npt.NDArray[np.int64],
    aqi: npt.NDArray[np.int16],
    behind: tuple[npt.NDArray[np.uint8], npt.NDArray[np.integer]],
    texts: tuple[str, ...],
) -> Column:
    """AQI with its level as status and its primary pollutants as text; ``behind`` are primary pollutants and valid items."""
    primary, items = behind
    level = np.maximum(tables.levels()[aqi], 0).astype(np.uint8)
    return replace(column(tag, time, _float(aqi, 1), (items, len(AIR))), status=level, text=primary, statuses=_LEVELS, texts=texts)


def year_columns(scope: str, rule_set: str, running: years.Running, at: Span) -> list[Column]:
    """Running year figures at the end of each closed day; those of closed months, quarters and years: :mod:`analytics.jobs.periods`."""
    count = min(len(running), at.closed)
    if not count:
        return []
    names = displayed.names(years.TOPS)
    found = displayed.of_year(running, count)
    elapsed = np.arange(1, count + 1)
    table = Table(stamps(at.first, count), found.units, displayed.divisors(names), found.behind, elapsed, _plain(found.units))
    return columns([Tag(name, "ytd", scope, rule_set) for name in names], table)


def stamps(first: int, count: int) -> npt.NDArray[np.int64]:
    """Times of day rows: 00:00 +08:00 of each day."""
    return civil.period_stamp(first) + civil.DAY_S * np.arange(count, dtype=np.int64)
