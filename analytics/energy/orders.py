"""Heavy-pollution orders: what of the usual load still ran in each hour, and whether that can be told at all.

The usual load of an hour is the median of the same hour of the day on the four weeks before the order (Sundays beside Sundays), on days
without an order; its uncertainty is the spread of those hours, 5th to 95th percentile. An hour is *obeyed* when no more than the allowed
share of the usual ran, *not obeyed* when more ran than the allowed share of the top of the spread, with what a meter and a schedule can do
beside it; between them nobody can tell from a meter.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from domain import civil
from domain.civil import DAY_S, HOUR_S
from domain.clues import Electricity

Floats = npt.NDArray[np.float64]
BACK_DAYS: Final = 28
LEAST: Final = 8
"""Known usual hours before a baseline is one."""
SPREAD: Final = (5, 50, 95)
IN_A_ROW: Final = 3
"""Hours that were not obeyed before they are a clue: batches run over."""
OBEYED, NOT_OBEYED, CANNOT_TELL = STATES = ("obeyed", "not-obeyed", "cannot-tell")
NO_METER, NO_DATA, NO_BASELINE, UNCERTAIN = ("no-meter", "no-data", "no-baseline", "within-uncertainty")
_SUNDAY: Final = 3
"""Civil day 3 was a Sunday."""


class Loads(NamedTuple):
    """Load by hour from ``start`` on: (h,) float64 [kWh], NaN = not known; and whether an order was in force then: (h,) bool."""

    start: int
    load: Floats
    ordered: npt.NDArray[np.bool_]


class Hour(NamedTuple):
    """One judged hour; ``time`` is its end label. ``low``, ``usual``, ``high`` [kWh] are NaN without a baseline."""

    time: int
    load: float
    low: float
    usual: float
    high: float
    state: str
    why: str


def judge(known: Loads, begin: int, end: int, share: float, rules: Electricity) -> Iterator[Hour]:
    """Whole hours of an order [s], as far as they are known to have ended.

    Parameters
    ----------
    share : float
        Of the usual load that may still run; 0 = stop, where standby and light are no breach.
    """
    allowed = max(share, float(rules.standby_share))
    most = 1 + float(rules.order_share)
    first, last = -(-(begin - known.start) // HOUR_S), min((end - known.start) // HOUR_S, len(known.load))
    for place in range(max(first, 0), last):
        load = float(known.load[place])
        low, usual, high = (allowed * one for one in baseline(known, place, begin))
        state, why = CANNOT_TELL, UNCERTAIN
        if np.isnan(load):
            why = NO_DATA
        elif np.isnan(usual):
            why = NO_BASELINE
        elif load <= usual:
            state, why = OBEYED, ""
        elif load > high * most:
            state, why = NOT_OBEYED, ""
        yield Hour(known.start + HOUR_S * (place + 1), load, low, usual, high, state, why)


def baseline(known: Loads, place: int, begin: int) -> tuple[float, float, float]:
    """Usual load at the hour of the day of ``place`` before an order began: 5th percentile, median, 95th [kWh]; NaN where too little is known."""
    time = known.start + HOUR_S * place
    sunday = _sunday(time)
    # Four weeks hold four Sundays: they take the hours beside them too.
    beside = (-1, 0, 1) if sunday else (0,)
    asked = []
    for back in range(1, BACK_DAYS + 1 + (civil.day_of(time + 1) - civil.day_of(begin + 1))):
        for away in beside:
            at = place - 24 * back + away
            then = known.start + HOUR_S * at
            if 0 <= at < len(known.load) and then + HOUR_S <= begin and begin - then <= BACK_DAYS * DAY_S and _sunday(then) == sunday and not known.ordered[at]:
                asked.append(known.load[at])
    hours = np.array([one for one in asked if not np.isnan(one)])
    if len(hours) < LEAST:
        return np.nan, np.nan, np.nan
    low, usual, high = np.percentile(hours, SPREAD).tolist()
    return low, usual, high


def _sunday(time: int) -> bool:
    return civil.day_of(time + 1) % 7 == _SUNDAY
