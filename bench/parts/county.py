"""A county as a whole: from the store to all figures after a cold start, the memory of a province, the cost of a station."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any, Final

import numpy as np

from bench.common import Bench
from bench.parts import cold
from bench.parts.air import Ints
from bench.parts.years import ours
from domain import civil
from domain.items import AIR
from domain.readings import Reading
from lanbi.embedded import EmbeddedStore

COUNTY: Final = 20
COUNTY_QUICK: Final = 4
PROVINCE: Final = 300
STARTS: Final = 5
MINUTE_DAYS: Final = 2
CROWDS: Final = (10, 100, 1_000, 10_000)
BATCH: Final = 5_000
_ROOT: Final = Path(__file__).resolve().parents[2]


def run(bench: Bench) -> None:
    """A year of hours, minutes of the last two days: the first start, which writes all figures, and a later one, which compares them."""
    stations = COUNTY_QUICK if bench.quick else COUNTY
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder, "store.db")
        _fill(store, stations)
        _start(1, None)  # whatever has to be compiled is compiled now
        first, later = [], []
        for _ in range(1 if bench.quick else STARTS):
            copy = Path(folder, "copy.db")
            shutil.copyfile(store, copy)
            first.append(_start(stations, copy))
            later.append(_start(stations, copy))
            for one in Path(folder).glob("copy.db*"):
                one.unlink()
    for case, told in (("nothing stored yet", first), ("figures stored already", later)):
        own = {name: median(one[name] for one in told) for name in told[0]}
        head = f"county of {stations} stations, cold start, {case}"
        bench.add(f"{head}: reading and computing", own["start"] + own["read"] + own["compute"], "s of processor")
        bench.add(f"{head}: of that interpreter, libraries and warm kernels", own["start"], "s of processor")
        bench.add(f"{head}: of that reading the store", own["read"], "s of processor")
        bench.add(f"{head}: besides, writing {own['rows']:.0f} rows", own["write"], "s of processor")


def memory(bench: Bench) -> None:
    """Analytics of many stations, this year and the last in memory."""
    told = _start(PROVINCE, None)
    bench.add(f"analytics of {PROVINCE} stations, two years: memory after the start", told["now"], "MB")
    bench.add(f"analytics of {PROVINCE} stations, two years: largest during the start", told["peak"], "MB")


def crowds(bench: Bench, hours: Ints) -> None:
    """Hours to days to year figures of more and more stations side by side: what one of them costs."""
    sizes = CROWDS[:-1] if bench.quick else CROWDS
    costs = {}
    for size in sizes:
        many = np.ascontiguousarray(np.concatenate([hours] * -(-size // hours.shape[1]), axis=1)[:, :size])
        # Small crowds in turns, so that each race is long enough to be timed.
        turns = max(1, 200 // size)
        (seconds,) = bench.race(lambda many=many, turns=turns: [ours(many) for _ in range(turns)])
        costs[size] = seconds / turns / size * 1e6
    for size, cost in costs.items():
        bench.add(f"hours to days to year figures, cost of one of {size} stations", cost, "µs", peer=costs[100], peer_name="one of 100")


def _start(stations: int, store: Path | None) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.parts.cold", str(stations), *([str(store)] if store else [])]
    told: dict[str, Any] = json.loads(subprocess.run(command, check=True, cwd=_ROOT, capture_output=True, text=True).stdout)
    return {name: float(value) for name, value in told.items()}


def _fill(path: Path, stations: int) -> None:
    store = EmbeddedStore(path)
    for number in range(stations):
        rows = _rows(number)
        while part := [row for _, row in zip(range(BATCH), rows, strict=False)]:
            store.write(part)
    store.checkpoint()
    store.close()


def _rows(number: int) -> Iterator[Reading]:
    """A station's hours, two in a hundred values missing; the last days minute by minute."""
    chance = np.random.default_rng(number)
    values = np.round(chance.lognormal(np.log(cold.MEDIANS), 0.4, (24 * cold.DAYS, len(AIR))), 1)
    there = chance.random(values.shape) > 0.02
    start, whole = civil.day_start(cold.FIRST), 24 * (cold.DAYS - MINUTE_DAYS)
    for hour in range(whole):
        known = {item: value for item, value, has in zip(AIR, values[hour].tolist(), there[hour].tolist(), strict=True) if has}
        yield Reading("air", cold.name(number), civil.HOUR_S, start + civil.HOUR_S * (hour + 1), known, {}, hour)
    for minute in range(MINUTE_DAYS * 1_440 - 720):
        known = dict(zip(AIR, values[whole + minute // 60].tolist(), strict=True))
        yield Reading("air", cold.name(number), 60, start + civil.HOUR_S * whole + 60 * (minute + 1), known, {}, minute)
