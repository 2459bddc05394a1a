"""Lying store: the database says 204 and has swallowed, altered or doubled rows; every one is found, and the store is made true again.

A fleet of devices speaks its known truth through a proxy that lies (``parts/liar.py``) to a real influxd, and some stored points are
deleted behind everybody's back. What differs is worked out by the judge, which reads the database by itself; ``lanbi reconcile``
must name exactly these rows, while devices go on speaking, and repair them; after a second round of lies ``lanbi replay`` must.
Run it alone with ``python -m tests.faults.lying --readings 300000``.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

from domain.civil import parse_time
from tests.faults.parts.devices import Fleet, Ids, Pace
from tests.faults.parts.house import ROOT, House, until
from tests.faults.parts.judge import FromInflux, Verdict, judge, refusals
from tests.faults.parts.liar import HONEST, Liar, Lies
from tests.faults.parts.proxy import Mode
from tests.faults.parts.report import Asked, Finding, main
from tests.faults.parts.truth import SPAN, County, Row
from tests.faults.parts.watch import Watch

DAY_S: Final = 86_400
KINDS: Final = ("missing", "different", "extra")
FULL: Final = 300_000
QUICK: Final = 6_000
DEVICES: Final = 20
KEPT: Final = 1_000
"""Rows that a reconciliation names; it counts all."""
Different = set[tuple[str, str, int]]
"""What is wrong with a row (missing, different, extra), its source, its time."""


@dataclass
class Round:
    """One round of lies on one house."""

    house: House
    county: County
    fleet: Fleet
    liar: Liar
    log: Path
    took: dict[str, float] = field(default_factory=dict)

    def speak(self, readings: int, lies: Lies) -> None:
        """So many readings in all go through the liar."""
        self.liar.lies = lies
        self.fleet.speak(readings)
        self.fleet.resume()
        until(lambda: self.fleet.done, "everything is said", 3_600)
        self.quiet()
        self.liar.lies = HONEST

    def quiet(self) -> None:
        """Everything receipted and forwarded."""
        assert self.fleet.settle(300), "receipts for everything"
        until(lambda: self.house.law()["pending"] == 0, "the backlog is empty", 1_800)

    def read(self, kind: str, source: str) -> Row:
        """Rows of a source, straight from influxd."""
        return FromInflux(f"http://127.0.0.1:{self.house.influx_port}", self.token)(kind, source)

    @property
    def token(self) -> str:
        """The token that may write."""
        return self.house.secret("influx-write").read_text().strip()

    def vanish(self, count: int, minutes: int) -> None:
        """Delete stored points of some sources, as a lost shard or a careless hand does."""
        for number in range(count):
            kind, start = self.county.kind(number), self.county.time(40 * (number + 1))
            words = {
                "start": _instant(start),
                "stop": _instant(start + SPAN * minutes),
                "predicate": f'_measurement="{kind}" AND site="{self.county.source(number)}"',
            }
            url = f"http://127.0.0.1:{self.house.influx_port}/api/v2/delete?org=lanbi&bucket=lanbi{'-meter' if kind == 'meter' else ''}"
            head = {"Authorization": f"Token {self.token}", "Content-Type": "application/json"}
            with urllib.request.urlopen(urllib.request.Request(url, json.dumps(words).encode(), head)):
                pass

    def different(self) -> Different:
        """What is not as the devices said, by the judge's own reading."""
        ids, found = Ids.of(self.log), set()
        for number in range(self.county.count):
            source = self.county.source(number)
            truth, stored = self.county.rows(number, ids.said.get(self.county.device(number), 0)), self.read(self.county.kind(number), source)
            found |= {("missing", source, time) for time in np.setdiff1d(truth.times, stored.times).tolist()}
            found |= {("extra", source, time) for time in np.setdiff1d(stored.times, truth.times).tolist()}
            both = np.intersect1d(truth.times, stored.times)
            here, there = np.searchsorted(truth.times, both), np.searchsorted(stored.times, both)
            same = (truth.revs[here] == stored.revs[there]) & (truth.flags[here] == stored.flags[there]).all(axis=1)
            same &= ((truth.values[here] == stored.values[there]) | (np.isnan(truth.values[here]) & np.isnan(stored.values[there]))).all(axis=1)
            found |= {("different", source, time) for time in both[~same].tolist()}
        return found

    def verdict(self) -> Verdict:
        """The judge's word on everything."""
        return judge(self.county, Ids.of(self.log), self.read, refusals(self.house.data), self.house.law())

    def lanbi(self, name: str, *words: str) -> tuple[int, dict[str, Any]]:
        """A command of lanbi: its exit code and its answer."""
        begun = time.monotonic()
        command = [sys.executable, "-m", "lanbi", "--config", str(self.house.config), *words, "--json"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode in {0, 1} and done.stdout, f"{' '.join(words)}: {done.stdout}{done.stderr}"
        self.took[f"{name}_s"] = round(time.monotonic() - begun, 1)
        return done.returncode, json.loads(done.stdout)


def campaign(asked: Asked) -> Finding:
    """Two rounds of lies: the first is reconciled, the second replayed."""
    readings = QUICK if asked.quick else asked.more.readings
    county = County(asked.seed, DEVICES, int(time.time()) // DAY_S * DAY_S - 40 * DAY_S)
    with House(asked.folder / "house", county.registry()) as house:
        liar = Liar(house.influx_port, asked.seed)
        log = asked.folder / "devices.log"
        fleet = Fleet(county, house.broker_port, log, 3 * readings // DEVICES + 1_000, Pace(rate=min(4_000.0, readings / 4)))
        watch = Watch(house)
        with closing(liar), closing(fleet), closing(watch):
            liar.start()
            house.proxy.target = liar.port
            house.proxy.set(Mode())
            fleet.start()
            watch.start()
            one = Round(house, county, fleet, liar, log)
            first = _reconciled(one, readings, asked.quick)
            second = _replayed(one, readings)
            watch.look()
    sound = first["sound"] and second["sound"] and not watch.breaches
    words = f"{first['readings']:,} readings, {first['wrong']:,} rows lost, altered or doubled, {first['still']:,} of them to the end: {first['found']:,} found, {first['false_alarms']} false alarms"
    figures = [
        f"{words}; compared in {one.took['reconcile_s']} s while devices spoke, repaired in {one.took['repair_s']} s",
        f"second round: {second['wrong']:,} rows wrong, after `lanbi replay` ({one.took['replay_s']} s) {second['left']}",
    ]
    return {"sound": sound, "figures": figures, "reconciled": first, "replayed": second, "lies": dict(liar.told), "took": one.took, "watch": watch.words()}


def _reconciled(one: Round, readings: int, quick: bool) -> Finding:  # noqa: FBT001  a size
    every = 150 if quick else 4_000
    one.speak(readings, Lies(body=12 if quick else 60, row=every, altered=every, doubled=every, correction=8 if quick else 60))
    one.vanish(3, 4)
    wrong = one.different()
    # Devices go on while it is compared: what they say meanwhile is no finding.
    one.fleet.speak(readings + readings // 5)
    one.fleet.resume()
    code, answer = one.lanbi("reconcile", "reconcile", "--since", "60d")
    # A device's own correction may put a row right before it is compared. What is wrong when all is said was wrong all the time.
    until(lambda: one.fleet.done, "everything is said", 600)
    one.quiet()
    still = {row[1:] for row in one.different()} & {row[1:] for row in wrong}
    one.fleet.speak(readings + 2 * (readings // 5))
    one.fleet.resume()
    named = {(row["what"], row["source"], parse_time(row["time"])) for row in answer["items"]}
    count = sum(answer[what] for what in KINDS)
    by_kind = {what: sum(row[0] == what for row in wrong) for what in KINDS}
    known = {row[1:] for row in named}
    found = code == 1 and len(still) <= count <= len(wrong) and known <= {row[1:] for row in wrong} and (len(wrong) > KEPT or still <= known)
    repaired, after = one.lanbi("repair", "reconcile", "--since", "60d", "--repair", "--remove")
    one.quiet()
    verdict = one.verdict()
    whole = repaired == 0 and after["remaining"] == 0 and verdict.digest == verdict.digest_expected and not verdict.counts and verdict.balanced
    return {
        "sound": found and whole and min(by_kind.values()) > 0,
        "readings": verdict.readings,
        "wrong": len(wrong),
        "by_kind": by_kind,
        "still": len(still),
        "found": count,
        "false_alarms": len(known - {row[1:] for row in wrong}),
        "not_named": sorted(still - known)[:20] if len(wrong) <= KEPT else [],
        "compared_rows": answer["rows"],
        "after": {name: after[name] for name in ("rows", "repaired", "removed", "remaining")},
        "digest": verdict.digest,
        "digest_expected": verdict.digest_expected,
        "faults": verdict.counts,
        "names": verdict.names,
    }


def _replayed(one: Round, readings: int) -> Finding:
    one.speak(2 * readings, Lies(body=20, row=50, altered=50, correction=5))
    wrong = one.different()
    code, answer = one.lanbi("replay", "replay", "--since", "60d")
    one.quiet()
    left, verdict = one.different(), one.verdict()
    return {
        "sound": bool(wrong) and code == 0 and not left and verdict.digest == verdict.digest_expected and verdict.balanced,
        "wrong": len(wrong),
        "left": len(left),
        "names": sorted(left)[:20],
        "account": {name: answer[name] for name in ("read", "stored", "duplicate", "deadletter", "quarantined")},
        "digest": verdict.digest,
        "digest_expected": verdict.digest_expected,
    }


def _instant(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"


if __name__ == "__main__":
    sys.exit(main("lying", __doc__.splitlines()[0], campaign, (("--readings", int, FULL, "readings of each round"),)))
