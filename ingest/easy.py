"""Messages in a row all of whose readings are accepted: what the short way hands over to whoever decides. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Final, NamedTuple

from domain.readings import Reading
from ingest.ports import Record

NO_FLAGS: Final[dict[str, str]] = {}
"""Shared by all rows without flags; nobody writes into them."""

Whose = tuple[str, int]
"""Device and run."""
Turn = tuple[Whose, int]
"""Device and run, and the revision of a reading of number 0."""


class Origin(NamedTuple):
    """The message that a row came with, who sent it in which run, and which of its readings it is."""

    record: Record
    device: str
    run: int
    element: int


class Easy(NamedTuple):
    """Messages in a row all of whose readings are accepted.

    Attributes
    ----------
    whose : list of (device, run)
        Who speaks in each message.
    starts : list of int
        Place of the first reading of each message.
    numbers : list of int or None
        Number of each reading.
    rows : list of Reading
        All readings, with their revisions.
    """

    records: Sequence[Record]
    whose: list[Whose]
    starts: list[int]
    numbers: list[int | None]
    rows: list[Reading]

    def origin(self, place: int) -> Origin:
        """Where a row comes from."""
        message = bisect_right(self.starts, place) - 1
        return Origin(self.records[message], *self.whose[message], place - self.starts[message])
