"""``var/state.db``: how far the forwarder is, what it saw last, what it refused, and the totals of the conservation law.

One writer, the forwarder, under a lock; cursor, totals, latest values, revisions and refusals move in one transaction, so
that after any crash **received = stored + duplicate + dead-letter + quarantined + pending** holds by construction.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from domain.errors import StoreAway, StoreRefused
from domain.readings import Key
from domain.reasons import OUTCOMES
from ingest.jobs import Finding, Job
from ingest.newest import Front
from ingest.ports import Batch, Before, Cells, Latest, Refused, Version
from lanbi import state_fresh, state_rows
from lanbi.embedded_schema import Connections
from lanbi.folders import made
from lanbi.frames import DOORS
from lanbi.journal_files import hold, newest_trailer
from lanbi.state_schema import SCHEMA

ADDED: Final = ("decoded_more", "replayed")
"""Readings received that no trailer of the journal counts."""
SHARE: Final = "share"
"""Name under which the totals keep the share; its reason is the share itself."""
_VERSION: Final = "item, rev, value, flag, corrects, received_ns, device, writer, seq"
_REVISED: Final = f"INSERT OR REPLACE INTO revised VALUES ({', '.join('?' * 13)})"  # noqa: S608  question marks
_FINDING: Final = "INSERT OR REPLACE INTO finding VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
_JOB: Final = "INSERT OR REPLACE INTO job VALUES (?, ?, ?, ?)"


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

    def share(self) -> str:
        """Which of several ingests this data folder belongs to, as ``i/N``; empty while nothing was ever forwarded from it."""
        told = [reason for name, reason in self.totals() if name == SHARE]
        return told[0] if told else "1/1" if self._files.all("SELECT 1 FROM cursor LIMIT 1") else ""

    def conservation(self) -> dict[str, int]:
        """The six terms of the law, from one snapshot: received, stored, duplicate, deadletter, quarantined, pending."""
        return self.account()[0]

    def account(self) -> tuple[dict[str, int], dict[tuple[str, str], int]]:
        """The six terms of the law and all totals by (name, reason), from one snapshot: whatever is added up of them agrees."""
        totals: dict[tuple[str, str], int] = {}
        behind: list[int] = []
        if self._files.there():
            with self._files.read() as db:
                totals = {(name, reason): count for name, reason, count in db.execute("SELECT name, reason, count FROM total")}
                behind = [row[0] for row in db.execute("SELECT readings FROM cursor")]
        # Trailers are read after the cursors: the journal only grows, so pending is never negative.
        journalled = sum(newest_trailer(self.data / "journal", writer).readings for writer in DOORS)
        counts = dict.fromkeys(OUTCOMES, 0)
        added = 0
        for (name, _), count in totals.items():
            if name in counts:
                counts[name] += count
            added += count if name in ADDED else 0
        return {"received": journalled + added, **counts, "pending": journalled - sum(behind)}, totals

    def latest(self) -> list[Latest]:
        """The newest reading of every source and span."""
        return self._files.snapshot(state_fresh.latest, [])

    def versions(self, keys: Iterable[Key]) -> dict[Key, list[Version]]:
        """All versions of rows that were written more than once."""
        series: defaultdict[tuple[str, str, int], set[int]] = defaultdict(set)
        for key in keys:
            series[key[:3]].add(key.time)
        text = f"SELECT time, {_VERSION} FROM revised WHERE kind = ? AND source = ? AND span = ? AND time IN (SELECT value FROM json_each(?))"  # noqa: S608  our own columns
        found: defaultdict[Key, list[Version]] = defaultdict(list)
        if not self._files.there():
            return found
        with self._files.read() as db:
            for one, times in series.items():
                for time, *row in db.execute(text, (*one, msgspec.json.encode(list(times)).decode())):
                    key = Key(*one, time)
                    found[key].append(Version._make((key, *row[:4], bool(row[4]), *row[5:])))
        return dict(found)

    def spoken(self, source: str, window: tuple[int, int], after: tuple[int, int, str, int], limit: int) -> list[Version]:
        """Versions of a source's rows that were written more than once, with start < time ≤ end, ordered by time, span, item and revision.

        Parameters
        ----------
        after : (time, span, item, revision)
            Only versions behind this one.
        """
        finished = "(writer = '' OR writer LIKE '%@%' OR seq <= coalesce((SELECT seq FROM cursor WHERE cursor.writer = revised.writer), 0))"
        text = f"""SELECT kind, source, span, time, {_VERSION} FROM revised WHERE source = ? AND time > ? AND time <= ?
            AND (time, span, item, rev) > (?, ?, ?, ?) AND {finished} ORDER BY time, span, item, rev LIMIT ?"""  # noqa: S608  our own columns
        rows = self._files.all(text, (source, *window, *after, limit))
        return [Version._make((Key(*row[:4]), *row[4:8], bool(row[8]), *row[9:])) for row in rows]

    def refused(
        self, *, reason: str | None = None, after: int = 0, limit: int = 100, outcome: str | None = None, newest: bool = False,
        device: str | None = None, since_ns: int = 0, resolved: bool = False,
    ) -> list[tuple[int, Refused]]:  # fmt: skip
        """Dead letters and quarantined readings by id, oldest first behind ``after``; or newest first below it (0: no bound).

        Parameters
        ----------
        since_ns : int
            Received at or after.
        resolved : bool
            Also those that a replay has settled since.
        """
        given = [(name, value) for name, value in (("reason", reason), ("outcome", outcome), ("device", device)) if value is not None]
        bounds = ["id < ?" if newest else "id > ?", "received_ns >= ?", *([] if resolved else [state_rows.STANDS])]
        where = " AND ".join([*bounds, *(f"{name} = ?" for name, _ in given)])
        text = f"SELECT * FROM refused WHERE {where} ORDER BY id {'DESC' if newest else ''} LIMIT ?"  # noqa: S608  our own columns
        start = after or 2**62 if newest else after
        return state_rows.numbered(self._files.all(text, (start, since_ns, *(value for _, value in given), limit)))

    def standing(self, writer: str, first: int, last: int) -> list[tuple[int, Refused]]:
        """Refusals of these records, with their ids, that nothing has settled since."""
        text = f"SELECT * FROM refused WHERE writer = ? AND seq BETWEEN ? AND ? AND {state_rows.STANDS} ORDER BY seq, id"  # noqa: S608  our own words
        return state_rows.numbered(self._files.all(text, (writer, first, last)))

    def selected(self, job: Job, limit: int) -> list[tuple[int, Refused]]:
        """The next standing refusals that a job asks for, behind its position, in journal order."""
        where, values = state_rows.asked_for(job)
        text = f"SELECT * FROM refused WHERE writer = ? AND seq > ? AND seq <= ? AND {where} ORDER BY seq, id LIMIT ?"  # noqa: S608  our own words
        return state_rows.numbered(self._files.all(text, (job.writer, job.seq, job.upto.get(job.writer, 0), *values, limit)))

    def wanted(self, job: Job) -> int:
        """How many standing refusals a job asks for."""
        where, values = state_rows.asked_for(job)
        return int(self._files.all(f"SELECT count(*) FROM refused WHERE {where}", values)[0][0])  # noqa: S608  our own words

    def resolutions(self, ids: Iterable[int]) -> dict[int, tuple[int, str]]:
        """When, and by which job, refusals were settled."""
        text = "SELECT id, at_ns, job FROM resolved WHERE id IN (SELECT value FROM json_each(?))"
        return {row[0]: (row[1], row[2]) for row in self._files.all(text, (msgspec.json.encode(list(ids)).decode(),))}

    def job(self, name: str) -> Job | None:
        """A job by the journal reference of its request."""
        found = self._files.all("SELECT body FROM job WHERE id = ?", (name,))
        return state_rows.decode_job(found[0][0]) if found else None

    def last_job(self, what: str) -> Job | None:
        """The newest job of a kind that came to its end."""
        text = (
            "SELECT body FROM job WHERE NOT open AND json_extract(body, '$.what') = ? AND json_extract(body, '$.state') = 'done' ORDER BY asked_ns DESC LIMIT 1"
        )
        found = self._files.all(text, (what,))
        return state_rows.decode_job(found[0][0]) if found else None

    def findings(self, job: str) -> list[Finding]:
        """What a reconciliation found, as far as it was kept."""
        text = "SELECT what, kind, source, span, time, expected, found, mended FROM finding WHERE job = ? ORDER BY kind, source, span, time"
        return [Finding(row[0], Key(*row[1:5]), state_rows.row(row[5]), state_rows.row(row[6]), bool(row[7])) for row in self._files.all(text, (job,))]

    def open_jobs(self) -> list[Job]:
        """Jobs with something left to do, oldest first."""
        return [state_rows.decode_job(row[0]) for row in self._files.all("SELECT body FROM job WHERE open ORDER BY asked_ns, length(id), id")]

    def pulse(self) -> tuple[int, int, int]:
        """Signs of life of the forwarder, whatever it works on: records behind its cursors, open jobs, and slices of these done."""
        behind = self._files.all("SELECT coalesce(sum(seq), 0) FROM cursor")
        jobs = self._files.all("SELECT count(*), coalesce(sum(json_extract(body, '$.slices')), 0) FROM job WHERE open")
        return (behind[0][0], *jobs[0]) if behind and jobs else (0, 0, 0)

    def unfinished(self, writer: str) -> int:
        """Greatest record of a writer beyond its cursor that was intended: a batch up to there never finished; else 0."""
        text = "SELECT max(seq) FROM (SELECT seq FROM revised WHERE writer = ?1 UNION ALL SELECT seq FROM past WHERE writer = ?1) WHERE seq > ?2"
        found = self._files.all(text, (writer, self.cursor(writer)[0]))
        return found[0][0] or 0

    def before(self, writer: str) -> dict[Key, Cells]:
        """Rows that an unfinished batch was about to make or change, as it had found them."""
        text = "SELECT kind, source, span, time, cells FROM past WHERE writer = ? AND seq > ?"
        return {Key(*row[:4]): state_rows.decode_cells(row[4]) for row in self._files.all(text, (writer, self.cursor(writer)[0]))}

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
        return self._files.snapshot(state_fresh.sequences, {})

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
            self.settle()
        except BaseException:
            os.close(self._lock)
            raise

    def intend(self, writer: str, upto: int, versions: Sequence[Version], before: Iterable[Before] = ()) -> None:
        """Keep versions and rows as they were before the store is written; what an unfinished batch intended up to there is forgotten."""
        behind = self.cursor(writer)[0]
        with self._files.write() as db:
            db.execute("DELETE FROM revised WHERE writer = ? AND seq > ? AND seq <= ?", (writer, behind, upto))
            db.executemany(_REVISED, [(*row.key, *row[1:]) for row in versions])
            db.execute("DELETE FROM past WHERE writer = ? AND seq <= ?", (writer, upto))
            found = [(writer, *one.key, one.seq, msgspec.json.encode(one.cells).decode()) for one in before]
            db.executemany("INSERT OR REPLACE INTO past VALUES (?, ?, ?, ?, ?, ?, ?)", found)

    def begin(self, job: Job, versions: Sequence[Version]) -> None:
        """Keep versions, and what a slice of a job is about to touch, before the store is written."""
        with self._files.write() as db:
            db.executemany(_REVISED, [(*row.key, *row[1:]) for row in versions])
            db.execute(_JOB, state_rows.packed(job))

    def newest(self) -> Mapping[state_fresh.Series, Front]:
        """How far every source and span is; the mapping follows every commit from now on."""
        return self._files.snapshot(self._fresh.load, {})

    def commit(self, batch: Batch, ingest: str) -> None:
        """Move everything of a batch in one transaction."""
        with self._files.write() as db:
            step = self._fresh.add(db, batch)
            if batch.writer:
                db.execute("INSERT OR REPLACE INTO cursor VALUES (?, ?, ?)", (batch.writer, batch.seq, batch.readings))
            more = "INSERT INTO total VALUES (?, ?, ?) ON CONFLICT (name, reason) DO UPDATE SET count = count + excluded.count"
            db.executemany(more, [(*name, count) for name, count in batch.totals.items()])
            db.executemany(f"INSERT INTO refused VALUES (NULL, {', '.join('?' * 14)})", list(batch.refused))  # noqa: S608  question marks
            db.executemany("INSERT OR REPLACE INTO run VALUES (?, ?, ?)", [(*name, number) for name, number in batch.runs.items()])
            db.execute("DELETE FROM past WHERE writer = ? AND seq <= ?", (batch.writer, batch.seq))
            db.executemany(_JOB, [state_rows.packed(job) for job in batch.jobs])
            if batch.findings:
                db.executemany(
                    _FINDING,
                    [(batch.jobs[0].id, one.what, *one.key, state_rows.text(one.expected), state_rows.text(one.found), one.mended) for one in batch.findings],
                )
            asked = {job.id: job.asked_ns for job in batch.jobs}
            db.executemany("INSERT OR REPLACE INTO resolved VALUES (?, ?, ?)", [(number, asked[name], name) for number, name in batch.resolved.items()])
            renamed = [(row.outcome, row.reason, row.detail, number) for number, row in batch.renamed.items()]
            db.executemany("UPDATE refused SET outcome = ?, reason = ?, detail = ? WHERE id = ?", renamed)
            if batch.change_number is not None:
                db.execute("INSERT OR REPLACE INTO batch VALUES (?, ?)", (ingest, batch.change_number))
        self._fresh.added(batch, step)

    def settle(self) -> None:
        """Leave what was seen last in rows only, as programs want it that know of nothing else."""
        with self._files.write() as db:
            state_fresh.settle(db)
        self._fresh = state_fresh.Fresh()

    def belong(self, share: str) -> None:
        """Remember which of several ingests this data folder belongs to."""
        with self._files.write() as db:
            db.execute("DELETE FROM total WHERE name = ? AND reason != ?", (SHARE, share))
            db.execute("INSERT OR IGNORE INTO total VALUES (?, ?, 1)", (SHARE, share))

    def forget_gentle(self, before_ns: int) -> None:
        """Drop jobs that nobody asked for, and their findings, from before a moment."""
        old = "(SELECT id FROM job WHERE asked_ns < ? AND json_extract(body, '$.gentle'))"
        with self._files.write() as db:
            for table, name in (("finding", "job"), ("job", "id")):
                db.execute(f"DELETE FROM {table} WHERE {name} IN {old}", (before_ns,))  # noqa: S608  our own words

    def checkpoint(self) -> int:
        """Keep the write-ahead log short."""
        return self._files.checkpoint()

    def close(self) -> None:
        """Close the file and give the lock back."""
        try:
            with suppress(StoreAway, StoreRefused):  # records are as good as rows, and whoever opens the file next is told
                self.settle()
        finally:
            super().close()
            os.close(self._lock)
