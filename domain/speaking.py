"""How a device speaks on a day: by its mapping, else by its format alone."""

from __future__ import annotations

from domain.places import Device, Registry
from domain.rules import NATIVE, STARTS, Rule, bare


def rule_of(registry: Registry, device: Device, day: int) -> Rule:
    """The rule by which a device's messages of a civil day are read."""
    name = device.mapping.on(day)
    return registry.mappings[name] if name and name in registry.mappings else bare(device.format.on(day) or NATIVE)


def starts(registry: Registry, device: Device, day: int) -> bool:
    """Whether a device's times are the start of what they stand for; its format's own convention holds where nothing is said."""
    said = device.label.on(day)
    return said == "start" if said else rule_of(registry, device, day).format in STARTS
