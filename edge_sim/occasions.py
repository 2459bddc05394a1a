"""What happens on given days: spring festivals with their fireworks, and the weather that a scenario orders.

A seed alone gives a usual county. A scenario adds what it is about, a week of haze, a dust storm, a flood, and everything in
the county sees it: neighbours rise together, rivers rise with the rain.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from domain.civil import DAY_S, HOUR_S, day_number, day_start
from edge_sim.noise import Bools, Floats, Ints

NEW_YEAR: Final = tuple(
    day_number(date(*when))
    for when in (
        (2020, 1, 25), (2021, 2, 12), (2022, 2, 1), (2023, 1, 22), (2024, 2, 10), (2025, 1, 29), (2026, 2, 17),
        (2027, 2, 6), (2028, 1, 26), (2029, 2, 13), (2030, 2, 3),
    )
)  # fmt: skip
"""First days of the spring festivals."""
LANTERNS: Final = 14
"""Days from the first to the lantern festival."""
ROCKETS: Final = ((-1, 24.5, 1.0), (0, 24.0, 0.35), (LANTERNS, 20.5, 0.45))
"""Day of the festival, hour of the peak, strength: most is lit at midnight before the first day."""
KINDS: Final = ("haze", "dust", "rain", "heat")


def fireworks(times: Ints) -> Floats:
    """How much is being lit, 1 at the peak of the year: (n,) int64 [s] to (n,) float64; it blows away within half a day."""
    out = np.zeros(len(times))
    for first in NEW_YEAR:
        for day, hour, strength in ROCKETS:
            since = (times - day_start(first + day)) / HOUR_S - hour
            out += strength * np.where(since < 0, np.exp(-((since / 1.5) ** 2)), np.exp(-np.abs(since) / 5))
    return out


def festival(days: Ints, before: int = 2, after: int = 8) -> Bools:
    """Whether a civil day lies in the holidays: (n,) int64 to (n,) bool."""
    since = days[:, None] - np.array(NEW_YEAR)[None, :]
    return np.asarray(((since >= -before) & (since < after)).any(axis=1))


@dataclass(frozen=True, slots=True)
class Push:
    """Weather that a scenario wants.

    Attributes
    ----------
    kind : str
        ``haze`` [natural logarithm on PM2.5], ``dust`` [mg/m³ of coarse dust], ``rain`` [as the county's rain, usual 0 to 2],
        ``heat`` [spreads of ozone weather].
    begin, end : int [s]
    size : float
    """

    kind: str
    begin: int
    end: int
    size: float


@dataclass(frozen=True, slots=True)
class Weather:
    """All weather of a scenario; none in a usual county."""

    pushes: tuple[Push, ...] = ()

    def of(self, kind: str, times: Ints) -> Floats:
        """Sum of this kind at each time: (n,) int64 [s] to (n,) float64. It comes and goes within a quarter of its length, at most a day."""
        out = np.zeros(len(times))
        for one in self.pushes:
            if one.kind == kind:
                edge = max(HOUR_S, min(DAY_S, (one.end - one.begin) // 4))
                out += one.size * np.clip(np.minimum(times - one.begin, one.end - times) / edge, 0, 1)
        return out
