"""Soak campaign: half an hour of 5,000 readings a second, read in bulk, and nothing of the process grows.

Each reading is a message of its own, so the reader, the journal and the receipts do as much as they ever must. Resident memory,
descriptors and threads of ingest are looked at all the time; what was said is judged in the database at the end.
Run it alone with ``python -m tests.faults.soak --minutes 30``.
"""

from __future__ import annotations

import signal
import sys
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.faults.parts.devices import Fleet, Ids, Pace
from tests.faults.parts.house import House, until
from tests.faults.parts.judge import FromInflux, judge, refusals
from tests.faults.parts.report import Asked, Finding, main
from tests.faults.parts.truth import CLEAN, County
from tests.faults.parts.watch import Watch, percentiles, slope

MEGABYTE: Final = 1 << 20
DAY_S: Final = 86_400
SLOPE_MB_H: Final = 1.0
KEPT_UP: Final = 0.98
"""Share of the rate that must have been receipted by the end of the soak."""


@dataclass(frozen=True)
class Size:
    """How long, how fast, and in which way packets are read."""

    minutes: float
    rate: float
    warm_minutes: float
    receive: str = "bulk"
    devices: int = 40
    pause: float = 10.0


FULL: Final = Size(27.0, 5_000.0, 3.0)
"""Half an hour in all. In the warm-up all that is remembered within a bound (times as devices write them, above all) fills up, and the
store stands still for a moment: what the largest batches need of memory belongs to it too."""
QUICK: Final = Size(0.4, 1_000.0, 0.1, pause=1.0)


@dataclass
class Handles:
    """Descriptors and threads of a process, and the processor's seconds that it has used, look by look."""

    pid: int
    descriptors: list[int] = field(default_factory=list)
    threads: list[int] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def look(self) -> None:
        """Once."""
        at = Path(f"/proc/{self.pid}")
        self.descriptors.append(len(list((at / "fd").iterdir())))
        self.threads.append(len(list((at / "task").iterdir())))
        words = (at / "stat").read_text(encoding="ascii").rpartition(")")[2].split()
        self.cpu.append((int(words[11]) + int(words[12])) / 100)


def campaign(asked: Asked) -> Finding:
    """The campaign that the command line asks for."""
    more = asked.more
    return soak(asked.folder, asked.seed, QUICK if asked.quick else Size(more.minutes, more.rate, more.warm, more.receive))


def soak(folder: Path, seed: int, size: Size) -> Finding:
    """Speak for as long as asked, look, settle, judge."""
    county = County(seed, size.devices, int(time.time()) // DAY_S * DAY_S - 200 * DAY_S, CLEAN)
    most = int(size.rate * (60 * (size.minutes + size.warm_minutes) + 60) / size.devices)
    with House(folder / "house", county.registry(), direct=True, ingest_more=f'receive = "{size.receive}"') as house:
        fleet, watch = Fleet(county, house.broker_port, folder / "devices.log", most, Pace(size.rate, per_message=1, again_s=30.0)), Watch(house, every=2.0)
        handles = Handles(house.ingest.pid)
        watch.also = handles.look
        with closing(fleet), closing(watch):
            found = _course(house, (fleet, watch, handles), size)
        read = FromInflux(f"http://127.0.0.1:{house.influx_port}", house.secret("influx-write").read_text().strip())
        verdict = judge(county, Ids.of(folder / "devices.log"), read, refusals(house.data), watch.looks[-1].law)
        found["receive"], found["exit_code"] = house.status()["receive"], house.ingest.stop()
    bars = _bars(found, size, whole=verdict.sound and not watch.breaches)
    return {"sound": all(bars.values()), "figures": _figures(found, size, watch), "bars": bars, **found, **verdict.words(), "watch": watch.words()}


def _course(house: House, parts: tuple[Fleet, Watch, Handles], size: Size) -> dict[str, Any]:
    fleet, watch, handles = parts
    watch.start()
    fleet.start()
    time.sleep(30 * size.warm_minutes)
    assert house.influx.process
    house.influx.process.send_signal(signal.SIGSTOP)
    time.sleep(size.pause)
    house.influx.process.send_signal(signal.SIGCONT)
    time.sleep(30 * size.warm_minutes)
    fleet.take_latencies()
    first, before = len(watch.looks), fleet.receipted
    looked = len(handles.cpu)
    time.sleep(60 * size.minutes)
    looks, receipted = watch.looks[first:], fleet.receipted - before
    cpu = handles.cpu[-1] - handles.cpu[looked]
    acks, receipts = fleet.take_latencies()
    settled = fleet.settle(60)
    until(lambda: house.law()["pending"] == 0, "all is in the store", 600)
    watch.look()
    megabytes = [look.resident / MEGABYTE for look in looks]
    return {
        "settled": settled,
        "receipted": receipted,
        "repeated": fleet.repeated,
        "resident_mb": [round(one, 1) for one in megabytes[::15]],
        "memory": {"slope_mb_h": round(slope([look.at for look in looks], megabytes) * 3_600, 2), "first_mb": megabytes[0], "most_mb": max(megabytes)},
        "descriptors": [min(handles.descriptors[looked:]), max(handles.descriptors[looked:])],
        "threads": [min(handles.threads[looked:]), max(handles.threads[looked:])],
        "cpu_us_reading": round(cpu / receipted * 1e6, 2),
        "puback": percentiles(acks),
        "receipt": percentiles(receipts),
    }


def _bars(found: dict[str, Any], size: Size, *, whole: bool) -> dict[str, bool]:
    """What must hold, each by its name; half a minute says nothing about a slope an hour."""
    flat = {
        "memory slope at most 1 MB/h": found["memory"]["slope_mb_h"] <= SLOPE_MB_H,
        "kept up with the rate": found["receipted"] >= KEPT_UP * size.rate * size.minutes * 60,
    }
    return {
        "nothing lost": whole and found["settled"] and found["exit_code"] == 0,
        "read as asked": found["receive"] == size.receive or size.receive == "stock",
        "descriptors flat": found["descriptors"][1] - found["descriptors"][0] <= 4,
        "threads flat": found["threads"][1] - found["threads"][0] <= 2,
        **(flat if size.minutes >= 1 else {}),
    }


def _figures(found: dict[str, Any], size: Size, watch: Watch) -> list[str]:
    memory = found["memory"]
    return [
        f"{found['receipted']:,} single readings in the last {size.minutes:.0f} of {size.minutes + size.warm_minutes:.0f} min at {size.rate:,.0f}/s, read in the {size.receive} way",
        f"memory {memory['first_mb']:.0f} MB, {memory['slope_mb_h']:+.2f} MB an hour, at most {memory['most_mb']:.0f} MB",
        f"descriptors {found['descriptors'][0]} to {found['descriptors'][1]}, threads {found['threads'][0]} to {found['threads'][1]}",
        f"CPU of ingest {found['cpu_us_reading']} µs a reading, the store's client in it",
        f"receipt p50 {found['receipt'].get('p50_ms', 0):.0f} ms, p99 {found['receipt'].get('p99_ms', 0):.0f} ms",
        f"{len(watch.breaches)} breaches in {len(watch.looks):,} looks",
    ]


if __name__ == "__main__":
    arguments = (
        ("--minutes", float, FULL.minutes, "minutes that are measured, behind the warm-up"),
        ("--warm", float, FULL.warm_minutes, "minutes before them"),
        ("--rate", float, FULL.rate, "readings a second"),
        ("--receive", str, FULL.receive, "how packets are read: bulk or stock"),
    )
    sys.exit(main("soak", __doc__.splitlines()[0], campaign, arguments))
