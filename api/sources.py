"""What the API reads from: ports and plain callables, handed to the factory by the roof.

The API knows no database and no file of the county: whatever it shows was stored by ingest or analytics.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from api.accounts import Doors
from api.desk import Desk, Duty
from domain.marks import Period
from domain.places import Registry
from domain.ports import Clock, Entries, IndicatorSource, ReadingSource
from domain.readings import Key
from domain.targets import Plan


class Seen(Protocol):
    """The newest reading of a source and span, as ingest saw it."""

    @property
    def source(self) -> str:
        """Registered id."""
        ...

    @property
    def span(self) -> int:
        """What the values stand for [s]."""
        ...

    @property
    def time(self) -> int:
        """End of the span."""
        ...

    @property
    def received_ns(self) -> int:
        """Receive time [ns since 1970 UTC]."""
        ...

    @property
    def items(self) -> Mapping[str, tuple[float | None, str]]:
        """Item → (value, flag letter)."""
        ...


class Refusal(Protocol):
    """A dead letter or a quarantined reading, without its bytes."""

    @property
    def outcome(self) -> str:
        """Word ``deadletter`` or ``quarantined``."""
        ...

    @property
    def reason(self) -> str:
        """Code of :data:`domain.reasons.ALL`."""
        ...

    @property
    def detail(self) -> str:
        """What exactly was wrong."""
        ...

    @property
    def item(self) -> str | None:
        """The item, where only one was refused."""
        ...

    @property
    def device(self) -> str:
        """Who sent it."""
        ...

    @property
    def source(self) -> str:
        """What it spoke for."""
        ...

    @property
    def writer(self) -> str:
        """Journal it lies in."""
        ...

    @property
    def seq(self) -> int:
        """Number of the journal record."""
        ...

    @property
    def received_ns(self) -> int:
        """Receive time [ns since 1970 UTC]."""
        ...

    @property
    def topic(self) -> str:
        """MQTT topic."""
        ...


class Version(Protocol):
    """One word on one value of a row that was written more than once."""

    @property
    def key(self) -> Key:
        """The row."""
        ...

    @property
    def item(self) -> str:
        """The item."""
        ...

    @property
    def rev(self) -> int:
        """Revision; of one item the greatest stands."""
        ...

    @property
    def value(self) -> float | None:
        """None = withdrawn."""
        ...

    @property
    def flag(self) -> str:
        """Letter of the flag."""
        ...

    @property
    def received_ns(self) -> int:
        """Receive time [ns since 1970 UTC]; 0 where the first word is older than the memory of versions."""
        ...

    @property
    def device(self) -> str:
        """Who said it; empty for an import."""
        ...

    @property
    def writer(self) -> str:
        """Journal in which it lies; empty for the row as it stood before its second writing."""
        ...

    @property
    def seq(self) -> int:
        """Number of the journal record."""
        ...


class StateView(Protocol):
    """Read side of ingest's memory; answers also while the store is away."""

    def conservation(self) -> Mapping[str, int]:
        """The terms of the law: received, stored, duplicate, deadletter, quarantined, pending."""
        ...

    def totals(self) -> Mapping[tuple[str, str], int]:
        """Counts by (name, reason) since the journal began."""
        ...

    def latest(self) -> Sequence[Seen]:
        """The newest reading of every source and span."""
        ...

    def spoken(self, source: str, window: tuple[int, int], after: tuple[int, int, str, int], limit: int) -> Sequence[Version]:
        """Versions of rows that were written more than once, start < time ≤ end, beyond (time, span, item, revision)."""
        ...

    def refused(
        self, *, reason: str | None = None, after: int = 0, limit: int = 100, outcome: str | None = None, newest: bool = False
    ) -> Sequence[tuple[int, Refusal]]:
        """Refusals with their ids, beyond an id; oldest first, or newest first (then ``after`` is the id to stay below)."""
        ...


@dataclass(frozen=True, slots=True)
class Health:
    """How one process of ours is doing."""

    ready: bool
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sources:
    """Everything the API may ask.

    Attributes
    ----------
    registry : callable
        The registry in force right now; a new one is applied without restart.
    health : callable
        The other processes by name; empty where the API runs alone.
    metrics : callable
        The other processes' metrics in Prometheus' text form.
    speed : float or None
        Simulated seconds a second; None on the machine's clock.
    desk, duty
        What people enter, and the duty log; None where nothing is written.
    report : callable
        Bytes of a report: its kind, period, registered id where it is about a place, and format.
    doors : Doors
        How callers come in; without them this machine reads, and nobody else.
    """

    registry: Callable[[], Registry]
    plans: tuple[Plan, ...]
    figures: IndicatorSource
    readings: ReadingSource
    entries: Entries
    state: StateView
    clock: Clock
    health: Callable[[], Mapping[str, Health]] = dict
    metrics: Callable[[], str] = str
    speed: float | None = None
    doors: Doors = field(default_factory=Doors)
    desk: Desk | None = None
    duty: Duty | None = None
    report: Callable[[str, Period, str, str], bytes] | None = None

    def now(self) -> int:
        """Wall time [s]; simulated in the demo."""
        return self.clock.now_ns() // 1_000_000_000
