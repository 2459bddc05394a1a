"""A fault shown: what a small county says with and without it, and what a fault of each kind does to what is said."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from domain.civil import parse_time
from domain.message import Message, Refusal, decode
from edge_sim.county import SimulatedCounty
from edge_sim.devices import SimulatedDevice, payloads
from edge_sim.faults import KINDS, LOAD, Fault
from edge_sim.scenario import Scenario
from edge_sim.scene import Scene
from edge_sim.truthlog import TruthLog, read
from edge_sim.wire import Word
from tests.edge_sim.small_county import meter, registry

START = parse_time("2025-10-01T00:00:00+08:00")
DAYS = 4
END = START + DAYS * 86_400
ONSET = START + 2 * 86_400
HOUR = 3_600
LONG = {"late": 8 * HOUR, "ramp": 36 * HOUR}
"""Spans that show enough within four days; others are usual or twelve hours."""


@lru_cache
def county_registry() -> Any:
    """The small county with meters that never restart and resets allowed."""
    meters = {"m-1": meter("m-1", "production"), "m-2": meter("m-2", "treatment", treats="m-1", max_power="400")}
    return replace(registry(), meters=meters)


def fault(kind: str, target: str, **changes: Any) -> Fault:
    """A fault at the onset, of usual size, at most half a day long unless it needs longer."""
    usual = KINDS[kind]
    interval = 900 if target.startswith(("m-", "d-e")) else HOUR
    length = LONG.get(kind, min(usual.seconds or interval, 12 * HOUR))
    return Fault(kind, target, ONSET, ONSET + length, usual.size, **changes)


def scene(*faults: Fault) -> Scene:
    """Four days of the small county."""
    table = {"begin": "10-01", "days": DAYS}
    bare = Scenario.of("test", table).on(county_registry(), 5, START)
    acts = {one.target: (act_of(one),) for one in faults if KINDS[one.kind].bites == LOAD and one.kind != "breach"}
    return replace(bare, faults=faults, county=SimulatedCounty(county_registry(), 5, bare.county.weather, acts))


def act_of(one: Fault) -> Any:
    """What the enterprise does."""
    from edge_sim.loads import Act

    return Act(one.kind, one.begin, one.end, one.size)


def words(chosen: Scene, device: str) -> list[Word]:
    """Everything that one device says, in the order in which it goes out."""
    one = SimulatedDevice(chosen, county_registry().devices[device], said=START)
    said = one.measure(END + 86_400)
    return sorted(said, key=lambda word: word.at)


def heard(said: Sequence[Word]) -> list[tuple[int, Message | Refusal]]:
    """What a station decodes, with the time at which it went out."""
    return [(part[0].at, one) for payload, part in payloads([word for word in said if word.stream == "data"]) for one in decode(payload)]


def readings(said: Sequence[Word], item: str, source: str | None = None) -> dict[int, float]:
    """Values of an item by label, the last one said of each."""
    decoded = [one for _, one in heard(said) if isinstance(one, Message) and (source is None or one.source == source)]
    return {one.time: value for one in decoded if (value := one.values.get(item)) is not None}


def logged(chosen: Scene, said: Sequence[Word], folder: Path) -> dict[str, list[dict[str, Any]]]:
    """The truth log of these words."""
    log = TruthLog(folder, chosen, {})
    log.sent(said)
    log.close()
    return {name: read(folder, name).to_pylist() for name in ("readings-air", "readings-meter", "beside", "faults", "meters")}


def during(one: Fault, time: int) -> bool:
    """Whether a reading has the fault."""
    return one.begin < time <= one.end


class Shown:
    """A fault, what is said with and without it."""

    def __init__(self, one: Fault, device: str) -> None:
        self.fault, self.device = one, device
        self.scene = scene(one)
        self.said, self.clean = words(self.scene, device), words(scene(), device)

    def pairs(self, item: str, source: str | None = None) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
        """(value, value without the fault) inside and outside of it."""
        now, then = readings(self.said, item, source), readings(self.clean, item, source)
        both = [(time, (now[time], then[time])) for time in sorted(now.keys() & then.keys())]
        inside = [pair for time, pair in both if during(self.fault, time)]
        return inside, [pair for time, pair in both if not during(self.fault, time)]


AIR_ITEM = {"negative": "so2", "error-code": "co", "unit-slip": "no2"}
INSIDE: dict[str, Callable[[list[tuple[float, float]]], bool]] = {
    "stuck": lambda pairs: len({now for now, _ in pairs}) == 1 < len({then for _, then in pairs}),
    "spike": lambda pairs: len(pairs) == 1 and pairs[0][0] == pytest.approx(8 * pairs[0][1], abs=0.1),
    "step": lambda pairs: all(now == pytest.approx(1.3 * then, abs=0.1) for now, then in pairs),
    "ramp": lambda pairs: pairs[0][0] < 1.1 * pairs[0][1] and pairs[-1][0] == pytest.approx(1.5 * pairs[-1][1], abs=0.1),
    "offset": lambda pairs: all(now == pytest.approx(then + 15, abs=0.1) for now, then in pairs),
    "unit-slip": lambda pairs: all(now == pytest.approx(then / 1000, abs=0.1) for now, then in pairs),
    "negative": lambda pairs: {now for now, _ in pairs} == {-3},
    "error-code": lambda pairs: {now for now, _ in pairs} == {-9999},
    "masked": lambda pairs: all(now == pytest.approx(0.2 * then, abs=0.1) for now, then in pairs),
}
REGISTERS: dict[str, Callable[[list[float], list[float], int], bool]] = {
    "register-reset": lambda now, then, at: now[at] == pytest.approx((then[at] - then[at - 1]) % 10_000, abs=0.01),
    "exchange": lambda now, then, at: now[at] == pytest.approx(3 + (then[at] - then[at - 1]) % 10_000, abs=0.01),
    "exchange-silent": lambda now, then, at: now[at] == pytest.approx(3 + (then[at] - then[at - 1]) % 10_000, abs=0.01),
    "multiplier": lambda now, then, at: (now[at + 9] - now[at - 1]) % 10_000 == pytest.approx(0.5 * ((then[at + 9] - then[at - 1]) % 10_000), abs=0.02),
    "step-back": lambda now, then, at: (then[at] - now[at]) % 10_000 == pytest.approx(50),
    "zero": lambda now, then, at: now[at] == 0 and now[at + 1] == then[at + 1],
    "garbage": lambda now, then, at: now[at] == 42_949_066.16 and now[at + 1] == then[at + 1],
}


def hourly(said: Sequence[Word], source: str) -> dict[int, float]:
    """Energy of each quarter hour by its end, in units of the register."""
    table = readings(said, "register", source)
    return {time: (table[time] - table[time - 900]) % 10_000 for time in table if time - 900 in table}
