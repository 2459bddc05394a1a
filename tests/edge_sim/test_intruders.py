"""Strangers and flapping devices on a real Mosquitto: what they do is seen on the wire, and devices come back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.civil import parse_time
from edge_sim.county import SimulatedCounty
from edge_sim.devices import SimulatedDevice
from edge_sim.faults import KINDS, Fault
from edge_sim.fleet import Fleet, Manner
from edge_sim.line import Address
from edge_sim.pace import PacedClock
from edge_sim.record import Record
from edge_sim.scene import Scene
from edge_sim.spool import Spool
from lanbi.clock import SystemClock
from tests.edge_sim.small_county import registry
from tests.edge_sim.test_fleet import Station
from tests.lanbi.ingest_house import until
from tests.lanbi.real_broker import Mosquitto, real

pytestmark = real
START = parse_time("2025-10-01T00:00:00+08:00")
STEP_S = 0.1


class EvenClock(SystemClock):
    """Where the machine stands still for a moment, so does this: no hour of a scene is passed over, whatever else the machine does."""

    def __init__(self) -> None:
        self.real = self.shown = super().monotonic()

    def monotonic(self) -> float:
        """At most a step later than at the last look."""
        before, self.real = self.real, super().monotonic()
        self.shown += min(self.real - before, STEP_S)
        return self.shown


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    """A Mosquitto that lets everybody in, and logs who comes."""
    chosen = Mosquitto(tmp_path / "broker", ["listener {port} 127.0.0.1", "allow_anonymous true", "log_type all"]).start()
    yield chosen
    chosen.kill()


def fleet(broker: Mosquitto, folder: Path, *faults: Fault, hours: int = 6, manner: Manner | None = None, stations: int = 3) -> Fleet:
    """Air stations of the small county, an hour a second."""
    scene = Scene(SimulatedCounty(registry(stations), 1), faults, START, START + hours * 3_600)
    devices = [SimulatedDevice(scene, one) for one in scene.devices() if one.id.startswith("d-a")]
    clock = PacedClock(EvenClock(), START, 3_600.0)
    return Fleet(devices, Address("127.0.0.1", broker.port, {}), clock, Spool(folder / "spool"), Record(folder / "record"), START, manner or Manner())


def ran(chosen: Fleet, seconds: float = 90) -> bool:
    """Run to the end of the scene; whether it came to it."""
    clock = SystemClock()
    end = clock.monotonic() + seconds
    chosen.run(lambda: clock.monotonic() > end, lambda _: None)
    return chosen.done


def fault(kind: str, device: str, seconds: int, size: float) -> Fault:
    """From the first hour on."""
    assert kind in KINDS
    return Fault(kind, device, START + 3_600, START + 3_600 + seconds, size)


def test_takeovers_throw_the_device_out_and_it_returns(broker: Mosquitto, tmp_path: Path) -> None:
    """A stranger with the client id throws the device out; it connects again, and every reading is confirmed."""
    station = Station(broker.port, confirm=True)
    chosen = fleet(broker, tmp_path, fault("takeover", "d-a-1", 7_200, 3_600))

    assert ran(chosen)
    station.close()
    assert "already connected" in broker.log()
    assert {(0, seq) for seq in range(6)} <= station.heard["d-a-1"]
    assert chosen._intruders.connected >= 2


def test_a_storm_connects_again_and_again(broker: Mosquitto, tmp_path: Path) -> None:
    """A flapping device connects far more often than its neighbours, and loses nothing."""
    station = Station(broker.port, confirm=True)
    chosen = fleet(broker, tmp_path, fault("connect-storm", "d-a-1", 7_200, 900))

    assert ran(chosen)
    station.close()
    counts = [broker.log().count(f"as d-a-{n} (") for n in (1, 2)]
    assert counts[0] >= counts[1] + 4
    assert {(0, seq) for seq in range(6)} <= station.heard["d-a-1"]


def test_a_thief_speaks_on_his_own_line(broker: Mosquitto, tmp_path: Path) -> None:
    """False readings go out under the device's topic from a second client with its login."""
    station = Station(broker.port, confirm=True)
    chosen = fleet(broker, tmp_path, fault("stolen", "d-a-1", 7_200, 0.3))

    assert ran(chosen)
    until(lambda: any(run for run, _ in list(station.heard["d-a-1"])), "the thief is heard")
    station.close()
    assert "as d-a-1-x (" in broker.log()
    assert {1} == {run for run, _ in station.heard["d-a-1"] if run}


def test_many_devices_share_lines(broker: Mosquitto, tmp_path: Path) -> None:
    """Sixty devices on three connections: each is heard on its own topic, each number once, and each spool empties."""
    station = Station(broker.port, confirm=True)
    chosen = fleet(broker, tmp_path, stations=60, hours=3, manner=Manner(unhurried=False, lines=3))

    assert ran(chosen)
    station.close()
    assert 60 == len(station.heard)
    assert all({(0, seq) for seq in range(len(numbers))} == numbers for numbers in station.heard.values())
    assert 0 == len(chosen.spool)
    assert 4 == broker.log().count("New client connected")


def test_without_receipts_the_broker_confirms(broker: Mosquitto, tmp_path: Path) -> None:
    """Devices that know no receipts let go at the broker's PUBACK."""
    chosen = fleet(broker, tmp_path, manner=Manner(unhurried=False, receipts=False))

    assert ran(chosen)
    assert 0 == len(chosen.spool) < chosen.readings


def test_a_hurried_scene_says_what_an_unhurried_one_says(broker: Mosquitto, tmp_path: Path) -> None:
    """Speed changes when something is said, not what."""
    heard = []
    for name, manner in (("a", Manner()), ("b", Manner(unhurried=False))):
        (tmp_path / name).mkdir()
        station, chosen = Station(broker.port, confirm=True), fleet(broker, tmp_path / name, manner=manner, hours=4)

        assert ran(chosen)
        station.close()
        heard.append({device: sorted(times) for device, times in station.times.items()})
    assert heard[0] == heard[1]


def test_oversize_costs_a_connection_and_no_reading(tmp_path: Path) -> None:
    """A broker with a limit cuts the device off for a message above it; the device returns, and its readings are confirmed."""
    limited = Mosquitto(tmp_path / "broker", ["listener {port} 127.0.0.1", "allow_anonymous true", "max_packet_size 70000", "log_type all"]).start()
    station = Station(limited.port, confirm=True)
    chosen = fleet(limited, tmp_path, fault("oversize", "d-a-1", 3_600, 80_000))

    assert ran(chosen)
    station.close()
    log = limited.log()
    limited.kill()
    assert log.count("as d-a-1 (") > log.count("as d-a-2 (")
    assert {(0, seq) for seq in range(6)} <= station.heard["d-a-1"]
