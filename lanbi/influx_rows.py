"""Readings on their way into InfluxDB: which of them may meet a stored row, their lines, and two lanes of bodies by source.

A backlog drains as fast as this file. So the fields of fresh rows are made by one call of a JSON encoder for all of them: what it
writes for numbers is their shortest text, and its punctuation becomes that of line protocol by three passes over the bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import partial
from threading import Lock
from typing import Final
from zlib import crc32

import msgspec

from domain.readings import Key, Reading, Rejected
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


@dataclass(slots=True)
class _Series:
    """A source and span: its table, how its lines begin, its lane, and the time of its newest row [s]."""

    table: Table
    head: bytes
    lane: int
    newest: int


@dataclass(slots=True)
class _Load:
    """Rows for one bucket on one lane, with their lines."""

    rows: list[Reading] = field(default_factory=list)
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
        fresh, old = self._sorted(rows)
        if old:
            # Whether a row is there already can only be asked when nothing of it is under way.
            wait(self._sent)
        lanes: list[Lane] = [{bucket: _Load() for bucket in BUCKETS} for _ in range(LANES)]
        alone = len(rows) < WORTH and all(one.done() for one in self._sent)
        ways = lanes[:1] * LANES if alone else lanes
        whole = [way for way in fresh if WITHDRAWN not in way[1].flags.values()]
        for (series, row), fields in zip(whole, _fields([row for _, row in whole]), strict=True):
            load = ways[series.lane][series.table.bucket]
            load.rows.append(row)
            if row.flags and fields:
                fields += _flags(row)  # noqa: PLW2901  the same fields, and more
            load.lines.append(b"%b%d.0,%b %d000000000" % (series.head, row.rev, fields, row.time) if fields else _line(series, row))
        withdrawn = [(series, row, tables.reading_row(row)) for series, row in fresh if WITHDRAWN in row.flags.values()]
        for series, row, sent in [*withdrawn, *self._rewritten(old)]:
            load = ways[series.lane][series.table.bucket]
            load.rows.append(row)
            load.lines.append(tables.line(series.table, sent).encode())
        return lanes

    def _sorted(self, rows: Sequence[Reading]) -> tuple[list[Way], list[Way]]:
        """Rows newer than everything in their series, and those that may be there already; each row once, the last one stands."""
        fresh: list[Way] = []
        old: dict[Key, Way] = {}
        for row in rows:
            known = self._known.get(row.kind) or self._table(row.kind)
            series = known.get((row.source, row.span))
            if series is None:
                series = known[row.source, row.span] = _series(tables.READINGS[row.kind], row.source, row.span, NEVER)
            if row.time > series.newest:
                # Before anything is sent: an answer that never came leaves rows that the repetition must look at.
                series.newest = row.time
                fresh.append((series, row))
            else:
                old[row.key] = series, row
        return [way for way in fresh if way[1].key not in old] if old else fresh, list(old.values())

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
            self._look(table, [sent for series, _, sent in made if series.table is table])
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
    return _Series(table, head, crc32(source.encode()) % LANES, newest)


def _line(series: _Series, row: Reading) -> bytes:
    return tables.line(series.table, tables.reading_row(row)).encode()


def _flags(row: Reading) -> bytes:
    """Fields of the flags of a row, behind its values."""
    return "".join(f',{name}_f="{flag}"' for name, flag in row.flags.items()).encode()


def _fields(rows: Sequence[Reading]) -> Sequence[bytes]:
    """Fields of the values of rows; empty where a row must go the long way.

    >>> _fields([Reading("air", "a", 60, 0, {"pm25": 58.0, "co": 1e-7})])
    [b'pm25=58.0,co=1e-7']
    """
    if not rows:
        return []
    encoded = _encode([row.values for row in rows])
    if b"null" in encoded or b"{}" in encoded:
        # A withdrawn value, or a number that is none and must be refused by name.
        return [b""] * len(rows)
    return encoded.replace(b'"', b"").replace(b":", b"=")[2:-2].split(b"},{")
