"""The short way through accept, for what nearly every message is: valid readings of a registered device. Pure.

It takes a message whole, or leaves it whole to :class:`ingest.accept.Acceptor`, whose verdict on what is taken here would be the
same. Nothing is decided here that is not decided there; this way exists because a backlog drains as fast as this loop.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from msgspec import UNSET, UnsetType

from domain.civil import DAY_S, OFFSET_S, parse_time
from domain.message import Wire, wires
from domain.readings import DEVICE_FLAGS, RANK_DEVICE, Reading, revision
from domain.reasons import FUTURE_S, TOO_OLD_S
from ingest.accept import DAILY, LIMITS, NS, RETAINED, YEAR_2000, Acceptor, Speaker, stream_of
from ingest.ports import Record
from ingest.revisions import MICROSECOND
from ingest.sequences import Runs

MOST: Final = sys.float_info.max
MANY: Final = 20_000
"""Texts of times that are remembered: devices speak of the same instants."""
_FAR: Final = 2**40
_NO_FLAGS: Final[dict[str, str]] = {}
"""Shared by all rows without flags; nobody writes into them."""

Ranges = dict[str, tuple[float, float]]
RANGES: Final[dict[str, Ranges]] = {
    realm: {name: (max(low, -MOST), min(high, MOST)) for name, (low, high, _) in items.items() if name not in DAILY} for realm, items in LIMITS.items()
}
"""Range within which a value needs no second look: realm → item → (low, high), both finite."""


class Easy(NamedTuple):
    """A message all of whose readings are accepted: who speaks in which run, the numbers, and the rows with their revisions."""

    device: str
    run: int
    numbers: list[int | None]
    rows: list[Reading]


@dataclass(slots=True)
class _Place:
    """A source on one day: its table, the ranges of its items, and the greatest age at receipt [s]."""

    id: str
    kind: str
    ranges: Ranges
    oldest: int


@dataclass(slots=True)
class _Talker:
    """A device on the day of receipt.

    Attributes
    ----------
    times : dict
        Instant of each time as it stands in messages.
    days : dict of civil day to dict
        Places that it may speak for, by name and, if there is one only, without a name; no places where the day needs a closer look.
    """

    speaker: Speaker
    times: dict[str | int, int]
    days: dict[int, dict[str | UnsetType | None, _Place]] = field(default_factory=dict)


class Express:
    """Judges easy messages by the registry of an acceptor."""

    def __init__(self, acceptor: Acceptor) -> None:
        self.acceptor = acceptor
        self._day = -1
        self._talkers: dict[str, _Talker | None] = {}
        self._times: dict[object, dict[str | int, int]] = {}

    def easy(self, record: Record, runs: Runs) -> Easy | None:
        """Every reading of a data message, all of them accepted without a refusal; None if the message must go the long way."""
        day = (record.received_ns // NS + OFFSET_S) // DAY_S
        if day != self._day:
            self._day = day
            self._talkers.clear()
        topic = record.topic
        talker = self._talkers[topic] if topic in self._talkers else self._met(record)
        if talker is None or record.flags & RETAINED:
            return None
        found = wires(record.payload)
        if not found:
            return None
        device, run = talker.speaker.id, found[0].run or 0
        index = runs.known(device, run)
        rows = None if index is None else self._rows(talker, found, record.received_ns, (run, revision(RANK_DEVICE, index, 0)))
        return Easy(device, run, [wire.seq if type(wire.seq) is int else None for wire in found], rows) if rows else None

    def _rows(self, talker: _Talker, found: list[Wire], received_ns: int, turn: tuple[int, int]) -> list[Reading] | None:
        received, times, days = received_ns // NS, talker.times, talker.days
        run, base = turn
        rows: list[Reading] = []
        for wire in found:
            time = times.get(wire.time) or self._instant(talker, wire.time)
            day = (time + OFFSET_S) // DAY_S
            places = days.get(day)
            if places is None:
                places = days[day] = self._places(talker, time)
            place = places.get(wire.source)
            values, seq = wire.values, wire.seq
            if place is None or not -FUTURE_S <= received - time <= place.oldest or wire.corrects:
                return None
            flags = _flags(wire.flags, values) if wire.flags else _NO_FLAGS
            if flags is None or (wire.run or 0) != run or not _within(values, place.ranges):
                return None
            if 0.0 in values.values():
                values = {name: value + 0.0 for name, value in values.items() if value is not None}  # -0.0 becomes 0.0
            rev = base + seq if type(seq) is int else received_ns // MICROSECOND
            rows.append(Reading(place.kind, place.id, wire.span, time, values, flags, rev))
        return rows

    def _met(self, record: Record) -> _Talker | None:
        """The device behind a topic that is new today; None where it is not one of data."""
        speaker = self.acceptor.speaker(record) if stream_of(record.topic) == "data" else None
        talker = None
        if isinstance(speaker, Speaker) and speaker.device is not None and speaker.rule is None and len(self._talkers) < MANY:
            talker = _Talker(speaker, self._times.setdefault((speaker.zone, speaker.time_unit), {}))
        if len(self._talkers) < MANY:
            self._talkers[record.topic] = talker
        return talker

    def _instant(self, talker: _Talker, what: str | int) -> int:
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

    def _places(self, talker: _Talker, time: int) -> dict[str | UnsetType | None, _Place]:
        """For whom the device speaks on the day of an instant."""
        rights = self.acceptor.rights(talker.speaker, time)
        if time < YEAR_2000 or rights.early or rights.state in {None, "retired"}:
            return {}
        kinds, keeps = self.acceptor.registry.kinds, self.acceptor.keeps
        found: dict[str | UnsetType | None, _Place] = {}
        for name in rights.sources:
            kind = kinds[name]
            found[name] = _Place(name, kind, RANGES[kind], min(TOO_OLD_S, keeps.get(kind, TOO_OLD_S)))
        if len(rights.sources) == 1:
            found[None] = found[UNSET] = found[rights.sources[0]]
        return found


def _flags(sent: dict[str, str], values: dict[str, float | None]) -> dict[str, str] | None:
    """Flags other than N of items that are there; None where one needs a second look."""
    for name, flag in sent.items():
        if flag not in DEVICE_FLAGS or name not in values:
            return None
    return {name: flag for name, flag in sent.items() if flag != "N"}


def _within(values: dict[str, float | None], ranges: Ranges) -> bool:
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
