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
    place = selector.partition("#")[2].replace("*", "0") or "0"
    found = _fitting(registry, selector, kind)
    return found[(int(place) + turn) % len(found)] if found and place.isdigit() else None


def everywhere(registry: Registry, selector: str, kind: str) -> int:
    """How many sources a selector means: one, or of ``air#*`` all that can have this kind of fault (at least one, to be missed)."""
    return max(1, len(_fitting(registry, selector, kind))) if selector.endswith("#*") else 1


def devices_of(registry: Registry, selector: str) -> tuple[str, ...]:
    """Devices of an enterprise (``enterprise#0``); none for an empty selector or a county without one that has any."""
    if not selector:
        return ()
    owned: dict[str, list[str]] = {}
    places = [(one.id, one.enterprise) for one in registry.meters.values()] + [(one.id, one.enterprise) for one in registry.points.values()]
    for name, enterprise in places:
        device = device_of(registry, name)
        if device and device.id not in owned.setdefault(enterprise, []):
            owned[enterprise].append(device.id)
    groups = [found for found in owned.values() if found]
    place = selector.partition("#")[2] or "0"
    return tuple(groups[int(place) % len(groups)]) if groups and place.isdigit() else ()


def _fitting(registry: Registry, selector: str, kind: str) -> list[str]:
    realm, _, role = selector.partition("#")[0].partition(":")
    return [name for name in _sources(registry, realm, role) if device_of(registry, name) and _suits(registry, name, kind)]


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
