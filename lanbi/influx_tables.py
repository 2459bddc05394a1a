"""Tables of the InfluxDB store as values, and rows to line protocol and back. Pure: no network here.

Line protocol is built here and not by the client's ``Point``: 2 µs a line instead of 21, and what is sent is what is tested.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from domain.errors import StoreRefused
from domain.indicators import Event, Indicator, Restatement
from domain.items import BY_REALM, REALMS
from domain.readings import Change, Entry, Reading

SECOND: Final = 10**9
SEQUENCE: Final = 7_258_118_400 * SECOND
"""Rows that are numbered and have no instant of their own (change, entry) stand at 2200-01-01 + number.

Following them is then a look at an index instead of a scan, and no retention reaches them.
"""
ENTRY_STEP: Final = 100_000
"""Entries of one journal record stand 1 ns apart; records this far."""
WITHDRAWN: Final = "W"
VALID: Final = "N"

RAW: Final = ""
METER: Final = "-meter"
FIGURES: Final = "-figures"
BUCKETS: Final = (RAW, METER, FIGURES)
"""Suffixes behind the prefix of the settings."""

FIGURE_TAGS: Final = ("figure", "period", "scope", "rule_set", "basis")
FIGURE_FLOATS: Final = ("value", "valid", "expected", "target", "margin", "low90", "high90", "computed", "version")


class Table(NamedTuple):
    """A measurement: its bucket, tags, float and text fields, and the field that every row has."""

    name: str
    bucket: str
    tags: tuple[str, ...]
    floats: tuple[str, ...]
    texts: tuple[str, ...]
    always: str

    @property
    def columns(self) -> tuple[str, ...]:
        """Everything but time."""
        return (*self.tags, *self.floats, *self.texts)


class Row(NamedTuple):
    """One row: tag values, time [ns] and the fields that it has."""

    tags: tuple[str, ...]
    time: int
    fields: dict[str, float | str]


def _readings(kind: str) -> Table:
    items = BY_REALM[kind]
    return Table(kind, METER if kind == "meter" else RAW, ("site", "span"), ("rev", *items), tuple(f"{name}_f" for name in items), "rev")


READINGS: Final = MappingProxyType({kind: _readings(kind) for kind in REALMS})
CHANGE: Final = Table("change", RAW, ("ingest",), ("n", "day"), ("sites",), "n")
INDICATOR: Final = Table("indicator", FIGURES, FIGURE_TAGS, FIGURE_FLOATS, ("status", "text"), "version")
RESTATEMENT: Final = Table("restatement", FIGURES, FIGURE_TAGS, ("version", "old", "new", "made"), ("old_status", "new_status", "cause"), "version")
EVENT: Final = Table("event", FIGURES, ("kind", "source"), ("value",), ("text",), "text")
ENTRY: Final = Table("entry", FIGURES, ("kind", "writer"), ("seq",), ("ref", "received", "person", "body"), "seq")
TABLES: Final = (*READINGS.values(), CHANGE, INDICATOR, RESTATEMENT, EVENT, ENTRY)


def line(table: Table, row: Row) -> str:
    """The row in line protocol, time in ns.

    Raises
    ------
    StoreRefused
        A number that is not finite: the database would refuse the whole body for it.
    """
    parts = [f"{name}={value!r}" if isinstance(value, float) else f'{name}="{_escaped(value)}"' for name, value in row.fields.items()]
    if not all(math.isfinite(value) for value in row.fields.values() if isinstance(value, float)):
        raise StoreRefused("a value is not a finite number", f"{table.name} {' '.join(row.tags)} {row.time // SECOND}", "this is a fault of lanbi: report it")
    return f"{series(table, row.tags)} {','.join(parts)} {row.time}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


@lru_cache(maxsize=65_536)
def series(table: Table, tags: tuple[str, ...]) -> str:
    """Measurement and tags, escaped; an empty tag is written as none at all."""
    escaped = [value.replace(",", "\\,").replace("=", "\\=").replace(" ", "\\ ") for value in tags]
    if any("\n" in value or value.endswith("\\") for value in tags):
        raise StoreRefused("an id with a line end or a backslash at its end", f"{table.name} {tags!r}", "use ids of letters, digits, _ and -")
    return ",".join([table.name, *(f"{name}={value}" for name, value in zip(table.tags, escaped, strict=True) if value)])


def rows_of(table: Table, answer: pa.Table) -> Iterator[Row]:
    """Rows of an answer; a column without any value costs nothing."""
    tags = [_strings(answer.column(name)) for name in table.tags]
    fields = [name for name in (*table.floats, *table.texts) if answer.column(name).null_count < len(answer)]
    values = zip(*(answer.column(name).to_pylist() for name in fields), strict=True) if fields else iter([()] * len(answer))
    times = answer.column("time").to_pylist()
    keys = zip(*tags, strict=True) if tags else iter([()] * len(answer))
    for key, time, row in zip(keys, times, values, strict=True):
        yield Row(key, time, {name: value for name, value in zip(fields, row, strict=True) if value is not None})


def _strings(column: Any) -> list[str]:
    return [value or "" for value in column.to_pylist()]


def reading_row(reading: Reading) -> Row:
    """A reading as it is sent; a withdrawn item is its flag alone."""
    fields: dict[str, float | str] = {"rev": float(reading.rev)}
    for name, value in reading.values.items():
        if value is not None:
            fields[name] = float(value)
    for name, flag in reading.flags.items():
        fields[f"{name}_f"] = flag
    for name, value in reading.values.items():
        if value is None:
            fields[f"{name}_f"] = WITHDRAWN
    return Row((reading.source, str(reading.span)), reading.time * SECOND, fields)


def say_flags(row: Row, items: tuple[str, ...]) -> None:
    """Write N for every item carried: fields merge, so silence would leave an old flag standing."""
    for name in items:
        if name in row.fields:
            row.fields.setdefault(f"{name}_f", VALID)


def reading_of(kind: str, row: Row) -> Reading | None:
    """The reading of a row; None while the database shows only a part of it (it makes fields visible one by one)."""
    fields: Mapping[str, Any] = row.fields
    values: dict[str, float | None] = {}
    flags: dict[str, str] = {}
    for name in BY_REALM[kind]:
        value, flag = fields.get(name), fields.get(f"{name}_f", VALID)
        if value is not None or flag == WITHDRAWN:
            values[name] = value
            if flag != VALID:
                flags[name] = flag
    if "rev" not in fields or not values:
        return None
    return Reading(kind, row.tags[0], int(row.tags[1]), row.time // SECOND, values, flags, int(fields["rev"]))


def columns_of(kind: str, answer: pa.Table) -> tuple[npt.NDArray[Any], ...]:
    """Time [s], values and flags of the readings of one series; rows of which the database shows only a part are left out."""
    items = BY_REALM[kind]
    values = np.stack([answer.column(name).to_numpy() for name in items], axis=1)
    flags = np.where(np.isnan(values), 0, ord(VALID)).astype(np.uint8)
    for place, name in enumerate(items):
        column = answer.column(f"{name}_f")
        told = enumerate(column.to_pylist()) if column.null_count < len(column) else ()
        for row, flag in told:
            if flag is not None and (flag == WITHDRAWN or flags[row, place]):
                flags[row, place] = ord(flag)
    whole = answer.column("rev").is_valid().to_numpy() & (flags != 0).any(axis=1)
    return answer.column("time").to_numpy()[whole] // SECOND, values[whole], flags[whole]


def change_row(change: Change) -> Row:
    """A change stands at its number, so that the ones behind a number are a range of time."""
    return Row((change.ingest,), SEQUENCE + change.n, {"n": float(change.n), "day": float(change.day), "sites": " ".join(change.sites)})


def change_of(row: Row) -> Change:
    """The change of a row."""
    return Change(row.tags[0], int(row.fields["n"]), int(row.fields["day"]), tuple(str(row.fields.get("sites", "")).split()))


def indicator_row(figure: Indicator) -> Row:
    """A figure; numbers that it does not have are fields that it does not have."""
    numbers = {name: getattr(figure, name) for name in FIGURE_FLOATS}
    fields: dict[str, float | str] = {name: float(value) for name, value in numbers.items() if value is not None}
    return Row(figure.key[:5], figure.time * SECOND, {**fields, "status": figure.status, "text": figure.text})


def indicator_of(row: Row) -> Indicator:
    """The figure of a row."""
    tags: dict[str, Any] = dict(zip(FIGURE_TAGS, row.tags, strict=True))
    fields: Mapping[str, Any] = row.fields
    return Indicator(**tags, time=row.time // SECOND, **fields)


def restatement_row(one: Restatement) -> Row:
    """A restatement stands at the figure's time plus its version in ns: repeated, it overwrites itself."""
    numbers = {name: getattr(one, name) for name in RESTATEMENT.floats}
    fields: dict[str, float | str] = {name: float(value) for name, value in numbers.items() if value is not None}
    fields |= {name: getattr(one, name) for name in RESTATEMENT.texts}
    return Row(one[:5], one.time * SECOND + one.version, fields)


def restatement_of(row: Row) -> Restatement:
    """The restatement of a row."""
    fields: Mapping[str, Any] = row.fields
    version = int(fields["version"])
    old, new = (fields.get(f"{when}_status", "") for when in ("old", "new"))
    changed = (fields.get("old"), fields.get("new"), old, new, int(fields["made"]), fields.get("cause", ""))
    return Restatement._make([*row.tags, (row.time - version) // SECOND, version, *changed])


def event_row(event: Event) -> Row:
    """An event."""
    fields: dict[str, float | str] = {"text": event.text}
    return Row((event.kind, event.source), event.time * SECOND, fields if event.value is None else fields | {"value": float(event.value)})


def event_of(row: Row) -> Event:
    """The event of a row."""
    fields: Mapping[str, Any] = row.fields
    return Event(row.tags[0], row.tags[1], row.time // SECOND, fields.get("value"), fields.get("text", ""))


def entry_row(entry: Entry) -> Row:
    """An entry stands at its place in the journal; its receipt is text, because no float holds nanoseconds."""
    writer, _, place = entry.id.partition("/")
    seq, _, index = place.partition("#")
    time = SEQUENCE + int(seq) * ENTRY_STEP + int(index or 0)
    body = json.dumps(entry.body, ensure_ascii=False)
    return Row((entry.kind, writer), time, {"seq": float(seq), "ref": entry.id, "received": str(entry.received_ns), "person": entry.user, "body": body})


def entry_of(row: Row) -> Entry:
    """The entry of a row."""
    fields: Mapping[str, Any] = row.fields
    return Entry(row.tags[0], fields["ref"], int(fields["received"]), fields.get("person", ""), json.loads(fields["body"]))
