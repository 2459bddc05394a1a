"""The two clocks: the machine's, and the demo's simulated one that all its processes share through one small file.

This is one of the few files that may read the machine's clock. Everything else takes a ``Clock`` (domain.ports).
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from domain.errors import WorkError

SECOND: Final = 10**9
LEASE_S: Final = 3
"""Real seconds of simulated time that are reserved ahead; a restarted demo begins behind them, so its time never steps back."""


class SystemClock:
    """The machine's clock."""

    def now_ns(self) -> int:
        """Wall time [ns since 1970 UTC]."""
        return time.time_ns()

    def monotonic(self) -> float:
        """Seconds that never jump."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


@dataclass(frozen=True)
class Anchor:
    """Where simulated time hangs on real time; the content of ``clock.json``.

    Attributes
    ----------
    sim_ns : int
        Simulated wall time at the anchor.
    boot_ns : int
        Reading of the boot clock (it never jumps and is the same in every process) at the anchor.
    speed : float
        Simulated seconds a real second.
    reserved_ns : int
        Simulated time up to which processes may have acted; a restart begins here.
    """

    sim_ns: int
    boot_ns: int
    speed: float
    reserved_ns: int

    @classmethod
    def read(cls, path: Path) -> Anchor:
        """The anchor in a file; a missing or broken one is an error a person can act on."""
        try:
            return cls(**json.loads(path.read_bytes()))
        except (OSError, ValueError, TypeError) as error:
            message = f"the simulated clock cannot be read: {error}"
            raise WorkError(message, str(path), 'start `lanbi demo` first, or set clock = "system"') from error

    def write(self, path: Path) -> None:
        """Replace the file whole."""
        draft = path.with_suffix(".new")
        draft.write_text(json.dumps(self.__dict__), encoding="utf-8")
        draft.replace(path)


class SimClock:
    """Simulated time of a demo: it runs ``speed`` times as fast as real time and never past it.

    ``sleep`` and ``monotonic`` stay real: time-outs and retries guard real sockets.
    """

    def __init__(self, path: Path) -> None:
        self.anchor = Anchor.read(path)

    @property
    def speed(self) -> float:
        """Simulated seconds a real second."""
        return self.anchor.speed

    def now_ns(self) -> int:
        """Simulated wall time [ns since 1970 UTC]."""
        passed = max(0, _boot_ns() - self.anchor.boot_ns)
        return min(self.anchor.sim_ns + int(passed * self.anchor.speed), time.time_ns())

    def monotonic(self) -> float:
        """Real seconds that never jump."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait real seconds."""
        time.sleep(seconds)


def begin(path: Path, start_ns: int, speed: float) -> SimClock:
    """Start or continue simulated time in a file and return its clock.

    Parameters
    ----------
    start_ns : int
        Simulated time of a first start; a continued clock goes on where it was.
    speed : float
        Simulated seconds a real second, also for a continued clock.
    """
    sim_ns = Anchor.read(path).reserved_ns if path.exists() else start_ns
    Anchor(sim_ns, _boot_ns(), speed, sim_ns).write(path)
    return SimClock(path)


def reserve(path: Path, clock: SimClock) -> None:
    """Move the reservation ahead of the clock; the demo's supervisor does so every second.

    Not past real time, which simulated time never passes either.
    """
    ahead = clock.now_ns() + int(LEASE_S * clock.speed * SECOND)
    anchor = clock.anchor
    Anchor(anchor.sim_ns, anchor.boot_ns, anchor.speed, min(ahead, time.time_ns())).write(path)


def _boot_ns() -> int:
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)
