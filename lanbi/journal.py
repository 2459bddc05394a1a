"""The journal: what was received, durable before it is acknowledged; everything else can be rebuilt from it.

One folder a writer, files ``<day>-<first seq>.lbj`` that are only appended to. A commit is one write of the group and its
trailer, then ``fdatasync``. Two rules for whoever edits this file: nothing is acknowledged before :meth:`JournalWriter.commit`
has returned, and a reader never hands out a record that is not durable.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from itertools import count, repeat
from pathlib import Path
from typing import Final

from domain.civil import date_of, day_of, iso
from domain.errors import JournalError
from lanbi.frames import DOORS, EMPTY, Header, Record, Trailer, frames, header, trailer
from lanbi.journal_bytes import SUFFIX, files
from lanbi.journal_files import Tip, day_of_file, hold_writer, newest_trailer, pack_tip, salt_of, sync_folder
from lanbi.journal_range import between
from lanbi.journal_reader import JournalReader, Loss, read, record
from lanbi.journal_recent import Commit, Recent, Spot
from lanbi.journal_recovery import Recovered, recover
from lanbi.journal_space import QUOTA, Quota

NS: Final = 1_000_000_000
_record: Final = partial(tuple.__new__, Record)
"""Makes a named tuple without a call of its own constructor in between."""
__all__ = ["DOORS", "JournalReader", "JournalWriter", "Loss", "Record", "Trailer", "between", "files", "newest_trailer", "read", "record"]


class JournalWriter:
    """The one appender of a writer's folder; used by one thread.

    ``quota`` bounds the bytes of the whole journal, all writers together (None: the disk does). ``recent`` gets what was committed.

    Raises
    ------
    DataFolderBusy
        Another process appends here.
    JournalError
        The folder cannot be read or written.
    """

    def __init__(self, folder: Path, writer: str, quota: int | None = None, recent: Recent | None = None) -> None:
        self._quota = Quota(folder, quota)
        self._recent = recent
        self._failing_ns = 0
        self.folder = folder / writer
        self.writer = writer
        self.committed = EMPTY
        self._file = -1
        self._day = -1
        self._size = 0
        self._salt = 0
        self._unclean = False
        self._group: list[Record] = []
        self._seq = self._readings = 0
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            sync_folder(folder)
            self._lock = hold_writer(self.folder)
            self._tip = os.open(self.folder / "tip", os.O_RDWR | os.O_CREAT, 0o640)
            self._open(recover(folder, writer))
        except OSError as error:
            raise _failed(error, self.folder, 0) from error

    @property
    def pending(self) -> int:
        """Records appended and not yet committed."""
        return len(self._group)

    def append(self, topic: str, payload: bytes, *, received_ns: int, readings: int = 1, flags: int = 0) -> int:
        """Take a message into the group in memory; returns its sequence number. Durable only after :meth:`commit`."""
        self._seq += 1
        self._readings += readings
        self._group.append(Record(self.writer, self._seq, received_ns, flags, readings, topic, payload))
        return self._seq

    def extend(self, topics: Sequence[str], payloads: Sequence[bytes], *, received_ns: int, flags: Sequence[int]) -> None:
        """Take many messages of one reading each, that came at one time; all of them or, if it raises, none."""
        columns = zip(repeat(self.writer), count(self._seq + 1), repeat(received_ns), flags, repeat(1), topics, payloads)
        found = list(map(_record, columns))
        self._group += found
        self._seq += len(found)
        self._readings += len(found)

    def commit(self) -> Trailer:
        """Make the group durable: one write, one fdatasync.

        On failure the file is cut back to its last trailer, the group stays in memory, and commit may be called again.

        Raises
        ------
        JournalError
            Disk full, quota, bad sector: nothing of the group may be acknowledged. It says since when that is so.
        """
        if not self._group:
            return self.committed
        try:
            self._quota.check()
            self._cut()
            self._rotate(day_of(self._group[-1].received_ns // NS))
            totals = self._write()
        except OSError as error:
            self._give_up()
            self._failing_ns = self._failing_ns or self._group[-1].received_ns
            raise _failed(error, self.folder, self._failing_ns) from error
        self._failing_ns = 0
        self.committed = totals
        entries, self._group = self._group, []
        self._publish()
        if self._recent is not None:
            self._recent.put(self._spot, Commit(entries, totals, self._size))
        return totals

    def discard(self) -> None:
        """Forget the group that could not be committed; its messages were never acknowledged."""
        self._group.clear()
        self._seq, self._readings = self.committed.last_seq, self.committed.readings

    def close(self) -> None:
        """Close file and lock; an uncommitted group is gone, as its messages were not acknowledged."""
        for handle in (self._file, self._tip, self._lock):
            if handle >= 0:
                os.close(handle)
        self._file = self._tip = self._lock = -1

    def _open(self, found: Recovered) -> None:
        self.torn = found.torn
        """Bytes behind the last trailer that were set aside at opening."""
        self.committed = found.totals
        self._seq, self._readings = found.totals.last_seq, found.totals.readings
        self._day = found.day
        if found.path:
            self._use(found.path, os.open(found.path, os.O_WRONLY | os.O_APPEND), found.size)
            os.fdatasync(self._file)
            self._publish()

    def _write(self) -> Trailer:
        """Append header (in a new file), group and trailer, and make them durable."""
        first = b"" if self._size else header(Header(self.writer, self._salt, self._day, self.committed))
        group = frames(self._group, self._salt)
        upto = Trailer(self._seq, self.committed.records + len(self._group), self._readings, self._group[-1].received_ns, b"")
        closing, totals = trailer(self.committed, group, upto, self._salt)
        data = memoryview(first + group + closing)
        self._unclean = True
        done = 0
        # A full disk takes a part and names its error at the next call; if there is room again, the group is whole.
        while done < len(data):
            done += os.write(self._file, data[done:])
        os.fdatasync(self._file)
        self._unclean = False
        self._spot = Spot(self._path.name, self._salt, self._size + len(first))
        self._size += len(data)
        self._quota.wrote(len(data))
        return totals

    def _give_up(self) -> None:
        try:
            self._cut()
        except OSError:
            # Still unclean: the next commit cuts before it writes.
            return

    def _cut(self) -> None:
        """Cut what a failed commit left behind the last trailer."""
        if self._unclean and self._file >= 0:
            os.ftruncate(self._file, self._size)
            self._unclean = False

    def _rotate(self, day: int) -> None:
        """A new day opens a new file, only ever forward: a clock set back must not reopen a closed day."""
        if self._file >= 0 and day <= self._day:
            return
        day = max(day, self._day)
        path = self.folder / f"{date_of(day).isoformat()}-{self.committed.last_seq + 1:012d}{SUFFIX}"
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
        try:
            sync_folder(self.folder)
            size = os.fstat(handle).st_size
        except OSError:
            os.close(handle)
            raise
        self._use(path, handle, size)

    def _use(self, path: Path, handle: int, size: int) -> None:
        if self._file >= 0:
            os.close(self._file)
        self._file, self._path, self._size, self._day = handle, path, size, day_of_file(path)
        salt = salt_of(path) if size else None
        self._salt = int.from_bytes(os.urandom(4), "little") if salt is None else salt

    def _publish(self) -> None:
        """Tell readers how far the journal is durable; a hint, so it is not synced itself, and what is durable stays so without it."""
        try:
            os.pwrite(self._tip, pack_tip(Tip(self._path.name, self._size, self.committed)), 0)
        except OSError:
            # Readers would stop at an old one; where there is none they go by the last trailer.
            with suppress(OSError):
                os.ftruncate(self._tip, 0)


def _failed(error: OSError, folder: Path, since_ns: int) -> JournalError:
    cause, todo = error.strerror, "mend the disk"
    if error.errno == errno.ENOSPC:
        cause, todo = f"磁盘已满 the disk is full ({cause})", "free space; lanbi goes on by itself"
    elif cause == QUOTA:
        todo = "raise journal.quota, or move sealed days away with `lanbi journal archive`; lanbi goes on by itself"
    since = f" 自 since {iso(since_ns // NS)}" if since_ns else ""
    return JournalError(f"日志无法写入 the journal cannot be written{since}: {cause}", str(folder), todo)
