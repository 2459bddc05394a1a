"""When the service itself is not well: limits shared by what watches it, its boards and its alerts."""

from __future__ import annotations

from typing import Final

WAITING_S: Final = 600
"""Age of the oldest record that waits for the store."""
SILENCE_S: Final = 300
"""Seconds since the broker was last heard."""
ROOM_DAYS: Final = 90
"""Days until the journal is full."""
REFUSED: Final = 20
"""Readings refused or held in an hour: one device with a wrong unit sends more."""
