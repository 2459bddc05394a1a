"""A progress bar on a terminal, and silence in a pipe."""

from __future__ import annotations

import sys
from typing import IO

from domain.ports import Clock

WIDTH = 30


class Progress:
    """One line on standard error that is drawn anew at most five times a second."""

    def __init__(self, label: str, total: int, clock: Clock, stream: IO[str] | None = None) -> None:
        self.label, self.total, self.clock = label, max(1, total), clock
        self.stream = stream or sys.stderr
        self.shown = self.stream.isatty()
        self._drawn = -1.0

    def at(self, done: int) -> None:
        """Show how far the work is."""
        now = self.clock.monotonic()
        if self.shown and now - self._drawn >= 0.2:
            self._drawn = now
            self._draw(min(done, self.total))

    def close(self) -> None:
        """Complete the line."""
        if self.shown:
            self._draw(self.total)
            self.stream.write("\n")

    def _draw(self, done: int) -> None:
        full = done * WIDTH // self.total
        self.stream.write(f"\r{self.label} [{'█' * full}{'·' * (WIDTH - full)}] {100 * done // self.total:3d} %")
        self.stream.flush()
