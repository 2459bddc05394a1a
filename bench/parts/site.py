"""What one changed value costs, and the calculator as a whole process."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from analytics import bases, cube
from analytics.jobs import scopes, stations
from bench.common import Bench
from bench.parts.air import HOURS, Ints

SITES: Final = 20
ROWS: Final = 1_000_000
ROWS_QUICK: Final = 100_000
_WATCHED: Final = """
import resource, subprocess, sys, time
begun = time.perf_counter()
subprocess.run(sys.argv[1:], check=True)
print(time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)
"""


def sites(hours: Ints) -> Iterator[cube.SiteYear]:
    """Site-years, one after the other and round again, so that none is still in the core's cache when its turn comes."""
    made = []
    for place in range(SITES):
        one = cube.empty(2025)
        one.hours[24 * cube.BACK :] = hours[:, place]
        made.append(one)
    return cycle(made)


def run(bench: Bench, hours: Ints) -> None:
    """Everything that is recomputed when one value of a site changes, both rule sets."""
    turn = sites(hours)
    at = stations.Span(next(turn).first, 365, 365, HOURS)

    def columns() -> int:
        site = next(turn)
        found = [*stations.hour_sheets("a", site.first, site.hours[24 * cube.BACK :]), *stations.rolling_sheets("a", site, at)]
        for basis in scopes.figures("a", scopes.site(site, bases.Marks(), "a", 365), at):
            found += basis.sheets
        return len(found)

    (seconds,) = bench.race(lambda: [columns() for _ in range(SITES)])
    bench.add("one site-year: all stored columns (hours, days, running figures, closed periods)", seconds / SITES * 1e6, "µs")


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
