"""Figures of the county's waters: its state, the share of good sections, and the state of each river in words."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Final

from analytics.jobs.sections import PERIODS
from analytics.water import rivers
from analytics.water.means import Mean, Year
from domain import civil, water
from domain.fixed import to_float
from domain.indicators import Indicator
from domain.places import WaterSection

QUALITY: Final = "water_quality"
GOOD_RATIO: Final = "water_good_ratio"
FIGURES: Final = (QUALITY, GOOD_RATIO)
_CODES: Final = tuple(water.GRADES)


def rows(scope: str, places: Mapping[str, WaterSection], years: Mapping[str, Year]) -> Iterator[Indicator]:
    """State and share of good sections at the end of every period and of every closed day of the year."""
    if not years:
        return
    for period in (*PERIODS, "ytd"):
        name = {"ytd": "so_far", "year": "year"}.get(period, f"{period}s")
        before: list[Indicator] = []
        exact: list[object] = []
        for place in range(len(getattr(next(iter(years.values())), name))):
            means = {site: getattr(year, name)[place] for site, year in years.items()}
            now: list[object] = [mean.exact for mean in means.values()]
            if len(exact) == len(now) and all(one is other for one, other in zip(exact, now, strict=True)):
                time = civil.period_stamp(next(iter(means.values())).last)
                before = [replace(row, time=time) for row in before]
            else:
                before, exact = list(_rows(scope, period, places, means)), now
            yield from before


def _rows(scope: str, period: str, places: Mapping[str, WaterSection], known: Mapping[str, Mean]) -> Iterator[Indicator]:
    means = {site: mean for site, mean in known.items() if any(value is not None for value in mean.exact)}
    state = rivers.assess(places, means)
    if not state.sections:
        return
    time = civil.period_stamp(next(iter(means.values())).last)
    row = Indicator(QUALITY, period, scope, water.RULE_SET, time, valid=float(state.sections), expected=float(len(places)))
    text = json.dumps(_told(state) | {"classes": _classes(means), "rivers": _rivers(places, means)}, ensure_ascii=False)
    grade = None if state.grade is None else float(state.grade)
    status = "" if state.grade is None else _CODES[state.grade - 1]
    yield replace(row, value=grade, status=status, text=text)
    yield replace(row, figure=GOOD_RATIO, value=to_float(Fraction(100 * state.good, state.sections), 1))


def _told(state: rivers.State) -> dict[str, object]:
    names = ("method", "good", "inferior", "sections", "items")
    return {name: getattr(state, name) for name in names}


def _classes(means: Mapping[str, Mean]) -> dict[str, int]:
    return {site: mean.worst for site, mean in means.items() if mean.worst is not None}


def _rivers(places: Mapping[str, WaterSection], means: Mapping[str, Mean]) -> list[dict[str, object]]:
    found = []
    for river, some in rivers.rivers(places).items():
        state = rivers.assess(some, {site: means[site] for site in some if site in means})
        if state.grade is not None:
            found.append({"river": river, "state": _CODES[state.grade - 1], **_told(state)})
    return found
