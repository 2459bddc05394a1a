"""The simulated county: processor time a reading, and a quiet year of 20 stations, 10 sections and 200 meters over a real broker."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.common import Bench, fix_threads

fix_threads(1)

from domain.civil import parse_time
from domain.places import AirStation, County, Dated, Device, Enterprise, Meter, Registry, WaterSection
from edge_sim import scenario_files
from edge_sim.devices import SimulatedDevice, payloads
from edge_sim.fleet import Fleet, Manner
from edge_sim.line import Address
from edge_sim.pace import collect_seldom
from edge_sim.scene import Scene
from edge_sim.spool import Spool
from edge_sim.truthlog import TruthLog
from lanbi.clock import SystemClock
from lanbi.processes import answers, free

BEGIN = parse_time("2025-01-01T00:00:00+08:00")
STATIONS, SECTIONS, GATEWAYS, EACH = 20, 10, 20, 10
DAY = 86_400
QUICK_DAYS, DAYS = 4, 365
AHEAD = 4 * DAY
INDUSTRIES = ("aluminium", "steel", "chemical", "textile", "food")


def device(name: str, sources: tuple[str, ...], interval: int) -> Device:
    """A device of the native format."""
    always = Dated.always
    return Device(name, always(sources), always("lanbi-json"), always("accepted"), interval, always(None), always("end"), always("s"))


def registry() -> Registry:
    """The county that the page promises: 20 air stations, 10 river sections, 20 gateways of 10 meters each every quarter of an hour."""
    air = {f"a-{n}": AirStation(f"a-{n}", f"站{n}", Dated.always("assessment")) for n in range(STATIONS)}
    water = {f"w-{n}": WaterSection(f"w-{n}", f"断面{n}", "river", "national") for n in range(SECTIONS)}
    meters, devices, enterprises = {}, {}, {}
    for n in range(GATEWAYS):
        enterprises[f"e-{n}"] = Enterprise(f"e-{n}", f"厂{n}", industry=INDUSTRIES[n % len(INDUSTRIES)])
        names = tuple(f"m-{n}-{k}" for k in range(EACH))
        for name in names:
            meters[name] = Meter(
                name, f"e-{n}", "electricity", Dated.always("production"), "kWh", Dated.always("40"), resolution="0.01", modulus="1000000", max_power="4000"
            )
        devices[f"d-e-{n}"] = device(f"d-e-{n}", names, 900)
    devices |= {f"d-{name}": device(f"d-{name}", (name,), 3_600) for name in air}
    devices |= {f"d-{name}": device(f"d-{name}", (name,), 14_400) for name in water}
    return Registry(County("bench", "县"), {}, air, water, enterprises, meters, {}, {}, {}, devices, "bench")


def scene(days: int) -> Scene:
    """The quiet year, or its first days."""
    whole = scenario_files.load("quiet-year").on(registry(), 1, BEGIN)
    return Scene(whole.county, (), BEGIN, BEGIN + days * DAY)


def generated(chosen: Scene) -> int:
    """Everything said, as payloads; returns the readings."""
    count = 0
    for one in chosen.devices():
        simulated = SimulatedDevice(chosen, one, said=BEGIN, ahead=AHEAD)
        while simulated.next_slot() <= chosen.end:
            words = simulated.measure(simulated.next_slot())
            count += sum(len(part) for _, part in payloads(words))
    return count


def published(chosen: Scene, folder: Path, port: int) -> Fleet:
    """Everything said over the broker at full speed, spool and truth log written; devices let go at the broker's PUBACK."""
    devices = [SimulatedDevice(chosen, one, ahead=AHEAD) for one in chosen.devices()]
    manner = Manner(unhurried=False, receipts=False)
    fleet = Fleet(devices, Address("127.0.0.1", port, {}), SystemClock(), Spool(folder / "spool"), TruthLog(folder, chosen, {}), BEGIN, manner)
    fleet.run(lambda: False, lambda _: None)
    return fleet


def broker(folder: Path) -> tuple[subprocess.Popen[bytes], int] | None:
    """A Mosquitto of its own; None if there is none on this machine."""
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
    if not program:
        return None
    port = free(0)
    config = folder / "mosquitto.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nlog_type error\n" + ("user root\n" if os.geteuid() == 0 else ""))
    process = subprocess.Popen([program, "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not answers("127.0.0.1", port):
        time.sleep(0.05)
    return process, port


def over_the_wire(bench: Bench, days: int) -> None:
    """Publish, and note the rate and the processor time."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        started = broker(folder)
        if not started:
            print("no mosquitto: make services")
            return
        process, port = started
        try:
            began, spent = time.perf_counter(), time.process_time()
            fleet = published(scene(days), folder, port)
            taken, used = time.perf_counter() - began, time.process_time() - spent
        finally:
            process.terminate()
            process.wait()
    assert len(fleet.spool) == 0
    bench.add(f"published, {days} days: readings", fleet.readings, "readings")
    bench.add(f"published, {days} days: wall", taken, "s", threads=2)
    bench.add(f"published, {days} days: our processor time", 1e6 * used / fleet.readings, "µs/reading")
    bench.add("a year of 7.2 M readings at this rate", taken / fleet.readings * 7_220_000 / 60, "min", threads=2)


def main() -> int:
    """Print the table and write its rows."""
    bench = Bench.start("simulate")
    collect_seldom()
    chosen = scene(QUICK_DAYS)
    count = generated(chosen)
    seconds = bench.race(lambda: generated(chosen))[0]
    bench.add("generator, 10 a message", 1e6 * seconds / count, "µs/reading")
    over_the_wire(bench, QUICK_DAYS if bench.quick else DAYS)
    bench.finish()
    return 0


if __name__ == "__main__":
    sys.exit(main())
