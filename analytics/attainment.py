"""Where a scope stands against a target: judged on exact fractions, never on what is displayed.

Met and missed are said when the year is closed or when arithmetic leaves no way out: the figure is bounded by the best and the
worst rest of the year that could be. In between, the rest that is still required is compared with what the same stretch of
last year was.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from types import MappingProxyType
from typing import Final

from analytics.air.years import MEANS, Running
from domain.fixed import half_even
from domain.indicators import FIGURES
from domain.items import ITEMS
from domain.targets import Target

UNDECIDABLE_DAYS: Final = 90
"""Means and ratios of fewer valid days decide nothing."""
_HOLDS: Final[Mapping[str, Callable[[Fraction, Fraction], bool]]] = MappingProxyType({"<=": operator.le, ">=": operator.ge, "<": operator.lt})
_HUNDRED: Final = 100


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


@dataclass(frozen=True, slots=True)
class Standing:
    """A year as it stood at the end of one day, with the year before it.

    Attributes
    ----------
    year : int
    length : int [d]
        Calendar days of the year.
    now : Running
    row : int
        The day, from 0.
    last : Running or None
        The whole year before.
    """

    year: int
    length: int
    now: Running
    row: int
    last: Running | None = None

    @property
    def remaining(self) -> int:
        """Calendar days that are still to come."""
        return self.length - self.row - 1


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
    value = _value(figure, standing)
    if goal is None or goal.value is None or target.op not in _HOLDS:
        last = target.last
        state = Attainment(target.id, figure, standing.year, value, None, "no-target", horizon_passed=passed)
        return state if last is None or last.value is None else replace(state, target_year=last.year, last=Fraction(last.value))
    exact = Fraction(goal.value)
    budget, rest = _rest(figure, target.op, standing, exact)
    return Attainment(
        target.id,
        figure,
        standing.year,
        value,
        exact,
        _softened(target, _status(figure, target.op, standing, exact)),
        None if value is None else (value - exact if target.op == ">=" else exact - value),
        budget,
        rest,
        value is not None and _rounding_decides(figure, target, value, exact),
        passed,
        goal.year,
    )


def _softened(target: Target, status: str) -> str:
    """An aspiration is never missed."""
    return "at-risk" if target.kind == "aspiration" and status == "missed" else status


def _value(figure: str, at: Standing) -> Fraction | None:
    if figure == "good_ratio":
        return at.now.ratio(at.row)
    if figure == "heavy_days":
        return Fraction(int(at.now.counts[at.row][2]))
    return at.now.mean(figure.removesuffix("_mean"), at.row)


def _valid(figure: str, at: Standing) -> int:
    if figure in {"good_ratio", "heavy_days"}:
        return int(at.now.counts[at.row][0])
    return at.now.number(figure.removesuffix("_mean"), at.row)


def _bounds(figure: str, at: Standing) -> tuple[Fraction, Fraction] | None:
    """Smallest and largest figure that the year can still end with; late data of past days aside."""
    _, good, heavy = (int(number) for number in at.now.counts[at.row])
    if figure == "heavy_days":
        return Fraction(heavy), Fraction(heavy + at.remaining)
    whole = _valid(figure, at) + at.remaining
    if not whole:
        return None
    if figure == "good_ratio":
        return Fraction(_HUNDRED * good, whole), Fraction(_HUNDRED * (good + at.remaining), whole)
    name = figure.removesuffix("_mean")
    total = (at.now.mean(name, at.row) or Fraction()) * _valid(figure, at)
    highest = Fraction(str(ITEMS["air", name].high))
    return total / whole, (total + at.remaining * highest) / whole


def _status(figure: str, op: str, at: Standing, goal: Fraction) -> str:
    bounds = _bounds(figure, at)
    if bounds is None:
        return "undecidable"
    low, high = (_HOLDS[op](bound, goal) for bound in bounds)
    few = _valid(figure, at) < UNDECIDABLE_DAYS
    if figure == "heavy_days":
        if low == high and not (low and few):
            return "met" if low else "missed"
        return _count_course(op, at, goal) if at.remaining else "undecidable"
    if few and not (at.remaining and low == high):
        return "undecidable"
    if low == high:
        return "met" if low else "missed"
    return _course(figure, op, at, goal)


def _course(figure: str, op: str, at: Standing, goal: Fraction) -> str:
    """The required rest against what the same stretch of last year was."""
    _, required = _rest(figure, op, at, goal)
    before = _last_rest(figure, at)
    if required is None or before is None:
        return "undecidable"
    return "on-course" if _HOLDS[op](before, required) else "at-risk"


def _count_course(op: str, at: Standing, goal: Fraction) -> str:
    """Used days against the budget's share: last year's by this date, else the elapsed part of the year."""
    used = int(at.now.counts[at.row][2])
    share = Fraction(at.row + 1, at.length)
    if at.last is not None and int(at.last.counts[-1][2]):
        row = max(len(at.last) - at.remaining - 1, 0)
        share = Fraction(int(at.last.counts[row][2]), int(at.last.counts[-1][2]))
    return "on-course" if _HOLDS[op](Fraction(used), goal * share) else "at-risk"


def _last_rest(figure: str, at: Standing) -> Fraction | None:
    """The figure of last year's days from this date to its end."""
    if at.last is None or not at.remaining:
        return None
    since = len(at.last) - at.remaining - 1
    if figure == "good_ratio":
        valid, good, _ = (at.last.counts[-1] - (at.last.counts[since] if since >= 0 else 0)).tolist()
        return Fraction(_HUNDRED * good, valid) if valid else None
    return at.last.mean(figure.removesuffix("_mean"), -1, since)


def _rest(figure: str, op: str, at: Standing, goal: Fraction) -> tuple[int | None, Fraction | None]:
    """Remaining budget and required rest."""
    valid, good, heavy = (int(number) for number in at.now.counts[at.row])
    if figure == "heavy_days":
        most = goal.numerator // goal.denominator
        return (most - 1 if op == "<" and goal.denominator == 1 else most) - heavy, None
    whole = _valid(figure, at) + at.remaining
    if figure == "good_ratio":
        needed = -(-goal.numerator * whole // (goal.denominator * _HUNDRED))
        budget = whole - needed - (valid - good)
        return budget, (goal * whole - _HUNDRED * good) / at.remaining if at.remaining else None
    if not at.remaining:
        return None, None
    total = (at.now.mean(figure.removesuffix("_mean"), at.row) or Fraction()) * _valid(figure, at)
    return None, (goal * whole - total) / at.remaining


def _rounding_decides(figure: str, target: Target, value: Fraction, goal: Fraction) -> bool:
    decimals = {FIGURES[figure].digits, _decimals(goal)}
    holds = _HOLDS[target.op]
    return any(holds(rounded(value, places), goal) != holds(value, goal) for places in decimals)


def _decimals(goal: Fraction) -> int:
    places = 0
    while (goal * 10**places).denominator != 1:
        places += 1
    return places


def rounded(value: Fraction, decimals: int) -> Fraction:
    """A fraction rounded half to even to decimals.

    >>> rounded(Fraction("42.45"), 1)
    Fraction(212, 5)
    """
    power = 10**decimals
    return Fraction(half_even(value.numerator * power, value.denominator), power)
