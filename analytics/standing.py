"""Registers that stand still while a meter beside them runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

import numpy as np

from analytics.counting import HELD, Counted
from analytics.meters import Event
from domain.civil import HOUR_S
from domain.places import Meter

STUCK_S: Final = 6 * HOUR_S
"""A standing register is told only after so long, and after twice its own longest rest."""


def pairs(meters: Mapping[str, Meter]) -> dict[str, list[str]]:
    """Meters whose running says something about another one: treatment and production, and the same enterprise's."""
    found: dict[str, list[str]] = {name: [] for name in meters}
    for name, meter in meters.items():
        if meter.treats:
            found[name].append(meter.treats)
            found[meter.treats].append(name)
            continue
        found[name] += [other for other, one in meters.items() if other != name and one.enterprise == meter.enterprise and not one.treats]
    return found


def stuck(meters: Mapping[str, Counted], beside: Mapping[str, Sequence[str]]) -> dict[str, list[Event]]:
    """Registers that stood still while a meter beside them ran, longer than twice their own longest rest before.

    Parameters
    ----------
    beside : mapping of meter to meters
        Whose running proves that something was on: the other side of a treatment pair, the meters of the same enterprise.
    """
    return {name: _rests(one, [meters[other] for other in beside.get(name, ()) if other in meters]) for name, one in meters.items()}


def _rests(own: Counted, others: Sequence[Counted]) -> list[Event]:
    resting = np.concatenate([[0], own.amount == 0, [0]]).astype(np.int8)
    edges = np.diff(resting)
    events: list[Event] = []
    longest = STUCK_S // 2
    for start, stop in zip(np.flatnonzero(edges == 1).tolist(), np.flatnonzero(edges == -1).tolist(), strict=True):
        begin, end = int(own.begin[start]), int(own.end[stop - 1])
        lasted = end - begin
        ran = sum((_between(other, begin, end) for other in others), Decimal(0)) if lasted > 2 * longest else Decimal(0)
        if ran > 0:
            events.append(Event("stuck", int(own.end[start]), f"0 for {lasted // HOUR_S} h while meters beside it counted {ran}"))
        else:
            longest = max(longest, lasted)
    return events


def _between(other: Counted, begin: int, end: int) -> Decimal:
    """What a meter counted in the intervals that lie between two instants."""
    rows = slice(*np.searchsorted(other.begin, [begin, max(begin, end)]).tolist())
    inside = (other.end[rows] <= end) & (other.flag[rows] != HELD)
    return int(other.amount[rows][inside].sum()) * other.unit
