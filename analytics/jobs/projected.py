"""Projection of a county's targets: the years before as daily figures, the view of each day, and what it does to a target's state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from analytics import projection, skill, tables
from analytics.air.years import MEANS, Running
from analytics.attainment import Attainment
from analytics.projection import Goal, Outlook
from analytics.skill import CUTS, Cuts
from domain import air, civil
from domain.indicators import Indicator
from domain.items import AIR
from domain.targets import UNDECIDABLE_DAYS

Floats = npt.NDArray[np.float64]
Daily = Mapping[str, Floats]
"""Daily values of a year by figure: concentrations for means, 1, 0 or NaN for good and heavy days."""
YEARS: Final = 8
"""So many earlier years are learnt from at most: a county changes."""
SOURCES: Final = ("aqi", *MEANS)
"""Stored figures of days that the past is read from."""
_OPEN: Final = frozenset({"undecidable", "on-course", "at-risk"})
_MODELS: Final = MappingProxyType({"good_ratio": projection.share, "heavy_days": projection.count})


class View(NamedTuple):
    """A target's year end as seen at the end of one day."""

    median: float
    low90: float
    high90: float
    p_miss: float


def daily(running: Running) -> Daily:
    """Daily values of a running year, taken back out of its sums and counts."""
    found: dict[str, Floats] = {}
    for item in MEANS:
        place = AIR.index(item)
        value = np.full(len(running), np.nan)
        for group in running.sums:
            number = np.diff(group.count[:, place], prepend=0)
            total = np.diff(group.total[:, place], prepend=0)
            value = np.where(number > 0, total / (1_000 * tables.COMMON * group.parts), value)
        found[f"{item}_mean"] = value
    valid = np.diff(running.counts[:, 0], prepend=0) > 0
    for figure, column in (("good_ratio", 1), ("heavy_days", 2)):
        found[figure] = np.where(valid, np.diff(running.counts[:, column], prepend=0), np.nan)
    return MappingProxyType(found)


def past(rows: Iterable[Indicator]) -> dict[int, Daily]:
    """Daily values of earlier years from stored days of one scope, rule set and basis: AQI and concentrations as they were displayed."""
    years: dict[int, dict[str, Floats]] = {}
    for row in rows:
        if row.value is None or row.value != row.value or row.period != "day" or row.figure not in SOURCES:
            continue
        day = civil.day_of(row.time + 1)
        year = civil.year_of_day(day)
        first, last = civil.year_days(year)
        table = years.setdefault(year, {})
        for figure, value in _meant(row.figure, row.value):
            table.setdefault(figure, np.full(last - first + 1, np.nan))[day - first] = value
    return {year: MappingProxyType(table) for year, table in years.items()}


def _meant(figure: str, value: float) -> tuple[tuple[str, float], ...]:
    if figure == "aqi":
        return ("good_ratio", float(value <= air.GOOD_MAX)), ("heavy_days", float(value >= air.HEAVY_MIN))
    return ((f"{figure}_mean", value),)


def outlook(figure: str, years: Mapping[int, Daily], now: Daily, standing: tuple[int, int], goal: Goal) -> Outlook | None:
    """View of every day of a year; ``standing`` is the year and its calendar days."""
    year, length = standing
    before = skill.unbroken({one: table[figure] for one, table in years.items() if figure in table}, year)
    return _MODELS.get(figure, projection.mean)(before[-YEARS:], now[figure], length, goal)


def view(seen: Outlook | None, row: int) -> View | None:
    """What is seen at the end of a day; None where nothing can be said."""
    if seen is None or not np.isfinite(seen.median[row]):
        return None
    return View(*(float(part[row]) for part in seen))


def judged(state: Attainment, seen: View | None, day: tuple[int, int], cuts: Cuts = CUTS) -> Attainment:
    """The state by the chance of missing, as far as it is open and the figure is no count.

    Parameters
    ----------
    day : tuple of int
        Row of the day from 0, and valid days so far.
    """
    row, valid = day
    if seen is None or state.figure == "heavy_days" or state.status not in _OPEN or valid < UNDECIDABLE_DAYS:
        return state
    status = skill.state(seen.p_miss, better=skill.skilled((), row), cuts=cuts)
    more = state.one_more
    if more is not None and more.status in _OPEN:
        more = replace(more, status=status)
    return replace(state, status=status, one_more=more)
