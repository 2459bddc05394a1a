"""Meter-years with every fault of a register, their readings in any order: no unit of energy is wrong, and who must look is asked."""

from __future__ import annotations

import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import Final

import numpy as np

from analytics import counting, meters
from domain.civil import HOUR_S
from tests.faults.parts.counters import UNIT, Case, Longs, made
from tests.faults.parts.report import Asked, Finding, main

FULL: Final = 10_000
QUICK: Final = 300
SHOWN: Final = 5
BATCHES: Final = 3


@dataclass
class Judge:
    """What was found."""

    years: int = 0
    readings: int = 0
    planted: Counter[str] = field(default_factory=Counter)
    asked: int = 0
    shared: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)

    def fault(self, kind: str, seed: int, words: str) -> None:
        """Note what is not as it must be."""
        self.faults[kind] += 1
        if len(self.examples) < SHOWN:
            self.examples.append(f"seed {seed}: {kind}: {words}")

    def add(self, other: Judge) -> None:
        """Take in what another one found."""
        self.years, self.readings = self.years + other.years, self.readings + other.readings
        self.asked, self.shared = self.asked + other.asked, self.shared + other.shared
        self.planted += other.planted
        self.faults += other.faults
        self.examples = (self.examples + other.examples)[:SHOWN]


def merged(times: Longs, units: Longs) -> counting.Readings:
    """Readings in order; of the same time the first that came."""
    known, first = np.unique(times, return_index=True)
    return counting.Readings(known, units[first], UNIT)


def judge(seed: int, found: Judge) -> None:
    """One meter's year: batch after batch as it arrives, then against the truth."""
    case = made(seed)
    found.years, found.readings = found.years + 1, found.readings + len(case.times)
    found.planted += case.planted
    forms = sorted(case.forms)
    account = meters.Account([], [])
    for stop in (len(case.times) * np.arange(1, BATCHES + 1) // BATCHES).tolist():
        account = meters.account(case.meter, merged(case.times[:stop], case.units[:stop]), HOUR_S, forms)
    _compare(seed, case, account, found)


def _compare(seed: int, case: Case, account: meters.Account, found: Judge) -> None:
    shared = [one.energy for one in account.intervals if one.flag == "estimated"]
    found.shared += len(shared)
    # Where no reading stands at the change of a multiplier nobody knows what ran under which: shared by time, and it says so.
    if abs(account.energy - case.truth) > (sum(shared) / 2 if shared else 0):
        found.fault("energy", seed, f"{account.energy} instead of {case.truth}, planted {dict(case.planted)}")
    asked = {one.time for one in account.events if one.kind in {"held", "over-power"}}
    found.asked += len(asked & case.asked)
    if asked != case.asked:
        found.fault("asked", seed, f"{sorted(asked ^ case.asked)}")
    told = Counter(one.kind for one in account.events if one.kind not in {"gap", "held", "over-power"})
    if told != case.told:
        found.fault("told", seed, f"{dict(told)} instead of {dict(case.told)}")


def part(seeds: range) -> Judge:
    """Some seeds in a process of their own."""
    found = Judge()
    for seed in seeds:
        judge(seed, found)
    return found


def campaign(asked: Asked) -> Finding:
    """Many meter-years on all cores; the seed chooses them."""
    number = asked.more.years or (QUICK if asked.quick else FULL)
    first = asked.seed * 1_000_000
    found = Judge()
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        for one in pool.map(part, [range(begin, min(begin + 50, first + number)) for begin in range(first, first + number, 50)]):
            found.add(one)
    planted = ", ".join(f"{kind} {count:,}" for kind, count in sorted(found.planted.items()))
    wrong = ", ".join(f"{kind} {count}" for kind, count in sorted(found.faults.items())) or "0"
    words = [
        f"{found.years:,} meter-years, {found.readings:,} readings in any order",
        f"planted: {planted}",
        f"wrong: {wrong}; a person is asked {found.asked:,} times, each where nobody told of another meter",
        f"{found.shared:,} intervals without a reading at the change of the multiplier, shared by time and flagged; all other energy exact",
    ]
    return {"sound": not found.faults and found.asked > 0, "figures": words, "faults": dict(found.faults), "examples": found.examples}


if __name__ == "__main__":
    sys.exit(main("registers", __doc__ or "", campaign, [("--years", int, 0, "how many; default 10,000, in the short form 300")]))
