"""What one changed value costs, and the calculator as a whole process."""

from __future__ import annotations

import itertools
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from analytics import bases, cube
from analytics.air.days import Days
from analytics.jobs import scopes, stations
from analytics.jobs.sheets import Sheet, Shelf
from bench.common import Bench
from bench.parts.air import HOURS, Ints

SITES: Final = 20
TURNS: Final = 10
CHANGES: Final = 1_009
"""Changed values that are drawn beforehand; no multiple of the sites, so that each gets others every time."""
ROWS: Final = 1_000_000
ROWS_QUICK: Final = 100_000
_WATCHED: Final = """
import resource, subprocess, sys, time
begun = time.perf_counter()
subprocess.run(sys.argv[1:], check=True)
print(time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)
"""


def sites(hours: Ints) -> list[tuple[str, cube.SiteYear]]:
    """Site-years with their names."""
    made = []
    for place in range(SITES):
        one = cube.empty(2025)
        one.hours[24 * cube.BACK :] = hours[:, place]
        made.append((f"s{place}", one))
    return made


def run(bench: Bench, hours: Ints) -> None:
    """Everything that is recomputed of a site's year, both rule sets: when one of its values changed, and when nothing is known of it yet.

    The sites take turns, so that none is still in the core's cache when it comes again. A changed value is taken back afterwards, so
    that what is kept stays what was there before.
    """
    some, shelf, nothing = sites(hours), Shelf(), bases.Marks()
    at = stations.Span(some[0][1].first, 365, 365, HOURS)
    known: dict[str, Days] = {}
    cells = itertools.cycle(np.random.default_rng(3).integers(0, (365, 24, 6), (CHANGES, 3)).tolist())

    def whole(name: str, one: cube.SiteYear) -> list[Sheet]:
        return scopes.sheets(one, nothing, name, at)[1]

    def changed(name: str, one: cube.SiteYear, *, looked: bool = False) -> None:
        day, hour, item = next(cells)
        cell = 24 * (cube.BACK + day) + hour, item
        before, one.hours[cell] = int(one.hours[cell]), 1_000 * (day + 1)
        found = scopes.sheets(one, nothing, name, at, stations.Again(shelf.sheet, [day], known[name]))[1]
        assert not looked or _said(found) == _said(whole(name, one)), "what is kept and what is made anew are the whole"
        one.hours[cell] = before

    for name, one in some:
        known[name] = scopes.site(one, nothing, name, at.begun).raw
        for sheet in whole(name, one):
            shelf.put(sheet)
        changed(name, one, looked=True)
    turns = TURNS * some
    changes, anew = bench.race(lambda: [changed(*one) for one in turns], lambda: [whole(*one) for one in turns])
    what = "all stored columns (hours, days, running figures, closed periods)"
    bench.add(f"one site-year after a changed value: {what}", changes / TURNS / SITES * 1e6, "µs")
    bench.add(f"one site-year from nothing: {what}", anew / TURNS / SITES * 1e6, "µs")


def _said(found: list[Sheet]) -> list[list[object]]:
    return [[one.kind, *(getattr(one, name).tolist() for name in ("units", "valid", "status", "text"))] for one in found]


def calculator(bench: Bench) -> None:
    """Rows through `lanbi assess air-hourly`: the whole process, the kernels' machine code being there already."""
    rows = ROWS_QUICK if bench.quick else ROWS
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "hours.csv")
        _write(source, rows)
        command = [sys.executable, "-c", _WATCHED, sys.executable, "-m", "lanbi", "assess", "air-hourly", str(source), "-o", str(Path(folder, "out.csv"))]
        runs = []
        for _ in range(3):
            told = subprocess.run(command, check=True, cwd=Path(__file__).resolve().parents[2], capture_output=True, text=True).stdout
            runs.append([float(word) for word in told.split()])
    seconds, peak = min(runs[1:])
    bench.add(f"assess air-hourly, {rows} rows, whole process", seconds, "s")
    bench.add(f"assess air-hourly, {rows} rows, peak memory", peak, "MB")


def _write(path: Path, rows: int) -> None:
    generator = np.random.default_rng(2)
    stamps = pd.date_range("2025-01-01T01:00", periods=HOURS, freq="h").strftime("%Y-%m-%dT%H:%M:%S").tolist()
    units = generator.integers(0, 300, (rows, 5))
    co = generator.integers(0, 40, rows) / 10
    with path.open("w", encoding="utf-8") as file:
        file.write("site,time,pm25,pm10,so2,no2,co,o3\n")
        file.writelines(f"s{n // HOURS},{stamps[n % HOURS]},{a},{b},{c},{d},{co[n]},{e}\n" for n, (a, b, c, d, e) in enumerate(units.tolist()))
