"""A meter's year with every fault of the field, and its truth: what the account must say, to the last unit."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from analytics.counting import Exchange
from domain.civil import HOUR_S, day_end, day_of
from domain.places import Dated, Meter

Longs = npt.NDArray[np.int64]
HOURS: Final = 8_760
BEGIN: Final = 1_704_038_400
"""2024-01-01 00:00 in China."""
POWER: Final = 4_000
UNIT: Final = Decimal("0.01")
APART: Final = 60
"""Hours between two faults: each is met alone, as a person would."""
RECOVERABLE: Final = ("gap", "zero", "dip", "garbage", "twice", "text", "reset", "exchange")
HELD: Final = ("untold-lower", "untold-higher")
NEGATIVE: Final = -1


@dataclass
class Case:
    """One meter's year.

    Attributes
    ----------
    times, units : (n,) int64
        As they arrive: any order, with repetitions.
    truth : Decimal
        What the account must add up to.
    asked : set of int
        Times at which a person must be asked.
    planted : Counter
        Faults by kind.
    told : Counter
        Events that the account must have, by kind; ``gap`` and those at ``asked`` apart.
    """

    meter: Meter
    times: Longs
    units: Longs
    forms: list[Exchange] = field(default_factory=list)
    truth: Decimal = Decimal(0)
    asked: set[int] = field(default_factory=set)
    planted: Counter[str] = field(default_factory=Counter)
    told: Counter[str] = field(default_factory=Counter)


class Maker:
    """Makes one case from a seed."""

    def __init__(self, seed: int) -> None:
        self.chance = np.random.default_rng(seed)
        # A meter that may restart has no modulus here: where both are plausible nobody can tell a restart from a roll-over.
        self.resets = bool(self.chance.random() < 0.4)
        self.modulus = 0 if self.resets else int(self.chance.choice([10**7, 10**8, 2**32]))
        self.change = int(self.chance.integers(60, 300)) if self.chance.random() < 0.3 else 0
        old, new = ("40", "40") if not self.change else self.chance.choice([["40", "60"], ["60", "40"], ["37.5", "40"]]).tolist()
        self.ratios = (Decimal(old), Decimal(new))
        self.cap = int(POWER / max(self.ratios) / UNIT)
        steps = self.chance.integers(1, self.cap * 6 // 10, HOURS + 1)
        steps[(np.arange(HOURS + 1) // 24) % 7 == 6] //= 20
        self.steps = np.maximum(steps, 1)
        self.steps[0] = 0
        self.shown = np.cumsum(self.steps) + int(self.chance.integers(5 * self.cap, 10**6))
        self.times = BEGIN + HOUR_S * np.arange(HOURS + 1)
        self.lost: set[int] = set()
        self.kept = np.ones(HOURS + 1, bool)
        self.case = Case(self._meter(), self.times, self.shown)
        self.again: list[int] = []

    def _meter(self) -> Meter:
        first = -(2**31)
        steps = ((first, str(self.ratios[0])), (day_of(BEGIN + 1) + self.change, str(self.ratios[1]))) if self.change else ((first, str(self.ratios[0])),)
        more: dict[str, Any] = {"modulus": str(self.modulus * UNIT) if self.modulus else None, "reset": "allowed" if self.resets else "never"}
        return Meter("m", "e", "electricity", Dated.always("main"), "kWh", Dated(steps), resolution=str(UNIT), max_power=str(POWER), **more)

    def made(self) -> Case:
        """The case: faults planted one after the other, then rolled over, spoilt and shuffled."""
        bad: dict[int, str] = {}
        place = APART
        while place < HOURS - APART:
            kind = str(self.chance.choice([*RECOVERABLE, *HELD]))
            if self._plant(kind, place, bad):
                self.case.planted[kind] += 1
            place += APART + int(self.chance.integers(0, 900))
        shown = self.shown % self.modulus if self.modulus else self.shown
        self._count(shown)
        units = shown.copy()
        for at, kind in bad.items():
            units[at] = {"zero": 0, "dip": shown[at - 1] - 1, "garbage": 429_494_906_616, "text": NEGATIVE}[kind]
        self._deliver(units)
        return self.case

    def _plant(self, kind: str, at: int, bad: dict[int, str]) -> bool:
        near = self.shown[at - 2 : at + 40] % self.modulus if self.modulus else self.shown[at - 2 : at + 40]
        clear = int(near.min()) > 4 * self.cap and (not self.modulus or (int(near.max()) < self.modulus - 60 * self.cap and bool((np.diff(near) >= 0).all())))
        if kind == "gap":
            return self._gap(at)
        if kind == "twice":
            self.again.append(at)
            return True
        if not clear or (kind == "reset") > self.resets:
            return False
        if kind in {"zero", "dip", "garbage", "text"}:
            bad[at] = kind
            spike = kind == "garbage" or (kind == "zero" and self.resets)
            self.case.told["spike" if spike else "negative"] += 1
            return True
        return self._other_meter(kind, at, int(self.shown[at]))

    def _gap(self, at: int) -> bool:
        long = int(self.chance.integers(1, 31))
        edge = day_end(day_of(BEGIN + 1) + self.change - 1) if self.change else -1
        if self.times[at] < edge < self.times[at + long + 1]:
            return False
        self.kept[at + 1 : at + 1 + long] = False
        return True

    def _other_meter(self, kind: str, at: int, old: int) -> bool:
        """From the next reading on the register counts on from elsewhere."""
        step = int(self.steps[at + 1])
        part = int(self.chance.integers(0, step + 1))
        start = {"reset": -step + step, "exchange": int(self.chance.integers(0, 10 * self.cap)), "untold-higher": old + 50 * self.cap}.get(kind)
        if start is None:
            start = int(self.chance.integers(2 * self.cap, 3 * self.cap))
            if self.modulus and old // self.modulus:
                return False
        if kind == "exchange":
            whole = old % self.modulus if self.modulus else old
            self.case.forms.append(Exchange(int(self.times[at]) + 1_800, (whole + part) * UNIT, start * UNIT))
            start -= part
        if kind in HELD:
            self.lost.add(at + 1)
            self.case.asked.add(int(self.times[at + 1]))
        if kind == "untold-higher":
            start -= step
        self.shown[at + 1 :] += start - old
        if kind in {"reset", "exchange"}:
            self.case.told[kind] += 1
        return bool(self.shown[-1] > 0)

    def _count(self, shown: Longs) -> None:
        """The truth, and the roll-overs in it."""
        ratio = np.full(HOURS + 1, 1, object) * self.ratios[0]
        if self.change:
            ratio[self.times > day_end(day_of(BEGIN + 1) + self.change - 1)] = self.ratios[1]
        counted = np.ones(HOURS + 1, bool)
        counted[[*self.lost]] = False
        self.case.truth = sum((int(step) * one for step, one in zip(self.steps[counted].tolist(), ratio[counted], strict=True)), Decimal(0)) * UNIT
        other = {int(np.searchsorted(self.times, form.time)) for form in self.case.forms} | self.lost
        kept = np.flatnonzero(self.kept)
        fell = [b for a, b in pairwise(kept.tolist()) if shown[b] < shown[a]]
        if self.modulus:
            self.case.told["rollover"] += sum(1 for at in fell if at not in other)

    def _deliver(self, units: Longs) -> None:
        order = np.concatenate([np.flatnonzero(self.kept), np.array(self.again, np.int64)])
        order = self.chance.permutation(order[self.kept[order]])
        self.case.times, self.case.units = self.times[order], units[order]


def made(seed: int) -> Case:
    """The case of a seed."""
    return Maker(seed).made()
