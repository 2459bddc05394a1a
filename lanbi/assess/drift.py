"""Drifting sensors of a table of hours, as CSV: each site against its neighbours."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np

from analytics import drift
from domain import civil
from domain.errors import FileError
from domain.items import ITEMS
from lanbi.assess import files, rows, series

HEADER: Final = ("site", "item", "kind", "onset", "detected", "size", "unit")
Hours = drift.Floats


def answer(name: str, neighbours: str | None) -> Iterator[bytes]:
    """CSV of site, item, kind, onset, time of detection, size (% of the truth, of an offset the item's unit)."""
    sites = series.read(name)
    names = list(sites)
    beside = _neighbours(neighbours, names) if neighbours else {site: [other for other in names if other != site] for site in names}
    lonely = [site for site in names if not beside[site]]
    if lonely:
        files.warn(f"{name}: no neighbours, so nothing can be compared: {', '.join(lonely)}")
    first, grid = _grid(sites)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADER)
    for place, site in enumerate(names):
        for item, table in grid.items():
            proxy = drift.proxy(table, place, [names.index(other) for other in beside[site]])
            writer.writerows([site, *_row(one, first)] for one in drift.find(item, np.ascontiguousarray(table[:, place]), proxy))
    yield out.getvalue().encode()


def _row(one: drift.Drift, first: int) -> Sequence[str]:
    if one.kind == "divergence":
        onset, detected = civil.day_start(first) + one.onset * civil.HOUR_S, civil.day_start(first) + (one.detected + 1) * civil.HOUR_S
    else:
        onset, detected = civil.day_start(first + one.onset), civil.day_end(first + one.detected)
    size, unit = (one.size, _unit(one.item)) if one.kind == "offset" else (100 * one.size, "%")
    return one.item, one.kind, civil.iso(onset), civil.iso(detected), f"{size:.3g}", unit


def _unit(item: str) -> str:
    return ITEMS["air", item].unit if ("air", item) in ITEMS else ITEMS["water", item].unit


def _grid(sites: Mapping[str, series.Site]) -> tuple[int, dict[str, Hours]]:
    """First civil day, and per item the hours of whole days: (24·d, sites); several readings of an hour count as their mean."""
    times = [site.times for site in sites.values() if len(site.times)]
    if not times:
        return 0, {}
    first = civil.day_of(min(int(one[0]) for one in times))
    last = civil.day_of(max(int(one[-1]) for one in times))
    hours = 24 * (last - first + 1)
    items = list(next(iter(sites.values())).items)
    grid = {item: np.full((hours, len(sites)), np.nan) for item in items}
    for place, site in enumerate(sites.values()):
        hour = (site.times - 1 - civil.day_start(first)) // civil.HOUR_S
        for item, values in site.items.items():
            valid = ~np.isnan(values)
            count = np.bincount(hour[valid], minlength=hours)
            total = np.bincount(hour[valid], weights=values[valid], minlength=hours)
            grid[item][:, place] = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return first, grid


def _neighbours(name: str, names: Sequence[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {site: [] for site in names}
    for where, row in rows.read(name, ("site", "neighbour"))[1]:
        site, other = row["site"], row["neighbour"]
        unknown = [one for one in (site, other) if one not in found]
        if unknown:
            raise FileError(f"no such site in the table: {unknown[0]!r}", where, "columns are site,neighbour, one pair a row")
        found[site].append(other)
    return found
