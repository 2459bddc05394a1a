"""A clock for tests whose outcome must not depend on the hour at which they run."""

from __future__ import annotations

from domain.civil import parse_time
from lanbi.clock import SystemClock


class At(SystemClock):
    """A clock that stands; waiting is real."""

    def __init__(self, text: str) -> None:
        self.now = parse_time(text)

    def now_ns(self) -> int:
        """Wall time."""
        return self.now * 10**9
