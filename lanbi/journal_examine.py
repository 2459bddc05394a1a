"""Examining a journal file whole: every commit against the chain of digests, every fault with the records that it concerns.

The digest of a commit covers all bytes of its frames, so a commit that fits needs no look at single checksums. Where one does
not fit, its frames are looked at one by one.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from lanbi.frames import EMPTY, FRAME, HEAD, HEADER_SIZE, MAX_BODY, TRAILER_SIZE, Damage, Header, Trailer, chained, piece
from lanbi.journal_bytes import Source, open_bytes
from lanbi.journal_files import first_seq, opening, salt_of
from lanbi.journal_walk import Walk
from lanbi.sealed import SealedBytes

_CHUNK: Final = 1 << 22
_HOP: Final = struct.Struct("<4sIIQQ")
NEVER: Final = 2**63


class Fault(NamedTuple):
    """What is wrong at ``offset`` of the plain file; it concerns the records ``first`` to ``last``, and ``lost`` of them are gone."""

    path: Path
    offset: int
    first: int
    last: int
    lost: int
    what: str


class Commit(NamedTuple):
    """A commit that was passed: where it lies, the totals behind it, and bounds of its receive times."""

    offset: int
    end: int
    totals: Trailer
    first_ns: int
    last_ns: int


class _Window:
    """The part of a file that is looked at; it moves forward only, and all that it reads in one row is hashed."""

    def __init__(self, source: Source, end: int) -> None:
        self.data, self._base, self._end, self._source = b"", 0, end, source
        self.sha256 = hashlib.sha256()
        self.hashed = 0
        self._read(HEADER_SIZE, 0)

    def at(self, offset: int) -> int:
        """Place of ``offset`` in :attr:`data`."""
        if offset >= self._base + len(self.data):
            self.data, self._base = self._read(min(_CHUNK, self._end - offset), offset), offset
        return offset - self._base

    def grow(self, offset: int) -> bool:
        """Forget what stands before ``offset`` and take more behind; False if there is no more."""
        reached = self._base + len(self.data)
        kept = self.data[offset - self._base :]
        more = self._read(min(max(_CHUNK, len(kept)), self._end - reached), reached) if reached < self._end else b""
        self.data, self._base = kept + more, offset
        return bool(more)

    def _read(self, size: int, offset: int) -> bytes:
        data = self._source.pread(size, offset)
        if offset == self.hashed:
            self.sha256.update(data)
            self.hashed += len(data)
        return data


@dataclass
class Examination:
    """One file, walked through by :meth:`commits`; afterwards it knows what is wrong with it.

    Attributes
    ----------
    totals : Trailer or None
        At first those behind the file before (None: not known), then those behind the last commit passed.
    loose : int
        Records behind the last whole trailer: of the file before at first, then of this one.
    passed : int
        Offset behind the last commit passed.
    sha256 : str
        Of all bytes, if every commit of the whole file fitted.
    mended : list of (int, int)
        Records of sealed blocks that are damaged and were read by their parity: first and last, about.
    unlinked : int
        Last record that the digests behind it do not cover, because a fault lies between; 0 if there is none.
    """

    path: Path
    totals: Trailer | None
    loose: int = 0
    faults: list[Fault] = field(default_factory=list)
    unlinked: int = 0
    passed: int = HEADER_SIZE
    sha256: str = ""
    mended: list[tuple[int, int]] = field(default_factory=list)
    header: Header | None = None
    _salt: int = 0

    def __post_init__(self) -> None:
        self.header = opening(self.path)
        self._salt = salt_of(self.path) or 0
        before, first = self.totals, first_seq(self.path)
        if self.header is None:
            self._fault(0, (first, first), 0, "the file's header is damaged")
            self.totals = before or (EMPTY if first == 1 else None)
        else:
            self.totals = self.header.before
            if before is not None and before != self.header.before:
                self._apart(before, self.header.before)
        self.loose = 0

    @property
    def lost(self) -> int:
        """Records that are gone."""
        return sum(fault.lost for fault in self.faults)

    @property
    def reached(self) -> int:
        """Last record passed."""
        return self.totals.last_seq if self.totals else first_seq(self.path) - 1

    def commits(self, end: int | None = None) -> Iterator[Commit]:
        """Pass every commit up to an offset (None: the file's end); faults are noted on the way."""
        with open_bytes(self.path) as source:
            end = source.size if end is None else end
            window = _Window(source, end)
            while self.passed < end:
                found = self._fitting(window, self.passed) or self._looked_at(self.passed, end)
                if found is None:
                    break
                self.passed, self.totals = found.end, found.totals
                yield found
            if window.hashed == source.size:
                self.sha256 = window.sha256.hexdigest()
            if isinstance(source, SealedBytes):
                self.mended = [source.records_of(number) for number in sorted(source.mended)]

    def _fitting(self, window: _Window, at: int) -> Commit | None:
        """The commit that begins here, if it is what was written."""
        before = self.totals
        while True:
            place = window.at(at)
            stop, count, first_ns, last_ns = _hop(window.data, place)
            if stop + TRAILER_SIZE <= len(window.data) or not window.grow(at):
                break
        found = piece(window.data, stop, self._salt)
        if before is None or found is None or not isinstance(found.what, Trailer):
            return None
        totals = found.what
        if (totals.last_seq, totals.records) != (before.last_seq + count, before.records + count):
            return None
        if chained(before.digest, memoryview(window.data)[place:stop], totals) != totals.digest:
            return None
        return Commit(at, at + found.end - place, totals, first_ns, last_ns)

    def _looked_at(self, at: int, end: int) -> Commit | None:
        """The same of a commit that does not fit, frame by frame; None if the file ends before its trailer."""
        walk = Walk(self.path, self._salt, at)
        seen: list[int] = []
        damage: list[Damage] = []
        first_ns, last_ns = NEVER, 0
        for what in walk.walk(end):
            if isinstance(what, Trailer):
                self._judge(at, what, seen, damage)
                return Commit(at, walk.offset, what, first_ns, last_ns)
            if isinstance(what, Damage):
                damage.append(what)
            else:
                seen.append(what.seq)
                first_ns, last_ns = min(first_ns, what.received_ns), max(last_ns, what.received_ns)
        self.loose = len(seen)
        self.unlinked = seen[-1] if seen else self.reached
        offset = damage[0].offset if damage else at
        self._fault(offset, (self.reached + 1, max(self.unlinked, self.reached + 1)), 0, "the last commit of the file is damaged")
        return None

    def _judge(self, at: int, closing: Trailer, seen: list[int], damage: list[Damage]) -> None:
        before = self.totals
        if before is None:
            # Behind a damaged header nothing says where the chain begins: it begins here.
            self.unlinked = closing.last_seq
            return
        lost = max(0, closing.records - before.records - len(seen))
        offset = damage[0].offset if damage else at
        concerned = (before.last_seq + 1, closing.last_seq)
        if lost:
            first = _first_missing(before.last_seq + 1, seen)
            size = sum(one.size for one in damage)
            self._fault(offset, (first, first + lost - 1), lost, f"{size} damaged bytes" if damage else "records are missing")
        elif damage:
            self._fault(offset, concerned, 0, "the trailer of a commit is damaged; its records can be read, but nothing proves them")
        else:
            self._fault(offset, concerned, 0, "not what was written: the digest of the commit does not fit")
        self.unlinked = closing.last_seq

    def _apart(self, before: Trailer, header: Trailer) -> None:
        """The file does not begin where the one before it ended."""
        lost = max(0, header.records - before.records - self.loose)
        if lost:
            self._fault(0, (before.last_seq + self.loose + 1, header.last_seq), lost, "records before this file are gone")
        elif not self.loose:
            self._fault(0, (header.last_seq + 1, header.last_seq + 1), 0, "the file does not go on where the one before it ends")

    def _fault(self, offset: int, concerned: tuple[int, int], lost: int, what: str) -> None:
        self.faults.append(Fault(self.path, offset, *concerned, lost, what))


def _hop(data: bytes, at: int) -> tuple[int, int, int, int]:
    """From frame to frame by their lengths: where no further one begins, how many they were, bounds of their receive times."""
    unpack, size = _HOP.unpack_from, len(data) - _HOP.size
    count, first_ns, last_ns = 0, NEVER, 0
    while at <= size:
        magic, length, _, _, ns = unpack(data, at)
        if magic != FRAME or length > MAX_BODY:
            break
        count += 1
        first_ns = min(first_ns, ns)
        last_ns = max(last_ns, ns)
        at += HEAD.size + length
    return at, count, first_ns, last_ns


def _first_missing(expected: int, seen: list[int]) -> int:
    for seq in seen:
        if seq != expected:
            return expected
        expected += 1
    return expected
