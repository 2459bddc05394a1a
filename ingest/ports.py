"""What ingest asks of the journal and of its state; adapters live in ``lanbi`` (journal.py, state.py).

The state is one database with one writer, the forwarder. Its rule: whatever a batch changed is written in **one**
transaction together with the cursor, so that after any crash the batch either happened or will happen again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from domain.readings import Key


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


class Reader(Protocol):
    """Follows one writer's journal."""

    def read(self, limit: int = 5_000) -> Sequence[Record]:
        """The next durable records, about ``limit`` readings of them; empty when up to date."""
        ...


class Writer(Protocol):
    """Appends to one writer's journal."""

    def append(self, topic: str, payload: bytes, *, received_ns: int, readings: int = 1, flags: int = 0) -> int:
        """Take a message into the group in memory."""
        ...

    def commit(self) -> object:
        """Make the group durable; raises JournalError, and may then be called again."""
        ...

    def close(self) -> None:
        """Give the journal back."""
        ...


class Cursor(NamedTuple):
    """How far the forwarder is in one writer's journal: last record behind it, and readings counted in all behind it."""

    seq: int = 0
    readings: int = 0


class Latest(NamedTuple):
    """The newest reading of a source and span: freshness, and the proof that anything newer is a first sight.

    ``device`` is empty for imports; ``values`` and ``flags`` are the row as it stands in the store.
    """

    kind: str
    source: str
    span: int
    time: int
    rev: int
    values: Mapping[str, float | None]
    flags: Mapping[str, str]
    received_ns: int
    device: str


class Version(NamedTuple):
    """One version of a cell in a row that was written more than once.

    Identity is (key, item, rev, writer, seq). ``writer`` is empty and ``seq`` 0 where the version is the row as it stood before
    its second write. ``current`` is not stored: the greatest revision among those behind the cursor stands.
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


class Letter(NamedTuple):
    """A dead letter or a quarantined reading (or a single item of one).

    ``writer``/``seq``/``index`` name the journal record and the element in it; ``item`` is empty if the whole reading was
    refused. ``payload`` is the element's own bytes, ``digest`` (16 bytes) tells whether the same bytes were refused before.
    ``readings`` is 1 if the reading counts as refused, 0 if only an item of it (or no reading at all, an event) was.
    """

    writer: str
    seq: int
    index: int
    item: str
    reason: str
    detail: str
    topic: str
    payload: bytes
    received_ns: int
    digest: bytes
    readings: int


@dataclass
class Batch:
    """Everything that moves with the cursor, in one transaction.

    Attributes
    ----------
    cursor : Cursor
        New position in the writer's journal.
    counts : mapping of (name, reason) to int
        Increments of the durable totals. Names: ``stored duplicate deadletter quarantined items_refused extra records gaps``;
        ``reason`` is empty where there is none. ``extra`` = readings found by decoding beyond those counted before the commit.
    change : int
        Last change number announced to the store (unchanged if nothing was announced).
    notes : mapping of str to str
        Small named facts to keep (sequence books of devices); overwritten whole.
    """

    writer: str
    cursor: Cursor
    change: int = 0
    counts: dict[tuple[str, str], int] = field(default_factory=dict)
    latest: list[Latest] = field(default_factory=list)
    letters: list[Letter] = field(default_factory=list)
    notes: dict[str, str] = field(default_factory=dict)


class State(Protocol):
    """The forwarder's memory across restarts."""

    def cursor(self, writer: str) -> Cursor:
        """Position in a writer's journal; zeros before the first batch."""
        ...

    def change(self) -> int:
        """Last change number announced; 0 before the first."""
        ...

    def latest(self) -> Iterable[Latest]:
        """The newest reading of every source and span."""
        ...

    def note(self, name: str) -> str | None:
        """A named fact."""
        ...

    def versions(self, keys: Iterable[Key]) -> Mapping[Key, Sequence[Version]]:
        """All versions of the rows that were written more than once, also those of an unfinished batch."""
        ...

    def intend(self, writer: str, versions: Sequence[Version]) -> None:
        """Keep versions durably **before** the store is written.

        Versions of ``writer`` with seq behind its cursor that an unfinished batch left are forgotten in the same transaction.
        A crash between store and commit can then be told from a finished batch, and is decided again in the same way.
        """
        ...

    def known(self, digests: Iterable[bytes]) -> set[bytes]:
        """Which of these were refused before."""
        ...

    def commit(self, batch: Batch) -> None:
        """Everything of a batch in one transaction."""
        ...
