"""Air by the year: figures of each scope and year with the plan's targets, as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from analytics import attainment
from analytics.air import compliance, periods, years
from analytics.air.days import Days
from analytics.tally import Standing
from domain import air, civil
from domain.fixed import rounded, to_float
from domain.indicators import FIGURES
from domain.targets import Plan
from lanbi.assess import daily, rules

_MARGIN_DIGITS: Final = 3
_MULTIPLE_DIGITS: Final = 2


class _Year(NamedTuple):
    """A year of a scope: its calendar days and the running figures under each rule set."""

    year: int
    first: int
    known: int
    days: Days
    running: dict[str, years.Running]


def answer(found: daily.Scopes, choice: str, plans: Sequence[str], *, standard: bool = False) -> Iterator[bytes]:
    """JSON list of a row a scope, year and rule set; ``standard``: with each item's compliance."""
    targets = _plans(plans)
    last = int(found.day.max()) if len(found.day) else 0
    rows = [row for scope in range(len(found.names)) for row in _scope(found, (scope, last), choice, targets, standard=standard)]
    body = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    yield (f"[\n{body}\n]\n" if rows else "[]\n").encode()


def _plans(paths: Sequence[str]) -> list[Plan]:
    if not paths:
        return []
    from pathlib import Path  # noqa: PLC0415  plans are rarely asked for; their reader is not needed otherwise

    from lanbi.plans import load  # noqa: PLC0415

    return [load(Path(path)) for path in paths]


def _scope(found: daily.Scopes, place: tuple[int, int], choice: str, plans: list[Plan], *, standard: bool) -> Iterator[dict[str, Any]]:
    scope, last = place
    known = found.day[found.scope == scope]
    numbers = sorted({civil.year_of_day(day) for day in np.unique(known).tolist()})
    before: _Year | None = None
    means: dict[int, Fraction | None] = {}
    for number in numbers:
        year = _year(found, scope, number, last, choice)
        for rule_set, running in year.running.items():
            means[number] = running.mean("pm25")
            earlier = before.running.get(rule_set) if before is not None and before.year == number - 1 else None
            first, end = civil.year_days(number)
            standing = Standing(number, end - first + 1, running, len(running) - 1, earlier or _same_rules(before, number, rule_set))
            row = _row(found.names[scope], rule_set, standing, plans)
            yield row | _standard(year, rule_set, running) | _rolling(means, number) if standard else row
        before = year


def _same_rules(before: _Year | None, number: int, rule_set: str) -> years.Running | None:
    """Last year under the rule set of this year's row, where last year's own row has another name."""
    if before is None or before.year != number - 1:
        return None
    if rule_set == rules.MIXED:
        return next(iter(before.running.values()))
    rule = np.full(len(before.days.shown), rules.NAMES.index(rule_set), np.uint8)
    return years.running(before.days, before.days.judged(rule).aqi, before.first)


def _year(found: daily.Scopes, scope: int, number: int, last: int, choice: str) -> _Year:
    first, end = civil.year_days(number)
    days = daily.calendar(found, scope, number, last)
    here = found.day[(found.scope == scope) & (found.day >= first) & (found.day <= end)]
    calendar = np.arange(first, first + len(days.shown), dtype=np.int32)
    running = {name: years.running(days, days.judged(rule).aqi, first) for name, rule in _rule_sets(here, calendar, choice)}
    return _Year(number, first, len(here), days, running)


def _rule_sets(known: npt.NDArray[np.int32], calendar: npt.NDArray[np.int32], choice: str) -> list[tuple[str, npt.NDArray[np.uint8]]]:
    """Rule sets of the calendar's days, where only days with data decide whether the year is mixed."""
    names = [name for name, _ in rules.yearly(known, choice)]
    own = rules.on(calendar, choice)
    return [(name, own if name == rules.MIXED else np.full_like(own, rules.NAMES.index(name))) for name in names]


def _row(scope: str, rule_set: str, at: Standing, plans: list[Plan]) -> dict[str, Any]:
    now = at.now
    valid, good, heavy = (int(number) for number in now.counts[-1])
    figures: dict[str, Fraction | None] = {"good_ratio": now.ratio()}
    means = {f"{item}_mean": now.mean(item) for item in years.MEANS}
    composite = now.composite()
    tops = {"co_p95": now.percentile("co"), "o3_p90": now.percentile("o3")}
    row: dict[str, Any] = {"scope": scope, "year": at.year, "rule_set": rule_set, "days": len(now), "valid_days": valid, "good_days": good}
    row |= _figures(figures) | {"heavy_days": heavy} | _figures(means | tops)
    row |= {"composite": _shown("composite", composite[0] if composite else None), "composite_exact": _exact(composite[1] if composite else None)}
    row |= _figures({"data_capture": now.capture()}) | {"valid": now.adequate()}
    return row | {"targets": [target for plan in plans for target in _targets(plan, at)]}


def _standard(year: _Year, rule_set: str, running: years.Running) -> dict[str, Any]:
    """Percentiles, compliance rates and exceedance multiples (HJ 663); a year of two rule sets has limits of neither."""
    rules = air.BY_NAME.get(rule_set)
    if rules is None:
        return {"compliance": [], "attained": None}
    whole = periods.Period("year", 0, len(running), (0, civil.month_of_day(year.first + len(running) - 1)[1]))
    found = periods.figures(year.days, running, rules, (whole,))
    items = compliance.verdicts(found, 0, rules)
    return {"compliance": [_item(found, one) for one in items], "attained": compliance.overall(items)}


def _item(found: periods.Figures, one: compliance.Verdict) -> dict[str, Any]:
    top = f"{one.item}_p{air.PERCENTILES[one.item]}"
    multiples = {f"{measure.kind}_multiple": _number(measure.multiple, _MULTIPLE_DIGITS) for measure in one.measures}
    rate = {"rate": _shown(f"{one.item}_rate", found.rate(one.item, 0))}
    return {"item": one.item, top: _shown(top, found.percentile(one.item, 0)), **rate, **multiples, "attained": one.attained}


def _rolling(means: dict[int, Fraction | None], year: int) -> dict[str, Any]:
    """Mean of three years' PM2.5 means; that HJ 663-2026 asks for one is known, how is not, so the plain mean is given."""
    three = [means.get(year - back) for back in range(3)]
    known = [one for one in three if one is not None]
    return {"pm25_mean_3y": _shown("pm25_mean", sum(known, Fraction()) / 3) if len(known) == 3 else None}


def _figures(figures: dict[str, Fraction | None]) -> dict[str, Any]:
    pairs = [((name, _shown(name, value)), (f"{name}_exact", _exact(value))) for name, value in figures.items()]
    return dict(pair for both in pairs for pair in both)


def _shown(figure: str, value: Fraction | None) -> float | None:
    """The displayed figure: the float whose shortest text is the rounded decimal."""
    return None if value is None else to_float(value, FIGURES[figure].digits)


def _exact(value: Fraction | None) -> str | None:
    return None if value is None else str(value)


def _targets(plan: Plan, at: Standing) -> Iterator[dict[str, Any]]:
    for target in plan.targets:
        state = attainment.attain(target, at, plan.horizon)
        if state is None:
            continue
        yield {
            "id": state.id,
            "value": _shown(state.figure, state.value),
            "target": _number(state.target),
            "status": state.status,
            "margin": _number(state.margin),
            "remaining_budget": state.remaining_budget,
            "required_rest": _number(state.required_rest),
            "rounding": state.rounding,
            "horizon_passed": state.horizon_passed,
            "target_year": state.target_year,
        }


def _number(value: Fraction | None, digits: int = _MARGIN_DIGITS) -> float | int | None:
    """An exact number for JSON: whole numbers stay whole, others are rounded half to even to decimals."""
    if value is None:
        return None
    near = rounded(value, digits)
    return near.numerator if near.denominator == 1 else float(near)
