"""The forwarder: from the journal into the store, behind a cursor that moves only after the store has said yes.

Order of one batch, and why it survives a crash between any two steps: remember versions → write rows → announce changes →
move the cursor with everything else in one transaction. Before the last step nothing has happened that doing it again would
change: rows are whole and written by key, changes get the number after the last one the store knows, and versions of an
unfinished batch are recognised by the cursor. What the store refuses for good is another such end: the batch begins anew
without it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Protocol

from domain.errors import LanbiError
from domain.places import Registry
from domain.ports import Entries, ReadingSink, ReadingSource
from domain.readings import Change, Entry
from ingest.accept import IMPORT, WHOLE
from ingest.courier import Courier
from ingest.deadletters import Answer, answers
from ingest.deciding import Desk, Judged
from ingest.decoders.sparkplug import Node
from ingest.entries import FIRST, REGISTRY, announce, named
from ingest.foresight import TOGETHER, Foreseen, foresee, read
from ingest.jobs import EVER, Job
from ingest.judges import Judges
from ingest.memory import Memory
from ingest.mending import recheck
from ingest.ports import Batch, Journal, Loss, Reader, Refused, State
from ingest.rejections import JOB, Rejections
from ingest.slices import Jobs

WRITERS: Final = ("person", "mqtt", "hj212", "import")
"""Order of attention: what people enter (a new registry above all) comes before what it judges."""
LIMIT: Final = 5_000
DOUBTFUL: Final = ("mqtt", "hj212", "import")
KEPT_NS: Final = 40 * 86_400 * 10**9
"""So long the outcome of a job that nobody asked for is kept."""
GENTLE: Final = 500
"""Readings of a slice that makes way for everything else."""
NOTHING: Final[Iterator[None]] = iter(())
"""No work of ours while the store works."""
OUTCOMES: Final = ("stored", "duplicate", "deadletter", "quarantined")


class _Again(BaseException):
    """The store refused a part of the batch: begin it anew. Not an Exception, because no fault has happened to whatever it passes."""


class Store(ReadingSink, ReadingSource, Entries, Protocol):
    """The three ports of the store that the forwarder needs."""


@dataclass
class Forwarder:
    """Takes batches from the journal to the store; one a data folder (the state's lock).

    Attributes
    ----------
    journal : Journal
        Gives a reader of a writer behind a sequence number, so that a failed batch is read again; and what jobs need of it.
    state, store : State, Store
        The forwarder is the one writer of both.
    registry : Registry
        In force at first; :attr:`reload` gives the newer one.
    ingest : str
        Name of this ingest in change rows.
    alone : bool
        No other ingest writes to this store.
    reload : callable
        Called with an entry of kind ``registry``: returns the registry now in force.
    tell : callable
        Takes words for devices whose readings were refused.
    ask : callable
        Takes edge nodes of Sparkplug whose births are missing, with the receive time [s] of what showed it.
    pool : Executor, optional
        Threads in which rows are written while the rest of their batch, and the next one, is being looked at.
    linger_ns : int
        So long after a value was withdrawn it is looked whether it is gone; 0 = a store that forgets at once. InfluxDB deletes
        nothing of what it is just moving from memory into a file: once the file is there, so is the value.
    more : bool
        The last :meth:`step` left work behind, as far as it knows: a batch was full, or a job was at work.
    """

    journal: Journal
    state: State
    store: Store
    registry: Registry
    ingest: str = "1"
    alone: bool = True
    reload: Callable[[Entry], Registry | None] = lambda _: None
    tell: Callable[[Sequence[Answer]], None] = lambda _: None
    ask: Callable[[Mapping[Node, int]], None] = lambda _: None
    pool: Executor | None = None
    linger_ns: int = 0
    more: bool = False
    _readers: dict[str, Reader] = field(default_factory=dict)
    _foreseen: dict[str, Foreseen] = field(default_factory=dict)
    _memory: Memory | None = None
    _cursors: dict[str, tuple[int, int]] = field(default_factory=dict)
    _unfinished: dict[str, int] = field(default_factory=dict)
    _change: int = 0
    _careful: bool = False
    _rejections: Rejections = field(default_factory=Rejections)

    def __post_init__(self) -> None:
        self._judges = Judges(self.registry, {}, self._rejections)
        self._courier = Courier(self.store, self.pool)
        self._jobs = Jobs(self.journal, self.state, self.store, self._write, self.ingest, self._rejections, self.alone)

    def step(self, limit: int = LIMIT, now_ns: int = EVER) -> int:
        """One batch of every writer that has something, then one slice of what a person asked for, or of a second look that is due.

        Returns
        -------
        int
            Records processed; 0 when everything journalled is behind the cursors and no job is open.

        Raises
        ------
        StoreAway, StoreRefused, OSError
            Nothing has moved; call again later.
        """
        if self._memory is None:
            self._begin()
        self.more = False
        worked = sum(self._forward(writer, limit, now_ns) for writer in sorted(WRITERS, key=self._whole))
        sliced = self._again(partial(self._slice, limit, now_ns))
        self.more |= sliced > 0
        return worked + sliced

    def _forward(self, writer: str, limit: int, now_ns: int) -> int:
        """One batch of a writer, or as many as it takes to finish what was begun before: nobody else may meet rows half done."""
        worked = done = self._again(partial(self._batch, writer, limit, now_ns))
        while done and not self._whole(writer):
            done = self._again(partial(self._batch, writer, limit, now_ns))
            worked += done
        return worked

    def _whole(self, writer: str) -> bool:
        """Nothing of a writer was begun and not finished; such a one goes first."""
        return self._unfinished[writer] <= self._cursors[writer][0]

    def _again(self, work: Callable[[Memory], int]) -> int:
        """Do a piece of work, begun anew for as long as the store finds something in it that it will not take."""
        while True:
            try:
                return work(self._memory or self._begin())
            except _Again:
                self._forget()
            except BaseException as error:
                # A fault of ours on the short way must not come again on the next attempt.
                self._careful |= not isinstance(error, LanbiError)
                self._forget()
                raise

    def _forget(self) -> None:
        """Whatever was half done is forgotten; state and journal know better."""
        self._memory = None
        self._foreseen.clear()
        self._courier.forget()

    def _slice(self, limit: int, now_ns: int, memory: Memory) -> int:
        worked = self._jobs.step(memory, self._judges.acceptor, self._behind(), limit, now_ns=now_ns)
        self._rejections.settled(JOB, 0, 0)
        return worked

    def idle(self) -> int:
        """One small slice of what can wait, for when :meth:`step` found nothing to do; 0 if nothing waits. Raises as that does."""
        return self._again(lambda memory: self._jobs.step(memory, self._judges.acceptor, self._behind(), GENTLE, gentle=True))

    def plan(self, job: Job) -> None:
        """Take up a job that nobody asked for, unless it was planned before.

        Raises
        ------
        StoreAway
            The state cannot be written; call again later.
        """
        if self.state.job(job.id) is None:
            self.state.forget_gentle(job.asked_ns - KEPT_NS)
            self.state.commit(Batch("", 0, 0, jobs=[job]), self.ingest)
            self._jobs.accept([job])

    def doubt(self, now_ns: int, linger_ns: int, limit: int = LIMIT) -> None:
        """Plan a second look at what may be on its way to the store: the store, or a life of ours before this one, gave no answer.

        Parameters
        ----------
        linger_ns : int
            So long after now a request is still under way at most.
        limit : int
            Readings of a batch, as :meth:`step` was given.
        """
        for writer in DOUBTFUL:
            after, _ = self.state.cursor(writer)
            records = self.journal.reader(writer, after).read(limit, TOGETHER)
            if records:
                job = recheck(records, after, now_ns, linger_ns)
                self.state.commit(Batch("", 0, 0, jobs=[job]), self.ingest)
                self._jobs.accept([job])

    def _begin(self) -> Memory:
        memory = Memory(self.state, alone=self.alone)
        self._cursors = {writer: self.state.cursor(writer) for writer in WRITERS}
        self._readers = {writer: self.journal.reader(writer, seq) for writer, (seq, _) in self._cursors.items()}
        committed = self.state.change_number(self.ingest)
        announced = [row.n for row in self.store.changes_after({self.ingest: committed}) if row.ingest == self.ingest]
        self._change = max([committed, *announced])
        self._unfinished = {writer: self.state.unfinished(writer) for writer in WRITERS}
        self._judges = Judges(self.registry, self.store.keeps(), self._rejections)
        self._jobs.reload()
        self._memory = memory
        return memory

    def _behind(self) -> dict[str, int]:
        return {name: seq for name, (seq, _) in self._cursors.items()}

    def _batch(self, writer: str, limit: int, now_ns: int, memory: Memory) -> int:
        found = self._foreseen.pop(writer, None) or read(self._readers[writer], limit)
        records, losses = found.records, found.losses
        if not records and not losses:
            return 0
        batch = Batch(writer, found.after, found.readings)
        for loss in losses:
            _lose(loss, batch)
        batch.count("messages", by=len(records))
        desk = Desk(memory, batch)
        again = not self._whole(writer)
        meanwhile = self._meanwhile(writer, limit, memory) if found.more else NOTHING
        self._decide(desk, found, meanwhile, again=again)
        entries = self._judges.taken()
        before = desk.before()
        if desk.versions or before or again:
            self.state.intend(writer, batch.seq, desk.versions, before)
        self._write(desk, entries, meanwhile)
        finished = desk.finish()
        if writer == IMPORT:
            _account(finished)
        batch.jobs = self._jobs.asked(writer, entries, self._behind())
        if desk.withdrawn and self.linger_ns and now_ns != EVER:
            batch.jobs.append(recheck(desk.withdrawn, f"{desk.withdrawn[0].seq}/withdrawn", now_ns, self.linger_ns, only=True))
        self.state.commit(finished, self.ingest)
        self._jobs.accept(batch.jobs)
        self._rejections.settled(writer, batch.seq, batch.readings - self._cursors[writer][1])
        self._cursors[writer] = (batch.seq, batch.readings)
        self._careful = False
        self.more |= found.more
        self._after(batch, entries)
        return len(records) + len(losses)

    def _meanwhile(self, writer: str, limit: int, memory: Memory) -> Iterator[None]:
        """Look at the next batch while the store is busy with this one."""
        found = self._foreseen[writer] = read(self._readers[writer], limit)
        yield from foresee(found, self._judges, memory.runs)

    def _decide(self, desk: Desk, found: Foreseen, meanwhile: Iterator[None], *, again: bool) -> None:
        """See all readings of a batch, sending ahead what needs no second look; then decide the others."""
        writer = desk.batch.writer
        easy = not again and not self._careful and not self._rejections.of(writer)
        judged: list[Judged] = []
        place, due = 0, self._courier.ahead(desk)
        for part in found.verdicts(self._judges, desk.memory.runs) if easy else [None] * len(found.records):
            if part is None:
                judged += self._judges.see(found.records[place], desk)
                place += 1
            else:
                judged += self._judges.place(part, desk)
                place += len(part.records)
            if len(desk.plain.rows) >= due:
                due = self._courier.ahead(desk)
        desk.placed()
        ask = partial(self._courier.ask, meanwhile=meanwhile)
        desk.met = desk.memory.met_again(desk.late, desk.coming, ask, self._behind(), self.state.before(writer) if again else None)
        for one in judged:
            desk.take(one)

    def _write(self, desk: Desk, entries: list[Entry], meanwhile: Iterator[None] = NOTHING) -> None:
        if entries:
            self.store.enter(entries if self.ingest == FIRST else [one._replace(id=named(one.id, self.ingest)) for one in entries])
            announce(entries, self.registry, desk.touched)
        rejected = self._courier.finish(desk, meanwhile)
        if rejected:
            self._rejections.learn(desk.batch.writer or JOB, desk.batch.seq, rejected)
            raise _Again
        if desk.touched:
            days = sorted(desk.touched.items())
            changes = [Change(self.ingest, self._change + number, day, tuple(sorted(sites))) for number, (day, sites) in enumerate(days, 1)]
            self.store.changes(changes)
            self._change = desk.batch.change_number = changes[-1].n

    def _after(self, batch: Batch, entries: list[Entry]) -> None:
        """Committed: a new registry judges what comes next, and devices hear what was refused."""
        for entry in entries:
            registry = self.reload(entry) if entry.kind == REGISTRY else None
            if registry is not None:
                self.registry = registry
                self._judges = Judges(registry, self._judges.keeps, self._rejections)
        if batch.refused:
            self.tell(answers(batch.refused))
        silent = self._judges.acceptor.foreign.silent()
        if silent:
            self.ask(silent)


def _account(batch: Batch) -> None:
    """An import closes with an account of its own, also while devices report through the same forwarder."""
    for (name, reason), count in list(batch.totals.items()):
        if name in OUTCOMES:
            batch.count("import", name, count)
        if name in (*OUTCOMES, "items_refused") and reason:
            batch.count("import", f"{name}:{reason}", count)


def _lose(loss: Loss, batch: Batch) -> None:
    """Damage in the journal is named like a refusal: its readings are not stored, and that is said."""
    detail = f"journal damaged: {loss.path.name} at byte {loss.offset}, {loss.records} records"
    batch.count("deadletter", "internal", loss.readings)
    batch.count("journal_lost", by=loss.records)
    batch.refused.append(Refused("deadletter", "internal", detail, None, "", "", 0, None, batch.writer, 0, WHOLE, 0, "", b""))
