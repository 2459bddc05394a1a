"""Registers become intervals and events: where each unit of energy came from, and what a person must look at.

The account of a meter is a pure function of its registers, whatever the order in which they arrived. Energy is conserved:
the intervals add up to last − first, plus the modulus at each roll-over, plus what an exchange form says, plus what stood
before each reset. A case that two stories would explain is held with both readings and counts nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final, NamedTuple

import numpy as np

from analytics.counting import FLAGS, Counted, Exchange, Readings, count
from analytics.kernels import registers as kernel
from domain.civil import iso
from domain.places import Meter

WORDS: Final = ("first", "normal", "rollover", "reset", "exchange", "over-power", "held", "spike", "negative", "held")
"""Meanings by the kernel's numbers."""
HELD_WORDS: Final = {
    kernel.SPIKE: "不采信 not accepted",
    kernel.NEGATIVE: "不采信 not accepted",
    kernel.OPEN: "待后续读数判定 held until a later reading decides",
}
"""What becomes of a register that does not count."""
STEP_WORDS: Final = {
    kernel.RESET: "从零重新累计，用量为下限 counted from zero, a lower bound",
    kernel.OVER_POWER: "超出该表可能的用量，另行记录 more than the meter can have run: kept apart",
    kernel.HELD: "有两种解释，人工核实前不计 two stories explain it: counts nothing until a person has looked",
}
"""What becomes of a step that is not an ordinary one."""


class Interval(NamedTuple):
    """What turned between two accepted readings.

    Attributes
    ----------
    energy : Decimal
        Register difference × multiplier, exact, in the registered unit.
    flag : str
        ``normal``; ``gap`` (the sum is known, its hours are not); ``rollover``; ``exchange``; ``reset`` (a lower bound);
        ``estimated`` (the multiplier changed within it, energy shared by time); ``held`` (over the meter's power: kept apart).
    """

    begin: int
    end: int
    energy: Decimal
    flag: str


class Event(NamedTuple):
    """Something out of the ordinary at a time [s], with the numbers that a person needs."""

    kind: str
    time: int
    detail: str


class Account(NamedTuple):
    """All intervals and events of a meter, each in order of time."""

    intervals: list[Interval]
    events: list[Event]

    @property
    def energy(self) -> Decimal:
        """Sum of what is counted: everything but ``held``."""
        return sum((one.energy for one in self.intervals if one.flag != "held"), Decimal(0))


def account(meter: Meter, readings: Readings, interval: int, exchanges: Sequence[Exchange] = ()) -> Account:
    """The account of one meter.

    Parameters
    ----------
    interval : int [s]
        How often readings are expected.
    exchanges : sequence of Exchange
        In order of time.
    """
    return told(readings, count(meter, readings, interval, exchanges))


def told(readings: Readings, counted: Counted) -> Account:
    """Intervals and events in words and exact decimals."""
    columns = (counted.begin.tolist(), counted.end.tolist(), counted.amount.tolist(), counted.flag.tolist())
    intervals = [Interval(begin, end, amount * counted.unit, FLAGS[flag]) for begin, end, amount, flag in zip(*columns, strict=True)]
    return Account(intervals, events(readings, counted))


def events(readings: Readings, counted: Counted, silence: int = 0) -> list[Event]:
    """What was out of the ordinary, in words, in order of time; gaps only if they are longer than ``silence`` [s]."""
    found: list[Event] = []
    gap = (counted.meaning >= kernel.GAP) & (np.diff(readings.times, prepend=readings.times[:1]) > silence)
    kinds = counted.meaning % kernel.GAP
    for i in np.flatnonzero(gap | ((kinds != kernel.FIRST) & (kinds != kernel.NORMAL))).tolist():
        code, time = int(counted.meaning[i]), int(readings.times[i])
        kind = code % kernel.GAP
        if kind not in {kernel.FIRST, kernel.NORMAL}:
            found.append(Event(WORDS[kind], time, _detail(kind, readings, int(counted.base[i]), i)))
        if gap[i]:
            found.append(Event("gap", time, f"此前最后读数 no reading since {iso(int(readings.times[i - 1]))}"))
    return found


def _detail(kind: int, readings: Readings, last: int, i: int) -> str:
    units = readings.units
    shown = readings.resolution * int(units[i]) if units[i] >= 0 else "无表底数 no register"
    if kind in {kernel.SPIKE, kernel.NEGATIVE, kernel.OPEN}:
        return f"{shown}: {HELD_WORDS[kind]}"
    before = readings.resolution * int(units[last])
    return f"{before} → {shown}" + (f", {STEP_WORDS[kind]}" if kind in STEP_WORDS else "")
