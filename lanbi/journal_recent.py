"""What was committed a moment ago, still in memory: whoever forwards it in the same process need not read it back and take it apart again.

Only what is durable stands here, under the place at which it stands in its file. A reader that comes to such a place finds the same
pieces there as on the disk; at any other place it reads the disk, as after a restart or in a backlog.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, NamedTuple

from lanbi.frames import Record, Trailer

MOST: Final = 8 << 20
"""Bytes of frames that are kept: more than comes between two looks of the forwarder."""


class Spot(NamedTuple):
    """A place in a file: its name, its salt, and the offset."""

    name: str
    salt: int
    offset: int


class Commit(NamedTuple):
    """The records of a commit, as the journal's file gives them; its trailer, and the offset behind it."""

    records: list[Record]
    totals: Trailer
    end: int


@dataclass
class Recent:
    """The last commits of one writer; put by its thread, found by any."""

    most: int = MOST
    _commits: dict[Spot, Commit] = field(default_factory=dict)
    _size: int = 0

    def put(self, spot: Spot, commit: Commit) -> None:
        """A commit is durable; the oldest give way."""
        self._commits[spot] = commit
        self._size += commit.end - spot.offset
        while self._size > self.most:
            oldest = next(iter(self._commits))
            self._size -= self._commits.pop(oldest).end - oldest.offset

    def at(self, spot: Spot) -> Commit | None:
        """The commit that begins at a place."""
        return self._commits.get(spot)
