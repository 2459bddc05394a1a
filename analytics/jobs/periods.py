"""Figures of closed months, quarters and years as columns, one row a period, marked where the minimum of data is not reached."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Final

import numpy as np
import numpy.typing as npt

from analytics.air import compliance, displayed, periods, years
from analytics.air.days import Days
from analytics.air.periods import Figures
from analytics.jobs.rounding import half_even
from analytics.jobs.sheets import Kind, Sheet, single
from analytics.jobs.stations import Span, stamps
from domain import air, fixed
from domain.indicators import FIGURES
from domain.items import AIR

STATES: Final = ("", "incomplete", "met", "missed")
"""Status of a period's figure: nothing, or too few daily values (GB 3095-2026 table 4); the year's compliance: met or missed."""
_NAMES: Final = (*displayed.names(AIR), *(f"{item}_rate" for item in AIR))
_YEARLY: Final = frozenset({"pm25_p95", "pm10_p95", "so2_p98", "no2_p98"})
"""Percentiles of few days say little: these are figures of years only."""
_ALL: Final = list(range(len(_NAMES)))
_SHORT: Final = [place for place, name in enumerate(_NAMES) if name not in _YEARLY]
_COUNTED: Final = len(displayed.names(AIR)) - len(years.MEANS) - len(AIR)
"""Figures that count days, the composite index being the last of them."""
_WHOLE: Final = 100 * 10 ** FIGURES["pm25_rate"].digits
_AQI: Final = len(AIR)
_ITEMS: Final = tuple("+".join(item for bit, item in enumerate(AIR) if mask >> bit & 1) for mask in range(2 ** len(AIR)))


def sheets(scope: str, rules: air.RuleSet, days: Days, running: years.Running, at: Span) -> list[Sheet]:
    """Figures of the periods that are over, of one scope under one rule set."""
    over = periods.closed(at.first, min(len(running), at.closed))
    if not over:
        return []
    found = periods.figures(days, running, rules, over)
    time = stamps(at.first, max(one.stop for one in over))[[one.stop - 1 for one in over]]
    all_ = _sheet(found, time, Kind(_NAMES, "", scope, rules.name))
    made = [_of_kind(all_, period, [place for place, one in enumerate(over) if one.kind == period]) for period in dict.fromkeys(one.kind for one in over)]
    return [*made, *_standard(scope, rules, found, time)]


def _of_kind(whole: Sheet, period: str, rows: list[int]) -> Sheet:
    """Rows of months, quarters or the year."""
    figures = _ALL if period == "year" else _SHORT
    names = tuple(_NAMES[place] for place in figures)
    cells = np.ix_(figures, rows)
    return replace(
        whole,
        kind=whole.kind._replace(figures=names, period=period),
        time=whole.time[rows],
        units=whole.units[cells],
        divisors=displayed.divisors(names),
        valid=whole.valid[cells],
        expected=whole.expected[rows],
        status=whole.status[cells],
    )


def _lengths(found: Figures) -> npt.NDArray[np.int64]:
    return np.array([one.length for one in found.periods], np.int64)


def _sheet(found: Figures, time: npt.NDArray[np.int64], kind: Kind) -> Sheet:
    """Every figure of every period; each is marked where the items it is made of have too few daily values."""
    made = displayed.of_periods(found)
    valid = found.valid.T
    rates = half_even(_WHOLE * found.within.T.astype(np.int64), valid.astype(np.int64)).astype(np.int32)
    items = found.enough[:, :_AQI].T
    days = np.repeat(found.enough[None, :, _AQI], _COUNTED - 1, axis=0)
    enough = np.concatenate([items[: len(years.MEANS)], items, days, items.all(axis=0, keepdims=True), items])
    units, behind = np.concatenate([made.units, rates]), np.concatenate([made.behind, valid]).astype(np.uint16)
    return Sheet(kind, time, units, displayed.divisors(_NAMES), behind, _lengths(found), (~enough).astype(np.uint8), statuses=STATES)


def _standard(scope: str, rules: air.RuleSet, found: Figures, time: npt.NDArray[np.int64]) -> list[Sheet]:
    """The year's compliance: the largest exceedance multiple of its means and percentiles, and the items that exceed."""
    if found.periods[-1].kind != "year":
        return []
    row = len(found.periods) - 1
    items = compliance.verdicts(found, row, rules)
    met = compliance.overall(items)
    most = max((one.multiple or Fraction() for item in items for one in item.measures), default=None)
    power = 10 ** FIGURES["standard"].digits
    units = -1 if most is None else fixed.half_even(most.numerator * power, most.denominator)
    fewest = found.valid[row:].min(axis=1).astype(np.uint16)
    made = single(Kind(("standard",), "year", scope, rules.name), time[row:], np.array([units]), power, (fewest, _lengths(found)[row:]))
    mask = sum(1 << place for place, item in enumerate(items) if item.attained is False)
    status = 1 if not found.enough[row, :_AQI].all() or met is None else 2 if met else 3
    return [replace(made, status=np.full((1, 1), status, np.uint8), text=np.full((1, 1), mask, np.uint8), statuses=STATES, texts=_ITEMS)]
