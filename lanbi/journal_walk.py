"""Walking through a journal file piece by piece, in chunks, past whatever is damaged."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from lanbi.frames import Damage, Piece, Record, Trailer, piece, reach, resume, row
from lanbi.journal_bytes import open_bytes

_CHUNK: Final = 1 << 20

Group = list[Record] | Trailer | Damage
"""Records one behind the other, or what stands between two such rows."""


class Walk:
    """A journal file and how far it was read."""

    def __init__(self, path: Path, salt: int, offset: int) -> None:
        self.path = path
        self.salt = salt
        self.offset = offset

    def walk(self, end: int) -> Iterator[Record | Trailer | Damage]:
        """Everything from ``offset`` to ``end``, one by one; behind a trailer or damage ``offset`` is the end of it."""
        for group in self.groups(end):
            if isinstance(group, list):
                yield from group
            else:
                yield group

    def groups(self, end: int) -> Iterator[Group]:
        """The same with records in rows, read in chunks; damage comes with its place in the file."""
        size = _CHUNK
        with open_bytes(self.path) as source:
            while self.offset < end:
                before, wanted = self.offset, min(size, end - self.offset)
                data = source.pread(wanted, before)
                if not data:
                    return
                yield from self._chunk(data, last=before + wanted >= end or len(data) < wanted)
                # A frame longer than the chunk, or long damage: more at once.
                size = _CHUNK if self.offset > before else size * 4

    def _chunk(self, data: bytes, *, last: bool) -> Iterator[Group]:
        base, at = self.offset, 0
        while at < len(data):
            records, at = row(data, at, self.salt, len(data))
            self.offset = base + at
            if records:
                yield records
            found = piece(data, at, self.salt) or self._damaged(data, at, last=last)
            if not found:
                return
            at = found.end
            self.offset = base + at
            yield [found.what] if isinstance(found.what, Record) else found.what

    def _damaged(self, data: bytes, at: int, *, last: bool) -> Piece | None:
        """Damage at ``at``; None if the end of the chunk may only have cut a whole piece."""
        if not last and reach(data, at) > len(data):
            return None
        stop = resume(data, at + 1, self.salt)
        if stop == len(data) and not last:
            return None
        return Piece(Damage(self.offset, stop - at), stop)
