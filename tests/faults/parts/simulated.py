"""edge_sim's own devices at a house's broker, their time running faster, and the judge of what they wrote down.

They measure a simulated county, keep each reading in a spool on disk until a receipt names it, and send it again if none does.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from domain.places import Registry
from domain.readings import Key, Reading
from edge_sim import fleet
from edge_sim.county import SimulatedCounty
from edge_sim.devices import SimulatedDevice
from edge_sim.fleet import Fleet
from edge_sim.line import Address
from edge_sim.record import Record
from edge_sim.scene import Scene
from edge_sim.spool import Spool
from lanbi import wiring
from lanbi.clock import SystemClock
from tests.faults.parts.house import House

DAY_S: Final = 86_400
BACK_DAYS: Final = 60
"""The simulated time begins so long ago, so that it never passes real time."""
NAMED: Final = 10
AGAIN_S: Final = 5.0
"""First wait for a receipt: shorter than a real device's, as the simulated time is faster."""


class FastClock(SystemClock):
    """Simulated time that runs faster, and can be stopped."""

    def __init__(self, start: int, speed: float) -> None:
        self.start, self.speed = start, speed
        self._begun = time.monotonic()
        self._stopped: float | None = None

    def now_ns(self) -> int:
        """Simulated time."""
        passed = (time.monotonic() if self._stopped is None else self._stopped) - self._begun
        return self.start * 10**9 + int(passed * self.speed * 1e9)

    def stop(self) -> None:
        """No more time passes: nothing new is measured."""
        self._stopped = time.monotonic()


@dataclass
class Simulated:
    """A fleet of edge_sim and its thread."""

    house: House
    seed: int
    speed: float
    host: str = "127.0.0.1"
    passwords: Mapping[str, str] = field(default_factory=dict)
    connected: int = 0
    ticks: int = 0

    def __post_init__(self) -> None:
        self.registry = wiring.registry(wiring.settings(str(self.house.config)))
        start = int(time.time()) // DAY_S * DAY_S - BACK_DAYS * DAY_S
        self.clock = FastClock(start, self.speed)
        self.log = self.house.folder / "devices.jsonl"
        scene = Scene(SimulatedCounty(self.registry, self.seed))
        devices = [SimulatedDevice(scene, device) for device in scene.county.devices()]
        address = Address(self.host, self.house.broker_port, self.passwords)
        self._usual, fleet.FIRST_RETRY_S = fleet.FIRST_RETRY_S, AGAIN_S  # type: ignore[misc]
        self.fleet = Fleet(devices, address, self.clock, Spool(self.house.folder / "spool"), Record(self.log), start)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self.fleet.run, args=(self._over.is_set, self._tick), name="fleet", daemon=True)

    def start(self) -> None:
        """Begin to measure and to speak."""
        self._thread.start()

    def _tick(self, fleet: Fleet) -> None:
        self.connected = fleet.connected()
        self.ticks += 1

    @property
    def held(self) -> int:
        """Readings that no receipt has named."""
        return len(self.fleet.spool)

    def settle(self, patience: float) -> bool:
        """Measure nothing more and wait until everything is receipted."""
        self.clock.stop()
        # A turn that is under way still measures by the time before the stop: only the second tick from here ends one that cannot.
        last, end = self.ticks + 2, time.monotonic() + patience
        while (self.held or self.ticks < last) and time.monotonic() < end:
            time.sleep(0.1)
        return not self.held

    def close(self) -> None:
        """End the thread; the devices take leave, and others wait as long as ever."""
        fleet.FIRST_RETRY_S = self._usual  # type: ignore[misc]
        self._over.set()
        if self._thread.is_alive():
            self._thread.join(30)


@dataclass
class Verdict:
    """What the devices' log and the store say about each other."""

    said: int = 0
    confirmed: int = 0
    given_up: int = 0
    missing: list[str] = field(default_factory=list)
    """Said, and not in the store; those that a receipt named are ``lost``."""
    lost: list[str] = field(default_factory=list)
    altered: list[str] = field(default_factory=list)
    rows: int = 0
    keys: int = 0
    """Rows that there ought to be; a key that is said twice is one."""
    stored: int = 0
    refused: int = 0

    @property
    def sound(self) -> bool:
        """Everything that was said is stored, once, as it was said, and nothing else is."""
        return (
            bool(self.said)
            and not (self.missing or self.lost or self.altered or self.refused or self.given_up)
            and self.keys == self.rows
            and self.said == self.stored
        )

    def words(self) -> dict[str, Any]:
        """For a report."""
        plain = {name: getattr(self, name) for name in ("said", "confirmed", "given_up", "keys", "rows", "stored", "refused")}
        named = {name: getattr(self, name)[:NAMED] for name in ("missing", "lost", "altered") if getattr(self, name)}
        return {**plain, **{name: len(getattr(self, name)) for name in ("missing", "lost", "altered")}, "named": named}


def judged(log: Path, found: Mapping[Key, Reading], registry: Registry, law: Mapping[str, int]) -> Verdict:
    """Compare what the devices wrote down with the rows of a store and with the service's own account."""
    said, confirmed, verdict = {}, set(), Verdict(rows=len(found), stored=law["stored"], refused=law["deadletter"] + law["quarantined"])
    for row in _rows(log):
        if "said" in row:
            said[row["said"], row["run"], row["seq"]] = row
        elif "confirmed" in row:
            confirmed.add((row["confirmed"], row["run"], row["seq"]))
        elif "lost" in row:
            verdict.given_up += int(row["to"]) - int(row["from"]) + 1
    verdict.said, verdict.confirmed = len(said), len(confirmed)
    verdict.lost += [f"{number}: confirmed but never said" for number in sorted(confirmed - said.keys())]
    by_key: dict[Key, list[tuple[Any, ...]]] = {}
    for number, row in sorted(said.items()):
        source = str(row["source"] or registry.devices[number[0]].sources.newest[0])
        by_key.setdefault(Key(registry.kinds[source], source, row["span"], row["time"]), []).append(number)
    verdict.keys = len(by_key)
    for key, numbers in by_key.items():
        _compare(verdict, key, {number: said[number]["values"] for number in numbers}, found.get(key), confirmed)
    return verdict


def _compare(verdict: Verdict, key: Key, said: Mapping[tuple[Any, ...], Mapping[str, float]], reading: Reading | None, confirmed: set[Any]) -> None:
    """One key and all that was said of it, in order of number: a section's nutrients are said twice."""
    stored = dict(reading.values) if reading else {}
    merged = {name: value for values in said.values() for name, value in values.items()}
    if reading and stored == merged:
        return
    kept = {number for number, values in said.items() if reading and stored == values}
    if reading and not kept:
        verdict.altered.append(f"{list(said)}: said {merged}, stored {stored}")
    for number in said.keys() - kept if kept or not reading else ():
        (verdict.lost if number in confirmed else verdict.missing).append(f"{number}: {key.source} {key.time}")


def stored(house: House) -> dict[Key, Reading]:
    """Every row of the house's store."""
    store = wiring.store(wiring.settings(str(house.config)))
    try:
        return {reading.key: reading for kind in ("air", "water", "point", "meter") for reading in store.rows(kind, None, 0, 2**40)}
    finally:
        store.close()


def _rows(log: Path) -> Iterator[dict[str, Any]]:
    with log.open(encoding="utf-8") as lines:
        yield from (json.loads(line) for line in lines)
