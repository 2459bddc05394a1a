"""Time of a played scene: it runs faster than the machine's, from a begin in the past."""

from __future__ import annotations

import gc
from dataclasses import dataclass, field

from domain.ports import Clock


def collect_seldom() -> None:
    """Let the garbage collector look through a fleet's millions of words seldom: they hold no circles, and each look costs more than they do."""
    gc.set_threshold(200_000, 20, 1_000)


@dataclass
class PacedClock:
    """A clock of true time: ``speed`` simulated seconds a real second since it was made; waiting and time-outs stay real.

    Attributes
    ----------
    begin : int [s]
        True time at the start.
    """

    clock: Clock
    begin: int
    speed: float
    _started: float = field(init=False)

    def __post_init__(self) -> None:
        self._started = self.clock.monotonic()

    def now_ns(self) -> int:
        """True time [ns since 1970 UTC]."""
        return self.begin * 10**9 + int((self.clock.monotonic() - self._started) * self.speed * 10**9)

    def monotonic(self) -> float:
        """Real seconds that never jump."""
        return self.clock.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait real seconds."""
        self.clock.sleep(seconds)
