"""The embedded store: the four ports on one SQLite file, the default without any server.

Keys are the rows themselves (``WITHOUT ROWID``), so the same reading twice is one row. Reads come in pages, each its own
short transaction, so that no reader ever holds back the write-ahead log.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from domain.indicators import Event, Indicator, Query, Restatement
from domain.items import BY_REALM
from domain.readings import Change, Entry, Key, Reading
from lanbi.embedded_schema import INDICATOR_FIELDS, INDICATOR_TAGS, SCHEMA, VERSION, Connections, quoted, reading_columns

PAGE: Final = 5_000
WITHDRAWN: Final = "W"


class EmbeddedStore:
    """Readings, figures and entries in one file; many processes may read while one writes each table."""

    def __init__(self, path: Path) -> None:
        self._files = Connections(path, SCHEMA, VERSION)

    def write(self, rows: Sequence[Reading]) -> None:
        """Put whole readings, all or none."""
        by_kind: defaultdict[str, list[tuple[object, ...]]] = defaultdict(list)
        for row in rows:
            by_kind[row.kind].append(_packed(row))
        with self._files.refusals(), self._files.write() as db:
            for kind, packed in by_kind.items():
                columns = reading_columns(kind)
                db.executemany(f"INSERT OR REPLACE INTO {kind} VALUES ({', '.join('?' * len(columns))})", packed)  # noqa: S608  kind is one of ours

    def changes(self, rows: Sequence[Change]) -> None:
        """Announce what a batch touched."""
        packed = [(row.ingest, row.n, row.day, " ".join(row.sites)) for row in rows]
        with self._files.refusals(), self._files.write() as db:
            db.executemany("INSERT OR REPLACE INTO change VALUES (?, ?, ?, ?)", packed)

    def rows(self, kind: str, sources: Sequence[str] | None, start: int, end: int, span: int | None = None) -> Iterator[Reading]:
        """Readings with start < time ≤ end, ordered by source, span, time."""
        for site in sorted(self._sites(kind)) if sources is None else sorted(set(sources)):
            spans = self._spans(kind, site) if span is None else [span]
            for one in spans:
                yield from self._pages(kind, (site, one), start, end)

    def _sites(self, kind: str) -> list[str]:
        # A loose index scan: DISTINCT would read the whole table.
        text = f"""WITH RECURSIVE s(x) AS (SELECT min(site) FROM {kind} UNION ALL SELECT (SELECT min(site) FROM {kind} WHERE site > x) FROM s WHERE x IS NOT NULL)
            SELECT x FROM s WHERE x IS NOT NULL"""  # noqa: S608  kind is one of ours
        return [row[0] for row in self._all(text)]

    def _spans(self, kind: str, site: str) -> list[int]:
        text = f"""WITH RECURSIVE s(x) AS (SELECT min(span) FROM {kind} WHERE site = ?1 UNION ALL
            SELECT (SELECT min(span) FROM {kind} WHERE site = ?1 AND span > x) FROM s WHERE x IS NOT NULL)
            SELECT x FROM s WHERE x IS NOT NULL"""  # noqa: S608  kind is one of ours
        return [row[0] for row in self._all(text, (site,))]

    def _pages(self, kind: str, series: tuple[str, int], start: int, end: int) -> Iterator[Reading]:
        text = f"""SELECT {quoted(reading_columns(kind))} FROM {kind} WHERE site = ? AND span = ? AND time > ? AND time <= ?
            ORDER BY time LIMIT {PAGE}"""  # noqa: S608  kind is one of ours
        while page := self._all(text, (*series, start, end)):
            yield from (_unpacked(kind, row) for row in page)
            if len(page) < PAGE:
                return
            start = page[-1][2]

    def cells(self, keys: Sequence[Key]) -> dict[Key, Reading]:
        """The stored rows of these keys."""
        found: dict[Key, Reading] = {}
        for key in set(keys):
            text = f"SELECT {quoted(reading_columns(key.kind))} FROM {key.kind} WHERE site = ? AND span = ? AND time = ?"  # noqa: S608  kind is one of ours
            for row in self._all(text, (key.source, key.span, key.time)):
                found[key] = _unpacked(key.kind, row)
        return found

    def changes_after(self, seen: Mapping[str, int]) -> list[Change]:
        """Changes of every ingest with n above the one seen."""
        names = [row[0] for row in self._all("SELECT DISTINCT ingest FROM change")]
        text = "SELECT ingest, n, day, sites FROM change WHERE ingest = ? AND n > ? ORDER BY n LIMIT 100000"
        found = [row for name in sorted(names) for row in self._all(text, (name, seen.get(name, 0)))]
        return [Change(ingest, n, day, tuple(sites.split())) for ingest, n, day, sites in found]

    def put(self, rows: Sequence[Indicator]) -> None:
        """Put figures; one row a figure, period, scope, rule set, basis and time."""
        columns = (*INDICATOR_TAGS, *INDICATOR_FIELDS)
        text = f"INSERT OR REPLACE INTO indicator ({quoted(columns)}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608  our own columns
        for start in range(0, len(rows), PAGE):
            packed = [tuple(getattr(row, name) for name in columns) for row in rows[start : start + PAGE]]
            with self._files.refusals(), self._files.write() as db:
                db.executemany(text, packed)

    def restate(self, rows: Sequence[Restatement]) -> None:
        """Say openly that closed figures changed; repeating a row overwrites it."""
        with self._files.refusals(), self._files.write() as db:
            db.executemany(f"INSERT OR REPLACE INTO restatement VALUES ({', '.join('?' * 13)})", list(rows))  # noqa: S608  question marks

    def events(self, rows: Sequence[Event]) -> None:
        """Record events."""
        with self._files.refusals(), self._files.write() as db:
            db.executemany("INSERT OR REPLACE INTO event VALUES (?, ?, ?, ?, ?)", list(rows))

    def latest(self, figure: str, scope: str, period: str, rule_set: str, now: int) -> Indicator | None:
        """The figure with the greatest time ≤ now, basis raw."""
        text = f"""SELECT {quoted((*INDICATOR_TAGS, *INDICATOR_FIELDS))} FROM indicator WHERE scope = ? AND figure = ? AND period = ?
            AND rule_set = ? AND basis = 'raw' AND time <= ? ORDER BY time DESC LIMIT 1"""  # noqa: S608  our own columns
        return next((_figure(row) for row in self._all(text, (scope, figure, period, rule_set, now))), None)

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
        text = f"""SELECT {quoted((*INDICATOR_TAGS, *INDICATOR_FIELDS))} FROM indicator WHERE {where}
            ORDER BY time, scope, figure, period, rule_set, basis LIMIT ?"""  # noqa: S608  our own columns
        return [_figure(row) for row in self._all(text, (*values, query.limit))]

    def restatements(self, start: int, end: int, limit: int) -> list[Restatement]:
        """Restatements made with start < made ≤ end, newest first."""
        text = "SELECT * FROM restatement WHERE made > ? AND made <= ? ORDER BY made DESC, time DESC LIMIT ?"
        return [Restatement(*row) for row in self._all(text, (start, end, limit))]

    def event_rows(self, start: int, end: int, limit: int) -> list[Event]:
        """Events with start < time ≤ end, newest first."""
        return [Event(*row) for row in self._all("SELECT * FROM event WHERE time > ? AND time <= ? ORDER BY time DESC LIMIT ?", (start, end, limit))]

    def enter(self, rows: Sequence[Entry]) -> None:
        """Put what people entered; the same id is one row."""
        packed = [(row.id, row.kind, row.received_ns, row.user, json.dumps(row.body, ensure_ascii=False)) for row in rows]
        with self._files.refusals(), self._files.write() as db:
            db.executemany("INSERT OR REPLACE INTO entry VALUES (?, ?, ?, ?, ?)", packed)

    def entered(self, kind: str) -> list[Entry]:
        """All entries of a kind, in order of receipt."""
        found = self._all("SELECT kind, id, received_ns, user, body FROM entry WHERE kind = ? ORDER BY received_ns, id", (kind,))
        return [Entry(kind, name, received, user, json.loads(body)) for kind, name, received, user, body in found]

    def checkpoint(self) -> int:
        """Keep the write-ahead log short; returns its size in bytes."""
        return self._files.checkpoint()

    def close(self) -> None:
        """Close this thread's connection."""
        self._files.close()

    def _all(self, text: str, values: Sequence[object] = ()) -> list[Any]:
        with self._files.refusals():
            return self._files.db.execute(text, values).fetchall()


def _packed(row: Reading) -> tuple[object, ...]:
    flags = dict(row.flags)
    for name, value in row.values.items():
        if value is None:
            flags[name] = WITHDRAWN
    text = " ".join(f"{name}:{flag}" for name, flag in flags.items())
    return (row.source, row.span, row.time, row.rev, text, *(row.values.get(name) for name in BY_REALM[row.kind]))


def _unpacked(kind: str, row: Sequence[Any]) -> Reading:
    flags = dict(part.split(":") for part in str(row[4]).split())
    values = {name: value for name, value in zip(BY_REALM[kind], row[5:], strict=True) if value is not None or flags.get(name) == WITHDRAWN}
    return Reading(kind, row[0], row[1], row[2], values, flags, row[3])


def _figure(row: Sequence[Any]) -> Indicator:
    return Indicator(**dict(zip((*INDICATOR_TAGS, *INDICATOR_FIELDS), row, strict=True)))
