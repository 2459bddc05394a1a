"""Comparisons as they are kept: what follows from settled figures is written wherever one of the two sides changed.

Comparisons are not restated, for both figures that they compare are. Nothing of them is held in memory or read back: a row is
written when a row that it follows from is. After a crash between the two, :attr:`Comparer.since` has the last days and everything
that was touched written once more.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from analytics.jobs import columns, compared
from analytics.jobs.columns import Column, Tag
from domain import civil
from domain.indicators import Query
from domain.places import Registry
from lanbi.settling import Book, Settled, Settler

FEW: Final = 20
"""Up to so many columns of another year are read one by one, more as a whole."""
NEVER: Final = 2**62
TOWNSHIP: Final = "township"
_MANY: Final = 10_000_000
Places = npt.NDArray[np.int64]
_NONE: Final = np.zeros(0, np.int32)


class Comparer:
    """Writes what stands beside figures.

    Attributes
    ----------
    since : int
        Rows with this time or a later one are written also where nothing changed.
    """

    def __init__(self, settler: Settler, registry: Registry) -> None:
        self.settler, self.registry = settler, registry
        self.since = NEVER

    def scope(self, books: Mapping[int, Book], book: Book, scope: str, settled: Settled, now: int) -> None:
        """Bring the comparisons up to date that follow from a scope's changed rows of one year, those of the next year too."""
        own = {tag: book.shelf[tag] for tag in self._due(book, scope, settled)}
        places = {tag: self._places(one, settled) for tag, one in own.items()}
        tags = [tag for tag in own if len(places[tag])]
        if not tags:
            return
        past = self._near(books, book.year - 1, scope, tags)
        stale = NEVER if settled.fresh else self.since
        found = [made for tag in tags for made in _beside(own[tag], places[tag], past, (stale, settled.fresh))]
        if book.year < civil.year_of_day(civil.day_of(now)):
            later = self._near(books, book.year + 1, scope, tags)
            found += [one for tag in tags if tag in later for one in _after(own[tag], places[tag], later[tag])]
        self.settler.derived_blocks(one.block(range(len(one.time)), float(now)) for one in found)

    def _due(self, book: Book, scope: str, settled: Settled) -> list[Tag]:
        known = settled.changed if self.since == NEVER else [*book.shelf.tags(scope)]
        return [tag for tag in known if compared.comparable(tag) and tag in book.shelf]

    def _places(self, one: Column, settled: Settled) -> Places:
        """Rows that have to be written, in order."""
        changed = settled.changed.get(one.tag, _NONE).astype(np.int64)
        if self.since == NEVER:
            return changed
        return np.union1d(np.flatnonzero(one.time >= self.since), changed)

    def _near(self, books: Mapping[int, Book], year: int, scope: str, tags: Sequence[Tag]) -> Mapping[Tag, Column]:
        """Columns of another year, from memory or from the store."""
        book = books.get(year)
        if book is not None and scope in book.known:
            return book.shelf
        first, last = civil.year_days(year)
        start, end = civil.period_stamp(first) - 1, civil.period_stamp(last)
        one_by_one = (Query(tag.figure, scope, tag.period, tag.rule_set, tag.basis, start, end, limit=_MANY) for tag in tags)
        whole = (Query(scope=scope, period=period, basis=None, start=start, end=end, limit=_MANY) for period in compared.PERIODS_COMPARED)
        asked = one_by_one if len(tags) <= FEW else whole
        return columns.found(row for query in asked for row in self.settler.figures.series(query))

    def ranks(self, book: Book, changed: Mapping[str, Settled], now: int) -> None:
        """Ranks of the townships at every time at which one of them changed."""
        towns = [name for name, station in self.registry.air_stations.items() if any(role == TOWNSHIP for _, role in station.role.steps)]
        times: defaultdict[tuple[str, str, str], set[int]] = defaultdict(set)
        for name in towns:
            for tag, one in self._ranked(book, name, changed.get(name)):
                times[tag.figure, tag.period, tag.rule_set].update(one)
        for (figure, period, rule_set), some in times.items():
            if not some:
                continue
            when = np.array(sorted(some), np.int64)
            found = [book.shelf.get(Tag(figure, period, name, rule_set)) for name in towns]
            member = np.stack([self._is_town(name, when) for name in towns], axis=1)
            aligned = [compared.at(_empty(Tag(figure, period, name, rule_set)) if one is None else one, when) for name, one in zip(towns, found, strict=True)]
            self.settler.derived_blocks(one.block(range(len(one.time)), float(now)) for one in compared.ranks(aligned, member))

    def _ranked(self, book: Book, scope: str, settled: Settled | None) -> Iterator[tuple[Tag, list[int]]]:
        settled = settled or Settled({})
        for tag in self._due(book, scope, settled):
            if compared.ranked(tag):
                one = book.shelf[tag]
                yield tag, one.time[self._places(one, settled)].tolist()

    def _is_town(self, name: str, times: Places) -> npt.NDArray[np.bool_]:
        role = self.registry.air_stations[name].role
        if len(role.steps) == 1:
            return np.full(len(times), role.newest == TOWNSHIP)
        return np.array([role.on(civil.day_of(time + 1)) == TOWNSHIP for time in times.tolist()], bool)


def _beside(one: Column, places: Places, past: Mapping[Tag, Column], before: tuple[int, bool]) -> Iterator[Column]:
    """A column's comparisons at its changed places; a changed month also stands behind the next one.

    A figure that is there, beside none of last year, has no row to write, and one that is gone only if it was there: ``before`` says
    from which time on rows may be stale, and whether nothing was stored.
    """
    stale, fresh = before
    changed = one.take(places)
    for made in compared.with_last_year([changed], past):
        gone = (changed.valid == 0) & (not fresh)
        yield made.take(np.flatnonzero((made.valid > 0) | gone | (made.time >= stale)))
    if one.tag.period == "month":
        due = set(places.tolist()) | {place + 1 for place in places.tolist()}
        for made in compared.with_month_before([one], past):
            yield made.take(np.array(sorted(place for place in due if place < len(made.time)), np.int64))


def _after(one: Column, places: Places, later: Column) -> Iterator[Column]:
    """Comparisons of the next year with changed places of this one."""
    due = np.flatnonzero(np.isin(compared.last_year(later), one.time[places]))
    yield from compared.with_last_year([later.take(due)], {one.tag: one})
    if one.tag.period == "month" and len(later.time) and len(one.time) - 1 in places:
        yield from compared.with_month_before([later.take(np.zeros(1, np.int64))], {one.tag: one})


def _empty(tag: Tag) -> Column:
    nothing = np.zeros(0)
    return columns.column(tag, nothing.astype(np.int64), nothing, (0, 0))
