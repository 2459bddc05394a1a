"""Figures of closed months, quarters and years as columns, one row a period, marked where the minimum of data is not reached."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from analytics.air import displayed, periods
from analytics.air.displayed import PERIODICAL, YEARLY, Made
from analytics.jobs.sheets import Kind, Sheet
from analytics.jobs.stations import Span, stamps
from domain.indicators import FIGURES
from domain.items import AIR

STATES: Final = ("", "incomplete", "met", "missed")
"""Status of a period's figure: nothing, or too few daily values (GB 3095-2026 table 4); the year's compliance: met or missed."""
_DIVISORS: Final = displayed.divisors((*PERIODICAL, *YEARLY))
_OF: Final = {"month": len(PERIODICAL), "quarter": len(PERIODICAL), "year": len(PERIODICAL) + len(YEARLY)}
"""Figures of each kind of period: the first so many."""
_NAMES: Final = {many: (*PERIODICAL, *YEARLY)[:many] for many in _OF.values()}
_POWERS: Final = np.array([[10.0 ** FIGURES["standard"].digits]])
_ITEMS: Final = tuple("+".join(item for bit, item in enumerate(AIR) if mask >> bit & 1) for mask in range(2 ** len(AIR)))


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


def sheets(scope: str, rules: Sequence[str], made: Made, at: Span) -> list[Sheet]:
    """Figures of the periods that are over, of one scope under some rule sets."""
    frame = _frame(at.first, len(made.running[0].units[0]))
    found = [_of_kind((kind, scope, law), (frame, rows), made, place) for place, law in enumerate(rules) for kind, rows in frame.kinds]
    if frame.kinds and frame.kinds[-1][0] == "year":
        found += [_standard(Kind(("standard",), "year", scope, law), made, place, frame) for place, law in enumerate(rules)]
    return found


def _of_kind(of: tuple[str, str, str], part: tuple[_Frame, slice], made: Made, place: int) -> Sheet:
    """Rows of months, quarters or the year; each figure is marked where the items it is made of have too few daily values."""
    frame, rows = part
    many = _OF[of[0]]
    units, behind, short = made.closed[0][place, :many, rows], made.closed[1][place, :many, rows], made.short[place, :many, rows]
    return Sheet(Kind(_NAMES[many], *of), frame.time[rows], units, _DIVISORS[:many], behind, frame.length[rows], short, statuses=STATES)


def _standard(kind: Kind, made: Made, place: int, frame: _Frame) -> Sheet:
    """The year's compliance: the largest exceedance multiple of its means and percentiles, and the items that exceed."""
    numbers, codes = made.standard[0][place, :, None, None], made.standard[1][place, :, None, None]
    last = slice(len(frame.time) - 1, None)
    return Sheet(kind, frame.time[last], numbers[0], _POWERS, numbers[1], frame.length[last], codes[0], codes[1], STATES, _ITEMS)
