"""Replay: journalled records are judged once more, what is good now is stored, and the rest stays where it is.

A replayed reading counts as received once more. The store is not believed: of a row that was written more than once the
versions say how it must look, of any other what the record says, and a row that looks otherwise is written again. So the same
code mends a refusal after the registry was corrected, and fills a store that lost its rows.

A record behind the cursor had an outcome once. A refusal of it that still stands is known by its place in the journal and is
not entered again; what has no such refusal had been accepted, and is left alone if today's registry would refuse it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from domain.message import Refusal
from domain.readings import Key, Reading
from ingest.accept import WHOLE, Sight, outcome
from ingest.deadletters import item_of, rows
from ingest.deciding import Desk, Judged
from ingest.memory import Row
from ingest.plain import RowKey
from ingest.ports import Cell, Refused
from ingest.revisions import Merger, cells_of, revision_of, row_of

CONFLICT: Final = "conflict"
FRESH: Final = frozenset({"internal", "store-rejected"})
"""Reasons that are news also of a record that was accepted once: our fault, or the store's, but not the registry's."""
Place = tuple[int, str | None]
"""Where in a message a refusal belongs: element and item."""
Numbered = tuple[int, Refused]


@dataclass
class Standing:
    """Refusals that stand, by record and place."""

    book: Mapping[int, Mapping[Place, Numbered]]

    @classmethod
    def of(cls, found: Iterable[Numbered]) -> Standing:
        """From the state's rows."""
        book: defaultdict[int, dict[Place, Numbered]] = defaultdict(dict)
        for number, row in found:
            book[row.seq][row.element, row.item] = number, row
        return cls(book)

    def at(self, seq: int, element: int, item: str | None) -> Numbered | None:
        """The refusal of exactly this place."""
        return self.book[seq].get((element, item)) if seq in self.book else None

    def around(self, seq: int, element: int) -> bool:
        """Whether the element was refused as a whole, alone or with its message."""
        return bool(self.at(seq, element, None) or self.at(seq, WHOLE, None))

    def touching(self, seq: int, element: int) -> list[tuple[Place, Numbered]]:
        """Refusals that a verdict on this element may settle."""
        return [(place, one) for place, one in self.book.get(seq, {}).items() if place[0] in {element, WHOLE}]


@dataclass
class ReplayDesk(Desk):
    """A batch that was on the desk before.

    Attributes
    ----------
    stored : mapping of Key to Reading
        What the store says of all rows concerned.
    standing : Standing
        Refusals of these records that stand.
    partial : bool
        Only some elements of each message were chosen: a refusal of the whole message is not settled by them.
    settled : set of int
        Refusals that no longer stand.
    left : int
        Readings that were accepted once, would be refused now, and are left as they are.
    """

    stored: Mapping[Key, Reading] = field(default_factory=dict)
    standing: Standing = field(default_factory=lambda: Standing({}))
    partial: bool = False
    settled: set[int] = field(default_factory=set)
    left: int = 0
    _unlike: set[RowKey] = field(default_factory=set)
    _held: set[str | None] = field(default_factory=set)
    _known: set[int] = field(default_factory=set)

    def _take(self, one: Judged) -> None:
        self._held, self._known = set(), set()
        kept = self._without_old_conflicts(one)
        if kept.verdict.sight is None and one.verdict.sight is not None and not kept.verdict.refused:
            self.batch.count("duplicate", by=one.verdict.readings)
        super()._take(kept)
        self._settle_refusals(kept)

    def _without_old_conflicts(self, one: Judged) -> Judged:
        """A value held beside another one must not slip in because the store has lost that other one."""
        sight, (record, verdict) = one.verdict.sight, one
        if sight is None or record.seq not in self.standing.book:
            return one
        row = self._known_row(sight[:4])
        there = row.cells if row else self.rows[sight[:4]].values if sight[:4] in self.rows else {}
        found = {item: self.standing.at(record.seq, verdict.element, item) for item in sight.values if item not in there}
        lone = {item for item, old in found.items() if old and old[1].reason == CONFLICT and old[1].source == sight.source}
        if not lone:
            return one
        self._held |= lone
        values = {item: value for item, value in sight.values.items() if item not in lone}
        return one._replace(verdict=verdict._replace(sight=sight._replace(values=values) if values else None))

    def _settle_refusals(self, one: Judged) -> None:
        """What is good now, or refused more precisely, no longer stands."""
        sight, element = one.verdict.sight, one.verdict.element
        for (place, item), (number, _) in self.standing.touching(one.record.seq, element):
            if number in self._known or item in self._held or (place == WHOLE and self.partial):
                continue
            if item is None or (sight is not None and item in sight.values):
                self.settled.add(number)

    def _known_row(self, key: RowKey) -> Row | None:
        """The row as versions or store know it; the store's is taken apart only where that is needed."""
        stored = self.stored.get(Key(*key))
        if key not in self.met and key not in self.rows and stored is not None:
            newest = self.memory.latest.get((stored.source, stored.span))
            self.met[key] = Row(cells_of(stored, newest.device if newest and newest.time == stored.time else ""))
        return self.met.get(key)

    def _place(self, one: Judged, sight: Sight) -> None:
        row = self.stored.get(Key(*sight[:4]))
        if row is not None and sight[:4] not in self.met and sight[:4] not in self.rows:
            index = 0 if sight.imported or sight.seq is None else self.memory.runs.index(sight.device, sight.run)
            if row.values == sight.values and row.flags == sight.flags and index is not None and row.rev == revision_of(sight, index):
                self.batch.count("duplicate")
                return
            self._known_row(sight[:4])
        super()._place(one, sight)

    def _meet(self, one: Judged, sight: Sight, rev: int) -> None:
        self._heal(one, sight, rev)
        super()._meet(one, sight, rev)

    def _heal(self, one: Judged, sight: Sight, rev: int) -> None:
        """The store says something else of the very revision that this record is: then the record is right.

        Where two records bear one revision, the second one's refusal stands, and nothing is healed by it.
        """
        row = self.met.get(sight[:4])
        if row is None or row.remembered or self.standing.around(one.record.seq, one.verdict.element):
            return
        for item, value in sight.values.items():
            old, flag = row.cells.get(item), sight.flags.get(item, "N")
            altered = old is not None and old.rev == rev and (old.value, old.flag) != (value, flag)
            if altered and not self.standing.at(one.record.seq, one.verdict.element, item):
                row.cells = {**row.cells, item: Cell(value, flag, rev, sight.corrects, sight.device)}

    def _settle(self, sight: Sight, done: Merger, *, held: bool) -> None:
        """Count as stored also what the store had lost."""
        key = sight[:4]
        if key not in self.rows and self.met[key].cells:
            row = row_of(sight, self.met[key].cells)
            if row != self.stored.get(Key(*key)):
                self.rows[key] = row
                self._unlike.add(key)
                self._touch(sight)
        if key in self._unlike and not done.stored and not held:
            self.batch.count("stored")
            return
        super()._settle(sight, done, held=held)

    def _refuse(self, one: Judged) -> None:
        """Of what is refused, only what was refused before concerns us; the rest had been accepted and stays."""
        record, verdict = one
        around = self.standing.around(record.seq, verdict.element)
        ours = [one for one in verdict.refused if around or one.reason in FRESH or self.standing.at(record.seq, verdict.element, item_of(one))]
        fresh = self._keep(one, ours)
        if verdict.sight is not None:
            return
        if fresh:
            self.batch.count(outcome(fresh[0].reason), fresh[0].reason, verdict.readings)
            return
        self.batch.count("duplicate", by=verdict.readings)
        if not ours and record.seq not in self.standing.book:
            self.left += verdict.readings

    def _keep(self, one: Judged, refusals: Sequence[Refusal]) -> list[Refused]:
        """Enter what is not refused yet at its place; a refusal that stands may get another reason."""
        self._held |= {refusal.item for refusal in refusals if refusal.item is not None}
        fresh = [row for row in rows(one.record, one.verdict, refusals) if not self._stands(row)]
        for row in fresh:
            if row.item is not None:
                self.batch.count("items_refused", row.reason)
        self.batch.refused += fresh
        return fresh

    def _stands(self, row: Refused) -> bool:
        found = self.standing.at(row.seq, row.element, row.item)
        if found is None:
            return False
        number, old = found
        self._known.add(number)
        if (old.reason, old.detail) != (row.reason, row.detail):
            self.batch.renamed[number] = row
        return True
