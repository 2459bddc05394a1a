"""Water sections, meters and permit points: lists with the newest values, and the sections' records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from api.access import Whose
from api.answers import answer, series
from api.depends import Asked
from api.freshness import Fresh, WhileThere, by_source, newest
from api.links import leads
from api.params import Asking, Limit, Place, pack, unpack, window
from api.problems import unknown
from api.schemas import Page
from api.schemas_places import MeterAnswer, PointAnswer, RecordRow, RecordsAnswer, SectionAnswer
from api.shaping import parts, split, stamp, units
from api.shared import shared, shared_briefly
from api.sources import Seen, Sources
from domain import permit, water
from domain.civil import DAY_S, day_of, iso, period_stamp
from domain.indicators import Indicator, Query
from domain.items import BY_REALM
from domain.readings import Reading

router = APIRouter(prefix="/api/v1", tags=["water, meters, points"])
MOST_DAYS: Final = 366
STALE_S: Final = 3 * DAY_S
TODAY: Final = {"over_hours": "point_over_hours", "multiple": "point_multiple", "capture": "point_capture", "marked_hours": "point_marked_hours"}
"""Figures of a permit point's running day."""


@router.get("/water/sections", response_model=Page[SectionAnswer], responses=leads("site", "/items/0/id", "records"))
@shared_briefly
def sections(request: Request, sources: Asked) -> Response:
    """Every section with its newest record and class."""
    now = sources.now()
    seen, fresh = newest(sources), by_source(sources, now)
    figures, names, since = WhileThere(sources.figures), list(sources.registry().water_sections), now - STALE_S
    classes = figures.latest(["water_class"], names, ("hour", water.RULE_SET), (since, now))
    levels = figures.latest(["water_level_state"], names, ("day", permit.RULE_SET), (since, now))
    rows = []
    for place in sources.registry().water_sections.values():
        if place.id not in fresh:
            continue
        recent, level = classes.get(("water_class", place.id)), levels.get(("water_level_state", place.id))
        rows.append(
            SectionAnswer(
                **{name: getattr(place, name) for name in ("id", "name", "town", "body", "control")},
                **_newest("water", seen.get(place.id), fresh[place.id]),
                units=units("water", BY_REALM["water"]),
                water_class=_class(recent),
                deciding=parts(recent.text) if recent else [],
                rule_set=recent.rule_set if recent else None,
                level_state=level.status if level else None,
            ),
        )
    return answer(request, Page[SectionAnswer](items=rows))


def _newest(realm: str, seen: Seen | None, fresh: Fresh) -> dict[str, Any]:
    values, flags = split(seen.items, BY_REALM[realm]) if seen else ({}, {})
    return {"state": fresh.state, "overdue_minutes": fresh.overdue, "time": stamp(fresh.last), "values": values, "flags": flags}


def _class(row: Indicator | None) -> int | None:
    return int(row.value) if row and row.value is not None else None


@router.get("/water/sections/{site}/records", response_model=RecordsAnswer)
@shared
def records(request: Request, sources: Asked, site: Place, span: Asking, limit: Limit = 1_000) -> Response:
    """Records of a section by time, with the class made of each; JSON or CSV."""
    if site not in sources.registry().water_sections:
        raise unknown(site)
    asked = window(span, sources.now(), days=31, most=MOST_DAYS)
    key = unpack(span.cursor, int, int)
    found = sorted(sources.readings.rows("water", [site], asked.start, asked.end), key=lambda row: (row.time, row.span))
    left = [row for row in found if key is None or (row.time, row.span) > key]
    classes = _classes(sources, site, asked.start, asked.end)
    rows = [_record(row, classes) for row in left[:limit]]
    follow = pack((left[limit - 1].time, left[limit - 1].span)) if len(left) > limit else None
    names = BY_REALM["water"]
    told = RecordsAnswer(items=rows, next=follow, site=site, units=units("water", names), rule_set=water.RULE_SET)
    table = [[site, row.time, row.span, *(row.values.get(name) for name in names), row.water_class] for row in rows]
    line = ", ".join(f"{name}={unit}" for name, unit in told.units.items() if unit)
    return series(request, told, ("section", "time", "span", *names, "class"), table, line)


def _classes(sources: Sources, site: str, start: int, end: int) -> dict[int, int | None]:
    rows = sources.figures.series(Query("water_class", site, "hour", water.RULE_SET, "raw", start, end))
    return {row.time: _class(row) for row in rows}


def _record(row: Reading, classes: dict[int, int | None]) -> RecordRow:
    return RecordRow(time=iso(row.time), span=row.span, values=dict(row.values), flags=dict(row.flags), water_class=classes.get(row.time))


@router.get("/meters", response_model=Page[MeterAnswer])
@shared_briefly
def meters(request: Request, sources: Asked, caller: Whose) -> Response:
    """Every enterprise meter with its newest register and power."""
    now = sources.now()
    registry, seen, fresh, day = sources.registry(), newest(sources), by_source(sources, now), day_of(now)
    rows = []
    for place in registry.meters.values():
        if place.id not in fresh or not caller.sees(registry, place.id):
            continue
        told = _newest("meter", seen.get(place.id), fresh[place.id])
        values = told.pop("values")
        rows.append(
            MeterAnswer(
                **{name: getattr(place, name) for name in ("id", "enterprise", "medium", "unit")},
                **told,
                enterprise_name=registry.name_of(place.enterprise),
                role=place.role.on(day),
                register_value=values.get("register"),
                power=values.get("power"),
            ),
        )
    return answer(request, Page[MeterAnswer](items=rows))


@router.get("/points", response_model=Page[PointAnswer])
@shared_briefly
def points(request: Request, sources: Asked, caller: Whose) -> Response:
    """Every permit point with its newest values."""
    now = sources.now()
    registry, seen, fresh, today = sources.registry(), newest(sources), by_source(sources, now), period_stamp(day_of(now))
    figures = WhileThere(sources.figures).latest(list(TODAY.values()), list(registry.points), ("day", permit.RULE_SET), (today - 1, today))
    rows = [
        PointAnswer(
            **{name: getattr(place, name) for name in ("id", "name", "enterprise", "kind")},
            **_newest("point", seen.get(place.id), fresh[place.id]),
            enterprise_name=registry.name_of(place.enterprise),
            units={**units("point", BY_REALM["point"]), **place.units},
            permitted=place.permitted(day_of(now)),
            **_today({name: figures.get((figure, place.id)) for name, figure in TODAY.items()}),
        )
        for place in registry.points.values()
        if place.id in fresh and caller.sees(registry, place.id)
    ]
    return answer(request, Page[PointAnswer](items=rows))


def _today(rows: Mapping[str, Indicator | None]) -> dict[str, Any]:
    """A point's figures of the running day; none of an earlier one."""
    numbers = {name: row.value if row else None for name, row in rows.items()}
    whole = {name: None if (value := numbers[name]) is None else int(value) for name in ("over_hours", "marked_hours")}
    first = rows["over_hours"]
    return {**numbers, **whole, "status": first.status if first else None}
