"""Payload → messages: the fast native decoder first, and a second, slow look at what it refused.

The second look exists because one text where a number belongs, or one NaN, must cost its item and not its reading, and one
broken reading must not cost its neighbours.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import tzinfo
from typing import Any, Final, NamedTuple

import msgspec

from domain.message import Message, Refusal, decode, lenient, repeated, twice
from domain.reasons import MAX_MESSAGE
from ingest.decoders.hj212_states import Told

_ELEMENTS: Final = msgspec.json.Decoder(list[msgspec.Raw])
_ENCODER: Final = msgspec.json.Encoder()
_CURABLE: Final = frozenset({"bad-schema", "not-finite", "bad-json"})


class Part(NamedTuple):
    """One element of a payload: a message, an event, or why not, and the items that had to be taken out of it."""

    what: Message | Refusal | Told
    items: tuple[Refusal, ...] = ()


def read(payload: bytes, zone: tzinfo | None = None, time_unit: str = "s") -> list[Part]:
    """Elements of a payload in order; never raises.

    Parameters
    ----------
    zone : tzinfo, optional
        The device's zone for naive times; without it they are refused.
    time_unit : {"s", "ms"}
        Unit of integer times.
    """
    parts = decode(payload, zone=zone, time_unit=time_unit)
    if not any(type(part) is Refusal for part in parts):
        return [Part(part) for part in parts]
    if len(payload) > MAX_MESSAGE:
        return [Part(part) for part in parts]
    loose = _loosely(payload)
    if isinstance(loose, str):
        # A typed decoder may stumble over a field before it reaches the end that is missing.
        return [Part(_broken(part, loose)) for part in parts]
    if loose is None or (len(loose) != len(parts) and len(parts) > 1):
        return [Part(part) for part in parts]
    if len(loose) != len(parts):
        return [_cured(element, parts[0], zone, time_unit) for element in loose]
    return [_cured(element, part, zone, time_unit) for element, part in zip(loose, parts, strict=True)]


def elements(payload: bytes) -> list[bytes]:
    """Each element's own bytes; the whole payload where it is no list."""
    if payload.lstrip()[:1] != b"[":
        return [payload]
    try:
        return [bytes(raw) for raw in _ELEMENTS.decode(payload)] or [payload]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return [payload]


def _broken(part: Message | Refusal, detail: str) -> Message | Refusal:
    return msgspec.structs.replace(part, reason="bad-json", detail=detail) if isinstance(part, Refusal) and part.reason == "bad-schema" else part


def _loosely(payload: bytes) -> list[Any] | str | None:
    """What a lenient reader sees; its complaint if it is no JSON; None if it is too deep to see."""
    try:
        seen = lenient(payload.decode())
    except RecursionError:
        return None
    except ValueError as error:
        return str(error)
    if not isinstance(seen, list):
        return [seen]
    return seen or None


def _cured(element: Any, part: Message | Refusal, zone: tzinfo | None, time_unit: str) -> Part:
    """The element without its bad items, if that makes it readable; else the refusal as it was."""
    if isinstance(part, Message):
        return Part(part)
    key = repeated(element)
    if key is not None and part.reason in _CURABLE:
        return Part(twice(key, part.run, part.seq))
    if part.reason not in _CURABLE or not isinstance(element, dict) or not isinstance(element.get("values"), dict):
        return Part(_renamed(element, part, zone, time_unit))
    element, bad = _without_bad_items(element)
    if not bad:
        return Part(_renamed(element, part, zone, time_unit))
    again = _again(element, zone, time_unit)
    if isinstance(again, Message):
        return Part(again, tuple(bad))
    return Part(again)


def _renamed(element: Any, part: Refusal, zone: tzinfo | None, time_unit: str) -> Message | Refusal:
    """A neighbour's NaN makes the whole payload no JSON; each element then deserves its own verdict."""
    return _again(element, zone, time_unit) if part.reason in {"not-finite", "bad-json"} else part


def _again(element: Any, zone: tzinfo | None, time_unit: str) -> Message | Refusal:
    try:
        payload = _ENCODER.encode(element)
    except UnicodeEncodeError as error:
        return Refusal("bad-encoding", str(error))
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        return Refusal("bad-schema", str(error))
    (part,) = decode(b" " + payload if payload[:1] != b"[" else b'""', zone=zone, time_unit=time_unit)
    return part


def _without_bad_items(element: Mapping[str, Any]) -> tuple[dict[str, Any], list[Refusal]]:
    bad: dict[str, Refusal] = {}
    flags = element.get("flags")
    for name, value in element["values"].items():
        reason = _fault(value)
        if reason:
            bad[name] = Refusal(reason, f"{_short(value)} is no number", name)
        elif isinstance(flags, dict) and not isinstance(flags.get(name, "N"), str):
            bad[name] = Refusal("bad-schema", f"flag {_short(flags[name])} is no letter", name)
    kept = {**element, "values": {name: value for name, value in element["values"].items() if name not in bad}}
    if isinstance(flags, dict):
        kept["flags"] = {name: flag for name, flag in flags.items() if name not in bad}
    return kept, list(bad.values())


def _fault(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return "bad-schema"
    try:
        return None if math.isfinite(value) else "not-finite"
    except OverflowError:
        return "not-finite"


def _short(value: Any) -> str:
    """Enough of a foreign value to recognise it."""
    return repr(value)[:40]
