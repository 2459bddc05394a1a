"""Records become readings on a desk: easy messages at once, the others by verdicts that are taken when all have been seen. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from domain.places import Registry
from domain.readings import Entry
from ingest.accept import Acceptor, Verdict
from ingest.deciding import Desk, Judged
from ingest.entries import kind_of, read_entries
from ingest.express import Easy, Express
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

    def glance(self, record: Record, runs: Runs) -> Easy | None:
        """An easy message with all its readings; None if the record must go the long way."""
        return self._express.easy(record, runs) if record.writer in DEVICES else None

    def see(self, record: Record, desk: Desk, easy: Easy | None) -> list[Judged]:
        """Count a record and show its readings to the desk; returns what is to be taken later.

        Parameters
        ----------
        easy : Easy or None
            What :meth:`glance` found, where the short way may be gone: nothing is known of this batch that needs a closer look.
        """
        if easy is not None:
            _count(desk, len(easy.rows) - record.readings)
            return desk.place(record, easy)
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
            if self.rejections.of(record.writer):
                verdicts = [self.rejections.strip(record.writer, record, verdict) for verdict in verdicts]
            return verdicts
        if kind == "state":
            return []
        found = read_entries(record, self.acceptor.registry)
        self.entries += found.entries
        for lost in found.lost:
            desk.batch.count("gaps", by=desk.memory.sequences.lost(*lost))
        return found.verdicts


def _count(desk: Desk, more: int) -> None:
    """Readings found by decoding beyond those counted before the commit."""
    if more:
        desk.batch.count("decoded_more", by=more)
