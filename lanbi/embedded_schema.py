"""Tables of the embedded store, made from the domain's lists, and how its files are opened."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from domain.errors import StoreAway, StoreRefused
from domain.items import BY_REALM, REALMS

VERSION: Final = 1
INDICATOR_FIELDS: Final = (
    "value", "valid", "expected", "target", "margin", "low90", "high90", "computed", "version", "status", "text",
)  # fmt: skip
INDICATOR_TAGS: Final = ("figure", "period", "scope", "rule_set", "basis", "time")


def quoted(names: tuple[str, ...]) -> str:
    """Column list; ``do`` is a word of SQL."""
    return ", ".join(f'"{name}"' for name in names)


def reading_columns(kind: str) -> tuple[str, ...]:
    """Columns of a table of readings."""
    return ("site", "span", "time", "rev", "flags", *BY_REALM[kind])


def _schema() -> str:
    raw = [
        f"CREATE TABLE IF NOT EXISTS {kind} (site TEXT, span INTEGER, time INTEGER, rev INTEGER, flags TEXT, "
        + ", ".join(f'"{name}" REAL' for name in BY_REALM[kind])
        + ", PRIMARY KEY (site, span, time)) WITHOUT ROWID;"
        for kind in REALMS
    ]
    fields = ", ".join(f'"{name}"' for name in INDICATOR_FIELDS)
    return (
        "\n".join(raw)
        + f"""
CREATE TABLE IF NOT EXISTS change (ingest TEXT, n INTEGER, day INTEGER, sites TEXT, PRIMARY KEY (ingest, n)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS indicator (figure TEXT, period TEXT, scope TEXT, rule_set TEXT, basis TEXT, time INTEGER, {fields},
    PRIMARY KEY (scope, figure, period, rule_set, basis, time)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS restatement (figure TEXT, period TEXT, scope TEXT, rule_set TEXT, basis TEXT, time INTEGER,
    version INTEGER, old REAL, new REAL, old_status TEXT, new_status TEXT, made INTEGER, cause TEXT,
    PRIMARY KEY (scope, figure, period, rule_set, basis, time, version)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS event (kind TEXT, source TEXT, time INTEGER, value REAL, text TEXT,
    PRIMARY KEY (kind, source, time)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS entry (id TEXT PRIMARY KEY, kind TEXT, received_ns INTEGER, user TEXT, body TEXT) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS entry_kind ON entry (kind, id);
CREATE INDEX IF NOT EXISTS restatement_made ON restatement (made);
"""
    )


class Connections:
    """One SQLite connection a thread on one WAL file; writes are short IMMEDIATE transactions."""

    def __init__(self, path: Path, schema: str, version: int) -> None:
        self.path = path
        self._local = threading.local()
        path.parent.mkdir(parents=True, exist_ok=True)
        with self.refusals(), self.write() as db:
            found = int(db.execute("PRAGMA user_version").fetchone()[0])
            if found > version:
                raise StoreRefused(f"made by a newer lanbi (schema {found}, this one knows {version})", str(path), "use the newer lanbi")
            if found < version:
                for statement in schema.split(";"):
                    db.execute(statement)
                db.execute(f"PRAGMA user_version = {version}")

    @property
    def db(self) -> sqlite3.Connection:
        """Connection of the calling thread."""
        if not hasattr(self._local, "db"):
            with self.refusals():
                db = sqlite3.connect(self.path, timeout=30.0, isolation_level=None, cached_statements=64)
                db.execute("PRAGMA journal_mode = WAL")
                db.execute("PRAGMA synchronous = NORMAL")
                db.execute("PRAGMA journal_size_limit = 67108864")
            self._local.db = db
        return self._local.db  # type: ignore[no-any-return]

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all or nothing."""
        db = self.db
        db.execute("BEGIN IMMEDIATE")
        try:
            yield db
        except BaseException:
            db.execute("ROLLBACK")
            raise
        db.execute("COMMIT")

    @contextmanager
    def refusals(self) -> Iterator[None]:
        """SQLite's words as ours."""
        try:
            yield
        except sqlite3.OperationalError as error:
            raise StoreAway(f"the embedded store does not answer: {error}", str(self.path), "see disk and permissions; readings wait in the journal") from error
        except sqlite3.DatabaseError as error:
            raise StoreRefused(f"the embedded store is damaged: {error}", str(self.path), "move it away and replay the journal") from error

    def checkpoint(self) -> int:
        """Move the write-ahead log into the file; returns the log's size in bytes before."""
        log = self.path.with_name(self.path.name + "-wal")
        size = log.stat().st_size if log.exists() else 0
        self.db.execute(f"PRAGMA wal_checkpoint({'TRUNCATE' if size > 64 << 20 else 'PASSIVE'})").fetchall()
        return size

    def close(self) -> None:
        """Close this thread's connection."""
        if hasattr(self._local, "db"):
            self._local.db.close()
            del self._local.db


SCHEMA: Final = _schema()
