"""The fleet over a real broker: what is confirmed is dropped, what is not is sent again."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from iotcore import Broker
from paho.mqtt.enums import CallbackAPIVersion

from domain.civil import parse_time
from domain.message import Message, decode
from domain.reasons import MAX_MESSAGE
from edge_sim.county import SimulatedCounty
from edge_sim.devices import SimulatedDevice, payloads
from edge_sim.fleet import Fleet
from edge_sim.line import Address
from edge_sim.record import Record
from edge_sim.scene import Scene
from edge_sim.spool import MAX_CUTS, Held, Spool
from edge_sim.wire import Word
from lanbi.clock import SystemClock
from lanbi.processes import free
from tests.edge_sim.small_county import registry
from tests.lanbi.ingest_house import leave, until

START = parse_time("2025-10-01T00:00:00+08:00")
PATIENCE_S = 60
"""For what other threads do: on a busy machine seconds pass before one has its turn."""


class FastClock(SystemClock):
    """An hour a second."""

    def __init__(self) -> None:
        self.began = self.monotonic()

    def now_ns(self) -> int:
        """Simulated time."""
        return START * 10**9 + int((self.monotonic() - self.began) * 3600e9)


class Station:
    """Stands in for the service: keeps what arrives, confirms it if told to."""

    def __init__(self, port: int, *, confirm: bool, streams: Sequence[str] = ("data", "state")) -> None:
        self.heard: dict[str, set[tuple[int, int]]] = {}
        self.times: dict[str, list[int]] = {}
        self.states: list[tuple[str, bytes]] = []
        self.confirm = confirm
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="service")
        self.client.on_connect = lambda *_: self.client.subscribe([(f"lanbi/v1/+/{stream}", 1) for stream in streams])
        self.client.on_message = lambda _c, _u, message: self.take(message.topic, bytes(message.payload))
        heard = threading.Event()
        self.client.on_subscribe = lambda *_: heard.set()
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        # What is published before the broker knows of the subscription is lost to us.
        assert heard.wait(PATIENCE_S)

    def take(self, topic: str, payload: bytes) -> None:
        """Keep a message and answer with a receipt."""
        device = topic.split("/")[2]
        if topic.endswith("/state"):
            self.states.append((device, payload))
            return
        messages = [one for one in decode(payload) if isinstance(one, Message) and one.seq is not None]
        self.heard.setdefault(device, set()).update((one.run, one.seq or 0) for one in messages)
        self.times.setdefault(device, []).extend(one.time for one in messages)
        if self.confirm:
            ranges = [[one.seq, one.seq] for one in messages]
            self.client.publish(f"lanbi/v1/{device}/receipt", json.dumps({"run": messages[0].run if messages else 0, "ranges": ranges, "time": ""}), qos=1)

    def close(self) -> None:
        """Leave."""
        leave(self.client)


@pytest.fixture
def port() -> Iterator[int]:
    """Port of a broker on the loopback."""
    found = free()
    with Broker(port=found, listen="127.0.0.1", max_payload_size=70_000):
        yield found


def fleet(port: int, folder: Path) -> Fleet:
    """All devices of the small county."""
    scene = Scene(SimulatedCounty(registry(), 1))
    devices = [SimulatedDevice(scene, device) for device in scene.county.devices()]
    return Fleet(devices, Address("127.0.0.1", port, {}), FastClock(), Spool(folder / "spool"), Record(folder / "record"), START)


def ran(chosen: Fleet, enough: Callable[[], object]) -> None:
    """Run the fleet until it is enough, which is looked at once a second."""
    clock, seen = SystemClock(), threading.Event()
    end = clock.monotonic() + PATIENCE_S
    chosen.run(lambda: seen.is_set() or clock.monotonic() > end, lambda _: seen.set() if enough() else None)

    assert seen.is_set()


def test_confirmed_messages_leave_the_spool(port: int, tmp_path: Path) -> None:
    """Every device is heard; numbers are dense from 0, times grow, and receipts empty the spool."""
    station, chosen = Station(port, confirm=True), fleet(port, tmp_path)

    def enough() -> bool:
        done = [line for line in (tmp_path / "record").read_text().splitlines() if "confirmed" in line]
        return len(done) > 60 and len(station.heard) == len(chosen.devices) and len(chosen.spool) < 40

    ran(chosen, enough)
    station.close()

    assert {device.id for device in chosen.devices} == set(station.heard)
    for device, numbers in station.heard.items():
        assert {(0, seq) for seq in range(len(numbers))} == numbers, device
        assert sorted(station.times[device]) == station.times[device]


def test_unconfirmed_messages_survive_the_fleet(port: int, tmp_path: Path) -> None:
    """Without receipts everything is still in the spool, and a new fleet sends it again under the same numbers."""
    station, first = Station(port, confirm=False), fleet(port, tmp_path)
    ran(first, lambda: len(first.spool) > 30)
    held = len(first.spool)
    second = fleet(port, tmp_path)

    assert 30 < held == len(second.spool)

    station.confirm = True
    ran(second, lambda: len(second.spool) < held / 3)
    station.close()

    for device, numbers in station.heard.items():
        assert {(0, seq) for seq in range(len(numbers))} == numbers, device


def test_states_tell_who_is_there(port: int, tmp_path: Path) -> None:
    """A device says that it is online, and that it leaves."""
    station, chosen = Station(port, confirm=True), fleet(port, tmp_path)
    names = {device.id for device in chosen.devices}
    ran(chosen, lambda: names == {device for device, _ in station.states})
    until(lambda: names == {device for device, payload in station.states if not json.loads(payload)["online"]}, "all have taken leave")
    station.close()

    said = {device: [json.loads(payload)["online"] for owner, payload in station.states if owner == device] for device, _ in station.states}
    assert names == set(said)
    assert all(words[0] and not words[-1] for words in said.values())


def test_hopeless_message_is_declared_lost(port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After five tries without a receipt a device gives a message up and says so, in the event topic and in the truth log."""
    monkeypatch.setattr("edge_sim.fleet.FIRST_RETRY_S", 0.02)
    events: list[dict[str, object]] = []
    station, chosen = Station(port, confirm=False, streams=("data", "state", "event")), fleet(port, tmp_path)
    station.client.message_callback_add("lanbi/v1/+/event", lambda _c, _u, message: events.append(json.loads(message.payload)))
    ran(chosen, lambda: len(events) > 3)
    logged = [json.loads(line) for line in (tmp_path / "record").read_text().splitlines() if "lost" in line]
    lost = {(row["lost"], row["run"], seq) for row in logged for seq in range(row["from"], row["to"] + 1)}
    until(lambda: lost <= {(device, *number) for device, seen in list(station.heard.items()) for number in list(seen)}, "what was given up was said")
    station.close()

    assert {"type": "lost", "run": 0, "from": 0} == {name: events[0][name] for name in ("type", "run", "from")}
    assert 0 == min(row["from"] for row in logged)


def word(device: str, seq: int, values: dict[str, float]) -> Word:
    """A numbered word."""
    return Word(START, START, START, device, "a-1", {"seq": seq, "time": START, "span": 3600, "values": values})


def held_by(chosen: Fleet) -> dict[tuple[int, int], Held]:
    """What the first device still holds."""
    return chosen.spool.book(chosen.devices[0].id).held


def test_a_lost_connection_uses_up_no_try(port: int, tmp_path: Path) -> None:
    """A broker that dies again and again makes no message hopeless; one that loses the connection for ever does."""
    chosen = fleet(port, tmp_path)
    link = chosen.links[chosen.devices[0].id]
    one = word(link.id, 7, {"pm25": 1.0})
    chosen.spool.add(link.id, [one], START)
    link.out.take([one], link.lag)
    held = held_by(chosen)[0, 7]
    for _ in range(MAX_CUTS):
        assert not held.hopeless
        link.bundle.up = True
        chosen._send(link, chosen.clock.monotonic(), START, again=True)
        assert 1 == held.tries
        chosen._away(link.bundle)
        held.due = 0.0
    chosen.close()

    assert (0, MAX_CUTS, True) == (held.tries, held.cuts, held.hopeless)


def test_what_no_broker_takes_is_set_aside_at_once(port: int, tmp_path: Path) -> None:
    """A reading above 64 kB would cost the connection each time: it is declared lost, and its neighbours are heard."""
    station, chosen = Station(port, confirm=True), fleet(port, tmp_path)
    name = chosen.devices[0].id
    monster = word(name, 1, {f"item-{number:05d}": 1.5 for number in range(4_000)})
    three = [word(name, 0, {"pm25": 1.0}), monster, word(name, 2, {"pm25": 2.0})]
    chosen.spool.add(name, three, START)
    chosen.links[name].out.take(three, 90)
    ran(chosen, lambda: {(0, 0), (0, 2)} <= station.heard.get(name, set()))
    station.close()
    logged = [json.loads(line) for line in (tmp_path / "record").read_text().splitlines() if "lost" in line]

    assert (0, 1) not in station.heard[name]
    assert [(name, 0, 1, 1)] == [(row["lost"], row["run"], row["from"], row["to"]) for row in logged]


def test_lists_stay_below_the_message_limit() -> None:
    """Readings of many items go in shorter lists; nothing is left out or said twice."""
    many = [word("d", seq, {f"item-{number:03d}": 1.5 for number in range(100)}) for seq in range(250)]
    sent = list(payloads(many))

    assert many == [one for _, part in sent for one in part]
    assert max(len(payload) for payload, _ in sent) <= MAX_MESSAGE
    assert len(sent) > 3
