"""The fault campaign of the demo: processes and the whole demo are killed with -9 at random, and nothing confirmed is missing.

What the devices wrote down (what they said, what they saw confirmed by a receipt) is compared with the store: each confirmed
reading must be there once, with its values. A receipt promises the journal, not the store: what the last life left waiting there
is forwarded first, as its next start would, and nothing may wait after that. Run it alone with ``python -m tests.faults.demo_kill --rounds 20 --seed 3``.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from domain.places import Registry
from domain.readings import Key, Reading
from lanbi import wiring
from lanbi.forwarding import forward
from lanbi.state import StateView
from tests.system.demo_family import CLOCK, Demo, wait_for

Number = tuple[str, int, int]
"""Device, run, seq."""
VICTIMS = ("demo", "ingest", "ingest", "simulate", "analyse", "serve", "broker")
"""Ingest twice: it is the one that acknowledges."""
PATIENCE_S = 90.0
BACK_S = 300.0
"""Until a board answers after the demo was killed: a whole start, on a machine that may be busy with others."""
SPEED = 600
"""Ten simulated minutes a second: about a thousand readings a minute from the sample county."""


@dataclass
class Report:
    """What the campaign found."""

    seed: int
    kills: dict[str, int] = field(default_factory=dict)
    said: int = 0
    confirmed: int = 0
    missing: list[str] = field(default_factory=list)
    altered: list[str] = field(default_factory=list)
    given_up: int = 0
    survivors: int = 0
    rows: int = 0
    waited: int = 0
    """Readings that the last life had journalled and not forwarded."""
    again: int = 0
    """Readings of a key that was said before: a section revises its nutrients once."""
    totals: dict[str, int] = field(default_factory=dict)
    boards_back: int = 0

    @property
    def sound(self) -> bool:
        """Nothing confirmed is missing or altered, and the account adds up."""
        return not self.missing and not self.altered and self.balanced and not self.totals["pending"] and self.survivors == 0 and self.confirmed > 0

    @property
    def balanced(self) -> bool:
        """Received = stored + duplicate + dead letters + quarantined + pending, and each stored reading is one row, or the revision of one."""
        rest = sum(self.totals[name] for name in ("stored", "duplicate", "deadletter", "quarantined", "pending"))
        return self.totals["received"] == rest and self.rows <= self.totals["stored"] <= self.rows + self.again


def campaign(folder: Path, rounds: int, seed: int) -> Report:
    """Run a demo, kill ``rounds`` times, let it settle, stop it, and compare."""
    chance = np.random.default_rng(seed)
    report = Report(seed)
    demo = Demo(folder / "demo", options=("--speed", str(SPEED), "--history", "3", "--record", str(folder / "truth")))
    demo.start()
    _came_back(demo, report)
    for _ in range(rounds):
        CLOCK.sleep(float(chance.uniform(1.5, 6.0)))
        victim = str(chance.choice(VICTIMS))
        _kill(demo, victim, report)
    _came_back(demo, report)
    wait_for(lambda: int(str(demo.status("simulate").get("unconfirmed", 10**6))) < 40, PATIENCE_S)
    demo.stop()
    _compare(folder, report)
    return report


def _kill(demo: Demo, victim: str, report: Report) -> None:
    report.kills[victim] = report.kills.get(victim, 0) + 1
    if victim == "demo":
        family = demo.kill()
        wait_for(lambda: not any(Path(f"/proc/{pid}/stat").exists() for pid in family), PATIENCE_S)
        report.survivors += sum(Path(f"/proc/{pid}/stat").exists() for pid in family)
        demo.start()
        _came_back(demo, report)
        return
    pid = demo.pids().get(victim)
    if pid:
        with suppress(ProcessLookupError):  # it ended by itself meanwhile
            os.kill(pid, signal.SIGKILL)


def _came_back(demo: Demo, report: Report) -> None:
    if not wait_for(lambda: demo.get("/api/v1/targets") is not None, BACK_S):
        message = f"the board did not come back; see {demo.data}/log and {demo.data.with_suffix('.log')}"
        raise AssertionError(message)
    report.boards_back += 1


def _compare(folder: Path, report: Report) -> None:
    settings = wiring.settings(str(folder / "demo" / "lanbi.toml"))
    report.waited = StateView(settings.data).conservation()["pending"]
    registry = forward(settings, wiring.registry(settings), "mqtt")
    store = wiring.store(settings)
    said: dict[Number, dict[str, Any]] = {}
    confirmed: set[Number] = set()
    for row in _log(folder / "truth" / "devices.jsonl"):
        if "said" in row:
            said[row["said"], row["run"], row["seq"]] = row
        elif "confirmed" in row:
            confirmed.add((row["confirmed"], row["run"], row["seq"]))
        elif "lost" in row:
            report.given_up += int(row["to"]) - int(row["from"]) + 1
    found = {reading.key: reading for kind in ("air", "water", "point", "meter") for reading in store.rows(kind, None, 0, 2**40)}
    report.said, report.confirmed, report.rows = len(said), len(confirmed), len(found)
    _judge(said, confirmed, found, registry, report)
    report.totals = StateView(settings.data).conservation()


def _judge(said: dict[Number, dict[str, Any]], confirmed: set[Number], found: dict[Key, Reading], registry: Registry, report: Report) -> None:
    places = {number: _key(row, number, registry) for number, row in said.items()}
    report.again = len(places) - len(set(places.values()))
    values: dict[tuple[Key, str], dict[Number, float]] = {}
    for number, row in said.items():
        for item, value in row["values"].items():
            values.setdefault((places[number], item), {})[number] = value
    for number in sorted(confirmed):
        if number not in said:
            report.missing.append("{}/{}/{}: confirmed but never said".format(*number))
            continue
        # A later number of the same key may stand over it.
        allowed = {item: {value for one, value in values[places[number], item].items() if one >= number} for item in said[number]["values"]}
        _check(said[number], number, found.get(places[number]), allowed, report)


def _key(row: dict[str, Any], number: Number, registry: Registry) -> Key:
    source = str(row["source"] or registry.devices[number[0]].sources.newest[0])
    return Key(registry.kinds[source], source, row["span"], row["time"])


def _check(row: dict[str, Any], number: Number, reading: Reading | None, allowed: dict[str, set[float]], report: Report) -> None:
    name = "{}/{}/{}".format(*number)
    if reading is None:
        report.missing.append(f"{name}: {row['source']} {row['time']}")
    elif any(reading.values.get(item) not in values for item, values in allowed.items()):
        report.altered.append(f"{name}: said {row['values']}, stored {dict(reading.values)}")


def _log(path: Path) -> Iterator[dict[str, Any]]:
    for line in path.read_text(encoding="utf-8").split("\n")[:-1]:
        try:
            yield json.loads(line)
        except ValueError:
            # A fleet killed within a write leaves one torn line, and the next fleet writes on behind it.
            continue


def main() -> int:
    """Run it by hand."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="four rounds")
    parser.add_argument("--json", type=Path, help="append the report as one JSON line")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lanbi-faults-") as folder:
        report = campaign(Path(folder), 4 if args.quick else args.rounds, args.seed)
    print(json.dumps(asdict(report), ensure_ascii=False, indent=1))
    if args.json:
        with args.json.open("a", encoding="utf-8") as out:
            out.write(json.dumps(asdict(report)) + "\n")
    print("sound" if report.sound else "NOT SOUND", dict(Counter(report.kills)))
    return 0 if report.sound else 1


if __name__ == "__main__":
    sys.exit(main())
