"""How industries draw their power: level, shift, week, season, batches; and what an enterprise does on given days.

An *act* changes what truly happens behind a meter (a treatment plant switched off, production throttled by an order); what a
meter or its wire makes of the truth is a fault, and stands elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np

from domain.civil import DAY_S, HOUR_S, day_start
from edge_sim.noise import Floats, Ints

LATE: Final = "late-start"
PRODUCTION_H: Final = 6
"""Hour of the day at which a late starter's treatment ought to run."""


class Load(NamedTuple):
    """Load curve of an industry.

    Attributes
    ----------
    level : float
        Mean share of the maximum power while running.
    night : float
        Share of the day's load that remains outside the shift; 1 = continuous.
    begin, end : float [h]
        The shift.
    sunday, festival : float
        What remains on Sundays and over the spring festival.
    cold : float
        How much more mid January takes than the year's mean.
    rough : float
        Width of the quarter hours' scatter: batches and arcs.
    """

    level: float
    night: float
    begin: float = 7.5
    end: float = 19.0
    sunday: float = 1.0
    festival: float = 1.0
    cold: float = 0.0
    rough: float = 0.3

    @property
    def peak(self) -> float:
        """Highest quarter of an hour over the day's mean, scatter included."""
        usual = self.shape((np.arange(96) + 0.5) / 4)
        return float(usual.max() / usual.mean()) * (1 + self.rough / 2)

    def shape(self, hour: Floats) -> Floats:
        """Relative load at hours of the day, any scale: (q,) to (q,)."""
        shift = 1 / (1 + np.exp(-(hour - self.begin) * 2)) - 1 / (1 + np.exp(-(hour - self.end) * 2))
        return self.night + (1 - self.night) * shift + 0.04 * np.cos(2 * np.pi * (hour - 14) / 24)


SHIFTS: Final = Load(0.30, 0.2, sunday=0.55, festival=0.25)
LOADS: Final = MappingProxyType(
    {
        "aluminium": Load(0.55, 1.0, rough=0.12),
        "steel": Load(0.40, 0.75, rough=0.9, festival=0.8),
        "chemical": Load(0.52, 0.92),
        "power": Load(0.50, 0.8, cold=0.1),
        "heat-and-power": Load(0.42, 0.85, cold=0.35),
        "carbon": Load(0.55, 0.95),
        "cement": Load(0.45, 1.15, begin=8, end=22, cold=-0.35, festival=0.4),  # kilns run at night, when power is cheap
        "paper": Load(0.52, 0.95, festival=0.6),
        "sewage": Load(0.45, 0.6, begin=8, end=23),
        "foundry": Load(0.30, 0.05, begin=8, end=20, sunday=0.1, festival=0.1),  # melts by day and stands at night
        "food": Load(0.32, 0.3, begin=5, end=17, sunday=0.8, festival=0.4),
        "textile": Load(0.34, 0.35, begin=6, end=22, sunday=0.7, festival=0.15),
    },
)
"""Continuous industries never stop at night; all others work in :data:`SHIFTS`."""


def load_of(industry: str) -> Load:
    """The load curve of an industry."""
    return LOADS.get(industry, SHIFTS)


class Act(NamedTuple):
    """What an enterprise did from ``begin`` to ``end`` [s]: ``size`` is what of the load remained; of a late start, hours of delay a day."""

    kind: str
    begin: int
    end: int
    size: float = 0.0


def unused(act: Act, units: Ints, turned: Callable[[Ints], Ints]) -> Ints:
    """Units that the act has kept from turning until each instant.

    Parameters
    ----------
    units : (n,) int64
        What an undisturbed register would have turned at the instants.
    turned : callable
        The same at any instants.

    Returns
    -------
    (n,) int64
    """
    share = 1.0 if act.kind == LATE else 1.0 - act.size
    out = np.zeros(len(units), np.int64)
    # Before an act its stretch counts 0, after it all: the register only grows, so both ends can be cut off by its own values.
    for low, high in _ends(act, turned):
        out += np.floor(share * (np.clip(units, low, high) - low)).astype(np.int64)
    return out


def _ends(act: Act, turned: Callable[[Ints], Ints]) -> Sequence[tuple[int, int]]:
    edges = np.array(_stretches(act), np.int64)
    low, high = turned(edges[:, 0]).tolist(), turned(edges[:, 1]).tolist()
    return list(zip(low, high, strict=True))


def _stretches(act: Act) -> list[tuple[int, int]]:
    if act.kind != LATE:
        return [(act.begin, act.end)]
    first, last = (act.begin - day_start(0)) // DAY_S, (act.end - day_start(0) - 1) // DAY_S
    starts = [day_start(day) + PRODUCTION_H * HOUR_S for day in range(first, last + 1)]
    return [(start, start + int(act.size * HOUR_S)) for start in starts]
