"""Whether a forecast may decide anything: its chance of missing against the base rate, on earlier years only."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from analytics import projection
from analytics.projection import Goal, Outlook

Floats = npt.NDArray[np.float64]
Model = Callable[[Sequence[Floats], Floats, int, Goal], "Outlook | None"]
LESS: Final = 0.97
"""Each earlier year is forecast against the year before it less 3 %, as plans set their steps."""


SURE: Final = 0.05


class Cuts(NamedTuple):
    """Chance of missing up to which a target is on course, and from which on it is at risk."""

    on_course: float = 0.3
    at_risk: float = 0.7


CUTS: Final = Cuts()


class Case(NamedTuple):
    """A forecast of an earlier year, and what came."""

    p_miss: float
    missed: bool


def unbroken(years: Mapping[int, Floats], year: int) -> list[Floats]:
    """Years that can be learnt from, oldest first: the run without a gap that ends with the year before."""
    found: list[Floats] = []
    while (before := years.get(year - 1 - len(found))) is not None and np.isfinite(before).sum() >= projection.LEAST:
        found.append(before)
    return found[::-1]


def cases(years: Mapping[int, Floats], year: int, day: int, model: Model = projection.mean) -> list[Case]:
    """Forecasts of a place's earlier years at the same day of the year, each made from the years before it alone.

    Parameters
    ----------
    years : mapping of year to (365,) or (366,) float64
        Daily values; years from ``year`` on are not looked at.
    day : int
        Row of the day from 0.
    """
    found = []
    for one in sorted(earlier for earlier in years if earlier < year):
        past, now = unbroken(years, one), years[one]
        if past and np.isfinite(now).sum() >= projection.LEAST and day < len(now):
            goal = LESS * float(np.nanmean(past[-1]))
            seen = model(past, now[: day + 1], len(now), Goal("<=", goal))
            if seen is not None and np.isfinite(seen.p_miss[day]):
                found.append(Case(float(seen.p_miss[day]), bool(np.nanmean(now) > goal)))
    return found


def skilled(known: Iterable[Case], day: int) -> bool:
    """Whether forecasts at this day of the year are better than the base rate; with few cases the calendar decides.

    >>> skilled([], 100), skilled([], 200)
    (False, True)
    """
    found = list(known)
    if len(found) < projection.SKILL_CASES:
        return day + 1 >= projection.FIRST_SKILLED
    rate = sum(case.missed for case in found) / len(found)
    brier = sum((case.p_miss - case.missed) ** 2 for case in found) / len(found)
    return brier < rate * (1 - rate)


def state(p_miss: float, *, better: bool, cuts: Cuts = CUTS) -> str:
    """Status by the chance of missing: on course, at risk, or not yet decidable.

    A forecast that is not better than the base rate decides only where the target lies outside its 90 % interval.

    >>> state(0.2, better=True), state(0.2, better=False), state(0.97, better=False)
    ('on-course', 'undecidable', 'at-risk')
    """
    if not np.isfinite(p_miss) or (not better and SURE < p_miss < 1 - SURE):
        return "undecidable"
    if p_miss <= cuts.on_course:
        return "on-course"
    return "at-risk" if p_miss >= cuts.at_risk else "undecidable"
