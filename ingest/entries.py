"""What people enter and what devices report besides readings: evidence of its own, decoded like messages. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from domain import filings, judgements, marks, statements, tasks
from domain.civil import day_of
from domain.message import Refusal
from domain.places import Registry
from domain.readings import Entry
from domain.reasons import MAX_MESSAGE
from ingest.accept import IMPORT, NS, RETAINED, WHOLE, Verdict, device_of, stream_of
from ingest.ports import Record

PERSON: Final = "person"
REGISTRY: Final = "registry"
EVENT: Final = "event"
LOST: Final = "lost"
EVENTS: Final = frozenset({"exchange", "calibration-start", "calibration-end", "maintenance", "power-up", LOST})
_PERSONS_TOPIC: Final = f"~{PERSON}"
_FILES_TOPIC: Final = "/~entries/"
FIRST: Final = "1"
"""The ingest whose records need no name beside them: where there is only one, it is this."""
_MAX_SEQ: Final = 2**40


def named(reference: str, ingest: str) -> str:
    """Journal reference as a shared store knows it: records of several ingests bear the same numbers.

    >>> named("mqtt/57", "2"), named("mqtt/57#1", "1")
    ('mqtt@2/57', 'mqtt/57#1')
    """
    writer, _, place = reference.partition("/")
    return reference if ingest == FIRST else f"{writer}@{ingest}/{place}"


def kind_of(record: Record) -> str:
    """Whether a record is ``data``, a device's ``event`` or ``state``, or ``entries`` of people and files."""
    if record.writer == PERSON:
        return "entries"
    if record.writer == IMPORT:
        return "entries" if _FILES_TOPIC in record.topic else "data"
    stream = stream_of(record.topic)
    # Foreign topics have words of their own on their last level.
    return stream if stream in {EVENT, "state"} and device_of(record.topic) else "data"


@dataclass
class Found:
    """Entries of a message, numbers that a device gave up (device, run, first, last), and refusals (they count no reading)."""

    entries: list[Entry] = field(default_factory=list)
    lost: list[tuple[str, int, int, int]] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)


def read_entries(record: Record, registry: Registry) -> Found:
    """Decode what a person or a file entered, or a device's event; a fault of ours costs this message only, and the journal keeps it."""
    try:
        return _read(record, registry)
    except Exception as error:  # noqa: BLE001  one message must not stop all others
        fault = Refusal("internal", repr(error)[:200])
        return Found(verdicts=[Verdict(WHOLE, record.readings, device_of(record.topic), "", 0, None, None, (fault,))])


def _read(record: Record, registry: Registry) -> Found:
    found = Found()
    device = device_of(record.topic)
    refusal = _stranger(record, device, registry)
    bodies = refusal or _bodies(record)
    if isinstance(bodies, Refusal):
        found.verdicts.append(Verdict(WHOLE, record.readings, device, "", 0, None, None, (bodies,)))
        return found
    for number, body in enumerate(bodies):
        name = f"{record.writer}/{record.seq}" + (f"#{number}" if len(bodies) > 1 else "")
        if record.writer in {PERSON, IMPORT}:
            _enter(found, record, (number, name), body)
            continue
        event = _event(body, device, record.received_ns // NS, registry)
        if isinstance(event, Refusal):
            found.verdicts.append(Verdict(number, 0, device, "", 0, None, None, (event,)))
            continue
        found.entries.append(Entry(EVENT, name, record.received_ns, device, event))
        if body["type"] == LOST:
            found.lost.append((device, int(body.get("run", 0)), int(body["from"]), int(body["to"])))
    return found


def events(record: Record, verdicts: Iterable[Verdict]) -> list[Entry]:
    """Events that a foreign message told beside readings, or instead of them."""
    return [Entry(EVENT, f"{record.writer}/{record.seq}#{one.element}", record.received_ns, one.device, one.event) for one in verdicts if one.event is not None]


def _enter(found: Found, record: Record, place: tuple[int, str], body: Mapping[str, Any]) -> None:
    """What a person or a file entered; what figures are made of must be usable, or it is a dead letter."""
    kind, (number, name) = stream_of(record.topic), place
    wrong = fault(kind, body)
    if wrong:
        found.verdicts.append(Verdict(number, 0, device_of(record.topic), "", 0, None, None, (Refusal("bad-schema", f"{kind}: {wrong}"[:200]),)))
        return
    found.entries.append(Entry(kind, name, record.received_ns, str(body.get("user", "")), body))


def fault(kind: str, body: Mapping[str, Any]) -> str | None:
    """Why an entry of a kind cannot be used; None if it can, or if nothing is made of its kind."""
    if kind == judgements.VERDICT:
        return judgements.fault(body)
    if kind in filings.KINDS:
        return filings.fault(kind, body)
    if kind == tasks.TASK:
        return tasks.fault(kind, body)
    return marks.fault(kind, body) if kind in marks.KINDS else statements.fault(kind, body)


def announce(entries: Iterable[Entry], registry: Registry, touched: dict[int, set[str]]) -> None:
    """Add the days and places whose figures these entries may change, and by ``~kind`` that entries of that kind are to be read."""
    for entry in entries:
        kind = str(entry.body.get("type")) if entry.kind == EVENT else entry.kind
        if kind == judgements.VERDICT:
            touched.setdefault(day_of(judgements.alarm(entry.body.get("alarm")).time), set()).add(marks.signal(kind))
        if kind in marks.KINDS or kind in statements.KINDS:
            found = marks.touched if kind in marks.KINDS else statements.touched
            for day, sites in found(kind, entry.body, registry).items():
                touched.setdefault(day, set()).update(sites, {marks.signal(kind)})


def _stranger(record: Record, device: str, registry: Registry) -> Refusal | None:
    """Only the person's own journal may speak as a person: a device that publishes there is unknown."""
    if record.writer == IMPORT:
        return None
    if record.writer == PERSON:
        return None if device == _PERSONS_TOPIC else Refusal("bad-schema", f"no topic of a person: {record.topic[:80]}")
    if record.flags & RETAINED:
        return Refusal("retained", "a retained event is the last one again")
    return None if device in registry.devices else Refusal("unknown-device", f"{device[:32]!r} is not registered")


def _bodies(record: Record) -> list[Mapping[str, Any]] | Refusal:
    if len(record.payload) > MAX_MESSAGE and record.writer not in {PERSON, IMPORT}:
        return Refusal("oversize", f"{len(record.payload)} bytes")
    try:
        record.payload.decode()
        seen = msgspec.json.decode(record.payload)
    except UnicodeDecodeError as error:
        return Refusal("bad-encoding", str(error))
    except (msgspec.DecodeError, RecursionError) as error:
        return Refusal("bad-json", str(error))
    bodies = seen if isinstance(seen, list) else [seen]
    if not bodies or not all(isinstance(body, dict) for body in bodies):
        return Refusal("bad-schema", "an object or a list of objects is expected")
    return bodies


def _event(body: Mapping[str, Any], device: str, received: int, registry: Registry) -> Mapping[str, Any] | Refusal:
    """The event, of an exchange with its meter by name; a device speaks for its own sources only, here as in data."""
    kind = body.get("type")
    if not isinstance(kind, str) or kind not in EVENTS:
        return Refusal("bad-schema", f"type is none of {', '.join(sorted(EVENTS))}")
    if kind == LOST:
        return _lost(body)
    exchange = kind == statements.EXCHANGE
    wrong = statements.fault(kind, {"meter": "?", **body}) if exchange else None
    if wrong:
        return Refusal("bad-schema", f"{kind}: {wrong}"[:200])
    own = registry.sources_of(device, day_of(statements.instant(body["time"]) + 1 if exchange else received))
    named = body.get("meter") or body.get("source") or (own[0] if exchange and len(own) == 1 else None)
    if named is not None and named not in own:
        known = isinstance(named, str) and named in registry.kinds
        return Refusal("identity-mismatch" if known else "unknown-source", f"the device may not speak for {str(named)[:32]!r}")
    if exchange and named not in registry.meters:
        return Refusal("bad-schema", f"an exchange names its meter: the device speaks for {len(own)} sources")
    return {**body, "meter": named} if exchange else body


def _lost(body: Mapping[str, Any]) -> Mapping[str, Any] | Refusal:
    numbers = [body.get("run", 0), body.get("from"), body.get("to")]
    good = all(isinstance(one, int) and not isinstance(one, bool) and 0 <= one < _MAX_SEQ for one in numbers)
    return body if good and numbers[1] <= numbers[2] else Refusal("bad-schema", "lost needs run, from and to, from ≤ to")
