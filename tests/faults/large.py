"""Size campaign: a reading costs what it costs, however many devices there are and however long the journal is already.

Readings come through a real Mosquitto, one a message, into influxd: from 100, 1,000 and 10,000 devices, and from 100 devices into
journals of 10⁵ to 10⁷ readings; each size in turn, in both orders. Then ingest starts on a journal of 10 GB.
Run it alone with ``python -m tests.faults.large --rounds 5``.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from bench.parts.load import prepare
from bench.store import county_text, said
from domain.civil import DAY_S
from ingest.ports import Batch
from lanbi.journal import JournalWriter
from lanbi.state import State
from tests.faults.parts.house import ROOT, House, until
from tests.faults.parts.report import Asked, Finding, main
from tests.faults.parts.watch import cpu_s

NS: Final = 10**9
GROWTH: Final = 1.15
START_S: Final = 2.0
FILLER: Final = 60_000
WINDOW: Final = "4000"
RATE: Final = "2000"
"""Messages a second, the same for all sizes; slower than anything that is compared."""
FEW: Final = 100


class Case(NamedTuple):
    """So many devices, so many readings in the journal before."""

    devices: int
    journalled: int

    def __str__(self) -> str:
        return f"{self.devices:,} devices, {self.journalled:,} readings in the journal"


@dataclass(frozen=True)
class Size:
    """What is compared, with how many readings each, how often; bytes of the largest journal."""

    cases: tuple[Case, ...]
    readings: int
    rounds: int
    journal: int


FULL: Final = Size((Case(FEW, 0), Case(1_000, 0), Case(10_000, 0), *(Case(FEW, 10**power) for power in (5, 6, 7))), 60_000, 5, 10**10)
QUICK: Final = Size((Case(FEW, 0), Case(1_000, 0), Case(FEW, 10**5)), 10_000, 1, 10**8)


def campaign(asked: Asked) -> Finding:
    """The campaign that the command line asks for."""
    size = QUICK if asked.quick else Size(FULL.cases, asked.more.readings, asked.more.rounds, FULL.journal)
    costs: dict[Case, list[float]] = {case: [] for case in size.cases}
    for turn in range(size.rounds):
        for case in size.cases if turn % 2 == 0 else reversed(size.cases):
            costs[case].append(_cost(asked.folder / f"{turn}-{case.devices}-{case.journalled}", case, size.readings))
    starts = {name: _start(asked.folder / name, large) for name, large in (("empty", 0), ("large", size.journal))}
    middle = {case: statistics.median(some) for case, some in costs.items()}
    least, most = min(middle.values()), max(middle.values())
    return {
        "sound": asked.quick or (most <= GROWTH * middle[size.cases[0]] and starts["large"] - starts["empty"] <= START_S),
        "figures": [
            f"{size.readings:,} single readings each, medians of {size.rounds}: " + "; ".join(f"{case}: {cost:.1f} µs" for case, cost in middle.items()),
            f"dearest {most / middle[size.cases[0]] - 1:+.0%} against {size.cases[0]}, cheapest {least:.1f} µs",
            f"ready {starts['large']:.1f} s after its start on a journal of {size.journal / 1e9:.1f} GB, {starts['empty']:.1f} s on an empty one",
        ],
        "costs_us": {str(case): [round(one, 2) for one in some] for case, some in costs.items()},
        "starts_s": starts,
    }


def _cost(folder: Path, case: Case, readings: int) -> float:
    """Microseconds of ingest's processor a reading, broker and database not counted."""
    first = int(time.time()) // DAY_S * DAY_S - 300 * DAY_S
    messages = [(topic, payload) for topic, payload, _ in said(first, case.devices + readings, 1, case.devices)]
    folder.mkdir()
    prepare(folder / "warm", messages[: case.devices])
    prepare(folder / "all", messages[case.devices :])
    with House(folder / "house", county_text(case.devices), direct=True, ingest_more='receive = "bulk"') as house:
        if case.journalled:
            house.ingest.stop()
            _journalled(house.data, case.journalled)
            house.ingest.start()
        stored = house.law()["stored"]
        _publish(house, folder / "warm", stored + case.devices)
        used = cpu_s(house.ingest.pid)
        _publish(house, folder / "all", stored + len(messages))
        cost = (cpu_s(house.ingest.pid) - used) / readings * 1e6
        law = house.law()
        assert (law["received"], law["duplicate"]) == (law["stored"], 0), law
        assert house.ingest.stop() == 0
    return cost


def _publish(house: House, path: Path, stored: int) -> None:
    command = [sys.executable, "bench/parts/load.py", str(house.broker_port), str(path), WINDOW, RATE]
    subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    until(lambda: _paused(house) >= stored, "all is stored", 300)


def _paused(house: House) -> int:
    time.sleep(0.3)
    return house.law()["stored"]


def _start(folder: Path, size: int) -> float:
    """Seconds until ingest is connected and says so, with a journal of so many bytes."""
    with House(folder, county_text(FEW), direct=True) as house:
        house.ingest.stop()
        if size:
            writer = JournalWriter(house.data / "journal", "mqtt")
            for number in range(size // FILLER):
                writer.append("lanbi/v1/d000/data", b"x" * FILLER, received_ns=time.time_ns(), readings=1)
                if number % 50 == 0:
                    writer.commit()
            writer.commit()
            _forwarded(house.data, writer)
        begun = time.monotonic()
        house.ingest.start()
        return round(time.monotonic() - begun, 2)


def _journalled(data: Path, readings: int) -> None:
    """Lengthen the journal by readings that are behind the cursor already."""
    writer = JournalWriter(data / "journal", "mqtt")
    block = said(int(time.time()) // DAY_S * DAY_S - 390 * DAY_S, min(readings, 10_000), 10, FEW)
    for turn in range(readings // (10 * len(block))):
        for topic, payload, _ in block:
            writer.append(topic, payload, received_ns=time.time_ns(), readings=10, flags=1)
        if turn % 2:
            writer.commit()
    writer.commit()
    _forwarded(data, writer)


def _forwarded(data: Path, writer: JournalWriter) -> None:
    """Move the cursor behind what was written, as if it had been stored long ago."""
    end = writer.committed
    writer.close()
    state = State(data)
    batch = Batch("mqtt", end.last_seq, end.readings)
    batch.count("stored", by=end.readings - state.cursor("mqtt")[1])
    state.commit(batch, "1")
    state.close()


if __name__ == "__main__":
    arguments = (("--readings", int, FULL.readings, "readings of a measurement"), ("--rounds", int, FULL.rounds, "measurements of each size"))
    sys.exit(main("large", __doc__.splitlines()[0], campaign, arguments))
