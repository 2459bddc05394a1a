"""Reconciliation: the journal decoded once more, and row by row compared with what the store shows. It changes nothing itself.

A row that was written more than once must look as its remembered versions say. Any other row carries one revision and must look
exactly as a record says; a look that only finds it not to contradict leaves it in doubt, and a second walk, over the doubtful rows
alone, puts together all that was ever said of them. Rows that no record explains are looked for last.

Complete is what is known of a row only if its time lies in the window, for no reading comes more than minutes before its time.
Rows of earlier times, such as an import of history or a late correction, are judged by what the window says of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, NamedTuple

from domain.civil import DAY_S
from domain.items import REALMS
from domain.ports import ReadingSource
from domain.readings import Key, Reading
from domain.reasons import FUTURE_S
from ingest.accept import Acceptor
from ingest.jobs import NS, RECHECK, Finding, Job
from ingest.marks import Bits, Marks
from ingest.memory import Memory, Row
from ingest.ports import Cells, Journal, State
from ingest.revisions import row_from, row_of
from ingest.walking import Listening, Said, Walk, agrees, folded, mended

ROUND: Final = 50_000
"""Doubtful rows of one second walk."""
EXTRAS: Final = 10_000
"""Rows that nobody sent and that are kept to be named; more are only counted."""
TOLD: Final = 200_000


class Look(NamedTuple):
    """What one slice found, how many rows and journal records it looked at, and whether it was the last."""

    findings: Sequence[Finding]
    rows: int = 0
    records: int = 0
    ended: bool = False


@dataclass
class Reconciler:
    """One run; its memory is bounded and not durable: after a crash the run begins anew.

    Attributes
    ----------
    alone : bool
        No other ingest writes to this store, so that rows which this journal does not know may be called nobody's.
    """

    journal: Journal
    state: State
    store: ReadingSource
    job: Job
    alone: bool
    marks: Marks = field(default_factory=Marks)
    _told: set[Key] = field(default_factory=set)
    _second: Walk | None = None
    _folds: dict[Key, Cells] = field(default_factory=dict)
    _settled: set[Key] = field(default_factory=set)
    _rest: Iterator[Reading] | None = None
    _extras: list[Reading] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.walk = Walk(self.journal, self.job.since_ns, at=dict(self.job.behind))
        self._only = frozenset(self.job.only)
        self._listening = Listening(self.journal, self.state)
        # Floor and ceiling such that every record of a row in between was received in the window.
        since = max(self.job.since_ns, self.journal.known_since())
        self._low, self._high = since // NS + 1 + FUTURE_S, self.job.to_ns // NS
        if self.job.what == RECHECK:
            self._high = self._low  # of no row everything is in its few records

    def ends(self, cursors: Mapping[str, int]) -> Mapping[str, int]:
        """How far the walk goes: to the cursors, wherever they are by then; a second look only to the end of its records."""
        if self.job.what != RECHECK:
            return cursors
        return {writer: min(seq, cursors.get(writer, 0)) for writer, seq in self.job.upto.items()}

    def slice(self, memory: Memory, acceptor: Acceptor, cursors: Mapping[str, int], limit: int) -> Look:
        """One slice; the live path stands still meanwhile, so journal, state and store speak of one moment."""
        before = sum(self.walk.at.values())
        looks: list[Look] = []
        for writer, found in self.walk.slices(self.ends(cursors), limit):
            records = [one for one in found if one.seq in self._only] if self._only else found
            said = self._kept(self._listening.said(writer, records, acceptor, memory), acceptor)
            looks.append(self._first_look(said, memory, cursors))
            if looks[-1].findings and self.job.repair:
                break  # mended before anything else is compared
        else:
            looks += self._further(memory, acceptor, cursors, limit)
        findings = [one for look in looks for one in look.findings]
        done = sum(self.walk.at.values()) - before
        return Look(findings, sum(look.rows for look in looks), done, ended=any(look.ended for look in looks))

    def _kept(self, said: Sequence[tuple[Said, Said | None]], acceptor: Acceptor) -> Sequence[tuple[Said, Said | None]]:
        """Without what the store no longer keeps, or is about to forget."""
        if not acceptor.keeps:
            return said
        now = self.job.asked_ns // NS
        oldest = {kind: now - seconds + DAY_S for kind, seconds in acceptor.keeps.items()}
        return [pair for pair in said if pair[0].key.time > oldest.get(pair[0].key.kind, 0)]

    def _further(self, memory: Memory, acceptor: Acceptor, cursors: Mapping[str, int], limit: int) -> list[Look]:
        """The later looks, once the first one is up to date."""
        if not self.walk.up_to_date(self.ends(cursors)):
            return []
        if self.job.what == RECHECK:
            # Its records are not all that was ever said of these rows, so every row was decided at the first look.
            return [Look((), ended=True)]
        found = self._second_look(memory, acceptor, cursors, limit)
        return [found if found is not None else self._last_look(limit)]

    def notes(self) -> list[str]:
        """What could not be looked at."""
        found = []
        if self.walk.unreadable:
            found.append(f"日志损坏 {self.walk.unreadable} 条读数不可读 readings of damaged records could not be compared")
        if self.marks.full:
            found.append("窗口过长，未查多余的行 the window is too long to tell rows that nobody sent: choose a shorter one")
        if not self.alone:
            found.append("多个接收进程共用存储，未查多余的行 several ingests share the store: rows that nobody sent were not looked for")
        return found

    # ---- first look: what each slice says

    def _first_look(self, said: Sequence[tuple[Said, Said | None]], memory: Memory, cursors: Mapping[str, int]) -> Look:
        keys = {one.key for pair in said for one in pair if one is not None}
        met = memory.remembered(keys, cursors)
        stored = self.store.cells(list(keys))
        groups: defaultdict[Key, list[Said]] = defaultdict(list)
        for one, other in said:
            chosen = one if other is None else self._chosen(one, other, stored)
            groups[chosen.key].append(chosen)
        found = [finding for key, some in groups.items() for finding in self._compare(key, some, met.get(key), stored.get(key))]
        return Look(found, rows=len(groups))

    def _chosen(self, one: Said, other: Said, stored: Mapping[Key, Reading]) -> Said:
        """Which of two rows a record stands in, the registry having changed since its receipt; the other is not nobody's either."""
        chosen = next((said for said in (one, other) if said.key in stored and agrees(stored[said.key], [said])), one)
        bits, bit = self._bits((other if chosen is one else one).key)
        bits.right |= bit
        return chosen

    def _bits(self, key: Key) -> tuple[Bits, int]:
        """The row's bits, now met; bits that nobody keeps where not everything about the row is in the window."""
        bits, bit = self.marks.at(key) if self._low < key.time <= self._high else (Bits(), 0)
        bits.met |= bit
        return bits, bit

    def _compare(self, key: Key, said: Sequence[Said], row: Row | None, stored: Reading | None) -> list[Finding]:
        bits, bit = self._bits(key)
        if all(one.record.received_ns > self.job.to_ns for one in said):
            return []
        if row is not None:
            bits.right |= bit
            return self._unless(key, row_of(said[-1].sight, row.cells), stored)
        if stored is not None and len(said) == 1 and said[0].is_row(stored):
            bits.right |= bit
            return []
        return self._compare_once(said, stored, (bits, bit))

    def _compare_once(self, said: Sequence[Said], stored: Reading | None, at: tuple[Bits, int]) -> list[Finding]:
        """Compare a row that was written once, by what this slice says of it."""
        key, (bits, bit) = said[-1].key, at
        expected = row_of(said[-1].sight, folded(said))
        if stored is None:
            told, bits.missing = bits.missing & bit, bits.missing | bit
            if self.job.repair:
                # It is written before the next slice, which then compares it like any other row.
                bits.right |= bit
            return [] if told else self._unless(key, expected, None)
        if stored == expected:
            bits.right |= bit
        elif not agrees(stored, said):
            bits.doubt |= bit
            if not bit and not self._held_before(said, stored):
                return self._unless(key, mended(stored, said), stored)
        return []

    def _held_before(self, said: Sequence[Said], stored: Reading) -> bool:
        other = [(one, item) for one in said for item, value in one.sight.values.items() if stored.values.get(item) != value]
        return bool(other) and all(self._listening.held_before(one, item) for one, item in other)

    def _unless(self, key: Key, expected: Reading, stored: Reading | None) -> list[Finding]:
        """The finding, unless the row is as expected; told once."""
        if not self.alone and stored is not None and stored.rev > expected.rev:
            return []  # another ingest knows more of it: its device came from here
        if expected == stored or (key in self._told and not self.job.repair):
            return []
        if len(self._told) < TOLD:
            self._told.add(key)
        return [Finding("missing" if stored is None else "different", key, expected, stored)]

    # ---- second look: all that was ever said of the rows in doubt

    def _second_look(self, memory: Memory, acceptor: Acceptor, cursors: Mapping[str, int], limit: int) -> Look | None:
        if self._second is None:
            keys = (key for key in self.marks.doubtful(also_missing=self.job.repair) if key not in self._settled)
            self._folds = {key: {} for key in islice(keys, ROUND)}
            if not self._folds:
                return None
            self._second = Walk(self.journal, self.job.since_ns)
        for writer, records in self._second.slices(cursors, limit):
            pairs = self._listening.said(writer, records, acceptor, memory)
            for said in (one for pair in pairs for one in pair if one is not None and one.key in self._folds):
                self._folds[said.key] = folded([said], self._folds[said.key])
        if not self._second.up_to_date(cursors):
            return Look(())
        return self._decide(list(islice(self._folds, limit)), memory, cursors)

    def _decide(self, keys: Sequence[Key], memory: Memory, cursors: Mapping[str, int]) -> Look:
        """Judge doubtful rows of which everything is now together."""
        met = memory.remembered(keys, cursors)
        stored = self.store.cells(keys)
        found: list[Finding] = []
        for key in keys:
            cells = met[key].cells if key in met else self._folds[key]
            if cells:
                found += self._unless(key, row_from(key, cells), stored.get(key))
            del self._folds[key]
            self._settled.add(key)
        if not self._folds:
            self._second = None
        return Look(found)

    # ---- last look: rows that no record explains

    def _last_look(self, limit: int) -> Look:
        if not self.alone or self.marks.full:
            return Look((), ended=True)
        if self._rest is None:
            self._rest = (row for kind in REALMS for row in self.store.rows(kind, None, self._low, self._high))
        rows = list(islice(self._rest, limit))
        self._extras += [row for row in rows if not self.marks.met(row.key)][: EXTRAS - len(self._extras)]
        if rows:
            return Look(())
        # What live readings wrote meanwhile was met by the walk, which is up to date in this very slice.
        still = self.store.cells([row.key for row in self._extras])
        found = [Finding("extra", key, None, row) for key, row in still.items() if not self.marks.met(key)]
        return Look(found, ended=True)
