"""Opening a journal after any death: where the record of what was acknowledged ends."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from lanbi.frames import EMPTY, Trailer
from lanbi.journal_files import files, read_tip, sync_folder, tail


class Recovered(NamedTuple):
    """Where appending goes on: the newest file (None: there is none), its durable size, totals, bytes set aside."""

    path: Path | None
    size: int
    totals: Trailer
    torn: int


def recover(folder: Path, writer: str) -> Recovered:
    """Find the end of a writer's journal; what stands behind it was never acknowledged and is set aside."""
    tip = read_tip(folder, writer)
    totals = tip.totals if tip else EMPTY
    torn = 0
    for path in reversed(files(folder, writer)):
        found, end = tail(path) or (EMPTY, 0)
        if tip and tip.name == path.name and end < tip.offset <= path.stat().st_size:
            # The last trailer is damaged, but its group was durable: nothing of it is cut.
            end = tip.offset
        torn += _set_aside(path, end)
        if end:
            # A tip beyond the file is a disk that lied: its numbers are never given to other messages.
            totals = found if found.last_seq >= totals.last_seq else totals
            return Recovered(path, end, totals, torn)
        path.unlink()
        sync_folder(path.parent)
    return Recovered(None, 0, totals, torn)


def _set_aside(path: Path, end: int) -> int:
    """Move the bytes from ``end`` on into a ``.torn`` file of their own; returns how many."""
    with path.open("r+b") as handle:
        handle.seek(end)
        rest = handle.read()
        if not rest:
            return 0
        _keep(path, end, rest)
        handle.truncate(end)
        os.fsync(handle.fileno())
    sync_folder(path.parent)
    return len(rest)


def _keep(path: Path, end: int, rest: bytes) -> None:
    number = 0
    while (aside := path.with_name(f"{path.stem}-{end}-{number}.torn")).exists():
        number += 1
    with aside.open("xb") as handle:
        handle.write(rest)
        handle.flush()
        os.fsync(handle.fileno())
