"""The journal: what was received, durable before it is acknowledged; everything else can be rebuilt from it.

One folder a writer, files ``<day>-<first seq>.lbj`` that are only appended to. A commit is one write of the group and its
trailer, then ``fdatasync``. Two rules for whoever edits this file: nothing is acknowledged before :meth:`JournalWriter.commit`
has returned, and a reader never hands out a record that no trailer follows.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from domain.civil import date_of, day_of, parse_date
from domain.errors import DataFolderBusy, JournalError
from lanbi.frames import DOORS, EMPTY, Damage, Record, Trailer, frame, last_trailer, pieces, trailer

SUFFIX: Final = ".lbj"
NS: Final = 1_000_000_000
__all__ = ["DOORS", "JournalReader", "JournalWriter", "Record", "Trailer", "files", "newest_trailer"]


def files(folder: Path, writer: str) -> list[Path]:
    """The writer's files, oldest first."""
    return sorted((folder / writer).glob(f"*{SUFFIX}"))


def first_seq(path: Path) -> int:
    """First sequence number of a file, from its name."""
    return int(path.stem.rsplit("-", 1)[1])


def newest_trailer(folder: Path, writer: str) -> Trailer:
    """Totals at the last commit; all zero for a journal that has not begun."""
    for path in reversed(files(folder, writer)):
        found = _tail(path)
        if found:
            return found[0]
    return EMPTY


def _tail(path: Path) -> tuple[Trailer, int] | None:
    """Last trailer of a file, looked for from its end: a file may be gigabytes."""
    size = path.stat().st_size
    reach = 1 << 16
    with path.open("rb") as handle:
        while True:
            start = max(0, size - reach)
            handle.seek(start)
            found = last_trailer(handle.read(size - start))
            if found:
                return found[0], start + found[1]
            if not start:
                return None
            reach *= 16


class JournalWriter:
    """The one appender of a writer's folder.

    Raises
    ------
    DataFolderBusy
        Another process appends here.
    """

    def __init__(self, folder: Path, writer: str) -> None:
        self.folder = folder / writer
        self.writer = writer
        self.folder.mkdir(parents=True, exist_ok=True)
        self._lock = _lock(self.folder / "lock")
        self.torn = 0
        """Bytes behind the last trailer that were set aside at opening."""
        self._file = -1
        self._day = -1
        self._size = 0
        self.committed = self._recover()
        self._group: list[bytes] = []
        self._pending = self.committed

    @property
    def pending(self) -> int:
        """Records appended and not yet committed."""
        return self._pending.records - self.committed.records

    def append(self, topic: str, payload: bytes, *, received_ns: int, readings: int = 1, flags: int = 0) -> int:
        """Take a message into the group in memory; returns its sequence number. Durable only after :meth:`commit`."""
        seq = self._pending.last_seq + 1
        record = Record(self.writer, seq, received_ns, flags, min(readings, 0xFFFF), topic, payload)
        self._group.append(frame(record))
        self._pending = Trailer(seq, self._pending.records + 1, self._pending.readings + record.readings, received_ns, b"")
        return seq

    def commit(self) -> Trailer:
        """Make the group durable: one write, one fdatasync.

        On failure the file is cut back to its last trailer, the group stays in memory, and commit may be called again.

        Raises
        ------
        JournalError
            Disk full, quota, bad sector: nothing of the group may be acknowledged.
        """
        if not self._group:
            return self.committed
        group = b"".join(self._group)
        closing, totals = trailer(self.committed, group, self._pending)
        try:
            self._rotate(day_of(self._pending.committed_ns // NS))
            self._write(group + closing)
        except OSError as error:
            self._cut()
            raise JournalError(f"the journal cannot be written: {error.strerror}", str(self.folder), "free space or mend the disk") from error
        self.committed = self._pending = totals
        self._group.clear()
        return totals

    def discard(self) -> None:
        """Forget the group that could not be committed; its messages were never acknowledged."""
        self._group.clear()
        self._pending = self.committed

    def close(self) -> None:
        """Close file and lock; an uncommitted group is gone, as its messages were not acknowledged."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
        os.close(self._lock)

    def _recover(self) -> Trailer:
        paths = files(self.folder.parent, self.writer)
        if not paths:
            return EMPTY
        newest = paths[-1]
        found = _tail(newest)
        end = found[1] if found else 0
        if newest.stat().st_size > end:
            self._set_aside(newest, end)
        self._open(newest)
        self._day = day_of_file(newest)
        return found[0] if found else newest_trailer(self.folder.parent, self.writer)

    def _set_aside(self, path: Path, end: int) -> None:
        with path.open("r+b") as handle:
            handle.seek(end)
            rest = handle.read()
            self.torn = len(rest)
            path.with_suffix(f".torn-{end}").write_bytes(rest)
            handle.truncate(end)
            os.fsync(handle.fileno())

    def _rotate(self, day: int) -> None:
        """A new day opens a new file, only ever forward: a clock set back must not reopen a closed day."""
        if self._file >= 0 and day <= self._day:
            return
        path = self.folder / f"{date_of(day).isoformat()}-{self.committed.last_seq + 1:012d}{SUFFIX}"
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
        self._open(path)
        self._day = day
        directory = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)

    def _open(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
        self._size = os.fstat(self._file).st_size

    def _write(self, data: bytes) -> None:
        written = os.write(self._file, data)
        if written != len(data):
            # A short write says that the disk is full; asking again gives the error its name.
            os.write(self._file, data[written:])
            self._cut()
            self._size = os.fstat(self._file).st_size
            written = 0
            while written < len(data):
                written += os.write(self._file, data[written:])
        os.fdatasync(self._file)
        self._size += len(data)

    def _cut(self) -> None:
        if self._file >= 0:
            os.ftruncate(self._file, self._size)


def day_of_file(path: Path) -> int:
    """Civil day that a file belongs to, from its name."""
    return parse_date(path.stem[:10])


def _lock(path: Path) -> int:
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o640)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        raise DataFolderBusy("another lanbi appends to this journal", str(path.parent), "stop it, or name another data folder") from error
    return handle


class JournalReader:
    """Follows one writer's journal behind a sequence number; never hands out what no trailer follows."""

    def __init__(self, folder: Path, writer: str, after: int = 0) -> None:
        self.folder = folder
        self.writer = writer
        self.after = after
        self.damage: list[tuple[Path, Damage]] = []
        """Damaged places met so far."""
        self._path: Path | None = None
        self._offset = 0

    def read(self, limit: int = 5_000) -> list[Record]:
        """The next records, about ``limit`` readings of them and at least one commit; empty when up to date."""
        found: list[Record] = []
        for path in self._files():
            offset = self._offset if path == self._path else 0
            self._path = path
            for group, end in self._groups(path, offset):
                found.extend(record for record in group if record.seq > self.after)
                self._offset = end
                if sum(record.readings for record in found) >= limit or len(found) >= limit:
                    return self._handed(found)
        return self._handed(found)

    def _handed(self, found: list[Record]) -> list[Record]:
        if found:
            self.after = found[-1].seq
        return found

    def _files(self) -> list[Path]:
        paths = files(self.folder, self.writer)
        if self._path in paths:
            return paths[paths.index(self._path) :]
        self._offset = 0
        begun = [path for path in paths if first_seq(path) <= self.after + 1]
        return paths[len(begun) - 1 :] if begun else paths

    def _groups(self, path: Path, offset: int) -> Iterator[tuple[list[Record], int]]:
        with path.open("rb") as handle:
            handle.seek(offset)
            data = handle.read()
        group: list[Record] = []
        damaged: list[Damage] = []
        for piece in pieces(data):
            if isinstance(piece.what, Record):
                group.append(piece.what)
            elif isinstance(piece.what, Damage):
                damaged.append(piece.what._replace(offset=offset + piece.what.offset))
            else:
                self.damage.extend((path, one) for one in damaged)
                yield group, offset + piece.end
                group, damaged = [], []
