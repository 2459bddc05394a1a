"""The embedded store: the four ports on one SQLite file, the default without any server.

Keys are the rows themselves (``WITHOUT ROWID``), so the same reading twice is one row. Reads come in pages, each its own
short transaction, so that no reader ever holds back the write-ahead log.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import islice, product
from operator import attrgetter
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from domain.indicators import COLUMNS, FIELDS, Block, Event, Indicator, Query, Restatement
from domain.items import BY_REALM
from domain.readings import Change, Entry, Key, Reading, Rejected, Series
from lanbi.embedded_schema import INDICATOR_FIELDS, INDICATOR_TAGS, SCHEMA, Connections, quoted, reading_columns

PAGE: Final = 5_000
CHUNK: Final = 2_000
"""Rows of one write transaction: well below 100 ms, so that other writers of the file wait little."""
KEPT_CHANGES: Final = 100_000
FIGURE_COLUMNS: Final = (*INDICATOR_TAGS, *INDICATOR_FIELDS)
_figure_values: Final = attrgetter(*FIGURE_COLUMNS)
PORTION: Final = 20 * CHUNK
"""Rows of blocks that are made at a time, so that a long year does not stand in memory twice."""
KIND: Final = ("figure", "period", "rule_set", "basis")
"""What the figures of a scope are told apart by, besides their time."""
WITHDRAWN: Final = "W"
VALID: Final = ord("N")


class EmbeddedStore:
    """Readings, figures and entries in one file; many processes may read while one writes each table."""

    def __init__(self, path: Path) -> None:
        self._files = Connections(path, SCHEMA, what="embedded store")

    def write(self, rows: Sequence[Reading]) -> Sequence[Rejected]:
        """Put whole readings, all or none; this store refuses nothing."""
        by_kind: defaultdict[str, list[tuple[object, ...]]] = defaultdict(list)
        for row in rows:
            by_kind[row.kind].append(_packed(row))
        with self._files.write() as db:
            for kind, packed in by_kind.items():
                columns = reading_columns(kind)
                db.executemany(f"INSERT OR REPLACE INTO {kind} VALUES ({', '.join('?' * len(columns))})", packed)  # noqa: S608  kind is one of ours
        return ()

    def keeps(self) -> Mapping[str, int]:
        """Everything, for ever."""
        return {}

    def remove(self, keys: Sequence[Key]) -> None:
        """Take rows away."""
        with self._files.write() as db:
            for key in keys:
                db.execute(f"DELETE FROM {key.kind} WHERE site = ? AND span = ? AND time = ?", key[1:])  # noqa: S608  kind is one of ours

    def changes(self, rows: Sequence[Change]) -> None:
        """Announce what a batch touched."""
        packed = [(row.ingest, row.n, row.day, " ".join(row.sites)) for row in rows]
        # Whoever is this far behind meets a gap in the numbers and reads the whole year again.
        old = {row.ingest: row.n - KEPT_CHANGES for row in rows}
        with self._files.write() as db:
            db.executemany("INSERT OR REPLACE INTO change VALUES (?, ?, ?, ?)", packed)
            db.executemany("DELETE FROM change WHERE ingest = ? AND n < ?", old.items())

    def rows(self, kind: str, sources: Sequence[str] | None, start: int, end: int, span: int | None = None) -> Iterator[Reading]:
        """Readings with start < time ≤ end, ordered by source, span, time."""
        for site in sorted(self._sites(kind)) if sources is None else sorted(set(sources)):
            spans = self._spans(kind, site) if span is None else [span]
            for one in spans:
                yield from self._pages(kind, (site, one), start, end)

    def _sites(self, kind: str) -> list[str]:
        return [row[0] for row in self._files.all(_loose(kind, "site"))]

    def _spans(self, kind: str, site: str) -> list[int]:
        return [row[0] for row in self._files.all(_loose(kind, "span", "site = ?1"), (site,))]

    def _pages(self, kind: str, series: tuple[str, int], start: int, end: int) -> Iterator[Reading]:
        for page in self._read(kind, (*reading_columns(kind), "time"), series, (start, end)):
            yield from (_unpacked(kind, row) for row in page)

    def columns(self, kind: str, source: str, start: int, end: int) -> Iterator[Series]:
        """Readings of one source with start < time ≤ end as columns, one series a span."""
        for span in self._spans(kind, source):
            pages = self._read(kind, ("flags", *BY_REALM[kind], "time"), (source, span), (start, end))
            parts = [_columns(kind, page) for page in pages]
            if parts:
                yield Series(span, *map(np.concatenate, zip(*parts, strict=True)))

    def _read(self, kind: str, names: tuple[str, ...], series: tuple[str, int], between: tuple[int, int]) -> Iterator[list[Any]]:
        """Pages of one series; the last of the names is the time."""
        text = f"""SELECT {quoted(names)} FROM {kind} WHERE site = ? AND span = ? AND time > ? AND time <= ?
            ORDER BY time LIMIT {PAGE}"""  # noqa: S608  kind is one of ours
        start, end = between
        while page := self._files.all(text, (*series, start, end)):
            yield page
            if len(page) < PAGE:
                return
            start = page[-1][-1]

    def cells(self, keys: Sequence[Key]) -> dict[Key, Reading]:
        """The stored rows of these keys."""
        series: defaultdict[tuple[str, str, int], set[int]] = defaultdict(set)
        for key in keys:
            series[key[:3]].add(key.time)
        found: dict[Key, Reading] = {}
        for (kind, site, span), times in series.items():
            text = f"""SELECT {quoted(reading_columns(kind))} FROM {kind} WHERE site = ? AND span = ?
                AND time IN (SELECT value FROM json_each(?))"""  # noqa: S608  kind is one of ours
            for row in self._files.all(text, (site, span, json.dumps(list(times)))):
                found[Key(kind, site, span, row[2])] = _unpacked(kind, row)
        return found

    def changes_after(self, seen: Mapping[str, int]) -> list[Change]:
        """Changes of every ingest with n above the one seen."""
        names = [row[0] for row in self._files.all(_loose("change", "ingest"))]
        text = "SELECT ingest, n, day, sites FROM change WHERE ingest = ? AND n > ? ORDER BY n LIMIT 100000"
        found = [row for name in sorted(names) for row in self._files.all(text, (name, seen.get(name, 0)))]
        return [Change(ingest, n, day, tuple(sites.split())) for ingest, n, day, sites in found]

    def put(self, rows: Sequence[Indicator]) -> None:
        """Put figures; one row a figure, period, scope, rule set, basis and time."""
        self._put(f"indicator ({quoted(FIGURE_COLUMNS)})", list(map(_figure_values, rows)))

    def put_blocks(self, blocks: Sequence[Block]) -> None:
        """The same for many figures at a time."""
        rows = (row for block in blocks for row in zip(*block.columns(), strict=True))
        while part := list(islice(rows, PORTION)):
            self._put(f"indicator ({quoted(COLUMNS)})", part)

    def restate(self, rows: Sequence[Restatement]) -> None:
        """Say openly that closed figures changed; repeating a row overwrites it."""
        self._put("restatement", rows)

    def events(self, rows: Sequence[Event]) -> None:
        """Record events."""
        self._put("event", rows)

    def _put(self, table: str, rows: Sequence[tuple[object, ...]]) -> None:
        for start in range(0, len(rows), CHUNK):
            part = rows[start : start + CHUNK]
            with self._files.write() as db:
                db.executemany(f"INSERT OR REPLACE INTO {table} VALUES ({', '.join('?' * len(part[0]))})", part)  # noqa: S608  our own tables

    def latest(self, figure: str, scope: str, period: str, rule_set: str, now: int) -> Indicator | None:
        """The figure with the greatest time ≤ now, basis raw."""
        text = f"""SELECT {quoted(FIGURE_COLUMNS)} FROM indicator WHERE scope = ? AND figure = ? AND period = ?
            AND rule_set = ? AND basis = 'raw' AND time <= ? ORDER BY time DESC LIMIT 1"""  # noqa: S608  our own columns
        return next((_figure(row) for row in self._files.all(text, (scope, figure, period, rule_set, now))), None)

    def newest(self, figures: Collection[str], scopes: Collection[str], periods: Collection[str], window: tuple[int, int]) -> list[Indicator]:
        """Of each rule set and basis of these figures, scopes and periods the row with the greatest time, start < time ≤ end; ordered by key."""
        text = f"""SELECT {quoted(FIGURE_COLUMNS)} FROM indicator WHERE scope = ? AND figure = ? AND period = ? AND rule_set = ? AND basis = ?
            AND time > ? AND time <= ? ORDER BY time DESC LIMIT 1"""  # noqa: S608  our own columns
        series = [(*kind, *pair) for kind in product(set(scopes), set(figures), set(periods)) for pair in self._pairs(kind)]
        found = [_figure(row) for key in series for row in self._files.all(text, (*key, *window))]
        return sorted(found, key=lambda row: row.key)

    def _pairs(self, kind: tuple[str, str, str]) -> Iterator[tuple[str, str]]:
        """Rule set and basis of what stands of a scope, figure and period, each found behind the one before, as in :meth:`_kinds`."""
        text = """SELECT rule_set, basis FROM indicator WHERE scope = ? AND figure = ? AND period = ? AND (rule_set, basis) > (?, ?)
            ORDER BY rule_set, basis LIMIT 1"""
        last = ("", "")
        while found := self._files.all(text, (*kind, *last)):
            last = found[0]
            yield last

    def several(self, queries: Sequence[Query]) -> list[list[Indicator]]:
        """What each query finds."""
        return [self.series(query) for query in queries]

    def series(self, query: Query) -> list[Indicator]:
        """Figures that fit the query, ordered by time and key, at most ``query.limit``."""
        tags = [(name, getattr(query, name)) for name in ("figure", "scope", "period", "rule_set", "basis")]
        given = [(name, value) for name, value in tags if value is not None]
        where = " AND ".join([*(f"{name} = ?" for name, _ in given), "time > ?", "time <= ?"])
        values: list[object] = [*(value for _, value in given), query.start, query.end]
        if query.after is not None:
            where += " AND (time, scope, figure, period, rule_set, basis) > (?, ?, ?, ?, ?, ?)"
            figure, period, scope, rule_set, basis, time = query.after
            values += [time, scope, figure, period, rule_set, basis]
        text = f"""SELECT {quoted(FIGURE_COLUMNS)} FROM indicator WHERE {where}
            ORDER BY time, scope, figure, period, rule_set, basis LIMIT ?"""  # noqa: S608  our own columns
        return [_figure(row) for row in self._files.all(text, (*values, query.limit))]

    def blocks(self, scope: str, start: int, end: int, fields: Callable[[str, str], Sequence[str]]) -> Iterator[Block]:
        """Figures of a scope with start < time ≤ end, their wanted fields only: a block a kind, ordered by time."""
        same = " AND ".join(f"{name} = ?" for name in ("scope", *KIND))
        for figure, period, rule_set, basis in self._kinds(scope):
            wanted = fields(figure, basis)
            # A year of a county are 700,000 figures: each column that nobody needs costs a tenth of reading them.
            text = f"SELECT {quoted(('time', *wanted))} FROM indicator WHERE {same} AND time > ? AND time <= ? ORDER BY time"  # noqa: S608  our own columns
            found = self._files.all(text, (scope, figure, period, rule_set, basis, start, end)) if wanted else ()
            if found:
                time, *known = zip(*found, strict=True)
                columns: dict[str, Any] = dict.fromkeys(FIELDS) | dict(zip(wanted, known, strict=True))
                yield Block(figure, period, scope, rule_set, basis, None, time, **columns)

    def holds(self, start: int, end: int) -> bool:
        """Whether there is any figure of any scope with start < time ≤ end."""
        text = "SELECT figure, period FROM indicator WHERE (figure, period) > (?, ?) ORDER BY figure, period LIMIT 1"
        within = "SELECT 1 FROM indicator WHERE figure = ? AND period = ? AND time > ? AND time <= ? LIMIT 1"
        last = ("", "")
        while found := self._files.all(text, last):
            last = found[0]
            if self._files.all(within, (*last, start, end)):
                return True
        return False

    def _kinds(self, scope: str) -> Iterator[tuple[str, str, str, str]]:
        """Figure, period, rule set and basis of everything that a scope has, each found behind the one before: DISTINCT would read all rows."""
        names = ", ".join(KIND)
        text = f"SELECT {names} FROM indicator WHERE scope = ? AND ({names}) > (?, ?, ?, ?) ORDER BY {names} LIMIT 1"  # noqa: S608  our own columns
        last = ("", "", "", "")
        while found := self._files.all(text, (scope, *last)):
            last = found[0]
            yield last

    def restatements(self, start: int, end: int, limit: int) -> list[Restatement]:
        """Restatements made with start < made ≤ end, newest first."""
        text = "SELECT * FROM restatement WHERE made > ? AND made <= ? ORDER BY made DESC, time DESC LIMIT ?"
        return [Restatement(*row) for row in self._files.all(text, (start, end, limit))]

    def event_rows(self, start: int, end: int, limit: int) -> list[Event]:
        """Events with start < time ≤ end, newest first."""
        return [Event(*row) for row in self._files.all("SELECT * FROM event WHERE time > ? AND time <= ? ORDER BY time DESC LIMIT ?", (start, end, limit))]

    def enter(self, rows: Sequence[Entry]) -> None:
        """Put what people entered; the same id is one row."""
        self._put("entry", [(row.id, row.kind, row.received_ns, row.user, json.dumps(row.body, ensure_ascii=False)) for row in rows])

    def entered(self, kind: str) -> list[Entry]:
        """All entries of a kind, in order of receipt."""
        found = self._files.all("SELECT kind, id, received_ns, user, body FROM entry WHERE kind = ? ORDER BY received_ns, length(id), id", (kind,))
        return [Entry(kind, name, received, user, json.loads(body)) for kind, name, received, user, body in found]

    def hours_before(self, instant: int) -> int:
        """How many hourly figures stand before an instant [s]."""
        return int(self._files.all("SELECT count(*) FROM indicator WHERE period = 'hour' AND time < ?", (instant,))[0][0])

    def drop_hours(self, instant: int) -> None:
        """Take hourly figures before an instant [s] away, in transactions of a moment each."""
        rows = "SELECT scope, figure, period, rule_set, basis, time FROM indicator WHERE period = 'hour' AND time < ? LIMIT ?"
        while self.hours_before(instant):
            with self._files.write() as db:
                db.execute(f"DELETE FROM indicator WHERE (scope, figure, period, rule_set, basis, time) IN ({rows})", (instant, CHUNK))  # noqa: S608  above

    def checkpoint(self) -> int:
        """Keep the write-ahead log short; returns its size in bytes."""
        return self._files.checkpoint()

    def close(self) -> None:
        """Close this thread's connection."""
        self._files.close()


def _packed(row: Reading) -> tuple[object, ...]:
    flags, values = row.flags, row.values
    if None in values.values():
        flags = {**flags, **{name: WITHDRAWN for name, value in values.items() if value is None}}
    text = " ".join([f"{name}:{flag}" for name, flag in flags.items()]) if flags else ""
    return (row.source, row.span, row.time, row.rev, text, *map(values.get, BY_REALM[row.kind]))


def _unpacked(kind: str, row: Sequence[Any]) -> Reading:
    pairs = zip(BY_REALM[kind], row[5:], strict=False)  # the time may stand behind them once more
    if not row[4]:
        return Reading(kind, row[0], row[1], row[2], {name: value for name, value in pairs if value is not None}, {}, row[3])
    flags = dict(part.split(":") for part in row[4].split())
    values = {name: value for name, value in pairs if value is not None or flags.get(name) == WITHDRAWN}
    return Reading(kind, row[0], row[1], row[2], values, flags, row[3])


def _columns(kind: str, page: Sequence[Any]) -> tuple[npt.NDArray[Any], ...]:
    """Time, values and flags of rows of flags, items and time."""
    texts, *items, time = zip(*page, strict=True)
    values = np.array(items, np.float64).T
    flags = np.where(np.isnan(values), 0, VALID).astype(np.uint8)
    place = {name: column for column, name in enumerate(BY_REALM[kind])}
    for row in (row for row, text in enumerate(texts) if text):
        for name, flag in (part.split(":") for part in texts[row].split()):
            if flag == WITHDRAWN or flags[row, place[name]]:
                flags[row, place[name]] = ord(flag)
    return np.array(time, np.int64), values, flags


def _figure(row: Sequence[Any]) -> Indicator:
    return Indicator(**dict(zip(FIGURE_COLUMNS, row, strict=True)))


def _loose(table: str, column: str, where: str = "TRUE") -> str:
    """Distinct values of a key's column by a loose index scan: DISTINCT would read the whole table."""
    return f"""WITH RECURSIVE s(x) AS (SELECT min({column}) FROM {table} WHERE {where} UNION ALL
        SELECT (SELECT min({column}) FROM {table} WHERE {where} AND {column} > x) FROM s WHERE x IS NOT NULL)
        SELECT x FROM s WHERE x IS NOT NULL"""  # noqa: S608  our own tables
