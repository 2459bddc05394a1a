"""Rivers, reservoirs and wells as functions of seed, place and time.

Rain is shared by all water of the county: it dilutes the ions, stirs up the mud and washes phosphorus in. Temperature follows
the season, oxygen follows temperature (cold water holds more), nutrients follow season and place. Four-hourly, as the
national stations report. The probes speak at once, the analysers of the nutrients some hours later.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from edge_sim.air import Calendar
from edge_sim.noise import Floats, Ints, Noise
from edge_sim.occasions import Weather

NUTRIENTS: Final = ("codmn", "nh3n", "tp", "tn")
"""Analysers that need hours: a record first carries their last batch and is revised once."""


@dataclass(frozen=True)
class WaterSignal:
    """One section's truth; ``body`` is "river" or "lake"."""

    noise: Noise
    section: str
    body: str = "river"
    weather: Weather = field(default_factory=Weather)

    def at(self, times: Ints) -> dict[str, Floats]:
        """True values at sampling times.

        Parameters
        ----------
        times : (n,) int64 [s]

        Returns
        -------
        dict of item to (n,) float64
            temp °C; ph; do codmn nh3n tp tn mg/L; cond µS/cm; turb NTU; lakes chla mg/L; rivers flow m³/s; level m.
        """
        sky = Calendar.of(times)
        rain = np.maximum(0.0, self.noise.ar1("region/rain", sky.index, 60) - 0.6) * (1 - 0.7 * sky.cold) + self.weather.of("rain", times)
        dirt = 0.16 * self.noise.trait(f"{self.section}/dirt")
        temp = np.clip(14.8 - 12.8 * sky.cold + 1.2 * self._own("temp", sky, 90), 0.2, 33)
        bloom = np.exp(0.35 * self._own("bloom", sky, 120) - 0.5 * sky.cold)
        values = {
            "temp": temp,
            "ph": np.clip(7.9 + 0.12 * np.log(bloom) + 0.1 * self._own("ph", sky, 50), 6.4, 9.3),
            "do": self._oxygen(sky, temp, bloom, dirt),
            **self._nutrients(sky, rain, dirt),
            "cond": np.clip(1050 * np.exp(0.8 * dirt - 0.22 * rain + 0.04 * self._own("cond", sky, 100)), 150, 6000),
            "turb": np.clip(14 * np.exp(0.9 * rain + 0.3 * self._own("turb", sky, 12)), 0.5, 3000),
        }
        return values | (self._lake(bloom, rain) if self.body == "lake" else self._river(sky, rain))

    def _own(self, name: str, sky: Calendar, tau: float) -> Floats:
        return self.noise.ar1(f"{self.section}/{name}", sky.index, tau)

    def _oxygen(self, sky: Calendar, temp: Floats, bloom: Floats, dirt: float) -> Floats:
        saturated = 14.6 - 0.39 * temp + 0.0045 * temp**2
        daily = 0.06 * bloom * np.cos(2 * np.pi * (sky.hour - 15) / 24)
        return np.clip(saturated * (0.93 - 0.10 * dirt + daily) + 0.4 * self._own("do", sky, 40), 0.4, 20)

    def _nutrients(self, sky: Calendar, rain: Floats, dirt: float) -> dict[str, Floats]:
        def level(name: str, usual: float, cold: float, washed: float) -> Floats:
            return usual * np.exp(dirt + cold * sky.cold + washed * rain + 0.2 * self._own(name, sky, 100))

        return {
            "codmn": np.clip(level("codmn", 4.3, -0.08, 0.10), 0.8, 40),
            "nh3n": np.clip(level("nh3n", 0.24, 0.35, 0.18), 0.03, 12),
            "tp": np.clip(level("tp", 0.085 if self.body == "river" else 0.030, -0.12, 0.30), 0.005, 2),
            "tn": np.clip(level("tn", 3.4 if self.body == "river" else 0.95, 0.25, 0.10), 0.1, 25),
        }

    def _lake(self, bloom: Floats, rain: Floats) -> dict[str, Floats]:
        return {"chla": np.clip(0.009 * bloom, 0.001, 0.5), "level": 30.5 + 0.15 * rain}

    def _river(self, sky: Calendar, rain: Floats) -> dict[str, Floats]:
        size = np.exp(0.5 * self.noise.trait(f"{self.section}/size"))
        flow = 9 * size * np.exp(-0.35 * sky.cold + 0.7 * rain + 0.1 * self._own("flow", sky, 70))
        return {"flow": flow, "level": 27.5 + 0.9 * np.log1p(flow)}


@dataclass(frozen=True)
class WellSignal:
    """One groundwater well: sinks over the irrigation months, rises after the rains; ``limit`` [m] is its lowest level allowed."""

    noise: Noise
    well: str
    limit: float = -12.5

    def at(self, times: Ints) -> dict[str, Floats]:
        """True water level [m]: (n,) int64 [s] to (n,) float64."""
        sky = Calendar.of(times)
        season = -1.1 * np.cos(2 * np.pi * (sky.day % 365.25 - 165) / 365.25)
        slow = 0.15 * self.noise.ar1(f"{self.well}/level", sky.day, 20)
        return {"level": self.limit + 2.2 + 0.4 * self.noise.trait(f"{self.well}/depth") + season + slow}
