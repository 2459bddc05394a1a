"""Rows go to the store while the rest of their batch is still being looked at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, wait
from dataclasses import dataclass, field
from typing import Final

from domain.ports import ReadingSink
from domain.readings import Reading, Rejected
from ingest.deciding import Desk

LOAD: Final = 5_000
"""Rows sent at once."""


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

    store: ReadingSink
    pool: Executor | None = None
    _sent: list[Reading] = field(default_factory=list)
    _loads: list[Future[Sequence[Rejected]]] = field(default_factory=list)

    def ahead(self, desk: Desk) -> None:
        """Send what makes a full load."""
        done = len(self._sent)
        if self.pool and len(desk.placed) - done >= LOAD:
            self._submit(desk.placed[done:])

    def finish(self, desk: Desk, meanwhile: Iterable[None] = ()) -> list[Rejected]:
        """Send the rest; back when all of it is stored, with what the store refuses.

        Parameters
        ----------
        meanwhile : iterable
            Work of ours that is done bit by bit for as long as plain first sights are under way.
        """
        work = iter(meanwhile)
        if self.pool and self._loads:
            self._submit(self._plain(desk))
        found = self._ended(work)
        # Rows that were met may replace what has been sent ahead, so they follow when that is stored.
        rest = self._rest(desk)
        if self.pool:
            self._submit(rest)
        elif rest:
            found += self.store.write(rest)
        found += self._ended(work)
        self.forget()
        return found

    def _submit(self, rows: Sequence[Reading]) -> None:
        if self.pool and rows:
            self._sent += rows
            self._loads.append(self.pool.submit(self.store.write, rows))

    def _ended(self, work: Iterator[None]) -> list[Rejected]:
        """What is refused of all that is under way, once it has come to its end; until then our own work is done."""
        while not all(load.done() for load in self._loads):
            if next(work, self) is self:
                break
        ended, self._loads = self._loads, []
        try:
            return [one for load in ended for one in load.result()]
        except BaseException:
            self._loads = ended
            raise

    def _plain(self, desk: Desk) -> list[Reading]:
        """Plain first sights that were not sent and are still as they were placed."""
        left = desk.placed[len(self._sent) :]
        return [row for row in left if desk.rows.get(row.key) is row] if desk.met else left

    def _rest(self, desk: Desk) -> list[Reading]:
        """Rows that were not sent as they are now."""
        if not self._sent:
            return list(desk.rows.values())
        gone = set(map(id, self._sent))
        return [row for row in desk.rows.values() if id(row) not in gone]

    def forget(self) -> None:
        """The batch is at its end, or given up; nothing of it is under way any more."""
        wait(self._loads)
        self._loads.clear()
        self._sent.clear()
