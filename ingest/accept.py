"""Accept: a journalled message becomes readings and refusals. Pure: bytes, topic and receive time in, values out.

Nothing here reads a clock, and nothing raises: what is wrong with a message is a value that goes back to its device.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from types import MappingProxyType
from typing import Final, NamedTuple

from domain.civil import SHANGHAI, day_of
from domain.items import ITEMS
from domain.message import Message, Refusal, decode
from domain.places import Device, Registry
from domain.readings import DEVICE_FLAGS
from domain.reasons import FUTURE_S, TOO_OLD_S

NS: Final = 1_000_000_000
DATA: Final = "data"
IMPORTS: Final = "~import"
PERSON: Final = "~person"
DAILY_ONLY: Final = frozenset({"o3_8h"})
DAY_S: Final = 86_400
_ZONES: Final[Mapping[str, tzinfo]] = MappingProxyType({"Asia/Shanghai": SHANGHAI})


class Door(NamedTuple):
    """Where a message came in, from its topic ``lanbi/v1/<device>/<stream>``."""

    device: str
    stream: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """A good reading; its revision is still (run, seq) of the device, or None without a ``seq``."""

    kind: str
    source: str
    span: int
    time: int
    values: Mapping[str, float | None]
    flags: Mapping[str, str]
    device: str
    run: int
    seq: int | None
    corrects: bool
    element: int
    trial: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """A reading, or one item of one, that is not stored."""

    reason: str
    detail: str
    device: str
    element: int
    item: str | None = None
    source: str = ""
    run: int = 0
    seq: int | None = None


@dataclass(slots=True)
class Outcome:
    """What a message held: readings in order, refused readings, and refused items of stored readings."""

    accepted: list[Accepted] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    items: list[Refused] = field(default_factory=list)

    @property
    def readings(self) -> int:
        """Readings of the message; an item refused alone is part of a stored one."""
        return len(self.accepted) + len(self.refused)


def door_of(topic: str) -> Door | None:
    """Device and stream of a topic of ours, else None."""
    parts = topic.split("/", 3)
    return Door(parts[2], parts[3]) if len(parts) == 4 and parts[:2] == ["lanbi", "v1"] else None


def digest(payload: bytes) -> bytes:
    """Short digest by which bytes that were refused before are known again."""
    return hashlib.blake2b(payload, digest_size=16).digest()


def accept(topic: str, payload: bytes, received_ns: int, registry: Registry, *, retained: bool = False) -> Outcome:
    """Readings and refusals of one message of stream ``data``.

    Parameters
    ----------
    received_ns : int [ns]
        Journalled receive time; stands for now, so that a replay decides as the first time.
    retained : bool
        The broker kept the message for late subscribers; such a value is no reading.

    Returns
    -------
    Outcome
        As many readings as the payload has elements, accepted or refused.
    """
    door = door_of(topic)
    device_id = door.device if door else ""
    imported = device_id == IMPORTS
    received = received_ns // NS
    day = day_of(received)
    device = registry.devices.get(device_id)
    fault = "" if imported else _device_fault(device, day, retained=retained)
    zone, unit = _conventions(device, day)
    outcome = Outcome()
    for element, part in enumerate(decode(payload, zone=zone, time_unit=unit)):
        if isinstance(part, Refusal):
            outcome.refused.append(Refused(part.reason, part.detail, device_id, element, part.item, "", part.run, part.seq))
        elif fault:
            outcome.refused.append(_refuse(part, device_id, element, fault, f"device {device_id!r}"))
        else:
            _take(part, _Context(device_id, device, registry, received, element), outcome)
    return outcome


class _Context(NamedTuple):
    device_id: str
    device: Device | None
    registry: Registry
    received: int
    element: int


def _device_fault(device: Device | None, day: int, *, retained: bool) -> str:
    if device is None or device.state.on(day) in (None, "retired"):
        return "unknown-device"
    return "retained" if retained else ""


def _conventions(device: Device | None, day: int) -> tuple[tzinfo | None, str]:
    if device is None:
        return SHANGHAI, "s"
    return _ZONES.get(device.zone.on(day) or ""), device.time_unit.on(day) or "s"


def _refuse(message: Message, device: str, element: int, reason: str, detail: str) -> Refused:
    return Refused(reason, detail, device, element, None, message.source or "", message.run, message.seq)


def _take(message: Message, context: _Context, outcome: Outcome) -> None:
    device_id, device, registry, received, element = context
    time = message.time
    if device is not None and device.label.on(day_of(time)) == "start":
        time += message.span
    source, reason = _source(message, context, time)
    kind = registry.kind_of(source) if source else None
    if not reason and kind is None:
        reason = "unknown-source"
    reason = reason or _time_fault(time, received, imported=device is None)
    if reason:
        outcome.refused.append(_refuse(message, device_id, element, reason, f"source {source!r}, time {time}, received {received}"))
        return
    values, flags, faults = _items(str(kind), message)
    refused = [Refused(why, detail, device_id, element, name, source, message.run, message.seq) for name, why, detail in faults]
    if not values:
        first = refused[0] if refused else Refused("bad-schema", "no values", device_id, element, None, source, message.run, message.seq)
        outcome.refused.append(first)
        return
    trial = device is not None and device.state.on(day_of(time)) == "trial"
    outcome.items.extend(refused)
    number = (message.run, message.seq, message.corrects)
    outcome.accepted.append(Accepted(str(kind), source, message.span, time, values, flags, device_id, *number, element, trial))


def _source(message: Message, context: _Context, time: int) -> tuple[str, str]:
    """Source id and, if the device may not speak for it, the reason."""
    device_id, device, registry, _, _ = context
    if device is None:
        source = registry.by_code.get(message.source or "", "")
        return source or (message.source or ""), "" if source else "unknown-source"
    sources = registry.sources_of(device_id, day_of(time))
    if message.source is None:
        return (sources[0], "") if len(sources) == 1 else ("", "unknown-source")
    if message.source in sources:
        return message.source, ""
    return message.source, "identity-mismatch" if registry.kind_of(message.source) else "unknown-source"


def _time_fault(time: int, received: int, *, imported: bool) -> str:
    if time > received + FUTURE_S:
        return "future-time"
    return "too-old" if time < received - TOO_OLD_S and not imported else ""


def _items(kind: str, message: Message) -> tuple[dict[str, float | None], dict[str, str], list[tuple[str, str, str]]]:
    values: dict[str, float | None] = {}
    flags: dict[str, str] = {}
    faults: list[tuple[str, str, str]] = []
    given = message.flags
    for name, value in message.values.items():
        letter = given.get(name, "N") if given else "N"
        fault = _item_fault(kind, name, value, message.span) if letter in DEVICE_FLAGS else ("bad-schema", f"unknown flag {letter!r}")
        if fault:
            faults.append((name, *fault))
            continue
        values[name] = value
        if value is not None and value <= 0 and letter == "N" and ITEMS[kind, name].tiny and value < 0:
            letter = "Z"
        if letter != "N" and value is not None:
            flags[name] = letter
    return values, flags, faults


def _item_fault(kind: str, name: str, value: float | None, span: int) -> tuple[str, str] | None:
    item = ITEMS.get((kind, name))
    if item is None:
        return "unknown-item", f"{kind} has no item {name!r}"
    if name in DAILY_ONLY and span != DAY_S:
        return "unknown-item", f"{name} is a daily value, span {DAY_S} only"
    if value is None:
        return None
    if not math.isfinite(value):
        return "not-finite", f"{name} = {value}"
    if not item.low - item.tiny <= value <= item.high:
        return "value-out-of-range", f"{name} = {value} {item.unit}, allowed {item.low:g} to {item.high:g}"
    return None
