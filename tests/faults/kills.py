"""Kill campaign: ingest and influxd are killed with -9 at random, the database fails in ten ways, and nothing is lost.

A fleet of devices speaks without pause, keeps every reading until it is receipted and says it again if it is not. At the end the
store must be, bit for bit, what the fleet's log says: each reading there, once, under its own revision, the unusable ones in the
dead letters; and at every look in between the account must add up.

The full form: 200 kills, 20 outages of 1 s to 10 min at the design load of 500 readings/s. It is scaled: ``--scale 4`` speaks four
times as fast and makes outages four times as short, so that each outage meets the same backlog.
Run it alone with ``python -m tests.faults.kills --seed 3``.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from tests.faults.parts.devices import Fleet, Ids, Pace
from tests.faults.parts.house import House, Part, until
from tests.faults.parts.judge import FromInflux, Verdict, judge, refusals
from tests.faults.parts.proxy import ANSWER, CUT_ANSWER, CUT_REQUEST, DELAY, HANG, LATE, REFUSE, Mode
from tests.faults.parts.report import Asked, Finding, main
from tests.faults.parts.truth import County
from tests.faults.parts.watch import Watch, percentiles

DESIGN: Final = 500.0
"""Readings a second for which the service is designed."""
OUTAGE_S: Final = (1.0, 600.0)
OUTAGES: Final = {
    "stopped": Mode(),
    "refused": Mode(REFUSE),
    "silent": Mode(HANG),
    "slow": Mode(DELAY, seconds=2.0),
    "answers cut off": Mode(CUT_ANSWER),
    "requests cut off": Mode(CUT_REQUEST),
    "writes carried out late": Mode(LATE, seconds=20.0, path="/api/v2/write"),
    "503": Mode(ANSWER, status=503, headers=(("Retry-After", "1"),)),
    "429": Mode(ANSWER, status=429, headers=(("Retry-After", "1"),)),
    "500": Mode(ANSWER, status=500, body=b'{"code":"internal error","message":"unexpected error writing points to database: timeout"}'),
}
DAY_S: Final = 86_400


@dataclass(frozen=True)
class Size:
    """How much of it."""

    kills: int
    outages: int
    readings: int
    scale: float
    devices: int = 100
    second_look: int = 120
    """Seconds after an unanswered write until its rows are looked at again; late writes come before that."""
    rate: float = 0.0
    """Readings a second; 0 = as ``scale`` says."""
    patient: bool = False
    """Kill only ingest, and only while it listens: few kills then suffice to hit it at work."""


FULL: Final = Size(kills=200, outages=20, readings=1_000_000, scale=4.0)
QUICK: Final = Size(kills=10, outages=5, readings=20_000, scale=150.0, devices=40, second_look=15, rate=800.0)
"""A late write comes after a third of the second look's time: what is left of it a busy machine may take."""


@dataclass
class Storm:
    """Kills and outages on a house; :meth:`turn` is called often and does what is due."""

    house: House
    size: Size
    chance: np.random.Generator
    kills: Counter[str] = field(default_factory=Counter)
    outages: list[str] = field(default_factory=list)
    out_s: float = 0.0
    restarts: list[float] = field(default_factory=list)
    """Seconds from the start of a killed ingest until it listens again, of those that lived so long."""

    def __post_init__(self) -> None:
        self._kill_at = time.monotonic() + 1.0
        self._outage_at = time.monotonic() + 2.0
        self._until = self._started = 0.0
        self._kind = ""
        lengths = np.exp(self.chance.uniform(*np.log(OUTAGE_S), self.size.outages)) / self.size.scale
        lengths[:2] = [edge / self.size.scale for edge in OUTAGE_S[::-1]][: len(lengths)]
        # Kills are spread over all outages and the pauses between them.
        self._pace = max(3.0, (float(sum(lengths)) + 4.5 * self.size.outages) / self.size.kills)
        self._lengths = [float(one) for one in self.chance.permutation(lengths)]
        self._kinds = [str(kind) for kind in self.chance.permutation(list(OUTAGES))]

    @property
    def over(self) -> bool:
        """Whether everything has happened and everything runs again."""
        return sum(self.kills.values()) >= self.size.kills and not self._lengths and not self._kind

    def turn(self) -> None:
        """Do what is due."""
        now = time.monotonic()
        if self._started and self.house.ingest.ready():
            self.restarts.append(now - self._started)
            self._started = 0.0
        if self._kind and now >= self._until:
            self._end()
        elif not self._kind and self._lengths and now >= self._outage_at:
            self._begin(now)
        if now >= self._kill_at and sum(self.kills.values()) < self.size.kills and (not self.size.patient or self.house.ingest.ready()):
            # On a machine where starting takes long, kills come no faster than starts.
            slow = max(1.0, float(np.median(self.restarts)) / 2) if self.restarts else 1.0
            self._kill_at = now + float(self.chance.uniform(0.2, 2 * self._pace)) * slow
            self._kill()

    def _kill(self) -> None:
        both = [self.house.ingest, self.house.ingest, self.house.influx]
        part: Part = both[int(self.chance.integers(len(both)))]
        if self.size.patient or not part.alive:
            part = self.house.ingest
        if part.alive:
            part.kill()
            self.kills[part.name] += 1
            part.start(wait=False)
            if part is self.house.ingest:
                self._started = time.monotonic()

    def _begin(self, now: float) -> None:
        self._kind = self._kinds[len(self.outages) % len(self._kinds)]
        length = self._lengths.pop()
        self._until = now + length
        self.out_s += length
        self.outages.append(f"{self._kind} {length:.1f} s")
        if self._kind == "stopped":
            self.house.influx.kill()
        else:
            mode = OUTAGES[self._kind]
            self.house.proxy.set(replace(mode, seconds=min(mode.seconds, self.size.second_look / 3)))

    def _end(self) -> None:
        if self._kind == "stopped":
            self.house.influx.start(wait=False)
        else:
            self.house.proxy.set(Mode())
        self._kind = ""
        self._outage_at = time.monotonic() + float(self.chance.uniform(1.0, 8.0))


def campaign(asked: Asked) -> Finding:
    """The campaign that the command line asks for."""
    more = asked.more
    return storm_over(asked.folder, asked.seed, QUICK if asked.quick else Size(more.kills, more.outages, more.readings, more.scale))


def storm_over(folder: Path, seed: int, size: Size, ingest: Sequence[str] = ("-m", "lanbi", "ingest")) -> Finding:
    """Run the storm over a speaking fleet, let everything settle, judge; ``ingest`` is the program to be killed."""
    rate = size.rate or DESIGN * size.scale
    county = County(seed, size.devices, int(time.time()) // DAY_S * DAY_S - 120 * DAY_S)
    retries: Counter[str] = Counter()
    log = folder / "devices.log"
    with House(folder / "house", county.registry(), ingest_command=ingest, store_more=f"second_look = {size.second_look}") as house:
        fleet, watch = Fleet(county, house.broker_port, log, 60_000, Pace(rate, again_s=5.0)), Watch(house)
        watch.also = _retries(house, retries)
        storm = Storm(house, size, np.random.default_rng(seed))
        with closing(fleet), closing(watch):
            watch.start()
            fleet.start()
            _rage(storm, fleet)
            ended = _settle(house, fleet)
            watch.look()
        read = FromInflux(f"http://127.0.0.1:{house.influx_port}", house.secret("influx-write").read_text().strip())
        verdict = judge(county, Ids.of(log), read, refusals(house.data), watch.looks[-1].law)
        totals, exit_code = house.totals(), house.ingest.stop()
    counted = verdict.receipted == verdict.readings and len(storm.outages) == size.outages
    return {
        "sound": verdict.sound and counted and not watch.breaches and exit_code == 0,
        "figures": _figures(storm, verdict, watch, retries, totals.get(("mended", ""), 0)),
        "kills": dict(storm.kills),
        "outages": storm.outages,
        "outages_s": round(storm.out_s, 1),
        "restart": percentiles(storm.restarts),
        "scale": size.scale,
        "rate": rate,
        **verdict.words(),
        "resent_messages": fleet.repeated,
        "retries": dict(retries),
        "watch": watch.words(),
        "after": ended,
    }


def _figures(storm: Storm, verdict: Verdict, watch: Watch, retries: Counter[str], mended: int) -> list[str]:
    totals, again = verdict.totals, percentiles(storm.restarts)
    return [
        f"{verdict.readings:,} readings, {sum(storm.kills.values())} kills ({', '.join(f'{count} {name}' for name, count in sorted(storm.kills.items()))})",
        f"{len(storm.outages)} outages, {storm.out_s:.0f} s in all at {storm.size.scale:g} times the design load",
        f"faults {sum(verdict.counts.values())}, digest {'equal' if verdict.digest == verdict.digest_expected else 'DIFFERENT'}",
        f"stored {totals['stored']:,} of {verdict.stored_expected:,} usable, duplicates {totals['duplicate']:,}, refused {totals['deadletter'] + totals['quarantined']:,}",
        f"rows set back by late writes and put right {mended}; batches tried again {sum(retries.values())}; ingest listens again after {again.get('p50_ms', 0) / 1e3:.1f} s (p99 {again.get('p99_ms', 0) / 1e3:.1f} s)",
        f"{len(watch.breaches)} breaches in {len(watch.looks):,} looks",
    ]


def _rage(storm: Storm, fleet: Fleet) -> None:
    while not (storm.over and fleet.said >= storm.size.readings):
        storm.turn()
        time.sleep(0.02)
        ingest = storm.house.ingest
        assert ingest.alive, f"ingest ended by itself: {ingest.log.read_text(encoding='utf-8')[-2000:]}"


def _retries(house: House, total: Counter[str]) -> Any:
    """Adds up the retries of every life of ingest: a process counts its own."""
    seen: dict[str, int] = {}
    life = [0]

    def look() -> None:
        status = house.status()
        if status.get("pid") != life[0]:
            life[0] = int(status.get("pid") or 0)
            seen.clear()
        for cause, count in (status.get("store_retries") or {}).items():
            total[cause] += count - seen.get(cause, 0)
            seen[cause] = count

    return look


def _settle(house: House, fleet: Fleet) -> dict[str, Any]:
    """Everything runs: wait for receipts and for an empty backlog."""
    begun = time.monotonic()
    until(lambda: house.ingest.alive and house.influx.alive, "all parts run")
    settled = fleet.settle(300)
    receipts_s = time.monotonic() - begun
    until(lambda: house.law()["pending"] == 0, f"the backlog is empty: {house.law()} {house.status()}", 3_600)
    until(lambda: not house.open_jobs(), "second looks are done", 900)
    return {
        "all_receipted": settled,
        "receipts_s": round(receipts_s, 1),
        "drained_s": round(time.monotonic() - begun, 1),
        **percentiles(fleet.take_latencies()[1]),
    }


if __name__ == "__main__":
    arguments = (
        ("--kills", int, FULL.kills, "how often a process is killed"),
        ("--outages", int, FULL.outages, "how often the database is away"),
        ("--readings", int, FULL.readings, "how many readings at least"),
        ("--scale", float, FULL.scale, "so much faster than the design load, and outages so much shorter"),
    )
    sys.exit(main("kills", __doc__.splitlines()[0], campaign, arguments))
