"""Rows go to the store while the rest of their batch is still being looked at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, Future, wait
from dataclasses import dataclass, field
from typing import Final, Protocol

from domain.ports import ReadingSink, ReadingSource
from domain.readings import Key, Reading, Rejected
from ingest.deciding import Desk

LOAD: Final = 5_000
"""Rows sent at once."""


class Store(ReadingSink, ReadingSource, Protocol):
    """Takes rows, and tells what it has."""


@dataclass
class Courier:
    """Sends plain first sights ahead, one load after the other, and at the end whatever is left or has changed.

    What is sent before its batch is decided harms nothing if the batch is never finished: a first sight is one again, and the same
    row is written once more.

    Attributes
    ----------
    pool : Executor or None
        Threads for the loads, at least one; without it everything is sent at the end.
    """

    store: Store
    pool: Executor | None = None
    _sent: list[Reading] = field(default_factory=list)
    _loads: list[Future[Sequence[Rejected]]] = field(default_factory=list)

    def ahead(self, desk: Desk) -> int:
        """Send what makes a full load; how many plain first sights there must be for the next."""
        done = len(self._sent)
        if self.pool and len(desk.plain.rows) - done >= LOAD:
            self._submit(desk.plain.rows[done:])
        return len(desk.plain.rows) + LOAD

    def ask(self, keys: Sequence[Key], meanwhile: Iterator[None]) -> dict[Key, Reading]:
        """The store's rows of these keys; until it has answered our own work is done, as in :meth:`finish`."""
        if self.pool is None:
            return self.store.cells(keys)
        asked = self.pool.submit(self.store.cells, keys)
        try:
            while not asked.done() and next(meanwhile, self) is not self:
                pass
        finally:
            wait([asked])  # an answer that came later would speak of rows as they are no more
        return asked.result()

    def finish(self, desk: Desk, meanwhile: Iterator[None]) -> list[Rejected]:
        """Send the rest; back when all of it is stored, with what the store refuses.

        Parameters
        ----------
        meanwhile : iterator
            Work of ours that is done bit by bit for as long as plain first sights are under way.
        """
        if self.pool and self._loads:
            self._submit(self._plain(desk))
        found = self._ended(meanwhile)
        # Rows that were met may replace what has been sent ahead, so they follow when that is stored.
        rest = self._rest(desk)
        if self.pool:
            self._submit(rest)
        elif rest:
            found += self.store.write(rest)
        found += self._ended(meanwhile)
        self.forget()
        return found

    def _submit(self, rows: Sequence[Reading]) -> None:
        if self.pool and rows:
            self._sent += rows
            self._loads.append(self.pool.submit(self.store.write, rows))

    def _ended(self, meanwhile: Iterator[None]) -> list[Rejected]:
        """What is refused of all that is under way, once it has come to its end; until then our own work is done."""
        while not all(load.done() for load in self._loads):
            if next(meanwhile, self) is self:
                break
        ended, self._loads = self._loads, []
        try:
            return [one for load in ended for one in load.result()]
        except BaseException:
            self._loads = ended
            raise

    def _plain(self, desk: Desk) -> list[Reading]:
        """Plain first sights that were not sent and are still as they were placed."""
        left = desk.plain.rows[len(self._sent) :]
        return [row for row in left if desk.rows.get(row.key) is row] if desk.met else left

    def _rest(self, desk: Desk) -> list[Reading]:
        """Rows that were not sent as they are now."""
        rows = desk.writing()
        if not self._sent or rows is desk.plain.rows:
            return rows[len(self._sent) :]
        gone = set(map(id, self._sent))
        return [row for row in rows if id(row) not in gone]

    def forget(self) -> None:
        """The batch is at its end, or given up; nothing of it is under way any more."""
        wait(self._loads)
        self._loads.clear()
        self._sent.clear()
