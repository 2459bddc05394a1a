"""The glimpse's thread of the ingest process: it says the newest undecided values in a file, for :mod:`lanbi.seen`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import msgspec

from domain.ports import Clock
from ingest.glimpse import Glimpse
from ingest.ports import Latest
from lanbi.clock import SimClock
from lanbi.folders import made
from lanbi.forwarding import IDLE_S, Forwarding
from lanbi.journal import JournalReader, newest_trailer
from lanbi.seen import path_of
from lanbi.settings import Settings
from lanbi.state import StateView
from lanbi.waiting import oldest_ns

EVERY_S: Final = 0.5
BEHIND_S: Final = 1.0
"""A reading that waits longer than this is shown before it is decided."""
NS: Final = 1_000_000_000


@dataclass
class Glimpsing:
    """Looks ahead twice a second while the forwarder is behind; otherwise it sleeps."""

    settings: Settings
    clock: Clock
    forwarding: Forwarding
    fault: str = ""
    _glimpse: Glimpse | None = None

    def __post_init__(self) -> None:
        self._view = StateView(self.settings.data)
        # Receipts are told by the county's clock, which may run faster than ours.
        self._speed = self.clock.speed if isinstance(self.clock, SimClock) else 1.0

    def run(self, stop: Callable[[], bool]) -> None:
        """Look until told to stop. A fault here costs freshness, never a reading: it is said, and tried again."""
        self._say([])  # a process that was killed left its own behind
        while not stop():
            try:
                self._turn(stop)
                self.fault = ""
            except Exception as error:  # noqa: BLE001  the thread must outlive any fault
                self.fault = repr(error)[:200]
                self._glimpse = None
            until = self.clock.monotonic() + EVERY_S
            while not stop() and self.clock.monotonic() < until:
                self.clock.sleep(IDLE_S)
        self._say([])

    def behind(self) -> bool:
        """Whether readings wait longer than they should."""
        waiting = oldest_ns(self.settings.data, self._view)
        return bool(waiting and self.clock.now_ns() - waiting > BEHIND_S * self._speed * NS)

    def _turn(self, stop: Callable[[], bool]) -> None:
        if not self.behind():
            if self._glimpse:
                self._glimpse = None
                self._say([])
            return
        glimpse = self._glimpse = self._glimpse or self._begin()
        until = self.clock.monotonic() + EVERY_S
        while glimpse.look() and not stop():
            if self.clock.monotonic() > until:
                # The journal is longer than a second's reading: what is known so far is better than silence.
                self._say(list(glimpse.latest.values()))
                until = self.clock.monotonic() + EVERY_S
        self._say(list(glimpse.latest.values()))

    def _begin(self) -> Glimpse:
        folder, recent = self.settings.data / "journal", self.forwarding.recent
        cursor, end = self._view.cursor, partial(newest_trailer, folder)
        return Glimpse(
            lambda writer, after: JournalReader(folder, writer, after, recent.get(writer)),
            lambda writer: cursor(writer)[0],
            lambda writer: end(writer).last_seq,
            lambda: self.forwarding.registry,
        )

    def _say(self, rows: Sequence[Latest]) -> None:
        path = path_of(self.settings.data)
        if not rows:
            path.unlink(missing_ok=True)
            return
        draft = made(path.parent) / "latest.new"
        draft.write_bytes(msgspec.json.encode(rows))
        draft.replace(path)
