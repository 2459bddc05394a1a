"""Tables of the embedded store, made from the domain's lists, and how its files are opened."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

from domain.errors import StoreAway, StoreRefused
from domain.items import BY_REALM, REALMS
from lanbi.folders import made

T = TypeVar("T")
VERSION: Final = 1
BUSY_S: Final = 10
LONG_LOG: Final = 64 << 20
INDICATOR_FIELDS: Final = (
    "value", "valid", "expected", "target", "margin", "low90", "high90", "computed", "version", "status", "text",
)  # fmt: skip
INDICATOR_TAGS: Final = ("figure", "period", "scope", "rule_set", "basis", "time")


class Schema(NamedTuple):
    """Statements that make the tables of a file, the version stamped into it, and the one that a file has while a program works on it."""

    version: int
    text: str
    held: int = 0

    @property
    def reads(self) -> int:
        """The newest version that this program can go on with: the next one only adds, so that an upgrade can be taken back."""
        return max(self.version + 1, self.held)


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
CREATE INDEX IF NOT EXISTS indicator_time ON indicator (figure, period, time);
CREATE INDEX IF NOT EXISTS restatement_made ON restatement (made);
CREATE INDEX IF NOT EXISTS event_time ON event (time)"""
    )


class Connections:
    """One SQLite connection a thread on one WAL file; writes are short IMMEDIATE transactions.

    Parameters
    ----------
    what : str
        What the file is, in messages.
    create : bool
        False opens for reading only, never makes the file, and reads a missing one as empty.
    """

    def __init__(self, path: Path, schema: Schema, *, what: str, create: bool = True) -> None:
        self.path = path
        self.what = what
        self.schema = schema
        self.create = create
        self._local = threading.local()
        if create:
            made(path.parent)
            with self.refusals():
                self._migrate()

    def _migrate(self) -> None:
        if self._version(self.db) >= self.schema.version:
            return
        with self.write() as db:
            # Asked again under the lock: another process may just have done it.
            if self._version(db) >= self.schema.version:
                return
            for statement in _statements(self.schema.text):
                db.execute(statement)
            db.execute(f"PRAGMA user_version = {self.schema.version}")

    def _version(self, db: sqlite3.Connection) -> int:
        found = int(db.execute("PRAGMA user_version").fetchone()[0])
        if found > self.schema.reads:
            known = self.schema.reads
            raise StoreRefused(f"made by a newer lanbi (schema {found}, this one goes on with {known} at most)", str(self.path), "use the newer lanbi")
        return found

    @property
    def db(self) -> sqlite3.Connection:
        """Connection of the calling thread."""
        if not hasattr(self._local, "db"):
            self._local.db = self._connect()
        return self._local.db  # type: ignore[no-any-return]

    def _connect(self) -> sqlite3.Connection:
        mode = "rwc" if self.create else "rw"
        db = sqlite3.connect(f"{self.path.absolute().as_uri()}?mode={mode}", uri=True, timeout=BUSY_S, isolation_level=None)
        _use_wal(db)
        # FULL: what a cursor has left behind must survive a power cut.
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA journal_size_limit = 67108864")
        if not self.create:
            db.execute("PRAGMA query_only = ON")
        return db

    def all(self, text: str, values: Iterable[object] = ()) -> list[Any]:
        """Rows of one short read; empty while a file that is only read does not exist yet."""
        with self.refusals():
            return self.db.execute(text, tuple(values)).fetchall() if self.there() else []

    def snapshot(self, read: Callable[[sqlite3.Connection], T], none: T) -> T:
        """What several reads of one snapshot make; ``none`` while a file that is only read does not exist yet."""
        with self.refusals():
            if not self.there():
                return none
            with self.read() as db:
                return read(db)

    def there(self) -> bool:
        """Is there a file with tables to read from?"""
        if self.create or getattr(self._local, "there", False):
            return True
        version = self._version(self.db) if self.path.exists() else 0
        if 0 < version < self.schema.version:
            raise StoreRefused(f"made by an older lanbi (schema {version})", str(self.path), "start `lanbi ingest` once: it brings the file up to date")
        self._local.there = version > 0
        return bool(self._local.there)

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Several reads of one snapshot; for less than a second, since a reader holds the write-ahead log back."""
        with self.refusals(), self._transaction("BEGIN") as db:
            yield db

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all or nothing."""
        with self.refusals(), self._transaction("BEGIN IMMEDIATE") as db:
            yield db

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        db = self.db
        db.execute(begin)
        try:
            yield db
            db.execute("COMMIT")
        except BaseException:
            # A full disk may have rolled back by itself.
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise

    @contextmanager
    def refusals(self) -> Iterator[None]:
        """SQLite's words as ours."""
        try:
            yield
        except sqlite3.OperationalError as error:
            raise StoreAway(f"the {self.what} does not answer: {error}", str(self.path), "see disk and permissions; readings wait in the journal") from error
        except sqlite3.InterfaceError:
            raise
        except sqlite3.DatabaseError as error:
            if type(error) is not sqlite3.DatabaseError:
                # Wrong use of the library is a fault of the program, not of the file.
                raise
            raise StoreRefused(f"the {self.what} is damaged: {error}", str(self.path), "move it away and replay the journal") from error

    def checkpoint(self) -> int:
        """Move the write-ahead log into the file; returns the log's size in bytes before. Never waits for readers."""
        log = self.path.with_name(self.path.name + "-wal")
        size = log.stat().st_size if log.exists() else 0
        with self.refusals():
            self.db.execute("PRAGMA busy_timeout = 50")
            self.db.execute(f"PRAGMA wal_checkpoint({'TRUNCATE' if size > LONG_LOG else 'PASSIVE'})").fetchall()
            self.db.execute(f"PRAGMA busy_timeout = {BUSY_S * 1000}")
        return size

    def close(self) -> None:
        """Close this thread's connection."""
        if hasattr(self._local, "db"):
            self._local.db.close()
            del self._local.db


def version_of(path: Path) -> int:
    """Version stamped into a file; 0 where there is none.

    Raises
    ------
    StoreRefused
        It is no database.
    """
    if not path.exists():
        return 0
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_S)) as db:
            return int(db.execute("PRAGMA user_version").fetchone()[0])
    except sqlite3.DatabaseError as error:
        raise StoreRefused(f"the file is damaged: {error}", str(path), "move it away and replay the journal") from error


def copy_of(source: Path, target: Path) -> None:
    """One consistent copy of a database that others write meanwhile, without its empty pages.

    Raises
    ------
    StoreRefused
        The database is damaged, or there is no room for the copy.
    """
    try:
        with closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_S)) as db:
            db.execute("VACUUM INTO ?", (str(target),))
    except sqlite3.DatabaseError as error:
        raise StoreRefused(f"the database cannot be copied: {error}", str(source), "look at disk and room") from error


def ahead(path: Path, numbers: int) -> None:
    """Move the batch numbers of a restored ``state.db`` ahead, so that none of them was ever announced by the store beside it."""
    try:
        with closing(sqlite3.connect(path)) as db, db:
            db.execute("UPDATE batch SET n = n + ?", (numbers,))
    except sqlite3.DatabaseError as error:
        raise StoreRefused(f"the state cannot be prepared: {error}", str(path), "restore without it: it is made again from the journal") from error


def _statements(text: str) -> Iterator[str]:
    """Statements one by one; a trigger has semicolons of its own."""
    begun = ""
    for part in text.split(";"):
        begun += f"{part};"
        if sqlite3.complete_statement(begun):
            yield begun
            begun = ""


def _use_wal(db: sqlite3.Connection) -> None:
    for _ in range(20):
        if db.execute("PRAGMA journal_mode").fetchone()[0] == "wal":
            return
        try:
            db.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            # Another process makes the same file: SQLite does not wait at this one statement, so wait at one where it does.
            db.execute("BEGIN IMMEDIATE")
            db.execute("ROLLBACK")
    db.execute("PRAGMA journal_mode = WAL")


SCHEMA: Final = Schema(VERSION, _schema())
