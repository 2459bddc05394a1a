"""A walk over the journal behind the cursors, and what each record says must stand in the store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from domain.message import Refusal
from domain.readings import Key, Reading
from ingest.accept import IMPORT, Acceptor, Sight, Verdict
from ingest.deadletters import rows
from ingest.entries import kind_of
from ingest.memory import Memory
from ingest.ports import Cell, Cells, Journal, Reader, Record, State
from ingest.replaying import CONFLICT, Standing
from ingest.revisions import cells_of, merge, revision_of, row_of

WRITERS: Final = ("mqtt", "hj212", "import")
"""Doors that readings come through."""


@dataclass
class Walk:
    """Records received since a moment, door by door, up to the cursors and on behind them; ``at`` = where to begin, if known."""

    journal: Journal
    since_ns: int
    unreadable: int = 0
    at: dict[str, int] = field(default_factory=dict)
    _readers: dict[str, Reader] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.at = {writer: self.at.get(writer, 0) if self.at else self.journal.begin(writer, self.since_ns) for writer in WRITERS}

    def slices(self, cursors: Mapping[str, int], limit: int) -> Iterator[tuple[str, list[Record]]]:
        """The next records, about ``limit`` readings of them, door by door."""
        for writer in WRITERS:
            upto = cursors.get(writer, 0)
            while limit > 0 and self.at[writer] < upto:
                found = self._read(writer, upto, limit)
                limit -= sum(max(1, one.readings) for one in found)
                yield writer, [one for one in found if one.received_ns >= self.since_ns]

    def up_to_date(self, cursors: Mapping[str, int]) -> bool:
        """Whether everything behind the cursors was walked."""
        return all(self.at[writer] >= cursors.get(writer, 0) for writer in WRITERS)

    def _read(self, writer: str, upto: int, limit: int) -> list[Record]:
        reader = self._readers.get(writer) or self.journal.reader(writer, self.at[writer])
        found = reader.read(limit)
        self.unreadable += sum(loss.readings for loss in reader.take_losses())
        self._readers[writer] = reader
        self.at[writer] = reader.after if found else upto
        if found and found[-1].seq > upto:
            # What lies beyond the cursor is not decided yet: it is read again later.
            del self._readers[writer]
            self.at[writer] = upto
        return [one for one in found if one.seq <= upto]


class Said(NamedTuple):
    """What one record says of one row."""

    record: Record
    verdict: Verdict
    sight: Sight
    rev: int

    @property
    def key(self) -> Key:
        """The row."""
        return Key(*self.sight[:4])

    def is_row(self, stored: Reading) -> bool:
        """Whether a row says exactly this, as nearly all do."""
        return stored.rev == self.rev and stored.values == self.sight.values and stored.flags == self.sight.flags


@dataclass
class Listening:
    """Turns records into what they say: by today's registry, and where that refuses, by the one of their receipt.

    What a standing refusal took out is not said. Where the two registries lead to different rows, either may stand.
    """

    journal: Journal
    state: State
    _acceptors: dict[str, Acceptor] = field(default_factory=dict)

    def said(self, writer: str, records: Sequence[Record], acceptor: Acceptor, memory: Memory) -> list[tuple[Said, Said | None]]:
        """What each record says, element by element, and what it said by the registry of its receipt, if that is another row."""
        data = [record for record in records if kind_of(record) == "data"]
        standing = Standing.of(self.state.standing(writer, data[0].seq, data[-1].seq) if data else ())
        return [pair for record in data for pair in self._of(record, standing, acceptor, memory)]

    def _of(self, record: Record, standing: Standing, acceptor: Acceptor, memory: Memory) -> list[tuple[Said, Said | None]]:
        past = self.journal.registry(record.received_ns)
        now = self._heard(record, acceptor, standing, memory)
        if past.version == acceptor.registry.version:
            return [(one, None) for one in now.values()]
        if past.version not in self._acceptors:
            self._acceptors[past.version] = Acceptor(past, acceptor.keeps)
        then = self._heard(record, self._acceptors[past.version], standing, memory)
        pairs: list[tuple[Said, Said | None]] = []
        for element in sorted({*now, *then}):
            first, second = now.get(element) or then[element], then.get(element)
            pairs.append((first, second if second and second.sight[:6] != first.sight[:6] else None))
        return pairs

    def _heard(self, record: Record, acceptor: Acceptor, standing: Standing, memory: Memory) -> dict[int, Said]:
        found: dict[int, Said] = {}
        for verdict in acceptor.judge(record):
            sight = _left(verdict, record.seq, standing)
            index = 0 if sight is None or sight.imported or sight.seq is None else memory.runs.index(sight.device, sight.run)
            if sight is not None and index is not None:
                found[verdict.element] = Said(record, verdict, sight, revision_of(sight, index))
        return found

    def held_before(self, one: Said, item: str) -> bool:
        """Whether an import said this before and was held: its bytes are refused once only, so no refusal of this record tells."""
        if one.record.writer != IMPORT:
            return False
        (row,) = rows(one.record, one.verdict, [Refusal(CONFLICT, "", item)])
        return bool(self.state.known_refusals([row.digest]))


def _left(verdict: Verdict, seq: int, standing: Standing) -> Sight | None:
    """The reading without what standing refusals took out of it."""
    sight = verdict.sight
    if sight is None or seq not in standing.book:
        return sight
    if standing.around(seq, verdict.element):
        return None
    values = {item: value for item, value in sight.values.items() if not standing.at(seq, verdict.element, item)}
    return sight._replace(values=values) if values else None


def folded(said: Sequence[Said], cells: Cells | None = None) -> Cells:
    """Cells of a row after records have spoken in this order."""
    found: Cells = dict(cells or {})
    for one in said:
        found = merge(one.sight, one.rev, found).cells
    return found


def agrees(stored: Reading, said: Sequence[Said]) -> bool:
    """Whether a row that was written once may stand beside what these records say: same values, revision not lower."""
    cells = cells_of(stored)
    merged = [merge(one.sight, one.rev, cells) for one in said]
    return not any(one.stored or one.raised or one.conflicts for one in merged)


def mended(stored: Reading, said: Sequence[Said]) -> Reading:
    """A row with the values that its records say; what else stands in it is kept, its history being out of sight."""
    cells = cells_of(stored)
    for one in said:
        for item, value in one.sight.values.items():
            old = cells.get(item)
            cells[item] = Cell(value, one.sight.flags.get(item, "N"), max(one.rev, old.rev if old else 0))
    return row_of(said[-1].sight, cells)
