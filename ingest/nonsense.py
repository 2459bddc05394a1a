"""What can be no value of its item: no number, outside the hard range, an instrument's code, another unit. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite

from domain.items import CODES, ITEMS, MICRO, MICRO_FEW
from domain.message import Refusal


def value_fault(kind: str, name: str, value: float) -> Refusal | None:
    """Why a value can be none of this item: no number, outside the hard range, or an instrument's code."""
    item = ITEMS[kind, name]
    if not isfinite(value):
        return Refusal("not-finite", f"{value} is no number", name)
    if not item.low - item.tiny <= value <= item.high:
        return Refusal("value-out-of-range", f"{value:g} is outside {item.low:g} … {item.high:g}", name)
    if kind == "air" and value in CODES:
        return Refusal("value-out-of-range", f"{value:g} is an instrument's code, no value", name)
    return None


def milligrams(values: Mapping[str, float | None]) -> bool:
    """Whether a reading of µg/m³ is in mg/m³: several items between 0 and 1, and none from 1 on."""
    known = [value for name in MICRO if (value := values.get(name)) is not None]
    return bool(known) and max(known) < 1 and sum(value > 0 for value in known) >= MICRO_FEW


def told(values: Mapping[str, float | None]) -> str:
    """The values of a reading in words."""
    return ", ".join(f"{name} {value:g}" for name, value in values.items() if value is not None)
