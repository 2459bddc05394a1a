"""A guard before a server store, for the API: a store that is silent must not take the whole API with it.

The API has few threads. Of the questions to the store only some run at a time, the next ones wait a moment and then hear that it is
slow; after a failure nobody asks for a while, then one question tries. So what needs no store (freshness, newest values, account)
always finds a thread.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Lock, Semaphore
from typing import Final

from domain.errors import StoreAway
from domain.indicators import Event, Indicator, Query, Restatement
from domain.ports import Clock
from domain.readings import Change, Entry, Key, Reading, Series
from lanbi.store import OpenStore

AT_ONCE: Final = 4
"""Half of the API's threads."""
WAIT_S: Final = 0.5
PAUSE_S: Final = 5.0
KEPT_S: Final = 1.0
TODO: Final = "see /readyz and the log of the database; readings wait in the journal"


class Guarded:
    """The reading side of a store, and entering, behind the guard; for many threads."""

    def __init__(self, store: OpenStore, clock: Clock, at_once: int = AT_ONCE) -> None:
        self._store = store
        self._clock = clock
        self._slots = Semaphore(at_once)
        self._lock = Lock()
        self._shut_until = 0.0
        self._failed = False
        self._entered: dict[str, tuple[float, list[Entry]]] = {}

    @contextmanager
    def _slot(self) -> Iterator[None]:
        self._admit()
        if not self._slots.acquire(timeout=WAIT_S):
            raise StoreAway("the store is slow: other questions wait for it", "store", TODO)
        try:
            yield
        except StoreAway:
            with self._lock:
                self._failed, self._shut_until = True, self._clock.monotonic() + PAUSE_S
            raise
        else:
            self._failed = False
        finally:
            self._slots.release()

    def _admit(self) -> None:
        """After a failure one question in :data:`PAUSE_S` goes through; the others hear of the failure at once."""
        with self._lock:
            now = self._clock.monotonic()
            if self._failed and now < self._shut_until:
                raise StoreAway("the store did not answer a moment ago", "store", TODO)
            if self._failed:
                self._shut_until = now + PAUSE_S

    def rows(self, kind: str, sources: Sequence[str] | None, start: int, end: int, span: int | None = None) -> Iterator[Reading]:
        """Readings, see :class:`domain.ports.ReadingSource`."""
        with self._slot():
            yield from self._store.rows(kind, sources, start, end, span)

    def columns(self, kind: str, source: str, start: int, end: int) -> Iterator[Series]:
        """Readings as columns, see :class:`domain.ports.ReadingSource`."""
        with self._slot():
            yield from self._store.columns(kind, source, start, end)

    def cells(self, keys: Sequence[Key]) -> dict[Key, Reading]:
        """The stored rows of these keys."""
        with self._slot():
            return self._store.cells(keys)

    def changes_after(self, seen: Mapping[str, int]) -> list[Change]:
        """Changes of every ingest with n above the one seen."""
        with self._slot():
            return self._store.changes_after(seen)

    def latest(self, figure: str, scope: str, period: str, rule_set: str, now: int) -> Indicator | None:
        """The figure with the greatest time ≤ now."""
        with self._slot():
            return self._store.latest(figure, scope, period, rule_set, now)

    def newest(self, figures: Collection[str], scopes: Collection[str], periods: Collection[str], window: tuple[int, int]) -> list[Indicator]:
        """The newest figure of each rule set and basis."""
        with self._slot():
            return self._store.newest(figures, scopes, periods, window)

    def several(self, queries: Sequence[Query]) -> list[list[Indicator]]:
        """Figures that fit each query."""
        with self._slot():
            return self._store.several(queries)

    def series(self, query: Query) -> list[Indicator]:
        """Figures that fit the query."""
        with self._slot():
            return self._store.series(query)

    def restatements(self, start: int, end: int, limit: int) -> list[Restatement]:
        """Restatements, newest first."""
        with self._slot():
            return self._store.restatements(start, end, limit)

    def event_rows(self, start: int, end: int, limit: int) -> list[Event]:
        """Events, newest first."""
        with self._slot():
            return self._store.event_rows(start, end, limit)

    def entered(self, kind: str) -> list[Entry]:
        """All entries of a kind, as they were up to :data:`KEPT_S` ago: nearly every answer asks for the confirmations, and they change once a month."""
        made, found = self._entered.get(kind, (-KEPT_S, []))
        if self._clock.monotonic() - made < KEPT_S:
            return list(found)
        begun = self._clock.monotonic()
        with self._slot():
            found = self._store.entered(kind)
        self._entered[kind] = begun, found
        return list(found)

    def enter(self, rows: Sequence[Entry]) -> None:
        """Put entries."""
        with self._slot():
            self._store.enter(rows)
        self._entered.clear()
