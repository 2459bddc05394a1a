"""Attainment of the water targets as stored figures, and the breaches of a class to be kept as events."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import chain
from types import MappingProxyType
from typing import Final, NamedTuple

from analytics.jobs.sections import baseline
from analytics.water import attain, breaches
from analytics.water.attain import Case, Cost, Standing
from analytics.water.breaches import Breach
from analytics.water.means import Year
from analytics.water.records import Day
from domain import civil, water
from domain.fixed import to_float
from domain.indicators import Event, Indicator
from domain.places import WaterSection
from domain.targets import GRAVITY, Plan, Target

REALM: Final = "water."
"""Begins the ids of targets that are about water; what follows says which figure is judged."""
GOOD_RATIO: Final = "national.good_ratio"
FLOOR: Final = "section.class_floor"
STRIVE: Final = "section.class_strive"
NITROGEN: Final = "national.tn_growth"
CHARTS: Final = MappingProxyType({GOOD_RATIO: "water_good_ratio", FLOOR: "water_class", STRIVE: "water_class", NITROGEN: "tn_ratio"})
"""Figures that a chart beside the target shows."""
BREACH: Final = "class-breach"
"""Kind of the events that record a breach: source = section, time = its first record, value = worst class."""
SHOWN: Final = 5
_DIGITS: Final = 3


class County(NamedTuple):
    """A county's year of water: sections, their days and means, and the means of last year."""

    scope: str
    year: int
    places: Mapping[str, WaterSection]
    days: Mapping[str, Mapping[int, Day]]
    years: Mapping[str, Year]
    last: Mapping[str, Year]


def subject(target: Target) -> str:
    """What a target judges: one of the keys of :data:`CHARTS`, or nothing of ours."""
    return target.id.removeprefix(REALM) if target.id.startswith(REALM) else ""


def ids(plans: Sequence[Plan]) -> list[str]:
    """Water targets of some plans that are judged here."""
    return list(dict.fromkeys(target.id for plan in plans for target in plan.targets if subject(target) in CHARTS))


def goal_of(target: Target, year: int) -> Fraction | None:
    """What a year must keep to, exactly."""
    goal = target.for_year(year)
    return None if goal is None or goal.value is None else Fraction(goal.value)


def limit_of(target: Target, year: int) -> int | None:
    """Class that breaches are counted against: the year's, else the newest that was ever set."""
    goal, last = goal_of(target, year), target.last
    value = goal if goal is not None else None if last is None or last.value is None else Fraction(last.value)
    return None if value is None else int(value)


def found(plans: Sequence[Plan], county: County) -> dict[str, list[Breach]]:
    """Breaches of the class that the first plan with such a target asks every section to keep."""
    target = next((one for plan in plans if (one := plan.target(REALM + FLOOR)) is not None), None)
    limit = None if target is None else limit_of(target, county.year)
    if limit is None:
        return {}
    return {site: breaches.find(days, limit, county.places[site].body) for site, days in county.days.items()}


def events(known: Mapping[str, Sequence[Breach]]) -> Iterator[Event]:
    """One event a breach."""
    for site, some in known.items():
        for one in some:
            body = {
                "to": None if one.end is None else civil.iso(one.end),
                "item": one.item,
                "multiple": None if one.multiple is None else to_float(one.multiple, _DIGITS),
                "records": one.records,
            }
            yield Event(BREACH, site, one.start, float(one.worst), json.dumps(body, ensure_ascii=False))


def rows(plans: Sequence[Plan], county: County, known: Mapping[str, Sequence[Breach]]) -> Iterator[Indicator]:
    """Attainment at the end of every closed day of the year on which something is known, and of the year when it is over."""
    for plan in plans:
        for target in plan.targets:
            if subject(target) in CHARTS and county.years:
                case = Case(county.places, county.years, county.last, target, goal_of(target, county.year), known)
                yield from chain.from_iterable(_rows(county, plan, case, one) for one in _standings(case) if one.value is not None)


def _standings(case: Case) -> Iterator[Standing]:
    if subject(case.target) == GOOD_RATIO:
        return attain.good_ratio(case)
    if subject(case.target) == NITROGEN:
        bases = {site: base for site, place in case.places.items() if (base := baseline(place)) is not None}
        return attain.nitrogen(case, bases)
    return attain.kept_class(case)


def _rows(county: County, plan: Plan, case: Case, one: Standing) -> Iterator[Indicator]:
    row = Indicator(
        figure=case.target.id,
        period="ytd",
        scope=county.scope,
        rule_set=water.RULE_SET,
        time=civil.period_stamp(one.last),
        value=None if one.value is None else to_float(one.value, _DIGITS),
        valid=float(one.valid),
        expected=float(one.expected),
        target=None if case.goal is None else to_float(case.goal, _DIGITS),
        margin=None if one.margin is None else to_float(one.margin, _DIGITS),
        status=one.status,
        text=json.dumps(_body(county, plan, case, one), ensure_ascii=False),
    )
    yield row
    if one.status in GRAVITY:
        bare = replace(row, target=None, margin=None, text="")
        yield replace(bare, figure=f"{row.figure}.state", value=GRAVITY[one.status])
    if one.last == civil.year_days(county.year)[1]:
        yield replace(row, period="year")


def _body(county: County, plan: Plan, case: Case, one: Standing) -> dict[str, object]:
    zh, en = _note(county, case, one)
    goal = case.target.for_year(county.year)
    body: dict[str, object] = {
        "figure": CHARTS[subject(case.target)],
        "sections": [_cost(cost) for cost in one.costs],
        "horizon_passed": county.year > plan.horizon,
        "target_year": None if goal is None else goal.year,
        "note_zh": zh,
        "note_en": en,
    }
    return body if subject(case.target) != FLOOR else body | {"open": list(one.open), "breaches": _recent(case, one)}


def _cost(cost: Cost) -> dict[str, object]:
    return {"id": cost.site, "since": civil.date_of(cost.since).isoformat(), "value": to_float(cost.value, _DIGITS), "items": list(cost.items)}


def _recent(case: Case, one: Standing) -> dict[str, object]:
    """How many breaches the year had by that day, and the newest of them."""
    end = civil.day_end(one.last)
    so_far = sorted((breach.start, site, breach) for site, some in case.breaches.items() for breach in some if breach.start <= end)
    newest = [
        {
            "id": site,
            "from": civil.iso(start),
            "to": civil.iso(breach.end) if breach.end is not None and breach.end <= end else None,
            "item": breach.item,
        }
        for start, site, breach in so_far[-SHOWN:]
    ]
    return {"count": len(so_far), "newest": newest}


def _note(county: County, case: Case, one: Standing) -> tuple[str, str]:
    """What a person should read first: no target, the sections that cost it, or why nothing is decided."""
    if case.goal is None:
        last = case.target.last
        if last is None or last.value is None:
            return "目标值待下达", "no target set"
        value = f"{float(last.value):g}（{last.year}）"
        return f"{county.year}年无目标；上一目标：{value}", f"no target for {county.year}; last: {float(last.value):g} ({last.year})"
    if subject(case.target) == NITROGEN and (lacking := _without_base(case)):
        names = "、".join(case.places[site].name for site in lacking)
        return f"缺2020年总氮基数：{names}", f"no total nitrogen of 2020 registered: {', '.join(lacking)}"
    if subject(case.target) == NITROGEN and one.value == 0:
        return "与2020年持平", "unchanged against 2020"
    if not one.costs:
        return "", ""
    zh = "、".join(f"{case.places[cost.site].name}（{civil.date_of(cost.since).isoformat()}起）" for cost in one.costs)
    en = ", ".join(f"{cost.site} since {civil.date_of(cost.since).isoformat()}" for cost in one.costs)
    return f"拖累断面：{zh}", f"sections that cost it: {en}"


def _without_base(case: Case) -> list[str]:
    return [site for site in case.years if case.places[site].control == "national" and baseline(case.places[site]) is None]
