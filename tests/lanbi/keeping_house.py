"""A clock and settings for the tests of keeping."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from lanbi.settings import Settings, load
from tests.lanbi.sealed_house import DAY_NS, NOON_NS


class Stopped:
    """A clock that stands at a day after the journal's first noon; waiting is real."""

    def __init__(self, days: float) -> None:
        self.days = days

    def now_ns(self) -> int:
        """Wall time."""
        return NOON_NS + int(self.days * DAY_NS)

    def monotonic(self) -> float:
        """Real seconds."""
        from lanbi.clock import SystemClock

        return SystemClock().monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        from lanbi.clock import SystemClock

        SystemClock().sleep(seconds)


def settings(data: Path, **journal: object) -> Settings:
    """Settings of a data folder."""
    chosen = load(None, {"LANBI_DATA": str(data)})
    return replace(chosen, journal=replace(chosen.journal, **journal))  # type: ignore[arg-type]
