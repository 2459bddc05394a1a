"""Clocks of devices, as their readings show them: a reading before its own time, or none that ever comes soon after it.

Judged from what ingest saw last of each source, day by day, and from the readings that it held as ``future-time``. What a process
has not seen it does not judge: after a start it learns anew, and what it told stands.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from domain import civil, quality
from domain.indicators import Event
from domain.quality import RULES
from domain.reasons import FUTURE_S
from ingest.ports import Latest, Refused

KIND: Final = f"quality-{RULES['clock'].name}"
FUTURE: Final = "future-time"
_NS: Final = 10**9
_AHEAD: Final = re.compile(r"(\d+) s after receipt")
"""Of the words with which accept holds a reading."""
_STEP_S: Final = 60
"""A skew is told anew when it differs by so much."""


@dataclass
class Clocks:
    """Delays of the running day by source: label time of a reading to how long after it was received [s]."""

    day: int = -1
    delays: defaultdict[str, dict[int, int]] = field(default_factory=lambda: defaultdict(dict))
    held: dict[str, dict[tuple[str, int, int], int]] = field(default_factory=dict)
    told: dict[str, int] = field(default_factory=dict)

    def look(self, latest: Iterable[Latest], refused: Iterable[Refused], now: int) -> Iterator[Event]:
        """What is new about a clock; imports say nothing about any."""
        if civil.day_of(now) != self.day:
            self.day = civil.day_of(now)
            self.delays.clear()
            self.held.clear()
            self.told.clear()
        for one in latest:
            if one.device and civil.day_of(one.received_ns // _NS) == self.day:
                self.delays[one.source].setdefault(one.time, one.received_ns // _NS - one.time)
        for late in refused:
            if late.reason == FUTURE and civil.day_of(late.received_ns // _NS) == self.day:
                said = _AHEAD.search(late.detail)
                self.held.setdefault(late.source or late.device, {})[late.writer, late.seq, late.element] = int(said[1]) if said else FUTURE_S
        for source in sorted({*self.delays, *self.held}):
            skew = self._skew(source)
            if skew is not None and abs(skew - self.told.get(source, 0)) >= _STEP_S:
                self.told[source] = skew
                yield self._event(source, skew)

    def _skew(self, source: str) -> int | None:
        """Seconds that a clock is ahead, below zero behind; None = nothing to tell."""
        if self.held.get(source):
            return sorted(self.held[source].values())[len(self.held[source]) // 2]
        delays = list(self.delays[source].values())
        if len(delays) < quality.CLOCK_READINGS:
            return None
        middle = sorted(delays)[len(delays) // 2]
        if middle < -quality.CLOCK_AHEAD_S:
            return -middle
        return -min(delays) if min(delays) > quality.CLOCK_BEHIND_S else None

    def _event(self, source: str, skew: int) -> Event:
        delays = self.delays.get(source, {})
        body = {
            "skew": skew,
            "unit": "s",
            "readings": len(delays),
            "held": len(self.held.get(source, {})),
            "numbers": {"ahead": quality.CLOCK_AHEAD_S, "behind": quality.CLOCK_BEHIND_S, "readings": quality.CLOCK_READINGS},
            # An hour is named by its end: below half of one no value stands under a wrong label.
            "effect": {"hours_off": round(skew / civil.HOUR_S)},
        }
        return Event(KIND, source, civil.day_start(self.day), float(skew), json.dumps(body))
