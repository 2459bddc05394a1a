"""How long the store takes to write: its verbs, and a stop watch on one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from domain.ports import Clock
from domain.readings import Reading, Rejected
from lanbi.metrics import WRITE_S
from lanbi.store import OpenStore


@dataclass
class WriteTimes:
    """Seconds of writes in buckets, since the process began."""

    counts: list[int] = field(default_factory=lambda: [0] * len(WRITE_S))
    seconds: float = 0.0
    number: int = 0

    def add(self, seconds: float) -> None:
        """Count one write."""
        self.seconds += seconds
        self.number += 1
        for place, edge in enumerate(WRITE_S):
            self.counts[place] += seconds <= edge

    def told(self) -> dict[str, object]:
        """For the status file."""
        return {"counts": list(self.counts), "seconds": round(self.seconds, 6), "number": self.number}


class _Timed:
    def __init__(self, store: OpenStore, clock: Clock, times: WriteTimes) -> None:
        self._store, self._clock, self._times = store, clock, times

    def write(self, rows: Sequence[Reading]) -> Sequence[Rejected]:
        begun = self._clock.monotonic()
        try:
            return self._store.write(rows)
        finally:
            self._times.add(self._clock.monotonic() - begun)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def timed(store: OpenStore, clock: Clock, times: WriteTimes) -> OpenStore:
    """The same store, with the time of each write of readings counted, also of one that failed."""
    return cast("OpenStore", _Timed(store, clock, times))
