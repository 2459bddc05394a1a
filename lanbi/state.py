"""``var/state.db``: how far the forwarder is, what it saw last, what it refused, and the totals of the conservation law.

One writer, the forwarder, under a lock; cursor, totals, latest values, revisions and refusals move in one transaction, so
that after any crash **received = stored + duplicate + dead-letter + quarantined + pending** holds by construction.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from domain.readings import Key
from ingest.ports import Batch, Latest, Refused, Version
from lanbi.embedded_schema import Connections, Schema
from lanbi.folders import made
from lanbi.frames import DOORS
from lanbi.journal_files import hold, newest_trailer

_decode_items: Final = msgspec.json.Decoder(dict[str, tuple[float | None, str]]).decode
OUTCOMES: Final = ("stored", "duplicate", "deadletter", "quarantined")
SCHEMA: Final = Schema(
    1,
    """
CREATE TABLE IF NOT EXISTS cursor (writer TEXT PRIMARY KEY, seq INTEGER, readings INTEGER) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS total (name TEXT, reason TEXT, count INTEGER, PRIMARY KEY (name, reason)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS latest (source TEXT, span INTEGER, kind TEXT, time INTEGER, rev INTEGER, received_ns INTEGER, device TEXT,
    items TEXT, PRIMARY KEY (source, span)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS revised (kind TEXT, source TEXT, span INTEGER, time INTEGER, item TEXT, rev INTEGER, value REAL, flag TEXT,
    corrects INTEGER, received_ns INTEGER, device TEXT, writer TEXT, seq INTEGER,
    PRIMARY KEY (kind, source, span, time, item, rev)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS revised_record ON revised (writer, seq);
CREATE TABLE IF NOT EXISTS refused (id INTEGER PRIMARY KEY, outcome TEXT, reason TEXT, detail TEXT, item TEXT, device TEXT,
    source TEXT, run INTEGER, number INTEGER, writer TEXT, seq INTEGER, element INTEGER, received_ns INTEGER, topic TEXT, digest BLOB);
CREATE INDEX IF NOT EXISTS refused_reason ON refused (reason, id);
CREATE INDEX IF NOT EXISTS refused_digest ON refused (digest);
CREATE TABLE IF NOT EXISTS run (device TEXT, run INTEGER, number INTEGER, PRIMARY KEY (device, run)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sequence (device TEXT, run INTEGER, seq INTEGER, PRIMARY KEY (device, run)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS batch (ingest TEXT PRIMARY KEY, n INTEGER) WITHOUT ROWID
""",
)


class StateView:
    """Read side, for every process; it never makes the file, and reads a missing one as empty."""

    _WRITES = False

    def __init__(self, data: Path) -> None:
        self.data = data
        self._files = Connections(data / "state.db", SCHEMA, what="state of the forwarder", create=self._WRITES)

    def cursor(self, writer: str) -> tuple[int, int]:
        """Last forwarded sequence of a writer, and the journalled readings behind it."""
        found = self._files.all("SELECT seq, readings FROM cursor WHERE writer = ?", (writer,))
        return (found[0][0], found[0][1]) if found else (0, 0)

    def totals(self) -> dict[tuple[str, str], int]:
        """Counts by (name, reason) since the journal began."""
        return {(name, reason): count for name, reason, count in self._files.all("SELECT name, reason, count FROM total")}

    def conservation(self) -> dict[str, int]:
        """The six terms of the law, from one snapshot: received, stored, duplicate, deadletter, quarantined, pending."""
        totals: list[tuple[str, int]] = []
        behind: list[int] = []
        if self._files.there():
            with self._files.read() as db:
                totals = db.execute("SELECT name, count FROM total").fetchall()
                behind = [row[0] for row in db.execute("SELECT readings FROM cursor")]
        # Trailers are read after the cursors: the journal only grows, so pending is never negative.
        journalled = sum(newest_trailer(self.data / "journal", writer).readings for writer in DOORS)
        counts = dict.fromkeys(OUTCOMES, 0)
        added = 0
        for name, count in totals:
            if name in counts:
                counts[name] += count
            added += count if name == "decoded_more" else 0
        return {"received": journalled + added, **counts, "pending": journalled - sum(behind)}

    def latest(self) -> list[Latest]:
        """The newest reading of every source and span."""
        found = self._files.all("SELECT source, span, kind, time, rev, received_ns, device, items FROM latest")
        return [Latest._make((*row[:7], _decode_items(row[7]))) for row in found]

    def versions(self, keys: Iterable[Key]) -> dict[Key, list[Version]]:
        """All versions of rows that were written more than once."""
        text = "SELECT item, rev, value, flag, corrects, received_ns, device, writer, seq FROM revised WHERE kind = ? AND source = ? AND span = ? AND time = ?"
        found: dict[Key, list[Version]] = {}
        if not self._files.there():
            return found
        with self._files.read() as db:
            for key in set(keys):
                versions = [Version._make((key, *row[:4], bool(row[4]), *row[5:])) for row in db.execute(text, key)]
                if versions:
                    found[key] = versions
        return found

    def refused(
        self, *, reason: str | None = None, after: int = 0, limit: int = 100, outcome: str | None = None, newest: bool = False
    ) -> list[tuple[int, Refused]]:
        """Dead letters and quarantined readings by id, oldest first behind ``after``; or newest first below it (0: no bound)."""
        given = [(name, value) for name, value in (("reason", reason), ("outcome", outcome)) if value is not None]
        bound = "id < ?" if newest else "id > ?"
        where = " AND ".join([bound, *(f"{name} = ?" for name, _ in given)])
        text = f"SELECT * FROM refused WHERE {where} ORDER BY id {'DESC' if newest else ''} LIMIT ?"  # noqa: S608  our own columns
        start = after or 2**62 if newest else after
        return [(row[0], Refused(*row[1:])) for row in self._files.all(text, (start, *(value for _, value in given), limit))]

    def unfinished(self, writer: str) -> int:
        """Greatest record of a writer beyond its cursor that has versions: a batch up to there never finished; else 0."""
        found = self._files.all("SELECT max(seq) FROM revised WHERE writer = ? AND seq > ?", (writer, self.cursor(writer)[0]))
        return found[0][0] or 0

    def known_refusals(self, digests: Iterable[bytes]) -> set[bytes]:
        """Which of these bytes are in the dead letters already."""
        wanted = list(set(digests))
        found: set[bytes] = set()
        for start in range(0, len(wanted), 500):
            part = wanted[start : start + 500]
            text = f"SELECT DISTINCT digest FROM refused WHERE digest IN ({', '.join('?' * len(part))})"  # noqa: S608  question marks
            found.update(row[0] for row in self._files.all(text, part))
        return found

    def runs(self) -> dict[tuple[str, int], int]:
        """Small index of every run of every device."""
        return {(device, run): number for device, run, number in self._files.all("SELECT device, run, number FROM run")}

    def sequences(self) -> dict[tuple[str, int], int]:
        """Greatest sequence number seen of every run of every device."""
        return {(device, run): seq for device, run, seq in self._files.all("SELECT device, run, seq FROM sequence")}

    def change_number(self, ingest: str) -> int:
        """Number of the last change announced."""
        found = self._files.all("SELECT n FROM batch WHERE ingest = ?", (ingest,))
        return int(found[0][0]) if found else 0

    def close(self) -> None:
        """Close this thread's connection."""
        self._files.close()


class State(StateView):
    """Write side, held by one process under ``state.lock``.

    Raises
    ------
    DataFolderBusy
        Another process forwards from this data folder.
    """

    _WRITES = True

    def __init__(self, data: Path) -> None:
        self._lock = hold(made(data) / "state.lock", "another lanbi forwards from this data folder")
        try:
            super().__init__(data)
        except BaseException:
            os.close(self._lock)
            raise

    def intend(self, writer: str, upto: int, versions: Sequence[Version]) -> None:
        """Keep versions before the store is written; what an unfinished batch of this writer left up to there is forgotten."""
        packed = [(*row.key, *row[1:]) for row in versions]
        with self._files.write() as db:
            db.execute("DELETE FROM revised WHERE writer = ? AND seq > ? AND seq <= ?", (writer, self.cursor(writer)[0], upto))
            db.executemany(f"INSERT OR REPLACE INTO revised VALUES ({', '.join('?' * 13)})", packed)  # noqa: S608  question marks

    def commit(self, batch: Batch, ingest: str) -> None:
        """Move everything of a batch in one transaction."""
        with self._files.write() as db:
            db.execute("INSERT OR REPLACE INTO cursor VALUES (?, ?, ?)", (batch.writer, batch.seq, batch.readings))
            more = "INSERT INTO total VALUES (?, ?, ?) ON CONFLICT (name, reason) DO UPDATE SET count = count + excluded.count"
            db.executemany(more, [(*name, count) for name, count in batch.totals.items()])
            rows = [(*row[:7], msgspec.json.encode(dict(row.items)).decode()) for row in batch.latest.values()]
            db.executemany("INSERT OR REPLACE INTO latest VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
            db.executemany(f"INSERT INTO refused VALUES (NULL, {', '.join('?' * 14)})", list(batch.refused))  # noqa: S608  question marks
            db.executemany("INSERT OR REPLACE INTO run VALUES (?, ?, ?)", [(*name, number) for name, number in batch.runs.items()])
            db.executemany("INSERT OR REPLACE INTO sequence VALUES (?, ?, ?)", [(*name, seq) for name, seq in batch.sequences.items()])
            if batch.change_number is not None:
                db.execute("INSERT OR REPLACE INTO batch VALUES (?, ?)", (ingest, batch.change_number))

    def checkpoint(self) -> int:
        """Keep the write-ahead log short."""
        return self._files.checkpoint()

    def close(self) -> None:
        """Close the file and give the lock back."""
        super().close()
        os.close(self._lock)
