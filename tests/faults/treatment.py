"""Treatment plants that are switched off, started late or idled beside their production: how many are told, and how often for nothing.

The simulator's registers of enterprises of all industries go through the counting engine and the rules as in the service; truth is what
the simulator did. Each fault is held against the clues twice: with readings every 15 min and every minute.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

import numpy as np

from analytics import counting
from analytics.energy import pairs
from analytics.energy.orders import Loads
from analytics.jobs import clues, ordered
from analytics.jobs.ordered import Around, Listed, Order
from domain import civil
from domain.civil import DAY_S, HOUR_S
from domain.clues import Electricity
from domain.indicators import Event
from domain.places import County, Dated, Device, Enterprise, Meter, Registry
from edge_sim.county import SimulatedCounty
from edge_sim.faults import KINDS, LOAD, Fault
from edge_sim.loads import LOADS, Act
from edge_sim.scene import Scene
from tests.faults.parts.report import Asked, Finding, main

BEGIN: Final = civil.parse_time("2025-01-06T00:00:00+08:00")
"""Before a spring festival: whole weeks in which production stands."""
DAYS: Final = 120
MONTH_D: Final = 30.4375
QUIET_DAYS: Final = 30
"""Days without a fault at the start: what is usual is learnt from them."""
FULL: Final = 36
QUICK: Final = 12
MINUTE_DAYS: Final = 75
LOST: Final = 0.01
"""Share of readings that never come."""
SHORT: Final = "off-under-30-min"
"""Treatment off for 16 to 29 minutes: what readings every 15 min cannot see, and what no tolerance of theirs may claim."""
EVERY: Final = {"treatment-off": (2, 10), SHORT: (0, 0), "late-start": (2, 3), "idling": (6, 72), "gap": (4, 12), "breach": (24, 72), "curtailed": (24, 72)}
"""Hours from … to of each kind; a load that is curtailed as ordered must give no clue."""
UNSEEN: Final = {900: frozenset({SHORT}), 60: frozenset()}
"""What readings of an interval cannot see: counted, and not held against the rules."""
ALLOWED: Final = 0.5
"""Share of the usual load that an order allows."""
OFF: Final = {"treatment-off", "late-start", "early-stop"}
TELLS: Final = {
    "treatment-off": OFF, SHORT: OFF, "breach": {"breach"}, "curtailed": set(), "late-start": {"late-start", "treatment-off"}, "idling": {"idling"}, "gap": {"blind"},
}  # fmt: skip
ALWAYS: Final = Dated.always
RECALL: Final = 0.95
RATE: Final = 1.0
SHOWN: Final = 12
RUNNING: Final = 0.1
"""Of its usual top: below it production stood, and whatever its treatment did was no fault."""


@dataclass
class Judge:
    """What was planted and told at one interval of readings."""

    interval: int
    planted: Counter[str] = field(default_factory=Counter)
    told: Counter[str] = field(default_factory=Counter)
    false: Counter[str] = field(default_factory=Counter)
    months: float = 0.0
    missed: list[str] = field(default_factory=list)

    @property
    def recall(self) -> float:
        """Share of the faults that were told, of those that readings so far apart can show."""
        seen = [kind for kind in self.planted if kind not in UNSEEN[self.interval]]
        return sum(self.told[kind] for kind in seen) / max(1, sum(self.planted[kind] for kind in seen))

    @property
    def rate(self) -> float:
        """Clues for nothing, an enterprise and month."""
        return sum(self.false.values()) / self.months


def works(number: int, interval: int) -> Registry:
    """An enterprise with a pair, of one industry after the other."""
    industry = [*LOADS, "furniture"][number % (len(LOADS) + 1)]
    power = 2_000 * (1 + number % 5)
    made = Meter(f"p{number}", "e", "electricity", ALWAYS("production"), "kWh", ALWAYS("40"), "internal", "0.01", "1000000", str(power))
    fan = Meter(f"t{number}", "e", "electricity", ALWAYS("treatment"), "kWh", ALWAYS("10"), "internal", "0.01", "1000000", str(power // 10), treats=made.id)
    empty: dict[str, Any] = {}
    devices = {
        f"d{one.id}": Device(f"d{one.id}", ALWAYS((one.id,)), ALWAYS("lanbi-json"), ALWAYS("accepted"), interval, ALWAYS(None), ALWAYS("end"), ALWAYS("s"))
        for one in (made, fan)
    }
    firm = {"e": Enterprise("e", "厂", "", industry, monitoring=True)}
    return Registry(County("c", "c"), empty, empty, empty, firm, {one.id: one for one in (made, fan)}, empty, empty, empty, devices, "v")


def faults(number: int, seed: int, days: int) -> tuple[Fault, ...]:
    """Faults of one pair, days apart."""
    chance = np.random.default_rng([seed, number])
    found, at = [], float(QUIET_DAYS)
    while at < days - 5:
        kind = str(chance.choice(list(EVERY)))
        low, high = EVERY[kind]
        begin = BEGIN + int(at * DAY_S) + 900 * int(chance.integers(0, 96))
        length = 900 * int(chance.integers(4 * low, 4 * high + 1)) or 60 * int(chance.integers(16, 30))
        if kind == "late-start":
            begin, length = BEGIN + int(at) * DAY_S, int(chance.integers(1, 4)) * DAY_S
        size = {"late-start": float(chance.integers(low, high + 1)), "idling": float(chance.uniform(0.15, 0.35))}.get(kind, 0.0)
        orders = kind in {"breach", "curtailed"}
        name = "treatment-off" if kind == SHORT else kind
        found.append(Fault(name, f"{'p' if orders else 't'}{number}", begin, begin + length, ALLOWED if orders else size))
        at += length / DAY_S + float(chance.uniform(1.5, 5))
    return tuple(found)


def stretches(fault: Fault) -> Iterator[tuple[int, int]]:
    """What a fault did: a late start once a day."""
    if fault.kind != "late-start":
        yield fault.begin, fault.end
        return
    for day in range((fault.end - fault.begin) // DAY_S):
        begin = fault.begin + day * DAY_S + 6 * HOUR_S
        yield begin, begin + int(fault.size * HOUR_S)


def named(fault: Fault) -> str:
    """The kind under which a fault is counted."""
    return SHORT if fault.kind == "treatment-off" and fault.end - fault.begin < 1_800 else fault.kind


def judge(number: int, seed: int, days: int, found: Judge) -> None:
    """One enterprise."""
    registry, planted = works(number, found.interval), faults(number, seed, days)
    scene = Scene(_county(seed, registry, planted), planted)
    pair = clues.watched(registry)[f"t{number}"]
    chance = np.random.default_rng([seed, number, found.interval])
    times = BEGIN + found.interval * np.arange(1, days * DAY_S // found.interval + 1, dtype=np.int64)
    made, treated = (clues.Known(_counted(scene, meter, times[chance.random(len(times)) >= LOST], found.interval), found.interval) for meter in pair)
    shown = clues.curves(pair, (made, treated), (BEGIN, BEGIN + days * DAY_S), Electricity())
    assert shown is not None
    told = [*clues.found(pair, shown, Electricity(), ()), *_breaches(registry, made, planted, days)]
    found.months += days / MONTH_D
    _compare(pair, scene, planted, told, found)


def _breaches(registry: Registry, made: clues.Known, planted: tuple[Fault, ...], days: int) -> list[Event]:
    """Clues on the orders: one each time that production was, or was not, curtailed."""
    given = [Order("orange", one.begin, one.end, "某函") for one in planted if one.kind in {"breach", "curtailed"}]
    (name,) = (name for name in registry.meters if name.startswith("p"))
    load = pairs.power(made.counted, BEGIN, HOUR_S, 24 * days, 1.0)
    hours = BEGIN + HOUR_S * np.arange(24 * days)
    inside = np.array([any(one.begin < hour + HOUR_S and hour < one.end for one in given) for hour in hours.tolist()])
    rows = [Listed("", "限产", ALLOWED, (name,))]
    around = Around(registry, lambda _, __: Loads(BEGIN, load, inside), {}, {}, 2**40)
    verdicts = ordered.judged("e", [(one, rows) for one in given], around)
    return [one for one in verdicts.events if one.kind == ordered.BREACH]


def _county(seed: int, registry: Registry, planted: tuple[Fault, ...]) -> SimulatedCounty:
    acts: dict[str, tuple[Act, ...]] = {}
    for one in planted:
        if KINDS[one.kind].bites == LOAD and one.kind != "breach":
            acts[one.target] = (*acts.get(one.target, ()), Act(one.kind, one.begin, one.end, one.size))
    return SimulatedCounty(registry, seed, acts=acts)


def _counted(scene: Scene, meter: Meter, times: counting.Longs, interval: int) -> counting.Counted:
    said = scene.stretch(meter.id, times).said["register"]
    there = ~np.isnan(said)
    units = np.rint(said[there] / float(meter.resolution)).astype(np.int64)
    return counting.count(meter, counting.Readings(times[there], units, Decimal(meter.resolution)), interval)


def _compare(pair: clues.Pair, scene: Scene, planted: tuple[Fault, ...], told: list[Event], found: Judge) -> None:
    spans = [(one.kind, one.time, civil.parse_time(json.loads(one.text)["to"])) for one in told]
    right: set[int] = set()
    signal = scene.county.meter(pair.production.id)
    grid = BEGIN + 900 * np.arange(DAYS * 96 + 1, dtype=np.int64)
    top = float(np.percentile(np.diff(signal.turned(grid)), 95)) / 900
    for fault in planted:
        for begin, end in stretches(fault):
            hits = [place for place, (kind, low, high) in enumerate(spans) if kind in TELLS[fault.kind] and low < end and begin < high]
            right.update(hits)
            # Anything that a fault bites in is no clue for nothing, whatever its name.
            if fault.kind != "curtailed":
                right.update(place for place, (_, low, high) in enumerate(spans) if begin - HOUR_S < high and low < end + HOUR_S)
            ran = float(np.diff(signal.turned(np.array([begin, end])))[0]) / (end - begin)
            if fault.kind == "curtailed" or (fault.kind != "gap" and ran < RUNNING * top):
                continue
            found.planted[named(fault)] += 1
            found.told[named(fault)] += bool(hits)
            if not hits and named(fault) not in UNSEEN[found.interval]:
                found.missed.append(
                    f"{pair.production.enterprise} {scene.county.registry.enterprises['e'].industry} {fault.kind} {civil.iso(begin)} {ran / top:.2f}"
                )
    for place, (kind, low, _) in enumerate(spans):
        if place not in right:
            found.false[kind] += 1
            found.missed.append(f"FALSE {kind} {scene.county.registry.enterprises['e'].industry} {civil.iso(low)}")


def campaign(asked: Asked) -> Finding:
    """Pairs of all industries at both intervals; the seed chooses what is done to them."""
    number = asked.more.pairs or (QUICK if asked.quick else FULL)
    judges = [Judge(900), Judge(60)]
    for each in range(number):
        judge(each, asked.seed, DAYS, judges[0])
        judge(each, asked.seed, MINUTE_DAYS, judges[1])
    words = [line for one in judges for line in _words(one)]
    sound = all(one.recall >= RECALL and one.rate <= RATE for one in judges)
    return {"sound": sound, "figures": words, "examples": [line for one in judges for line in one.missed[:SHOWN]]}


def _words(one: Judge) -> Iterator[str]:
    kinds = ", ".join(f"{kind} {one.told[kind]}/{count}" for kind, count in sorted(one.planted.items()))
    false = ", ".join(f"{kind} {count}" for kind, count in sorted(one.false.items())) or "none"
    yield f"every {one.interval // 60} min: recall {one.recall:.3f} ({kinds})"
    yield f"every {one.interval // 60} min: {one.rate:.2f} clues for nothing an enterprise-month in {one.months:,.0f} of them ({false})"


if __name__ == "__main__":
    sys.exit(main("treatment", __doc__ or "", campaign, [("--pairs", int, 0, "how many; default 36, in the short form 12")]))
