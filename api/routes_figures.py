"""Stored figures, and restated ones."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query, Request, Response

from api.answers import series
from api.depends import Asked
from api.links import leads
from api.params import ID, Asking, Limit, day_window, pack, unpack, window
from api.problems import unknown
from api.schemas import IndicatorAnswer, Page, RestatementAnswer
from api.shaping import unit_of
from api.shared import shared
from api.sources import Sources
from domain import indicators as stored
from domain.civil import iso
from domain.restating import CONFIRMATION, Confirmations, causes_of, confirmations

router = APIRouter(prefix="/api/v1", tags=["figures"])
Period = Literal["hour", "day", "month", "quarter", "year", "ytd"]
Basis = Literal["raw", "reviewed", "dust-excluded", "published", "official"]
Tag = Annotated[str | None, Query(pattern=ID)]
COLUMNS: Final = ("figure", "period", "scope", "rule_set", "basis", "time", "value", "unit", "valid", "expected", "target", "margin", "status", "text")
RESTATED: Final = (
    "figure",
    "period",
    "scope",
    "rule_set",
    "basis",
    "time",
    "version",
    "old",
    "new",
    "unit",
    "old_status",
    "new_status",
    "made",
    "confirmed",
    "cause",
)
# Days a range may span, by period: a page of hours must not become a scan of a decade.
BUDGET: Final = {"hour": 366, "day": 4_018}
LONGEST: Final = 18_263


@router.get("/indicators", response_model=Page[IndicatorAnswer], responses=leads("cursor", "/next", "indicators"))
@shared
def indicators(
    request: Request,
    sources: Asked,
    span: Asking,
    limit: Limit = 1_000,
    *,
    figure: Tag = None,
    scope: Tag = None,
    rule_set: Tag = None,
    period: Period = "day",
    basis: Basis = "raw",
) -> Response:
    """Figures of one scope (the county if absent) by time; JSON or CSV."""
    registry = sources.registry()
    name = scope or registry.county.id
    if name != registry.county.id and registry.name_of(name) == name and name not in registry.kinds:
        raise unknown(name)
    asked = window(span, sources.now(), days=31, most=BUDGET.get(period, LONGEST))
    asked = asked if period == "hour" else day_window(asked)
    after = unpack(span.cursor, str, str, str, str, str, int)
    query = stored.Query(figure, name, period, rule_set, basis, asked.start, asked.end, after, limit + 1)
    found = sources.figures.series(query)
    confirmed = confirmations(sources.entries.entered(CONFIRMATION))
    rows = [_row(sources, row, confirmed) for row in found[:limit]]
    follow = pack(found[limit - 1].key) if len(found) > limit else None
    table = [[getattr(row, column) for column in COLUMNS] for row in rows]
    return series(request, Page[IndicatorAnswer](items=rows, next=follow), COLUMNS, table)


def _row(sources: Sources, row: stored.Indicator, confirmed: Confirmations) -> IndicatorAnswer:
    names = ("figure", "period", "scope", "rule_set", "basis", "value", "valid", "expected", "target", "margin", "low90", "high90", "status", "text")
    provisional = not confirmed.covers(row.period, row.time)
    return IndicatorAnswer(**{name: getattr(row, name) for name in names}, time=iso(row.time), unit=_unit(sources, row.figure), provisional=provisional)


def _unit(sources: Sources, figure: str) -> str:
    """A figure's unit; a target's is its plan's."""
    found = next((target.unit for plan in sources.plans if (target := plan.target(figure))), None)
    return unit_of(figure) if found is None else found


@router.get("/restatements", response_model=Page[RestatementAnswer], responses=leads("cursor", "/next", "restatements"))
@shared
def restatements(request: Request, sources: Asked, span: Asking, limit: Limit = 100) -> Response:
    """Closed figures that changed, newest change first; JSON or CSV."""
    asked = window(span, sources.now(), days=31, most=LONGEST)
    # A cursor is the time of the last change shown and how many of that time were shown.
    made, shown = unpack(span.cursor, int, int) or (asked.end, 0)
    assert isinstance(made, int)  # noqa: S101  unpack checked it
    assert isinstance(shown, int)  # noqa: S101  same
    skip = min(max(0, shown), 100_000)
    found = sources.figures.restatements(asked.start, min(made, asked.end), skip + limit + 1)[skip:]
    page, follow = found[:limit], None
    if len(found) > limit:
        last = page[-1].made
        same = sum(1 for row in page if row.made == last)
        follow = pack((last, same + (skip if last == made else 0)))
    names = ("figure", "period", "scope", "rule_set", "basis", "version", "old", "new", "old_status", "new_status", "cause")
    registry, confirmed = sources.registry(), confirmations(sources.entries.entered(CONFIRMATION))
    rows = [
        RestatementAnswer(
            **{name: getattr(row, name) for name in names},
            scope_name=registry.name_of(row.scope),
            time=iso(row.time),
            made=iso(row.made),
            unit=_unit(sources, row.figure),
            causes=list(causes_of(row.cause)),
            confirmed=confirmed.covers(row.period, row.time, row.made),
        )
        for row in page
    ]
    table = [[getattr(row, column) for column in RESTATED] for row in rows]
    return series(request, Page[RestatementAnswer](items=rows, next=follow), RESTATED, table)
