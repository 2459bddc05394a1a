"""The short way through accept, for what nearly every message is: valid readings of a registered device. Pure.

It takes a message whole, or leaves it whole to :class:`ingest.accept.Acceptor`, whose verdict on what is taken here would be the
same. Nothing is decided here that is not decided there; this way exists because a backlog drains as fast as this loop. So it goes
over many messages at once: nothing is made for a message that has one reading.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import UNSET, UnsetType

from domain.civil import DAY_S, OFFSET_S, day_of, parse_time
from domain.message import Wire
from domain.readings import RANK_DEVICE, Reading, revision
from domain.reasons import FUTURE_S, TOO_OLD_S
from domain.sent import Sent
from domain.wires import Heard, Wires
from ingest.abreast import abreast
from ingest.accept import NS, RETAINED, YEAR_2000, Acceptor, Speaker, stream_of
from ingest.easy import NO_FLAGS, Easy, Turn
from ingest.ports import Record
from ingest.revisions import MICROSECOND
from ingest.sequences import Runs
from ingest.talkers import Place, Places, Talker
from ingest.valuing import RANGES, letters, within

MANY: Final = 20_000
"""Texts of times that are remembered: devices speak of the same instants."""
RUN_0: Final = Runs().known("", 0) or 0
"""Index of the run in which nearly all devices speak for ever."""
_FAR: Final = 2**40

ANY: Final = Wires()
READERS: Final = {realm: Wires(ranges) for realm, ranges in RANGES.items()}
"""Read the messages of devices of one realm, and find values out of range on the way."""


class Express:
    """Judges easy messages by the registry of an acceptor."""

    def __init__(self, acceptor: Acceptor) -> None:
        self.acceptor = acceptor
        self._from = self._until = 0
        self._talkers: dict[str, Talker | None] = {}
        self._times: dict[object, dict[str | int, int]] = {}

    def easy(self, records: Sequence[Record], runs: Runs) -> list[Easy | None]:
        """Data messages in their order: those in a row of which every reading is accepted without a refusal, and None for one that must go the long way."""
        received = [record.received_ns for record in records]
        if not self._from <= min(received) <= max(received) < self._until:
            self._another_day(received[0])
            behind = next((place for place, at in enumerate(received) if not self._from <= at < self._until), 0)
            if behind:  # midnight lies between
                return [*self.easy(records[:behind], runs), *self.easy(records[behind:], runs)]
        known = self._talkers
        talkers = [known.get(record.topic) for record in records]
        if None in talkers:
            talkers = [known[record.topic] if record.topic in known else self._met(record) for record in records]
        return self._judged(records, talkers, runs)

    def _another_day(self, received_ns: int) -> None:
        """What a registry says of a device holds for one civil day."""
        day = (received_ns // NS + OFFSET_S) // DAY_S
        self._from = (day * DAY_S - OFFSET_S) * NS
        self._until = self._from + DAY_S * NS
        self._talkers.clear()

    def _read(self, records: Sequence[Record], talkers: Sequence[Talker | None]) -> Heard:
        """What each message says, by the reader of its device; None for what nobody reads here."""
        readers = [talker.reader if talker else None for talker in talkers]
        found: list[Sequence[Wire] | None] = [None] * len(records)
        for reader, wires in {talker.reader: talker.wires for talker in talkers if talker}.items():
            if readers.count(reader) == len(readers):
                return wires.hear([record.payload for record in records], reader)
            places = [place for place, own in enumerate(readers) if own is reader]
            for place, some in zip(places, wires.hear([records[place].payload for place in places], reader).messages, strict=True):
                found[place] = some
        return Heard(found)

    def _judged(self, records: Sequence[Record], talkers: Sequence[Talker | None], runs: Runs) -> list[Easy | None]:
        heard = self._read(records, talkers)
        easy = abreast(records, talkers, heard, self._instant) if heard.bare and len(self._times) == 1 else None
        if easy:
            return [easy]
        found = heard.messages
        messages, parts, place = zip(records, talkers, found, strict=True), list[Easy | None](), 0
        while place < len(records):
            if not found[place]:
                next(messages)
                parts.append(None)
                place += 1
                continue
            easy = Easy([], [], [], [], [])
            self._take(messages, easy, runs)
            begun, place = place, place + len(easy.whose)
            if place > begun:
                parts.append(easy._replace(records=records[begun:place]))
            if place < len(records):
                parts.append(None)
                place += 1
        return parts

    def _take(self, messages: Iterable[tuple[Record, Talker | None, Sequence[Wire] | None]], easy: Easy, runs: Runs) -> None:
        """Take messages for as long as all their readings are accepted; the one that ends this is passed over."""
        _, whose, starts, numbers, rows = easy
        at = now = 0
        for record, talker, wires in messages:
            if (
                not wires
                or talker is None
                or record.flags & RETAINED
                or (turn := _turn(talker.speaker.id, wires[0].run, runs) if wires[0].run else talker.first) is None
            ):
                return
            start, run, received_ns = len(rows), wires[0].run, record.received_ns
            if received_ns != at:
                at, now = received_ns, received_ns // NS
            for wire in wires:
                time = talker.times.get(wire.time) or self._instant(talker, wire.time)
                if not talker.since < time <= talker.until:
                    self._turn_to(talker, time)
                place, values = talker.places.get(wire.source), wire.values
                flags = NO_FLAGS if wire.flags is UNSET and wire.corrects is UNSET and wire.run is run else _flags(wire, run)
                if (
                    place is None
                    or flags is None
                    or not -FUTURE_S <= now - time <= place.oldest
                    or (not isinstance(values, Sent) and not values)
                    or (place.ranges is not None and not within(values, place.ranges))
                ):
                    del rows[start:], numbers[start:]
                    return
                seq = wire.seq if type(wire.seq) is int else None
                rows.append(Reading(place.kind, place.id, wire.span, time, values, flags, received_ns // MICROSECOND if seq is None else turn[1] + seq))
                numbers.append(seq)
            if not isinstance(wires[0].values, Sent):
                talker.spoke(wires[0])
            whose.append(turn[0])
            starts.append(start)

    def _met(self, record: Record) -> Talker | None:
        """The device behind a topic that is new today; None where it is not one of data."""
        speaker = self.acceptor.speaker(record) if stream_of(record.topic) == "data" else None
        talker = None
        if isinstance(speaker, Speaker) and speaker.device is not None and speaker.rule is None and len(self._talkers) < MANY:
            realms = {self.acceptor.registry.kinds[name] for name in self.acceptor.rights(speaker, record.received_ns // NS).sources}
            realm = realms.pop() if len(realms) == 1 else ""
            times = self._times.setdefault((speaker.zone, speaker.time_unit), {})
            wires = READERS.get(realm, ANY)
            talker = Talker(speaker, realm, wires, wires, times, ((speaker.id, 0), revision(RANK_DEVICE, RUN_0, 0)))
        if len(self._talkers) < MANY:
            self._talkers[record.topic] = talker
        return talker

    def _instant(self, talker: Talker, what: str | int) -> int:
        """Instant of a time as it stands in a message [s]; 0 if it needs a closer look."""
        try:
            unit = 1000 if talker.speaker.time_unit == "ms" else 1
            time = parse_time(what, talker.speaker.zone) if isinstance(what, str) else what // unit
        except (ValueError, OverflowError):
            return 0
        if not YEAR_2000 <= time < _FAR:
            return 0
        if len(talker.times) >= MANY:
            talker.times.clear()
        talker.times[what] = time
        return time

    def _turn_to(self, talker: Talker, time: int) -> None:
        """The device speaks of another day."""
        day = day_of(time)
        places = talker.days.get(day)
        talker.turn_to(day, self._places(talker, time) if places is None else places)

    def _places(self, talker: Talker, time: int) -> Places:
        """For whom the device speaks on the day of an instant."""
        rights = self.acceptor.rights(talker.speaker, time)
        if time < YEAR_2000 or rights.early or rights.state in {None, "retired"}:
            return {}
        kinds, keeps = self.acceptor.registry.kinds, self.acceptor.keeps
        found: Places = {}
        for name in rights.sources:
            kind = kinds[name]
            found[name] = Place(name, kind, None if kind == talker.realm else RANGES[kind], min(TOO_OLD_S, keeps.get(kind, TOO_OLD_S)))
        if len(rights.sources) == 1:
            found[None] = found[UNSET] = found[rights.sources[0]]
        return found


def _turn(device: str, run: int, runs: Runs) -> Turn | None:
    """None for a run that has no place among the device's others yet."""
    index = runs.known(device, run)
    return None if index is None else ((device, run), revision(RANK_DEVICE, index, 0))


def _flags(wire: Wire, run: int | UnsetType) -> dict[str, str] | None:
    """Flags of a reading other than N; None where something about it needs a closer look."""
    if wire.corrects or (wire.run or 0) != (run or 0):
        return None
    return letters(wire.flags, wire.values) if wire.flags else NO_FLAGS
