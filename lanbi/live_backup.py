"""Live check of the backups: when the last one was taken, by the mark that it left."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from domain.civil import DAY_S
from lanbi.backing import STATUS
from lanbi.clock import SystemClock
from lanbi.live import FAULT, NOTE, OK, Finding
from lanbi.metrics import read_status
from lanbi.settings import Settings

PART: Final = "backup"
NS: Final = 10**9
OLD_DAYS: Final = 2.0
"""A night was missed."""


def look(settings: Settings) -> Iterator[Finding]:
    """None yet is a note, for a new installation has none; one that is too old is a fault, for somebody relies on it."""
    told = settings.data / STATUS
    if not told.exists():
        yield Finding(PART, NOTE, "从未备份", "there was never a backup", "lanbi backup --to DIR (docs/backup.md)")
        return
    days = (SystemClock().now_ns() / NS - told.stat().st_mtime) / DAY_S
    name = read_status(told).get("name", "?")
    state = OK if days < OLD_DAYS else FAULT
    yield Finding(
        PART, state, f"上次备份 {name}，{days:.1f} 天前", f"the last backup is {name}, {days:.1f} days ago", "" if state == OK else "see lanbi-backup.timer"
    )
