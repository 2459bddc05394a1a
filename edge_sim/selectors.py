"""Which source of a county a scenario means: ``air#0``, ``meter:treatment#2``, or an id of the registry."""

from __future__ import annotations

from collections.abc import Sequence

from domain.places import Device, Registry
from edge_sim.faults import KINDS, LOAD, REGISTER

ROLES = {"treatment-off": ("treatment",), "late-start": ("treatment",), "idling": ("treatment",), "curtailed": ("production",), "breach": ("production",)}
"""Meters that can do what a kind is about."""


def chosen(registry: Registry, selector: str, kind: str, turn: int = 0) -> str | None:
    """The source that a selector names, ``turn`` places on; None if the county has none that can have this kind of fault."""
    if selector in registry.kinds:
        return selector
    group, _, place = selector.partition("#")
    realm, _, role = group.partition(":")
    found = [name for name in _sources(registry, realm, role) if device_of(registry, name) and _suits(registry, name, kind)]
    return found[(int(place or 0) + turn) % len(found)] if found and (place or "0").isdigit() else None


def _sources(registry: Registry, realm: str, role: str) -> Sequence[str]:
    if realm == "air":
        return [name for name, one in registry.air_stations.items() if not role or one.role.newest == role]
    if realm == "meter":
        return [name for name, one in registry.meters.items() if not role or one.role.newest == role]
    if realm == "water":
        return [name for name, one in registry.water_sections.items() if not role or one.body == role]
    return list({"well": registry.wells, "point": registry.points}.get(realm, {}))


def _suits(registry: Registry, source: str, kind: str) -> bool:
    """Whether this source can have this fault: its realm, and of meters their role, a modulus to pass, a register of its own."""
    if registry.kinds[source] not in KINDS[kind].realms:
        return False
    meter = registry.meters.get(source)
    if not meter:
        return True
    if kind == "roll-over" and not meter.modulus:
        return False
    if kind in ROLES and meter.role.newest not in ROLES[kind]:
        return False
    return ":" not in meter.reset or KINDS[kind].bites not in {REGISTER, LOAD}


def device_of(registry: Registry, source: str) -> Device | None:
    """The device in the field that speaks for a source."""
    return next((one for one in registry.devices.values() if one.state.newest != "retired" and source in (one.sources.newest or ())), None)


def neighbour(registry: Registry, source: str) -> str | None:
    """A source of the same kind beside it: as registered, else the next one."""
    station = registry.air_stations.get(source)
    if station and station.neighbours:
        return station.neighbours[0]
    group = list(registry.air_stations if station else registry.water_sections)
    return group[(group.index(source) + 1) % len(group)] if source in group and len(group) > 1 else None


def stranger(registry: Registry, device: str) -> str:
    """A source that this device may not speak for; an unregistered one in a county of one device."""
    own = {name for _, names in registry.devices[device].sources.steps for name in names}
    return next((name for name in registry.kinds if name not in own), "nobody-1")
