"""Air by the day: daily values of sites or of a city, from hours or as published, with AQI."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from analytics.air import days as air_days
from analytics.air.days import Days
from domain import civil
from domain.errors import FileError
from domain.items import DAILY
from lanbi.assess import air, rules, writing
from lanbi.assess.table import Table

_ROWS: Final = 1 << 16
_CELLS: Final = 1 << 21
STATUSES: Final = ("ok", "incomplete", "invalid")


class City(NamedTuple):
    """The place that the sites are averaged into (None: each site for itself), and the sites that are left out."""

    name: str | None
    exclude: tuple[str, ...]


class Scopes(NamedTuple):
    """Daily values of sites or of a city, ordered by scope and day; only days that the input knows.

    Attributes
    ----------
    scope : (n,) int32
        Position in ``names``.
    day : (n,) int32 [civil day]
    days : Days
        (n, 6).
    """

    names: tuple[str, ...]
    scope: npt.NDArray[np.int32]
    day: npt.NDArray[np.int32]
    days: Days


def scopes(table: Table, source: str, city: City) -> Scopes:
    """Daily values of a table of hours (``source`` hourly) or of published days (daily)."""
    if city.exclude and city.name is None:
        raise FileError("--exclude needs --city", "arguments", "name the city: --city NAME --exclude SITE")
    strangers = [site for site in city.exclude if site not in table.sites]
    if strangers:
        raise FileError(f"no such site in the table: {', '.join(strangers)}", "--exclude", f"known are {', '.join(table.sites[:20])}")
    sites = _from_hours(table) if source == "hourly" else _published(table)
    return sites if city.name is None else _averaged(sites, city.name, city.exclude)


def _published(table: Table) -> Scopes:
    ordered = table.chosen(np.argsort(table.key, kind="stable"))
    return Scopes(table.sites, ordered.site, ordered.time.astype(np.int32), air_days.published(ordered.values))


def _from_hours(table: Table) -> Scopes:
    keys, parts = [np.empty((0, 2), np.int32)], [air_days.none(0, 6)]
    for number, (_, key, grid) in enumerate(air.site_days(table)):
        own = slice(1 if number else 0, None)
        days = air_days.from_hours(grid[:, own])
        keys.append(key[own])
        parts.append(Days(days.exact[0], days.parts[0], days.hours[0], days.shown[0]))
    key = np.concatenate(keys)
    return Scopes(table.sites, key[:, 0], key[:, 1], air_days.join(parts))


def _averaged(sites: Scopes, name: str, exclude: tuple[str, ...]) -> Scopes:
    member = np.array([site not in exclude for site in sites.names], bool)
    day, place = np.unique(sites.day, return_inverse=True)
    step = max(1, _CELLS // max(1, len(sites.names)))
    parts = [air_days.none(0, 6)]
    for begin in range(0, len(day), step):
        span = min(step, len(day) - begin)
        rows = np.flatnonzero((place >= begin) & (place < begin + span))
        grid = air_days.none(span, len(sites.names), 6)
        air_days.put(grid, (place[rows] - begin, sites.scope[rows]), sites.days.rows(rows))
        parts.append(air_days.city(grid, np.broadcast_to(member, (span, len(member)))))
    return Scopes((name,), np.zeros(len(day), np.int32), day, air_days.join(parts))


def table(found: Scopes, choice: str) -> Iterator[air.Block]:
    """Daily values, AQI, IAQIs, hours and status of every scope and day."""
    for begin in range(0, max(len(found.day), 1), _ROWS):
        rows = slice(begin, min(begin + _ROWS, len(found.day)))
        yield _columns(found.names, found.scope[rows], found.day[rows], found.days.rows(rows), choice)


def _columns(names: tuple[str, ...], scope: npt.NDArray[np.int32], day: npt.NDArray[np.int32], days: Days, choice: str) -> air.Block:
    rule = rules.on(day, choice)
    judged = days.judged(rule)
    verdict, indices = air.judged_columns(judged, daily=True)
    status = np.where(judged.aqi < 0, 2, (days.shown < 0).any(axis=1).astype(np.int8))
    return [
        writing.text("site", scope, names),
        writing.date("date", day),
        *(writing.number(name, days.shown[:, place], air.DECIMALS[place]) for place, name in enumerate(DAILY)),
        *verdict,
        *indices,
        *(writing.number(f"hours_{name}", days.hours[:, place]) for place, name in enumerate(DAILY)),
        writing.text("status", status, STATUSES),
        writing.text("rule_set", rule, rules.NAMES),
    ]


def calendar(found: Scopes, scope: int, year: int, last: int) -> Days:
    """(d, 6) daily values of a scope from the first of January to ``last`` or the year's end; days without input are missing."""
    first, end = civil.year_days(year)
    rows = (found.scope == scope) & (found.day >= first) & (found.day <= end)
    whole = air_days.none(min(end, last) - first + 1, 6)
    air_days.put(whole, found.day[rows] - first, found.days.rows(np.flatnonzero(rows)))
    return whole
