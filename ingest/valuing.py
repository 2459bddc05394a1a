"""Values and flags of a reading, judged item by item: what may be kept, with which letter, and why something may not. Pure."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Final

from domain.items import BY_REALM, CODES, ITEMS, MICRO, REALMS
from domain.message import Message, Refusal
from domain.readings import DEVICE_FLAGS
from ingest.nonsense import milligrams, told, value_fault

DAY_SPAN: Final = 86_400
DAILY: Final = frozenset({"o3_8h"})
"""Items that stand for a whole day only."""
MOST: Final = sys.float_info.max
Ranges = dict[str, tuple[float, float]]


def _range(realm: str, name: str) -> tuple[float, float]:
    item = ITEMS[realm, name]
    # Below 1 µg/m³ a reading may be in mg/m³, from 9998 on a value may be a code: both deserve the second look.
    low, high = (1.0 if name in MICRO else item.low, min(item.high, min(CODES) - 1)) if realm == "air" else (item.low, item.high)
    return max(low, -MOST), min(high, MOST)


RANGES: Final[dict[str, Ranges]] = {realm: {name: _range(realm, name) for name in BY_REALM[realm] if name not in DAILY} for realm in REALMS}
"""Range within which a value needs no second look: realm → item → (low, high), both finite."""


def within(values: Mapping[str, float | None], ranges: Ranges) -> bool:
    """Whether there are values and all of them are where nobody need look twice."""
    try:
        for name, value in values.items():
            low, high = ranges[name]
            if not low <= value <= high:  # type: ignore[operator]
                return False
    except (KeyError, TypeError):
        # Another item, or a value taken back: asked beforehand, these two would be half the cost of this loop.
        return False
    return bool(values)


def letters(sent: Mapping[str, str], values: Mapping[str, float | None]) -> dict[str, str] | None:
    """Flags other than N of items that are there; None where one needs a second look."""
    for name, flag in sent.items():
        if flag not in DEVICE_FLAGS or name not in values:
            return None
    return {name: flag for name, flag in sent.items() if flag != "N"}


def valued(kind: str, message: Message) -> tuple[dict[str, float | None], dict[str, str], list[Refusal]]:
    """Values that are kept, their flags other than N, and refusals of the others."""
    found = message.values
    if within(found, RANGES[kind]):
        flags = letters(message.flags, found) if message.flags else {}
        if flags is not None:
            return {name: value + 0.0 for name, value in found.items() if value is not None} if 0.0 in found.values() else dict(found), flags, []
    return _looked(kind, message)


def _looked(kind: str, message: Message) -> tuple[dict[str, float | None], dict[str, str], list[Refusal]]:
    """The second look."""
    values: dict[str, float | None] = {}
    flags: dict[str, str] = {}
    bad: list[Refusal] = []
    for name, value in message.values.items():
        judged = _item(kind, name, message)
        if isinstance(judged, Refusal):
            bad.append(judged)
            continue
        values[name] = None if value is None else value + 0.0  # -0.0 becomes 0.0
        if judged != "N":
            flags[name] = judged
    bad.extend(Refusal("bad-schema", "a flag without a value", name) for name in message.flags if name not in message.values)
    if kind == "air" and milligrams(values):
        return {}, {}, [*bad, Refusal("unit-mismatch", f"all below 1 µg/m³: is this mg/m³? {told(values)}")]
    return values, flags, bad


def _item(kind: str, name: str, message: Message) -> str | Refusal:
    """The flag of an item, or why it is refused."""
    value = message.values[name]
    item = ITEMS.get((kind, name))
    flag = message.flags.get(name, "N")
    if item is None or (name in DAILY and message.span != DAY_SPAN):
        return Refusal("unknown-item", f"no item of {kind}" if item is None else f"stands for a day, not for {message.span} s", name[:32])
    if flag not in DEVICE_FLAGS:
        return Refusal("bad-schema", f"no flag of a device: {flag[:8]!r}", name)
    if value is None:
        return "W"
    fault = value_fault(kind, name, value)
    return fault or ("Z" if value < item.low and flag in "NP" else flag)
