"""Broker campaign: Mosquitto is killed with -9 at random while edge_sim's devices publish; receipts heal what it forgot.

A broker acknowledges before it saves: what it holds when it is killed is gone, its session of ingest too. The devices keep each
reading until lanbi's receipt names it, so in the end everything that was measured is stored, once, as it was said. The broker runs the
shipped configuration with its logins. Run it alone with ``python -m tests.faults.broker_kills --seed 3``.
"""

from __future__ import annotations

import sys
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from tests.faults.parts.house import ROOT, until
from tests.faults.parts.report import Asked, Finding, main
from tests.faults.parts.shipped import SAMPLE, ShippedHouse
from tests.faults.parts.simulated import Simulated, Verdict, judged, stored
from tests.faults.parts.watch import Watch

SPEED: Final = 3_600.0
"""An hour of the county a second: about 130 readings a second from 23 devices."""
FULL: Final = 50
QUICK: Final = 6


@dataclass
class Kills:
    """What was done to the broker."""

    count: int = 0
    down_s: float = 0.0
    held: int = 0
    """Most readings that waited for a receipt."""


def campaign(asked: Asked) -> Finding:
    """The campaign that the command line asks for."""
    return killing(asked.folder, asked.seed, QUICK if asked.quick else asked.more.kills)


def killing(folder: Path, seed: int, wanted: int, devices: type[Simulated] = Simulated) -> Finding:
    """Kill, let everything settle, judge; ``devices`` may be others than edge_sim's, for the proof that these are needed."""
    chance = np.random.default_rng(seed)
    county = (ROOT / SAMPLE).read_text(encoding="utf-8")
    with ShippedHouse(folder / "house", county, store="embedded", keepalive=10) as house:
        fleet, watch, kills = devices(house, seed, SPEED, passwords=house.passwords()), Watch(house), Kills()
        with closing(fleet), closing(watch):
            watch.start()
            fleet.start()
            until(lambda: fleet.connected == len(fleet.fleet.links), "every device is connected")
            while kills.count < wanted:
                _kill(house, fleet, kills, chance)
            begun = time.monotonic()
            settled = fleet.settle(300)
            until(lambda: house.law()["pending"] == 0, "the journal is forwarded", 120)
            settling = time.monotonic() - begun
            watch.look()
        status = house.status()
        verdict = judged(fleet.log, stored(house), fleet.registry, watch.looks[-1].law)
        exit_code = house.ingest.stop()
    sound = verdict.sound and settled and not watch.breaches and exit_code == 0 and kills.count == wanted and house.ingest.starts == 1
    return {
        "sound": sound,
        "kills": kills.count,
        "down_s": round(kills.down_s, 1),
        "settled_s": round(settling, 1),
        "most_held": kills.held,
        **verdict.words(),
        "law": watch.looks[-1].law,
        "ingest": {name: status.get(name) for name in ("reconnects", "sessions_lost", "stale_acks", "faults", "unsaid")},
        "watch": watch.words(),
        "figures": _figures(kills, verdict, watch, status, settling),
    }


def _kill(house: ShippedHouse, fleet: Simulated, kills: Kills, chance: np.random.Generator) -> None:
    time.sleep(float(chance.uniform(0.3, 7.0)))
    kills.held = max(kills.held, fleet.held)
    house.broker.kill()
    kills.count += 1
    down = float(chance.uniform(0.0, 2.0))
    kills.down_s += down
    time.sleep(down)
    house.broker.start()
    assert house.ingest.alive, f"ingest ended by itself: {house.ingest.log.read_text(encoding='utf-8')[-2000:]}"


def _figures(kills: Kills, verdict: Verdict, watch: Watch, status: dict[str, Any], settling: float) -> list[str]:
    law = watch.looks[-1].law
    return [
        f"{kills.count} `kill -9` of Mosquitto, {status.get('sessions_lost')} times it had forgotten ingest's session",
        f"{verdict.said:,} readings said, {len(verdict.lost)} lost, {len(verdict.missing)} missing, {len(verdict.altered)} altered, {verdict.rows - verdict.keys} too many",
        f"{law['duplicate']:,} said again and known",
        f"all receipted {settling:.0f} s after the last kill",
        f"{len(watch.breaches)} breaches at {len(watch.looks):,} looks",
    ]


if __name__ == "__main__":
    sys.exit(main("broker_kills", __doc__.splitlines()[0], campaign, (("--kills", int, FULL, "how often the broker is killed"),)))
