"""Opening a journal after any death: where the record of what was acknowledged ends."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from lanbi.frames import EMPTY, Trailer
from lanbi.journal_bytes import files, is_closed
from lanbi.journal_files import day_of_file, read_tip, sync_folder, tail


class Recovered(NamedTuple):
    """Where appending goes on: the file (None: a new one), its durable size, totals, bytes set aside, day reached (-1: none)."""

    path: Path | None
    size: int
    totals: Trailer
    torn: int
    day: int


def recover(folder: Path, writer: str) -> Recovered:
    """Find the end of a writer's journal; what stands behind it was never acknowledged and is set aside."""
    tip = read_tip(folder, writer)
    totals = tip.totals if tip else EMPTY
    torn = 0
    for path in reversed(files(folder, writer)):
        found, end = tail(path) or (EMPTY, 0)
        # A tip beyond the file is a disk that lied: its numbers are never given to other messages.
        totals = found if found.last_seq >= totals.last_seq else totals
        if is_closed(path):
            # It is being sealed, or was: a file that may be read by many is never appended to again.
            return Recovered(None, 0, totals, torn, day_of_file(path))
        if tip and tip.name == path.name and end < tip.offset <= path.stat().st_size:
            # The last trailer is damaged, but its group was durable: nothing of it is cut.
            end = tip.offset
        torn += _set_aside(path, end)
        if end:
            return Recovered(path, end, totals, torn, day_of_file(path))
        path.unlink()
        sync_folder(path.parent)
    return Recovered(None, 0, totals, torn, -1)


def _set_aside(path: Path, end: int) -> int:
    """Move the bytes from ``end`` on into a ``.torn`` file of their own; returns how many."""
    handle = os.open(path, os.O_RDWR)
    try:
        size = os.fstat(handle).st_size
        if size <= end:
            return 0
        _keep(path, end, os.pread(handle, size - end, end))
        os.ftruncate(handle, end)
        os.fsync(handle)
    finally:
        os.close(handle)
    sync_folder(path.parent)
    return size - end


def _keep(path: Path, end: int, rest: bytes) -> None:
    """A death between the copy and the cut leaves the copy: the same bytes are not set aside twice."""
    number = 0
    while (aside := path.with_name(f"{path.stem}-{end}-{number}.torn")).exists():
        if aside.read_bytes() == rest:
            return
        number += 1
    try:
        write_new(aside, [rest])
    except OSError as error:
        aside.unlink(missing_ok=True)
        # On a full disk the copy is let go, for without the cut nothing could be appended; nothing of it was ever acknowledged.
        if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise


def write_new(path: Path, pieces: Iterable[bytes], mode: int = 0o640) -> None:
    """Write a file that was not there and make its bytes durable; its name becomes so with its folder."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        for data in pieces:
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(handle, rest) :]
        os.fsync(handle)
    finally:
        os.close(handle)
