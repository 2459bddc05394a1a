"""The next batch of a writer, read and judged as far as that needs nobody's memory, while the store still writes the present one.

A backlog drains as fast as the slower of two: we and the store. Without this they would take turns at the end of every batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from ingest.easy import Easy
from ingest.judges import Judges
from ingest.ports import Loss, Reader, Record
from ingest.sequences import Runs

STRIDE: Final = 256
"""Readings between two looks at whether the store is done: what is read together costs a third less, and no more than half a millisecond."""

TOGETHER: Final = 20_000
"""Records of a batch at most: batches of 60,000 single readings took 65 MB more than these and were no quicker."""


@dataclass
class Foreseen:
    """What a reader gave, and verdicts about the first of it.

    Attributes
    ----------
    after, readings : int
        The cursor behind these records.
    count : int
        Readings that the records were counted for, and those of the losses.
    more : bool
        Others lie behind them.
    judges : Judges or None
        Whose verdicts about the first records (``glanced`` of them) stand in ``easy``; those of a registry that is no longer in force do not count.
    """

    records: Sequence[Record]
    losses: Sequence[Loss]
    after: int
    readings: int
    count: int
    more: bool
    judges: Judges | None = None
    easy: list[Easy | None] = field(default_factory=list)
    glanced: int = 0

    def verdicts(self, judges: Judges, runs: Runs) -> Iterator[Easy | None]:
        """What the short way makes of all records, in their order; see :meth:`ingest.judges.Judges.glance`."""
        if self.judges is not judges:
            self.judges, self.easy, self.glanced = judges, [], 0
        yield from self.easy
        while self.glanced < len(self.records):
            yield from self.glance(judges, runs)

    def glance(self, judges: Judges, runs: Runs) -> Sequence[Easy | None]:
        """Judge the next stride."""
        size = max(1, STRIDE * len(self.records) // max(1, self.count))
        found = judges.glance(self.records[self.glanced : self.glanced + size], runs)
        self.glanced += size
        return found


def read(reader: Reader, limit: int) -> Foreseen:
    """The next records of a writer, about ``limit`` readings of them, in no more messages than :data:`TOGETHER`."""
    before = reader.readings
    records = reader.read(limit, TOGETHER)
    count = reader.readings - before
    return Foreseen(records, reader.take_losses(), reader.after, reader.readings, count, reader.more)


def foresee(found: Foreseen, judges: Judges, runs: Runs) -> Iterator[None]:
    """Judge easy messages, a few between two yields. A run gets no index here: that follows the order of batches."""
    found.judges = judges
    while found.glanced < len(found.records):
        found.easy += found.glance(judges, runs)
        yield
