"""Dispatch in a heavy-pollution episode: by enterprise and hour, what was obeyed, what was not, what cannot be told and why, who has not confirmed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response

from api.access import Whose
from api.accounts import Caller
from api.answers import answer
from api.depends import Asked
from api.events import MOST
from api.freshness import survey
from api.links import leads
from api.params import Cursor, pack, unpack
from api.problems import Problem, wrong
from api.schemas_dispatch import DispatchAnswer, DispatchHour, DispatchRow, OrderHead
from api.sources import Sources
from domain import statements
from domain.civil import DAY_S, iso
from domain.details import details
from domain.indicators import Event
from domain.indicators import Query as Asks

router = APIRouter(prefix="/api/v1", tags=["energy"])
ORDER: Final = "order"
FIGURE: Final = "order_load"
STATUSES: Final = ("obeyed", "not-obeyed", "cannot-tell")
BACK_S: Final = 400 * DAY_S
Body = Mapping[str, Any]


@router.get("/dispatch", response_model=DispatchAnswer, responses=leads("cursor", "/next", "dispatch"))
def dispatch(
    request: Request,
    sources: Asked,
    caller: Whose,
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=100, description="每页企业数 enterprises a page")] = 50,
    *,
    order: Annotated[str | None, Query(max_length=40, description="begin of the order; the newest if absent")] = None,
) -> Response:
    """One order by enterprise and hour, as analytics judged it; an enterprise sees itself."""
    rows = _rows(sources, caller)
    heads = _heads(rows)
    shown = _chosen(heads, order)
    under = sorted((one for one in rows if shown and one[0].time == statements.instant(shown.start)), key=_worst)
    key = unpack(cursor, int)
    skip = min(max(0, int(str(key[0]))), MOST) if key else 0
    silent = {one.source for one in survey(sources, sources.now()) if one.kind == "meter" and one.state in {"silent", "never"}}
    items = [_row(sources, caller, one, silent) for one in under[skip : skip + limit]]
    follow = pack((skip + limit,)) if len(under) > skip + limit else None
    return answer(request, DispatchAnswer(items=items, next=follow, orders=heads, order=shown, unit="kWh/h"))


def _rows(sources: Sources, caller: Caller) -> list[tuple[Event, Body]]:
    """Orders of the last year, enterprise by enterprise; those that were taken back say nothing any more."""
    registry, now = sources.registry(), sources.now()
    found: list[tuple[Event, Body]] = []
    for row in sources.figures.event_rows(now - BACK_S, now, MOST):
        if row.kind == ORDER and caller.sees(registry, row.source):
            body = details(row.text)
            if "document" in body:
                found.append((row, body))
    return found


def _heads(rows: Sequence[tuple[Event, Body]]) -> list[OrderHead]:
    """Each order once, the newest first."""
    by_begin: dict[int, list[Body]] = {}
    for row, body in rows:
        by_begin.setdefault(row.time, []).append(body)
    return [_head(begin, by_begin[begin]) for begin in sorted(by_begin, reverse=True)]


def _head(begin: int, bodies: Sequence[Body]) -> OrderHead:
    first = bodies[0]
    level = str(first.get("level", ""))
    zh = statements.LEVELS[level][0] if level in statements.LEVELS else level
    open_ = sum(not body.get("receipt") for body in bodies)
    return OrderHead(
        start=iso(begin),
        end=str(first.get("to", "")),
        level=level,
        zh=zh,
        en=level,
        document=str(first["document"]),
        enterprises=len(bodies),
        unconfirmed=open_,
    )


def _chosen(heads: Sequence[OrderHead], asked: str | None) -> OrderHead | None:
    if asked is None:
        return heads[0] if heads else None
    try:
        begin = iso(statements.instant(asked.replace(" ", "+")))
    except ValueError:
        raise wrong("order", "请照抄命令的开始时间。", "Copy the begin of an order.") from None
    found = next((one for one in heads if one.start == begin), None)
    if found is None:
        raise Problem(404, "没有此时开始的管控指令。", "No order began then.")
    return found


def _worst(one: tuple[Event, Body]) -> tuple[int, int, int, str]:
    """Whoever ran most hours against the order stands first, then who has not confirmed, then of whom least can be told."""
    hours = one[1].get("hours") or {}
    return -int(hours.get("not-obeyed", 0)), bool(one[1].get("receipt")), -int(hours.get("cannot-tell", 0)), one[0].source


def _row(sources: Sources, caller: Caller, one: tuple[Event, Body], silent: set[str]) -> DispatchRow:
    (row, body), registry = one, sources.registry()
    place = registry.enterprises.get(row.source)
    receipt = body.get("receipt") or {}
    meters = [meter.id for meter in registry.meters.values() if meter.enterprise == row.source and meter.id in silent]
    return DispatchRow(
        enterprise=row.source, enterprise_name=registry.name_of(row.source), town=place.town if place else "",
        contact=place.contact if place and (caller.bound or "desk" in caller.rights) else "", confirmed=receipt.get("time"), silent=meters,
        measures=list(body.get("measures") or ()), counts=dict(body.get("hours") or {}), why=dict(body.get("why") or {}),
        hours=_hours(sources, row.source, row.time, str(body.get("to", ""))),
    )  # fmt: skip


def _hours(sources: Sources, enterprise: str, begin: int, end: str) -> list[DispatchHour]:
    try:
        last = statements.instant(end)
    except ValueError:
        return []
    rows = sources.figures.series(Asks(FIGURE, enterprise, "hour", None, "raw", begin, last))
    return [
        DispatchHour(time=iso(row.time), status=row.status, why=str(details(row.text).get("why", "")), load=row.value, allowed=row.target)
        for row in rows
        if row.status in STATUSES
    ]
