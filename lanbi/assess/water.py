"""Surface-water classes: of automatic records on displayed values, as the national platform does, or of manual ones by 21 items."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Final, NamedTuple

from domain import civil, fixed, water
from domain.errors import FileError
from domain.items import ITEMS
from domain.places import BODIES
from lanbi.assess import files, rows

ITEMS_READ: Final = ("temp", "ph", "do", "codmn", "nh3n", "tp", "tn")
MOST: Final = 100_000
"""mg/L of anything: more is another unit."""
HEADER: Final = ("section", "time", "class", "deciding", "type")


class _Record(NamedTuple):
    """One row: section, instant, class with the items at it, water body."""

    section: str
    time: int
    worst: int | None
    deciding: list[str]
    body: str


def answer(name: str, types: str | None, method: str = "auto") -> Iterator[bytes]:
    """CSV of section, time, class, deciding items and type, ordered as the input; of equal keys the last row counts."""
    bodies = _types(types) if types else {}
    records: dict[tuple[str, int], _Record] = {}
    read = 0
    for record in _records(name, bodies, method):
        read += 1
        records.pop((record.section, record.time), None)
        records[record.section, record.time] = record
    if read > len(records):
        files.warn(f"{name}: {read - len(records)} rows repeat a key; the last of each counts")
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows(_row(record) for record in records.values())
    yield out.getvalue().encode()


_iso: Final = lru_cache(maxsize=1 << 17)(civil.iso)
"""Many sections share a time."""


def _row(record: _Record) -> Sequence[object]:
    return record.section, _iso(record.time), record.worst or "", "+".join(record.deciding), record.body


def _records(name: str, bodies: dict[str, str], method: str) -> Iterator[_Record]:
    for where, row in rows.read(name, ("section", "time", *ITEMS_READ), ("type", *water.MANUAL))[1]:
        section = rows.filled(row["section"], where, "section")
        body = row.get("type") or bodies.get(section, "")
        if body not in BODIES:
            known = f"{body!r} is no type" if body else f"no type for section {section!r}"
            raise FileError(known, f"{where}, column type", "write river or lake in a column 'type', or give --types FILE")
        worst, deciding = (_manual if method == "manual" else _automatic)(row, body, where)
        yield _Record(section, rows.time(row["time"], where), worst, deciding, body)


def _automatic(row: dict[str, str], body: str, where: str) -> tuple[int | None, list[str]]:
    return water.judge({item: value for item in ITEMS_READ if (value := _cell(row[item], item, where)) is not None}, body)


def _manual(row: dict[str, str], body: str, where: str) -> tuple[int | None, list[str]]:
    results = {item: _measured(row[item], item, where) for item in water.MANUAL if row.get(item)}
    return water.manual(results, body, _number(row["temp"], "temp", where) if row["temp"] else None)


def _measured(text: str, item: str, where: str) -> water.Measured:
    """A result; ``<0.01`` and ``0.01L`` (HJ 91.2) are below the detection limit of 0.01."""
    below = text.startswith("<") or text[-1:] in {"L", "l"}
    return water.Measured(_number(text.lstrip("<").rstrip("Ll") if below else text, item, where, text), below)


def _cell(text: str, item: str, where: str) -> int | None:
    if not text:
        return None
    known = _displayed(text, item)
    return _thousandths(text, item, where) if known is None else known


@lru_cache(maxsize=1 << 17)
def _displayed(text: str, item: str) -> int | None:
    """Displayed thousandths of a cell, None for one that is wrong: a large table says the same few thousand numbers again and again."""
    try:
        return _thousandths(text, item, "")
    except FileError:
        return None


def _thousandths(text: str, item: str, where: str) -> int:
    return fixed.from_decimal(water.displayed(_number(text, item, where), ITEMS["water", item].digits))


def _number(text: str, item: str, where: str, cell: str = "") -> Decimal:
    """A number within its range; ``cell`` is what the file says where that is more than the number."""
    known = ITEMS.get(("water", item))
    low, high, unit = (known.low, known.high, known.unit) if known else (0, MOST, "mg/L")
    try:
        value = Decimal(text) if "_" not in text else Decimal("NaN")
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite():
        raise FileError(f"not a number: {(cell or text)!r}", f"{where}, column {item}", "write a decimal number, or leave the cell empty")
    if not low <= value <= high:
        raise FileError(f"outside the range {low:g}…{high:g} {unit}: {(cell or text)!r}", f"{where}, column {item}", "check the unit")
    return value


def _types(name: str) -> dict[str, str]:
    return {row["section"]: row["type"] for _, row in rows.read(name, ("section", "type"))[1]}
