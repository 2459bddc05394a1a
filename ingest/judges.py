"""Records become readings on a desk: easy messages at once, the others by verdicts that are taken when all have been seen. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from domain.places import Registry
from domain.readings import Entry
from ingest.accept import Acceptor, Verdict
from ingest.deciding import Desk, Judged
from ingest.easy import Easy
from ingest.entries import events, kind_of, read_entries
from ingest.express import Express
from ingest.ports import Record
from ingest.rejections import Rejections
from ingest.sequences import Runs

DEVICES: Final = frozenset({"mqtt", "hj212"})
"""Doors of devices."""


@dataclass
class Judges:
    """The registry in force, and both ways through it.

    Attributes
    ----------
    keeps : mapping
        How long the store keeps readings, by kind [s].
    rejections : Rejections
        What the store will not take of the batch at hand.
    """

    registry: Registry
    keeps: Mapping[str, int]
    rejections: Rejections
    entries: list[Entry] = field(default_factory=list)
    """What people and devices entered beside readings, since the last :meth:`taken`."""

    def __post_init__(self) -> None:
        self.acceptor = Acceptor(self.registry, self.keeps)
        self._express = Express(self.acceptor)

    def glance(self, records: Sequence[Record], runs: Runs) -> Sequence[Easy | None]:
        """Records of one writer in their order: easy messages with all their readings, and None for a record that must go the long way."""
        return self._express.easy(records, runs) if records[0].writer in DEVICES else [None] * len(records)

    def place(self, easy: Easy, desk: Desk) -> Sequence[Judged]:
        """Count easy messages and place their readings on the desk; returns what is to be taken later.

        Only where nothing is known of this batch that needs a closer look.
        """
        _count(desk, len(easy.rows) - sum([record.readings for record in easy.records]))
        return desk.place(easy)

    def see(self, record: Record, desk: Desk) -> Sequence[Judged]:
        """Count a record and show its readings to the desk, by the long way; returns what is to be taken later."""
        verdicts = self._verdicts(record, desk)
        _count(desk, sum(verdict.readings for verdict in verdicts) - record.readings)
        for verdict in verdicts:
            desk.see(verdict)
        return [Judged(record, verdict) for verdict in verdicts]

    def taken(self) -> list[Entry]:
        """Entries since the last call."""
        entries, self.entries = self.entries, []
        return entries

    def _verdicts(self, record: Record, desk: Desk) -> list[Verdict]:
        kind = kind_of(record)
        if kind == "data":
            verdicts = self.acceptor.judge(record)
            self.entries += events(record, verdicts)
            if self.rejections.of(record.writer):
                verdicts = [self.rejections.strip(record.writer, record, verdict) for verdict in verdicts]
            return verdicts
        if kind == "state":
            return []
        found = read_entries(record, self.acceptor.registry)
        self.entries += found.entries
        for lost in found.lost:
            desk.lost(*lost)
        return found.verdicts


def _count(desk: Desk, more: int) -> None:
    """Readings found by decoding beyond those counted before the commit."""
    if more:
        desk.batch.count("decoded_more", by=more)
