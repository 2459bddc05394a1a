"""What a fleet of test devices says, as a pure function of a seed: the devices speak it, the judge computes it again.

Integers all the way: a value is a count of the item's resolution, so that the number in the message, in the store and in the
judge's arrays is the same float bit by bit, whichever machine and whichever block size made it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from domain.civil import iso

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bytes = npt.NDArray[np.uint8]

NEW, CORRECTION, FUTURE, BAD, PART = range(5)
"""Fates: a first value, a later word on an earlier time, a time in 2100 (quarantine), nothing usable (dead letter), one unusable item."""
FUTURE_TIME: Final = 4_102_444_800
SPAN: Final = 60
ABSENT: Final = 0
VALID: Final = ord("N")
WITHDRAWN: Final = ord("W")
NOISE: Final = 40
"""Steps of resolution: what does not compress, as in a real instrument's last digits."""
FIRST_RUN: Final = 2**40
"""Revision of run 0, seq 0: run indices of devices begin at 1."""


class Quantity(NamedTuple):
    """An item: steps of its resolution in one unit, and its walk in steps: lowest, height, period [readings]."""

    name: str
    per: int
    low: int
    height: int
    period: int


AIR: Final = (
    Quantity("pm25", 10, 180, 600, 1440),
    Quantity("pm10", 10, 350, 1100, 1440),
    Quantity("so2", 10, 40, 90, 720),
    Quantity("no2", 10, 150, 400, 1440),
    Quantity("co", 100, 40, 110, 1440),
    Quantity("o3", 10, 200, 1300, 1440),
    Quantity("temp", 10, -50, 250, 1440),
    Quantity("rh", 10, 300, 600, 1440),
    Quantity("pressure", 10, 9980, 300, 10080),
)
METER: Final = (
    Quantity("register", 100, 100_000, 0, 1),
    Quantity("power", 100, 1000, 90_000, 1440),
    Quantity("voltage", 10, 2200, 150, 720),
    Quantity("current", 100, 500, 9_000, 1440),
    Quantity("pf", 1000, 700, 200, 1440),
)
QUANTITIES: Final = {"air": AIR, "meter": METER}


class Mix(NamedTuple):
    """One reading in so many is …; 0 = none."""

    correction: int = 50
    withdrawal: int = 40
    """Of the corrections."""
    future: int = 1500
    bad: int = 700
    part: int = 500
    flag: int = 30


CLEAN: Final = Mix(0, 0, 0, 0, 0, 30)
"""Nothing but first values: what most devices say on most days."""


@dataclass(frozen=True)
class Plan:
    """Fate and time slot of the first ``len(fate)`` numbers of a device; slot −1 where there is none."""

    fate: Bytes
    slot: Ints


@dataclass(frozen=True)
class Row:
    """Expected rows of one device: times ascending, revisions, values (NaN = none), flags (0 = the item is absent)."""

    times: Ints
    revs: Ints
    values: Floats
    flags: Bytes


@dataclass(frozen=True)
class County:
    """``count`` devices with one source each; every ``meter_every``-th is a meter, the rest are air stations."""

    seed: int
    count: int
    start: int
    mix: Mix = field(default_factory=Mix)
    meter_every: int = 10

    def kind(self, number: int) -> str:
        """Table of a device's source."""
        return "meter" if self.meter_every and number % self.meter_every == self.meter_every - 1 else "air"

    @staticmethod
    def device(number: int) -> str:
        """Its id."""
        return f"dev-{number:04d}"

    @staticmethod
    def source(number: int) -> str:
        """Id of the place or meter that it speaks for."""
        return f"src-{number:04d}"

    @staticmethod
    def number(device: str) -> int:
        """The device of an id."""
        return int(device.rpartition("-")[2])

    def plan(self, number: int, size: int) -> Plan:
        """Fates and slots of the numbers 0 … size − 1; a longer plan begins with the shorter one."""
        seqs = np.arange(size, dtype=np.int64)
        fate = np.full(size, NEW, np.uint8)
        for salt, one_in, what in ((1, self.mix.part, PART), (2, self.mix.correction, CORRECTION), (3, self.mix.bad, BAD), (4, self.mix.future, FUTURE)):
            if one_in:
                fate[_noise(self.seed, number, seqs, salt, one_in) == 0] = what
        if size:
            fate[0] = NEW
        fresh = (fate == NEW) | (fate == PART)
        newest = np.cumsum(fresh) - 1
        back = _noise(self.seed, number, seqs, 5, 20)
        slot = np.where(fresh, newest, np.where(fate == CORRECTION, np.maximum(newest - back, 0), -1))
        return Plan(fate, slot)

    def steps(self, number: int, seqs: Ints, plan: Plan) -> tuple[Ints, Bytes]:
        """Values in steps of resolution and flags of some numbers: arrays [number, item]; flag 0 = the item is not said."""
        quantities = QUANTITIES[self.kind(number)]
        slot, fate = plan.slot[seqs], plan.fate[seqs]
        values = np.empty((len(seqs), len(quantities)), np.int64)
        for at, one in enumerate(quantities):
            phase = (slot + number * 97 + at * 131) % (2 * one.period)
            walk = np.abs(phase - one.period) * one.height // one.period
            # A correction must say something else than what it corrects: the number is part of the noise.
            values[:, at] = one.low + walk + _noise(self.seed, number, seqs, 10 + at, NOISE) + NOISE * (fate == CORRECTION)
            if one.name == "register":
                values[:, at] = one.low + slot * 25 + 3 * (fate == CORRECTION)
        flags = np.full(values.shape, VALID, np.uint8)
        marked = _one_in(self.seed, number, seqs, 30, self.mix.flag)
        flags[marked, _noise(self.seed, number, seqs, 31, len(quantities))[marked]] = ord("M")
        gone = _one_in(self.seed, number, seqs, 32, self.mix.withdrawal) & (fate == CORRECTION)
        flags[gone, 1] = WITHDRAWN
        flags[(fate == BAD) | (fate == FUTURE)] = ABSENT
        return values, flags

    def messages(self, number: int, plan: Plan, low: int, high: int) -> list[dict[str, object]]:
        """What the device says under the numbers low … high − 1."""
        seqs = np.arange(low, high)
        quantities = QUANTITIES[self.kind(number)]
        values, flags = self.steps(number, seqs, plan)
        numbers = (values / np.array([one.per for one in quantities])).tolist()
        names = [one.name for one in quantities]
        said = zip(seqs.tolist(), plan.fate[seqs].tolist(), plan.slot[seqs].tolist(), numbers, flags.tolist(), strict=True)
        return [self._message(self.source(number), names, *one) for one in said]

    def _message(self, source: str, names: list[str], seq: int, fate: int, slot: int, values: list[float], flags: list[int]) -> dict[str, object]:
        time = FUTURE_TIME if fate == FUTURE else self.time(slot)
        head: dict[str, object] = {"run": 0, "seq": seq, "time": iso(time), "span": SPAN, "source": source}
        message = {**head, "values": dict(zip(names, values, strict=True))}
        if fate == BAD:
            message["time"], message["values"] = iso(self.start), {"unheard-of": 1.0}
        elif fate == PART:
            message["values"] = {**dict(zip(names, values, strict=True)), "unheard-of": 1.0}
        elif fate == CORRECTION:
            message["corrects"] = True
            message["values"] = {name: None if flag == WITHDRAWN else value for name, value, flag in zip(names, values, flags, strict=True)}
        marks = {name: "M" for name, flag in zip(names, flags, strict=True) if flag == ord("M")}
        return {**message, "flags": marks} if marks and fate not in {BAD, FUTURE} else message

    def payload(self, number: int, plan: Plan, low: int, high: int) -> bytes:
        """The same as a list on the wire."""
        return msgspec.json.encode(self.messages(number, plan, low, high))

    def time(self, slot: int) -> int:
        """End of a slot [s]."""
        return self.start + (slot + 1) * SPAN

    def rows(self, number: int, size: int) -> Row:
        """What must stand in the store once the numbers 0 … size − 1 have arrived, in whatever order and however often."""
        plan = self.plan(number, size)
        quantities = QUANTITIES[self.kind(number)]
        steps, said = self.steps(number, np.arange(size), plan)
        kept = np.flatnonzero(plan.slot >= 0)
        slots = int(plan.slot.max(initial=-1)) + 1
        revs = np.zeros(slots, np.int64)
        values = np.full((slots, len(quantities)), np.nan)
        flags = np.zeros((slots, len(quantities)), np.uint8)
        # Numbers ascend and numpy keeps the last of equal places: the greatest revision stands, item by item.
        revs[plan.slot[kept]] = FIRST_RUN + kept
        for at, one in enumerate(quantities):
            here = kept[said[kept, at] != ABSENT]
            flags[plan.slot[here], at] = said[here, at]
            values[plan.slot[here], at] = np.where(said[here, at] == WITHDRAWN, np.nan, steps[here, at] / one.per)
        return Row(self.start + (np.arange(slots) + 1) * SPAN, revs, values, flags)

    def refusals(self, number: int, size: int) -> set[tuple[int, str, str | None]]:
        """Refusals that these numbers must leave: (number, reason, item); item None = the whole reading."""
        fate = self.plan(number, size).fate
        found: set[tuple[int, str, str | None]] = {(int(seq), "future-time", None) for seq in np.flatnonzero(fate == FUTURE)}
        return found | {(int(seq), "unknown-item", "unheard-of") for seq in np.flatnonzero((fate == BAD) | (fate == PART))}

    def registry(self) -> str:
        """The county as the registry's text."""
        parts = ['[county]\nid = "fc"\nname = "故障县"\n[[enterprise]]\nid = "fc-e01"\nname = "一号厂"']
        for number in range(self.count):
            source = self.source(number)
            if self.kind(number) == "meter":
                parts.append(f'[[meter]]\nid = "{source}"\nenterprise = "fc-e01"\nmedium = "electricity"\nrole = "main"\nunit = "kWh"')
            else:
                parts.append(f'[[air_station]]\nid = "{source}"\nname = "站{number}"\nrole = "township"')
            parts.append(f'[[device]]\nid = "{self.device(number)}"\nsources = ["{source}"]\nformat = "lanbi-json"\ninterval = {SPAN}\nstate = "accepted"')
        return "\n".join(parts) + "\n"


def _noise(seed: int, number: int, seqs: Ints, salt: int, below: int) -> Ints:
    """One number below ``below`` for each seq: splitmix64 of its place, so that any block may be computed alone."""
    with np.errstate(over="ignore"):
        z = seqs.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z ^= np.uint64((seed * 1_000_003 + number * 8_191 + salt * 127 + 1) * 0xD1342543DE82EF95 & 0xFFFFFFFFFFFFFFFF)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((z ^ (z >> np.uint64(31))) % np.uint64(below)).astype(np.int64)


def _one_in(seed: int, number: int, seqs: Ints, salt: int, one_in: int) -> npt.NDArray[np.bool_]:
    return _noise(seed, number, seqs, salt, one_in) == 0 if one_in else np.zeros(len(seqs), np.bool_)
