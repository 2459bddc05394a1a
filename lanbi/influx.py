"""The InfluxDB store: the four ports on an InfluxDB 2.x, read by InfluxQL.

InfluxDB unites the fields of one series and time and keeps what arrived last; a field cannot be overwritten by nothing. So a
row that loses a field is deleted first, and a row that may exist already is looked at before it is written. Rows newer than
everything in their series, which is nearly all, need no look.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final

import numpy as np
import pyarrow as pa

from domain.indicators import FIELDS, Block, Event, Indicator, Query, Restatement, side_by_side
from domain.items import BY_REALM
from domain.readings import Change, Entry, Key, Reading, Rejected, Series
from lanbi import influx_tables as tables
from lanbi.influx_asking import Tags, among, between, clamped, conditions, either, equal, equals, first, fits, ns, place, select, windows
from lanbi.influx_http import LINES, Influx, Place
from lanbi.influx_rows import Rows
from lanbi.influx_tables import SECOND, Row, Table
from lanbi.secret import Secret

PAGE: Final = 10_000
STATEMENTS: Final = 50
PORTION: Final = 50_000
"""Rows of blocks that are made at a time."""
MANY: Final = 10_000_000
TIES: Final = 2_000
KEPT_CHANGES: Final = 100_000
FORGET_EVERY: Final = 10_000
NEVER: Final = -(2**63)

Put = tuple[Table, Row]


LONG_AGO_S: Final = 9_000_000_000
"""Before every time that InfluxDB can hold a row of ours at."""


class InfluxStore:
    """Readings, figures and entries in three buckets of one InfluxDB; one writer a table, any number of readers."""

    def __init__(self, place: Place, token: Secret) -> None:
        self._db = Influx(place, token)
        self._newest: dict[str, dict[Tags, int]] = {}
        self._asked: dict[tuple[str, Tags, int], Row | None] = {}
        self._rows = Rows(self._db, self._clear, self._db.series)

    def write(self, rows: Sequence[Reading]) -> Sequence[Rejected]:
        """Put whole readings; returns what the database will never take.

        InfluxDB knows no transaction: after an error the batch is repeated whole, which is harmless. A reader may meet a part
        of a batch before the change that announces it.
        """
        return self._rows.write(rows)

    def keeps(self) -> Mapping[str, int]:
        """Retention of the buckets of raw readings."""
        kept = {bucket: self._db.retention(bucket) for bucket in {table.bucket for table in tables.READINGS.values()}}
        return {kind: kept[table.bucket] for kind, table in tables.READINGS.items() if kept[table.bucket]}

    def remove(self, keys: Sequence[Key]) -> None:
        """Take rows away, one by one: it is rare."""
        for key in keys:
            self._db.delete(tables.READINGS[key.kind], (key.source, str(key.span)), key.time * SECOND, key.time * SECOND)

    def changes(self, rows: Sequence[Change]) -> None:
        """Announce what a batch touched."""
        self._send([(tables.CHANGE, tables.change_row(row)) for row in rows])
        for row in rows:
            # Whoever is this far behind meets a gap in the numbers and reads the whole year again.
            if row.n % FORGET_EVERY == 0 and row.n > KEPT_CHANGES:
                self._db.delete(tables.CHANGE, (row.ingest,), tables.SEQUENCE, tables.SEQUENCE + row.n - KEPT_CHANGES)

    def _put(self, rows: Sequence[Put]) -> None:
        # Twice the same key in one body would be united, so the last one stands alone.
        last = list({(table.name, row.tags, row.time): (table, row) for table, row in rows}.values())
        for start in range(0, len(last), LINES):
            part = last[start : start + LINES]
            grouped: defaultdict[Table, list[Row]] = defaultdict(list)
            for table, row in part:
                grouped[table].append(row)
            for table, some in grouped.items():
                self._make_way(table, some)
            self._send(part)

    def _send(self, rows: Sequence[Put]) -> None:
        bodies: defaultdict[str, list[bytes]] = defaultdict(list)
        for table, row in rows:
            bodies[table.bucket].append(tables.line(table, row).encode())
        for bucket, lines in bodies.items():
            self._db.write(bucket, lines)

    def _make_way(self, table: Table, rows: Sequence[Row]) -> None:
        """Delete the stored rows that would keep a field which the new ones do not have."""
        newest = self._newest.get(table.name)
        if newest is None:
            newest = self._newest[table.name] = self._db.series(table)
        self._clear(table, [row for row in rows if row.time <= newest.get(row.tags, NEVER)])
        # Before the body is sent: an answer that never came leaves rows that the repetition must look at.
        for row in rows:
            newest[row.tags] = max(row.time, newest.get(row.tags, NEVER))

    def _clear(self, table: Table, rows: Sequence[Row]) -> None:
        """The same for rows that may be there."""
        known = {(row.tags, row.time): row for row in rows}
        seen = {key: self._asked.pop((table.name, *key)) for key in known if (table.name, *key) in self._asked}
        found = [row for row in seen.values() if row is not None]
        for stored in [*found, *self._find(table, known.keys() - seen.keys())]:
            row = known[stored.tags, stored.time]
            if table.name in BY_REALM:
                tables.say_flags(row, BY_REALM[table.name])
            if stored.fields.keys() - row.fields.keys():
                self._db.delete(table, row.tags, row.time, row.time)

    def _find(self, table: Table, keys: Iterable[tuple[Tags, int]]) -> Iterator[Row]:
        wanted = set(keys)
        texts = [select(table, f"{among(table, series)} AND time >= {first} AND time <= {last}") for (first, last), series in windows(wanted).items()]
        for start in range(0, len(texts), STATEMENTS):
            yield from (row for row in self._db.select(table, *texts[start : start + STATEMENTS]) if (row.tags, row.time) in wanted)

    def rows(self, kind: str, sources: Sequence[str] | None, start: int, end: int, span: int | None = None) -> Iterator[Reading]:
        """Readings with start < time ≤ end, ordered by source, span, time."""
        table = tables.READINGS[kind]
        found = self._db.series(table, f" WHERE {between(start, end)}")
        wanted = [tags for tags in found if (sources is None or tags[0] in sources) and span in {None, int(tags[1])}]
        for tags in sorted(wanted, key=lambda tags: (tags[0], int(tags[1]))):
            read = (tables.reading_of(kind, row) for row in self._pages(table, tags, ns(start), ns(end)))
            yield from (reading for reading in read if reading is not None)

    def _pages(self, table: Table, tags: Tags, start: int, end: int) -> Iterator[Row]:
        for page in self._tables(table, tags, start, end):
            yield from tables.rows_of(table, page)

    def _tables(self, table: Table, tags: Tags, start: int, end: int) -> Iterator[pa.Table]:
        same = " AND ".join(equal(name, value) for name, value in zip(table.tags, tags, strict=True))
        while page := self._db.table(table, select(table, f"{same} AND time > {start} AND time <= {end}", f"ORDER BY time LIMIT {PAGE}")):
            yield page
            if page.num_rows < PAGE:
                return
            start = page.column("time")[-1].as_py()

    def columns(self, kind: str, source: str, start: int, end: int) -> Iterator[Series]:
        """Readings of one source with start < time ≤ end as columns, one series a span."""
        table = tables.READINGS[kind]
        found = self._db.series(table, f" WHERE {equal('site', source)} AND {between(start, end)}")
        for span in sorted(int(tags[1]) for tags in found):
            parts = [tables.columns_of(kind, page) for page in self._tables(table, (source, str(span)), ns(start), ns(end))]
            if any(len(part[0]) for part in parts):
                yield Series(span, *map(np.concatenate, zip(*parts, strict=True)))

    def cells(self, keys: Sequence[Key]) -> dict[Key, Reading]:
        """The stored rows of these keys.

        Whoever asks decides by the answer what to write, and nobody else writes these rows: the answer is kept for that one write.
        """
        wanted: defaultdict[str, list[tuple[Tags, int]]] = defaultdict(list)
        for key in keys:
            wanted[key.kind].append(((key.source, str(key.span)), key.time * SECOND))
        self._asked = {(tables.READINGS[kind].name, *key): None for kind, some in wanted.items() for key in some}
        read: dict[Key, Reading] = {}
        for kind, some in wanted.items():
            table = tables.READINGS[kind]
            for row in self._find(table, some):
                self._asked[table.name, row.tags, row.time] = row
                reading = tables.reading_of(kind, row)
                if reading is not None:
                    read[reading.key] = reading
        return read

    def changes_after(self, seen: Mapping[str, int]) -> list[Change]:
        """Changes of every ingest with n above the one seen."""
        names = sorted(self._db.series(tables.CHANGE))
        behind = [tables.SEQUENCE + seen.get(name, 0) for (name,) in names]
        texts = [
            select(tables.CHANGE, f"{equal('ingest', name)} AND time > {after}", f"ORDER BY time LIMIT {KEPT_CHANGES}")
            for (name,), after in zip(names, behind, strict=True)
        ]
        return [tables.change_of(row) for row in self._db.select(tables.CHANGE, *texts)] if texts else []

    def put(self, rows: Sequence[Indicator]) -> None:
        """Put figures; one row a figure, period, scope, rule set, basis and time."""
        self._put([(tables.INDICATOR, tables.indicator_row(row)) for row in rows])

    def put_blocks(self, blocks: Sequence[Block]) -> None:
        """The same for many figures at a time."""
        rows = (row for block in blocks for row in block.rows())
        while part := list(islice(rows, PORTION)):
            self.put(part)

    def restate(self, rows: Sequence[Restatement]) -> None:
        """Say openly that closed figures changed; repeating a row overwrites it."""
        self._put([(tables.RESTATEMENT, tables.restatement_row(row)) for row in rows])

    def events(self, rows: Sequence[Event]) -> None:
        """Record events."""
        self._put([(tables.EVENT, tables.event_row(row)) for row in rows])

    def latest(self, figure: str, scope: str, period: str, rule_set: str, now: int) -> Indicator | None:
        """The figure with the greatest time ≤ now, basis raw."""
        same = equals({"figure": figure, "scope": scope, "period": period, "rule_set": rule_set, "basis": "raw"})
        found = self._db.select(tables.INDICATOR, select(tables.INDICATOR, f"{same} AND time <= {ns(now)}", "ORDER BY time DESC LIMIT 1"))
        return tables.indicator_of(found[0]) if found else None

    def newest(self, figures: Collection[str], scopes: Collection[str], periods: Collection[str], window: tuple[int, int]) -> list[Indicator]:
        """Of each rule set and basis of these figures, scopes and periods the row with the greatest time, start < time ≤ end; ordered by key."""
        if not (figures and scopes and periods):
            return []
        wanted = zip(("figure", "scope", "period"), (figures, scopes, periods), strict=True)
        where = " AND ".join([*(either(name, values) for name, values in wanted), between(*window)])
        tags = ", ".join(f'"{name}"' for name in tables.FIGURE_TAGS)
        found = self._db.select(tables.INDICATOR, select(tables.INDICATOR, where, f"GROUP BY {tags} ORDER BY time DESC LIMIT 1"))
        return sorted(map(tables.indicator_of, found), key=lambda row: row.key)

    def several(self, queries: Sequence[Query]) -> list[list[Indicator]]:
        """What each query finds; :data:`STATEMENTS` of them a question."""
        found: list[list[Indicator]] = []
        for start in range(0, len(queries), STATEMENTS):
            part = queries[start : start + STATEMENTS]
            rows = {row.key: row for row in map(tables.indicator_of, self._db.select(tables.INDICATOR, *map(first, part)))}
            for query in part:
                fit = sorted((row for row in rows.values() if fits(row, query)), key=lambda row: place(row.key))
                # As in `series`: a full page may end amidst rows of one time.
                found.append(fit if query.after is None and len(fit) < query.limit else self.series(query))
        return found

    def series(self, query: Query) -> list[Indicator]:
        """Figures that fit the query, ordered by time and key, at most ``query.limit``."""
        where = conditions(query)
        size = query.limit + TIES
        while True:
            # InfluxDB orders by time alone: a page that is full may end amidst rows of one time, which are then left out.
            page = [tables.indicator_of(row) for row in self._db.select(tables.INDICATOR, select(tables.INDICATOR, where, f"ORDER BY time LIMIT {size}"))]
            whole = page if len(page) < size else [row for row in page if row.time < page[-1].time]
            fit = sorted((row for row in whole if query.after is None or place(row.key) > place(query.after)), key=lambda row: place(row.key))
            if len(page) < size or len(fit) >= query.limit:
                return fit[: query.limit]
            size *= 4

    def blocks(self, scope: str, start: int, end: int, fields: Callable[[str, str], Sequence[str]]) -> Iterator[Block]:
        """Figures of a scope with start < time ≤ end, their wanted fields only: a block a kind, ordered by time."""
        rows = self.series(Query(scope=scope, basis=None, start=start, end=end, limit=MANY))
        for block in side_by_side(row for row in rows if fields(row.figure, row.basis)):
            other: dict[str, Any] = dict.fromkeys(set(FIELDS) - set(fields(block.figure, block.basis)))
            yield block._replace(**other)

    def holds(self, start: int, end: int) -> bool:
        """Whether there is any figure of any scope with start < time ≤ end."""
        return bool(self.series(Query(basis=None, start=start, end=end, limit=1)))

    def restatements(self, start: int, end: int, limit: int) -> list[Restatement]:
        """Restatements made with start < made ≤ end, newest first."""
        found = self._db.select(tables.RESTATEMENT, select(tables.RESTATEMENT, f'"made" > {clamped(start)} AND "made" <= {clamped(end)}'))
        return sorted(map(tables.restatement_of, found), key=lambda row: (row.made, row.time), reverse=True)[:limit]

    def event_rows(self, start: int, end: int, limit: int) -> list[Event]:
        """Events with start < time ≤ end, newest first."""
        return [tables.event_of(row) for row in self._db.select(tables.EVENT, select(tables.EVENT, between(start, end), f"ORDER BY time DESC LIMIT {limit}"))]

    def enter(self, rows: Sequence[Entry]) -> None:
        """Put what people entered; the same id is one row."""
        self._send([(tables.ENTRY, tables.entry_row(row)) for row in rows])

    def entered(self, kind: str) -> list[Entry]:
        """All entries of a kind, in order of receipt."""
        found = map(tables.entry_of, self._db.select(tables.ENTRY, select(tables.ENTRY, equal("kind", kind))))
        return sorted(found, key=lambda row: (row.received_ns, len(row.id), row.id))

    def hours_before(self, instant: int) -> int:
        """How many hourly figures stand before an instant [s]."""
        table = tables.INDICATOR
        counted = table._replace(tags=(), floats=(table.always,), texts=())
        where = f"{equal('period', 'hour')} AND time < {ns(instant)}"
        rows = self._db.select(counted, f'SELECT count("{table.always}") AS "{table.always}" FROM "{table.name}" WHERE {where}')  # noqa: S608  our own names
        return sum(int(float(row.fields[table.always])) for row in rows)

    def drop_hours(self, instant: int) -> None:
        """Take hourly figures before an instant [s] away."""
        self._db.delete(tables.INDICATOR._replace(tags=("period",)), ("hour",), ns(-LONG_AGO_S), ns(instant) - 1)

    def checkpoint(self) -> int:
        """Nothing to do: the server keeps its own log short."""
        return 0

    def close(self) -> None:
        """Give connections back."""
        self._rows.close()
        self._db.close()
