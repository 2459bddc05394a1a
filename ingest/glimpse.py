"""A glimpse ahead of the forwarder: what was measured last, while the store is away and nothing is decided.

Decided is only what the forwarder has stored. But who is silent and what the newest value is must not freeze with the store, so
the journal is read ahead of the cursor and each source's newest reading is kept: memory grows with the sources, never with the
backlog. Nothing of it enters the store or a count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from domain.places import Registry
from ingest.accept import Acceptor, Sight, device_of, stream_of
from ingest.ports import Latest, Reader, Record

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

    def look(self) -> bool:
        """Read one slice of every door, at the end of its journal and, until all is known, behind the cursor; whether there may be more."""
        if not self._near:
            self._begin()
        acceptor = Acceptor(self.registry())
        full = [self._slice(acceptor, reader.read(SLICE)) for reader in self._near.values()]
        for writer, (reader, until) in list(self._far.items()):
            records = [record for record in reader.read(SLICE) if record.seq <= until]
            self._slice(acceptor, records, late=True)
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

    def _slice(self, acceptor: Acceptor, records: Sequence[Record], *, late: bool = False) -> bool:
        """Look at a slice, one that lies before what was seen already if ``late``; whether it was a full one."""
        count = sum(record.readings for record in records)
        for record in records if count <= WHOLE else _newest(records):
            self._see(acceptor, record, late=late)
        return count >= SLICE

    def _see(self, acceptor: Acceptor, record: Record, *, late: bool) -> None:
        if stream_of(record.topic) != "data":
            return
        for verdict in acceptor.judge(record):
            sight = verdict.sight
            known = self.latest.get((sight.source, sight.span)) if sight else None
            if sight and (known is None or sight.time >= known.time + late):
                self.latest[sight.source, sight.span] = _latest(sight)


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


def _latest(sight: Sight) -> Latest:
    # Its revision is decided with the batch; nobody may take this one for decided.
    items = {name: (value, "W" if value is None else sight.flags.get(name, "N")) for name, value in sight.values.items()}
    return Latest(sight.source, sight.span, sight.kind, sight.time, 0, sight.received_ns, sight.device, items)
