"""A site's year: hours, days and running year figures of one station or city, under both rule sets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from analytics import cube, tables
from analytics.air import days as air_days
from analytics.air import displayed
from analytics.air import hours as air_hours
from analytics.air.days import Days
from analytics.air.hours import Seen
from analytics.cube import BACK, BUILT, SiteYear
from analytics.jobs.sheets import Kind, Sheet, single
from analytics.kernels import rolling as kernel
from domain import air, civil
from domain.fixed import MISSING, SCALE
from domain.items import AIR, DAILY

Bytes = npt.NDArray[np.uint8]
NAMES: Final = tuple(rules.name for rules in air.RULE_SETS)
WINDOW: Final = 24
_BUILT: Final = ("", "built")
_SHORT: Final = np.iinfo(np.int16).max
_ONE: Final = np.ones((1, 1))
_ITEMS: Final = np.asarray(len(AIR))
_LEVELS: Final = ("", *(str(level) for level in range(1, len(air.LEVELS) + 1)))
_DIVISORS: Final = np.array([[1_000.0 / step] for step in tables.STEPS])
"""Displayed units in one unit, by item."""
_DIGITS: Final = displayed.divisors(displayed.NAMES)


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


class Again(NamedTuple):
    """A recomputation of which it is known what changed since the last one.

    Attributes
    ----------
    kept : callable
        The sheet of a kind as it was computed last.
    days : sequence of int
        Days of the year, from 0, that a value may have changed on; those before it are negative.
    known : Days, optional
        Daily values as they were computed last, which are left as they are.
    """

    kept: Callable[[Kind], Sheet | None]
    days: Sequence[int]
    known: Days | None = None


def daily(site: SiteYear, begun: int, again: Again | None = None) -> Days:
    """(d, 6) daily values of the days that have begun: from hours, or as published where a day has no hour at all.

    A day is made of its own hours only, so with ``again`` those of other days are taken over.
    """
    if again is None or again.known is None or len(again.known.shown) != begun:
        days, spans = air_days.unmade(begun), [(0, begun)]
    else:
        days, spans = air_days.copy(again.known), [(day, day + 1) for day in again.days if 0 <= day < begun]
    for start, stop in spans:
        air_days.remake(days, site.hours[24 * BACK :], (start, stop))
        given = site.days[start:stop] != MISSING
        if given.any():
            only = start + np.flatnonzero((days.hours[start:stop] == 0).all(axis=1) & given.any(axis=1))
            air_days.put(days, only, air_days.published(site.days[only]))
    return days


def judged(days: Days) -> Seen:
    """Days as rows of figures, with their daily AQI under each rule set."""
    return air_hours.of_days(days.shown, days.hours)


def hour_sheets(scope: str, first: int, values: npt.NDArray[np.int32], again: Again | None = None) -> list[Sheet]:
    """Real-time AQI of each hour of the days that have begun.

    Parameters
    ----------
    first : int
        Civil day of the first row.
    values : (24·d, 6) int32 [thousandths of the reporting unit]
        ``MISSING`` = no valid hour.
    again : Again, optional
        Only the hours of its days are judged anew.
    """
    found = []
    for place, rows in in_force(first, len(values)):
        kind = Kind(("aqi",), "hour", scope, NAMES[place])
        one, stretches = _stretches(kind, rows, again, 1) or (_empty(kind, labels(first, len(values))[rows]), [rows])
        for own in stretches:
            cells = slice(own.start - rows.start, own.stop - rows.start)
            air_hours.judge_into(values[own], place, (one.units[0, cells], one.text[0, cells], one.valid[0, cells], one.status[0, cells]))
        found.append(one)
    return found


def _empty(kind: Kind, time: npt.NDArray[np.int64]) -> Sheet:
    """The AQI of some hours, unwritten."""
    count = len(time)
    verdict = np.empty(count, np.int16), np.empty(count, np.uint8), np.empty(count, np.uint8), np.empty(count, np.uint8)
    return _aqi(kind, time, verdict, tables.primaries(daily=False))


def _stretches(kind: Kind, rows: slice, again: Again | None, reach: int) -> tuple[Sheet, list[slice]] | None:
    """A copy of the kept sheet of some hours, and which of them the changed days reach, each ``reach`` days on; None where all have to be made."""
    kept = None if again is None else again.kept(kind)
    if again is None or kept is None or len(kept.time) != rows.stop - rows.start:
        return None
    spans = ((max(rows.start, 24 * day), min(rows.stop, 24 * (day + reach))) for day in again.days)
    return kept.again(), [slice(start, stop) for start, stop in spans if start < stop]


@lru_cache(maxsize=64)
def labels(first: int, count: int) -> npt.NDArray[np.int64]:
    """End labels of hours from the first hour of a day on; kept, for every scope of a year has the same."""
    return _fixed(civil.day_start(first) + civil.HOUR_S * np.arange(1, count + 1, dtype=np.int64))


@lru_cache(maxsize=64)
def in_force(first: int, count: int) -> tuple[tuple[int, slice], ...]:
    """Rule sets in force with their rows of hours: hours are judged by the set of their own day only."""
    rule = tables.rules_on(first + np.arange(count) // 24)
    return tuple((place, slice(*np.searchsorted(rule, [place, place + 1]).tolist())) for place in np.unique(rule).tolist())


def rolling_sheets(scope: str, site: SiteYear, at: Span, again: Again | None = None) -> list[Sheet]:
    """Running 24 h means of PM2.5 of the hours that are over, and the hours that were built of shorter spans."""
    found = _rolling_again(scope, site, at, again)
    made = [rolling_pm25(scope, site.hours[: 24 * BACK + at.hours], at)] if found is None else []
    if cube.has_built(site):
        made += [one for place in range(len(AIR)) for one in _built(scope, site, at.hours, place)]
    return [*(found or ()), *(one.part(rows, NAMES[place]) for one in made for place, rows in in_force(site.first, at.hours))]


def _rolling_again(scope: str, site: SiteYear, at: Span, again: Again | None) -> list[Sheet] | None:
    """The running means with those anew that a changed day reaches: its own hours and those of the day behind it."""
    found = []
    for place, rows in in_force(site.first, at.hours):
        parts = _stretches(Kind(("pm25_24h",), "hour", scope, NAMES[place]), rows, again, 2)
        if parts is None:
            return None
        one, stretches = parts
        for own in stretches:
            cells = slice(own.start - rows.start, own.stop - rows.start)
            _run(site.hours, own, one.units[0, cells], one.valid[0, cells])
        found.append(one)
    return found


_MEAN: Final = np.uint64(AIR.index("pm25")), np.int32(air.DAY_HOURS), np.int32(tables.STEPS[AIR.index("pm25")])


def rolling_pm25(scope: str, hours: npt.NDArray[np.int32], at: Span) -> Sheet:
    """Running 24 h means of PM2.5 of (24·(BACK + d), 6) hours, without a rule set."""
    shown, behind = np.empty(at.hours, np.int16), np.empty(at.hours, np.uint8)
    _run(hours, slice(0, at.hours), shown, behind)
    return single(Kind(("pm25_24h",), "hour", scope, ""), labels(at.first, at.hours), shown, 1, (behind, WINDOW))


def _run(hours: npt.NDArray[np.int32], own: slice, shown: npt.NDArray[np.integer], behind: npt.NDArray[np.integer]) -> None:
    """Write those of some rows of the year, as int16 and uint8."""
    room = np.empty(len(shown), np.int32), np.empty(len(shown), np.int32)
    kernel.alone(hours[24 * (BACK - 1) + own.start :], WINDOW, _MEAN, room, shown, behind)


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
    built = site.lost[own, place] == BUILT
    if not built.any():
        return []
    units = np.where(built, site.hours[own, place], -1)
    made = single(Kind((AIR[place],), "hour", scope, ""), labels(site.first, count), units, SCALE, (built.astype(np.uint8), 1))
    return [replace(made, status=built.astype(np.uint8)[None], statuses=_BUILT)]


def day_sheets(scope: str, seen: Seen, at: Span, expected: npt.NDArray[np.integer] | int = 24) -> list[Sheet]:
    """AQI and displayed concentrations of each day; ``expected`` are the hours that a full day has."""
    time, whole, texts = stamps(at.first, len(seen.items)), np.asarray(expected), tables.primaries(daily=True)
    # Both rule sets have the same concentrations, and keep them once.
    shown = seen.shown.astype(np.int16) if seen.top <= _SHORT else seen.shown
    found = []
    for place, name in enumerate(NAMES):
        verdict = seen.aqi[place], seen.primary[place], seen.items, seen.level[place]
        found.append(_aqi(Kind(("aqi",), "day", scope, name), time, verdict, texts))
        found.append(Sheet(Kind(DAILY, "day", scope, name), time, shown, _DIVISORS, seen.behind, whole))
    return found


def _aqi(kind: Kind, time: npt.NDArray[np.int64], verdict: tuple[npt.NDArray[np.int16], Bytes, Bytes, Bytes], texts: tuple[str, ...]) -> Sheet:
    """AQI with its level as status and its primary pollutants as text; a verdict is AQI, primary pollutants, valid items and level."""
    aqi, primary, items, level = verdict
    return Sheet(kind, time, aqi[None], _ONE, items[None], _ITEMS, level[None], primary[None], _LEVELS, texts)


def year_sheets(scope: str, rule_sets: Sequence[str], made: displayed.Made, at: Span) -> list[Sheet]:
    """Running year figures at the end of each closed day; those of closed months, quarters and years: :mod:`analytics.jobs.periods`."""
    count = made.running[0].units.shape[1]
    if not count:
        return []
    time, days = stamps(at.first, count), _elapsed(count)
    pairs = zip(rule_sets, made.running, strict=True)
    return [Sheet(Kind(displayed.NAMES, "ytd", scope, name), time, one.units, _DIGITS, one.behind, days) for name, one in pairs]


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
