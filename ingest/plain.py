"""The plain first sights of a batch: nearly all readings there are, so what is seldom asked of them is worked out when it is asked. Pure."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Final

from domain.readings import Reading
from domain.sent import kept
from ingest.easy import Easy, Origin
from ingest.newest import Newest

Series = tuple[str, int]
RowKey = tuple[str, str, int, int]
_new: Final = tuple.__new__
_NOTHING: Final = Easy([], [], [], [], [])


def key_of(row: Reading) -> RowKey:
    """What tells a row from all others, as a plain tuple: named ones take twice as long to make."""
    return row.kind, row.source, row.span, row.time


def newest_of(row: Reading, origin: Origin) -> Newest:
    """A row as the newest of its series."""
    return _new(Newest, (row.source, row.span, row.kind, row.time, row.rev, origin.record.received_ns, origin.device, kept(row.values), row.flags))


@dataclass
class Plain:
    """Readings newer than everything in their series, in order, and who sent them.

    Attributes
    ----------
    last : dict of (source, span) to int
        Place of the newest row of each series: within a series they grow newer.
    """

    rows: list[Reading] = field(default_factory=list)
    last: dict[Series, int] = field(default_factory=dict)
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

    def newest(self) -> dict[Series, Newest]:
        """The newest row of each series. Where thousands of devices speak that is nearly every row, so nothing is called for one."""
        found: dict[Series, Newest] = {}
        easy, start, begin, end, single = _NOTHING, 0, 0, 0, True
        for series, at in self.last.items():
            if not begin <= at < end:
                part = bisect_right(self._starts, at) - 1
                (easy, start), begin = self._parts[part], self._starts[part]
                end = self._starts[part + 1] if part + 1 < len(self._starts) else len(self.rows)
                single = len(easy.starts) == len(easy.rows)
            row, place = self.rows[at], at - begin + start
            message = place if single else bisect_right(easy.starts, place) - 1
            received_ns, device = easy.records[message].received_ns, easy.whose[message][0]
            found[series] = _new(Newest, (row.source, row.span, row.kind, row.time, row.rev, received_ns, device, kept(row.values), row.flags))
        return found

    def origin(self, key: RowKey) -> Origin | None:
        """The message that made a row; None for one that is not here."""
        if len(self._places) < len(self.rows):
            self._places = {key_of(row): place for place, row in enumerate(self.rows)}
        place = self._places.get(key)
        return None if place is None else self.origin_at(place)

    def origin_at(self, place: int) -> Origin:
        """The message that made the row at a place."""
        part = bisect_right(self._starts, place) - 1
        easy, start = self._parts[part]
        return easy.origin(place - self._starts[part] + start)
