"""How long what is journalled has been waiting for the store: from journal and cursor alone, so that it is right whoever runs."""

from __future__ import annotations

from pathlib import Path

from lanbi.frames import DOORS
from lanbi.journal import JournalReader, newest_trailer
from lanbi.state import StateView


def oldest_ns(data: Path, view: StateView) -> int:
    """Receive time [ns since 1970 UTC] of the oldest record that is not behind its writer's cursor; 0 if none waits."""
    journal = data / "journal"
    found: list[int] = []
    for writer in DOORS:
        cursor = view.cursor(writer)[0]
        if newest_trailer(journal, writer).last_seq > cursor:
            # A limit of one reading: the reader stops behind the first record.
            found += [record.received_ns for record in JournalReader(journal, writer, cursor).read(1)]
    return min(found, default=0)
