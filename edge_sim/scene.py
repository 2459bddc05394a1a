"""A county in which things go wrong: readings as columns, each with its truth, faults of instruments and registers applied."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from domain.civil import OFFSET_S
from domain.places import Device
from edge_sim import registers, sensors
from edge_sim.county import Columns, SimulatedCounty
from edge_sim.faults import KINDS, REGISTER, SENSOR, Fault
from edge_sim.noise import Ints

Letters = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Stretch:
    """Readings of one source as columns.

    Attributes
    ----------
    span : int [s]
    times : (n,) int64 [s]
        True end labels.
    truth : dict of item to (n,) float64
        Unrounded, never missing; of a meter what has truly turned since it was new, in the registered unit: no roll-over, no fault.
    said : dict of item to (n,) float64
        As the device says it; NaN = nothing said.
    flags : dict of item to (n,) uint8
        Letter (ASCII), 0 = none; only items that have any.
    faults : (n,) int32
        Number in the scene of the fault of instrument, register or enterprise that is at work, the last begun of several; -1 = none.
    """

    source: str
    span: int
    times: Ints
    truth: Columns
    said: Columns
    flags: dict[str, Letters] = field(default_factory=dict)
    faults: npt.NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))


@dataclass(frozen=True)
class Scene:
    """A county, what goes wrong in it, and from when to when [s]; ``missing`` names what a scenario asked for and the county has not.

    ``only``: ids of the devices that speak; empty = all.
    """

    county: SimulatedCounty
    faults: tuple[Fault, ...] = ()
    begin: int = 0
    end: int = 2**40
    missing: tuple[str, ...] = ()
    only: tuple[str, ...] = ()

    @cached_property
    def _by_target(self) -> Mapping[str, list[tuple[int, Fault]]]:
        found: dict[str, list[tuple[int, Fault]]] = defaultdict(list)
        for number, fault in enumerate(self.faults):
            found[fault.target].append((number, fault))
        return found

    def devices(self) -> list[Device]:
        """Devices that speak."""
        return [one for one in self.county.devices() if not self.only or one.id in self.only]

    def of(self, target: str, bites: str) -> list[Fault]:
        """Faults of a source or device that bite in one place, in order of onset."""
        return [fault for _, fault in self._by_target.get(target, ()) if KINDS[fault.kind].bites == bites]

    def stretch(self, source: str, times: Ints) -> Stretch:
        """What a source says at given end labels [s], and what is true."""
        county = self.county
        known = self._by_target.get(source, [])
        said = dict(county.shown(source, times))
        truth = self._truth(source, times)
        marks = np.full(len(times), -1, np.int32)
        flags: dict[str, Letters] = {}
        if any(KINDS[fault.kind].bites == REGISTER for _, fault in known):
            said["register"] = registers.displayed(county.meter(source), [fault for _, fault in known], times)
        for number, fault in known:
            kind = KINDS[fault.kind]
            rows = (times > fault.begin) & ((times <= fault.end) | kind.lasting)
            marks[rows] = number
            if kind.bites == SENSOR and rows.any():
                self._spoil(source, fault, (times, rows), said, flags)
        return Stretch(source, county.span(source), times, truth, said, flags, marks)

    def _truth(self, source: str, times: Ints) -> Columns:
        if source not in self.county.registry.meters:
            return self.county.truth(source, times)
        signal = self.county.meter(source)
        return {"register": np.asarray(signal.turned(times) * float(signal.resolution), np.float64)}

    def _spoil(self, source: str, fault: Fault, at: tuple[Ints, npt.NDArray[np.bool_]], said: Columns, flags: dict[str, Letters]) -> None:
        times, rows = at
        realm = self.county.registry.kinds[source]
        items = sensors.concerned(fault, realm, tuple(said))
        case = sensors.Case(self.county, fault, times[rows], {name: said[name][rows] for name in items})
        for name, values in sensors.SENSORS[fault.kind](case).items():
            said[name] = said[name].copy()
            said[name][rows] = values if realm == "meter" else np.round(values, sensors.digits_of(realm, name))
        letter = sensors.FLAGS.get(fault.kind)
        for name in items if letter else ():
            column = flags.setdefault(name, np.zeros(len(times), np.uint8))
            column[rows] = ord(letter or "N")

    def slots(self, interval: int, after: int, until: int) -> Ints:
        """End labels on a device's grid in (after, until], within the scene: (n,) int64 [s]."""
        low, high = max(after, self.begin), min(until, self.end)
        first = ((low + OFFSET_S) // interval + 1) * interval - OFFSET_S
        return np.arange(first, high + 1, interval, dtype=np.int64)

    def stretches(self, days: int = 16) -> Iterator[Stretch]:
        """Every reading of the scene without a wire, source by source within each window of days: for detectors and figures."""
        plan = [(source, device.interval) for device in self.devices() for source in device.sources.newest if self.county.known(source)]
        for low in range(self.begin, self.end, days * 86_400):
            for source, interval in plan:
                times = self.slots(interval, low, low + days * 86_400)
                if len(times):
                    yield self.stretch(source, times)
