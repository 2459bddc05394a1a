"""The next batch of a writer, read and judged as far as that needs nobody's memory, while the store still writes the present one.

A backlog drains as fast as the slower of two: we and the store. Without this they would take turns at the end of every batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from ingest.express import Easy
from ingest.judges import Judges
from ingest.ports import Loss, Reader, Record
from ingest.sequences import Runs

STRIDE: Final = 32
"""Records between two looks at whether the store is done."""


@dataclass
class Foreseen:
    """What a reader gave, and verdicts about the first of it.

    Attributes
    ----------
    after, readings : int
        The cursor behind these records.
    full : bool
        There is probably more.
    judges : Judges or None
        Whose verdicts stand in ``easy``; those of a registry that is no longer in force do not count.
    """

    records: Sequence[Record]
    losses: Sequence[Loss]
    after: int
    readings: int
    full: bool
    judges: Judges | None = None
    easy: list[Easy | None] = field(default_factory=list)

    def verdicts(self, judges: Judges) -> list[Easy | None]:
        """Verdicts that count for the first records."""
        return self.easy if self.judges is judges else []


def read(reader: Reader, limit: int) -> Foreseen:
    """The next records of a writer, about ``limit`` readings of them."""
    before = reader.readings
    records = reader.read(limit)
    return Foreseen(records, reader.take_losses(), reader.after, reader.readings, reader.readings - before >= limit)


def foresee(found: Foreseen, judges: Judges, runs: Runs) -> Iterator[None]:
    """Judge easy messages, a few between two yields. A run gets no index here: that follows the order of batches."""
    found.judges = judges
    for place, record in enumerate(found.records, 1):
        found.easy.append(judges.glance(record, runs))
        if place % STRIDE == 0:
            yield
