"""What ingest refused of air readings, by the hour that it was about: the reading's own time, read from the journal."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

from domain import civil
from domain.errors import LanbiError
from domain.ledger import Refused as Fact
from domain.message import Message
from domain.places import Registry
from domain.speaking import starts
from ingest.accept import WHOLE, zone_of
from ingest.decoders.native import read
from ingest.ports import Refused
from lanbi.journal import record
from lanbi.state import StateView

EXACT: Final = 500
"""So many refusals a look are looked up in the journal; the hour of the others is the last one before their receipt."""
LOOK: Final = 5_000
_NS: Final = 10**9


class Refusals(Protocol):
    """Facts about refusals, for whoever explains lost hours."""

    def of(self, source: str, start: int, end: int) -> list[Fact]:
        """Refusals about labels start < time ≤ end of a source."""
        ...


class NoRefusals:
    """Nothing was ever refused, or nobody may look."""

    def of(self, source: str, start: int, end: int) -> list[Fact]:  # noqa: ARG002  the protocol's own words
        """Nothing."""
        return []


class RefusalView:
    """Refusals of the ingest on this machine; what a replay has settled is forgotten at the next full look.

    Parameters
    ----------
    data : Path
        Data folder.
    registry : Registry
        In force.
    now : callable
        Instant [s].
    """

    def __init__(self, data: Path, registry: Registry, now: Callable[[], int]) -> None:
        self.data, self.registry, self.now = data, registry, now
        self.view = StateView(data)
        self._facts: dict[str, dict[int, Fact]] = defaultdict(dict)
        self._last = 0
        self._hour = -1

    def of(self, source: str, start: int, end: int) -> list[Fact]:
        """Refusals about labels start < time ≤ end of a source."""
        self._look()
        return [fact for fact in self._facts.get(source, {}).values() if start < fact.time <= end]

    def _look(self) -> None:
        """Read what is new; once an hour, drop what was settled meanwhile."""
        hour = self.now() // civil.HOUR_S
        if hour != self._hour:
            self._hour = hour
            self._settle()
        rows = self.view.refused(after=self._last, limit=LOOK)
        for place, (number, row) in enumerate(rows):
            self._last = number
            if self.registry.kind_of(row.source) == "air":
                self._facts[row.source][number] = Fact(self._hour_of(row, exact=place < EXACT), row.item, row.reason, row.outcome == "quarantined")

    def _settle(self) -> None:
        known = [number for facts in self._facts.values() for number in facts]
        settled = self.view.resolutions(known)
        for facts in self._facts.values():
            for number in settled.keys() & facts.keys():
                del facts[number]

    def _hour_of(self, row: Refused, *, exact: bool) -> int:
        message = self._message(row) if exact and row.seq and row.element != WHOLE else None
        if message is None:
            return row.received_ns // _NS // civil.HOUR_S * civil.HOUR_S
        device = self.registry.devices.get(row.device)
        early = device is not None and starts(self.registry, device, civil.day_of(message.time))
        time = message.time + (message.span if early else 0)
        return -(-time // civil.HOUR_S) * civil.HOUR_S

    def _message(self, row: Refused) -> Message | None:
        device = self.registry.devices.get(row.device)
        day = civil.day_of(row.received_ns // _NS)
        zone, unit = (zone_of(device.zone.on(day)), device.time_unit.on(day) or "s") if device else (None, "s")
        try:
            found = record(self.data / "journal", row.writer, row.seq)
        except LanbiError:
            return None  # an archived file that is not there: the receipt must do
        parts = read(found.payload, zone, unit) if found is not None else []
        what = parts[row.element].what if row.element < len(parts) else None
        return what if isinstance(what, Message) else None
