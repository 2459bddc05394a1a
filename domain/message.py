"""The native message: bytes ⇄ records, both directions, pure.

A payload is one message or a list of messages; each element is a reading of its own and is refused alone. Typed decoding
costs less than untyped, so the fast path validates for nothing; only what fails is looked at a second time, slowly, to say
what was wrong.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import Annotated, Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from domain.civil import iso, parse_time
from domain.reasons import MAX_MESSAGE

MAX_SEQ: Final = 2**40 - 1
MAX_RUN: Final = 2**32 - 1
MAX_SPAN: Final = 31_622_400
_MOST_DIGITS: Final = 400
"""A float has at most 309."""
Seq = Annotated[int, msgspec.Meta(ge=0, le=MAX_SEQ)]
_Run = Annotated[int, msgspec.Meta(ge=0, le=MAX_RUN)]
_Span = Annotated[int, msgspec.Meta(ge=0, le=MAX_SPAN)]


class Wire(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A message as it stands on the wire; ``time`` is still text or an epoch integer, and what was left out is told from a default."""

    time: str | int
    span: _Span
    values: Mapping[str, float | None]
    run: _Run | UnsetType = UNSET
    seq: Seq | UnsetType | None = UNSET
    source: str | UnsetType | None = UNSET
    flags: dict[str, str] | UnsetType | None = UNSET
    corrects: bool | UnsetType = UNSET


class Message(msgspec.Struct, frozen=True, gc=False):
    """A decoded message; ``time`` [s] still has the device's label convention."""

    time: int
    span: int
    values: Mapping[str, float | None]
    run: int = 0
    seq: int | None = None
    source: str | None = None
    flags: Mapping[str, str] = {}
    corrects: bool = False


class Refusal(msgspec.Struct, frozen=True):
    """Why something is not a reading: reason code and words; the item, if only an item is refused."""

    reason: str
    detail: str
    item: str | None = None
    run: int = 0
    seq: int | None = None


class Look(msgspec.Struct, gc=False):
    """What is looked for in a message before it is kept."""

    run: _Run = 0
    seq: Seq | None = None


_WIRE = msgspec.json.Decoder(Wire)
_WIRES = msgspec.json.Decoder(list[Wire])
_RAWS = msgspec.json.Decoder(list[msgspec.Raw])
_LOOK = msgspec.json.Decoder(Look)
_LOOKS = msgspec.json.Decoder(list[Look])
_ENCODER = msgspec.json.Encoder()


def scan(payload: bytes) -> tuple[int, list[tuple[int, int]]]:
    """Number of readings in a payload and their (run, seq), before anything is refused; undecodable counts as one.

    >>> scan(b'[{"seq": 4}, {"seq": 5}]')
    (2, [(0, 4), (0, 5)])
    >>> scan(b"rubbish")
    (1, [])
    >>> scan(b'{"seq": 6, "values": {"pm25": NaN}}')
    (1, [(0, 6)])
    """
    try:
        if payload[:1] == b"{":  # the usual message, whose glance is a good part of what receiving it costs
            look = _LOOK.decode(payload)
            return 1, [(look.run, look.seq)] if look.seq is not None else []
        looks = _LOOKS.decode(payload) if payload.lstrip()[:1] == b"[" else [_LOOK.decode(payload)]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _count(payload), _loosely(payload)
    return max(1, len(looks)), [(look.run, look.seq) for look in looks if look.seq is not None]


def singles(payloads: Sequence[bytes]) -> list[Look] | None:
    """The same of messages that are all no lists; None if one of them needs a closer look."""
    if {payload[:1] for payload in payloads} != {b"{"}:
        return None
    try:
        return [_LOOK.decode(payload) for payload in payloads]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _loosely(payload: bytes) -> list[tuple[int, int]]:
    """Numbers in a payload that only a lenient reader takes, such as one with a NaN: its device needs its receipt too."""
    try:
        seen = json.loads(payload, parse_int=_integer) if len(payload) <= MAX_MESSAGE else None
    except (ValueError, RecursionError):
        return []
    numbers = [(one.get("run", 0), one.get("seq")) for one in (seen if isinstance(seen, list) else [seen]) if isinstance(one, dict)]
    return [(int(run), int(seq)) for run, seq in numbers if _within(run, MAX_RUN) and seq is not None and _within(seq, MAX_SEQ)]


def _within(number: object, most: int) -> bool:
    return isinstance(number, int) and not isinstance(number, bool) and 0 <= number <= most


def _count(payload: bytes) -> int:
    try:
        return max(1, len(_RAWS.decode(payload)))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return 1


def decode(payload: bytes, *, zone: tzinfo | None = None, time_unit: str = "s") -> list[Message | Refusal]:
    """Messages of a payload in order; what cannot be read stands in its place as a Refusal. Never raises.

    Parameters
    ----------
    zone : tzinfo, optional
        Zone of the device for naive times; without it they are refused (``naive-time``).
    time_unit : {"s", "ms"}
        Unit of integer times.

    Returns
    -------
    list of Message or Refusal
        As long as :func:`scan` counted.
    """
    if len(payload) > MAX_MESSAGE:
        return [Refusal("oversize", f"{len(payload)} bytes, at most {MAX_MESSAGE}")] * _count(payload)
    many = payload.lstrip()[:1] == b"["
    try:
        payload.decode()
        wires = _WIRES.decode(payload) if many else [_WIRE.decode(payload)]
    except UnicodeDecodeError as error:
        return [Refusal("bad-encoding", str(error))] * _count(payload)
    except (msgspec.DecodeError, RecursionError):
        return _slowly(payload, zone, time_unit, many=many)
    if not wires:
        return [Refusal("bad-schema", "an empty list")]
    if may_repeat(payload, wires):
        return _slowly(payload, zone, time_unit, many=many)
    return [_timed(wire, zone, time_unit) for wire in wires]


def may_repeat(payload: bytes, wires: Sequence[Wire]) -> bool:
    """Whether a key may stand twice in an object: there are more texts than the messages account for. A second look decides.

    Decoders take the last of two values without a word; which of them the device meant, nobody knows.
    """
    return b"\\" in payload or payload.count(b'"') != 2 * _texts(wires)


def _texts(wires: Sequence[Wire]) -> int:
    """Texts that messages account for: their keys, and values that are texts."""
    return sum(
        [
            3 + len(wire.values) + (type(wire.time) is str) + (wire.seq is not UNSET) + (0 if wire.run is wire.source is wire.flags is wire.corrects is UNSET else rarer(wire))
            for wire in wires
        ],
    )  # fmt: skip


def rarer(wire: Wire) -> int:
    """Texts of what most messages leave out."""
    source, flags = wire.source, wire.flags
    more = (wire.run is not UNSET) + (wire.corrects is not UNSET) + (source is not UNSET) + (type(source) is str)
    return more + (flags is not UNSET) + (2 * len(flags) if type(flags) is dict else 0)


def _slowly(payload: bytes, zone: tzinfo | None, time_unit: str, *, many: bool) -> list[Message | Refusal]:
    try:
        parts = list(_RAWS.decode(payload)) if many else [msgspec.Raw(payload)]
    except (msgspec.DecodeError, RecursionError) as error:
        return [_not_json(payload, error)]
    return [_one(bytes(part), zone, time_unit) for part in parts]


def _one(part: bytes, zone: tzinfo | None, time_unit: str) -> Message | Refusal:
    run, seq = next(iter(scan(part)[1]), (0, None))
    try:
        wire = _WIRE.decode(part)
        key = repeated(lenient(part.decode()))
        return _timed(wire, zone, time_unit) if key is None else twice(key, run, seq)
    except msgspec.ValidationError as error:
        return Refusal("bad-schema", str(error), run=run, seq=seq)
    except (msgspec.DecodeError, RecursionError) as error:
        return msgspec.structs.replace(_not_json(part, error), run=run, seq=seq)


def _timed(wire: Wire, zone: tzinfo | None, time_unit: str) -> Message | Refusal:
    run, seq = wire.run or 0, None if wire.seq is UNSET else wire.seq
    if isinstance(wire.time, int):
        time = wire.time // 1000 if time_unit == "ms" else wire.time
        if not 0 <= time < 2**40:
            return Refusal("bad-schema", f"time {wire.time} is no epoch in {time_unit}", run=run, seq=seq)
    else:
        try:
            time = parse_time(wire.time, zone)
        except (ValueError, OverflowError) as error:
            reason = "naive-time" if str(error).startswith("no offset") else "bad-schema"
            return Refusal(reason, str(error), run=run, seq=seq)
    return Message(time, wire.span, wire.values, run, seq, None if wire.source is UNSET else wire.source, wire.flags or {}, wire.corrects or False)


class _NotFiniteError(ValueError):
    pass


def _not_json(payload: bytes, error: Exception) -> Refusal:
    """``NaN`` and ``Infinity`` are no JSON, but a device that sends them deserves to be told what it did."""

    def refuse(token: str) -> Any:
        raise _NotFiniteError(token)

    try:
        json.loads(payload.decode(), parse_constant=refuse, parse_int=_integer)
    except _NotFiniteError as token:
        return Refusal("not-finite", f"{token} is no number")
    except (ValueError, RecursionError):
        return Refusal("bad-json", str(error))
    if isinstance(error, RecursionError):
        return Refusal("bad-schema", "too deep")
    return Refusal("not-finite" if "range" in str(error) else "bad-json", str(error))


class _Repeating(dict[str, Any]):
    """An object in which a key stands twice."""

    key = ""


def lenient(text: str) -> Any:
    """What a reader sees that takes NaN and a key twice; :func:`repeated` tells of the latter.

    Raises
    ------
    ValueError, RecursionError
        It is no JSON, or too deep.
    """
    return json.loads(text, object_pairs_hook=_once, parse_int=_integer)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    names = [name for name, _ in pairs]
    seen = _Repeating(found)
    seen.key = next(name for name in names if names.count(name) > 1)
    return seen


def repeated(element: Any) -> str | None:
    """The key that stands twice in a message, its values or its flags; None if none does."""
    inner = (element.get("values"), element.get("flags")) if isinstance(element, dict) else ()
    return next((one.key for one in (element, *inner) if isinstance(one, _Repeating)), None)


def repeated_deep(seen: Any) -> str | None:
    """A key that stands twice in any object of a foreign payload; None if none does."""
    waiting = [seen]
    while waiting:
        one = waiting.pop()
        if isinstance(one, _Repeating):
            return one.key
        if isinstance(one, dict):
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)
    return None


def twice(key: str, run: int = 0, seq: int | None = None) -> Refusal:
    """Why such a message is none."""
    return Refusal("bad-schema", f"key {key[:32]!r} stands twice", run=run, seq=seq)


def _integer(digits: str) -> int | float:
    """An integer, or infinity where it has more digits than any value: Python itself refuses to read thousands of them."""
    return int(digits) if len(digits) <= _MOST_DIGITS else math.copysign(math.inf, -1 if digits[0] == "-" else 1)


def encode(messages: Message | list[Message]) -> bytes:
    """Payload of one message or a list of them; times as RFC 3339 in +08:00, defaults left out."""
    one = isinstance(messages, Message)
    rows = [_plain(message) for message in ([messages] if isinstance(messages, Message) else messages)]
    return _ENCODER.encode(rows[0] if one else rows)


def _plain(message: Message) -> dict[str, object]:
    row: dict[str, object] = {"seq": message.seq, "time": iso(message.time), "span": message.span, "values": message.values}
    if message.seq is None:
        del row["seq"]
    for name in ("run", "source", "flags", "corrects"):
        value = getattr(message, name)
        if value:
            row[name] = value
    return row
