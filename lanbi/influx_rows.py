"""Readings on their way into InfluxDB: which of them may meet a stored row, their lines, and two lanes of bodies by source.

A backlog drains as fast as this file. So the fields of fresh rows are the very text in which a device sent them, where that was proved
to be plain numbers, and else made by one call of a JSON encoder for all of them, which writes the shortest text of each. Either way the
punctuation of JSON becomes that of line protocol by three passes over the bytes. A number has one text there and here: what JSON allows
for one, line protocol does, too, and both sides read it to the nearest double.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import partial
from threading import Lock
from typing import Final
from zlib import crc32

import msgspec

from domain.readings import Key, Reading, Rejected
from domain.sent import Sent
from lanbi import influx_tables as tables
from lanbi.influx_delivery import Body
from lanbi.influx_http import LINES, Influx
from lanbi.influx_tables import SECOND, WITHDRAWN, Row, Table

LANES: Final = 2
"""Requests under way at once; the rows of a source go one way, so that they arrive in order."""
WORTH: Final = 500
"""Fewer lines than this are not worth a second request."""
NEVER: Final = -(2**63)
BUCKETS: Final = tuple(dict.fromkeys(table.bucket for table in tables.READINGS.values()))
_encode: Final = msgspec.json.Encoder().encode
_TO_FIELDS: Final = bytes.maketrans(b":", b"=")
_MARKS: Final = b'" \t\r\n'
_BETWEEN: Final = b"},{"


@dataclass(slots=True, eq=False)
class _Series:
    """A source and span: its table, how its lines begin, where they are loaded, and the time of its newest row [s]."""

    table: Table
    head: bytes
    place: int
    newest: int


@dataclass(slots=True)
class _Load:
    """Rows for one bucket on one lane, with how their lines begin; and the lines."""

    rows: list[Reading] = field(default_factory=list)
    heads: list[bytes] = field(default_factory=list)
    lines: list[bytes] = field(default_factory=list)


Way = tuple[_Series, Reading]
Lane = dict[str, _Load]


class Rows:
    """Writes readings; two threads may, so that lines are made while others are sent: lanes are never idle in a backlog.

    Parameters
    ----------
    look : callable
        ``look(table, rows)`` sees whether rows exist already, makes way for what they lose and says the flags that they have not.
    newest : callable
        ``newest(table)``: every series of a table with the time of its newest row [ns].
    """

    def __init__(self, db: Influx, look: Callable[[Table, Sequence[Row]], None], newest: Callable[[Table], Mapping[tuple[str, ...], int]]) -> None:
        self._db = db
        self._look = look
        self._newest = newest
        self._known: dict[str, dict[tuple[str, int], _Series]] = {}
        self._turn = Lock()
        self._ways = [ThreadPoolExecutor(1, f"influx-lane-{number}") for number in range(LANES)]
        self._sent: list[Future[list[Rejected]]] = []

    def write(self, rows: Sequence[Reading]) -> list[Rejected]:
        """Put whole rows; returns what the database will never take. An error of one lane is told when all have come to their end."""
        with self._turn:
            sent = [self._ways[number].submit(self._lane, lane) for number, lane in enumerate(self._laden(rows)) if any(load.rows for load in lane.values())]
            self._sent = [*(one for one in self._sent if not one.done()), *sent]
        wait(sent)
        return [rejected for one in sent for rejected in one.result()]

    def _laden(self, rows: Sequence[Reading]) -> list[Lane]:
        """The lines of all lanes. Few rows go one way, unless others are still under way on their own."""
        lanes: list[Lane] = [{bucket: _Load() for bucket in BUCKETS} for _ in range(LANES)]
        alone = len(rows) < WORTH and all(one.done() for one in self._sent)
        loads = [load for lane in (lanes[:1] * LANES if alone else lanes) for load in lane.values()]
        slow, old = self._sorted(rows, loads)
        if old:
            # Whether a row is there already can only be asked when nothing of it is under way.
            wait(self._sent)
            slow = [way for way in slow if way[1].key not in old]
        for load in (load for lane in lanes for load in lane.values()):
            if old:
                _leave(load, old)
            load.lines = _lines(load)
        made = [(series, row, tables.reading_row(row)) for series, row in slow]
        for series, row, whole in [*made, *self._rewritten(list(old.values()))]:
            load = loads[series.place]
            load.rows.append(row)
            load.lines.append(tables.line(series.table, whole).encode())
        return lanes

    def _sorted(self, rows: Sequence[Reading], loads: Sequence[_Load]) -> tuple[list[Way], dict[Key, Way]]:
        """Load rows newer than everything in their series; returns those of them with a withdrawn value, and rows that may be there already, each once."""
        slow: list[Way] = []
        old: dict[Key, Way] = {}
        kind, known = "", dict[tuple[str, int], _Series]()
        for row in rows:
            if row.kind != kind:
                kind = row.kind
                known = self._known.get(kind) or self._table(kind)
            series = known.get((row.source, row.span))
            if series is None:
                series = known[row.source, row.span] = _series(tables.READINGS[kind], row.source, row.span, NEVER)
            if row.time <= series.newest:
                old[row.key] = series, row
                continue
            # Before anything is sent: an answer that never came leaves rows that the repetition must look at.
            series.newest = row.time
            if row.flags and WITHDRAWN in row.flags.values():
                slow.append((series, row))
                continue
            load = loads[series.place]
            load.rows.append(row)
            load.heads.append(series.head)
        return slow, old

    def _table(self, kind: str) -> dict[tuple[str, int], _Series]:
        """All series of a table, met for the first time."""
        table = tables.READINGS[kind]
        found = {(source, int(span)): _series(table, source, int(span), newest // SECOND) for (source, span), newest in self._newest(table).items()}
        self._known[kind] = found
        return found

    def _rewritten(self, old: Sequence[Way]) -> list[tuple[_Series, Reading, Row]]:
        """Rows that may exist, after way was made for them."""
        made = [(series, row, tables.reading_row(row)) for series, row in old]
        for table in {series.table.name: series.table for series, _, _ in made}.values():
            self._look(table, [whole for series, _, whole in made if series.table is table])
        return made

    def _lane(self, lane: Lane) -> list[Rejected]:
        found: list[Rejected] = []
        for bucket, load in lane.items():
            for start in range(0, len(load.rows), LINES):
                found += Body(load.rows[start : start + LINES], load.lines[start : start + LINES], partial(self._db.write, bucket)).deliver()
        return found

    def close(self) -> None:
        """Give the lanes' threads back."""
        for way in self._ways:
            way.shutdown()


def _series(table: Table, source: str, span: int, newest: int) -> _Series:
    head = tables.series(table, (source, str(span))).encode() + b" rev="
    return _Series(table, head, crc32(source.encode()) % LANES * len(BUCKETS) + BUCKETS.index(table.bucket), newest)


def _leave(load: _Load, old: Container[Key]) -> None:
    """Leave rows out that come once more: of two the last one stands."""
    kept = [(row, head) for row, head in zip(load.rows, load.heads, strict=True) if row.key not in old]
    load.rows, load.heads = [row for row, _ in kept], [head for _, head in kept]


def _lines(load: _Load) -> list[bytes]:
    """Lines of rows without withdrawn values."""
    fields = _fields(load.rows)
    if not fields:
        return [tables.line(tables.READINGS[row.kind], tables.reading_row(row)).encode() for row in load.rows]
    return [
        b"%b%d.0,%b%b %d000000000" % (head, row.rev, values, _flags(row) if row.flags else b"", row.time)
        for row, head, values in zip(load.rows, load.heads, fields, strict=True)
    ]


def _flags(row: Reading) -> bytes:
    """Fields of the flags of a row, behind its values."""
    return "".join(f',{name}_f="{flag}"' for name, flag in row.flags.items()).encode()


def _fields(rows: Sequence[Reading]) -> Sequence[bytes]:
    """Fields of the values of rows, as they were sent or in the shortest text of each number; none at all where a row must go the long way.

    >>> _fields([Reading("air", "a", 60, 0, {"pm25": 58.0, "co": 1e-7}), Reading("air", "b", 60, 0, sent(b'"pm25": 58.10'))])
    [b'pm25=58.0,co=1e-7', b'pm25=58.10']
    """
    values = [row.values for row in rows]
    made = [one for one in values if not isinstance(one, Sent)]
    encoded = _encode(made)
    if b"null" in encoded or b"{}" in encoded:
        # A number that is none and must be refused by name, or a row that says nothing.
        return []
    texts: Sequence[bytes] = encoded[2:-2].split(_BETWEEN) if made else []
    if len(made) < len(values):
        others = iter(texts)
        texts = [one.text if isinstance(one, Sent) else next(others) for one in values]
    return _BETWEEN.join(texts).translate(_TO_FIELDS, _MARKS).split(_BETWEEN) if texts else []
