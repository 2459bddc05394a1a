"""The journal as the forwarder and its jobs see it: followed from a number or from a moment, with the registry of each moment."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from domain.errors import LanbiError
from domain.places import Registry
from lanbi.frames import DOORS, Record
from lanbi.hj212_keys import with_keys
from lanbi.journal import JournalReader, files, read
from lanbi.journal_files import first_seq
from lanbi.journal_range import begin
from lanbi.journal_recent import Recent
from lanbi.registry import loads

PERSON: Final = "person"
LEVEL: Final = "/registry"


@dataclass
class JournalView:
    """Reading side of a data folder's journal.

    Attributes
    ----------
    first : callable
        The registry that was in force before the first change that the journal knows.
    recent : mapping of writer to Recent
        What writers of this process committed a moment ago.
    """

    folder: Path
    first: Callable[[], Registry]
    recent: Mapping[str, Recent] = field(default_factory=dict)
    _changes: JournalReader | None = None
    _upto: int = -1
    """Receive time up to which all changes are known: what is entered later was received later."""
    _before: Registry | None = None
    _times: list[int] = field(default_factory=list)
    _registries: list[Registry] = field(default_factory=list)

    def reader(self, writer: str, after: int) -> JournalReader:
        """Follows a writer behind a sequence number."""
        return JournalReader(self.folder, writer, after, self.recent.get(writer))

    def begin(self, writer: str, since_ns: int) -> int:
        """A sequence number behind which everything received since then is found."""
        return begin(self.folder, writer, since_ns)

    def known_since(self) -> int:
        """From which receive time on [ns] nothing has been pruned; 0 if nothing ever was."""
        firsts = [(writer, paths[0]) for writer in DOORS if (paths := files(self.folder, writer))]
        pruned = [read(self.folder, writer, first_seq(path) - 1, 1) for writer, path in firsts if first_seq(path) > 1]
        return max((found[0].received_ns for found in pruned if found), default=0)

    def registry(self, received_ns: int) -> Registry:
        """The registry in force when something was received: that of the newest change until then."""
        if received_ns > self._upto:
            self._follow()
            self._upto = received_ns
        place = bisect_right(self._times, received_ns)
        if place:
            return self._registries[place - 1]
        if self._before is None:
            self._before = self.first()
        return self._before

    def _follow(self) -> None:
        if self._changes is None:
            self._changes = JournalReader(self.folder, PERSON)
        while records := self._changes.read():
            for record in records:
                registry = _registry_of(record, self.folder.parent) if record.topic.endswith(LEVEL) else None
                if registry is not None:
                    self._times.append(max(record.received_ns, self._times[-1] if self._times else 0))
                    self._registries.append(registry)


def _registry_of(record: Record, data: Path) -> Registry | None:
    """The registry of a change; what cannot be read was never in force."""
    try:
        return with_keys(loads(str(json.loads(record.payload)["text"]), f"{record.writer}/{record.seq}"), data)
    except (LanbiError, ValueError, KeyError, TypeError):
        return None
