"""Backups of a store, as an operator makes them: influxd's own over HTTP, or SQLite's."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from lanbi.influx_backup import InfluxBackup

__all__ = ["InfluxBackup", "copy_sqlite"]


def copy_sqlite(source: Path, target: Path) -> int:
    """Copy a database that may be in use; the size of the copy [bytes]."""
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)
    return target.stat().st_size
