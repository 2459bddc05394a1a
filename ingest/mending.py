"""A slice of a reconciliation, and what is done about what it found: rows are written or taken away, looked at again, and announced."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from domain.civil import day_of
from domain.ports import ReadingSink, ReadingSource
from domain.readings import Entry, Key, Reading
from ingest.accept import Acceptor
from ingest.deciding import Desk
from ingest.jobs import COUNTS, DONE, RECHECK, Finding, Job
from ingest.memory import Memory
from ingest.ports import Batch, Journal, Record, State
from ingest.reconciling import Look, Reconciler

KEPT: Final = 1_000
"""Findings that are kept to be shown; all are counted."""
SAVE: Final = 10
"""A gentle slice that found nothing saves its progress only so often: that costs a write to the disk."""


def recheck(records: Sequence[Record], after: int | str, now_ns: int, linger_ns: int, *, only: bool = False) -> Job:
    """A second look at records that may have been on their way to the store when it, or we, failed; ``after`` names it.

    With ``only`` these records and none between them: a few withdrawn values must not cost a second look at thousands of readings.

    A request that nobody answered may still be carried out, behind whatever was written since: an older row then stands over a
    newer one. So these rows are looked at again once such a request must have arrived.
    """
    first, last = records[0], records[-1]
    name = f"{RECHECK}/{first.writer}/{after}"
    behind, upto = {first.writer: first.seq - 1}, {first.writer: last.seq}
    window = first.received_ns, max(last.received_ns, now_ns)
    job = Job(name, RECHECK, now_ns, "lanbi", *window, [first.writer], repair=True, gentle=True, after_ns=now_ns + linger_ns, behind=behind, upto=upto)
    job.only = [record.seq for record in records] if only else []
    return job


class Store(ReadingSink, ReadingSource, Protocol):
    """Both sides of the readings."""


@dataclass
class Mending:
    """One reconciliation at a time."""

    journal: Journal
    state: State
    store: Store
    write: Callable[[Desk, list[Entry]], None]
    ingest: str
    alone: bool
    _at_work: Reconciler | None = None

    def forget(self) -> None:
        """Begin anew."""
        self._at_work = None

    def slice(self, job: Job, memory: Memory, acceptor: Acceptor, cursors: Mapping[str, int], limit: int) -> None:
        """Look at one slice, do what the job allows, and save both."""
        if self._at_work is None or self._at_work.job is not job:
            self._at_work = Reconciler(self.journal, self.state, self.store, job, self.alone)
            ends = self._at_work.ends(cursors)
            job.records, job.wanted = 0, sum(max(0, ends.get(writer, 0) - seq) for writer, seq in self._at_work.walk.at.items())
            job.counts = {**dict.fromkeys(COUNTS, 0), **{name: job.counts.get(name, 0) for name in ("repaired", "removed")}}
        look = self._at_work.slice(memory, acceptor, cursors, limit)
        desk = Desk(memory, Batch("", 0, 0), {}, set())
        findings = self._mend(job, look.findings, desk)
        self._count(job, look, findings, desk)
        if look.ended:
            job.state, job.detail = DONE, "; ".join(self._at_work.notes())
            self._at_work = None
        job.slices += 1
        if findings or look.ended or desk.touched or not job.gentle or job.slices % SAVE == 0:
            job.touching = {}
            desk.batch.jobs = [job]
            desk.batch.findings = findings[: max(0, KEPT - self._known(job) + len(findings))]
            self.state.commit(desk.batch, self.ingest)

    def _mend(self, job: Job, found: Sequence[Finding], desk: Desk) -> list[Finding]:
        """Write what is missing or different, take away what nobody sent, each if the job says so; look whether it worked."""
        write = {one.key: one.expected for one in found if one.expected is not None and job.repair}
        certain = self._at_work is not None and not self._at_work.walk.unreadable
        remove = [one.key for one in found if one.expected is None and job.remove and certain]
        tried: list[Key] = [*write, *remove]
        for key in tried:
            desk.touched.setdefault(day_of(key.time), set()).add(key.source)
        for day, sites in job.touching.items():
            desk.touched.setdefault(day, set()).update(sites)
        if tried:
            job.touching = {day: sorted(sites) for day, sites in desk.touched.items()}
            self.state.begin(job, ())
        if remove:
            self.store.remove(remove)
        self._put([row for row in write.values() if row is not None])
        self.write(desk, [])
        now = self.store.cells(tried) if tried else {}
        return [one._replace(mended=one.key in {*tried} and now.get(one.key) == one.expected) for one in found]

    def _put(self, rows: Sequence[Reading]) -> None:
        """Write rows; what the store refuses now though it took it once stays as it is, and is counted as such."""
        while rows:
            refused = {one.key for one in self.store.write(rows)}
            if not refused:
                return
            rows = [row for row in rows if row.key not in refused]

    def _count(self, job: Job, look: Look, findings: Sequence[Finding], desk: Desk) -> None:
        job.records = min(job.wanted, job.records + look.records)
        job.count("rows", look.rows)
        for one in findings:
            job.count(one.what)
            job.count(("removed" if one.expected is None else "repaired") if one.mended else "remaining")
        mended = sum(one.mended for one in findings)
        if job.what == RECHECK and mended:
            desk.batch.count("mended", by=mended)

    def _known(self, job: Job) -> int:
        return sum(job.counts.get(name, 0) for name in ("missing", "different", "extra"))
