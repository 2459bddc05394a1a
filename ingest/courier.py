"""Rows go to the store while the rest of their batch is still being looked at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
            load = desk.placed[done:]
            self._sent += load
            self._loads.append(self.pool.submit(self.store.write, load))

    def finish(self, desk: Desk, meanwhile: Iterable[None] = ()) -> list[Rejected]:
        """Send the rest; back when all of it is stored, with what the store refuses.

        Parameters
        ----------
        meanwhile : iterable
            Work of ours that is done bit by bit for as long as plain first sights are under way.
        """
        met = bool(desk.met or desk.late)
        if self.pool and self._loads and not met and len(desk.placed) > len(self._sent):
            load = desk.placed[len(self._sent) :]
            self._sent += load
            self._loads.append(self.pool.submit(self.store.write, load))
        for _ in meanwhile if self._loads else ():
            if all(load.done() for load in self._loads):
                break
        found = [one for load in self._loads for one in load.result()]
        rest = self._rest(desk)
        self.forget()
        return [*found, *(self.store.write(rest) if rest else ())]

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
