"""A planted fault: ``lanbi ingest`` that confirms messages to broker and device before they are in the journal.

It exists so that the kill campaign can prove that it would see this. Everything else is the real program.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Final

from ingest.listener import Listener
from lanbi import ingesting
from lanbi.cli import main

LATE_S: Final = 3.0
"""The journal is written so rarely: longer than a receipt takes on a slow machine, so that a kill at work cannot but lose some."""


@dataclass
class EarlyListener(Listener):
    """Acknowledges and receipts first, and journals when it comes to it."""

    _written: float = 0.0

    def _commit(self) -> None:
        taken = self._group.messages, self._group.size
        owed = self._group.settle()
        self._group.messages, self._group.size = taken
        self.outbox.durable(owed.numbers.items())
        self._acknowledge(owed)
        now = self.clock.monotonic()
        if now - self._written > LATE_S:
            self._written = now
            super()._commit()


if __name__ == "__main__":
    ingesting.Listener = EarlyListener  # type: ignore[misc]
    sys.exit(main())
