"""The plain first sights of a batch: nearly all readings there are, so what is seldom asked of them is worked out when it is asked. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from domain.readings import Reading
from ingest.express import Easy, Origin
from ingest.newest import Newest

Series = tuple[str, int]
RowKey = tuple[str, str, int, int]
_new: Final = tuple.__new__


def key_of(row: Reading) -> RowKey:
    """What tells a row from all others, as a plain tuple: named ones take twice as long to make."""
    return row.kind, row.source, row.span, row.time


def newest_of(row: Reading, origin: Origin) -> Newest:
    """A row as the newest of its series."""
    return _new(Newest, (row.source, row.span, row.kind, row.time, row.rev, origin.record.received_ns, origin.device, row.values, row.flags))


@dataclass
class Plain:
    """Readings newer than everything in their series, in order, and who sent them.

    Attributes
    ----------
    series : set of (source, span)
        All of whom there are rows.
    """

    rows: list[Reading] = field(default_factory=list)
    series: set[Series] = field(default_factory=set)
    _parts: list[tuple[Easy, int]] = field(default_factory=list)
    """Where rows come from, and at which of the rows there."""
    _starts: list[int] = field(default_factory=list)
    """Place of the first row of each part."""
    _places: dict[RowKey, int] = field(default_factory=dict)

    def take(self, easy: Easy, start: int, end: int) -> None:
        """Rows of messages from one place to before another."""
        if start < end:
            self._parts.append((easy, start))
            self._starts.append(len(self.rows))
            self.rows += easy.rows[start:end]

    def newest(self) -> Iterator[tuple[Series, Reading, Origin]]:
        """The last row of each series: within a series they grow newer."""
        waiting = set(self.series)
        for place in range(len(self.rows) - 1, -1, -1):
            row = self.rows[place]
            series = row.source, row.span
            if series in waiting:
                waiting.remove(series)
                yield series, row, self._origin(place)
                if not waiting:
                    return

    def origin(self, key: RowKey) -> Origin | None:
        """The message that made a row; None for one that is not here."""
        if len(self._places) < len(self.rows):
            self._places = {key_of(row): place for place, row in enumerate(self.rows)}
        place = self._places.get(key)
        return None if place is None else self._origin(place)

    def _origin(self, place: int) -> Origin:
        part = bisect_right(self._starts, place) - 1
        easy, start = self._parts[part]
        return easy.origin(place - self._starts[part] + start)
