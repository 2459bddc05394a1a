"""Many counties: one process after another's figures, and the same on a Dask cluster of two workers, equal to the last bit.

Each county has a store, a registry and a year of hours of its own. One process computes them in turn; two workers compute copies of
them side by side (`lanbi analyse --once`, `--dask`). Before anything is reported every table of every pair of stores is compared.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.common import Bench, fix_threads
from lanbi.machine_code import edition

fix_threads(1)
os.environ.setdefault("NUMBA_CACHE_DIR", str(Path(tempfile.gettempdir()) / "lanbi-bench-numba" / edition()))

import numpy as np
from distributed import LocalCluster

from domain import civil
from domain.items import AIR
from domain.readings import Reading
from lanbi.counties import Done, here, on_dask
from lanbi.embedded import EmbeddedStore
from lanbi.settings import Settings, load

ROOT: Final = Path(__file__).resolve().parent.parent
STATIONS: Final = 2
COUNTIES, COUNTIES_QUICK = 100, 4
STEPS: Final = (1, 10, 100)
WORKERS: Final = 2
PAIR: Final = (("main", "other"), ("other", "main"))
YEAR: Final = "2025"
FIRST: Final = civil.parse_date(f"{YEAR}-01-01")
HOURS: Final = 365 * 24
NOW: Final = civil.day_start(FIRST + 365) + 12 * civil.HOUR_S
MEDIANS: Final = (42, 80, 12, 32, 0.8, 60)
HEAD: Final = f"county of {STATIONS} stations, a year of hours"


def main() -> None:
    """Make the counties, compute both ways, compare, tell."""
    bench = Bench.start("counties")
    number = COUNTIES_QUICK if bench.quick else COUNTIES
    with tempfile.TemporaryDirectory(prefix="lanbi-counties-") as folder:
        ours = [county(Path(folder, "one"), n) for n in range(number)]
        theirs = [copied(one, Path(folder, "dask")) for one in ours]
        extra = [county(Path(folder, "extra"), number + n) for n in range(1 + WORKERS)]
        list(here(extra[:1], (), NOW))  # whatever has to be compiled or read is there now
        alone, alone_s = timed(lambda: list(here(ours, (), NOW)))
        with LocalCluster(n_workers=WORKERS, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
            list(on_dask(cluster.scheduler_address, extra[1:], (), NOW))
            away, away_s = timed(lambda: list(on_dask(cluster.scheduler_address, theirs, (), NOW)))
        check(alone, away, list(zip(ours, theirs, strict=True)))
    tell(bench, (alone, alone_s), (away, away_s))
    bench.finish()


def tell(bench: Bench, ours: tuple[Sequence[Done], float], dask: tuple[Sequence[Done], float]) -> None:
    """The cases."""
    alone, alone_s = ours
    away, away_s = dask
    number, cost = len(alone), [one.seconds for one in alone]
    bench.add(f"{number} counties: {WORKERS} Dask workers beside one process", away_s, "s", peer=alone_s, peer_name="one process", threads=WORKERS)
    for step in (step for step in STEPS if step <= number):
        bench.add(f"{HEAD}: cost of one of the first {step}", median(cost[:step]), "s", peer=median(cost), peer_name=f"one of all {number}")
    bench.add("largest memory of a worker", max(one.peak_mb for one in away), "MB", threads=WORKERS)
    bench.add("rows of figures a county, equal in every pair of stores", median(one.written for one in alone), "rows")


def timed(work: Callable[[], list[Done]]) -> tuple[list[Done], float]:
    """What a piece of work gives, and its seconds."""
    begun = time.perf_counter()
    return work(), time.perf_counter() - begun


def check(alone: Sequence[Done], away: Sequence[Done], pairs: Sequence[tuple[Settings, Settings]]) -> None:
    """Nothing failed, and each pair of stores holds the same rows."""
    faults = [one.fault for one in (*alone, *away) if one.fault]
    assert not faults, faults
    for mine, other in pairs:
        differing = different(mine.data / "store.db", other.data / "store.db")
        assert not differing, f"{mine.data}: {differing}"


def different(mine: Path, other: Path) -> dict[str, int]:
    """Tables whose rows differ, and in how many rows."""
    found = {}
    with sqlite3.connect(mine) as db:
        db.execute("ATTACH ? AS other", (str(other),))
        for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'").fetchall():
            rows = [f"SELECT * FROM {one}.{table} EXCEPT SELECT * FROM {two}.{table}" for one, two in PAIR]  # noqa: S608  names of our own
            count = sum(db.execute(f"SELECT count(*) FROM ({text})").fetchone()[0] for text in rows)  # noqa: S608  same
            if count:
                found[table] = count
    db.close()
    return found


def county(folder: Path, number: int) -> Settings:
    """A county with its year in a store of its own."""
    home = folder / f"c{number:03d}"
    (home / "var").mkdir(parents=True)
    stations = "".join(f'[[air_station]]\nid = "s{n}"\nname = "s{n}"\nrole = "assessment"\n' for n in range(STATIONS))
    (home / "county.toml").write_text(f'[county]\nid = "c{number}"\nname = "c{number}"\n{stations}', encoding="utf-8")
    (home / "lanbi.toml").write_text(f'data = "{home / "var"}"\ncounty = "{home / "county.toml"}"\ntargets = ["{ROOT / "plans" / "chiping.toml"}"]\n')
    store = EmbeddedStore(home / "var" / "store.db")
    for n in range(STATIONS):
        rows = hours(f"s{n}", STATIONS * number + n)
        for start in range(0, len(rows), 5_000):
            store.write(rows[start : start + 5_000])
    store.checkpoint()
    store.close()
    return load(str(home / "lanbi.toml"), {})


def hours(site: str, seed: int) -> list[Reading]:
    """A station's year, two in a hundred values missing."""
    chance = np.random.default_rng(seed)
    values = np.round(chance.lognormal(np.log(MEDIANS), 0.4, (HOURS, len(AIR))), 1)
    there = chance.random(values.shape) > 0.02
    start = civil.day_start(FIRST)
    known = [{item: value for item, value, has in zip(AIR, row, some, strict=True) if has} for row, some in zip(values.tolist(), there.tolist(), strict=True)]
    return [Reading("air", site, civil.HOUR_S, start + civil.HOUR_S * (hour + 1), one, {}, hour) for hour, one in enumerate(known)]


def copied(settings: Settings, folder: Path) -> Settings:
    """The same county in another folder."""
    home = settings.data.parent
    target = folder / home.name
    shutil.copytree(home, target)
    file = target / "lanbi.toml"
    file.write_text(file.read_text(encoding="utf-8").replace(str(home), str(target)), encoding="utf-8")
    return load(str(file), {})


if __name__ == "__main__":
    main()
