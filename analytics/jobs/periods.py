"""Figures of closed months, quarters and years as columns, one row a period, marked where the minimum of data is not reached."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from analytics.air import compliance, displayed, periods, years
from analytics.air.days import Days
from analytics.air.displayed import PERIODICAL, YEARLY
from analytics.air.periods import Figures
from analytics.jobs.sheets import Kind, Sheet
from analytics.jobs.stations import Span, stamps
from analytics.kernels import figures as kernel
from domain import air
from domain.indicators import FIGURES
from domain.items import AIR

STATES: Final = ("", "incomplete", "met", "missed")
"""Status of a period's figure: nothing, or too few daily values (GB 3095-2026 table 4); the year's compliance: met or missed."""
_ALL: Final = (*PERIODICAL, *YEARLY)
_DIVISORS: Final = displayed.divisors(_ALL)
_POWER: Final = 10 ** FIGURES["standard"].digits
_POWERS: Final = np.array([[float(_POWER)]])
_ITEMS: Final = tuple("+".join(item for bit, item in enumerate(AIR) if mask >> bit & 1) for mask in range(2 ** len(AIR)))


def _needs(figure: str) -> list[bool]:
    """What a figure is made of: each of the items, and days with an AQI."""
    item = figure.partition("_")[0]
    if item in AIR:
        return [*(one == item for one in AIR), False]
    return [True] * len(AIR) + [False] if figure == "composite" else [False] * len(AIR) + [True]


_NEEDS: Final = np.array([_needs(figure) for figure in _ALL])


class _Frame(NamedTuple):
    """What all scopes have in common: the periods that are over, the times of their rows, and the rows of each kind of period."""

    over: tuple[periods.Period, ...]
    time: npt.NDArray[np.int64]
    length: npt.NDArray[np.int64]
    kinds: tuple[tuple[str, slice], ...]


@lru_cache(maxsize=64)
def _frame(first: int, days: int) -> _Frame:
    over = periods.closed(first, days)
    stops = [one.stop for one in over]
    time = stamps(first, max(stops, default=0))[[stop - 1 for stop in stops]]
    names = [one.kind for one in over]
    kinds = tuple((kind, slice(names.index(kind), names.index(kind) + names.count(kind))) for kind in dict.fromkeys(names))
    return _Frame(over, time, np.array([one.length for one in over], np.int64), kinds)


def sheets(scope: str, rules: Sequence[air.RuleSet], days: Days, running: Sequence[years.Running], at: Span) -> list[Sheet]:
    """Figures of the periods that are over, of one scope under some rule sets."""
    frame = _frame(at.first, min(len(running[0]), at.closed))
    if not frame.over:
        return []
    made: list[Sheet] = []
    several = periods.under(days, running, rules, frame.over)
    known = compliance.measured(several[0], len(frame.over) - 1) if frame.over[-1].kind == "year" else None
    for law, found, figured, status in zip(rules, several, displayed.of_periods(several), _short(several), strict=True):
        made += [_of_kind((kind, scope, law.name), (frame, rows), figured, status) for kind, rows in frame.kinds]
        if known is not None:
            made.append(_standard(Kind(("standard",), "year", scope, law.name), compliance.held(known, at.first, law), found, frame))
    return made


def _short(several: Sequence[Figures]) -> npt.NDArray[np.uint8]:
    """(r, f, p): 1 where a figure is made of too little."""
    enough = np.empty((len(several), *several[0].enough.shape), np.bool_)
    for place, one in enumerate(several):
        enough[place] = one.enough
    status = np.empty((len(several), len(_ALL), enough.shape[1]), np.uint8)
    kernel.short(enough, _NEEDS, status)
    return status


def _of_kind(of: tuple[str, str, str], part: tuple[_Frame, slice], made: displayed.Figured, status: npt.NDArray[np.uint8]) -> Sheet:
    """Rows of months, quarters or the year; each figure is marked where the items it is made of have too few daily values."""
    frame, rows = part
    names = _ALL if of[0] == "year" else PERIODICAL
    cells = slice(len(names)), rows
    units, behind, divisors = made.units[cells], made.behind[cells], _DIVISORS[: len(names)]
    return Sheet(Kind(names, *of), frame.time[rows], units, divisors, behind, frame.length[rows], status[cells], statuses=STATES)


def _standard(kind: Kind, items: tuple[compliance.Verdict, ...], found: Figures, frame: _Frame) -> Sheet:
    """The year's compliance: the largest exceedance multiple of its means and percentiles, and the items that exceed."""
    row = len(found.periods) - 1
    met = compliance.overall(items)
    units = max([one.units(_POWER) for item in items for one in item.measures], default=-1)
    mask = sum([1 << place for place, item in enumerate(items) if item.attained is False])
    status = 1 if met is None or not all(found.enough[row].tolist()[: len(AIR)]) else 2 if met else 3
    valid, codes = np.array([[min(found.valid[row].tolist())]], np.uint16), np.array([[status], [mask]], np.uint8)
    return Sheet(kind, frame.time[row:], np.array([[units]]), _POWERS, valid, frame.length[row:], codes[:1], codes[1:], STATES, _ITEMS)
