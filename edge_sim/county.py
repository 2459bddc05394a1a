"""One registered source, one call: what its instruments show at given times, rounded as they round, with their gaps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from domain.items import item
from domain.places import Device, Meter, Registry
from edge_sim.air import AirSignal
from edge_sim.loads import Act
from edge_sim.meters import MeterSignal
from edge_sim.noise import Bools, Floats, Ints, Noise
from edge_sim.occasions import Weather
from edge_sim.points import PointSignal
from edge_sim.water import WaterSignal, WellSignal

Columns = dict[str, Floats]

SPANS: Final = {"air": 3600, "water": 14_400, "point": 3600, "meter": 0}
"""What one value stands for [s]; registers and levels are instantaneous."""
INTERVALS: Final = {"air": 3600, "water": 14_400, "point": 3600, "meter": 3600}
"""How often a source reports in the history [s]; live, the device's own interval counts."""
FINER: Final = {"pm25": 1, "pm10": 1, "so2": 1, "no2": 1, "o3": 1, "co": 2, "ph": 2}
"""Digits that an instrument sends where it sends more than is displayed."""
ITEM_GAPS: Final = 0.004
OUTAGE: Final = 3.1
"""A station is silent while its link noise (five hours of memory) is above so many spreads: about 0.1 % of the time."""


@dataclass
class SimulatedCounty:
    """The true county behind a registry and a seed; equal seeds give equal counties."""

    registry: Registry
    seed: int
    weather: Weather = field(default_factory=Weather)
    acts: Mapping[str, tuple[Act, ...]] = field(default_factory=dict)
    """What enterprises do out of the ordinary, by meter."""
    noise: Noise = field(init=False)
    _meters: dict[str, MeterSignal] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.noise = Noise(self.seed)

    def sources(self) -> tuple[str, ...]:
        """Every source that a device of the registry speaks for, in registry order."""
        named = (name for device in self.devices() for name in device.sources.newest)
        return tuple(dict.fromkeys(name for name in named if self.known(name)))

    def devices(self) -> tuple[Device, ...]:
        """Devices that are in the field."""
        return tuple(device for device in self.registry.devices.values() if device.state.newest != "retired")

    def known(self, source: str) -> bool:
        """Whether a signal exists for this source; a whole city's series is only ever imported."""
        return source in self.registry.kinds and source not in self.registry.cities

    def span(self, source: str) -> int:
        """What a source's values stand for [s]."""
        return 0 if source in self.registry.wells else SPANS[self.registry.kinds[source]]

    def truth(self, source: str, times: Ints) -> Columns:
        """Unrounded values without gaps: (n,) int64 [s] to dict of (n,) float64."""
        registry = self.registry
        if source in registry.air_stations:
            return AirSignal(self.noise, source, registry.air_stations[source].role.newest, self.weather).hours(times)
        if source in registry.water_sections:
            return WaterSignal(self.noise, source, registry.water_sections[source].body, self.weather).at(times)
        if source in registry.wells:
            limit = registry.wells[source].limit_level
            return WellSignal(self.noise, source, float(limit or "-12.5")).at(times)
        if source in registry.points:
            return PointSignal(self.noise, registry.points[source]).hours(times)
        return self.meter(source).at(times)

    def meter(self, source: str) -> MeterSignal:
        """The signal of a meter; behind a main meter stand the enterprise's other meters of the same medium."""
        known = self._meters.get(source)
        if known is None:
            known = self._meters[source] = self._signal(source)
        return known

    def _signal(self, source: str) -> MeterSignal:
        meter = self.registry.meters[source]
        owner = self.registry.enterprises.get(meter.enterprise)
        industry, acts = owner.industry if owner else "", self.acts.get(source, ())
        if meter.role.newest != "main":
            return MeterSignal(self.noise, meter, industry, (), acts)
        parts = tuple(self.meter(other.id) for other in self.registry.meters.values() if _is_part(other, meter))
        return MeterSignal(self.noise, meter, industry, parts if all(part.summable for part in parts) else (), acts)

    def shown(self, source: str, times: Ints) -> Columns:
        """What the instruments send, rounded, NaN where they send nothing: (n,) int64 [s] to dict of (n,) float64."""
        kind = self.registry.kinds[source]
        truth = self.truth(source, times)
        if kind == "meter":
            return truth
        index = times // 3600
        silent = self.noise.ar1(f"{source}/link", index, 5) > OUTAGE
        return {name: self._shown(kind, f"{source}/{name}", values, index, silent) for name, values in truth.items()}

    def _shown(self, kind: str, name: str, values: Floats, index: Ints, silent: Bools) -> Floats:
        known = item(kind, name.rpartition("/")[2])
        short = name.rpartition("/")[2]
        digits = FINER.get(short, known.digits if known else 2)
        gap = self.noise.uniform(f"{name}/gap", index) < ITEM_GAPS
        return np.where(gap | silent, np.nan, np.round(values, digits))


def _is_part(other: Meter, main: Meter) -> bool:
    return (other.enterprise, other.medium) == (main.enterprise, main.medium) and other.role.newest in {"production", "treatment"}
