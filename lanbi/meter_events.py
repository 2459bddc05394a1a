"""Events of meters as they are kept: what is said, and taken back when a late reading explains it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Protocol

from analytics import meters, standing
from domain import civil
from domain.details import WITHDRAWN
from domain.indicators import Event
from domain.places import Meter, Registry
from domain.ports import IndicatorSink, IndicatorSource
from lanbi.registers import Desk, Known

KINDS: Final = frozenset(meters.WORDS[2:]) | {"gap", "stuck"}
_MANY: Final = 1_000_000
Key = tuple[str, str, int]


class Figures(IndicatorSink, IndicatorSource, Protocol):
    """Where events are kept."""


class MeterEvents:
    """Writes events that differ from what is stored."""

    def __init__(self, figures: Figures, registry: Registry) -> None:
        self.figures, self.registry = figures, registry
        self.known: dict[int, dict[Key, str]] = {}
        self._out: list[Event] = []

    def recall(self, year: int) -> None:
        """Read what is stored of a year."""
        start, end = civil.year_span(year)
        rows = self.figures.event_rows(start, end, _MANY)
        self.known[year] = {(row.kind, row.source, row.time): row.text for row in rows if row.kind in KINDS and row.source in self.registry.meters}

    def meter(self, year: int, meter: Meter, known: Known) -> None:
        """Events of a meter's registers in a year, all but ``stuck``; a gap within an hour costs no hour its figure and is none here."""
        start, end = civil.year_span(year)
        found = [one for one in meters.events(known.readings, known.counted, civil.HOUR_S) if start < one.time <= end]
        self._differ(year, meter.id, KINDS - {"stuck"}, found)

    def stuck(self, year: int, group: Sequence[Meter], desk: Desk) -> None:
        """Registers of an enterprise that stood while a meter beside them ran."""
        start, end = civil.year_span(year)
        known = {one.id: found for one in group if (found := desk.year(year, one.id)) is not None}
        pairs = standing.pairs(self.registry.meters)
        for name, events in standing.stuck({name: one.counted for name, one in known.items()}, pairs).items():
            self._differ(year, name, frozenset({"stuck"}), [one for one in events if start < one.time <= end])

    def _differ(self, year: int, name: str, kinds: frozenset[str], found: Iterable[meters.Event]) -> None:
        known = self.known.setdefault(year, {})
        now: Mapping[Key, str] = _merged(name, found)
        gone = {
            key: WITHDRAWN + text for key, text in known.items() if key[1] == name and key[0] in kinds and key not in now and not text.startswith(WITHDRAWN)
        }
        changed = {key: text for key, text in {**now, **gone}.items() if known.get(key) != text}
        known.update(changed)
        # As a number too, for an alert can judge nothing else: 1 stands, 0 was taken back.
        self._out += [Event(kind, source, time, float(not text.startswith(WITHDRAWN)), text) for (kind, source, time), text in changed.items()]

    def write(self) -> None:
        """Write what was collected."""
        if self._out:
            self.figures.events(self._out)
            self._out = []


def _merged(name: str, found: Iterable[meters.Event]) -> dict[Key, str]:
    merged: dict[Key, str] = {}
    for one in found:
        key = one.kind, name, one.time
        merged[key] = f"{merged[key]}; {one.detail}" if key in merged else one.detail
    return merged
