"""One, two and three ingests that share the devices, on the cores of this machine: how many readings a second more processes bring.

Broker, store and generator run on the same cores, so that two cores show what a second process gains *there*, not what it gains on a
machine of its own; the cores that were busy are told beside each rate. Each run has a broker, a store and data folders of its
own and hears the same messages; runs by turns, medians. A run after which the database does not hold exactly what was sent ends the bench.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.common import Bench, fix_threads, on_disk

fix_threads(1)

from bench.parts.load import blast, prepare
from bench.parts.rig import WINDOW, cpu, standing
from bench.store import DAY, county_text, said
from domain.civil import DAY_S
from lanbi.influx_http import Place
from lanbi.state import StateView
from tests.faults.parts.house import ORG, House, PartMissingError, until
from tests.faults.parts.several import Several

ROOT: Final = Path(__file__).resolve().parent.parent
NUMBERS: Final = (1, 2, 3)
READINGS: Final = {1: 60_000, 10: 200_000}
READINGS_QUICK: Final = {1: 8_000}
WARM: Final = 0.1
PATIENCE_S: Final = 240.0


class Run(NamedTuple):
    """Readings a second until all were journalled, until all were in the database, and cores busy until then."""

    taken: float
    stored: float
    cores: float


def run(folder: Path, number: int, files: Sequence[Path], readings: Sequence[int]) -> Run:
    """Warm up with the first file, measure with the second, count what arrived; a broker and a store of its own."""
    with House(folder, county_text(), listens=False, direct=True) as house, Several(house, "shared", number) as several:
        blast(house.broker_port, files[0], WINDOW, 0)
        until(lambda: _law(several)["stored"] == readings[0], "the first readings are stored", PATIENCE_S)
        parts = [part.pid for part in (*several.parts, house.broker, house.influx)]
        used, begun = sum(map(cpu, parts)), time.perf_counter()
        load = subprocess.Popen(
            [sys.executable, "bench/parts/load.py", str(house.broker_port), str(files[1]), str(WINDOW), "0"], cwd=ROOT, stdout=subprocess.DEVNULL
        )
        until(lambda: _law(several)["received"] == sum(readings), "all readings are journalled", PATIENCE_S)
        taken = time.perf_counter() - begun
        until(lambda: _law(several)["pending"] == 0, "all readings are stored", PATIENCE_S)
        stored, busy = time.perf_counter() - begun, sum(map(cpu, parts)) - used
        assert load.wait() == 0
        place, token = Place(f"http://127.0.0.1:{house.influx_port}", ORG, several.prefix), house.secret(f"{several.prefix}-read").read_text().strip()
        law, (rows, _) = _law(several), standing(place, token)
        assert law["stored"] == rows == sum(readings), f"{number} ingests: {rows} rows, {law}: the run does not count"
        several.stop()
    shutil.rmtree(folder)
    return Run(readings[1] / taken, readings[1] / stored, busy / stored)


def _law(several: Several) -> dict[str, int]:
    """The account of all ingests together."""
    total: dict[str, int] = {}
    for data in several.datas:
        view = StateView(data)
        total = {name: total.get(name, 0) + value for name, value in view.conservation().items()}
        view.close()
    return total


def whole(bench: Bench, scratch: Path, per_message: int, readings: int) -> None:
    """All numbers of ingests by turns, each round in the other order; medians."""
    warm = max(1, int(readings * WARM) // per_message) * per_message
    messages = said(int(time.time()) // DAY_S * DAY_S - 300 * DAY, warm + readings, per_message)
    files = (scratch / "warm", scratch / "all")
    prepare(files[0], [(topic, payload) for topic, payload, _ in messages[: warm // per_message]])
    prepare(files[1], [(topic, payload) for topic, payload, _ in messages[warm // per_message :]])
    found: dict[int, list[Run]] = {number: [] for number in NUMBERS}
    for turn in range(1 if bench.quick else 3):
        for number in NUMBERS if turn % 2 == 0 else reversed(NUMBERS):
            found[number].append(run(scratch / f"{per_message}-{number}-{turn}", number, files, (warm, readings)))
    middle = {number: Run(*(statistics.median(column) for column in zip(*runs, strict=True))) for number, runs in found.items()}
    for number in NUMBERS:
        case, one = f"{number} {'ingest' if number == 1 else 'ingests'}, {per_message} a message", middle[number]
        cores = os.cpu_count() or 1
        for what, name in (("journalled", "taken"), ("all into the database", "stored")):
            bench.add(
                f"{what}, {case}", getattr(one, name), "readings/s", peer=getattr(middle[1], name), peer_name="one ingest", threads=cores, higher_is_better=True
            )
        bench.add(f"of {cores} cores busy with ingest, broker and store, {case}", one.cores, "cores", threads=cores)


def main() -> None:
    """Run all cases."""
    bench = Bench.start("instances")
    with on_disk() as folder:
        try:
            for per_message, readings in (READINGS_QUICK if bench.quick else READINGS).items():
                whole(bench, folder, per_message, readings)
        except PartMissingError as missing:
            print(missing)
            return
    bench.finish()


if __name__ == "__main__":
    main()
