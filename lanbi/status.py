"""A process's status file, written again and again as the sign that it lives, also during one long call."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from domain.ports import Clock
from lanbi.metrics import write_status

BEAT_S: Final = 1.0
WARM_S: Final = 900.0
"""So long compiling may take; whatever hangs longer is started again."""
_NS: Final = 10**9


class Status:
    """The process's status file: pid, heartbeat, ready, reasons and figures."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self.path, self.clock = path, clock
        self.last = float("-inf")

    def write(self, *, ready: bool, reasons: Sequence[str] = (), **figures: Any) -> None:
        """Say how the process is."""
        self.last = self.clock.monotonic()
        write_status(self.path, {"pid": os.getpid(), "heartbeat": self.clock.now_ns() / _NS, "ready": ready, "reasons": list(reasons), **figures})

    def beat(self, *, now: bool = False, ready: bool = True, **words: Any) -> None:
        """The same, but at most once a second unless something happened (``now``)."""
        if now or self.clock.monotonic() - self.last >= BEAT_S:
            self.write(ready=ready, **words)


@contextmanager
def lively(status: Status, reason: str) -> Iterator[None]:
    """Go on giving signs during one long call: without prepared machine code a slow machine compiles for minutes, and would be started anew for ever."""
    over = threading.Event()

    def beat() -> None:
        until = status.clock.monotonic() + WARM_S
        while not over.wait(BEAT_S) and status.clock.monotonic() < until:
            status.write(ready=False, reasons=[reason])

    thread = threading.Thread(target=beat, name="signs", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
