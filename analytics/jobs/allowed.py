"""Today's allowances as stored figures: one row an item, cap and rule set of each place, renewed each hour of the running day."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from analytics.air import allowance
from analytics.air.allowance import CAPS, ITEMS, OPEN, STATES, Allowance, Today
from analytics.cube import BACK, SiteYear
from domain import air, civil
from domain.indicators import Indicator

LIMITS: Final = allowance.limits(air.RULE_SETS)
_UNIT: Final = 1_000


def rows(sites: Mapping[str, SiteYear], names: Sequence[str], now: int) -> Iterator[Indicator]:
    """Allowances of the running day of some places of one year.

    Parameters
    ----------
    sites : mapping of str to SiteYear
    names : sequence of str
        The places asked for.
    now : int [s]
    """
    if not names:
        return
    today = _today(sites, names, now)
    found = allowance.stations(today, LIMITS)
    for place, name in enumerate(names):
        yield from _rows(found, place, (name, 1), now)


def county(sites: Mapping[str, SiteYear], names: Sequence[str], scope: str, now: int) -> Iterator[Indicator]:
    """The allowance of the county's mean over its stations of today."""
    if names:
        yield from _rows(allowance.county(_today(sites, names, now), LIMITS), 0, (scope, len(names)), now)


def _today(sites: Mapping[str, SiteYear], names: Sequence[str], now: int) -> Today:
    day = civil.day_of(now)
    hours = np.stack([_hours(sites[name], day) for name in names], axis=1)
    return Today(hours, min(24, (now - civil.day_start(day)) // civil.HOUR_S))


def _hours(site: SiteYear, day: int) -> npt.NDArray[np.int32]:
    start = 24 * (day - site.first + BACK)
    return site.hours[start : start + 24]


def _rows(found: Allowance, place: int, scope: tuple[str, int], now: int) -> Iterator[Indicator]:
    name, places = scope
    time = civil.period_stamp(civil.day_of(now))
    for number, item in enumerate(ITEMS):
        text = json.dumps({"hours_left": -(-int(found.left[place, number]) // places)})
        for column in range(found.limit.shape[1]):
            state = int(found.state[place, number, column])
            yield Indicator(
                figure=f"{item}_allowance_{CAPS[column % len(CAPS)]}",
                period="day",
                scope=name,
                rule_set=air.RULE_SETS[column // len(CAPS)].name,
                time=time,
                value=int(found.rest[place, number, column]) / _UNIT if state == OPEN else None,
                valid=float(found.known[place, number]),
                expected=float(24 * places),
                target=float(found.limit[number, column]),
                computed=float(now),
                status=STATES[state],
                text=text,
            )
