"""Any hourly or finer table of sites and items, for the calculators of data quality: ``site,time,`` and item columns."""

from __future__ import annotations

import math
from array import array
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final, NamedTuple, NoReturn

import numpy as np
import numpy.typing as npt

from domain.errors import FileError
from domain.items import AIR, BY_REALM, ITEMS
from lanbi.assess import files, rows

Longs = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
KNOWN: Final = tuple(dict.fromkeys([*AIR, "o3_8h", *BY_REALM["air"], *BY_REALM["water"]]))


def _range(name: str) -> tuple[float, float, str]:
    """Hard range of an item with its noise below zero, and its unit; of one that air and water have, what either takes."""
    known = [ITEMS[realm, name] for realm in ("air", "water") if (realm, name) in ITEMS]
    return min(one.low - one.tiny for one in known), max(one.high for one in known), known[0].unit


_RANGES: Final = {name: _range(name) for name in KNOWN}


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
    header, table = rows.lines(name, ("site", "time"), KNOWN)
    items = [column for column in header if column in KNOWN]
    if not items:
        raise FileError("column missing: an item", f"{name}, line 1", f"needed are site,time and items of {','.join(KNOWN)}")
    site_at, time_at, sites, times = header.index("site"), header.index("time"), rows.Known(str), rows.Known(rows.instant)
    columns = [(header.index(item), rows.Known(partial(_value, item))) for item in items]
    found: dict[str, tuple[array[int], array[float]]] = {}
    for line, cells in table:
        site, time = sites[cells[site_at]], times[cells[time_at]]
        values = [known[cells[at]] for at, known in columns]
        if not site or time is None or None in values:
            _refuse(rows.place(name, line), dict(zip(header, map(str.strip, cells), strict=True)), items)
        if site not in found:
            found[site] = array("q"), array("d")
        own = found[site]
        own[0].append(time)
        own[1].extend(values)
    told = {site: _columns(np.array(own[0], np.int64), np.array(own[1]).reshape(-1, len(items)), items) for site, own in found.items()}
    if repeated := sum(len(own[0]) for own in found.values()) - sum(len(one.times) for one in told.values()):
        files.warn(f"{name}: {repeated} rows repeat a key; the last of each counts")
    return told


def _columns(times: Longs, values: Floats, items: Sequence[str]) -> Site:
    """Ascending, of equal times the last."""
    order = np.argsort(times, kind="stable")
    times = times[order]
    last = np.append(times[1:] != times[:-1], values=True)
    return Site(times[last], {item: np.ascontiguousarray(values[order[last], place]) for place, item in enumerate(items)})


def _value(item: str, text: str) -> float | None:
    """A cell, NaN if it is empty; None for no value of its item."""
    try:
        return _number(text, item, "")
    except FileError:
        return None


def _refuse(where: str, row: Mapping[str, str], items: Sequence[str]) -> NoReturn:
    """Say what is wrong about a row: the first of it that is."""
    rows.filled(row["site"], where, "site")
    rows.time(row["time"], where)
    for item in items:
        _number(row[item], item, where)
    raise AssertionError(where)


def _number(text: str, item: str, where: str) -> float:
    if not text:
        return math.nan
    try:
        value = float(text) if "_" not in text else math.nan
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise FileError(f"not a number: {text!r}", f"{where}, column {item}", "write a decimal number, or leave the cell empty")
    low, high, unit = _RANGES[item]
    if not low <= value <= high:
        raise FileError(f"outside the range {low:g}…{high:g} {unit}: {text!r}", f"{where}, column {item}", "check the unit")
    return value
