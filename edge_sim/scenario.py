"""A scenario: weather, acts and faults of some weeks, written for any county; on a registry and a seed it becomes a scene.

Targets are selectors (``air#0`` is the county's first air station, ``meter:treatment#2`` its third treatment meter, counted round
and round, ``air#*`` all of them), times are distances from the begin. So one file serves every county, and what a small county cannot have is left out
and said.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from domain.errors import InputError
from domain.places import Registry
from edge_sim.county import SimulatedCounty
from edge_sim.faults import KINDS, LINK, LOAD, WIRE, Fault, Kind
from edge_sim.loads import Act
from edge_sim.noise import Noise
from edge_sim.occasions import KINDS as WEATHERS
from edge_sim.occasions import Push, Weather
from edge_sim.scene import Scene
from edge_sim.selectors import chosen, device_of, devices_of, everywhere, neighbour

UNITS: Final = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
KEYS: Final = frozenset({"zh", "en", "begin", "days", "only", "weather", "fault"})
FAULT_KEYS: Final = frozenset({"kind", "target", "at", "for", "size", "item", "partner", "times"})
WEATHER_KEYS: Final = frozenset({"kind", "at", "for", "size"})
LAST: Final = "last"
_SPAN: Final = re.compile(r"(\d+)([dhms])")


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
        _known(name, table, KEYS)
        for number, row in enumerate(table.get("fault", ()), 1):
            _checked_fault(f"{name}: fault {number}", row)
        for number, row in enumerate(table.get("weather", ()), 1):
            _checked_weather(f"{name}: weather {number}", row)
        begin, days = str(table.get("begin", "")), table.get("days")
        if not re.fullmatch(rf"\d\d-\d\d|{LAST}", begin) or not isinstance(days, int) or days < 1:
            raise InputError("begin or days is missing or wrong", name, 'write begin = "11-15" and days = 30')
        words = str(table.get("zh", "")), str(table.get("en", ""))
        return cls(name, *words, begin, days, tuple(table.get("weather", ())), tuple(table.get("fault", ())), str(table.get("only", "")))

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


def span(text: str) -> int:
    """Seconds of ``2d 3h``, ``90m`` or ``0d``; ValueError otherwise.

    >>> span("1d 2h")
    93600
    """
    parts = text.split()
    found = [_SPAN.fullmatch(part) for part in parts]
    if not parts or not all(found):
        message = f"not a length of time: {text!r}"
        raise ValueError(message)
    return sum(int(one[1]) * UNITS[one[2]] for one in found if one)


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


def _known(where: str, row: Mapping[str, Any], keys: frozenset[str]) -> None:
    if unknown := sorted(row.keys() - keys):
        raise InputError(f"unknown: {', '.join(unknown)}", where, f"known are {', '.join(sorted(keys))}")


def _checked_fault(where: str, row: Mapping[str, Any]) -> None:
    _known(where, row, FAULT_KEYS)
    if row.get("kind") not in KINDS:
        raise InputError(f"no such kind of fault: {row.get('kind')!r}", where, f"known are {', '.join(KINDS)}")
    if "target" not in row or ("at" in row) == ("times" in row):
        raise InputError("a target, and either at or times, are needed", where, 'write target = "air#0" and at = "2d 3h", or times = 5')
    _spans(where, row)
    _numbers(where, row, KINDS[row["kind"]])


def _checked_weather(where: str, row: Mapping[str, Any]) -> None:
    _known(where, row, WEATHER_KEYS)
    if row.get("kind") not in WEATHERS:
        raise InputError(f"no such weather: {row.get('kind')!r}", where, f"known are {', '.join(WEATHERS)}")
    if missing := sorted(WEATHER_KEYS - row.keys()):
        raise InputError(f"missing: {', '.join(missing)}", where, 'write at = "2d", for = "3d" and size = 1.0')
    _spans(where, row)


def _spans(where: str, row: Mapping[str, Any]) -> None:
    for key in ("at", "for"):
        try:
            span(str(row.get(key, "0d")))
        except ValueError as error:
            raise InputError(str(error), f"{where}, {key}", 'write it like "2d 3h"') from error


def _numbers(where: str, row: Mapping[str, Any], kind: Kind) -> None:
    size, times = row.get("size", kind.size), row.get("times", 1)
    if isinstance(size, bool) or not isinstance(size, int | float) or not isinstance(times, int) or times < 1:
        raise InputError("size must be a number, times an integer of at least 1", where, f"usual size: {kind.size:g}, {kind.en}")
