"""Reading the journal, from any process: following it, and finding one record of it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

from lanbi.frames import EMPTY, HEADER_SIZE, Damage, Record, Trailer
from lanbi.journal_bytes import files
from lanbi.journal_files import Tip, durable_end, first_seq, opening, read_tip, salt_of, seek
from lanbi.journal_recent import Recent, Spot
from lanbi.journal_walk import Group, Walk


class Loss(NamedTuple):
    """Damaged bytes of a commit, and how many records and readings its trailer says were in them."""

    path: Path
    offset: int
    size: int
    records: int
    readings: int


class JournalReader:
    """Follows one writer's journal behind a sequence number; never hands out what is not durable.

    After each :meth:`read` the pair ``after``, ``readings`` is the cursor to keep: last sequence number done with, and
    journalled readings up to there, those in damaged frames included; ``more`` says that others lie behind it. What ``recent`` holds is not
    read from the disk.
    """

    def __init__(self, folder: Path, writer: str, after: int = 0, recent: Recent | None = None) -> None:
        self.folder = folder
        self.writer = writer
        self.after = after
        self.readings = 0
        self.more = False
        self._recent = recent
        self._losses: list[Loss] = []
        self._file: Walk | None = None
        self._walk: Iterator[Group] = iter(())
        self._held: list[Record] = []
        self._base: Trailer | None = None
        self._seen_records = 0
        self._seen_readings = 0
        self._damage: list[Damage] = []

    def read(self, limit: int = 5_000, most: int | None = None) -> list[Record]:
        """The next records, about ``limit`` readings of them and at least one record, and no more than ``most``; empty when up to date."""
        found: list[Record] = []
        count = 0
        while records := self._next():
            if count >= limit or len(found) == most:
                # Looked at all the same: what was lost at the end of a commit belongs to the cursor behind it.
                self._held = records
                break
            place, count = _filled(records if most is None else records[: most - len(found)], count, limit)
            taken, self._held = records[:place], records[place:]
            self.after = taken[-1].seq
            self._see(taken)
            found += taken
        self.more = bool(self._held)
        return found

    def take_losses(self) -> list[Loss]:
        """Damage passed since the last call; the readings lost in it are part of ``readings``."""
        taken, self._losses = self._losses, []
        return taken

    def _see(self, records: Sequence[Record]) -> None:
        self._seen_records += len(records)
        self._seen_readings += sum([record.readings for record in records])
        self.readings = (self._base.readings if self._base else 0) + self._seen_readings

    def _next(self) -> list[Record]:
        """The next records behind ``after``; trailers and damage before them are taken account of. Empty if there are none."""
        if self._held:
            held, self._held = self._held, []
            return held
        while True:
            for what in self._walk:
                if isinstance(what, Trailer):
                    self._close_group(what)
                elif isinstance(what, Damage):
                    self._damage.append(what)
                elif fresh := self._behind(what):
                    return fresh
            if not self._advance():
                return []

    def _behind(self, records: list[Record]) -> list[Record]:
        """Those of a row of records that were not done with."""
        if records[0].seq > self.after:
            return records
        known = [record for record in records if record.seq <= self.after]
        self._see(known)
        return records[len(known) :]

    def _close_group(self, totals: Trailer) -> None:
        """Compare what was seen since the last trailer with what this one says."""
        if self._base:
            records = max(0, totals.records - self._base.records - self._seen_records)
            readings = max(0, totals.readings - self._base.readings - self._seen_readings)
        else:
            records = readings = 0
        if self._file and (self._damage or records):
            offset = self._damage[0].offset if self._damage else 0
            size = sum(damage.size for damage in self._damage)
            self._losses.append(Loss(self._file.path, offset, size, records, readings))
        self._begin(totals)

    def _begin(self, totals: Trailer) -> None:
        self._base = totals
        self._seen_records = self._seen_readings = 0
        self._damage = []
        self.readings = totals.readings
        self.after = max(self.after, totals.last_seq)

    def _advance(self) -> bool:
        """Take up what became durable since, in this file or the next; False if there is nothing."""
        if self._file and self._recent:
            commit = self._recent.at(Spot(self._file.path.name, self._file.salt, self._file.offset))
            if commit:
                self._walk = iter((commit.records, commit.totals))
                self._file.offset = commit.end
                return True
        tip = read_tip(self.folder, self.writer)
        if self._file and tip and tip.name == self._file.path.name and tip.offset <= self._file.offset:
            return False
        if self._file:
            # The end is looked up before the next file: what is appended in between is not skipped.
            end = durable_end(self._file.path, tip)
            if end > self._file.offset:
                self._walk = self._file.groups(end)
                return True
            if tip and tip.name == self._file.path.name:
                return False
        return self._open_next(tip)

    def _open_next(self, tip: Tip | None) -> bool:
        paths = files(self.folder, self.writer)
        if self._file:
            path = next((path for path in paths if path.name > self._file.path.name), None)
        else:
            begun = [path for path in paths if first_seq(path) <= self.after + 1]
            path = begun[-1] if begun else next(iter(paths), None)
        end = durable_end(path, tip) if path else 0
        if not path or not end:
            return False
        self._open(path, end)
        return True

    def _open(self, path: Path, end: int) -> None:
        salt, header = salt_of(path), opening(path)
        following = self._file is not None
        self._file = Walk(path, salt or 0, HEADER_SIZE)
        if header and following:
            self._close_group(header.before)
        elif header:
            # The oldest file may begin far behind ``after``: what came before it is archived or pruned.
            self._begin(header.before)
        else:
            self._damage.append(Damage(0, HEADER_SIZE))
            self._base = self._base or (EMPTY if first_seq(path) == 1 else None)
        if not following and salt is not None:
            offset, found = seek(path, salt, self.after, end)
            if found:
                self._file.offset = offset
                self._begin(found)
        self._walk = self._file.groups(end)


def _filled(records: Sequence[Record], count: int, limit: int) -> tuple[int, int]:
    """How many of the records it takes to come to the limit, and the count behind them."""
    counts = list(accumulate([record.readings or 1 for record in records], initial=count))
    place = bisect_left(counts, limit) if counts[-1] >= limit else len(records)
    return place, counts[place]


def read(folder: Path, writer: str, after: int, limit: int = 5_000) -> list[Record]:
    """Records of a writer behind a sequence number, about ``limit`` readings of them."""
    return JournalReader(folder, writer, after).read(limit)


def record(folder: Path, writer: str, seq: int) -> Record | None:
    """One record; None if it is not there."""
    found = JournalReader(folder, writer, seq - 1).read(1)
    return found[0] if found and found[0].seq == seq else None
