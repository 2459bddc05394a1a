"""The reconciliation that an ingest plans for itself each night, between its live batches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from domain.civil import date_of, day_of, day_start
from domain.ports import Clock
from ingest.jobs import DOORS, NS, RECONCILE, Job

WINDOW_S: Final = 96 * 3_600
"""As long a store's yes is not believed."""
OFF: Final = "off"
SETTLED_S: Final = 600.0
"""A process that has just begun has better things to do, also where the night was slept through."""


def night_job(at: str, now_ns: int) -> Job | None:
    """The job of the last night, from its time of day (``HH:MM``, China's time) on; None before it, or if it is off."""
    if at == OFF:
        return None
    hours, minutes = (int(part) for part in at.split(":"))
    day = day_of(now_ns // NS)
    if now_ns < (day_start(day) + 3_600 * hours + 60 * minutes) * NS:
        return None
    name = f"night/{date_of(day).isoformat()}"
    return Job(name, RECONCILE, now_ns, "lanbi", now_ns - WINDOW_S * NS, now_ns, list(DOORS), repair=True, gentle=True)


@dataclass
class Nights:
    """Asks for each night's job once; kept by the forwarder's thread."""

    at: str
    clock: Clock
    _begun: float = -1.0
    _planned: str = ""

    def due(self) -> Job | None:
        """The job to plan now, if there is one that this process has not planned."""
        now = self.clock.monotonic()
        if self._begun < 0:
            self._begun = now
        if self.at == OFF or now - self._begun < SETTLED_S:
            return None
        job = night_job(self.at, self.clock.now_ns())
        if job is None or job.id == self._planned:
            return None
        return job

    def planned(self, job: Job) -> None:
        """It is in the state now."""
        self._planned = job.id
