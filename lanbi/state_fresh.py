"""What devices said last, as a log over the tables: a commit adds one record of what it changed, wherever in the county that was.

A batch of a county with many devices brings each of them one reading: as many rows of ``latest`` and ``sequence`` as readings, all over
the file, which cost as much as taking the readings does. So what a commit changes of both goes into ``fresh`` as one record, in the
transaction that moves the cursor. Once the records hold each device several times, one record of the newest takes their place. Rows
and, over them, the records in their order are the truth at every moment, also after a crash.

Programs from before ``fresh`` would take the rows alone for the truth. So a file has another version while it holds records, one that
they refuse; whoever opens or closes it in order leaves rows only, and table and version as they were.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec

from ingest.newest import Newest
from ingest.ports import Batch, Latest
from lanbi.state_schema import SCHEMA

Series = tuple[str, int]
"""Source and span."""
Seen = Latest | Newest
"""As it is shown, from a row; as it came, from a record or a batch."""
Run = tuple[str, int]
"""Device and run."""
LEAST: Final = 500
TIMES: Final = 4
"""Records with so many entries, and so many for each series and run in them, are made one: whoever looks reads all of them."""
BEFORE: Final = 0
"""Number of the record that tells the file's version as it was; those of commits are greater."""
_THERE: Final = "SELECT 1 FROM sqlite_master WHERE name = 'fresh'"
MAX: Final = 2**63 - 1
_Row = tuple[str, int, str, int, int, int, str, msgspec.Raw, msgspec.Raw]
_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(tuple[list[_Row], list[tuple[tuple[str, int], int]]]).decode
_decode_values: Final = msgspec.msgpack.Decoder(dict[str, float | None]).decode
_decode_flags: Final = msgspec.msgpack.Decoder(dict[str, str]).decode
_encode_items: Final = msgspec.json.Encoder().encode
_decode_items: Final = msgspec.json.Decoder(dict[str, tuple[float | None, str]]).decode


def latest(db: sqlite3.Connection) -> list[Latest]:
    """The newest reading of every source and span, in the order of both."""
    records, _ = _records(db)
    found = {series: Latest._make((*one[:7], _items(one))) for series, one in records.items()} | _rows(db, records)
    return [found[series] for series in sorted(found)]


def sequences(db: sqlite3.Connection) -> dict[Run, int]:
    """Greatest sequence number seen of every run of every device."""
    rows = {(device, run): seq for device, run, seq in db.execute("SELECT device, run, seq FROM sequence")}
    return rows | _records(db)[1]


def _rows(db: sqlite3.Connection, but: Collection[Series]) -> dict[Series, Latest]:
    """Rows of the table, but for these."""
    rows = db.execute("SELECT source, span, kind, time, rev, received_ns, device, items FROM latest")
    return {row[:2]: Latest._make((*row[:7], _decode_items(row[7]))) for row in rows if row[:2] not in but}


def _records(db: sqlite3.Connection) -> tuple[dict[Series, Newest], dict[Run, int]]:
    """The newest of what the records of a file hold."""
    rows: dict[Series, _Row] = {}
    numbers: dict[Run, int] = {}
    if not db.execute(_THERE).fetchall():
        return {}, {}
    for (body,) in db.execute("SELECT body FROM fresh WHERE n > ? ORDER BY n", (BEFORE,)):
        some, more = _decode(body)
        rows.update([(row[:2], row) for row in some])
        numbers.update(more)
    return {series: Newest(*row[:7], _decode_values(row[7]), _decode_flags(row[8])) for series, row in rows.items()}, numbers


def _items(one: Newest) -> dict[str, tuple[float | None, str]]:
    """The row as it stands in the store."""
    return {name: (value, one.flags.get(name, "N")) for name, value in one.values.items()}


@dataclass
class Fresh:
    """Write side: what the records of the file hold, without reading them again.

    Attributes
    ----------
    latest : dict
        The newest reading of every source and span as of the last commit: of those in rows as it is shown, of those in records as it came.
    entries, held : int
        Entries of the record that took the place of others, and of those behind it.
    """

    latest: dict[Series, Seen] = field(default_factory=dict)
    entries: int = 0
    held: int = 0
    _sequences: dict[Run, int] = field(default_factory=dict)

    def load(self, db: sqlite3.Connection) -> Mapping[Series, Seen]:
        """Read the file again; :attr:`latest`."""
        records, self._sequences = _records(db)
        self.latest = {**_rows(db, records), **records}
        return self.latest

    def add(self, db: sqlite3.Connection, batch: Batch) -> tuple[int, int]:
        """Write a batch's record, and before it one for all others if that is due, within the batch's transaction.

        Returns
        -------
        tuple of int
            ``entries`` and ``held`` for :meth:`added`; nothing is remembered before.
        """
        more = len(batch.latest) + len(batch.sequences)
        if not more:
            return self.entries, self.held
        if max([0, *batch.sequences.values()]) > MAX:
            raise OverflowError("a sequence number does not fit into the table")
        entries, held = self.entries + more, self.held
        if self.entries >= LEAST + TIMES * held:
            newest = [one for one in self.latest.values() if isinstance(one, Newest)]
            db.execute("DELETE FROM fresh WHERE n > ?", (BEFORE,))
            _write(db, newest, self._sequences)
            entries, held = more, len(newest) + len(self._sequences)
        elif not self.entries:
            _begin(db)
        _write(db, list(batch.latest.values()), batch.sequences)
        return entries, held

    def added(self, batch: Batch, counts: tuple[int, int]) -> None:
        """The transaction is durable."""
        self.latest.update(batch.latest)
        self._sequences.update(batch.sequences)
        self.entries, self.held = counts


def settle(db: sqlite3.Connection) -> None:
    """Leave rows only, whoever wrote the records; in the tables' order, for neighbours share a page. Within a transaction."""
    if not db.execute(_THERE).fetchall():
        return
    records, numbers = _records(db)
    rows = [(*one[:7], _encode_items(_items(one)).decode()) for _, one in sorted(records.items())]
    db.executemany("INSERT OR REPLACE INTO latest VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
    db.executemany("INSERT OR REPLACE INTO sequence VALUES (?, ?, ?)", [(*whose, seq) for whose, seq in sorted(numbers.items())])
    (version,) = db.execute("SELECT body FROM fresh WHERE n = ?", (BEFORE,)).fetchone()
    db.execute("DROP TABLE fresh")
    db.execute(f"PRAGMA user_version = {int(version)}")


def _begin(db: sqlite3.Connection) -> None:
    """Records are going to stand in the file: keep programs away that do not know of them."""
    version = db.execute("PRAGMA user_version").fetchone()[0]
    db.execute("CREATE TABLE fresh (n INTEGER PRIMARY KEY, body BLOB)")
    db.execute("INSERT INTO fresh VALUES (?, ?)", (BEFORE, b"%d" % version))
    db.execute(f"PRAGMA user_version = {max(version, SCHEMA.held)}")


def _write(db: sqlite3.Connection, newest: list[Newest], numbers: Mapping[Run, int]) -> None:
    db.execute("INSERT INTO fresh VALUES (NULL, ?)", (_encode((newest, list(numbers.items()))),))
