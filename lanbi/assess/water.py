"""Surface-water classes: of automatic records on displayed values, as the national platform does, or of manual ones by 21 items."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from functools import partial
from itertools import islice
from typing import Final, NoReturn

from domain import civil, fixed, water
from domain.errors import FileError
from domain.items import ITEMS
from domain.places import BODIES
from lanbi.assess import files, rows

ITEMS_READ: Final = ("temp", "ph", "do", "codmn", "nh3n", "tp", "tn")
MOST: Final = 100_000
"""mg/L of anything: more is another unit."""
HEADER: Final = ("section", "time", "class", "deciding", "type")


WRONG: Final = -1
ROWS: Final = 50_000
"""Of a part of the output."""


Record = tuple[str, str, str]
"""One row: section, instant as it is written, and the cells behind them."""


def answer(name: str, types: str | None, method: str = "auto") -> Iterator[bytes]:
    """CSV of section, time, class, deciding items and type, ordered as the input; of equal keys the last row counts."""
    bodies = _types(types) if types else {}
    records: dict[tuple[str, str], str] = {}
    read = 0
    for section, time, told in _manual(name, bodies) if method == "manual" else _automatic(name, bodies):
        read += 1
        key = section, time
        records.pop(key, None)
        records[key] = told
    if read > len(records):
        files.warn(f"{name}: {read - len(records)} rows repeat a key; the last of each counts")
    yield f"{','.join(HEADER)}\n".encode()
    quoted, rest = rows.Known(_quoted), iter(records.items())
    while part := [f"{quoted[section]},{time},{told}\n" for (section, time), told in islice(rest, ROWS)]:
        yield "".join(part).encode()


def _quoted(text: str) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow([text])
    return out.getvalue()


def _told(worst: int | None, deciding: Iterable[str], body: str) -> str:
    """Cells of a class (empty for none), the items at it, and the type: none of them needs quotes."""
    return f"{worst or ''},{'+'.join(deciding)},{body}"


def _body(row: Mapping[str, str], section: str, bodies: Mapping[str, str], where: str) -> str:
    body = row.get("type") or bodies.get(section, "")
    if body not in BODIES:
        known = f"{body!r} is no type" if body else f"no type for section {section!r}"
        raise FileError(known, f"{where}, column type", "write river or lake in a column 'type', or give --types FILE")
    return body


def _manual(name: str, bodies: Mapping[str, str]) -> Iterator[Record]:
    for where, row in rows.read(name, ("section", "time", *ITEMS_READ), ("type", *water.MANUAL))[1]:
        section = rows.filled(row["section"], where, "section")
        body = _body(row, section, bodies, where)
        results = {item: _measured(row[item], item, where) for item in water.MANUAL if row.get(item)}
        worst, deciding = water.manual(results, body, _number(row["temp"], "temp", where) if row["temp"] else None)
        yield section, civil.iso(rows.time(row["time"], where)), _told(worst, deciding, body)


def _automatic(name: str, bodies: Mapping[str, str]) -> Iterator[Record]:
    """Records by displayed values. Each text of a column is looked at once, and each set of classes is judged once."""
    header, table = rows.lines(name, ("section", "time", *ITEMS_READ), ("type", *water.MANUAL))
    section_at, time_at, kind_at = header.index("section"), header.index("time"), header.index("type") if "type" in header else None
    sections, times = rows.Known(str), rows.Known(_instant)
    columns = {body: [(header.index(item), rows.Known(partial(_grade, item, body))) for item in ITEMS_READ] for body in BODIES}
    kinds = {section: body for section, body in bodies.items() if body in BODIES}
    verdicts: dict[tuple[str, tuple[int, ...]], str] = {}
    for line, cells in table:
        section, time = sections[cells[section_at]], times[cells[time_at]]
        body = cells[kind_at].strip() if kind_at is not None else ""
        body = body or kinds.get(section, "")
        found = tuple([known[cells[at]] for at, known in columns[body]]) if body in columns else (WRONG,)
        told = verdicts.get((body, found))
        if told is None and WRONG not in found:
            told = verdicts[body, found] = _told(*_verdict(found), body)
        if not section or time is None or told is None:
            _refuse(rows.place(name, line), dict(zip(header, map(str.strip, cells), strict=True)), bodies)
        yield section, time, told


def _grade(item: str, body: str, text: str) -> int:
    """Class of a cell that decides (of any other 1); 0 = empty, ``WRONG`` = no value of its item."""
    if not text:
        return 0
    try:
        value = fixed.from_decimal(water.displayed(_number(text, item, ""), ITEMS["water", item].digits))
    except FileError:
        return WRONG
    return water.item_class(item, value, body) if item in water.DECIDING else 1


def _verdict(found: Sequence[int]) -> tuple[int | None, list[str]]:
    return water.worst_of({item: number for item, number in zip(ITEMS_READ, found, strict=True) if item in water.DECIDING and number})


def _instant(text: str) -> str | None:
    """A time as it is written; None for what is none."""
    found = rows.instant(text)
    return None if found is None else civil.iso(found)


def _refuse(where: str, row: Mapping[str, str], bodies: Mapping[str, str]) -> NoReturn:
    """Say what is wrong about a row: the first of it that is."""
    _body(row, rows.filled(row["section"], where, "section"), bodies, where)
    for item in ITEMS_READ:
        if row[item]:
            _number(row[item], item, where)
    rows.time(row["time"], where)
    raise AssertionError(where)


def _measured(text: str, item: str, where: str) -> water.Measured:
    """A result; ``<0.01`` and ``0.01L`` (HJ 91.2) are below the detection limit of 0.01."""
    below = text.startswith("<") or text[-1:] in {"L", "l"}
    return water.Measured(_number(text.lstrip("<").rstrip("Ll") if below else text, item, where, text), below)


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
