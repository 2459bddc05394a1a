"""Attainment as stored figures: one row a target, day and rule set, and one for the closed year."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from types import MappingProxyType
from typing import NamedTuple

from analytics import attainment
from analytics.air.years import Running
from analytics.attainment import Attainment
from analytics.jobs import projected
from analytics.jobs.columns import Tag
from analytics.jobs.projected import Daily, View
from analytics.projection import Goal, Outlook
from analytics.skill import CUTS, Cuts
from analytics.tally import Standing, first_change, tally_of
from domain import civil
from domain.fixed import to_float
from domain.indicators import FIGURES, Indicator
from domain.targets import GRAVITY, Plan, Target

_DIGITS = 3
"""Margins and required rests are stored with one digit more than any target has."""


class Case(NamedTuple):
    """A county's year under one rule set, with the year before, the days of earlier years, and where a chance of missing decides."""

    scope: str
    rule_set: str
    year: int
    running: Running
    last: Running | None
    basis: str = "raw"
    past: Mapping[int, Daily] = MappingProxyType({})
    cuts: Cuts = CUTS


def rows(plans: Sequence[Plan], case: Case, before: Running | None, closed: int) -> Iterator[Indicator]:
    """Attainment of every air target at the end of the closed days that differ from what they were.

    Parameters
    ----------
    before : Running or None
        The year as it was judged last; None judges every day anew.
    closed : int
        Days of the year that are over.
    """
    start, end = civil.year_days(case.year)
    length = end - start + 1
    now = projected.daily(case.running)
    for plan in plans:
        for target in plan.targets:
            figure = attainment.figure_of(target)
            due = range(first_change(figure, before, case.running), closed) if figure else range(0)
            seen = _outlook(target, case, now, length) if due else None
            for row in due:
                standing = Standing(case.year, length, case.running, row, case.last)
                yield from _row((target, plan), standing, case, projected.view(seen, row))


def _outlook(target: Target, case: Case, now: Daily, length: int) -> Outlook | None:
    """How the year may end; None without a target value, or without a year to learn from."""
    figure, goal = attainment.figure_of(target), target.for_year(case.year)
    if figure is None or goal is None or goal.value is None:
        return None
    return projected.outlook(figure, case.past, now, (case.year, length), Goal(target.op, float(goal.value)))


def _row(meant: tuple[Target, Plan], standing: Standing, case: Case, seen: View | None) -> Iterator[Indicator]:
    target, plan = meant
    state = attainment.attain(target, standing, plan.horizon)
    if state is None:
        return
    state = projected.judged(state, seen, (standing.row, tally_of(state.figure, standing).valid), case.cuts)
    tag = Tag(target.id, "ytd", case.scope, case.rule_set, case.basis)
    running = _indicator(tag, civil.period_stamp(standing.now.first + standing.row), state, standing, seen)
    yield running
    yield from _beside(running, state, seen)
    if not standing.remaining:
        yield replace(running, period="year")


def _beside(row: Indicator, state: Attainment, seen: View | None) -> Iterator[Indicator]:
    """What an alert judges, as figures of their own: the gravity of the state, the chance of missing [%], burn rate, remaining budget."""
    risk = None if seen is None or seen.p_miss != seen.p_miss else round(100 * seen.p_miss, 1)
    left = None if state.remaining_budget is None else float(state.remaining_budget)
    parts = {"state": GRAVITY.get(state.status), "risk": risk, "burn": _float(state.burn_rate, _DIGITS), "left": left}
    for part, value in parts.items():
        if value is not None:
            own = row.period, row.scope, row.rule_set, row.time, value, row.basis, row.valid, row.expected
            yield Indicator(f"{row.figure}.{part}", *own, status=row.status)


def _indicator(tag: Tag, time: int, state: Attainment, standing: Standing, seen: View | None) -> Indicator:
    digits = FIGURES[state.figure].digits
    return Indicator(
        figure=tag.figure,
        period=tag.period,
        scope=tag.scope,
        rule_set=tag.rule_set,
        basis=tag.basis,
        time=time,
        value=_float(state.value, digits),
        valid=float(standing.now.counts[standing.row][0]),
        expected=float(standing.row + 1),
        target=_float(state.target, _DIGITS),
        margin=_float(state.margin, _DIGITS),
        low90=None if seen is None else round(seen.low90, digits),
        high90=None if seen is None else round(seen.high90, digits),
        status=state.status,
        text=json.dumps(_details(state, standing.year) | _foreseen(seen, digits), ensure_ascii=False),
    )


def _foreseen(seen: View | None, digits: int) -> dict[str, object]:
    """The median of the year's end and the chance of missing; NaN (no target to miss) is left out."""
    if seen is None:
        return {}
    told: dict[str, object] = {"median": round(seen.median, digits)}
    return told | ({"p_miss": round(seen.p_miss, _DIGITS)} if seen.p_miss == seen.p_miss else {})


def _details(state: Attainment, year: int) -> dict[str, object]:
    zh, en = "", ""
    if state.target is None and state.target_year is not None:
        last = _plain(state.last)
        zh, en = f"{year}年无目标；上一目标：{last}（{state.target_year}）", f"no target for {year}; last: {last} ({state.target_year})"
    elif state.target is None:
        zh, en = "目标值待下达", "no target set"
    elif state.rounding:
        zh, en = "修约后判断会不同", "rounding would decide otherwise"
    return {
        "remaining_budget": state.remaining_budget,
        "required_rest": _float(state.required_rest, _DIGITS),
        "rounding": state.rounding,
        "horizon_passed": state.horizon_passed,
        "target_year": state.target_year,
        "burn_rate": _float(state.burn_rate, _DIGITS),
        "one_more": _one_more(state.one_more),
        "note_zh": zh,
        "note_en": en,
    }


def _one_more(state: Attainment | None) -> dict[str, object] | None:
    """What one more bad day would do."""
    if state is None:
        return None
    return {
        "value": _float(state.value, FIGURES[state.figure].digits),
        "margin": _float(state.margin, _DIGITS),
        "remaining_budget": state.remaining_budget,
        "required_rest": _float(state.required_rest, _DIGITS),
        "status": state.status,
    }


def _plain(value: Fraction | None) -> str:
    return "" if value is None else f"{float(value):g}"


def _float(value: Fraction | None, digits: int) -> float | None:
    return None if value is None else to_float(value, digits)
