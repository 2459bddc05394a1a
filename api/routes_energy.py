"""Meters' intervals and events, enterprises and their energy, clues and orders: what analytics stored, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Request, Response

from api.access import Whose
from api.accounts import owner
from api.answers import answer, series
from api.depends import Asked
from api.events import MOST_DAYS, newest
from api.firsthand import told
from api.links import leads
from api.params import ID, Asking, Limit, Window, day_window, pack, unpack, window
from api.params import Place as Object
from api.problems import Problem, unknown
from api.schemas import Page
from api.schemas_energy import ClueAnswer, EnergyAnswer, EnergyRow, EnterpriseAnswer, EventRow, EventsAnswer, IntervalRow, IntervalsAnswer, OrderAnswer
from api.sources import Sources
from domain import civil
from domain.civil import HOUR_S, iso
from domain.clues import RULES
from domain.details import details
from domain.indicators import FIGURES, Event, Indicator
from domain.indicators import Query as Asks

router = APIRouter(prefix="/api/v1", tags=["energy"])
HOURS_DAYS: Final = 366
ACCOUNT: Final = (
    "electricity_bought", "electricity_sold", "electricity_own", "water_use", "energy_tce", "energy_equal", "energy_net", "energy_fuel", "energy_green",
    "energy_feedstock", "co2", "co2_net", "energy_intensity", "water_intensity", "co2_intensity", "electricity_loss", "water_loss",
)  # fmt: skip
"""Lines of an enterprise's account, in the order in which they are listed."""
INTERVALS: Final = ("meter", "start", "time", "energy", "status", "valid", "expected")
ENERGY: Final = ("time", "figure", "value", "unit", "status", "valid", "expected")
ORDER: Final = "order"
Period = Literal["hour", "day", "month", "year"]
Long = Literal["day", "month", "year", "ytd"]
Rule = Annotated[str | None, Query(pattern=ID, description="E1 … E5, or a kind such as idling")]
State = Annotated[Literal["open", "explained", "confirmed", "withdrawn"] | None, Query(description="only clues in this state")]
Owner = Annotated[str | None, Query(pattern=ID, description="only of this enterprise")]


@router.get("/meters/{meter}/intervals", response_model=IntervalsAnswer, responses=leads("cursor", "/next", "intervals"))
def intervals(request: Request, sources: Asked, caller: Whose, meter: Object, span: Asking, *, limit: Limit = 1_000, period: Period = "hour") -> Response:
    """What a meter counted, by hour, day, month or year; JSON or CSV."""
    place = sources.registry().meters.get(meter)
    if place is None:
        raise unknown(meter)
    if period == "hour" and not (caller.bound or "curves" in caller.rights):
        raise Problem(403, "您的角色只能看日值和合计：period=day。", "Your role sees days and sums only: period=day.")
    rows, follow = _figures(sources, ("meter_use",), (meter, period), (_asked(sources, span, period), span.cursor, limit))
    items = [IntervalRow(start=iso(_start(row)), time=iso(row.time), energy=row.value, **_counts(row)) for row in rows]
    told = IntervalsAnswer(items=items, next=follow, meter=meter, medium=place.medium, unit=place.unit, period=period)
    table = [[meter, *(getattr(one, column) for column in INTERVALS[1:])] for one in items]
    return series(request, told, INTERVALS, table, f"energy={place.unit}")


def _asked(sources: Sources, span: Asking, period: str) -> Window:
    hourly = period == "hour"
    found = window(span, sources.now(), days=7 if hourly else 366, most=HOURS_DAYS if hourly else MOST_DAYS)
    return found if hourly else day_window(found)


def _figures(sources: Sources, names: Sequence[str], what: tuple[str, str], page: tuple[Window, str | None, int]) -> tuple[list[Indicator], str | None]:
    """Rows of some figures of a scope and period by time, a page of them, and the cursor of the next."""
    (scope, period), (asked, cursor, limit) = what, page
    after = unpack(cursor, int, str)
    low = max(asked.start, int(str(after[0])) - 1) if after else asked.start
    found = [row for name in names for row in sources.figures.series(Asks(name, scope, period, None, "raw", low, asked.end, None, limit + 1))]
    ordered = sorted(found, key=lambda row: (row.time, names.index(row.figure)))
    place = {name: number for number, name in enumerate(names)}
    if after:
        key = (after[0], place.get(str(after[1]), -1))
        ordered = [row for row in ordered if (row.time, place[row.figure]) > key]
    last = ordered[limit - 1] if len(ordered) > limit else None
    return ordered[:limit], pack((last.time, last.figure)) if last else None


def _start(row: Indicator) -> int:
    """Begin of a period: an hour before its label, else the first day of the month or year of its stamp."""
    if row.period == "hour":
        return row.time - HOUR_S
    date = civil.date_of(civil.day_of(row.time + 1))
    first = {"day": date, "month": date.replace(day=1), "year": date.replace(month=1, day=1)}[row.period]
    return civil.day_start(civil.day_number(first))


def _counts(row: Indicator) -> dict[str, Any]:
    return {name: getattr(row, name) for name in ("status", "valid", "expected")}


@router.get("/meters/{meter}/events", response_model=EventsAnswer, responses=leads("cursor", "/next", "events"))
def events(request: Request, sources: Asked, meter: Object, span: Asking, limit: Limit = 1_000) -> Response:
    """Resets, roll-overs, exchanges, gaps and what is held for a person, newest first; clues have their own list."""
    if meter not in sources.registry().meters:
        raise unknown(meter)
    rows, follow = newest(sources, span, limit, lambda row: row.source == meter and row.kind not in RULES)
    items = [EventRow(kind=row.kind, time=iso(row.time), value=row.value, text=row.text) for row in rows]
    return answer(request, EventsAnswer(items=items, next=follow, meter=meter))


@router.get("/enterprises", response_model=Page[EnterpriseAnswer], responses=leads("enterprise", "/items/0/id", "energy"))
def enterprises(request: Request, sources: Asked, caller: Whose) -> Response:
    """Every enterprise with its meters and lines."""
    registry = sources.registry()
    names = ("id", "name", "town", "industry", "two_high", "monitoring")
    rows = [
        EnterpriseAnswer(
            **{name: getattr(place, name) for name in names},
            meters=[one.id for one in registry.meters.values() if one.enterprise == place.id],
            lines=[one.id for one in registry.lines.values() if one.enterprise == place.id],
        )
        for place in registry.enterprises.values()
        if caller.sees(registry, place.id)
    ]
    return answer(request, Page[EnterpriseAnswer](items=rows))


@router.get("/enterprises/{enterprise}/energy", response_model=EnergyAnswer, responses=leads("cursor", "/next", "energy"))
def energy(request: Request, sources: Asked, enterprise: Object, span: Asking, limit: Limit = 1_000, *, period: Long = "month") -> Response:
    """Energy both ways, water, carbon, intensities and balances of an enterprise by period; JSON or CSV."""
    if enterprise not in sources.registry().enterprises:
        raise unknown(enterprise)
    rows, follow = _figures(sources, ACCOUNT, (enterprise, period), (_asked(sources, span, period), span.cursor, limit))
    items = [
        EnergyRow(
            time=iso(row.time), figure=row.figure, zh=FIGURES[row.figure].zh, value=row.value, unit=FIGURES[row.figure].unit, target=row.target, text=row.text,
            **_counts(row),
        )
        for row in rows
    ]  # fmt: skip
    told = EnergyAnswer(items=items, next=follow, enterprise=enterprise, period=period)
    return series(request, told, ENERGY, [[getattr(one, column) for column in ENERGY] for one in items])


@router.get("/clues", response_model=Page[ClueAnswer], responses=leads("cursor", "/next", "clues"))
def clues(
    request: Request, sources: Asked, caller: Whose, span: Asking, limit: Limit = 1_000, *, enterprise: Owner = None, rule: Rule = None, state: State = None
) -> Response:
    """Clues on treatment and orders by their begin, newest first; what later data took back only where it is asked for."""
    registry, now = sources.registry(), sources.now()

    def wanted(row: Event) -> bool:
        if row.kind not in RULES or not caller.sees(registry, row.source) or rule not in {None, row.kind, RULES[row.kind].number}:
            return False
        own = _state(row)
        if not told(registry, caller, row.source, (row.time, now)):
            return False
        return enterprise in {None, owner(registry, row.source)} and (own == state if state else own != "withdrawn")

    rows, follow = newest(sources, span, limit, wanted)
    return answer(request, Page[ClueAnswer](items=[_clue(sources, row) for row in rows], next=follow))


def _state(row: Event) -> str:
    body = details(row.text)
    return "withdrawn" if body.get("withdrawn") or "state" not in body else str(body["state"])


def _clue(sources: Sources, row: Event) -> ClueAnswer:
    registry, body, rule = sources.registry(), details(row.text), RULES[row.kind]
    whose = owner(registry, row.source) or ""
    return ClueAnswer(
        kind=row.kind, rule=rule.number, zh=rule.zh, en=rule.en, source=row.source, enterprise=whose, enterprise_name=registry.name_of(whose), state=_state(row),
        start=iso(row.time), end=body.get("to"), minutes=body.get("minutes"),
        details={name: value for name, value in body.items() if name not in {"state", "rule", "from", "to", "minutes", "withdrawn"}},
    )  # fmt: skip


@router.get("/orders", response_model=Page[OrderAnswer], responses=leads("cursor", "/next", "orders"))
def orders(request: Request, sources: Asked, caller: Whose, span: Asking, limit: Limit = 1_000, *, enterprise: Owner = None) -> Response:
    """Orders, enterprise by enterprise, newest first: measures, receipt, hours by verdict; the hours themselves are the figure order_load."""
    registry = sources.registry()

    def wanted(row: Event) -> bool:
        return row.kind == ORDER and enterprise in {None, row.source} and caller.sees(registry, row.source) and "document" in details(row.text)

    rows, follow = newest(sources, span, limit, wanted)
    items = []
    for row in rows:
        body = details(row.text)
        told = {name: body[name] for name in ("level", "document", "receipt", "measures", "hours", "why")}
        items.append(OrderAnswer(enterprise=row.source, enterprise_name=registry.name_of(row.source), start=body["from"], end=body["to"], **told))
    return answer(request, Page[OrderAnswer](items=items, next=follow))
