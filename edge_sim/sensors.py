"""What faults make of an instrument's values: pure, one function a kind, over the readings that have the fault."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np

from domain.items import MICRO, item
from edge_sim.county import Columns, SimulatedCounty
from edge_sim.faults import Fault
from edge_sim.noise import Floats, Ints

PARTICLES: Final = ("pm25", "pm10")


@dataclass(frozen=True, slots=True)
class Case:
    """A fault at work.

    Attributes
    ----------
    times : (n,) int64 [s]
        End labels of the readings that have it.
    values : dict of item to (n,) float64
        What the instruments would have said, only items that the fault concerns; NaN = nothing.
    """

    county: SimulatedCounty
    fault: Fault
    times: Ints
    values: Columns

    def all(self, change: Callable[[Floats], Floats]) -> Columns:
        """Every concerned item changed by one formula."""
        return {name: change(values) for name, values in self.values.items()}


def concerned(fault: Fault, realm: str, items: tuple[str, ...]) -> tuple[str, ...]:
    """Items of a source that a fault concerns, in the source's order."""
    if fault.item:
        return tuple(name for name in items if name == fault.item)
    usual = USUAL.get((fault.kind, realm), USUAL.get((fault.kind, ""), items))
    return tuple(name for name in items if name in usual)


USUAL: Final[Mapping[tuple[str, str], tuple[str, ...]]] = MappingProxyType(
    {
        ("masked", ""): PARTICLES,
        ("inverted", ""): PARTICLES,
        ("unit-slip", "air"): MICRO,
        ("step", "air"): ("pm25",),
        ("ramp", "air"): ("pm25",),
        ("offset", "air"): ("pm25",),
        ("step", "water"): ("cond",),
        ("ramp", "water"): ("cond",),
        ("offset", "water"): ("ph",),
        ("negative", "air"): ("so2",),
        ("negative", "water"): ("nh3n",),
        ("error-code", "air"): ("co",),
        ("spike", "air"): ("pm25",),
        ("spike", "water"): ("turb",),
    },
)
"""Items that a kind concerns where the scenario names none; all items of other kinds."""


def stuck(case: Case) -> Columns:
    """The last value before the onset, or the truth of the onset where there was none."""
    onset = np.array([case.fault.begin], np.int64)
    seen, truth = case.county.shown(case.fault.target, onset), case.county.truth(case.fault.target, onset)
    realm = case.county.registry.kinds[case.fault.target]
    held = {name: float(seen[name][0] if not np.isnan(seen[name][0]) else np.round(truth[name][0], digits_of(realm, name))) for name in case.values}
    return {name: np.full(len(case.times), held[name]) for name in case.values}


def ramp(case: Case) -> Columns:
    """Gain that grows from nothing at the onset to its size at the end."""
    grown = case.fault.size * (case.times - case.fault.begin) / max(1, case.fault.end - case.fault.begin)
    return case.all(lambda values: values * (1 + grown))


def inverted(case: Case) -> Columns:
    """PM2.5 above PM10."""
    return {"pm25": case.values["pm10"] * case.fault.size} if "pm10" in case.values and "pm25" in case.values else {}


def copy(case: Case) -> Columns:
    """What the neighbour's instruments say, digit for digit."""
    other = case.county.shown(case.fault.partner, case.times)
    return {name: other.get(name, values) for name, values in case.values.items()}


def calibration(case: Case) -> Columns:
    """Zero gas in the first half, span gas in the second."""
    second = case.times - case.fault.begin > (case.fault.end - case.fault.begin) / 2
    return case.all(lambda values: np.where(second, 4 * np.nanmean(values) if not np.isnan(values).all() else np.nan, 0.1))


def digits_of(realm: str, name: str) -> int:
    """Digits to which a faulty value is rounded again: one more than is displayed."""
    known = item(realm, name)
    return known.digits + 1 if known else 2


SENSORS: Final[Mapping[str, Callable[[Case], Columns]]] = MappingProxyType(
    {
        "gap": lambda case: case.all(lambda values: np.full_like(values, np.nan)),
        "stuck": stuck,
        "spike": lambda case: case.all(lambda values: values * case.fault.size),
        "step": lambda case: case.all(lambda values: values * (1 + case.fault.size)),
        "ramp": ramp,
        "offset": lambda case: case.all(lambda values: values + case.fault.size),
        "unit-slip": lambda case: case.all(lambda values: values * case.fault.size),
        "negative": lambda case: case.all(lambda values: np.where(np.isnan(values), np.nan, -case.fault.size)),
        "error-code": lambda case: case.all(lambda values: np.full_like(values, case.fault.size)),
        "inverted": inverted,
        "copy": copy,
        "masked": lambda case: case.all(lambda values: values * case.fault.size),
        "calibration": calibration,
        "maintenance": lambda case: case.values,
        "zero": lambda case: case.all(np.zeros_like),
        "garbage": lambda case: case.all(lambda values: np.full_like(values, case.fault.size)),
    },
)
FLAGS: Final = MappingProxyType({"calibration": "C", "maintenance": "M"})
"""Letters that honest devices put beside such values."""
EVENTS: Final = MappingProxyType({"calibration": ("calibration-start", "calibration-end"), "maintenance": ("maintenance", "")})
"""Events that honest devices send at onset and end."""
