"""Any hourly or finer table of sites and items, for the calculators of data quality: ``site,time,`` and item columns."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

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
    sites: dict[str, dict[int, list[float]]] = {}
    repeated = 0
    header, table = rows.read(name, ("site", "time"), KNOWN)
    items = [column for column in header if column in KNOWN]
    if not items:
        raise FileError("column missing: an item", f"{name}, line 1", f"needed are site,time and items of {','.join(KNOWN)}")
    for where, row in table:
        site = sites.setdefault(rows.filled(row["site"], where, "site"), {})
        time = rows.time(row["time"], where)
        repeated += time in site
        site[time] = [_number(row[item], item, where) for item in items]
    if repeated:
        files.warn(f"{name}: {repeated} rows repeat a key; the last of each counts")
    return {name: _columns(site, items) for name, site in sites.items()}


def _columns(table: dict[int, list[float]], items: list[str]) -> Site:
    times = sorted(table)
    values = np.array([table[time] for time in times], np.float64).reshape(len(times), len(items))
    return Site(np.array(times, np.int64), {item: np.ascontiguousarray(values[:, place]) for place, item in enumerate(items)})


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
