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
_POWERS: Final = np.array([[10.0 ** FIGURES["standard"].digits]])
_ITEMS: Final = tuple("+".join(item for bit, item in enumerate(AIR) if mask >> bit & 1) for mask in range(2 ** len(AIR)))


class _Rows(NamedTuple):
    """Rows of one kind of period, in which all scopes are alike: which they are, times, calendar days, figures and their divisors."""

    kind: str
    rows: slice
    time: npt.NDArray[np.int64]
    length: npt.NDArray[np.int64]
    names: tuple[str, ...]
    divisors: npt.NDArray[np.float64]


@lru_cache(maxsize=64)
def _rows(first: int, days: int) -> tuple[_Rows, ...]:
    """Periods that are over after so many days of the year that begins on a civil day."""
    over = periods.closed(first, days)
    made = []
    for kind in dict.fromkeys(one.kind for one in over):
        own = [place for place, one in enumerate(over) if one.kind == kind]
        stops = [over[place].stop - 1 for place in own]
        names = (*PERIODICAL, *YEARLY) if kind == "year" else PERIODICAL
        length = np.array([over[place].length for place in own], np.int64)
        made.append(_Rows(kind, slice(own[0], own[-1] + 1), stamps(first, stops[-1] + 1)[stops], length, names, displayed.divisors(names)))
    return tuple(made)


def sheets(scope: str, rules: Sequence[str], made: Made, at: Span) -> list[Sheet]:
    """Figures of the periods that are over, of one scope under some rule sets; each is marked where what it is made of has too few daily values."""
    found, kinds = [], _rows(at.first, made.running[0].units.shape[1])
    units, behind, short = *made.closed, made.short
    for place, law in enumerate(rules):
        for kind, rows, time, length, names, divisors in kinds:
            cells = place, slice(len(names)), rows
            found.append(Sheet(Kind(names, kind, scope, law), time, units[cells], divisors, behind[cells], length, short[cells], statuses=STATES))
    if kinds and kinds[-1].kind == "year":
        found += [_standard(Kind(("standard",), "year", scope, law), made, place, kinds[-1]) for place, law in enumerate(rules)]
    return found


def _standard(kind: Kind, made: Made, place: int, year: _Rows) -> Sheet:
    """The year's compliance: the largest exceedance multiple of its means and percentiles, and the items that exceed."""
    numbers, codes = made.standard[0][place, :, None, None], made.standard[1][place, :, None, None]
    return Sheet(kind, year.time, numbers[0], _POWERS, numbers[1], year.length, codes[0], codes[1], STATES, _ITEMS)
