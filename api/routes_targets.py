"""County, words, targets: what the board's first screen needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from api import attainments
from api.answers import answer
from api.deeds import DEEDS, RESULTS
from api.depends import Asked
from api.freshness import STATES, newest
from api.links import leads
from api.params import ID
from api.problems import unknown
from api.schemas import CountyAnswer, ItemWords, LegendAnswer, LevelWords, Page, PlanHead, Words
from api.schemas_targets import TargetAnswer
from api.shaping import in_force, stamp
from api.shared import shared
from domain.air import GOOD_MAX, LEVELS
from domain.civil import day_of, year_of_day
from domain.codes import BASES, REPORTS
from domain.codes import STATES as FIGURE_STATES
from domain.indicators import ALLOWANCES, DIFFERENCES, FIGURES
from domain.items import BY_REALM, ITEMS
from domain.ledger import CHANCES, LOST
from domain.ledger import STATES as LEDGER
from domain.readings import FLAGS
from domain.reasons import ALL
from domain.restating import CAUSES
from domain.targets import STATUSES, UNITS
from domain.water import CLASSES

router = APIRouter(prefix="/api/v1", tags=["targets"])
Year = Annotated[int | None, Query(ge=1990, le=2100, description="年份，默认当年 the running year if absent")]
Rules = Annotated[str | None, Query(pattern=ID, description="规则集，默认按规划期 by the plan's years if absent")]


@router.get("/county", response_model=CountyAnswer)
@shared
def county(request: Request, sources: Asked) -> Response:
    """Whose figures these are, the clock in use, and up to when there are data."""
    registry, day = sources.registry(), day_of(sources.now())
    last = max((seen.time for seen in newest(sources).values()), default=None)
    found = CountyAnswer(
        id=registry.county.id,
        name=registry.county.name,
        simulated=sources.speed is not None,
        speed=sources.speed,
        data_until=stamp(last),
        year=year_of_day(day),
        rule_set=in_force(day),
        registry_version=registry.version,
        plans=[PlanHead(id=plan.id, name_zh=plan.name_zh, name_en=plan.name_en, horizon=plan.horizon) for plan in sources.plans],
    )
    return answer(request, found)


@router.get("/legend", response_model=LegendAnswer)
@shared
def legend(request: Request) -> Response:
    """Words, units and colours of every code."""
    levels = [
        LevelWords(level=number, top=one.top, grade=one.grade, zh=one.zh, en=one.en, colour=one.colour)  # as HJ 633 prints them
        for number, one in enumerate(LEVELS, 1)
    ]
    words = {name: _said(table) for name, table in _TABLES.items()}
    states = {figure: _said(table) for figure, table in FIGURE_STATES.items()}
    figures = {name: ItemWords(zh=one.zh, en=one.en, unit=one.unit, digits=one.digits) for name, one in FIGURES.items()}
    items = {realm: {name: _item(realm, name) for name in names} for realm, names in BY_REALM.items()}
    return answer(request, LegendAnswer(levels=levels, good_max=GOOD_MAX, water_classes=list(CLASSES), **words, states=states, figures=figures, items=items))


_TABLES = {
    "statuses": STATUSES,
    "freshness": STATES,
    "flags": FLAGS,
    "reasons": ALL,
    "causes": CAUSES,
    "lost": LOST,
    "ledger": LEDGER,
    "chances": CHANCES,
    "allowances": ALLOWANCES,
    "differences": DIFFERENCES,
    "bases": BASES,
    "reports": REPORTS,
    "deeds": DEEDS,
    "results": RESULTS,
    "units": UNITS,
}


def _said(table: Mapping[str, tuple[str, str]]) -> dict[str, Words]:
    return {code: Words(zh=zh, en=en) for code, (zh, en) in table.items()}


def _item(realm: str, name: str) -> ItemWords:
    one = ITEMS[realm, name]
    return ItemWords(zh=one.zh, en=one.en, unit=one.unit, digits=one.digits)


@router.get("/targets", response_model=Page[TargetAnswer], responses=leads("target", "/items/0/id", "target"))
@shared
def targets(request: Request, sources: Asked, year: Year = None, rule_set: Rules = None) -> Response:
    """Every target of every plan with value, status, margin, remaining budget and required rest."""
    return answer(request, Page[TargetAnswer](items=attainments.all_targets(sources, year, rule_set)))


@router.get("/targets/{target}", response_model=TargetAnswer)
@shared
def target(request: Request, sources: Asked, target: Annotated[str, Path(pattern=ID)], year: Year = None, rule_set: Rules = None) -> Response:
    """One target."""
    found = attainments.one_target(sources, target, year, rule_set)
    if found is None:
        raise unknown(target)
    return answer(request, found)
