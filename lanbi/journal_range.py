"""A stretch of the record by receive time, for replay, reconciliation and export; memory stays bounded however long it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from lanbi.frames import Record
from lanbi.journal_reader import JournalReader, Loss

STEP: Final = 100
"""Readings in memory at a time, about."""


def between(folder: Path, writer: str, since_ns: int, to_ns: int, lost: Callable[[Loss], None] = lambda _: None) -> Iterator[Record]:
    """Durable records of a writer with since ≤ receive time < to, in the order of the journal.

    That order is the order of receipt, also where the clock was set back: then receive times fall, and no record of the
    range is missed for it.

    Parameters
    ----------
    since_ns, to_ns : int [ns since 1970 UTC]
        The range, its end not included.
    lost : callable
        Told of damage that was passed over on the way. The receive times of what stood there are unknown, so it may lie
        outside the range.
    """
    reader = JournalReader(folder, writer)
    while found := reader.read(STEP):
        for loss in reader.take_losses():
            lost(loss)
        yield from (one for one in found if since_ns <= one.received_ns < to_ns)
    for loss in reader.take_losses():
        lost(loss)
