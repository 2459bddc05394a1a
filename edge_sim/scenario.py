"""A scenario: weather, acts and faults of some weeks, written for any county; on a registry and a seed it becomes a scene.

Targets are selectors (``air#0`` is the county's first air station, ``meter:treatment#2`` its third treatment meter, counted round
and round, ``air#*`` all of them), times are distances from the begin. So one file serves every county, and what a small county cannot have is left out
and said.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from domain.places import Registry
from edge_sim.county import SimulatedCounty
from edge_sim.faults import KINDS, LINK, LOAD, WIRE, Fault
from edge_sim.loads import Act
from edge_sim.noise import Noise
from edge_sim.occasions import Push, Weather
from edge_sim.scenario_checks import UNITS, checked, span
from edge_sim.scene import Scene
from edge_sim.selectors import chosen, device_of, devices_of, everywhere, neighbour


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario as written; see ``edge_sim/scenarios``.

    Attributes
    ----------
    begin : str
        ``MM-DD``, the day with which it begins in whatever year; ``last``: so that it ends today.
    days : int
        Its length.
    """

    name: str
    zh: str
    en: str
    begin: str
    days: int
    weather: tuple[Mapping[str, Any], ...]
    faults: tuple[Mapping[str, Any], ...]
    only: str = ""
    """``enterprise#0``: only the devices of the county's first enterprise speak; empty = all."""

    @classmethod
    def of(cls, name: str, table: Mapping[str, Any]) -> Scenario:
        """Checked content of a file.

        Raises
        ------
        InputError
            Something is unknown, missing or of the wrong form; with the place.
        """
        checked(name, table)
        words = str(table.get("zh", "")), str(table.get("en", ""))
        return cls(name, *words, table["begin"], table["days"], tuple(table.get("weather", ())), tuple(table.get("fault", ())), table.get("only", ""))

    def on(self, registry: Registry, seed: int, begin: int) -> Scene:
        """The scenario in one county, from ``begin`` [s] on."""
        faults, missing = _placed(self, registry, seed, begin)
        acts: dict[str, tuple[Act, ...]] = {}
        for one in faults:
            if KINDS[one.kind].bites == LOAD and one.kind != "breach":
                acts[one.target] = (*acts.get(one.target, ()), Act(one.kind, one.begin, one.end, one.size))
        pushes = tuple(Push(row["kind"], begin + span(row["at"]), begin + span(row["at"]) + span(row["for"]), float(row["size"])) for row in self.weather)
        county = SimulatedCounty(registry, seed, Weather(pushes), acts)
        return Scene(county, tuple(faults), begin, begin + self.days * UNITS["d"], tuple(missing), devices_of(registry, self.only))


def _placed(scenario: Scenario, registry: Registry, seed: int, begin: int) -> tuple[list[Fault], list[str]]:
    faults: list[Fault] = []
    missing: list[str] = []
    for number, row in enumerate(scenario.faults):
        for turn in range(row.get("times", everywhere(registry, row["target"], row["kind"]))):
            one = _fault(row, registry, begin + _onset(scenario, row, (seed, number, turn)), turn)
            if one is None:
                missing.append(f"{row['kind']} {row['target']}")
            elif one not in faults:  # two meters of one device are one line
                faults.append(one)
    return sorted(faults, key=lambda one: one.begin), missing


def _onset(scenario: Scenario, row: Mapping[str, Any], place: tuple[int, int, int]) -> int:
    """As written; of a fault that comes several times, by chance within its share of the scenario."""
    if "at" in row:
        return span(row["at"])
    seed, number, turn = place
    share = scenario.days * UNITS["d"] / row["times"]
    return int((turn + 0.9 * Noise(seed).share(f"fault/{number}/{turn}")) * share) // UNITS["h"] * UNITS["h"]


def _fault(row: Mapping[str, Any], registry: Registry, onset: int, turn: int) -> Fault | None:
    kind = KINDS[row["kind"]]
    source = chosen(registry, row["target"], row["kind"], turn)
    device = device_of(registry, source) if source else None
    if not source or not device:
        return None
    partner = str(row.get("partner", ""))
    if row["kind"] == "copy":
        partner = (chosen(registry, partner, "copy", turn) if partner else neighbour(registry, source)) or ""
        if not partner:
            return None
    return Fault(
        row["kind"],
        device.id if kind.bites in {WIRE, LINK} else source,
        onset,
        onset + (span(row["for"]) if "for" in row else kind.seconds or device.interval),
        float(row.get("size", kind.size)),
        str(row.get("item", "")),
        partner,
    )
