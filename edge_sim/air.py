"""Ambient air as a function of seed, station and hour: plausible, not predicted.

Regional episodes are shared by all stations (neighbours rise and fall together), each station adds its own smaller part.
PM2.5 follows episode, season, hour and the fireworks of the spring festival; PM10 is PM2.5 plus a coarse part and so never
below it, and dust comes over all stations on some spring days; ozone follows sun and season and is eaten by NO2. Constants are set so that a year looks like a North China Plain county of 2024/25: PM2.5 mean 40-45
µg/m³, 60-70 % good days, bad summer days by ozone, a few heavy winter days.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from domain.civil import OFFSET_S
from edge_sim.noise import Floats, Ints, Noise
from edge_sim.occasions import Weather, fireworks

DAYS: Final = 365.25
ROLE_LOG: Final = {"background": -0.35, "township": -0.04, "site": 0.25, "micro": 0.05}
"""What a station's role adds to its level (natural logarithm); an assessment station is 0."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """Sun and week of each hour: ``hour`` mid-hour 0…24, ``cold`` 1 in mid January and -1 in mid July, ``day`` civil day."""

    index: Ints
    hour: Floats
    day: Ints
    cold: Floats
    sun: Floats
    sunday: Floats

    @classmethod
    def of(cls, times: Ints) -> Calendar:
        """Calendar of end labels: (n,) int64 [s]."""
        index = times // 3600
        day = (times + (OFFSET_S - 1)) // 86_400
        hour = ((times + (OFFSET_S - 1)) % 86_400 + 1) / 3600 - 0.5
        phase = 2 * np.pi * (day % DAYS) / DAYS
        return cls(index, hour, day, np.cos(phase - _angle(15)), np.cos(phase - _angle(168)), (day % 7 == _SUNDAY) * 1.0)


_SUNDAY = 3
"""1970-01-01 was a Thursday, so day 3 was the first Sunday."""


def _angle(day_of_year: float) -> float:
    return 2 * np.pi * day_of_year / DAYS


def _bounded(values: Floats, low: float, high: float) -> Floats:
    return np.asarray(np.clip(values, low, high), np.float64)


def _wave(hour: Floats, peak: float, times_a_day: int = 1) -> Floats:
    return np.cos(2 * np.pi * times_a_day * (hour - peak) / 24)


@dataclass(frozen=True)
class AirSignal:
    """One station's truth."""

    noise: Noise
    station: str
    role: str = "assessment"
    weather: Weather = field(default_factory=Weather)

    def hours(self, times: Ints) -> dict[str, Floats]:
        """True one-hour means.

        Parameters
        ----------
        times : (n,) int64 [s]
            End labels.

        Returns
        -------
        dict of item to (n,) float64
            pm25 pm10 so2 no2 o3 in µg/m³, co in mg/m³, temp °C, rh %; unrounded, never missing.
        """
        sky = Calendar.of(times)
        episode = self._episode(sky) + self.weather.of("haze", times)
        level = ROLE_LOG.get(self.role, 0.0) + 0.05 * self.noise.trait(f"{self.station}/level")
        lit = fireworks(times) * np.exp(0.3 * self.noise.trait(f"{self.station}/fireworks"))
        dust = self._dust(sky, times)
        pm25 = self._pm25(sky, episode, level) + np.minimum(110 * lit + 0.06 * dust, 900)
        no2 = self._no2(sky, episode, level)
        temp = self._temp(sky)
        return {
            "pm25": pm25,
            "pm10": pm25 + self._coarse(sky, level) + dust + 35 * lit,
            "so2": self._so2(sky, episode, level) + 20 * lit,
            "no2": no2,
            "co": self._co(sky, episode, level),
            "o3": self._o3(sky, no2, self.weather.of("heat", times)),
            "temp": temp,
            "rh": np.clip(58 - 8 * sky.cold - 1.6 * (temp - self._mean_temp(sky)) + 12 * episode, 8, 100),
        }

    def _own(self, name: str, sky: Calendar, tau: float) -> Floats:
        return self.noise.ar1(f"{self.station}/{name}", sky.index, tau)

    def _shared(self, name: str, sky: Calendar, tau: float) -> Floats:
        return self.noise.ar1(f"region/{name}", sky.index, tau)

    def _episode(self, sky: Calendar) -> Floats:
        return 0.80 * self._shared("episode", sky, 22) + 0.60 * self._shared("spell", sky, 45)

    def _pm25(self, sky: Calendar, episode: Floats, level: float) -> Floats:
        log = np.log(35.5) + level + 0.44 * sky.cold + (0.47 + 0.16 * sky.cold) * episode - 0.05 * sky.sunday
        log = log + 0.14 * self._own("pm", sky, 9) + 0.06 * self._own("fine", sky, 1.5)
        return _bounded(np.exp(log + 0.10 * _wave(sky.hour, 8.5) + 0.04 * _wave(sky.hour, 9.5, 2)), 1, 900)

    def _coarse(self, sky: Calendar, level: float) -> Floats:
        log = np.log(29.0) + level + 0.10 * sky.cold + 0.5 * self._shared("coarse", sky, 20)
        log = log + 0.2 * self._own("coarse", sky, 6) + 0.12 * _wave(sky.hour, 19)
        return _bounded(np.exp(log), 1, 2000)

    def _dust(self, sky: Calendar, times: Ints) -> Floats:
        """Coarse dust from the deserts [µg/m³]: a few days of March to May, over all stations at once."""
        spring = np.clip(1.6 * np.cos(2 * np.pi * (sky.day % DAYS - 105) / DAYS) - 0.5, 0, 1)
        natural = 170 * spring * np.maximum(0.0, self._shared("dust", sky, 14) - 1.9)
        return _bounded((natural + 1000 * self.weather.of("dust", times)) * np.exp(0.12 * self._own("dust", sky, 6)), 0, 7_000)

    def _no2(self, sky: Calendar, episode: Floats, level: float) -> Floats:
        rush = 0.22 * _wave(sky.hour, 20.5) + 0.20 * _wave(sky.hour, 8, 2)
        log = np.log(23.0) + level + 0.40 * sky.cold + 0.3 * episode + rush - 0.08 * sky.sunday
        return _bounded(np.exp(log + 0.2 * self._own("no2", sky, 5)), 2, 250)

    def _so2(self, sky: Calendar, episode: Floats, level: float) -> Floats:
        log = np.log(8.5) + level + 0.2 * sky.cold + 0.3 * episode + 0.2 * _wave(sky.hour, 10.5)
        return _bounded(np.exp(log + 0.33 * self._own("so2", sky, 12)), 1, 300)

    def _co(self, sky: Calendar, episode: Floats, level: float) -> Floats:
        log = np.log(0.55) + 0.6 * level + 0.22 * sky.cold + 0.34 * episode + 0.10 * _wave(sky.hour, 8)
        return _bounded(np.exp(log + 0.12 * self._own("co", sky, 8)), 0.1, 8)

    def _o3(self, sky: Calendar, no2: Floats, heat: Floats) -> Floats:
        weather = self.noise.ar1("region/ozone", sky.day, 2.5) + heat
        top = 141 + 65 * sky.sun + (20 + 14 * sky.sun) * weather + 4 * self.noise.trait(f"{self.station}/ozone")
        shape = np.exp(-(((sky.hour - 15.3 + 24 * (sky.hour < 5)) / 4.9) ** 2))
        night = 40 + 8 * sky.sun - 0.45 * no2
        return _bounded(night + (top - night) * shape + (5 + 0.1 * top) * self._own("o3", sky, 4), 2, 480)

    def _mean_temp(self, sky: Calendar) -> Floats:
        return 14 - 14.5 * sky.cold + 4.5 * _wave(sky.hour, 15)

    def _temp(self, sky: Calendar) -> Floats:
        return self._mean_temp(sky) + 3 * self._shared("temp", sky, 70) + 0.4 * self._own("temp", sky, 10)
