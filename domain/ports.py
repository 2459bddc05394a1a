"""Ports: the few verbs through which the rooms meet databases, clocks and the journal. Adapters live in ``lanbi``."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Protocol

from domain.indicators import Block, Event, Indicator, Query, Restatement
from domain.readings import Change, Entry, Key, Reading, Rejected, Series


class Clock(Protocol):
    """Time as an argument: real, simulated, or ticked by a test."""

    def now_ns(self) -> int:
        """Wall time [ns since 1970 UTC]; may be simulated."""
        ...

    def monotonic(self) -> float:
        """Seconds that never jump; for time-outs."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait real seconds."""
        ...


class ReadingSink(Protocol):
    """Write side of readings; one writer, the forwarder."""

    def write(self, rows: Sequence[Reading]) -> Sequence[Rejected]:
        """Put whole rows, all or none: a row that lost an item loses it in the store too.

        Returns what the store will never take. Then nothing counts as written: put the rows again without it.
        """
        ...

    def keeps(self) -> Mapping[str, int]:
        """How long the store keeps readings, by kind [s]; a kind that it keeps for ever is absent."""
        ...

    def remove(self, keys: Sequence[Key]) -> None:
        """Take rows away that nobody sent; those that are not there are no fault."""
        ...

    def changes(self, rows: Sequence[Change]) -> None:
        """Announce what a batch touched; after its data, before the cursor moves."""
        ...


class ReadingSource(Protocol):
    """Read side of readings."""

    def rows(self, kind: str, sources: Sequence[str] | None, start: int, end: int, span: int | None = None) -> Iterator[Reading]:
        """Rows with start < time ≤ end, ordered by source, span, time."""
        ...

    def columns(self, kind: str, source: str, start: int, end: int) -> Iterator[Series]:
        """The same rows of one source as columns, one series a span, ordered by span; no span without a row."""
        ...

    def cells(self, keys: Sequence[Key]) -> dict[Key, Reading]:
        """The stored rows of these keys; absent keys are absent."""
        ...

    def changes_after(self, seen: Mapping[str, int]) -> list[Change]:
        """Changes of every ingest with n above the one seen (0 = none seen), ordered by ingest and n."""
        ...


class IndicatorSink(Protocol):
    """Write side of figures; one writer, analytics."""

    def put(self, rows: Sequence[Indicator]) -> None:
        """Put figures; the same figure, period, scope, rule set, basis and time is one row."""
        ...

    def restate(self, rows: Sequence[Restatement]) -> None:
        """Say openly that closed figures changed; repeating a row overwrites it."""
        ...

    def events(self, rows: Sequence[Event]) -> None:
        """Record events of sources and figures."""
        ...


class IndicatorSource(Protocol):
    """Read side of figures."""

    def latest(self, figure: str, scope: str, period: str, rule_set: str, now: int) -> Indicator | None:
        """The figure with the greatest time ≤ now, basis raw."""
        ...

    def newest(self, figures: Collection[str], scopes: Collection[str], periods: Collection[str], window: tuple[int, int]) -> list[Indicator]:
        """Of each rule set and basis of these figures, scopes and periods the one with the greatest time, start < time ≤ end; ordered by key.

        One question, however many are asked for: a screen of fifty figures asks once.
        """
        ...

    def series(self, query: Query) -> list[Indicator]:
        """Figures that fit the query, ordered by time, at most ``query.limit`` of them."""
        ...

    def several(self, queries: Sequence[Query]) -> list[list[Indicator]]:
        """What :meth:`series` answers to each query, asked together."""
        ...

    def restatements(self, start: int, end: int, limit: int) -> list[Restatement]:
        """Restatements made with start < made ≤ end, newest first."""
        ...

    def event_rows(self, start: int, end: int, limit: int) -> list[Event]:
        """Events with start < time ≤ end, newest first."""
        ...


class FigureBlocks(Protocol):
    """Figures by the thousand, for analytics, which writes and remembers all of them."""

    def put_blocks(self, blocks: Sequence[Block]) -> None:
        """Put figures, as :meth:`IndicatorSink.put` does."""
        ...

    def holds(self, start: int, end: int) -> bool:
        """Whether there is any figure of any scope with start < time ≤ end."""
        ...

    def blocks(self, scope: str, start: int, end: int, fields: Callable[[str, str], Sequence[str]]) -> Iterator[Block]:
        """Figures of a scope with start < time ≤ end: a block a kind, ordered by time.

        Parameters
        ----------
        fields : callable
            Which of :data:`domain.indicators.FIELDS` of a figure on a basis are wanted; the others are None. None of them: not that figure.
        """
        ...


class Entries(Protocol):
    """What people entered; written by the forwarder."""

    def enter(self, rows: Sequence[Entry]) -> None:
        """Put entries; the same id is one row."""
        ...

    def entered(self, kind: str) -> list[Entry]:
        """All entries of a kind, in journal order."""
        ...
