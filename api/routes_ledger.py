"""How complete the data are: the running year at a glance, and the ledger of every day, month and year."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Path, Query, Request, Response

from api.answers import answer
from api.depends import Asked
from api.links import leads
from api.params import ID, Asking, Limit, day_window, pack, unpack, window
from api.problems import unknown
from api.schemas import Page
from api.schemas_ledger import CompleteAnswer, ItemDays, LedgerAnswer, Loss
from api.shaping import in_force, stamp
from api.shared import shared
from api.shelf import lately
from api.sources import Sources
from domain import indicators as stored
from domain.air import YEAR_DAYS
from domain.civil import date_of, day_number, day_of, iso, period_stamp, year_days, year_of_day
from domain.details import details
from domain.indicators import Indicator

router = APIRouter(prefix="/api/v1", tags=["completeness"])
FIGURES: Final = {"day": "lost_hours", "month": "lost_days", "year": "lost_days"}
BUDGET: Final = {"day": 4_018}
LONGEST: Final = 18_263
Period = Literal["day", "month", "year"]


@router.get("/completeness", response_model=Page[CompleteAnswer], responses=leads("scope", "/items/0/scope", "ledger"))
@shared
def completeness(request: Request, sources: Asked) -> Response:
    """Valid days, data capture, and what the running year and day lack, for the county and each of its stations."""
    scopes, now = (sources.registry().county.id, *sources.registry().air_stations), sources.now()
    first, last = (period_stamp(day) for day in year_days(year_of_day(day_of(now))))
    today, rules = period_stamp(day_of(now)), in_force(day_of(now))
    found = lately(sources.figures, ("valid_days", "data_capture"), scopes, ["ytd"], (first - 1, now))
    heads = {(row.figure, row.scope): row for row in found if (row.rule_set, row.basis) == (rules, "raw")}
    ledgers = [_ledgers(sources, scopes, period, time) for period, time in (("year", last), ("day", today))]
    return answer(request, Page[CompleteAnswer](items=[_complete(sources, scope, heads, ledgers) for scope in scopes]))


def _complete(sources: Sources, scope: str, heads: Mapping[tuple[str, str], Indicator], ledgers: Sequence[Mapping[str, LedgerAnswer]]) -> CompleteAnswer:
    days, capture = heads.get(("valid_days", scope)), heads.get(("data_capture", scope))
    year, today = (some.get(scope) for some in ledgers)
    return CompleteAnswer(
        scope=scope,
        name=sources.registry().name_of(scope),
        valid_days=days.value if days else None,
        expected_days=days.expected if days else None,
        needed_days=YEAR_DAYS,
        data_capture=capture.value if capture else None,
        unit="%",
        rule_set=in_force(day_of(sources.now())),
        time=stamp(days.time) if days else None,
        year=year,
        today=today,
    )


def _ledgers(sources: Sources, scopes: Sequence[str], period: str, time: int) -> dict[str, LedgerAnswer]:
    """The ledger of each scope for the period that ends with the day of ``time``."""
    rows = sources.figures.newest([FIGURES[period]], scopes, [period], (time - 1, time))
    return {row.scope: _answer(sources, row) for row in rows if row.basis == "raw"}


@router.get("/completeness/{scope}", response_model=Page[LedgerAnswer])
@shared
def ledger(
    request: Request, sources: Asked, span: Asking, limit: Limit = 100, *, scope: Annotated[str, Path(pattern=ID)], period: Annotated[Period, Query()] = "day"
) -> Response:
    """Ledgers of a scope by time: what each day, month or year lacks, why, and whether it can still become valid."""
    registry = sources.registry()
    if scope != registry.county.id and scope not in registry.air_stations:
        raise unknown(scope)
    asked = day_window(window(span, sources.now(), days=31, most=BUDGET.get(period, LONGEST)))
    end = period_stamp(_last(period, day_of(asked.end + 1)))
    after = unpack(span.cursor, str, str, str, str, str, int)
    found = sources.figures.series(stored.Query(FIGURES[period], scope, period, None, "raw", asked.start, end, after, limit + 1))
    follow = pack(found[limit - 1].key) if len(found) > limit else None
    return answer(request, Page[LedgerAnswer](items=[_answer(sources, row) for row in found[:limit]], next=follow))


def _last(period: str, day: int) -> int:
    """Last civil day of the period that a day lies in: a running one stands there already."""
    date = date_of(day)
    if period == "day":
        return day
    after = date.replace(year=date.year + 1, month=1, day=1) if period == "year" or date.month == 12 else date.replace(month=date.month + 1, day=1)
    return day_number(after) - 1


def _answer(sources: Sources, row: Indicator) -> LedgerAnswer:
    body = details(row.text)
    return LedgerAnswer(
        scope=row.scope,
        name=sources.registry().name_of(row.scope),
        period=row.period,
        time=iso(row.time),
        status=row.status,
        lost=row.value,
        valid=row.valid,
        expected=row.expected,
        losses=[_loss(one) for one in body.get("lost", ())],
        more=int(body.get("more", 0)),
        chances=dict(body.get("chances", {})),
        hours=dict(body.get("hours", {})),
        items={name: ItemDays(**one) for name, one in body.get("items", {}).items()},
    )


def _loss(one: Mapping[str, Any]) -> Loss:
    words = {name: str(one.get(name, "")) for name in ("reason", "detail", "station")}
    count = int(one.get("hours", one.get("days", 0)))
    return Loss(first=str(one.get("from", "")), last=str(one.get("to", "")), count=count, items=list(one.get("items", ())), **words)
