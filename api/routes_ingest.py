"""What ingest knows: who is silent, what was refused, and the account of every reading."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from api.access import Whose
from api.answers import answer
from api.depends import Asked
from api.firsthand import told
from api.freshness import Fresh, survey
from api.links import leads
from api.params import ID, Cursor, Limit, pack, unpack
from api.schemas import AccountAnswer, DeadLetterAnswer, FreshAnswer, Page
from api.shaping import stamp
from api.shared import shared, shared_briefly
from api.sources import Refusal, Sources
from domain.civil import iso
from domain.places import Registry
from domain.sayings import chinese

router = APIRouter(prefix="/api/v1", tags=["ingest"])
NS = 1_000_000_000
TERMS = ("received", "stored", "duplicate", "deadletter", "quarantined", "pending")


@router.get("/freshness", response_model=Page[FreshAnswer])
@shared_briefly
def freshness(
    request: Request,
    sources: Asked,
    caller: Whose,
    kind: Annotated[Literal["air", "water", "point", "meter"] | None, Query()] = None,
    state: Annotated[Literal["on-time", "late", "silent", "never", "no-device"] | None, Query()] = None,
) -> Response:
    """When every source last spoke and by how much it is overdue."""
    registry = sources.registry()
    rows = [
        _fresh(registry, one)
        for one in survey(sources, sources.now())
        if kind in {None, one.kind} and state in {None, one.state} and caller.sees(registry, one.source)
    ]
    return answer(request, Page[FreshAnswer](items=rows))


def _fresh(registry: Registry, one: Fresh) -> FreshAnswer:
    return FreshAnswer(
        source=one.source,
        name=registry.name_of(one.source),
        kind=one.kind,
        owner=owner_of(registry, one.source),
        device=one.device,
        trial=one.trial,
        interval=one.interval,
        last=stamp(one.last),
        due=stamp(one.due),
        state=one.state,
        overdue_minutes=one.overdue,
    )


def owner_of(registry: Registry, source: str) -> str:
    """The enterprise of a meter or permit point, by name; empty for the county's own places."""
    place = registry.meters.get(source) or registry.points.get(source)
    return registry.name_of(place.enterprise) if place else ""


@router.get("/deadletters", response_model=Page[DeadLetterAnswer], responses=leads("cursor", "/next", "deadletters"))
@shared
def deadletters(
    request: Request,
    sources: Asked,
    caller: Whose,
    cursor: Cursor = None,
    limit: Limit = 100,
    *,
    reason: Annotated[str | None, Query(pattern=ID)] = None,
    outcome: Annotated[Literal["deadletter", "quarantined"] | None, Query()] = None,
    newest: Annotated[bool, Query(description="最新在前 newest first")] = False,
) -> Response:
    """What was refused, and what is held for a person; oldest first unless ``newest``."""
    key = unpack(cursor, int)
    after = int(str(key[0])) if key else 0
    found = sources.state.refused(reason=reason, after=after, limit=limit + 1, outcome=outcome, newest=newest)
    registry, now = sources.registry(), sources.now()
    rows = [
        _letter(number, row)
        for number, row in found[:limit]
        if caller.sees(registry, row.source) and told(registry, caller, row.source, (row.received_ns // NS, now))
    ]
    follow = pack((found[limit - 1][0],)) if len(found) > limit else None
    return answer(request, Page[DeadLetterAnswer](items=rows, next=follow))


def _letter(number: int, row: Refusal) -> DeadLetterAnswer:
    names = ("outcome", "reason", "detail", "item", "device", "source", "topic")
    words = {name: getattr(row, name) for name in names}
    return DeadLetterAnswer(
        **words, detail_zh=chinese(row.detail) or row.detail, id=number, record=f"{row.writer}/{row.seq}", received=iso(row.received_ns // 1_000_000_000)
    )


@router.get("/account", response_model=AccountAnswer)
@shared
def account(request: Request, sources: Asked) -> Response:
    """The account of every reading since the journal began; both sides are equal at every moment."""
    return answer(request, account_of(sources))


def account_of(sources: Sources) -> AccountAnswer:
    """The terms of the law and what was refused for which reason."""
    law = sources.state.conservation()
    terms = {name: int(law.get(name, 0)) for name in TERMS}
    reasons: dict[str, int] = {}
    items: dict[str, int] = {}
    for (name, reason), count in sources.state.totals().items():
        if name in {"deadletter", "quarantined"} and reason:
            reasons[reason] = reasons.get(reason, 0) + count
        if name == "items_refused" and reason:
            items[reason] = items.get(reason, 0) + count
    balanced = terms["received"] == sum(terms[name] for name in TERMS[1:])
    return AccountAnswer(**terms, balanced=balanced, reasons=reasons, items_refused=items)
