"""Permit points (outfalls, stacks, boundaries, dust sites) as functions of seed, point and hour.

A point runs well below its limit, drifts for days, and now and then exceeds it for some hours: a county without a single
exceedance would test nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from domain.items import item
from domain.places import Point
from edge_sim.air import Calendar
from edge_sim.noise import Floats, Ints, Noise

USUAL: Final = {
    "cod": 22.0, "ss": 7.0, "nh3n": 0.9, "tp": 0.22, "tn": 8.5, "nmhc": 1.1, "tsp": 0.24,
    "nox": 32.0, "so2": 11.0, "soot": 3.2, "o2_content": 9.5,
}  # fmt: skip
"""Usual level where the permit names no limit: mg/L in water, mg/m³ in air, oxygen in %."""
BY_KIND: Final = {
    "outfall": ("cod", "nh3n", "tp", "tn"),
    "stack": ("nox", "so2", "soot", "o2_content"),
    "boundary": ("nmhc",),
    "dust-site": ("tsp",),
}
LOADED: Final = 0.45
"""Usual level as a share of the limit."""


@dataclass(frozen=True)
class PointSignal:
    """One permit point's truth."""

    noise: Noise
    point: Point

    def hours(self, times: Ints) -> dict[str, Floats]:
        """True hourly means of the point's items: (n,) int64 end labels [s] to dict of (n,) float64."""
        sky = Calendar.of(times)
        upset = np.maximum(0.0, self.noise.ar1(f"{self.point.id}/upset", sky.index, 8) - 2.4)
        return {name: self._item(name, usual, sky, upset) for name, usual in self._usual().items()}

    def _usual(self) -> dict[str, float]:
        limits = {limit.item: float(limit.value) * LOADED for limit in self.point.limits if item("point", limit.item)}
        kind = {name: USUAL[name] for name in BY_KIND.get(self.point.kind, ())}
        return kind | limits

    def _item(self, name: str, usual: float, sky: Calendar, upset: Floats) -> Floats:
        own = f"{self.point.id}/{name}"
        if name == "o2_content":
            return np.clip(usual + 0.8 * self.noise.ar1(own, sky.index, 10), 3, 20.5)
        slow, fast = self.noise.ar1(own, sky.index, 90), self.noise.ar1(f"{own}/fast", sky.index, 4)
        return usual * np.exp(0.16 * slow + 0.08 * fast + 0.9 * upset)
