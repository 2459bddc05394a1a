"""Deciding a batch: which readings are first sights, duplicates, replacements, history or conflicts, and what follows.

``latest`` makes anything newer a first sight without a look-up; everything else reads its rows, one query a batch. Within the
batch, rows already decided stand in front of what the store says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, NamedTuple

from domain.civil import day_end, day_of, day_start
from domain.errors import LanbiError
from domain.message import Refusal
from domain.readings import Key, Reading
from ingest.accept import IMPORT, Sight, Verdict, outcome
from ingest.deadletters import rows
from ingest.easy import Easy, Origin, Whose
from ingest.memory import NEVER, Memory, Row
from ingest.plain import Plain, RowKey, Series, key_of, newest_of
from ingest.ports import Batch, Before, Cell, Cells, Record, Refused, Version
from ingest.revisions import Merger, cells_of, difference, merge, remembered, revision_of, row_of


class Judged(NamedTuple):
    """A verdict with the record that it judges."""

    record: Record
    verdict: Verdict


NONE: Final = (NEVER, NEVER)
SEVERAL: Final = (NEVER, -NEVER)
"""Bounds of the day of plain first sights where there is none yet, and where there are several: then no reading is worth a look any more."""


@dataclass
class Desk:
    """One batch on the desk: all readings are seen in order, then those decided that are no plain first sights.

    Attributes
    ----------
    batch : Batch
        What moves with the cursor.
    met : dict
        Rows that were there before.
    late, coming : set
        Rows of readings that are not newer than everything in their series, for which the store must be asked; rows of those that
        are, as far as they go the long way.
    known : set of bytes
        Digests of what imports had refused before.
    plain : Plain
        Plain first sights; one that is met again is another one in ``rows``.
    versions : list
        What the state must remember before the rows are written.
    touched : dict of day to set of str
        Sources whose values changed.
    withdrawn : list of Record
        Those that take a value of a row back that may be stored.
    """

    memory: Memory
    batch: Batch
    met: dict[RowKey, Row] = field(default_factory=dict)
    late: set[RowKey] = field(default_factory=set)
    coming: set[RowKey] = field(default_factory=set)
    known: set[bytes] = field(default_factory=set)
    plain: Plain = field(default_factory=Plain)
    versions: list[Version] = field(default_factory=list)
    touched: dict[int, set[str]] = field(default_factory=dict)
    withdrawn: list[Record] = field(default_factory=list)
    _fronts: dict[Series, int] = field(default_factory=dict)
    """Time of the newest reading seen of each series [s]."""
    _newest: dict[Series, tuple[int, str, Origin]] = field(default_factory=dict)
    _first: dict[RowKey, Origin] = field(default_factory=dict)
    _day: tuple[int, int] = NONE
    """The one day of all plain first sights: from behind its beginning up to its end [s]."""
    _before: dict[RowKey, Before] = field(default_factory=dict)
    _rows: dict[RowKey, Reading] = field(default_factory=dict)
    _entered: int = 0
    """Plain first sights that stand in ``_rows``, too."""
    _whose: list[Whose] = field(default_factory=list)
    _numbers: list[int | None] = field(default_factory=list)
    """Of each reading since numbers were last compared, and whose."""

    @property
    def rows(self) -> dict[RowKey, Reading]:
        """Rows to write, by key."""
        fresh = self.plain.rows[self._entered :]
        if fresh:
            self._entered += len(fresh)
            self._rows.update([(key_of(row), row) for row in fresh])
        return self._rows

    def writing(self) -> list[Reading]:
        """Rows to write; the very list of the plain first sights if there is nothing else."""
        return list(self.rows.values()) if self._rows else self.plain.rows

    def see(self, verdict: Verdict) -> None:
        """Take note of a verdict that will be taken later: its number, and whether its reading is late."""
        if verdict.seq is not None and verdict.device:
            self._whose.append((verdict.device, verdict.run))
            self._numbers.append(verdict.seq)
        sight = verdict.sight
        if sight is None:
            return
        series, key = (sight.source, sight.span), sight[:4]
        if sight.time > self._fronts.get(series, self.memory.newest(series)):
            self._fronts[series] = sight.time
            self.coming.add(key)
        elif key not in self.coming and key not in self.rows:
            self.late.add(key)

    def place(self, easy: Easy) -> list[Judged]:
        """Place the plain first sights of messages: newer than everything in their series, so nothing can be met.

        Returns
        -------
        list of Judged
            The others, seen and to be taken later.
        """
        self._hear(easy)
        fronts, last, begun, at = self._fronts, self.plain.last, 0, len(self.plain.rows)
        newest, (since, until) = self.memory.newest, self._day
        others: list[Judged] = []
        for place, row in enumerate(easy.rows):
            series, time = (row.source, row.span), row.time
            front = fronts.get(series)
            if time <= (newest(series) if front is None else front):
                self.plain.take(easy, begun, place)
                begun, at = place + 1, at - 1
                others.append(self._later(easy, place))
                continue
            fronts[series] = time
            last[series] = at + place
            if not since < time <= until:
                since, until = self._turn(time)
        self.plain.take(easy, begun, len(easy.rows))
        return others

    def placed(self) -> None:
        """All plain first sights are placed: count them, and say whose days they touch."""
        rows = self.plain.rows
        if not rows:
            return
        self.batch.count("stored", by=len(rows))
        if self._day is not SEVERAL:
            # Of thousands of devices each speaks once: what is done for a series is done for a reading.
            self.touched.setdefault(day_of(rows[0].time), set()).update([source for source, _ in self.plain.last])
            return
        since = until = NEVER
        sources = set[str]()
        for row in rows:
            if not since < row.time <= until:
                day = day_of(row.time)
                since, until, sources = day_start(day), day_end(day), self.touched.setdefault(day, set())
            sources.add(row.source)

    def _turn(self, time: int) -> tuple[int, int]:
        """Plain first sights come to their first day, or to another one; from where up to where no further look is needed [s]."""
        day = day_of(time)
        self._day = (day_start(day), day_end(day)) if self._day is NONE else SEVERAL
        return self._day

    def _later(self, easy: Easy, place: int) -> Judged:
        row, seq = easy.rows[place], easy.numbers[place]
        record, device, run, element = easy.origin(place)
        received_ns = record.received_ns
        sight = Sight(*row.key, dict(row.values), dict(row.flags), device, run, seq, corrects=False, imported=False, received_ns=received_ns)
        verdict = Verdict(element, 1, device, row.source, run, seq, sight)
        self.see(verdict)
        return Judged(record, verdict)

    def _hear(self, easy: Easy) -> None:
        """Take note of all numbers of messages."""
        self._numbers += easy.numbers
        if len(easy.numbers) == len(easy.whose):
            self._whose += easy.whose
            return
        for whose, (start, end) in zip(easy.whose, pairwise([*easy.starts, len(easy.numbers)]), strict=True):
            self._whose += [whose] * (end - start)

    def lost(self, device: str, run: int, first: int, last: int) -> None:
        """The device gave these numbers up."""
        self._listen()
        self.batch.count("gaps", by=self.memory.sequences.lost(device, run, first, last))

    def _listen(self) -> None:
        """Compare the numbers of all devices with what they said before; what is skipped is a gap."""
        gaps = self.memory.sequences.see_all(self._whose, self._numbers)
        self._whose.clear()
        self._numbers.clear()
        if gaps:
            self.batch.count("gaps", by=gaps)

    def _origin(self, key: RowKey) -> Origin | None:
        """The message that made a row of this batch; None for a row that was there before."""
        return self._first.get(key) or self.plain.origin(key)

    def take(self, one: Judged) -> None:
        """Decide one verdict; a fault of ours costs this reading only, and the journal keeps it."""
        try:
            self._take(one)
        except LanbiError:
            raise
        except Exception as error:  # noqa: BLE001  one reading must not stop all others
            fault = Refusal("internal", repr(error)[:200])
            self._refuse(Judged(one.record, one.verdict._replace(sight=None, refused=(fault,))))

    def _take(self, one: Judged) -> None:
        if one.verdict.refused:
            self._refuse(one)
        if one.verdict.sight is not None:
            self._place(one, one.verdict.sight)

    def before(self) -> list[Before]:
        """Late rows that this batch makes or changes, as it found them: until it has finished, the store's word about them does not count."""
        return list(self._before.values())

    def _found(self, record: Record, key: RowKey, cells: Cells) -> None:
        """Note a row that is about to change for the first time in this batch; what finished versions tell need not be noted."""
        if key in self.late and key not in self._before:
            self._before[key] = Before(record.seq, Key(*key), cells)

    def finish(self) -> Batch:
        """The batch with the newest readings and the devices' numbers."""
        self._listen()
        if self._newest or self._rows:
            self._weigh()
        else:
            self.batch.latest.update(self.plain.newest())
        self.batch.runs.update(self.memory.runs.taken())
        self.batch.sequences.update(self.memory.sequences.taken())
        return self.batch

    def _weigh(self) -> None:
        """The newest readings where some went the long way: each may have been replaced, or be older than what is known."""
        plain = self.plain
        newest: dict[Series, tuple[int, str, Origin, Reading | None]] = {
            series: (plain.rows[at].time, plain.rows[at].kind, plain.origin_at(at), plain.rows[at]) for series, at in plain.last.items()
        }
        newest |= {series: (*one, None) for series, one in self._newest.items() if series not in newest or one[0] >= newest[series][0]}
        for series, (time, kind, origin, placed) in newest.items():
            row = self.rows.get((kind, *series, time)) if self._rows else placed
            if row is not None and (series not in self.memory.latest or time >= self.memory.newest(series)):
                self.batch.latest[series] = newest_of(row, origin)

    def _place(self, one: Judged, sight: Sight) -> None:
        index = 0 if sight.imported or sight.seq is None else self.memory.runs.index(sight.device, sight.run)
        if index is None:
            lost = Refusal("conflict", f"run {sight.run} cannot be placed among the device's other runs")
            self._refuse(Judged(one.record, one.verdict._replace(sight=None, refused=(lost,))))
            return
        rev = revision_of(sight, index)
        key, series, origin = sight[:4], (sight.source, sight.span), Origin(one.record, sight.device, sight.run, one.verdict.element)
        if sight.corrects and key not in self.rows and key not in self.met:
            # That a value corrects another one must be known before the other arrives.
            self.met[key] = Row({}, remembered=True)
            self._found(one.record, key, {})
        if key in self.met or key in self.rows:
            self._meet(one, sight, rev)
        else:
            self.rows[key] = Reading(sight.kind, sight.source, sight.span, sight.time, sight.values, sight.flags, rev)
            self._first[key] = origin
            self._found(one.record, key, {})
            self.batch.count("stored")
            self._touch(sight)
        newest = self._newest.get(series)
        if newest is None or sight.time >= newest[0]:
            self._newest[series] = sight.time, sight.kind, origin

    def _meet(self, one: Judged, sight: Sight, rev: int) -> None:
        key = sight[:4]
        row = self.met.get(key)
        if row is None:
            first = self._origin(key)
            row = self.met[key] = Row(cells_of(self.rows[key], first.device if first else ""))
        before = row.cells
        done = merge(sight, rev, before, row.known)
        if done.versions and not row.known:
            self._found(one.record, key, before)
        if done.versions and (row.remembered or remembered(done, before)):
            self._remember(one.record, sight, row, done.versions)
        row.cells = done.cells
        if done.raised:
            if None in sight.values.values():
                self.withdrawn.append(one.record)
            self.rows[key] = row_of(sight, done.cells)
        if done.changed:
            self._touch(sight)
        held = [Refusal("conflict", difference(before[name], sight, name), name) for name in done.conflicts]
        fresh = self._keep(one, held) if held else []
        self._settle(sight, done, held=bool(fresh))

    def _settle(self, _sight: Sight, done: Merger, *, held: bool) -> None:
        """Count a reading that met a row."""
        if done.stored:
            self.batch.count("stored")
        elif held:
            self.batch.count("quarantined", "conflict")
        else:
            self.batch.count("duplicate")

    def _remember(self, record: Record, sight: Sight, row: Row, fresh: Sequence[tuple[str, Cell]]) -> None:
        key = Key(*sight[:4])
        if not row.remembered:
            # What this batch has made of the row is in its past already: a crash before its end must undo both.
            first = self._origin(sight[:4])
            maker = first.record if first else record
            past = (key, maker.writer, maker.seq)
            self.versions += [_version(past, name, cell, first.record.received_ns if first else 0) for name, cell in row.cells.items()]
            row.remembered = True
            row.known.update((name, cell.rev, cell.value, cell.flag) for name, cell in row.cells.items())
        row.known.update((name, cell.rev, cell.value, cell.flag) for name, cell in fresh)
        self.versions += [_version((key, record.writer, record.seq), name, cell, record.received_ns) for name, cell in fresh]

    def _refuse(self, one: Judged) -> None:
        """Keep a verdict's refusals; the reading itself counts as refused if nothing of it is left."""
        fresh = self._keep(one, one.verdict.refused)
        if one.verdict.sight is not None:
            return
        reason = one.verdict.refused[0].reason
        if fresh:
            self.batch.count(outcome(reason), reason, one.verdict.readings)
        else:
            self.batch.count("duplicate", by=one.verdict.readings)

    def _keep(self, one: Judged, refusals: Sequence[Refusal]) -> list[Refused]:
        """Rows of refusals; an import's same bytes are refused only once, a device is told each time."""
        fresh = rows(one.record, one.verdict, refusals)
        if one.record.writer == IMPORT:
            self.known |= self.memory.state.known_refusals([row.digest for row in fresh])
            fresh = [row for row in fresh if row.digest not in self.known]
            self.known.update(row.digest for row in fresh)
        for row in fresh:
            if row.item is not None:
                self.batch.count("items_refused", row.reason)
        self.batch.refused += fresh
        return fresh

    def _touch(self, sight: Sight) -> None:
        self.touched.setdefault(day_of(sight.time), set()).add(sight.source)


def _version(origin: tuple[Key, str, int], name: str, cell: Cell, received_ns: int) -> Version:
    key, writer, seq = origin
    return Version(key, name, cell.rev, cell.value, cell.flag, cell.corrects, received_ns, cell.device, writer, seq)
