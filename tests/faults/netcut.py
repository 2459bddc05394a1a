"""Network campaign: the way between ingest and Mosquitto is cut, in a network namespace, while devices go on publishing.

The broker lives in a namespace of its own, with one way to ingest and another to the devices. Cutting a way is taking its link down: no
packet arrives, nobody is told, both ends believe in their connection. Ingest must notice within the keep-alive, be back within twice the
keep-alive of the network's return, resume its session, and lose nothing. Needs root and iproute2; without them it is skipped, and says so.
Run it alone with ``python -m tests.faults.netcut --seed 3``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np

from tests.faults.parts.house import ROOT, Part, until
from tests.faults.parts.report import Asked, Finding, main
from tests.faults.parts.shipped import SAMPLE, ShippedHouse
from tests.faults.parts.simulated import Simulated, judged, stored
from tests.faults.parts.watch import Watch

SPEED: Final = 1_800.0
FULL: Final = 12
KEEPALIVE_S: Final = 10
QUICK: Final = 1
QUICK_KEEPALIVE_S: Final = 5
GRAIN_S: Final = 1.2
"""Ingest says how it is once a second."""
PATIENCE: Final = 20
"""Keep-alives until something is said never to happen."""


class Way(NamedTuple):
    """A pair of links: this machine's end and the broker's, with their addresses."""

    here: str
    there: str
    address: str
    broker: str


@dataclass
class Namespace:
    """A namespace for the broker and its two ways; gone with the ``with`` block."""

    name: str = field(default_factory=lambda: f"lanbi-{os.getpid()}")

    @property
    def ingest(self) -> Way:
        """The way that is cut."""
        return self._way("i", 1)

    @property
    def devices(self) -> Way:
        """The way that stays."""
        return self._way("d", 5)

    def _way(self, mark: str, host: int) -> Way:
        net = f"10.213.{os.getpid() % 250}"
        return Way(f"lb{mark}{os.getpid()}", f"br{mark}{os.getpid()}", f"{net}.{host}", f"{net}.{host + 1}")

    @contextmanager
    def made(self) -> Iterator[Namespace]:
        """Make it, and take it away however it went."""
        _ip("netns", "add", self.name)
        try:
            self._inside("link", "set", "lo", "up")
            for way in (self.ingest, self.devices):
                _ip("link", "add", way.here, "type", "veth", "peer", "name", way.there, "netns", self.name)
                _ip("addr", "add", f"{way.address}/30", "dev", way.here)
                self._inside("addr", "add", f"{way.broker}/30", "dev", way.there)
                _ip("link", "set", way.here, "up")
                self._inside("link", "set", way.there, "up")
            yield self
        finally:
            _ip("netns", "del", self.name)

    def cut(self) -> None:
        """No packet passes between ingest and broker."""
        self._inside("link", "set", self.ingest.there, "down")

    def mend(self) -> None:
        """Packets pass again."""
        self._inside("link", "set", self.ingest.there, "up")

    def _inside(self, *words: str) -> None:
        _ip("-n", self.name, *words)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


@dataclass
class CutHouse(ShippedHouse):
    """A house whose broker lives in a namespace."""

    space: Namespace = field(default_factory=Namespace)

    def _broker(self) -> Part:
        part = super()._broker()
        config = self.folder / "mosquitto.conf"
        config.write_text(
            config.read_text(encoding="utf-8").replace(f"listener {self.broker_port} 127.0.0.1", f"listener {self.broker_port}"), encoding="utf-8"
        )
        part.command = ["ip", "netns", "exec", self.space.name, *part.command]
        return part


@dataclass
class Cut:
    """One cut: how long it lasted, when it was noticed, and when ingest was back after the mending [s]."""

    lasted: float
    noticed: float
    back: float
    why: str


def missing() -> str:
    """Why it cannot be done here; empty if it can."""
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        return "a network namespace needs root on Linux"
    if not shutil.which("ip"):
        return "no `ip`: make services (iproute2)"
    done = subprocess.run(["ip", "netns", "add", f"lanbi-try-{os.getpid()}"], capture_output=True, text=True, check=False)
    if done.returncode:
        return f"a network namespace is not allowed here: {done.stderr.strip()}"
    _ip("netns", "del", f"lanbi-try-{os.getpid()}")
    return ""


def campaign(asked: Asked) -> Finding:
    """Cut, mend, and cut again; then let everything settle, and judge."""
    if why := missing():
        return {"sound": True, "skipped": why}
    wanted, keepalive = (QUICK, QUICK_KEEPALIVE_S) if asked.quick else (asked.more.cuts, KEEPALIVE_S)
    chance = np.random.default_rng(asked.seed)
    space, county = Namespace(), (ROOT / SAMPLE).read_text(encoding="utf-8")
    with space.made(), CutHouse(asked.folder / "house", county, store="embedded", keepalive=keepalive, host=space.ingest.broker, space=space) as house:
        fleet, watch = Simulated(house, asked.seed, SPEED, host=space.devices.broker, passwords=house.passwords()), Watch(house)
        with closing(fleet), closing(watch):
            watch.start()
            fleet.start()
            until(lambda: fleet.connected == len(fleet.fleet.links), "every device is connected")
            cuts = [_cut(house, chance) for _ in range(wanted)]
            settled = fleet.settle(300)
            until(lambda: house.law()["pending"] == 0, "the journal is forwarded", 120)
            watch.look()
        status = house.status()
        verdict = judged(fleet.log, stored(house), fleet.registry, watch.looks[-1].law)
        exit_code = house.ingest.stop()
    # In the short form it is noticed and mended at all: how soon is said of a machine that does nothing else.
    in_time = asked.quick or all(one.noticed <= keepalive + GRAIN_S and one.back <= 2 * keepalive + GRAIN_S for one in cuts)
    resumed = status["sessions_lost"] == 0 and status["reconnects"] >= wanted
    return {
        "sound": verdict.sound and settled and in_time and resumed and not watch.breaches and exit_code == 0,
        "keepalive_s": keepalive,
        "cuts": [{name: round(value, 1) if isinstance(value, float) else value for name, value in vars(one).items()} for one in cuts],
        **verdict.words(),
        "law": watch.looks[-1].law,
        "ingest": {name: status.get(name) for name in ("reconnects", "sessions_lost", "stale_acks", "faults")},
        "watch": watch.words(),
        "figures": [
            f"{wanted} cuts of {min(one.lasted for one in cuts):.0f} to {max(one.lasted for one in cuts):.0f} s at a keep-alive of {keepalive} s",
            f"noticed after at most {max(one.noticed for one in cuts):.1f} s, back at most {max(one.back for one in cuts):.1f} s after the network",
            f"session resumed each time; {verdict.said:,} readings said, {len(verdict.lost)} lost, {len(verdict.missing)} missing, {len(verdict.altered)} altered",
        ],
    }


def _cut(house: CutHouse, chance: np.random.Generator) -> Cut:
    """One cut, longer than it takes to notice."""
    until(lambda: house.status().get("ready"), "ready before the cut")
    time.sleep(float(chance.uniform(0.5, 4.0)))
    house.space.cut()
    begun = time.monotonic()
    why = until(lambda: _unready(house.status()), "the cut is noticed", PATIENCE * house.keepalive)
    noticed = time.monotonic() - begun
    time.sleep(float(chance.uniform(0.0, 3.0 * house.keepalive)))
    house.space.mend()
    lasted, mended = time.monotonic() - begun, time.monotonic()
    until(lambda: house.status().get("ready"), "ready after the mending", PATIENCE * house.keepalive)
    return Cut(lasted, noticed, time.monotonic() - mended, why)


def _unready(status: dict[str, Any]) -> str:
    return "" if status.get("ready", True) else str(status.get("reasons"))


if __name__ == "__main__":
    sys.exit(main("netcut", __doc__.splitlines()[0], campaign, (("--cuts", int, FULL, "how often the network is cut"),)))
