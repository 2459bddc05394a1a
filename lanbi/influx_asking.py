"""What the InfluxDB store asks, in InfluxQL: conditions, windows of time, and the order of figures. Pure text."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final

from domain.indicators import Indicator, Query
from lanbi import influx_tables as tables
from lanbi.influx_tables import SECOND, Table

FAR: Final = 9_200_000_000
"""Seconds: about as far as nanoseconds in 64 bits reach."""

Tags = tuple[str, ...]


def fits(row: Indicator, query: Query) -> bool:
    """Whether a figure is one of those that a query asks for."""
    tags = ((getattr(row, name), getattr(query, name)) for name in tables.FIGURE_TAGS)
    return query.start < row.time <= query.end and all(wanted in {None, own} for own, wanted in tags)


def select(table: Table, where: str, more: str = "") -> str:
    """A statement for every column of a table."""
    columns = ", ".join(f'"{name}"' for name in table.columns)
    return f'SELECT {columns} FROM "{table.name}" WHERE {where} {more}'  # noqa: S608  our own names; values are quoted by equal


def conditions(query: Query) -> str:
    """Conditions of a query, but for its order behind the last row."""
    tags = {name: getattr(query, name) for name in tables.FIGURE_TAGS}
    same = equals({name: value for name, value in tags.items() if value is not None})
    # Rows of the last row's own time may still be outstanding.
    start = query.start if query.after is None else max(query.start, int(str(query.after[-1])) - 1)
    return " AND ".join([*([same] if same else []), between(start, query.end)])


def first(query: Query) -> str:
    """The first page of a query."""
    return select(tables.INDICATOR, conditions(query), f"ORDER BY time LIMIT {query.limit}")


def either(tag: str, values: Iterable[str]) -> str:
    """A tag has one of these values."""
    return f"({' OR '.join(equal(tag, value) for value in sorted(set(values)))})"


def equal(tag: str, value: str) -> str:
    """A tag has a value."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"\"{tag}\" = '{escaped}'"


def equals(tags: Mapping[str, str]) -> str:
    """Tags have these values."""
    return " AND ".join(equal(name, value) for name, value in tags.items())


def among(table: Table, series: Iterable[Tags]) -> str:
    """Each tag among the values that it has in these series: a little too many rows, but a short question."""
    columns = zip(*series, strict=True)
    return " AND ".join(either(name, column) for name, column in zip(table.tags, columns, strict=True))


def windows(keys: Iterable[tuple[Tags, int]]) -> dict[tuple[int, int], list[Tags]]:
    """Stretches of time that hold the keys of a series closely, with the series that share a stretch."""
    times: defaultdict[Tags, list[int]] = defaultdict(list)
    for tags, time in keys:
        times[tags].append(time)
    found: defaultdict[tuple[int, int], list[Tags]] = defaultdict(list)
    for tags, some in times.items():
        for window in stretches(sorted(some), gap(tags)):
            found[window].append(tags)
    return found


def gap(tags: Tags) -> int:
    """Up to this pause [ns], reading the rows between is cheaper than another statement."""
    span = int(tags[1]) if len(tags) == 2 and tags[1].isdigit() else 86_400
    return max(21_600, 50 * span) * SECOND


def stretches(times: Sequence[int], gap: int) -> Iterator[tuple[int, int]]:
    """Stretches of time that hold these, without the pauses longer than the gap."""
    first = times[0]
    for before, time in pairwise(times):
        if time - before > gap:
            yield first, before
            first = time
    yield first, times[-1]


def clamped(seconds: int) -> int:
    """Seconds as far as nanoseconds reach."""
    return max(-FAR, min(FAR, seconds))


def ns(seconds: int) -> int:
    """The same in nanoseconds."""
    return clamped(seconds) * SECOND


def between(start: int, end: int) -> str:
    """After the start, up to the end [s]."""
    return f"time > {ns(start)} AND time <= {ns(end)}"


def place(key: tuple[object, ...]) -> tuple[object, ...]:
    """Order of figures: by time, then scope, figure, period, rule set, basis."""
    figure, period, scope, rule_set, basis, time = key
    return time, scope, figure, period, rule_set, basis
