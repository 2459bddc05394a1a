"""A glimpse ahead of the forwarder: what was measured last, while the store is away and nothing is decided.

Decided is only what the forwarder has stored. But who is silent and what the newest value is must not freeze with the store, so
the journal is read ahead of the cursor and each source's newest reading is kept: memory grows with the sources, never with the
backlog. Nothing of it enters the store or a count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from domain.places import Registry
from ingest.accept import Acceptor, Verdict, device_of, stream_of
from ingest.easy import Easy
from ingest.express import Express
from ingest.foresight import STRIDE
from ingest.ports import Latest, Reader, Record
from ingest.sequences import Runs

WRITERS: Final = ("mqtt", "hj212")
"""The doors of devices; what an import brings is history."""
SLICE: Final = 50_000
"""Readings read at once: after a restart the whole backlog lies between the cursor and now."""
WHOLE: Final = 1_000
"""A slice of so many readings is looked at whole; of a fuller one only each device's newest messages."""
NEWEST: Final = 2
NEAR: Final = 20_000
"""So many records before the end are looked at first: whoever speaks is among them, and after hours without a store those before fill minutes."""

Series = tuple[str, int]
Row = tuple[str, int, str, int, int, int, str]
"""A :class:`ingest.ports.Latest` without its items."""
Items = Callable[[], dict[str, tuple[float | None, str]]]


@dataclass
class Glimpse:
    """Follows the journals behind the cursors as they stood when it began.

    Attributes
    ----------
    reader : callable
        ``reader(writer, after)`` follows a writer's journal behind a sequence number.
    cursor, end : callable
        ``cursor(writer)``: last record behind the forwarder; ``end(writer)``: last durable one.
    registry : callable
        In force now.
    """

    reader: Callable[[str, int], Reader]
    cursor: Callable[[str], int]
    end: Callable[[str], int]
    registry: Callable[[], Registry]
    latest: dict[Series, Latest] = field(default_factory=dict)
    """Newest reading of each source and span that is not decided yet."""
    _near: dict[str, Reader] = field(default_factory=dict)
    _far: dict[str, tuple[Reader, int]] = field(default_factory=dict)
    """Readers of what lies before the near ones, and where those began; gone once they are there."""

    def __post_init__(self) -> None:
        self._judge, self._express = _judge(self.registry())

    def look(self) -> bool:
        """Read one slice of every door, at the end of its journal and, until all is known, behind the cursor; whether there may be more."""
        if not self._near:
            self._begin()
        registry = self.registry()
        if registry is not self._judge.registry:
            self._judge, self._express = _judge(registry)
        full = [self._slice(reader.read(SLICE)) for reader in self._near.values()]
        for writer, (reader, until) in list(self._far.items()):
            records = [record for record in reader.read(SLICE) if record.seq <= until]
            self._slice(records, late=True)
            if not records or records[-1].seq >= until:
                del self._far[writer]
        for reader in (*self._near.values(), *(reader for reader, _ in self._far.values())):
            reader.take_losses()  # named by the forwarder when it comes to them
        return any(full) or bool(self._far)

    def _begin(self) -> None:
        for writer in WRITERS:
            cursor = self.cursor(writer)
            near = max(cursor, self.end(writer) - NEAR)
            self._near[writer] = self.reader(writer, near)
            if near > cursor:
                self._far[writer] = self.reader(writer, cursor), near

    def _slice(self, records: Sequence[Record], *, late: bool = False) -> bool:
        """Look at a slice, one that lies before what was seen already if ``late``; whether it was a full one."""
        count = sum(record.readings for record in records)
        wanted = [record for record in (records if count <= WHOLE else _newest(records)) if stream_of(record.topic) == "data"]
        size = max(1, STRIDE * len(wanted) // max(1, sum(record.readings for record in wanted)))
        for start in range(0, len(wanted), size):
            for one, values in self._sights(wanted[start : start + size]):
                known = self.latest.get(one[:2])
                if known is None or one[3] >= known.time + late:
                    self.latest[one[:2]] = Latest._make((*one, values()))
        return count >= SLICE

    def _sights(self, records: Sequence[Record]) -> Iterator[tuple[Row, Items]]:
        """What records say, in their order."""
        place = 0
        for part in self._express.easy(records, Runs()):
            yield from _easy(part) if part else _hard(self._judge.judge(records[place]))
            place += len(part.records) if part else 1


def _newest(records: Sequence[Record]) -> Iterable[Record]:
    """The last messages of each device, in their order."""
    left: dict[str, int] = {}
    found: list[Record] = []
    for record in reversed(records):
        device = device_of(record.topic) or record.topic
        if left.setdefault(device, NEWEST):
            left[device] -= 1
            found.append(record)
    return reversed(found)


def _judge(registry: Registry) -> tuple[Acceptor, Express]:
    """Both ways through accept."""
    acceptor = Acceptor(registry)
    return acceptor, Express(acceptor)


def _hard(verdicts: Iterable[Verdict]) -> Iterator[tuple[Row, Items]]:
    """Sights of verdicts, as rows without their revision: that is decided with the batch, and nobody may take these for decided."""
    for sight in [verdict.sight for verdict in verdicts]:
        if sight:
            yield (sight.source, sight.span, sight.kind, sight.time, 0, sight.received_ns, sight.device), partial(_items, sight.values, sight.flags)


def _easy(part: Easy) -> Iterator[tuple[Row, Items]]:
    """The same of easy messages, of each series the newest: a device may say a hundred readings at once."""
    newest: dict[Series, int] = {}
    for place, row in enumerate(part.rows):
        known = newest.get((row.source, row.span))
        if known is None or row.time >= part.rows[known].time:
            newest[row.source, row.span] = place
    for place in newest.values():
        row, (record, device, _, _) = part.rows[place], part.origin(place)
        yield (row.source, row.span, row.kind, row.time, 0, record.received_ns, device), partial(_items, row.values, row.flags)


def _items(values: Mapping[str, float | None], flags: Mapping[str, str]) -> dict[str, tuple[float | None, str]]:
    return {name: (value, "W" if value is None else flags.get(name, "N")) for name, value in values.items()}
