"""A stretch of the record by receive time, for replay, reconciliation and export; memory stays bounded however long it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Final

from lanbi.frames import Record
from lanbi.journal_bytes import files, open_sealed
from lanbi.journal_files import first_seq, newest_trailer
from lanbi.journal_reader import JournalReader, Loss
from lanbi.sealed import Block
from lanbi.seals import read_index

STEP: Final = 100
"""Readings in memory at a time, about."""
_END: Final = 2**63


def between(folder: Path, writer: str, since_ns: int, to_ns: int, lost: Callable[[Loss], None] = lambda _: None) -> Iterator[Record]:
    """Durable records of a writer with since ≤ receive time < to, in the order of the journal.

    That order is the order of receipt, also where the clock was set back: then receive times fall, and no record of the
    range is missed for it. Of sealed files only the blocks are inflated that may hold something of the range.

    Parameters
    ----------
    since_ns, to_ns : int [ns since 1970 UTC]
        The range, its end not included.
    lost : callable
        Told of damage that was passed over on the way. The receive times of what stood there are unknown, so it may lie
        outside the range.

    Raises
    ------
    JournalError
        A file of the range lies in an archive that is not there.
    """
    for after, last in _stretches(folder, writer, since_ns, to_ns):
        reader = JournalReader(folder, writer, after)
        while found := reader.read(STEP):
            for loss in reader.take_losses():
                lost(loss)
            yield from (one for one in found if since_ns <= one.received_ns < to_ns and one.seq <= last)
            if found[-1].seq >= last:
                break
        for loss in reader.take_losses():
            lost(loss)


def begin(folder: Path, writer: str, since_ns: int) -> int:
    """The sequence number behind which everything is found that a writer received since then."""
    after = next((after for after, _ in _stretches(folder, writer, since_ns, _END)), None)
    return newest_trailer(folder, writer).last_seq if after is None else after


def _stretches(folder: Path, writer: str, since_ns: int, to_ns: int) -> Iterator[tuple[int, int]]:
    """Sequence numbers (behind this one, up to that one) between which all records of the range lie, neighbours joined."""
    after, last = 0, 0
    for begin, end in _parts(folder, writer, since_ns, to_ns):
        if begin > last:
            if last:
                yield after, last
            after = begin
        last = max(last, end)
    if last:
        yield after, last


def _parts(folder: Path, writer: str, since_ns: int, to_ns: int) -> Iterator[tuple[int, int]]:
    paths = files(folder, writer)
    ends = [*(first_seq(path) - 1 for path in paths[1:]), _END][: len(paths)]
    for path, end in zip(paths, ends, strict=True):
        if path.exists():
            yield first_seq(path) - 1, end
            continue
        before = Block(0, 0, 0, 0, 0, first_seq(path) - 1, 0, 0)
        index = read_index(path) or _members(path)
        for previous, block in pairwise([before, *index]):
            if block.last_ns >= since_ns and block.first_ns < to_ns and block.last_ns:
                yield previous.last_seq, block.last_seq if block is not index[-1] else end


def _members(path: Path) -> list[Block]:
    with open_sealed(path) as source:
        return source.index
