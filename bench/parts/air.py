"""Hours of simulated air stations for the benches: daily and yearly shape, scattered gaps and outages."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from domain.fixed import MISSING

HOURS: Final = 8_760
NS: Final = 1e9
MEDIANS: Final = (42, 80, 12, 32, 0.8, 60)
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]


def signals(stations: int) -> Floats:
    """A year of hours in tenths (CO in thousandths), NaN = missing: (hour, station, item)."""
    generator = np.random.default_rng(1)
    hour = np.arange(HOURS)
    season = 1 + 0.45 * np.cos(2 * np.pi * hour / HOURS)
    shape = (season * (1 + 0.2 * np.sin(2 * np.pi * hour / 24)))[:, None, None]
    noise = np.zeros((HOURS, stations, 6))
    kicks = 0.35 * 0.5 * generator.standard_normal(noise.shape)
    for t in range(1, HOURS):
        noise[t] = 0.93 * noise[t - 1] + kicks[t]
    values = np.array(MEDIANS) * shape * np.exp(noise)
    values = np.where(np.arange(6) == 4, np.round(values, 3), np.round(values, 1))
    values[generator.random(values.shape) < 0.03] = np.nan
    for station in range(stations):
        for begin in generator.integers(0, HOURS - 80, 3):
            values[begin : begin + generator.integers(6, 80), station] = np.nan
    return np.minimum(values, 1_400)


def to_cube(values: Floats) -> Ints:
    """Thousandths with the sentinel, made without the code that is measured."""
    return np.where(np.isnan(values), MISSING, np.rint(values * 1_000)).astype(np.int32)
