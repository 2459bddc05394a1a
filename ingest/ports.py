"""What ingest asks of the journal and of its state; adapters live in ``lanbi`` (journal.py, state.py).

The state is one database with one writer, the forwarder. Its rule: whatever a batch changed is written in **one**
transaction together with the cursor, so that after any crash the batch either happened or will happen again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol

from domain.places import Registry
from domain.readings import Key, Reading
from ingest.jobs import Finding, Job
from ingest.newest import Front, Newest

Ask = Callable[[Sequence[Key]], Mapping[Key, Reading]]
"""The store's rows of these keys; absent keys are absent."""


class Record(Protocol):
    """A journalled message, as the journal's reader gives it."""

    @property
    def writer(self) -> str:
        """Door it came through: mqtt, hj212, import, person."""
        ...

    @property
    def seq(self) -> int:
        """Number within the writer's journal."""
        ...

    @property
    def received_ns(self) -> int:
        """Receive time [ns since 1970 UTC]."""
        ...

    @property
    def flags(self) -> int:
        """Bits: 1 QoS 1, 2 retained, 4 duplicate."""
        ...

    @property
    def readings(self) -> int:
        """Readings counted before the commit."""
        ...

    @property
    def topic(self) -> str:
        """MQTT topic."""
        ...

    @property
    def payload(self) -> bytes:
        """The bytes as they came."""
        ...


class Loss(Protocol):
    """Damaged bytes of the journal that were passed over."""

    @property
    def path(self) -> Path:
        """File they stand in."""
        ...

    @property
    def offset(self) -> int:
        """Where in the file."""
        ...

    @property
    def records(self) -> int:
        """Records that were in them."""
        ...

    @property
    def readings(self) -> int:
        """Readings that were in them."""
        ...


class Reader(Protocol):
    """Follows one writer's journal; after each read ``after`` and ``readings`` are the cursor to keep, losses included; ``more``: others lie behind."""

    after: int
    readings: int
    more: bool

    def take_losses(self) -> Sequence[Loss]:
        """Damage passed since the last call; the readings lost in it are part of ``readings``."""
        ...

    def read(self, limit: int = 5_000, most: int | None = None) -> Sequence[Record]:
        """The next durable records, about ``limit`` readings of them and no more than ``most``; empty when up to date."""
        ...


class Journal(Protocol):
    """What a job needs of the journal."""

    def reader(self, writer: str, after: int) -> Reader:
        """Follows a writer behind a sequence number."""
        ...

    def begin(self, writer: str, since_ns: int) -> int:
        """A sequence number behind which everything received since then is found."""
        ...

    def known_since(self) -> int:
        """From which receive time on [ns] nothing has been pruned; 0 if nothing ever was."""
        ...

    def registry(self, received_ns: int) -> Registry:
        """The registry that was in force then."""
        ...


class Writer(Protocol):
    """Appends to one writer's journal."""

    def append(self, topic: str, payload: bytes, *, received_ns: int, readings: int = 1, flags: int = 0) -> int:
        """Take a message into the group in memory."""
        ...

    def extend(self, topics: Sequence[str], payloads: Sequence[bytes], *, received_ns: int, flags: Sequence[int]) -> None:
        """Take many messages of one reading each, that came at one time; all of them or, if it raises, none."""
        ...

    def commit(self) -> object:
        """Make the group durable; raises JournalError, and may then be called again."""
        ...

    def close(self) -> None:
        """Give the journal back."""
        ...


class Latest(NamedTuple):
    """The newest reading of a source and span: freshness, and the proof that anything newer is a first sight.

    ``items`` is the row as it stands in the store: item → (value, flag), flag ``N`` where valid; ``device`` is empty for imports.
    """

    source: str
    span: int
    kind: str
    time: int
    rev: int
    received_ns: int
    device: str
    items: Mapping[str, tuple[float | None, str]]


class Cell(NamedTuple):
    """One item of a row as it stands: value, flag (N where valid, W where withdrawn), revision; who said it, if known."""

    value: float | None
    flag: str
    rev: int
    corrects: bool = False
    device: str = ""


Cells = dict[str, Cell]


class Before(NamedTuple):
    """A row as a batch found it that changes it: the first record of the batch that does, and the row's cells (none: it makes it)."""

    seq: int
    key: Key
    cells: Cells


class Version(NamedTuple):
    """One version of one value of a row that was written more than once.

    ``writer``/``seq`` name the journal record with which it became part of the record; for the row as it stood before its second
    write, whose receive time is unknown (0), that second record. Of the versions behind the cursor the one with the greatest
    ``rev`` stands.
    """

    key: Key
    item: str
    rev: int
    value: float | None
    flag: str
    corrects: bool
    received_ns: int
    device: str
    writer: str
    seq: int


class Refused(NamedTuple):
    """A dead letter or a quarantined reading (or one item of a reading); the bytes stand in the journal at ``writer/seq``.

    ``outcome`` is deadletter or quarantined; ``item`` is None if the whole reading was refused; ``element`` is its place in the
    message; ``digest`` (16 bytes) tells whether the same bytes were refused before.
    """

    outcome: str
    reason: str
    detail: str
    item: str | None
    device: str
    source: str
    run: int
    number: int | None
    writer: str
    seq: int
    element: int
    received_ns: int
    topic: str
    digest: bytes


@dataclass(slots=True)
class Batch:
    """What one step of the forwarder changes, all at once.

    Attributes
    ----------
    writer : str
        Whose cursor moves; empty for a slice of a job, which moves none.
    seq : int
        Last record behind the cursor.
    readings : int
        Journalled readings behind the cursor after this batch.
    totals : dict
        Increments by (name, reason): ``stored duplicate deadletter quarantined items_refused decoded_more replayed messages gaps``;
        ``decoded_more`` = readings found by decoding beyond those counted before the commit, ``replayed`` = received once more.
    runs, sequences : dict
        By (device, run): small index of the run; greatest sequence number seen.
    change_number : int or None
        Number of the last change announced; None if this batch announced none.
    jobs : list of Job
        New ones, or the one that this batch was a slice of.
    resolved : dict of int to str
        Refusals (by id) that no longer stand, with the job that settled them.
    renamed : dict of int to Refused
        Refusals that stand for another reason now.
    findings : list of Finding
        What a reconciliation (the one of :attr:`jobs`) found.
    """

    writer: str
    seq: int
    readings: int
    totals: dict[tuple[str, str], int] = field(default_factory=dict)
    latest: dict[tuple[str, int], Newest] = field(default_factory=dict)
    refused: list[Refused] = field(default_factory=list)
    runs: dict[tuple[str, int], int] = field(default_factory=dict)
    sequences: dict[tuple[str, int], int] = field(default_factory=dict)
    change_number: int | None = None
    jobs: list[Job] = field(default_factory=list)
    resolved: dict[int, str] = field(default_factory=dict)
    renamed: dict[int, Refused] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def count(self, name: str, reason: str = "", by: int = 1) -> None:
        """Add to a total."""
        self.totals[name, reason] = self.totals.get((name, reason), 0) + by


class State(Protocol):
    """The forwarder's memory across restarts."""

    def cursor(self, writer: str) -> tuple[int, int]:
        """Last forwarded sequence of a writer, and the journalled readings behind it."""
        ...

    def change_number(self, ingest: str) -> int:
        """Number of the last change announced."""
        ...

    def newest(self) -> Mapping[tuple[str, int], Front]:
        """How far every source and span is, read again; the mapping follows every commit from then on."""
        ...

    def runs(self) -> dict[tuple[str, int], int]:
        """Small index of every run of every device."""
        ...

    def sequences(self) -> dict[tuple[str, int], int]:
        """Greatest sequence number seen of every run of every device."""
        ...

    def versions(self, keys: Iterable[Key]) -> Mapping[Key, Sequence[Version]]:
        """All versions of the rows that were written more than once, also those of an unfinished batch."""
        ...

    def unfinished(self, writer: str) -> int:
        """Greatest record of a writer beyond its cursor that was intended: a batch up to there never finished; else 0."""
        ...

    def before(self, writer: str) -> Mapping[Key, Cells]:
        """Rows that an unfinished batch was about to make or change, as it had found them, whatever the store holds by now."""
        ...

    def intend(self, writer: str, upto: int, versions: Sequence[Version], before: Iterable[Before] = ()) -> None:
        """Keep versions, and rows as this batch has found them, durably **before** the store is written.

        Intentions of ``writer`` between its cursor and ``upto`` that an unfinished batch left are forgotten in the same
        transaction. So a batch that a crash cut off between store and commit is decided again exactly as the first time.
        """
        ...

    def known_refusals(self, digests: Iterable[bytes]) -> set[bytes]:
        """Which of these bytes are in the dead letters already."""
        ...

    def commit(self, batch: Batch, ingest: str) -> None:
        """Move everything of a batch in one transaction."""
        ...

    def job(self, name: str) -> Job | None:
        """A job by its name."""
        ...

    def open_jobs(self) -> Sequence[Job]:
        """Jobs with something left to do, oldest first."""
        ...

    def forget_gentle(self, before_ns: int) -> None:
        """Drop jobs that nobody asked for, and their findings, from before a moment."""
        ...

    def begin(self, job: Job, versions: Sequence[Version]) -> None:
        """Keep versions, and what a slice of a job is about to touch, durably **before** the store is written."""
        ...

    def standing(self, writer: str, first: int, last: int) -> Sequence[tuple[int, Refused]]:
        """Refusals of these records, with their ids, that nothing has settled since."""
        ...

    def selected(self, job: Job, limit: int) -> Sequence[tuple[int, Refused]]:
        """The next standing refusals that a job asks for, behind its position, in journal order."""
        ...

    def wanted(self, job: Job) -> int:
        """How many standing refusals a job asks for."""
        ...
