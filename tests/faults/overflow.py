"""Queue campaign: ingest is stopped while devices publish more than a default queue holds, and a meter tries to take ingest's place.

Mosquitto's default keeps 1,000 messages for ingest and drops the rest, telling the device "success". lanbi must notice by the numbers
that are missing; with the shipped configuration nothing is missing; and devices that wait for receipts lose nothing either way.
Run it alone with ``python -m tests.faults.overflow --seed 3``.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

from domain.civil import iso
from lanbi.state import StateView
from tests.faults.parts.house import ROOT, until
from tests.faults.parts.report import Asked, Finding, main
from tests.faults.parts.shipped import SAMPLE, ShippedHouse
from tests.faults.parts.simulated import Simulated, judged, stored
from tests.faults.parts.watch import resident
from tests.faults.parts.wire import Wire

COUNTY: Final = """[county]
id = "c"
name = "c"
[[air_station]]
id = "s"
name = "s"
role = "assessment"
[[device]]
id = "d"
sources = ["s"]
interval = 60
state = "accepted"
"""
DEFAULT: Final = "max_queued"
"""Without these lines Mosquitto has its default queue."""
UNBOUND: Final = "use_username_as_clientid"
FULL: Final = 200_000
QUICK: Final = 3_000
WAITING: Final = 500
PAYLOAD_B: Final = 200
SPEED: Final = 3_600.0
LOOKS: Final = 8
BEGUN: Final = int(time.time()) // 60 * 60 - 60 * 400_000
"""Time of number 0: 278 days ago."""


def campaign(asked: Asked) -> Finding:
    """Each case in a house of its own."""
    count = QUICK if asked.quick else asked.more.messages
    dropped = _queue(asked.folder / "default", min(count, QUICK), DEFAULT)
    kept = _queue(asked.folder / "shipped", count, "")
    stolen, safe = _takeover(asked.folder / "unbound", UNBOUND), _takeover(asked.folder / "bound", "")
    healed = _receipts(asked.folder / "receipts", asked.seed, 4.0 if asked.quick else 60.0)
    detected = 0 < dropped["gaps"] == dropped["dropped"] and dropped["told"]
    nothing = (kept["gaps"], kept["dropped"], safe["gaps"], safe["dropped"]) == (0, 0, 0, 0)
    seen = stolen["gaps"] == stolen["dropped"] == WAITING
    return {
        "sound": detected and nothing and seen and healed["sound"],
        "default_queue": dropped,
        "shipped": kept,
        "takeover_unbound": stolen,
        "takeover_shipped": safe,
        "default_queue_with_receipts": healed,
        "figures": [
            f"default queue: {dropped['dropped']:,} of {dropped['sent']:,} dropped and told to the device as success, {dropped['gaps']:,} noticed by their numbers",
            f"shipped: 0 of {kept['sent']:,} dropped; a waiting message of {PAYLOAD_B} B takes {kept['queued_b']} B of the broker's memory, a save of all of them {kept['save_ms']} ms",
            f"ingest's place taken by a meter: {stolen['dropped']} of {WAITING} lost and noticed where client ids are free, {safe['dropped']} with the shipped configuration",
            f"default queue, devices with receipts: {healed['said']:,} said while ingest was away, {healed['missing'] + healed['lost']} missing",
        ],
    }


def _queue(folder: Path, count: int, without: str) -> dict[str, Any]:
    """A device publishes while ingest is stopped; then ingest is started, and one more message shows what is missing."""
    with _without_ingest(folder, without) as house, _device(house) as (wire, say):
        before = resident(house.broker.pid)
        say(1, count)
        queued = (resident(house.broker.pid) - before) / count
        save = _save(house, wire, say, count)
        house.ingest.start()
        say(count + 1, count + 2)
        found = _after(house, count + 2)
        told = _told(house)
    return {**found, "told": told, "queued_b": round(queued), "save_ms": round(save * 1e3)}


def _takeover(folder: Path, without: str) -> dict[str, Any]:
    """Messages wait for ingest; a meter logs in as itself, under ingest's client id, with a clean session."""
    with _without_ingest(folder, without) as house, _device(house) as (wire, say):
        say(1, WAITING + 1)
        wire.close()
        thief = Wire(house.broker_port, "lanbi-ingest", ("lanbi/v1/d/receipt",), lambda *_: None, ("d", house.passwords()["d"]))
        thief.connect()
        thief.close()
        wire.connect()
        house.ingest.start()
        say(WAITING + 1, WAITING + 2)
        return _after(house, WAITING + 2)


def _receipts(folder: Path, seed: int, away: float) -> dict[str, Any]:
    """edge_sim's devices speak while ingest is away and the broker keeps its default thousand; in the end everything is stored."""
    with ShippedHouse(folder, (ROOT / SAMPLE).read_text(encoding="utf-8"), store="embedded", without=DEFAULT) as house:
        fleet = Simulated(house, seed, SPEED, passwords=house.passwords())
        with closing(fleet):
            fleet.start()
            until(lambda: fleet.connected == len(fleet.fleet.links), "every device is connected")
            house.ingest.stop()
            time.sleep(away)
            held = fleet.held
            house.ingest.start()
            settled = fleet.settle(300)
            until(lambda: house.law()["pending"] == 0, "the journal is forwarded", 120)
            law = house.law()
        verdict = judged(fleet.log, stored(house), fleet.registry, law)
    return {**verdict.words(), "held": held, "sound": verdict.sound and settled}


@contextmanager
def _without_ingest(folder: Path, without: str) -> Iterator[ShippedHouse]:
    """A house whose ingest has heard number 0 of the device, and is stopped now."""
    with ShippedHouse(folder, COUNTY, store="embedded", without=without, mosquitto_more="sys_interval 1") as house:
        until(lambda: house.status().get("subscribed"), "subscribed")
        with _device(house) as (_, say):
            say(0, 1)
        until(lambda: house.law()["received"] == 1, "the first number")
        assert house.ingest.stop() == 0
        yield house


@contextmanager
def _device(house: ShippedHouse) -> Iterator[tuple[Wire, Callable[[int, int], None]]]:
    """The device's connection, and how to make it say numbers and wait for every PUBACK."""
    wire = Wire(house.broker_port, "d", (), lambda *_: None, ("d", house.passwords()["d"]))
    wire.topics = ("lanbi/v1/d/receipt",)
    wire.connect()

    def say(low: int, high: int) -> None:
        for seq in range(low, high):
            wire.publish("lanbi/v1/d/data", _reading(seq))
            while wire.unacknowledged >= 500 or wire.full:
                wire.turn(0.05)
        while wire.unacknowledged:
            wire.turn(0.05)

    try:
        yield wire, say
    finally:
        wire.close()


def _reading(seq: int) -> bytes:
    text = json.dumps({"seq": seq, "time": iso(BEGUN + 60 * seq), "span": 60, "values": {"pm25": 5.0}})
    return text.ljust(PAYLOAD_B).encode()


def _save(house: ShippedHouse, wire: Wire, say: Callable[[int, int], None], seq: int) -> float:
    """Longest wait of a publish [s], the same number again and again, while the broker saves what it holds (SIGUSR1)."""
    wire.acks.clear()
    os.kill(house.broker.pid, signal.SIGUSR1)
    for _ in range(20):
        say(seq, seq + 1)
        time.sleep(0.02)
    return max(wire.acks)


def _after(house: ShippedHouse, sent: int) -> dict[str, Any]:
    """What arrived, and what was noticed, once the last number is known."""
    until(lambda: house.status().get("ready"), "ready")
    until(lambda: _numbers(house) == sent - 1 and house.law()["pending"] == 0, f"the last number is known: {house.law()}", 300)
    view = StateView(house.data)
    gaps, law = view.totals().get(("gaps", ""), 0), view.conservation()
    view.close()
    return {"sent": sent, "dropped": sent - law["stored"], "gaps": gaps, "law": law}


def _numbers(house: ShippedHouse) -> int:
    """Greatest number whose reading is known; a later number has a later time."""
    view = StateView(house.data)
    try:
        return max(((one.time - BEGUN) // 60 for one in view.latest()), default=-1)
    finally:
        view.close()


def _told(house: ShippedHouse) -> bool:
    """Whether the live check tells of dropped messages: the broker says its counters once a second here, or later where it is kept waiting."""
    command = [sys.executable, "-m", "lanbi", "check", "--live", "--config", str(house.config)]
    for _ in range(LOOKS):
        time.sleep(2.5)
        if "dropped" in subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout:
            return True
    return False


if __name__ == "__main__":
    sys.exit(main("overflow", __doc__.splitlines()[0], campaign, (("--messages", int, FULL, "how many wait for ingest"),)))
