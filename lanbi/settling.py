"""Settling figures: new ones are compared with those that are stored, and only what differs is written.

A closed figure that changed is restated first, announced if its month was confirmed, and written last; so a crash in between
repeats all three, and what was said already is said again in the same words at the same instant.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from analytics.air import years
from analytics.causes import Evidence
from analytics.cube import Cubes
from analytics.jobs import sheets, stations
from analytics.jobs.columns import Tag
from analytics.jobs.scopes import Known
from analytics.jobs.sheets import Kind, Sheet, Shelf
from domain import civil
from domain.indicators import AT_ONCE, COMPARISONS, FIELDS, Block, Event, Indicator, Restatement
from domain.ports import FigureBlocks, IndicatorSink, IndicatorSource
from domain.restating import ANNOUNCED, Confirmations, announcement, months_of

CLOSING_S: Final = civil.HOUR_S
"""Unless set otherwise, a day is closed from 01:00 of the next day on: its last hour may come an hour late."""
RECENT_S: Final = 30 * civil.DAY_S
"""How far back a start looks for restatements that a crash may have left without their figures."""
FOREIGN: Final = frozenset({"official", "published"})
"""Bases of figures that others computed."""
COMPARED: Final = ("value", "valid", "version", "status", "text")
"""What a column of figures is compared by, and its version; see :func:`analytics.jobs.sheets.stored`."""
_MANY: Final = 10_000_000


Places = npt.NDArray[np.int64]


class Settled(NamedTuple):
    """What a settling changed: places of the rows by tag, hours left out; and whether nothing was stored before."""

    changed: dict[Tag, npt.NDArray[np.int32]]
    fresh: bool = False


class Figures(IndicatorSink, IndicatorSource, FigureBlocks, Protocol):
    """Both sides of the figures, one by one and by the thousand; analytics is their only writer."""


class When(NamedTuple):
    """The instant of a recomputation [s], what led to it, and the places that the figures of a scope are made of."""

    now: int
    evidence: Evidence
    sites: Collection[str]


@dataclass
class Book:
    """What is known about one year: cubes, daily values, and the figures that are stored."""

    year: int
    sites: Cubes = field(default_factory=Cubes)
    bases: dict[str, Known] = field(default_factory=dict)
    shelf: Shelf = field(default_factory=Shelf)
    single: dict[tuple[Tag, int], Indicator] = field(default_factory=dict)
    """Rows that are no columns: attainment of targets, figures of authorities."""
    running: dict[tuple[str, str], years.Running] = field(default_factory=dict)
    """The county's, by basis and rule set."""
    judged: dict[tuple[str, str], years.Running] = field(default_factory=dict)
    """The same as targets were judged by it last."""
    known: set[str] = field(default_factory=set)


@dataclass
class _Out:
    """What one settling will write."""

    rows: list[Indicator] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    said: list[Restatement] = field(default_factory=list)


class Settler:
    """Writes figures, restatements and announcements; the only hand that does."""

    def __init__(self, figures: Figures) -> None:
        self.figures = figures
        self.confirmed: Callable[[], Confirmations] = lambda: Confirmations({})
        self.closing = CLOSING_S
        self.written = 0
        self.restated = 0
        self._recent: dict[tuple[object, ...], Restatement] = {}

    def recall(self, now: int) -> None:
        """Before the first settling of a process: remember what was restated lately, for some of it may lack its figures."""
        self._recent = {row[:7]: row for row in self.figures.restatements(now - RECENT_S, now, _MANY)}

    def forget(self) -> None:
        """After the first settling: from now on nothing is repeated."""
        self._recent = {}

    def sheets(self, book: Book, scope: str, found: Sequence[Sheet], when: When) -> Settled:
        """Write what differs, and tell it."""
        stored = self._stored(book, scope, found)
        made = {one.kind for one in found}
        # A built hour that came as an hour after all leaves no sheet, and its row must not stay behind.
        left = [sheets.gone(old) for kind in stations.passing(scope) if kind not in made and (old := stored(kind)) is not None]
        out, settled = _Out(), Settled({}, fresh=all(stored(sheet.kind) is None for sheet in found))
        for sheet in (*found, *left):
            self._settle(sheet, stored(sheet.kind), when, (out, settled))
        self._put(out)
        for sheet in (*found, *left):
            book.shelf.put(sheet)
        return settled

    def _settle(self, sheet: Sheet, old: Sheet | None, when: When, to: tuple[_Out, Settled]) -> None:
        out, settled = to
        cells = sheets.differing(sheet, old)
        if old is not None:
            sheets.carry(sheet, old)
        for place, rows in cells.items():
            late = rows[:0] if old is None else self._late(sheet, old, place, rows, when)
            if len(late):
                sheet.restate(place, late)
            if old is not None and len(late):
                told = late[-1:] if sheet.kind.period == "ytd" else late
                pairs = zip(sheet.block(place, told, 0.0).rows(), old.block(place, told, 0.0).rows(), strict=True)
                out.said += [self._restatement(new, before, when) for new, before in pairs]
            out.blocks.append(sheet.block(place, rows, float(when.now)))
            if sheet.kind.period != "hour":
                settled.changed[sheet.tag(place)] = rows.astype(np.int32)

    def _late(self, sheet: Sheet, old: Sheet, place: int, rows: Places, when: When) -> Places:
        """Rows that were stored before and whose change has to be said."""
        if sheet.kind.period == "hour":
            return rows[:0]
        known = rows[rows < len(old.time)]
        known = known[old.valid[place, known] > 0]
        late: Places = known[closed(sheet.time[known], when.now, self.closing)]
        return late

    def stored(self, year: int, scopes: Iterable[str]) -> bool:
        """Whether the store holds any figure of these scopes' year; that it holds none of anybody's is known at once."""
        start, end = civil.year_span(year)
        if not self.figures.holds(start - 1, end):
            return False
        return any(len(block.time) for scope in scopes for block in self._history(year, scope, _bare))

    def derived(self, rows: Sequence[Indicator]) -> None:
        """Write rows that follow from settled ones: they are not compared and never restated, for what they follow from is."""
        if rows:
            self.figures.put(rows)

    def derived_blocks(self, blocks: Iterable[Block]) -> None:
        """The same for many rows at a time."""
        some = [block for block in blocks if len(block.time)]
        if some:
            self.figures.put_blocks(some)

    def rows(self, book: Book, found: Iterable[Indicator], when: When) -> None:
        """Write single figures that differ; those of a running year are as many as its days and are never restated."""
        out = _Out()
        settled: dict[tuple[Tag, int], Indicator] = {}
        for row in found:
            key = Tag._make(row.key[:5]), row.time
            old = book.single.get(key)
            if old is not None and _said(row) == _said(old):
                continue
            over = old is not None and row.period != "ytd" and (_at_once(row) or self._over(row, when))
            version = 1.0 if old is None else old.version + over
            new = settled[key] = _stamped(row, float(when.now), version)
            if old is not None and over and (old.value, old.status) != (new.value, new.status):
                out.said.append(self._restatement(new, old, when))
            out.rows.append(new)
        self._put(out)
        book.single.update(settled)

    def _over(self, row: Indicator, when: When) -> bool:
        return row.period != "hour" and bool(closed(np.int64(row.time), when.now, self.closing))

    def _restatement(self, new: Indicator, old: Indicator, when: When) -> Restatement:
        start, end = span_of(new.period, new.time)
        cause = when.evidence.text(new.figure, when.sites, start, end)
        changed = old.value, new.value, old.status, new.status
        made = Restatement(*new.key, int(new.version), *changed, when.now, cause)
        before = self._recent.get(made[:7])
        return before if before is not None and before[7:11] == changed else made

    def _put(self, out: _Out) -> None:
        if out.said:
            self.figures.restate(out.said)
            told = announcements(out.said, self.confirmed())
            if told:
                self.figures.events(told)
        if out.rows:
            self.figures.put(out.rows)
        if out.blocks:
            self.figures.put_blocks(out.blocks)
        self.written += len(out.rows) + sum(len(block.time) for block in out.blocks)
        self.restated += len(out.said)

    def _stored(self, book: Book, scope: str, found: Sequence[Sheet]) -> Callable[[Kind], Sheet | None]:
        """Sheets that the store holds: remembered, or read the first time a scope's year is computed."""
        if scope in book.known:
            return book.shelf.sheet
        blocks: defaultdict[tuple[str, str, str], dict[str, Block]] = defaultdict(dict)
        for block in self._history(book.year, scope, _fields):
            blocks[block.period, block.rule_set, block.basis][block.figure] = block
            if _single(block.figure, block.basis):
                book.single |= {(Tag._make(block[:5]), row.time): row for row in block.rows()}
        book.known.add(scope)
        known = {one.kind: one for one in (*stations.unbuilt(scope, found), *found)}
        held = {kind: blocks[kind.period, kind.rule_set, kind.basis] for kind in known}
        return {kind: sheets.stored(known[kind], some) for kind, some in held.items() if any(figure in some for figure in kind.figures)}.get

    def _history(self, year: int, scope: str, fields: Callable[[str, str], Sequence[str]]) -> Iterator[Block]:
        """Stored figures of a year, their wanted fields; an hour is named by its end, all others by the start of their last day."""
        edges = civil.year_span(year)
        for block in self.figures.blocks(scope, edges[0] - 1, edges[1], fields):
            start, end = edges if block.period == "hour" else (edges[0] - 1, edges[1] - 1)
            yield _between(block, start, end)


def _single(figure: str, basis: str) -> bool:
    """Whether figures are rows of their own and no column of a sheet: attainment of targets, figures of authorities."""
    return "." in figure or basis in FOREIGN


def _fields(figure: str, basis: str) -> Sequence[str]:
    """What is read back of a figure."""
    return (FIELDS if _single(figure, basis) else COMPARED) if _settled(figure) else ()


def _bare(figure: str, basis: str) -> Sequence[str]:
    """The least that shows that there is one."""
    return _fields(figure, basis)[:1]


def _settled(figure: str) -> bool:
    """Whether a figure is settled; what follows from others is not read back."""
    return figure.rpartition("_")[2] not in COMPARISONS and "_allowance_" not in figure and not figure.startswith("lost_")


def _between(block: Block, start: int, end: int) -> Block:
    """The rows of a block, ordered by time, with start < time ≤ end."""
    rows = slice(bisect_right(block.time, start), bisect_right(block.time, end))
    if rows == slice(0, len(block.time)):
        return block
    return Block._make([*block[:6], *(column if column is None else column[rows] for column in block[6:])])


def _stamped(row: Indicator, computed: float, version: float) -> Indicator:
    """The same figure as it is stored at an instant [s]; written out, for ``dataclasses.replace`` takes five times as long."""
    words = row.figure, row.period, row.scope, row.rule_set, row.time, row.value, row.basis, row.valid, row.expected
    return Indicator(*words, row.target, row.margin, row.low90, row.high90, computed, version, row.status, row.text)


def _said(row: Indicator) -> tuple[object, ...]:
    """What a row says, apart from when it was computed and how often."""
    return row.value, row.status, row.text, row.valid, row.expected, row.target, row.margin, row.low90, row.high90


def same(old: Indicator | None, new: Indicator) -> bool:
    """Whether a row says what it said before, in what a reader of derived rows sees."""
    return old is not None and (old.value, old.status, old.valid, old.text) == (new.value, new.status, new.valid, new.text)


def _at_once(row: Indicator) -> bool:
    return (row.figure, row.period) in AT_ONCE


def belongs(row: Indicator, year: int) -> bool:
    """Whether a stored row is of that year; an hour is named by its end, all others by the start of their last day."""
    day = civil.day_of(row.time) if row.period == "hour" else civil.day_of(row.time + 1)
    return civil.year_of_day(day) == year


def closed(time: Places | np.int64, now: int, closing: int = CLOSING_S) -> npt.NDArray[np.bool_]:
    """Whether a change of figures with this time, which are no hours, has to be said: ``closing`` seconds after their last day."""
    return np.asarray(time + (civil.DAY_S + closing) <= now)


def span_of(period: str, time: int) -> tuple[int, int]:
    """Labels that a figure is made of: start (excluded) and end (included) [s]; of an hour or record its own label."""
    if period == "hour":
        return time - 1, time
    last = civil.day_of(time + 1)
    months = months_of(period, time)
    first = last if period == "day" else civil.day_number(civil.date_of(last).replace(month=months[0][1], day=1))
    return civil.day_start(first), civil.day_end(last)


def announcements(said: Iterable[Restatement], confirmed: Confirmations) -> list[Event]:
    """One event a scope and instant that names the confirmed figures that changed; none for provisional ones."""
    groups: defaultdict[tuple[str, int], list[Restatement]] = defaultdict(list)
    for row in said:
        if confirmed.covers(row.period, row.time, row.made):
            groups[row.scope, row.made].append(row)
    return [Event(ANNOUNCED, scope, made, float(len(rows)), announcement(rows)) for (scope, made), rows in groups.items()]
