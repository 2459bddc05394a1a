"""Air stations: the newest hour of each, and their hours and days."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import chain, islice
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response

from api.answers import answer, series
from api.depends import Asked
from api.freshness import WhileThere, by_source, newest
from api.links import leads
from api.params import Asking, Limit, Place, Window, day_window, pack, unpack, window
from api.problems import unknown
from api.schemas import Page
from api.schemas_places import DayRow, DaysAnswer, HourRow, HoursAnswer, StationAnswer, VersionRow, VersionsAnswer
from api.shaping import date_text, in_force, level, parts, split, stamp, stamp_day, units
from api.shared import shared, shared_briefly
from api.sources import Sources, Version
from domain.air import RULE_SETS
from domain.civil import HOUR_S, day_of, iso
from domain.indicators import Indicator
from domain.indicators import Query as Conditions
from domain.items import AIR, BY_REALM, DAILY
from domain.places import AirStation
from domain.readings import Reading

router = APIRouter(prefix="/api/v1/air", tags=["air"])
HOURS_MOST: Final = 366
DAYS_MOST: Final = 4_018
NS: Final = 1_000_000_000
VERSIONS: Final = len(RULE_SETS) + 1
"""Rows that one figure has at one time: under each rule set, and without one where no rule decides it."""
ORDER: Final = {"assessment": 0, "township": 1, "micro": 2, "site": 3, "background": 4}
RuleChoice = Annotated[str | None, Query(pattern=r"^[A-Za-z0-9-]{1,32}$", description="规则集，默认按日期 dated if absent")]


@router.get("/stations", response_model=Page[StationAnswer], responses=leads("site", "/items/0/id", "hours", "days", "versions"))
@shared_briefly
def stations(request: Request, sources: Asked) -> Response:
    """Every station with its newest hour, AQI, class and whether it is silent; assessed ones first."""
    now = sources.now()
    seen, fresh, day = newest(sources), by_source(sources, now), day_of(now)
    rules, since = in_force(day), now - 24 * HOUR_S
    figures = WhileThere(sources.figures).latest(("aqi", "pm25_24h"), list(sources.registry().air_stations), ("hour", rules), (since, now))
    rows = []
    places = sorted(sources.registry().air_stations.values(), key=lambda one: ORDER.get(one.role.on(day) or "", 9))
    for place in places:
        state = fresh.get(place.id)
        if state is None:
            continue
        last = seen.get(place.id)
        values, flags = split(last.items, AIR) if last else ({}, {})
        rows.append(
            StationAnswer(
                **_head(place, day),
                state=state.state,
                overdue_minutes=state.overdue,
                time=stamp(state.last),
                values=values,
                flags=flags,
                units=units("air", AIR),
                **_judged(figures.get(("aqi", place.id)), figures.get(("pm25_24h", place.id))),
            ),
        )
    return answer(request, Page[StationAnswer](items=rows))


def _head(place: AirStation, day: int) -> dict[str, Any]:
    return {"id": place.id, "name": place.name, "role": place.role.on(day), "town": place.town}


def _judged(row: Indicator | None, rolling: Indicator | None) -> dict[str, Any]:
    """A station's AQI and its rolling PM2.5."""
    return {
        "aqi": row.value if row else None,
        "aqi_time": stamp(row.time) if row else None,
        "level": level(row),
        "primary": parts(row.text) if row else [],
        "rule_set": row.rule_set if row else None,
        "pm25_24h": rolling.value if rolling else None,
    }


def _known(sources: Sources, site: str, *, county: bool) -> None:
    registry = sources.registry()
    if registry.kind_of(site) != "air" and not (county and site == registry.county.id):
        raise unknown(site)


@router.get("/stations/{site}/hours", response_model=HoursAnswer)
@shared
def hours(request: Request, sources: Asked, site: Place, span: Asking, limit: Limit = 1_000) -> Response:
    """Hours of a station: what it sent, and the AQI made of it; JSON or CSV in the form of the hourly files."""
    _known(sources, site, county=False)
    asked = window(span, sources.now(), days=2, most=HOURS_MOST)
    key = unpack(span.cursor, int)
    start = max(asked.start, int(str(key[0]))) if key else asked.start
    sent = {row.time: row for row in islice(sources.readings.rows("air", [site], start, asked.end, HOUR_S), limit + 1)}
    figures = _by_time(_figures(sources, ("aqi", *AIR), Conditions(None, site, "hour", start=start, end=asked.end), limit))
    times = sorted({*sent, *figures})
    rows = [_hour(time, sent.get(time), figures.get(time, {})) for time in times[:limit]]
    follow = pack((times[limit - 1],)) if len(times) > limit else None
    told = HoursAnswer(items=rows, next=follow, site=site, units=units("air", AIR))
    columns = ("site", "time", *AIR, "aqi", "level", "primary", "rule_set")
    table = [[site, row.time, *(row.values.get(name) for name in AIR), row.aqi, row.level, "+".join(row.primary), row.rule_set] for row in rows]
    return series(request, told, columns, table, _unit_line(told.units))


def _figures(sources: Sources, names: Iterable[str], query: Conditions, limit: int) -> Iterable[Indicator]:
    """The first rows of each figure by name, enough for a page.

    Each has its own bound: a place has many more figures than a page shows, and a bound on all of them together would end the
    page early without a word.
    """
    found = sources.figures.several([replace(query, figure=name, limit=(limit + 1) * VERSIONS) for name in names])
    return chain.from_iterable(found)


def _by_time(rows: Iterable[Indicator]) -> dict[int, dict[str, Indicator]]:
    found: dict[int, dict[str, Indicator]] = {}
    for row in rows:
        found.setdefault(row.time, {})[row.figure] = row
    return found


def _hour(time: int, sent: Reading | None, figures: Mapping[str, Indicator]) -> HourRow:
    aqi = figures.get("aqi")
    values = dict(sent.values) if sent else {name: figures[name].value for name in AIR if name in figures}
    return HourRow(
        time=iso(time),
        aqi=aqi.value if aqi else None,
        level=level(aqi),
        primary=parts(aqi.text) if aqi else [],
        rule_set=aqi.rule_set if aqi else None,
        values={name: values[name] for name in BY_REALM["air"] if name in values},
        flags=dict(sent.flags) if sent else {},
        built=sent is None and bool(values),
    )


@router.get("/stations/{site}/days", response_model=DaysAnswer)
@shared
def days(
    request: Request,
    sources: Asked,
    site: Place,
    span: Asking,
    *,
    limit: Limit = 400,
    rule_set: RuleChoice = None,
) -> Response:
    """Days of a station or of the county, under the rule set in force on each day unless one is named; JSON or CSV."""
    _known(sources, site, county=True)
    asked = day_window(window(span, sources.now(), days=31, most=DAYS_MOST))
    key = unpack(span.cursor, int)
    asked = Window(max(asked.start, int(str(key[0]))), asked.end) if key else asked
    query = Conditions(None, site, "day", rule_set, start=asked.start, end=asked.end)
    found = _figures(sources, ("aqi", *DAILY), query, limit)
    figures = _by_time(row for row in found if rule_set or row.rule_set == in_force(stamp_day(row.time)))
    times = sorted(figures)
    rows = [_day(time, figures[time]) for time in times[:limit]]
    follow = pack((times[limit - 1],)) if len(times) > limit else None
    told = DaysAnswer(items=rows, next=follow, site=site, units=units("air", DAILY))
    columns = ("site", "date", *DAILY, "aqi", "level", "primary", "rule_set")
    table = [[site, row.date, *(row.values.get(name) for name in DAILY), row.aqi, row.level, "+".join(row.primary), row.rule_set] for row in rows]
    return series(request, told, columns, table, _unit_line(told.units))


def _day(time: int, figures: Mapping[str, Indicator]) -> DayRow:
    aqi = figures.get("aqi")
    some = next(iter(figures.values()))
    return DayRow(
        date=date_text(time),
        aqi=aqi.value if aqi else None,
        level=level(aqi),
        primary=parts(aqi.text) if aqi else [],
        rule_set=some.rule_set,
        values={name: figures[name].value for name in DAILY if name in figures},
        hours={name: figures[name].valid for name in DAILY if name in figures},
    )


@router.get("/stations/{site}/versions", response_model=VersionsAnswer)
def versions(request: Request, sources: Asked, site: Place, span: Asking, limit: Limit = 1_000) -> Response:
    """Every version of the values that a station said more than once: corrected, withdrawn, flagged anew; the superseded ones too."""
    _known(sources, site, county=False)
    asked = window(span, sources.now(), days=7, most=HOURS_MOST)
    key = unpack(span.cursor, int, int, str, str)
    after = (int(str(key[0])), int(str(key[1])), str(key[2]), int(str(key[3]))) if key else (-(2**62), 0, "", 0)
    found = sources.state.spoken(site, asked, after, limit + 1)
    page = found[:limit]
    # Of one value the greatest revision stands; at a page's end the next row says whether it is still the same value.
    told = [_version(row, stands=place + 1 == len(found) or _cell(found[place + 1]) != _cell(row)) for place, row in enumerate(page)]
    last = page[-1] if page else None
    follow = pack((last.key.time, last.key.span, last.item, str(last.rev))) if last and len(found) > limit else None
    return answer(request, VersionsAnswer(items=told, next=follow, site=site, units=units("air", BY_REALM["air"])))


def _cell(row: Version) -> tuple[object, ...]:
    return row.key, row.item


def _version(row: Version, *, stands: bool) -> VersionRow:
    return VersionRow(
        time=iso(row.key.time),
        span=row.key.span,
        item=row.item,
        value=row.value,
        flag=row.flag,
        stands=stands,
        received=stamp(row.received_ns // NS) if row.received_ns else None,
        device=row.device or None,
        journal=f"{row.writer}/{row.seq}" if row.writer else None,
    )


def _unit_line(named: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={unit}" for name, unit in named.items())
