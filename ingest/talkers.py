"""What the short way through accept remembers of a device for a day: how it speaks, and for whom. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from msgspec import UNSET, UnsetType

from domain.civil import day_end, day_start
from domain.message import Wire
from domain.wires import Reader, Wires
from ingest.accept import Speaker
from ingest.easy import Turn
from ingest.valuing import Ranges

DAYS: Final = 1_000
"""Days that are remembered of a device: more than may be spoken of, and few enough for one whose clock runs wild."""
FICKLE: Final = 8
"""Changes of the form of a device's messages in a day after which nobody expects the next one."""


@dataclass(slots=True, eq=False)
class Place:
    """A source on one day: its table, the ranges of its items if they are still to be looked at, and the greatest age at receipt [s]."""

    id: str
    kind: str
    ranges: Ranges | None
    oldest: int


Places = dict[str | UnsetType | None, Place]


@dataclass(slots=True, eq=False)
class Talker:
    """A device on the day of receipt.

    Attributes
    ----------
    realm : str
        The one realm of all its sources; empty if there are several.
    wires, reader : Wires, Reader
        Who reads its messages; where there is one realm, only those whose values are all within the ranges, and at best those of one form.
    times : dict
        Instant of each time as it stands in messages.
    days : dict of civil day to dict
        Places that it may speak for, by name and, if there is one only, without a name; no places where the day needs a closer look.
    first : Turn
        Its run 0, in which nearly all devices speak for ever.
    places, since, until : dict, int, int
        Those of the day that it spoke of last, whose labels lie behind ``since`` and up to ``until`` [s].
    lone : Place or None
        The one among them for which it speaks without saying so.
    changes : int
        How often its messages had another form than before.
    """

    speaker: Speaker
    realm: str
    wires: Wires
    reader: Reader
    times: dict[str | int, int]
    first: Turn
    days: dict[int, Places] = field(default_factory=dict)
    places: Places = field(default_factory=dict)
    lone: Place | None = None
    since: int = 0
    until: int = 0
    changes: int = 0

    def turn_to(self, day: int, places: Places) -> None:
        """The device speaks of another day."""
        if len(self.days) >= DAYS:
            self.days.clear()
        self.days[day] = self.places = places
        self.lone, self.since, self.until = places.get(UNSET), day_start(day), day_end(day)

    def spoke(self, wire: Wire) -> None:
        """The device said something in a form that its reader did not know; one that changes its form all the time keeps the general reader."""
        reader = self.wires.exact(wire) if self.changes < FICKLE else self.wires
        if reader is not self.reader:
            self.reader, self.changes = reader, self.changes + 1
