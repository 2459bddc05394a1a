"""Jobs are worked off in slices between the live batches, so that live readings never wait for a replay.

Order of one slice, and why it survives a crash between any two steps: remember versions and what is about to be touched →
write rows → announce changes → move the job's position with the counts in one transaction. A slice done twice writes nothing
new, and announces what the first attempt may have written without saying so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from domain.errors import LanbiError, ServiceError, StoreRefused
from domain.places import Registry
from domain.readings import Entry, Key
from domain.reasons import OUTCOMES
from ingest.accept import WHOLE, Acceptor, Verdict, device_of
from ingest.deciding import Desk, Judged
from ingest.entries import PERSON, Found, events, kind_of, read_entries
from ingest.jobs import DEADLETTERS, DONE, EVER, FAILED, NS, RECHECK, RECONCILE, REPLAY, Job, job_of
from ingest.memory import Memory
from ingest.mending import Mending, Store
from ingest.plain import RowKey
from ingest.ports import Batch, Journal, Reader, Record, State
from ingest.rejections import JOB, Rejections
from ingest.replaying import Numbered, ReplayDesk, Standing

BACK_NS: Final = 600 * NS
"""Receive times may step back by minutes; so far behind the end of its window a job still looks."""
FAR: Final = 5_000
"""A gap in the wanted records that is longer than this is jumped over, a shorter one is read through."""


class Slice(NamedTuple):
    """What a slice works on: records, the elements chosen of each (None: all), the position behind them, and how much that was."""

    records: Sequence[Record]
    chosen: Mapping[int, frozenset[int]] | None
    seq: int
    done: int
    ended: bool
    unreadable: int = 0


@dataclass
class Jobs:
    """Open jobs, oldest first; used by the forwarder's thread only.

    Attributes
    ----------
    write : callable
        Takes a desk and entries to the store and announces the changes.
    rejections : Rejections
        What the store will not take of the slice at hand.
    alone : bool
        No other ingest writes to this store.
    """

    journal: Journal
    state: State
    store: Store
    write: Callable[[Desk, list[Entry]], None]
    ingest: str
    rejections: Rejections = field(default_factory=Rejections)
    alone: bool = True
    waiting: list[Job] = field(default_factory=list)
    _reader: tuple[str, Reader] | None = None
    _acceptors: dict[str, Acceptor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # A reconciliation of the night must not begin anew for every second look.
        self._mending = {what: Mending(self.journal, self.state, self.store, self.write, self.ingest, self.alone) for what in (RECONCILE, RECHECK)}

    def reload(self) -> None:
        """Forget everything half done; the state knows better."""
        for one in self._mending.values():
            one.forget()
        self.waiting = list(self.state.open_jobs())
        self._reader = None

    def asked(self, writer: str, entries: Iterable[Entry], cursors: Mapping[str, int]) -> list[Job]:
        """Jobs that a batch of a person's entries asks for."""
        return [job_of(entry, cursors) for entry in entries if entry.kind == REPLAY] if writer == PERSON else []

    def accept(self, jobs: Iterable[Job]) -> None:
        """Their requests are behind the cursor: they are waiting now."""
        fresh = [job for job in jobs if job.open]
        known = {job.id for job in fresh}
        self.waiting = [job for job in self.waiting if job.id not in known] + fresh

    def step(self, memory: Memory, acceptor: Acceptor, cursors: Mapping[str, int], limit: int, *, gentle: bool = False, now_ns: int = EVER) -> int:
        """One slice of the oldest job that is due, of those that can wait (``gentle``) or of the others; returns 1 while there is one.

        A second look is small and cannot wait for ever: it counts among the others.

        Raises
        ------
        StoreAway, StoreRefused
            Nothing has moved; call again later.
        """
        job = next((one for one in self.waiting if one.after_ns <= now_ns and (one.gentle and one.what != RECHECK) == gentle), None)
        if job is None:
            return 0
        try:
            work = self._mending[job.what].slice if job.what in self._mending else self._slice
            work(job, memory, acceptor, cursors, limit)
        except (ServiceError, StoreRefused):
            raise
        except LanbiError as error:
            self._give_up(job.id, str(error))
            return 1
        except Exception as error:
            # What cannot be done must not hold up the live path for ever.
            self._give_up(job.id, f"internal: {error!r}")
            raise
        if not job.open:
            self.waiting.remove(job)
        return 1

    def _give_up(self, name: str, detail: str) -> None:
        job = next(one for one in self.state.open_jobs() if one.id == name)
        job.state, job.detail = FAILED, detail[:300]
        self.state.commit(Batch("", 0, 0, jobs=[job]), self.ingest)
        self.reload()

    def _slice(self, job: Job, memory: Memory, acceptor: Acceptor, cursors: Mapping[str, int], limit: int) -> None:
        if not job.writer:
            self._first(job)
        part = self._picked(job, limit) if job.what == DEADLETTERS else self._next(job, limit)
        judged, entries, lost = self._judge(job, part, acceptor)
        desk = self._desk(job, part, judged, memory, cursors)
        for numbers in lost:
            desk.lost(*numbers)
        for one in judged:
            desk.see(one.verdict)
            desk.take(one)
        for day, sites in job.touching.items():
            desk.touched.setdefault(day, set()).update(sites)
        if desk.rows or desk.versions:
            job.touching = {day: sorted(sites) for day, sites in desk.touched.items()}
            self.state.begin(job, desk.versions)
        self.write(desk, entries)
        batch = self._account(job, desk, part)
        self.state.commit(batch, self.ingest)

    def _first(self, job: Job) -> None:
        """Begin: how much there is to do, and where the first writer's window begins."""
        if job.what == DEADLETTERS:
            job.wanted = self.state.wanted(job)
        else:
            job.wanted = sum(max(0, job.upto[writer] - self.journal.begin(writer, job.since_ns)) for writer in job.writers)
        self._turn(job, job.writers[0])

    def _turn(self, job: Job, writer: str) -> None:
        job.writer = writer
        job.seq = 0 if job.what == DEADLETTERS else self.journal.begin(writer, job.since_ns)
        self._reader = None

    def _next(self, job: Job, limit: int) -> Slice:
        """The next records of the window; those received outside it are passed over."""
        reader = self._read_on(job.writer, job.seq, 0)
        found = reader.read(limit)
        unreadable = sum(loss.readings for loss in reader.take_losses())
        upto = job.upto[job.writer]
        inside = [one for one in found if one.seq <= upto and job.since_ns <= one.received_ns <= job.to_ns]
        ended = not found or reader.after >= upto or found[-1].received_ns > job.to_ns + BACK_NS
        seq = min(reader.after, upto)
        return Slice(inside, None, seq, (upto if ended else seq) - job.seq, ended, unreadable)

    def _picked(self, job: Job, limit: int) -> Slice:
        """The records of the next standing refusals that the job asks for."""
        rows = self.state.selected(job, limit)
        if not rows:
            return Slice((), None, job.seq, 0, ended=True)
        last = rows[-1][1].seq
        if len(rows) == limit and rows[0][1].seq != last:
            # The last record may have more refusals than were looked up.
            rows = [one for one in rows if one[1].seq != last]
        chosen: dict[int, set[int]] = {}
        for _, row in rows:
            chosen.setdefault(row.seq, set()).add(row.element)
        found = [record for seq in chosen for record in self._record(job.writer, seq)]
        lost = len(chosen) - len(found)
        return Slice(found, {seq: frozenset(elements) for seq, elements in chosen.items()}, max(chosen), len(rows), ended=False, unreadable=lost)

    def _record(self, writer: str, seq: int) -> list[Record]:
        """One record, or none if it is no longer there; neighbours are found by reading on."""
        reader = self._read_on(writer, seq - 1, FAR)
        while reader.after < seq:
            found = reader.read(1)
            if not found:
                return []
            if found[-1].seq >= seq:
                return [one for one in found if one.seq == seq]
        return []

    def _read_on(self, writer: str, after: int, reach: int) -> Reader:
        """A reader that goes on behind a record; the last one, if it stands there or so little before."""
        if self._reader and self._reader[0] == writer and 0 <= after - self._reader[1].after <= reach:
            return self._reader[1]
        reader = self.journal.reader(writer, after)
        self._reader = writer, reader
        return reader

    def _judge(self, job: Job, part: Slice, acceptor: Acceptor) -> tuple[list[Judged], list[Entry], list[tuple[str, int, int, int]]]:
        """Readings, what people and devices entered, and the numbers that devices gave up."""
        judged: list[Judged] = []
        entries: list[Entry] = []
        lost: list[tuple[str, int, int, int]] = []
        for record in part.records:
            judge = acceptor if job.registry == "now" else self._acceptor(self.journal.registry(record.received_ns), acceptor)
            kind = kind_of(record)
            if kind == "data":
                verdicts = judge.judge(record)
                entries += events(record, verdicts)
            elif kind == "state":
                continue
            else:
                found = read_entries(record, judge.registry)
                entries += found.entries
                lost += found.lost
                verdicts = _with_the_good(found, record)
            kept = (self.rejections.strip(JOB, record, one) for one in verdicts if job.source is None or one.source == job.source)
            judged += [Judged(record, one) for one in kept]
        return [kept for one in judged for kept in _chosen(one, part.chosen)], entries, lost

    def _acceptor(self, registry: Registry, now: Acceptor) -> Acceptor:
        if registry.version not in self._acceptors:
            self._acceptors[registry.version] = Acceptor(registry, now.keeps)
        return self._acceptors[registry.version]

    def _desk(self, job: Job, part: Slice, judged: Sequence[Judged], memory: Memory, cursors: Mapping[str, int]) -> ReplayDesk:
        """The desk with everything that is known of the rows and records concerned."""
        batch = Batch("", 0, 0)
        batch.count("replayed", by=sum(one.verdict.readings for one in judged))
        keys: set[RowKey] = {sight[:4] for _, verdict in judged if (sight := verdict.sight)}
        met = memory.remembered(keys, cursors)
        stored = self.store.cells([Key(*key) for key in keys])
        standing: Sequence[Numbered] = ()
        if part.records:
            standing = self.state.standing(job.writer, part.records[0].seq, part.records[-1].seq)
        partial = job.source is not None
        return ReplayDesk(memory, batch, met, stored=stored, standing=Standing.of(standing), partial=partial)

    def _account(self, job: Job, desk: ReplayDesk, part: Slice) -> Batch:
        """What the slice came to, with the job's new position."""
        batch = desk.finish()
        batch.resolved = dict.fromkeys(desk.settled, job.id)
        job.count("read", batch.totals["replayed", ""])
        for name in OUTCOMES:
            job.count(name, sum(count for (found, _), count in batch.totals.items() if found == name))
        for name, count in (("resolved", len(desk.settled)), ("left", desk.left), ("unreadable", part.unreadable)):
            job.count(name, count)
        job.touching, job.seq, job.records, job.slices = {}, part.seq, job.records + part.done, job.slices + 1
        if part.ended:
            place = job.writers.index(job.writer) + 1
            if place < len(job.writers):
                self._turn(job, job.writers[place])
            else:
                job.state = DONE
        batch.jobs = [job]
        return batch


def _with_the_good(found: Found, record: Record) -> list[Verdict]:
    """Verdicts on entries and events, also on those that are good now: they settle what was refused of them."""
    bad = {verdict.element for verdict in found.verdicts}
    if WHOLE in bad:
        return found.verdicts
    bodies = range(len(found.entries) + len(bad))
    return [*found.verdicts, *(Verdict(number, 0, device_of(record.topic), "", 0, None, None) for number in bodies if number not in bad)]


def _chosen(one: Judged, chosen: Mapping[int, frozenset[int]] | None) -> list[Judged]:
    """The verdict, if its element was chosen; a message refused as a whole counts for the chosen elements."""
    if chosen is None:
        return [one]
    elements = chosen[one.record.seq]
    if WHOLE in elements or one.verdict.element in elements:
        return [one]
    if one.verdict.element != WHOLE:
        return []
    verdict: Verdict = one.verdict._replace(readings=min(one.verdict.readings, len(elements)))
    return [one._replace(verdict=verdict)]
