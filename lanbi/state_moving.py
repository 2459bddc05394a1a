"""What the forwarder knows of a device, moved from one data folder's state to another's: ``lanbi instances change``."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final, NamedTuple

import msgspec

from ingest.ports import Batch
from lanbi.state import State

_LATEST: Final = "source, span, kind, time, rev, received_ns, device, items"
_OF_DEVICE: Final = "device = ?1 OR source IN (SELECT value FROM json_each(?2))"
_OF_PLACES: Final = "source IN (SELECT value FROM json_each(?1))"
TABLES: Final = ("latest", "revised", "run", "sequence")

Rows = list[tuple[Any, ...]]


class Told(NamedTuple):
    """Rows of a device and its places: newest readings, versions, runs, sequence numbers."""

    latest: Rows
    revised: Rows
    run: Rows
    sequence: Rows


class MovableState(State):
    """A state whose devices may leave it; nothing of it may wait or be half done."""

    def commit(self, batch: Batch, ingest: str) -> None:
        """As the forwarder does, and all of it in rows: those are what moves."""
        super().commit(batch, ingest)
        self.settle()

    def devices(self) -> set[str]:
        """Every device that ever had a number or a reading here."""
        text = "SELECT device FROM latest UNION SELECT device FROM run UNION SELECT device FROM sequence"
        return {row[0] for row in self._files.all(text) if row[0]}

    def told_of(self, device: str, places: Collection[str], ingest: str) -> Told:
        """What is known of a device; references to this folder's journal get the ingest's name, so that nobody looks for them elsewhere."""
        names = msgspec.json.encode(sorted(places)).decode()
        versions = self._files.all(f"SELECT * FROM revised WHERE {_OF_PLACES}", (names,))  # noqa: S608  our own words
        writer = 11
        named = [(*row[:writer], _named(row[writer], ingest), *row[writer + 1 :]) for row in versions]
        return Told(
            self._files.all(f"SELECT {_LATEST} FROM latest WHERE {_OF_DEVICE}", (device, names)),  # noqa: S608  our own words
            named,
            self._files.all("SELECT * FROM run WHERE device = ?", (device,)),
            self._files.all("SELECT * FROM sequence WHERE device = ?", (device,)),
        )

    def learn(self, told: Told) -> None:
        """Take over what another folder knew; once more is the same as once."""
        with self._files.write() as db:
            for table, rows in zip(TABLES, told, strict=True):
                for row in rows:
                    db.execute(f"INSERT OR REPLACE INTO {table} VALUES ({', '.join('?' * len(row))})", row)  # noqa: S608  our own names

    def forget(self, device: str, places: Collection[str]) -> None:
        """Let go of a device: whatever it says from now on is another's to judge."""
        names = msgspec.json.encode(sorted(places)).decode()
        with self._files.write() as db:
            db.execute(f"DELETE FROM latest WHERE {_OF_DEVICE}", (device, names))  # noqa: S608  our own words
            db.execute(f"DELETE FROM revised WHERE {_OF_PLACES}", (names,))  # noqa: S608  our own words
            for table in ("run", "sequence"):
                db.execute(f"DELETE FROM {table} WHERE device = ?", (device,))  # noqa: S608  our own names


def _named(writer: str, ingest: str) -> str:
    return writer if not writer or "@" in writer else f"{writer}@{ingest}"
