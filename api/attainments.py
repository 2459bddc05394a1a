"""Where the county stands against a target, put together from what is stored: the plan's value, analytics' figure, what was reported."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import islice
from typing import Any, Final, NamedTuple

from api import beside
from api.schemas_targets import Beside, Breach, Cost, LastValue, OneMore, Reported, TargetAnswer
from api.shaping import in_force, printed, stamp
from api.shelf import Shelf
from api.sources import Sources
from domain.air import RULE_SETS
from domain.civil import day_of, iso, period_stamp, year_days, year_of_day
from domain.details import details
from domain.indicators import Indicator
from domain.readings import Entry
from domain.restating import CONFIRMATION, Confirmations, confirmations
from domain.targets import Plan, Target, YearValue
from domain.water import CLASSES

DIGITS: Final = {"day": 0, "enterprise": 0, "unit": 0, "station": 0, "class": 0}
"""Displayed decimals by unit; one elsewhere."""
REPORTED: Final = "reported"
"""What people enter about targets, and what the plan calls a target that is judged on it."""
RUNS: Final = ("year", "ytd")
"""Periods that a target is judged on, the closed one first."""
FIGURES: Final = {"annual_mean": "_mean", "good_day_ratio": "good_ratio", "heavy_days": "heavy_days"}


class Said(NamedTuple):
    """What people entered: reported values by target, newest first, and which months are confirmed."""

    reports: Mapping[str, list[Entry]]
    confirmed: Confirmations


class Judged(NamedTuple):
    """A target, its stored judgement of a year, and what stands beside that at the same time."""

    plan: Plan
    target: Target
    row: Indicator | None
    others: Sequence[Indicator]

    @property
    def figure(self) -> str | None:
        """The figure that it is about, as the judgement or else the target's id says."""
        return str(_details(self.row).get("figure") or "") or figure_of(self.target.id)


def all_targets(sources: Sources, year: int | None, rule_set: str | None) -> list[TargetAnswer]:
    """Every target of every plan, in the plans' order."""
    return _answers(sources, [(plan, target) for plan in sources.plans for target in plan.targets], year, rule_set)


def one_target(sources: Sources, name: str, year: int | None, rule_set: str | None) -> TargetAnswer | None:
    """The target of that id."""
    found = ((plan, target) for plan in sources.plans if (target := plan.target(name)))
    return next(iter(_answers(sources, list(islice(found, 1)), year, rule_set)), None)


def _answers(sources: Sources, wanted: Sequence[tuple[Plan, Target]], year: int | None, rule_set: str | None) -> list[TargetAnswer]:
    """However many targets are asked for, the store is asked a handful of questions."""
    if not wanted:
        return []
    year = year or year_of_day(day_of(sources.now()))
    first, last = (period_stamp(day) for day in year_days(year))
    shelf = Shelf(sources.figures, [target.id for _, target in wanted], sources.registry().county.id, RUNS, (first - 1, min(last, sources.now())))
    judged = [Judged(plan, target, *_stored(shelf, plan, target.id, year, rule_set)) for plan, target in wanted]
    near, said = beside.Near(sources, [one.figure for one in judged], year), _said(sources)
    return [_target(one, year, near, said, sources) for one in judged]


def _target(judged: Judged, year: int, near: beside.Near, entered: Said, sources: Sources) -> TargetAnswer:
    plan, target, row, others = judged
    goal, last = target.for_year(year), target.last
    said = [_reported(entry) for entry in entered.reports.get(target.id, ())]
    more = _details(row)
    value, source = (row.value, _source(target, row)) if row and row.value is not None else _from_reports(said, year)
    wanted = float(goal.value) if goal and goal.value is not None else None
    digits, figure = DIGITS.get(target.unit, 1), judged.figure
    ours = next((one for one in (row, *others) if one and one.basis == "raw"), None)
    return TargetAnswer(
        **_head(plan, target),
        figure=figure,
        horizon_passed=year > plan.horizon,
        year=year,
        target=wanted,
        target_text=_worded(target.unit, wanted, _exact(goal.value if goal else None)),
        document=goal.document if goal else "",
        last=LastValue(year=last.year, value=float(last.value), document=last.document) if last and last.value is not None else None,
        value=value,
        value_text=_worded(target.unit, value, printed(value, digits)),
        value_source=source,
        status=row.status if row and row.status else ("undecidable" if wanted is not None else "no-target"),
        margin=row.margin if row else None,
        margin_text=printed(row.margin, digits) if row else "",
        **_rest(more, digits),
        beside=[_beside(other, digits) for other in others],
        **_standing(row, entered),
        last_year=near.last_year(figure, ours, digits),
        allowances=near.allowances(figure, ours),
        official=near.official(figure) if row else None,
        **_costs(sources, more),
        **_notes(more, (goal is None and last) or None, year),
        reported=said,
    )


def _worded(unit: str, value: float | None, text: str) -> str:
    """A printed value, a class of water by its name: Ⅳ and not 4."""
    if unit != "class" or value is None or value not in range(1, len(CLASSES) + 1):
        return text
    return CLASSES[int(value) - 1]


def _standing(row: Indicator | None, entered: Said) -> dict[str, Any]:
    """What the judgement itself stands on; nothing where there is none."""
    names = ("period", "rule_set", "basis", "valid", "expected", "low90", "high90")
    words = {name: getattr(row, name, None) for name in names}
    return {**words, "time": stamp(row.time) if row else None, "provisional": row is None or not entered.confirmed.covers(row.period, row.time)}


def _head(plan: Plan, target: Target) -> dict[str, Any]:
    """What the plan itself says about a target."""
    names = ("id", "item", "name_zh", "name_en", "op", "unit", "kind", "source", "clause", "baseline")
    words = {name: getattr(target, name) for name in names}
    return {**words, "plan": plan.id, "group": target.id.split(".")[0], "departments": list(target.departments), "horizon": plan.horizon}


def figure_of(name: str) -> str | None:
    """Stored figure that a target's id is about, for charts beside it; None where it is no figure of ours."""
    words = name.split(".")
    if len(words) != 3 or words[0] != "air":
        return None
    known = FIGURES.get(words[2])
    return f"{words[1]}{known}" if known and known.startswith("_") else known


def _stored(shelf: Shelf, plan: Plan, name: str, year: int, rule_set: str | None) -> tuple[Indicator | None, Sequence[Indicator]]:
    """The newest judgement of a year, and what stands beside it at the same time.

    A closed year's own row goes before its last running one, and an official figure before ours. What was judged on the authority's
    reports alone has an official row and no other.
    """
    for period in RUNS:
        for one in _rules(plan, year) if rule_set is None else [rule_set]:
            row = shelf.latest(name, period, one)
            if row:
                same = shelf.at(name, period, row.time)
                official = next((other for other in same if other.basis == "official"), None)
                chosen = official or row
                return chosen, [other for other in same if other.key != chosen.key]
    told = (shelf.latest(name, period, "none", "official") for period in RUNS)
    return next((row for row in told if row), None), []


def _source(target: Target, row: Indicator) -> str:
    """Where a stored value comes from; an authority's own word on what no sensor of ours measures is called reported."""
    return "measured" if row.basis != "official" else "reported" if REPORTED in target.source else "official"


def _rest(more: Mapping[str, Any], digits: int) -> dict[str, Any]:
    """What the judgement says of the days to come."""
    numbers = {name: _number(more.get(name)) for name in ("remaining_budget", "required_rest", "burn_rate", "median", "p_miss")}
    words = {"required_rest_text": printed(numbers["required_rest"], digits), "rounding": bool(more.get("rounding"))}
    return {**numbers, **words, "one_more": _one_more(more.get("one_more"), digits)}


def _one_more(found: Any, digits: int) -> OneMore | None:
    if not isinstance(found, dict):
        return None
    numbers = {name: _number(found.get(name)) for name in ("value", "margin", "remaining_budget", "required_rest")}
    return OneMore(**numbers, value_text=printed(numbers["value"], digits), status=str(found.get("status", "")))


def _costs(sources: Sources, more: Mapping[str, Any]) -> dict[str, Any]:
    """Who costs the target, and the breaches of what must always be kept."""
    name, kept = sources.registry().name_of, more.get("breaches") or {}
    costs = [
        Cost(id=one["id"], name=name(one["id"]), since=one["since"], value=_number(one["value"]), items=one["items"]) for one in more.get("sections") or ()
    ]
    newest = [Breach(id=one["id"], name=name(one["id"]), begin=one["from"], end=one["to"], item=one["item"]) for one in kept.get("newest", ())]
    return {"costs": costs, "breaches": newest, "breach_count": kept.get("count")}


def _beside(row: Indicator, digits: int) -> Beside:
    budget = _number(_details(row).get("remaining_budget"))
    words = {name: getattr(row, name) for name in ("rule_set", "basis", "value", "status", "margin")}
    return Beside(**words, value_text=printed(row.value, digits), margin_text=printed(row.margin, digits), remaining_budget=budget)


def _rules(plan: Plan, year: int) -> list[str]:
    """A plan's own years are judged by the rule set in force at its horizon; later years by theirs."""
    own = in_force(year_days(min(year, plan.horizon))[1] if year <= plan.horizon else year_days(year)[1])
    return [own, *(rules.name for rules in RULE_SETS if rules.name != own), "GB3838-2002", "none"]


def _details(row: Indicator | None) -> Mapping[str, Any]:
    return details(row.text) if row else {}


def _notes(more: Mapping[str, Any], last: YearValue | None, year: int) -> dict[str, Any]:
    """Analytics' note; without a judgement at least which value was the last, for a plan that has ended."""
    if more or last is None:
        return {name: str(more.get(name) or "") for name in ("note_zh", "note_en")}
    value = _exact(last.value)
    return {"note_zh": f"{year}年无目标；上一目标：{value}（{last.year}）", "note_en": f"no target for {year}; last: {value} ({last.year})"}


def _number(value: object) -> float | None:
    """A finite number, also where it was written as text."""
    try:
        found = float(value) if isinstance(value, int | float | str) else math.nan
    except ValueError:
        return None
    return found if math.isfinite(found) else None


def _exact(value: Decimal | None) -> str:
    return "" if value is None else f"{value.normalize():f}"


def _said(sources: Sources) -> Said:
    return Said(_reports(sources), confirmations(sources.entries.entered(CONFIRMATION)))


def _reports(sources: Sources) -> dict[str, list[Entry]]:
    """Reported values by target, newest first."""
    found: dict[str, list[Entry]] = {}
    for entry in reversed(sources.entries.entered(REPORTED)):
        found.setdefault(str(entry.body.get("target", "")), []).append(entry)
    return found


def _reported(entry: Entry) -> Reported:
    body = entry.body
    words = {name: str(body.get(name) or "") for name in ("period", "document")}
    return Reported(**words, person=str(body.get("person") or entry.user), value=_number(body.get("value")), received=iso(entry.received_ns // 1_000_000_000))


def _from_reports(said: Sequence[Reported], year: int) -> tuple[float | None, str | None]:
    """The newest report about the year, shown as reported."""
    found = next((one.value for one in said if one.period.startswith(str(year)) and one.value is not None), None)
    return found, None if found is None else REPORTED
