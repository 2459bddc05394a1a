"""Figures of closed months, quarters and years as columns, one row a period, marked where the minimum of data is not reached."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Final

import numpy as np
import numpy.typing as npt

from analytics import tables
from analytics.air import compliance, periods, years
from analytics.air.days import Days
from analytics.air.periods import Figures
from analytics.jobs.columns import Column, Tag, column
from analytics.jobs.rounding import floats, half_even, ratio
from analytics.jobs.stations import Span, stamps
from domain import air
from domain.indicators import FIGURES
from domain.items import AIR

STATES: Final = ("", "incomplete", "met", "missed")
"""Status of a period's figure: nothing, or too few daily values (GB 3095-2026 table 4); the year's compliance: met or missed."""
_TOPS: Final = ("co", "o3")
"""Items that enter the composite index with their percentile."""
_YEARLY: Final = frozenset({"pm25_p95", "pm10_p95", "so2_p98", "no2_p98"})
"""Percentiles of few days say little: these are figures of years only."""
_AQI: Final = len(AIR)
_ITEMS: Final = tuple("+".join(item for bit, item in enumerate(AIR) if mask >> bit & 1) for mask in range(2 ** len(AIR)))
Values = npt.NDArray[np.float64]
Counts = npt.NDArray[np.integer]
Flags = npt.NDArray[np.bool_]


def columns(scope: str, rules: air.RuleSet, days: Days, running: years.Running, at: Span) -> list[Column]:
    """Figures of the periods that are over, of one scope under one rule set."""
    over = periods.closed(at.first, min(len(running), at.closed))
    if not over:
        return []
    found = periods.figures(days, running, rules, over)
    time = stamps(at.first, max(one.stop for one in over))[[one.stop - 1 for one in over]]
    kinds = np.array([one.kind for one in over])
    made: list[Column] = []
    for name, (value, valid, enough) in _values(found).items():
        status = (~enough).astype(np.uint8)
        for kind in ("year",) if name in _YEARLY else ("month", "quarter", "year"):
            rows = np.flatnonzero(kinds == kind)
            if len(rows):
                one = column(Tag(name, kind, scope, rules.name), time[rows], value[rows], (valid[rows], _lengths(found)[rows]))
                made.append(replace(one, status=status[rows], statuses=STATES))
    return [*made, *_standard(scope, rules, found, time)]


def _lengths(found: Figures) -> npt.NDArray[np.int64]:
    return np.array([one.length for one in found.periods], np.int64)


def _values(found: Figures) -> dict[str, tuple[Values, Counts, Flags]]:
    """Every figure's values, the valid days behind them, and whether they are enough."""
    six: Flags = found.enough[:, :_AQI].sum(axis=1) == _AQI
    days: Flags = found.enough[:, _AQI]
    fewest: Counts = found.valid.min(axis=1)
    valid, good, heavy = (found.counts[:, place].astype(np.int64) for place in range(3))
    made: dict[str, tuple[Values, Counts, Flags]] = {}
    for place, item in enumerate(AIR):
        number, enough = found.valid[:, place], found.enough[:, place]
        if item in years.MEANS:
            made[f"{item}_mean"] = _means(found, item), number, enough
        made[f"{item}_p{air.PERCENTILES[item]}"] = _tops(found, item), number, enough
        made[f"{item}_rate"] = ratio(100 * found.within[:, place].astype(np.int64), number, f"{item}_rate"), number, enough
    made |= {
        "good_days": (good.astype(np.float64), valid, days),
        "good_ratio": (ratio(100 * good, valid, "good_ratio"), valid, days),
        "heavy_days": (heavy.astype(np.float64), valid, days),
        "valid_days": (valid.astype(np.float64), valid, days),
        "data_capture": (ratio(100 * valid, _lengths(found), "data_capture"), valid, days),
        "composite": (_composite(found), fewest, six),
    }
    return made


def _means(found: Figures, item: str) -> Values:
    place, digits = AIR.index(item), FIGURES[f"{item}_mean"].digits
    running = found.running
    if len(running.sums) > 1:
        return np.array([years.shown(found.mean(item, row), digits) for row in range(len(found.periods))])
    group = running.sums[0]
    step = 1_000 // 10**digits * tables.COMMON * group.parts
    return floats(half_even(_totals(found, place), found.valid[:, place].astype(np.int64) * step), 10**digits)


def _totals(found: Figures, place: int) -> npt.NDArray[np.int64]:
    total: npt.NDArray[np.int64] = found.running.sums[0].total[:, place]
    starts, stops = (np.array([getattr(one, edge) for one in found.periods]) for edge in ("start", "stop"))
    whole: npt.NDArray[np.int64] = total[stops - 1] - np.where(starts > 0, total[np.maximum(starts - 1, 0)], 0)
    return whole


def _tops(found: Figures, item: str) -> Values:
    place = AIR.index(item)
    digits = FIGURES[f"{item}_p{air.PERCENTILES[item]}"].digits
    hundredths = found.percentiles[:, place]
    rounded = half_even(np.maximum(hundredths, 0) * tables.STEPS[place] * 10**digits, np.full(len(hundredths), 100_000, np.int64))
    return np.where(hundredths < 0, np.nan, rounded / 10**digits)


def _composite(found: Figures) -> Values:
    rows = range(len(found.periods))
    if len(found.running.sums) > 1:
        exact = [found.composite(row) for row in rows]
        return np.array([np.nan if one is None else float(one[0]) for one in exact])
    group, total = found.running.sums[0], np.zeros(len(rows), np.int64)
    for item in years.MEANS:
        place = AIR.index(item)
        whole = tables.COMMON * group.parts * air.COMPOSITE[item] * tables.STEPS[place]
        total += half_even(_totals(found, place) * 100, found.valid[:, place].astype(np.int64) * whole)
    for item in _TOPS:
        total += half_even(np.maximum(found.percentiles[:, AIR.index(item)], 0), np.full(len(rows), air.COMPOSITE[item], np.int64))
    return np.where(found.valid.min(axis=1) > 0, total / 100, np.nan)


def _standard(scope: str, rules: air.RuleSet, found: Figures, time: npt.NDArray[np.int64]) -> list[Column]:
    """The year's compliance: the largest exceedance multiple of its means and percentiles, and the items that exceed."""
    if found.periods[-1].kind != "year":
        return []
    row = len(found.periods) - 1
    items = compliance.verdicts(found, row, rules)
    met = compliance.overall(items)
    most = max((one.multiple or Fraction() for item in items for one in item.measures), default=None)
    made = column(
        Tag("standard", "year", scope, rules.name),
        time[row:],
        np.array([years.shown(most, FIGURES["standard"].digits)]),
        (found.valid[row:].min(axis=1), _lengths(found)[row:]),
    )
    mask = sum(1 << place for place, item in enumerate(items) if item.attained is False)
    status = 1 if not found.enough[row, :_AQI].all() or met is None else 2 if met else 3
    return [replace(made, status=np.full(1, status, np.uint8), text=np.full(1, mask, np.uint8), statuses=STATES, texts=_ITEMS)]
