"""Where a scope stands against a target: judged on exact fractions, never on what is displayed.

Met and missed are said when the year is closed or when arithmetic leaves no way out: the figure is bounded by the best and the
worst rest of the year that could be. In between, the rest that is still required is compared with what the same stretch of
last year was.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache

from analytics.air.years import MEANS
from analytics.tally import Case, Standing, Tally, bounds_of, burn_rate, last_rest, rest_of, same_date, tally_of, value_of, worse
from domain.fixed import rounded
from domain.indicators import FIGURES
from domain.targets import ASPIRATION, HOLDS, UNDECIDABLE_DAYS, Target


@dataclass(frozen=True, slots=True)
class Attainment:
    """State of one target in one year.

    Attributes
    ----------
    value, target, margin : Fraction or None
        Exact; the margin is positive on the good side.
    status : str
        Code of :data:`domain.targets.STATUSES`.
    remaining_budget : int or None
        Counts: days left; good-day ratio: days above AQI 100 left, if the whole rest is valid.
    required_rest : Fraction or None
        Mean or ratio that the rest of the year must keep, if every day of it is valid; None when the year is closed.
    rounding : bool
        Whether the displayed value, or the value rounded to the target's decimals, would decide otherwise.
    horizon_passed : bool
        The plan ended before this year.
    target_year : int or None
        Year whose value is the target; where this year has none, the year of the newest value that was ever set.
    last : Fraction or None
        That newest value, where this year has none.
    burn_rate : Fraction or None
        Share of the allowed used up over the share of the year that the valid days are: 1 arrives exactly at the target.
    one_more : Attainment or None
        The same after one more bad day, if the year has a day left.
    """

    id: str
    figure: str
    year: int
    value: Fraction | None
    target: Fraction | None
    status: str
    margin: Fraction | None = None
    remaining_budget: int | None = None
    required_rest: Fraction | None = None
    rounding: bool = False
    horizon_passed: bool = False
    target_year: int | None = None
    last: Fraction | None = None
    burn_rate: Fraction | None = None
    one_more: Attainment | None = None


def figure_of(target: Target) -> str | None:
    """Figure that a target is about: ``air.<item>.annual_mean``, ``air.aqi.good_day_ratio``, ``air.aqi.heavy_days``; None otherwise."""
    parts = target.id.split(".")
    if len(parts) != 3 or parts[0] != "air":
        return None
    if parts[2] == "annual_mean":
        return f"{parts[1]}_mean" if parts[1] in MEANS else None
    return {"aqi.good_day_ratio": "good_ratio", "aqi.heavy_days": "heavy_days"}.get(f"{parts[1]}.{parts[2]}")


def attain(target: Target, standing: Standing, horizon: int | None = None, judge_year: int | None = None) -> Attainment | None:
    """State of an air target; None where the target is about something else.

    Parameters
    ----------
    horizon : int, optional
        Last year of the plan.
    judge_year : int, optional
        Judge by the value of another year than the standing's own.
    """
    figure = figure_of(target)
    if figure is None:
        return None
    goal = target.for_year(judge_year or standing.year)
    passed = horizon is not None and standing.year > horizon
    tally = tally_of(figure, standing)
    if goal is None or goal.value is None or target.op not in HOLDS:
        last = target.last
        state = Attainment(target.id, figure, standing.year, value_of(figure, tally), None, "no-target", horizon_passed=passed)
        return state if last is None or last.value is None else replace(state, target_year=last.year, last=Fraction(last.value))
    case = Case(figure, target.op, Fraction(goal.value), standing.last)
    one_more = _judged(case, target, worse(figure, tally), standing.year) if tally.remaining else None
    return _judged(case, target, tally, standing.year, (passed, goal.year, one_more))


def decided(target: Target, value: Fraction, goal: Fraction) -> tuple[Fraction, str]:
    """Margin and status by a figure that stands: the year is over, and nothing can be added to it."""
    margin = value - goal if target.op == ">=" else goal - value
    return margin, _softened(target, "met" if HOLDS[target.op](value, goal) else "missed") if target.op in HOLDS else "no-target"


def _judged(case: Case, target: Target, tally: Tally, year: int, more: tuple[bool, int, Attainment | None] | None = None) -> Attainment:
    """State by a tally; ``more`` is what only the year as it stands has: whether the plan has ended, the target's year, one more bad day."""
    value = value_of(case.figure, tally)
    budget, rest = rest_of(case, tally)
    passed, target_year, one_more = more or (False, None, None)
    return Attainment(
        target.id,
        case.figure,
        year,
        value,
        case.goal,
        _softened(target, _status(case, tally, rest)),
        None if value is None else (value - case.goal if case.op == ">=" else case.goal - value),
        budget,
        rest,
        more is not None and value is not None and _rounding_decides(case, value),
        passed,
        target_year,
        burn_rate=burn_rate(case, tally),
        one_more=one_more,
    )


def _softened(target: Target, status: str) -> str:
    """An aspiration is never missed."""
    return "at-risk" if target.kind == ASPIRATION and status == "missed" else status


def _status(case: Case, tally: Tally, rest: Fraction | None) -> str:
    bounds = bounds_of(case.figure, tally)
    if bounds is None:
        return "undecidable"
    low, high = (HOLDS[case.op](bound, case.goal) for bound in bounds)
    few = tally.valid < UNDECIDABLE_DAYS
    if case.figure == "heavy_days":
        if low == high and not (low and few):
            return "met" if low else "missed"
        return _count_course(case, tally) if tally.remaining else "undecidable"
    if few and not (tally.remaining and low == high):
        return "undecidable"
    if low == high:
        return "met" if low else "missed"
    return _course(case, tally, rest)


def _course(case: Case, tally: Tally, rest: Fraction | None) -> str:
    """The required rest against what the same stretch of last year was."""
    before = last_rest(case, tally)
    if rest is None or before is None:
        return "undecidable"
    return "on-course" if HOLDS[case.op](before, rest) else "at-risk"


def _count_course(case: Case, tally: Tally) -> str:
    """Used days against the budget's share: last year's by this date, else the elapsed part of the year."""
    share = Fraction(tally.length - tally.remaining, tally.length)
    last = case.last
    if last is not None and int(last.counts[-1][2]):
        share = Fraction(int(last.counts[same_date(tally, len(last))][2]), int(last.counts[-1][2]))
    return "on-course" if HOLDS[case.op](Fraction(tally.hits), case.goal * share) else "at-risk"


def _rounding_decides(case: Case, value: Fraction) -> bool:
    decimals = {FIGURES[case.figure].digits, _decimals(case.goal)}
    holds = HOLDS[case.op]
    return any(holds(rounded(value, places), case.goal) != holds(value, case.goal) for places in decimals)


@lru_cache
def _decimals(goal: Fraction) -> int:
    places = 0
    while (goal * 10**places).denominator != 1:
        places += 1
    return places
