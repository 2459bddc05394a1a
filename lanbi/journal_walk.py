"""Walking through a journal file piece by piece, in chunks, past whatever is damaged."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from lanbi.frames import Damage, Piece, piece, reach, resume
from lanbi.journal_bytes import open_bytes

_CHUNK: Final = 1 << 20


class Walk:
    """A journal file and how far it was read."""

    def __init__(self, path: Path, salt: int, offset: int) -> None:
        self.path = path
        self.salt = salt
        self.offset = offset

    def walk(self, end: int) -> Iterator[Piece]:
        """Pieces from ``offset`` to ``end``, read in chunks; damage comes with its place in the file."""
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

    def _chunk(self, data: bytes, *, last: bool) -> Iterator[Piece]:
        base, at = self.offset, 0
        while at < len(data):
            found = piece(data, at, self.salt) or self._damaged(data, at, last=last)
            if not found:
                return
            at = found.end
            self.offset = base + at
            yield found

    def _damaged(self, data: bytes, at: int, *, last: bool) -> Piece | None:
        """Damage at ``at``; None if the end of the chunk may only have cut a whole piece."""
        if not last and reach(data, at) > len(data):
            return None
        stop = resume(data, at + 1, self.salt)
        if stop == len(data) and not last:
            return None
        return Piece(Damage(self.offset, stop - at), stop)
