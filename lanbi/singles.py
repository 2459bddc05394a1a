"""Single rows of a desk, in groups: a row that is no longer made loses its value, and says so as any change does."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field, replace

from analytics.jobs.columns import Tag
from domain import civil
from domain.indicators import Indicator, Query
from lanbi.settling import Book, Settler, When, belongs

MANY = 10_000_000
Key = tuple[Tag, int]


@dataclass
class Singles:
    """Rows of one year that are settled one by one.

    Attributes
    ----------
    held : mapping of group to keys
        Stored rows by whatever a desk makes at one time: a place, a place's day, the county.
    """

    book: Book
    held: defaultdict[Hashable, set[Key]] = field(default_factory=lambda: defaultdict(set))

    def stored(self, settler: Settler, query: Query) -> list[Indicator]:
        """What the store holds of this year, of one kind."""
        start, end = civil.year_span(self.book.year)
        whole = replace(query, start=start - 1, end=end, limit=MANY)
        return [row for row in settler.figures.series(whole) if belongs(row, self.book.year)]

    def hold(self, group: Hashable, row: Indicator) -> None:
        """Remember a stored row as one of a group."""
        key = Tag._make(row.key[:5]), row.time
        self.book.single[key] = row
        self.held[group].add(key)

    def settle(self, settler: Settler, group: Hashable, found: Iterable[Indicator], when: When) -> None:
        """Write what differs of a group, and empty what is no longer made."""
        rows = list(found)
        keys = {(Tag._make(row.key[:5]), row.time) for row in rows}
        held = self.held[group]
        rows += [replace(self.book.single[key], value=None, valid=0.0, status="", text="") for key in held - keys]
        settler.rows(self.book, rows, when)
        held |= keys
