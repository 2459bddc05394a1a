"""Deciding a batch: which readings are first sights, duplicates, replacements, history or conflicts, and what follows.

``latest`` makes anything newer a first sight without a look-up; everything else reads its rows, one query a batch. Within the
batch, rows already decided stand in front of what the store says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from domain.civil import day_of
from domain.errors import LanbiError
from domain.message import Refusal
from domain.ports import ReadingSource
from domain.readings import Key, Reading
from ingest.accept import IMPORT, Sight, Verdict, outcome
from ingest.deadletters import rows
from ingest.express import Easy
from ingest.ports import Batch, Before, Cell, Cells, Latest, Record, Refused, State, Version
from ingest.revisions import Known, Merger, cells_of, cells_of_versions, difference, merge, remembered, revision_of, row_of
from ingest.sequences import Runs, Sequences

Series = tuple[str, int]
RowKey = tuple[str, str, int, int]
NEVER: Final = -(2**62)


class Origin(NamedTuple):
    """The message that a row came with, and who sent it."""

    record: Record
    device: str


class Judged(NamedTuple):
    """A verdict with the record that it judges."""

    record: Record
    verdict: Verdict


@dataclass(slots=True)
class Row:
    """A row met again: its cells, whether its versions are remembered, and those versions."""

    cells: Cells
    remembered: bool = False
    known: set[Known] = field(default_factory=set)


class Memory:
    """What was seen last: newest readings, runs, sequence numbers. Made anew from the state after any failure."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.latest = {(one.source, one.span): one for one in state.latest()}
        self.runs = Runs.of(state.runs())
        self.sequences = Sequences(dict(state.sequences()))

    def newest(self, series: Series) -> int:
        """Time of the newest reading of a source and span [s]."""
        latest = self.latest.get(series)
        return latest.time if latest else NEVER

    def met_again(self, desk: Desk, source: ReadingSource, behind: Mapping[str, int], before: Mapping[Key, Cells] | None = None) -> dict[RowKey, Row]:
        """Rows that readings of a batch meet again: one look-up of versions, one of the rest.

        Parameters
        ----------
        desk : Desk
            It has seen all readings, so it knows which are late.
        behind : mapping of writer to int
            Cursors before this batch: versions beyond them belong to a batch that never finished.
        before : mapping of key to cells, or None
            Rows as a batch had found them that never finished and is being done again (None: there is none). What it wrote may
            stand in the store already, so this counts and not the store; nor did a row newer than all exist with no finished version.
        """
        asked = desk.late if before is None else desk.late | desk.coming
        if not asked:
            return {}
        met = self.remembered(asked, behind)
        met |= {key: Row(dict(cells)) for key, cells in (before or {}).items() if cells and key in asked and key not in met}
        for key, row in source.cells([Key(*key) for key in desk.late if key not in met and key not in (before or ())]).items():
            newest = self.latest.get((key.source, key.span))
            met[key] = Row(cells_of(row, newest.device if newest and newest.time == key.time else ""))
        return met

    def remembered(self, keys: Iterable[RowKey], behind: Mapping[str, int]) -> dict[RowKey, Row]:
        """Those of the rows whose versions are remembered, as they are behind the cursors."""
        met: dict[RowKey, Row] = {}
        for key, versions in self.state.versions([Key(*key) for key in keys]).items():
            finished = [one for one in versions if not one.writer or one.seq <= behind.get(one.writer, 0)]
            if finished:
                known = {(one.item, one.rev, one.value, one.flag) for one in finished}
                met[key] = Row(cells_of_versions(finished), remembered=True, known=known)
        return met


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
    rows : dict
        Rows to write.
    placed : list
        Those of them that are plain first sights, in order; one that is met again is another one in ``rows``.
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
    rows: dict[RowKey, Reading] = field(default_factory=dict)
    placed: list[Reading] = field(default_factory=list)
    versions: list[Version] = field(default_factory=list)
    touched: dict[int, set[str]] = field(default_factory=dict)
    withdrawn: list[Record] = field(default_factory=list)
    _times: dict[Series, int] = field(default_factory=dict)
    _newest: dict[Series, tuple[int, str, Origin]] = field(default_factory=dict)
    _first: dict[RowKey, Origin] = field(default_factory=dict)
    _before: dict[RowKey, Before] = field(default_factory=dict)
    _plain: list[tuple[Origin, list[Reading]]] = field(default_factory=list)

    def see(self, verdict: Verdict) -> None:
        """Take note of a verdict that will be taken later: its number, and whether its reading is late."""
        if verdict.seq is not None and verdict.device:
            self._number(verdict.device, verdict.run, (verdict.seq,))
        sight = verdict.sight
        if sight is None:
            return
        series, key = (sight.source, sight.span), sight[:4]
        if sight.time > (self._times.get(series) or self.memory.newest(series)):
            self._times[series] = sight.time
            self.coming.add(key)
        elif key not in self.coming and key not in self.rows:
            self.late.add(key)

    def place(self, record: Record, easy: Easy) -> list[Judged]:
        """Place the plain first sights of a message: newer than everything in their series, so nothing can be met.

        Returns
        -------
        list of Judged
            The others, seen and to be taken later.
        """
        times, newest, rows, placed = self._times, self._newest, self.rows, self.placed
        others: list[Judged] = []
        before = len(placed)
        origin = Origin(record, easy.device)
        self._number(easy.device, easy.run, easy.numbers)
        for element, row in enumerate(easy.rows):
            time = row.time
            series = row.source, row.span
            if time <= (times.get(series) or self.memory.newest(series)):
                others.append(self._later(record, element, easy))
                continue
            times[series] = time
            newest[series] = time, row.kind, origin
            rows[row.kind, row.source, row.span, time] = row
            placed.append(row)
        plain = placed[before:]
        self.batch.count("stored", by=len(plain))
        self._plain.append((origin, plain))
        touched = None
        for row in plain:
            day = day_of(row.time)
            if touched != (day, row.source):
                touched = day, row.source
                self.touched.setdefault(day, set()).add(row.source)
        return others

    def _later(self, record: Record, element: int, easy: Easy) -> Judged:
        row, seq = easy.rows[element], easy.numbers[element]
        received_ns = record.received_ns
        sight = Sight(*row.key, dict(row.values), dict(row.flags), easy.device, easy.run, seq, corrects=False, imported=False, received_ns=received_ns)
        verdict = Verdict(element, 1, easy.device, row.source, easy.run, seq, sight)
        self.see(verdict)
        return Judged(record, verdict)

    def _number(self, device: str, run: int, numbers: Iterable[int | None]) -> None:
        gaps = self.memory.sequences.see(device, run, numbers)
        if gaps:
            self.batch.count("gaps", by=gaps)

    def _origin(self, key: RowKey) -> Origin | None:
        """The message that made a row of this batch; None for a row that was there before."""
        for origin, made in self._plain:
            self._first.update((row.key, origin) for row in made)
        self._plain.clear()
        return self._first.get(key)

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
        for series, (time, kind, origin) in self._newest.items():
            row = self.rows.get((kind, *series, time))
            if row is not None and time >= self.memory.newest(series):
                items = {name: (value, row.flags.get(name, "N")) for name, value in row.values.items()}
                self.batch.latest[series] = Latest(*series, kind, time, row.rev, origin.record.received_ns, origin.device, items)
        self.batch.runs.update(self.memory.runs.taken())
        self.batch.sequences.update(self.memory.sequences.taken())
        return self.batch

    def _place(self, one: Judged, sight: Sight) -> None:
        index = 0 if sight.imported or sight.seq is None else self.memory.runs.index(sight.device, sight.run)
        if index is None:
            lost = Refusal("conflict", f"run {sight.run} cannot be placed among the device's other runs")
            self._refuse(Judged(one.record, one.verdict._replace(sight=None, refused=(lost,))))
            return
        rev = revision_of(sight, index)
        key, series, origin = sight[:4], (sight.source, sight.span), Origin(one.record, sight.device)
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
        now = (key, record.writer, record.seq)
        self.versions += [_version(now, name, cell, record.received_ns) for name, cell in fresh]

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
