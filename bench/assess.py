"""`lanbi assess` on tables of a million rows: the whole command, from its start to the file that it wrote, and its memory (≤ 5 s, ≤ 1 GB).

Values are drawn at random in the resolution that instruments write, which is the worst case: what repeats is looked at once. A table of
drifts in which nothing agrees is one of ten thousand alarms. Processor time is the operating system's account of the finished command.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.common import Bench, fix_threads

fix_threads(1)

import numpy as np
import numpy.typing as npt

from domain.civil import HOUR_S, iso, parse_time

ROOT: Final = Path(__file__).resolve().parent.parent
BEGIN: Final = parse_time("2018-01-01T00:00:00+08:00")
AIR: Final = {"pm25": (5, 200, 0), "pm10": (10, 300, 0), "so2": (1, 60, 0), "no2": (1, 90, 0), "co": (0.1, 3, 1), "o3": (1, 250, 0)}
WATER: Final = {"temp": (0, 30, 1), "ph": (6, 9, 2), "do": (1, 12, 2), "codmn": (1, 18, 2), "nh3n": (0.02, 3, 3), "tp": (0.01, 0.5, 3), "tn": (0.5, 9, 2)}
"""Smallest, largest and decimals of each item."""
METER: Final = """[[meter]]
id = "m-{}"
enterprise = "e-1"
medium = "electricity"
role = "production"
unit = "kWh"
resolution = "0.01"
modulus = "1000000"
max_power = "100"
multiplier = "1"
"""
REGISTRY: Final = '[county]\nid = "c"\nname = "县"\n[[enterprise]]\nid = "e-1"\nname = "厂"\ntown = "镇"\nindustry = "aluminium"\n'
METERS: Final = 20
MEGABYTE: Final = 1_024


class Kind(NamedTuple):
    """A table of places: its first column, how many places, seconds between times, items, and whether the type of water stands in it."""

    head: str
    count: int
    step_s: int
    items: dict[str, tuple[float, float, int]]
    body: str = ""


def places(path: Path, kind: Kind, rows: int) -> None:
    """A table of places, time by time."""
    chance = np.random.default_rng(1)
    times = [iso(BEGIN + kind.step_s * number) for number in range(-(-rows // kind.count))]
    tail = f",{kind.body}" if kind.body else ""
    with path.open("w", encoding="utf-8") as file:
        file.write(",".join([kind.head, "time", *kind.items, *(["type"] if kind.body else [])]) + "\n")
        for time in times:
            drawn = [_drawn(chance, kind.count, *span) for span in kind.items.values()]
            file.writelines(f"s{place:03d},{time},{','.join(cells)}{tail}\n" for place, cells in enumerate(zip(*drawn, strict=True)))


def _drawn(chance: np.random.Generator, count: int, low: float, high: float, digits: int) -> Iterator[str]:
    values: npt.NDArray[np.float64] = chance.uniform(low, high, count)
    return (f"{value:.{digits}f}" for value in values.tolist())


def registers(path: Path, rows: int) -> None:
    """A table of meters that count up every quarter of an hour, meter by meter."""
    chance = np.random.default_rng(2)
    each = rows // METERS
    times = [iso(BEGIN + 900 * number) for number in range(each)]
    with path.open("w", encoding="utf-8") as file:
        file.write("meter,time,register\n")
        for meter in range(METERS):
            units = np.cumsum(chance.integers(0, 200, each))
            file.writelines(f"m-{meter},{time},{number / 100:.2f}\n" for time, number in zip(times, units.tolist(), strict=True))


def spent(words: Sequence[str]) -> tuple[float, float]:
    """Processor seconds of a command and the most memory that it held [MB]."""
    child = subprocess.Popen([sys.executable, "-m", "lanbi", "assess", *words], cwd=ROOT, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    assert child.returncode == 0, words
    return used.ru_utime + used.ru_stime, used.ru_maxrss / MEGABYTE


def main() -> None:
    """All commands that read a table of readings."""
    bench = Bench.start("assess")
    rows = 20_000 if bench.quick else 1_000_000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        places(folder / "air.csv", Kind("site", 20, HOUR_S, AIR), rows)
        places(folder / "water.csv", Kind("section", 100, 4 * HOUR_S, WATER, "river"), rows)
        registers(folder / "meters.csv", rows)
        (folder / "county.toml").write_text(REGISTRY + "".join(METER.format(number) for number in range(METERS)), encoding="utf-8")
        cases = {kind: [str(folder / "air.csv")] for kind in ("air-hourly", "air-rolling", "air-daily", "air-year", "stuck", "drift")}
        cases |= {"water": [str(folder / "water.csv")], "meters": [str(folder / "meters.csv"), "--registry", str(folder / "county.toml")]}
        for kind, words in cases.items():
            found = [spent([kind, *words, "-o", str(folder / "out")]) for _ in range(1 if bench.quick else 3)]
            bench.add(f"assess {kind}, {rows:,} rows", sorted(found)[len(found) // 2][0], "s")
            bench.add(f"assess {kind}, {rows:,} rows: memory", max(most for _, most in found), "MB")
    bench.finish()


if __name__ == "__main__":
    main()
