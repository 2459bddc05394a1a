"""What devices said last, as a log over the tables: a commit adds one record of what it changed, wherever in the county that was.

A batch of a county with many devices brings each of them one reading: as many rows of ``latest`` and ``sequence`` as readings, all over
the file, which cost as much as taking the readings does. So what a commit changes of both goes into ``fresh`` as one record, in the
transaction that moves the cursor. The oldest record goes when later ones have all that it holds; where there are too many it goes anyway,
and what was said last in it, by devices that were silent since, moves into the next. Rows and, over them, the records in their order are
the truth at every moment, also after a crash.

Programs from before ``fresh`` would take the rows alone for the truth. So a file has another version while it holds records, one that
they refuse; whoever opens or closes it in order leaves rows only, and table and version as they were.
"""

from __future__ import annotations

import sqlite3
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeVar

import msgspec

from domain.sent import Sent
from ingest.newest import Front, Newest
from ingest.ports import Batch, Latest
from lanbi.state_schema import SCHEMA

Series = tuple[str, int]
"""Source and span."""
Run = tuple[str, int]
"""Device and run."""
LEAST: Final = 500
TIMES: Final = 2
"""Records have so many entries at most, and so many for each series and run: whoever looks reads all of them."""
BEFORE: Final = 0
"""Number of the record that tells the file's version as it was; those of commits are greater."""
IN_ROWS: Final = BEFORE
"""Stands for the record of what no record holds."""
_THERE: Final = "SELECT 1 FROM sqlite_master WHERE name = 'fresh'"
MAX: Final = 2**63 - 1
VALID: Final = "N"
_new: Final = tuple.__new__
_T = TypeVar("_T")
_Row = tuple[str, int, str, int, int, int, str, dict[str, float | None] | bytes, dict[str, str]]
_Raw = tuple[str, int, str, int, int, int, str, msgspec.Raw, msgspec.Raw]
"""The same, its values and flags still in bytes: for who only passes them on."""
_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(tuple[list[_Row], list[tuple[Run, int]]]).decode
_decode_raw: Final = msgspec.msgpack.Decoder(tuple[list[_Raw], list[tuple[Run, int]]]).decode
_encode_items: Final = msgspec.json.Encoder().encode
_decode_items: Final = msgspec.json.Decoder(dict[str, tuple[float | None, str]]).decode


def latest(db: sqlite3.Connection) -> list[Latest]:
    """The newest reading of every source and span, in the order of both."""
    records = _newest(db)
    rows = db.execute("SELECT source, span, kind, time, rev, received_ns, device, items FROM latest")
    found = {row[:2]: _new(Latest, (*row[:7], _decode_items(row[7]))) for row in rows if row[:2] not in records}
    found.update([(series, _new(Latest, (*row[:7], _items(row)))) for series, row in records.items()])
    return [found[series] for series in sorted(found)]


def sequences(db: sqlite3.Connection) -> dict[Run, int]:
    """Greatest sequence number seen of every run of every device."""
    found = {(device, run): seq for device, run, seq in db.execute("SELECT device, run, seq FROM sequence")}
    for _, _, numbers in _bodies(db, _decode_raw):
        found.update(numbers)
    return found


def _newest(db: sqlite3.Connection) -> dict[Series, _Row]:
    """The newest reading of every source and span that has one in a record."""
    found: dict[Series, _Row] = {}
    for _, rows, _ in _bodies(db, _decode):
        found.update([(row[:2], row) for row in rows])
    return found


def _bodies(db: sqlite3.Connection, decode: Callable[[bytes], tuple[list[_T], list[tuple[Run, int]]]]) -> Iterable[tuple[int, list[_T], list[tuple[Run, int]]]]:
    """The records of a file in their order: their numbers and what they hold."""
    if db.execute(_THERE).fetchall():
        for n, body in db.execute("SELECT n, body FROM fresh WHERE n > ? ORDER BY n", (BEFORE,)):
            yield n, *decode(body)


def _items(row: _Row) -> dict[str, tuple[float | None, str]]:
    """Its items as they stand in the store."""
    *_, said, flags = row
    values = Sent(said).all() if isinstance(said, bytes) else said
    return {name: (value, flags.get(name, VALID)) for name, value in values.items()} if flags else {name: (value, VALID) for name, value in values.items()}


class _Record(NamedTuple):
    """A record of the file: its number and its entries."""

    n: int
    size: int


class Step(NamedTuple):
    """What a batch did to the records: how many of the oldest went, the one that it wrote, and what of those moved into it."""

    gone: int
    record: _Record
    rows: Mapping[Series, _Raw]
    numbers: Mapping[Run, int]


@dataclass
class Fresh:
    """Write side: who stands in which record of the file, without reading them again.

    Attributes
    ----------
    latest : dict
        How far each source and span is, as of the last commit.
    """

    latest: dict[Series, Front] = field(default_factory=dict)
    _runs: dict[Run, int] = field(default_factory=dict)
    """Record of each run that has a number in one."""
    _records: deque[_Record] = field(default_factory=deque)
    _last: Counter[int] = field(default_factory=Counter)
    """Entries of each record that no later one has replaced."""
    _entries: int = 0

    def load(self, db: sqlite3.Connection) -> Mapping[Series, Front]:
        """Read the file again; :attr:`latest`."""
        text = "SELECT source, span, time, device FROM latest"
        self.latest = {row[:2]: Front(row[2], row[3], IN_ROWS) for row in db.execute(text)}
        self._runs, self._records, self._last, self._entries = {}, deque(), Counter(), 0
        for n, rows, numbers in _bodies(db, _decode_raw):
            self._put(_Record(n, len(rows) + len(numbers)), {row[:2]: row for row in rows}, dict(numbers))
        return self.latest

    def add(self, db: sqlite3.Connection, batch: Batch) -> Step | None:
        """Write a batch's record, within the batch's transaction.

        Returns
        -------
        Step or None
            For :meth:`added`; nothing is remembered before.
        """
        more = len(batch.latest) + len(batch.sequences)
        if not more:
            return None
        if max([0, *batch.sequences.values()]) > MAX:
            raise OverflowError("a sequence number does not fit into the table")
        if not self._records:
            _begin(db)
        gone, rows, numbers = self._oldest(db, batch, self._entries + more)
        body = _encode(([*rows.values(), *batch.latest.values()], [*numbers.items(), *batch.sequences.items()]))
        n = db.execute("INSERT INTO fresh VALUES (NULL, ?)", (body,)).lastrowid or 0
        db.executemany("DELETE FROM fresh WHERE n = ?", [(one.n,) for one in gone])  # afterwards, or their numbers would come again
        return Step(len(gone), _Record(n, more + len(rows) + len(numbers)), rows, numbers)

    def _oldest(self, db: sqlite3.Connection, batch: Batch, entries: int) -> tuple[list[_Record], dict[Series, _Raw], dict[Run, int]]:
        """Records that go: the oldest, if all they hold was replaced, or if there are too many; and what moves of the latter."""
        most = LEAST + TIMES * (len(self.latest) + len(self._runs))
        gone: list[_Record] = []
        rows: dict[Series, _Raw] = {}
        numbers: dict[Run, int] = {}
        for one in self._records:
            last = self._last[one.n]
            if last and entries <= most:
                break
            if last:
                ((body,),) = db.execute("SELECT body FROM fresh WHERE n = ?", (one.n,))
                some, more = _decode_raw(body)
                rows |= {row[:2]: row for row in some if row[:2] not in batch.latest and self.latest[row[:2]].record == one.n}
                numbers |= {run: seq for run, seq in more if run not in batch.sequences and self._runs[run] == one.n}
            gone.append(one)
            entries += last - one.size
        return gone, rows, numbers

    def added(self, batch: Batch, step: Step | None) -> None:
        """The transaction is durable."""
        if step is None:
            return
        self._put(step.record, step.rows, step.numbers)
        self._replace(step.record.n, batch.latest, batch.sequences)
        for _ in range(step.gone):
            n, size = self._records.popleft()
            self._entries -= size
            del self._last[n]

    def _put(self, record: _Record, rows: Mapping[Series, _Raw], numbers: Mapping[Run, int]) -> None:
        """A record stands behind the others, and in it these."""
        self._records.append(record)
        self._entries += record.size
        self._last[record.n] = record.size
        self._replace(record.n, rows, numbers)

    def _replace(self, n: int, rows: Mapping[Series, Newest | _Raw], numbers: Mapping[Run, int]) -> None:
        """These stand in a record now, and no longer where they stood before."""
        latest, last, runs = self.latest, self._last, self._runs
        for series, row in rows.items():
            known = latest.get(series)
            if known is not None:
                last[known.record] -= 1
            latest[series] = _new(Front, (row[3], row[6], n))
        last.subtract(Counter([runs.get(run, IN_ROWS) for run in numbers]))
        runs.update(dict.fromkeys(numbers, n))


def settle(db: sqlite3.Connection) -> None:
    """Leave rows only, whoever wrote the records; in the tables' order, for neighbours share a page. Within a transaction."""
    if not db.execute(_THERE).fetchall():
        return
    rows = [(*row[:7], _encode_items(_items(row)).decode()) for _, row in sorted(_newest(db).items())]
    numbers: dict[Run, int] = {}
    for _, _, some in _bodies(db, _decode_raw):
        numbers.update(some)
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
