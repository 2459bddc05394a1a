"""Accept: a journalled message and the registry in, readings or reasons out. Pure: no clock, no file, no network.

Identity comes from the topic, whose device the broker binds to the login; the payload may only choose among the sources that
are registered to it on that day. Whatever is wrong costs as little as possible: an item, then a reading, then a message.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import tzinfo
from types import MappingProxyType
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from domain.civil import OFFSET_S, SHANGHAI, day_of, iso
from domain.message import Message, Refusal
from domain.places import Device, Registry
from domain.reasons import FUTURE_S, QUARANTINE, TOO_OLD_S
from domain.rules import NATIVE, Rule
from domain.speaking import rule_of, starts
from ingest.decoders.foreign import Envelope, Foreign
from ingest.decoders.hj212_states import Told
from ingest.decoders.native import Part, read
from ingest.decoders.topics import Owners
from ingest.ports import Record
from ingest.valuing import DAY_SPAN, valued

NS: Final = 1_000_000_000
RETAINED: Final = 2
IMPORT: Final = "import"
WHOLE: Final = -1
"""Element number of a refusal that concerns the message as a whole."""
YEAR_2000: Final = 946_684_800
YEAR_6000: Final = 127_174_492_800
ID: Final = re.compile(r"[A-Za-z0-9_-]{1,32}")


MOST: Final = 20_000
"""Topics whose device is remembered."""
MANY: Final = 1_000
"""So many elements of rubbish in one message are one dead letter, not as many; and no message makes more dead letters than this and one."""
_AT_ONCE: Final = frozenset({"oversize", "bad-encoding"})
_new: Final = tuple.__new__
"""Makes a named tuple without its own constructor, which costs as much as all checks of a plain reading."""


class Sight(NamedTuple):
    """One accepted reading with everything that decides its revision; ``flags`` holds only letters other than N."""

    kind: str
    source: str
    span: int
    time: int
    values: dict[str, float | None]
    flags: dict[str, str]
    device: str
    run: int
    seq: int | None
    corrects: bool
    imported: bool
    received_ns: int


class Verdict(NamedTuple):
    """What became of one element: the reading, if any item is left, or the event, and every refusal (of an item, or of the whole)."""

    element: int
    readings: int
    device: str
    source: str
    run: int
    seq: int | None
    sight: Sight | None
    refused: tuple[Refusal, ...] = ()
    event: Mapping[str, Any] | None = None


class Speaker(NamedTuple):
    """Who speaks: the device as registered (None for an import), how to read its times, and its rule if it does not speak natively."""

    id: str
    device: Device | None
    zone: tzinfo | None
    time_unit: str
    rule: Rule | None = None


class Rights(NamedTuple):
    """What a device may do on one civil day."""

    state: str | None
    sources: tuple[str, ...]
    early: bool


class _Spot(NamedTuple):
    """A place for which a device may speak on a day: its id and table, whether times are starts, and the greatest age at receipt [s]."""

    source: str
    kind: str
    early: bool
    oldest: int


class Acceptor:
    """Judges messages by one version of the registry; ``keeps`` says how long the store keeps readings, by kind [s]."""

    def __init__(self, registry: Registry, keeps: Mapping[str, int] = MappingProxyType({})) -> None:
        self.registry = registry
        self.keeps = keeps
        self._rights: dict[tuple[str, int], Rights] = {}
        self._speakers: dict[tuple[str, int], Speaker | Refusal] = {}
        self._spots: dict[tuple[str, str | None, int], _Spot | None] = {}
        self.foreign = Foreign(registry)
        self._owners = Owners(registry)

    def judge(self, record: Record) -> list[Verdict]:
        """Verdicts of a data message, one an element (or one for all); never raises.

        Parameters
        ----------
        record : Record
            A message of a ``data`` topic, or of the import's.

        Returns
        -------
        list of Verdict
            Their ``readings`` add up to what the message counts for.
        """
        speaker = self.speaker(record)
        name = speaker.id if isinstance(speaker, Speaker) else device_of(record.topic)
        if record.flags & RETAINED:
            speaker = Refusal("retained", "a retained message is the last one again, not a reading")
        if isinstance(speaker, Refusal):
            return [Verdict(WHOLE, max(1, record.readings), name, "", 0, None, None, (speaker,))]
        parts = self.parts(record, speaker)
        if len(parts) > 1 and isinstance(parts[0].what, Refusal) and (parts[0].what.reason in _AT_ONCE or len(parts) > MANY):
            same = all(isinstance(part.what, Refusal) and part.what.reason == parts[0].what.reason for part in parts)
            if same:
                return [Verdict(WHOLE, len(parts), speaker.id, "", 0, None, None, (parts[0].what,))]
        verdicts = [self._guarded(number, part, speaker, record) for number, part in enumerate(parts)]
        return verdicts if len(verdicts) <= MANY else _heaped(verdicts)

    def parts(self, record: Record, speaker: Speaker) -> list[Part]:
        """What a message holds, by the native decoder or by the device's rule; never raises."""
        if speaker.rule is None or speaker.device is None:
            return read(record.payload, speaker.zone, speaker.time_unit)
        try:
            return self.foreign.read(Envelope(record.payload, record.topic, record.received_ns // NS, speaker.zone), speaker.device, speaker.rule)
        except Exception as error:  # noqa: BLE001  a decoder may be somebody else's: its fault costs this message, and the bytes are in the journal
            return [Part(Refusal("internal", f"{speaker.rule.format}: {error!r}"[:200]))]

    def _guarded(self, number: int, part: Part, speaker: Speaker, record: Record) -> Verdict:
        try:
            return self._plain(number, part, speaker, record) or self._element(number, part, speaker, record)
        except Exception as error:  # noqa: BLE001  a fault of ours must not cost the neighbours: the bytes are in the journal
            return Verdict(number, 1, speaker.id, "", part.what.run, part.what.seq, None, (Refusal("internal", repr(error)[:200]),))

    def speaker(self, record: Record) -> Speaker | Refusal:
        """Who speaks through this record's topic, on the day of its receipt."""
        if record.writer == IMPORT:
            return Speaker("", None, SHANGHAI, "s")
        day = day_of(record.received_ns // NS)
        known = self._speakers.get((record.topic, day))
        if known is None:
            known = self._found(record.topic, day)
            if len(self._speakers) >= MOST:
                self._speakers.clear()
            self._speakers[record.topic, day] = known
        return known

    def _found(self, topic: str, day: int) -> Speaker | Refusal:
        name = device_of(topic) or self._owners.of(topic)
        device = self.registry.devices.get(name)
        if device is None:
            detail = f"{name[:32]!r} is not registered" if ID.fullmatch(name.removeprefix("~")) else "no device id in the topic"
            return Refusal("unknown-device", detail)
        rule = rule_of(self.registry, device, day)
        return Speaker(name, device, zone_of(device.zone.on(day)), device.time_unit.on(day) or "s", None if rule.format == NATIVE else rule)

    def _plain(self, number: int, part: Part, speaker: Speaker, record: Record) -> Verdict | None:
        """The verdict of a reading of a known place, neither early nor late, whose rule, place and time need no second look."""
        message = part.what
        if type(message) is not Message or part.items or speaker.device is None:
            return None
        time, source = message.time, message.source
        if time < YEAR_2000:
            return None
        spot = self._spot(speaker, source, time)
        if spot is not None and spot.early:
            time += message.span
            spot = self._spot(speaker, source, time)
        if spot is None or not -FUTURE_S <= record.received_ns // NS - time <= spot.oldest:
            return None
        values, flags, bad = valued(spot.kind, message)
        if not values:
            return None
        run, seq = message.run, message.seq
        sight = _new(Sight, (spot.kind, spot.source, message.span, time, values, flags, speaker.id, run, seq, message.corrects, False, record.received_ns))
        return _new(Verdict, (number, 1, speaker.id, spot.source, run, seq, sight, tuple(bad), None))

    def _spot(self, speaker: Speaker, source: str | None, time: int) -> _Spot | None:
        """The place that a device means on the day of an instant; None where that needs a second look."""
        key = speaker.id, source, (time + OFFSET_S - 1) // DAY_SPAN
        if key in self._spots:
            return self._spots[key]
        if len(self._spots) >= MOST:
            self._spots.clear()
        rights = self.rights(speaker, time)
        name = source if source is not None else rights.sources[0] if len(rights.sources) == 1 else ""
        spot = None
        if rights.state not in {None, "retired"} and name in rights.sources:
            kind = self.registry.kinds[name]
            spot = _Spot(name, kind, rights.early, min(TOO_OLD_S, self.keeps.get(kind, TOO_OLD_S)))
        self._spots[key] = spot
        return spot

    def _element(self, number: int, part: Part, speaker: Speaker, record: Record) -> Verdict:
        message = part.what
        if isinstance(message, Told):
            return self._event(number, message, speaker, record)
        if isinstance(message, Refusal):
            return Verdict(number, 1, speaker.id, "", message.run, message.seq, None, (message,))
        if message.time < YEAR_2000:
            unit = "s" if speaker.time_unit == "ms" else "another unit"
            early = Refusal("bad-schema", f"time {message.time} lies before 2000: is it in {unit}?", None, message.run, message.seq)
            return Verdict(number, 1, speaker.id, message.source or "", message.run, message.seq, None, (early,))
        source, time = self._place(message, speaker) if speaker.device else self._import_place(message)
        refusal = source if isinstance(source, Refusal) else self._time_fault(time, source, (message, record, speaker))
        if refusal or isinstance(source, Refusal):
            name = message.source or "" if isinstance(source, Refusal) else source
            return Verdict(number, 1, speaker.id, name, message.run, message.seq, None, (refusal,) if refusal else ())
        kind = self.registry.kinds[source]
        values, flags, bad = valued(kind, message)
        bad = [*part.items, *bad] if part.items else bad
        if not values:
            bad = bad or [Refusal("bad-schema", "no values")]
            return Verdict(number, 1, speaker.id, source, message.run, message.seq, None, tuple(bad))
        sight = Sight(
            kind, source, message.span, time, values, flags, speaker.id, message.run, message.seq, message.corrects, speaker.device is None, record.received_ns,
        )  # fmt: skip
        return Verdict(number, 1, speaker.id, source, message.run, message.seq, sight, tuple(bad))

    def _event(self, number: int, event: Told, speaker: Speaker, record: Record) -> Verdict:
        """An event of a device in service, about a source of its own; it counts no reading."""
        rights = self.rights(speaker, record.received_ns // NS)
        source = event.source or (rights.sources[0] if len(rights.sources) == 1 else "")
        if rights.state in {None, "retired"}:
            refusal = Refusal("unknown-device", f"not in service on this day: {rights.state or 'not yet'}")
            return Verdict(number, 0, speaker.id, source, 0, None, None, (refusal,))
        return Verdict(number, 0, speaker.id, source, 0, None, None, (), {**event.body, **({"source": source} if source else {})})

    def _import_place(self, message: Message) -> tuple[str | Refusal, int]:
        if message.source is None:
            return Refusal("bad-schema", "an imported reading names its source"), message.time
        source = self.registry.by_code.get(message.source)
        return source or Refusal("unknown-source", f"{message.source[:32]!r} is not registered"), message.time

    def _place(self, message: Message, speaker: Speaker) -> tuple[str | Refusal, int]:
        """Source and end label, by what was registered for the reading's own day."""
        rights = self.rights(speaker, message.time)
        time = message.time
        if rights.early:
            time += message.span
            rights = self.rights(speaker, time)
        source = message.source
        if rights.state in {None, "retired"}:
            return Refusal("unknown-device", f"not in service on this day: {rights.state or 'not yet'}"), time
        if source is None:
            if len(rights.sources) == 1:
                return rights.sources[0], time
            return Refusal("bad-schema", f"source is needed: the device speaks for {len(rights.sources)}"), time
        if source in rights.sources:
            return source, time
        if source in self.registry.kinds:
            return Refusal("identity-mismatch", f"the device may not speak for {source}"), time
        return Refusal("unknown-source", f"{source[:32]!r} is not registered"), time

    def rights(self, speaker: Speaker, label: int) -> Rights:
        """What a device may do on the day of an instant."""
        day = day_of(label)
        known = self._rights.get((speaker.id, day))
        if known is not None:
            return known
        device = speaker.device
        assert device is not None  # noqa: S101  only devices have rights
        sources = tuple(name for name in device.sources.on(day) or () if name in self.registry.kinds)
        rights = Rights(device.state.on(day), sources, starts(self.registry, device, day))
        if len(self._rights) > 100_000:
            self._rights.clear()
        self._rights[speaker.id, day] = rights
        return rights

    def _time_fault(self, time: int, source: str, said: tuple[Message, Record, Speaker]) -> Refusal | None:
        message, record, speaker = said
        received = record.received_ns // NS
        age = received - time
        if age < -FUTURE_S:
            shown = iso(time) if time < YEAR_6000 else f"epoch {time}"  # a calendar ends with the year 9999, a device's clock does not
            return Refusal("future-time", f"{shown} is {-age} s after receipt", None, message.run, message.seq)
        if speaker.device is not None and age > TOO_OLD_S:
            return Refusal("too-old", f"{iso(time)} is {age // DAY_SPAN} days before receipt", None, message.run, message.seq)
        kept = self.keeps.get(self.registry.kinds[source], age)
        if age > kept:
            detail = f"{iso(time)} is {age // DAY_SPAN} days before receipt, the store keeps {kept // DAY_SPAN}"
            return Refusal("too-old", detail, None, message.run, message.seq)
        return None


def _heaped(verdicts: list[Verdict]) -> list[Verdict]:
    """Verdicts on a message of very many elements: what is refused beyond the first :data:`MANY` is told as one, in the place of its first."""
    rest = [one for one in verdicts if one.refused and one.sight is None][MANY:]
    told = {one.element for one in rest}
    heap = [rest[0]._replace(readings=sum(one.readings for one in rest))] if rest else []
    return [*(one for one in verdicts if one.element not in told), *heap]


def outcome(reason: str) -> str:
    """Whether a reason means a dead letter or a quarantine."""
    return "quarantined" if reason in QUARANTINE else "deadletter"


def device_of(topic: str) -> str:
    """Device level of a topic; empty if it has none."""
    parts = topic.split("/", 4)
    return parts[2] if len(parts) == 4 and parts[:2] == ["lanbi", "v1"] else ""


def stream_of(topic: str) -> str:
    """Last level of a topic."""
    return topic.rpartition("/")[2]


def zone_of(name: str | None) -> tzinfo | None:
    """The zone by its registered name; China's is a constant of the house."""
    if name is None:
        return None
    if name == str(SHANGHAI):
        return SHANGHAI
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def accept(record: Record, registry: Registry) -> list[Verdict]:
    """Verdicts of one data message by one registry; see :meth:`Acceptor.judge`."""
    return Acceptor(registry).judge(record)
