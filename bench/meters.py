"""Meter years from columnar files, streamed by meter, beside the usual pandas pipeline and a counter's increase; and a late register.

The files hold 15-minute registers of a year with the faults of the field: roll-overs, gaps, spurious zeros, negative steps, 32-bit
garbage, exchanges with their forms. Every side gets the same registers; what each makes of them is printed beside its time. The truth
is known, and lanbi's sum is compared with it before anything is timed.
"""

from __future__ import annotations

import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from decimal import Decimal
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.common import Bench, fix_threads

fix_threads(1)

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from analytics import counting
from analytics.counting import Exchange, Readings
from analytics.energy.meteryear import laid
from analytics.jobs import metered
from domain import civil
from domain.places import Dated, Meter
from domain.readings import Reading

Longs = npt.NDArray[np.int64]
YEAR: Final = 2025
FIRST: Final = civil.year_days(YEAR)[0]
START: Final = civil.day_start(FIRST)
NOW: Final = civil.day_start(FIRST + 365)
STEP: Final = 900
SLOTS: Final = 365 * 96 + 1
TIMES: Final = START + STEP * np.arange(SLOTS, dtype=np.int64)
UNIT: Final = Decimal("0.01")
MODULUS: Final = 10**7
GARBAGE: Final = 429_494_906_616
METER: Final = Meter(
    "m", "e", "electricity", Dated.always("main"), "kWh", Dated.always("40"), resolution="0.01", modulus=str(MODULUS * UNIT), max_power="4000"
)  # fmt: skip
CORES: Final = 2
METERS: Final = 5_000
QUICK: Final = 100
PER_FILE: Final = 50
FAULTS: Final = ("gap", "zero", "dip", "garbage", "exchange")


def made(number: int) -> tuple[Longs, Longs, list[Exchange], int]:
    """A meter's year: times, units, exchange forms, and the units that it turned in truth."""
    chance = np.random.default_rng(number)
    steps = chance.integers(1, 1_500, SLOTS)
    steps[0] = 0
    shown = np.cumsum(steps) + int(chance.integers(10**5, 10**6))
    truth = int(steps.sum())
    kept = np.ones(SLOTS, bool)
    bad: dict[int, str] = {}
    forms: list[Exchange] = []
    for place in (2_000 + 3_000 * np.arange(11) + chance.integers(0, 2_000, 11)).tolist():
        kind = FAULTS[int(chance.integers(0, len(FAULTS)))]
        near = shown[place] % MODULUS
        if not 10**5 < near < MODULUS - 10**6:
            continue
        if kind == "gap":
            kept[place : place + int(chance.integers(4, 100))] = False
        elif kind == "exchange":
            forms.append(Exchange(int(TIMES[place]) + 60, int(near) * UNIT, Decimal(0)))
            shown[place + 1 :] -= shown[place]
        else:
            bad[place] = kind
    units = shown % MODULUS
    for place, kind in bad.items():
        units[place] = {"zero": 0, "dip": units[place - 1] - 1, "garbage": GARBAGE}[kind]
    return TIMES[kept], units[kept], forms, truth


def write(path: Path, numbers: range) -> None:
    """One file of so many meters, a row group each; the forms and the truth stand in the schema's metadata."""
    schema = pa.schema([("time", pa.int64()), ("units", pa.int64())])
    with pq.ParquetWriter(path, schema, compression="zstd", use_dictionary=False, column_encoding="DELTA_BINARY_PACKED") as writer:
        for number in numbers:
            times, units, _, _ = made(number)
            writer.write_table(pa.table([times, units], schema=schema), row_group_size=len(times))


def stream(path: Path) -> Iterator[tuple[Longs, Longs]]:
    """Times and units of one meter after the other."""
    file = pq.ParquetFile(path, memory_map=True)
    for place in range(file.num_row_groups):
        table = file.read_row_group(place, use_threads=False)
        yield table.column("time").to_numpy(), table.column("units").to_numpy()


def rebuild(path: Path, forms: list[list[Exchange]]) -> tuple[list[int], int]:
    """All figures of the meters of a file: hours, days, months, the year; their sums in fine units, and how many registers there were."""
    sums, count = [], 0
    for (times, units), own in zip(stream(path), forms, strict=True):
        readings = Readings(times, units, UNIT)
        hours, days = laid(counting.count(METER, readings, STEP, own), readings, (FIRST, 365), STEP)
        metered.hours("m", hours)
        metered.meter("m", days, NOW)
        sums.append(int(days.days.sum()))
        count += len(times)
    return sums, count


def job(task: tuple[str, list[list[Exchange]]]) -> tuple[list[int], int, int, float]:
    """One file in a process of its own; the last numbers are its peak memory [kB] and what it took of the processor [s]."""
    begun = time.process_time()
    found = rebuild(Path(task[0]), task[1])
    return *found, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time() - begun


def warmed(_: int) -> None:
    """Have the kernels compiled."""
    counting.count(METER, Readings(TIMES[:9], np.arange(9), UNIT), STEP)


def prepare(task: tuple[str, range]) -> list[tuple[list[Exchange], int]]:
    """Write a file; returns forms and truth of its meters."""
    write(Path(task[0]), task[1])
    return [made(number)[2:] for number in task[1]]


def pandas_side(path: Path) -> list[int]:
    """The usual pipeline: difference, negative steps dropped, hours by resampling."""
    import pandas as pd

    sums = []
    for times, units in stream(path):
        series = pd.Series(units.astype(float) * 0.01, index=pd.to_datetime(times, unit="s", utc=True))
        used = series.diff().clip(lower=0) * 40
        hours = used.resample("1h", closed="right", label="right").sum()
        for period in ("1D", "MS", "YS"):
            hours.resample(period).sum()
        sums.append(round(float(hours.sum()) * 100))
    return sums


def increase_side(path: Path) -> list[int]:
    """A time-series database's increase: whatever falls has restarted from zero; hours by their labels."""
    sums = []
    for times, units in stream(path):
        turned = np.where(np.diff(units) < 0, units[1:], np.diff(units)) * 40
        hours = np.bincount((times[1:] - START - 1) // 3_600, turned, minlength=8_760)
        sums.append(int(hours.sum()))
    return sums


def wrong(name: str, sums: list[int], truth: list[int]) -> str:
    """How many meters are wrong, and by how much at most."""
    off = [abs(one - 40 * right) / (40 * right) for one, right in zip(sums, truth, strict=True)]
    return f"{name}: {sum(one > 0 for one in off)} of {len(off)} meters wrong, at most by {100 * max(off):,.3f} % of the year"


def from_embedded(folder: Path) -> float:
    """Processor seconds to read one meter's year from the embedded store."""
    from lanbi.embedded import EmbeddedStore

    return _read(EmbeddedStore(folder / "store.db"), time.process_time)


def from_influx(folder: Path) -> float | None:
    """Seconds on the wall to read one meter's year from a real influxd; None where there is none."""
    from tests.contract.conftest import running
    from tests.faults.parts.house import PartMissingError, influxd

    try:
        influxd()
    except PartMissingError:
        return None
    return _read_influx(folder, running)


def _read_influx(folder: Path, running: Any) -> float:
    from lanbi import wiring
    from lanbi.influx_setup import Wish, prepare
    from tests.dashboards.filled import settings_in

    (folder / "influx").mkdir()
    (folder / "data").mkdir()
    with running(folder / "influx") as (url, _):
        settings = settings_in(folder / "data", url, YEAR)
        list(prepare(settings, Wish(days=0)))
        return _read(wiring.store(settings), time.perf_counter)


def _read(store: Any, clock: Callable[[], float]) -> float:
    """Seconds of a clock to read a meter's year back from a store that has just been given it."""
    times, units, _, _ = made(1)
    rows = [Reading("meter", "m", 0, time_, {"register": unit / 100}, {}, 0) for time_, unit in zip(times.tolist(), units.tolist(), strict=True)]
    for begin in range(0, len(rows), 5_000):
        store.write(rows[begin : begin + 5_000])
    begun = clock()
    found = sum(len(one.time) for one in store.columns("meter", "m", START - 1, NOW))
    took = clock() - begun
    assert len(times) == found
    store.close()
    return took


def late(bench: Bench) -> list[float]:
    """Processor milliseconds of one late register: the analyst reads its day, recounts the year, writes what differs."""
    from tests.lanbi.meter_house import MeterHouse, registry

    with tempfile.TemporaryDirectory() as folder:
        house = MeterHouse(Path(folder), registry(other=_other()))
        house.clock.now = NOW
        times, units, _, _ = made(2)
        rows = [Reading("meter", "other", 0, one, {"register": unit / 100}, {}, 0) for one, unit in zip(times.tolist(), units.tolist(), strict=True)]
        house.bring([row for place, row in enumerate(rows) if place % 3_000 or not place])
        house.follower.start()
        took = []
        for place in range(3_000, 3_000 * (bench.rounds + 1), 3_000):
            house.bring([rows[place]])
            begun = time.process_time()
            house.follower.step()
            took.append(1_000 * (time.process_time() - begun))
        house.close()
    return took


def _other() -> Meter:
    from dataclasses import replace

    return replace(METER, id="other", enterprise="mill")


def main() -> None:
    """Files, the truth, then the race."""
    bench = Bench.start("meters")
    number = QUICK if bench.quick else METERS
    folder = Path(tempfile.mkdtemp(prefix="lanbi-meters-"))
    context = get_context("spawn")
    try:
        names = [str(folder / f"{begin}.parquet") for begin in range(0, number, PER_FILE)]
        with ProcessPoolExecutor(CORES, context) as pool:
            known = list(pool.map(prepare, [(name, range(begin, begin + PER_FILE)) for name, begin in zip(names, range(0, number, PER_FILE), strict=True)]))
        forms, truth = [[one for one, _ in some] for some in known], [[right for _, right in some] for some in known]
        size = sum(Path(name).stat().st_size for name in names)
        with ProcessPoolExecutor(CORES, context) as pool:
            list(pool.map(warmed, range(2 * CORES)))
            begun = time.perf_counter()
            found = list(pool.map(job, zip(names, forms, strict=True)))
            took = time.perf_counter() - begun
        registers = sum(count for _, count, _, _ in found)
        assert [40 * right for some in truth for right in some] == [one for sums, _, _, _ in found for one in sums], "lanbi's sums are not the truth"
        memory = sum(sorted({peak for _, _, peak, _ in found})[-CORES:]) / 1024
        bench.add(f"{number:,} meters, {registers / 1e6:,.1f} M registers of 15 min, {size / 2**20:,.0f} MB: rebuilt", took, "s", threads=CORES)
        bench.add("the same, processor of both", sum(spent for _, _, _, spent in found), "s", threads=CORES)
        bench.add("memory of all processes", memory, "MB", threads=CORES)
        _peers(bench, Path(names[0]), forms[0], truth[0])
        one = from_embedded(folder)
        bench.add(f"reading a meter-year from the embedded store; {number:,} of them: {one * number:,.0f} s", one, "s")
        other = from_influx(folder)
        if other is None:
            print("reading from InfluxDB: left out, there is no influxd here (make services)")
        else:
            bench.add(f"reading a meter-year from InfluxDB, wall; {number:,} of them: {other * number:,.0f} s", other, "s")
        times = sorted(late(bench))
        bench.add("a late register of a year in the embedded store, processor", times[len(times) // 2], "ms")
    finally:
        shutil.rmtree(folder)
    bench.finish()


def _peers(bench: Bench, path: Path, forms: list[list[Exchange]], truth: list[int]) -> None:
    ours, peer, counter = bench.race(lambda: rebuild(path, forms), lambda: pandas_side(path), lambda: increase_side(path))
    bench.add(f"{PER_FILE} meters from one file, processor", ours, "s", peer=peer, peer_name="pandas")
    bench.add(f"{PER_FILE} meters from one file, processor", ours, "s", peer=counter, peer_name="increase of a counter (numpy)")
    for name, sums in (("lanbi", rebuild(path, forms)[0]), ("pandas diff", pandas_side(path)), ("increase", increase_side(path))):
        print(wrong(name, sums, truth))


if __name__ == "__main__":
    main()
