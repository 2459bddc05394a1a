"""Any hourly or finer table of sites and items, for the calculators of data quality: ``site,time,`` and item columns."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from domain import civil
from domain.errors import FileError
from domain.items import AIR, BY_REALM
from lanbi.assess import files

Longs = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
KNOWN: Final = tuple(dict.fromkeys([*AIR, "o3_8h", *BY_REALM["air"], *BY_REALM["water"]]))


class Site(NamedTuple):
    """One site: ascending times [s] and its columns, NaN = empty cell."""

    times: Longs
    items: dict[str, Floats]


def read(name: str) -> dict[str, Site]:
    """Sites in the order of their first row; of equal keys the last row counts.

    Raises
    ------
    FileError
        A missing column, a bad number or time, with file, line and column.
    """
    sites: dict[str, dict[int, list[float]]] = {}
    repeated = 0
    rows = _rows(name)
    items: list[str] = next(rows)[1]
    for where, cells in rows:
        table = sites.setdefault(_site(cells[0], where), {})
        time = _time(cells[1], where)
        repeated += time in table
        table[time] = [_number(text, item, where) for text, item in zip(cells[2:], items, strict=True)]
    if repeated:
        files.warn(f"{name}: {repeated} rows repeat a key; the last of each counts")
    return {site: _columns(table, items) for site, table in sites.items()}


def _columns(table: dict[int, list[float]], items: list[str]) -> Site:
    times = sorted(table)
    values = np.array([table[time] for time in times], np.float64).reshape(len(times), len(items))
    return Site(np.array(times, np.int64), {item: np.ascontiguousarray(values[:, place]) for place, item in enumerate(items)})


def _rows(name: str) -> Iterator[tuple[str, list[str]]]:
    """First the items, then every row as site, time and their cells."""
    try:
        text = files.read(name).decode("utf-8")
    except UnicodeDecodeError as error:
        raise FileError("the file is not UTF-8", name, "save it as CSV UTF-8") from error
    reader = csv.reader(io.StringIO(text, newline=""))
    header = [cell.strip() for cell in next(reader, [])]
    items = [column for column in header if column in KNOWN]
    missing = [column for column in ("site", "time") if column not in header]
    if missing or not items:
        raise FileError(f"column missing: {', '.join(missing or ['an item'])}", f"{name}, line 1", f"needed are site,time and items of {','.join(KNOWN)}")
    if unknown := [column for column in header if column not in {"site", "time", *items}]:
        files.warn(f"{name}: columns ignored: {', '.join(unknown)}")
    yield "", items
    places = [header.index(column) for column in ("site", "time", *items)]
    for cells in reader:
        if not cells:
            continue
        where = f"{name}, line {reader.line_num}"
        if len(cells) != len(header):
            raise FileError(f"{len(cells)} cells under {len(header)} columns", where, "complete the row")
        yield where, [cells[place].strip() for place in places]


def _site(text: str, where: str) -> str:
    if not text:
        raise FileError("an empty cell", f"{where}, column site", "every row needs it")
    return text


def _time(text: str, where: str) -> int:
    try:
        return civil.parse_time(text, civil.SHANGHAI)
    except ValueError:
        raise FileError(f"not a time: {text!r}", f"{where}, column time", "write YYYY-MM-DDThh:mm:ss") from None


def _number(text: str, item: str, where: str) -> float:
    if not text:
        return math.nan
    try:
        value = float(text) if "_" not in text else math.nan
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise FileError(f"not a number: {text!r}", f"{where}, column {item}", "write a decimal number, or leave the cell empty")
    return value
