"""Registers become intervals and events: where each unit of energy came from, and what a person must look at.

The account of a meter is a pure function of its registers, whatever the order in which they arrived. Energy is conserved:
the intervals add up to last − first, plus the modulus at each roll-over, plus what an exchange form says, plus what stood
before each reset. A case that two stories would explain is held with both readings and counts nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from analytics.kernels import registers as kernel
from analytics.kernels.whole import NONE
from domain.civil import HOUR_S, day_end, day_of, iso
from domain.places import Dated, Meter

Longs = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.int8]

SHORT_S: Final = 48 * HOUR_S
"""Longest silence after which a roll-over or a reset is believed without a person: within it no register turns twice."""
STUCK_S: Final = 6 * HOUR_S
"""A standing register is told only after so long, and after twice its own longest rest."""
WORDS: Final = ("first", "normal", "rollover", "reset", "exchange", "over-power", "held", "spike", "negative", "held")
"""Meanings by the kernel's numbers."""
COUNTED: Final = frozenset({kernel.NORMAL, kernel.ROLLOVER, kernel.RESET, kernel.EXCHANGE})


class Exchange(NamedTuple):
    """Another meter hangs there since ``time``: last reading of the old one, first of the new one, in the registered unit."""

    time: int
    last: Decimal
    first: Decimal


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


class Readings(NamedTuple):
    """Registers of one meter.

    Attributes
    ----------
    times : (n,) int64 [s]
        Ascending, each once.
    units : (n,) int64 [resolution]
        Negative where a reading was none (not finite, below zero).
    resolution : Decimal
        Value of one unit.
    """

    times: Longs
    units: Longs
    resolution: Decimal


def account(meter: Meter, readings: Readings, interval: int, exchanges: Sequence[Exchange] = ()) -> Account:
    """The account of one meter.

    Parameters
    ----------
    interval : int [s]
        How often readings are expected.
    exchanges : sequence of Exchange
        In order of time.
    """
    count = len(readings.times)
    meaning, base = np.empty(count, np.int8), np.empty(count, np.int64)
    before, after = np.empty(count, np.int64), np.empty(count, np.int64)
    forms = np.array([(one.time, _whole(one.last, readings), _whole(one.first, readings)) for one in exchanges], np.int64).reshape(-1, 3)
    rules = np.array([_modulus(meter, readings), reset_rule(meter.reset), interval, SHORT_S], np.int64)
    kernel.classify(readings.times, readings.units, _slopes(meter, readings), forms, rules, meaning, base, before, after)
    return _told(meter, readings, (meaning, base, before, after), exchanges)


def reset_rule(text: str) -> int:
    """The registry's ``reset`` for the kernel: never, any time, or a second of the local day."""
    if text in {"never", "allowed"}:
        return kernel.NEVER if text == "never" else kernel.ANY_TIME
    hour, minute = text.split(":")[:2]
    return int(hour) * HOUR_S + int(minute) * 60


def _modulus(meter: Meter, readings: Readings) -> int:
    return int(Decimal(meter.modulus) / readings.resolution) if meter.modulus else 0


def _whole(value: Decimal, readings: Readings) -> int:
    return int(value / readings.resolution)


def _slopes(meter: Meter, readings: Readings) -> Longs:
    """Most register units a second at each reading, by the multiplier of its day."""
    found = np.empty((len(readings.times), 2), np.int64)
    if not (meter.max_power or meter.max_rate):
        found[:] = (NONE, 1)
        return found
    for start, stop, ratio in _stretches(meter.multiplier, readings.times):
        # Other media give the rate of the register itself; electricity gives power, which the multiplier scales.
        most = Fraction(Decimal(meter.max_rate)) if meter.max_rate else Fraction(Decimal(meter.max_power or 0)) / ratio
        each = most / Fraction(readings.resolution) / HOUR_S
        found[start:stop] = each.limit_denominator(10**9).as_integer_ratio()
    return found


def _stretches(multiplier: Dated[str], times: Longs) -> list[tuple[int, int, Fraction]]:
    """Readings under one multiplier: (first, behind the last, multiplier); what lies before its first day takes the first."""
    cuts = [int(np.searchsorted(times, day_end(day - 1), side="right")) if day > -(2**30) else 0 for day, _ in multiplier.steps]
    cuts[0] = 0
    ends = [*cuts[1:], len(times)]
    return [(start, stop, Fraction(Decimal(value))) for start, stop, (_, value) in zip(cuts, ends, multiplier.steps, strict=True) if start < stop]


def ratio_on(meter: Meter, time: int) -> Decimal:
    """Multiplier in force for an interval that ends at ``time`` [s]."""
    return Decimal(meter.multiplier.on(day_of(time)) or meter.multiplier.steps[0][1])


def _told(meter: Meter, readings: Readings, found: tuple[Bytes, Longs, Longs, Longs], exchanges: Sequence[Exchange]) -> Account:
    """Numbers of the kernel in words."""
    meaning, base, before, after = (column.tolist() for column in found)
    times, units = readings.times.tolist(), readings.units.tolist()
    intervals: list[Interval] = []
    events: list[Event] = []
    for i, code in enumerate(meaning):
        kind = code % kernel.GAP
        last = base[i]
        if kind in COUNTED or kind == kernel.OVER_POWER:
            intervals.append(_interval(meter, readings, (times[last], times[i]), (before[i], after[i]), (kind, code >= kernel.GAP, exchanges)))
        if kind not in {kernel.FIRST, kernel.NORMAL}:
            events.append(Event(WORDS[kind], times[i], _detail(kind, readings, units, last, i)))
        if code >= kernel.GAP:
            events.append(Event("gap", times[i], f"no reading since {iso(times[i - 1])}"))
    return Account(intervals, events)


def _interval(meter: Meter, readings: Readings, span: tuple[int, int], turned: tuple[int, int], how: tuple[int, bool, Sequence[Exchange]]) -> Interval:
    kind, gap, exchanges = how
    begin, end = span
    old, new = ratio_on(meter, begin + 1), ratio_on(meter, end)
    flag = "held" if kind == kernel.OVER_POWER else "gap" if gap and kind == kernel.NORMAL else WORDS[kind]
    if kind == kernel.EXCHANGE:
        changed = next(one.time for one in exchanges if begin < one.time <= end)
        return Interval(begin, end, (turned[0] * ratio_on(meter, changed) + turned[1] * new) * readings.resolution, flag)
    if old == new:
        return Interval(begin, end, turned[0] * old * readings.resolution, flag)
    return Interval(begin, end, _shared(meter, span, turned[0]) * readings.resolution, "held" if flag == "held" else "estimated")


def _shared(meter: Meter, span: tuple[int, int], turned: int) -> Decimal:
    """Units × multiplier where the multiplier changes within the interval: shared by time, to the register's unit."""
    begin, end = span
    days = [day for day, _ in meter.multiplier.steps if begin < day_end(day - 1) < end]
    edges = [begin, *(day_end(day - 1) for day in days), end]
    done, total = 0, Decimal(0)
    for edge in edges[1:]:
        upto = turned * (edge - begin) // (end - begin)
        total += (upto - done) * ratio_on(meter, edge)
        done = upto
    return total


def _detail(kind: int, readings: Readings, units: Sequence[int], last: int, i: int) -> str:
    shown = readings.resolution * units[i] if units[i] >= 0 else "no register"
    if kind in {kernel.SPIKE, kernel.NEGATIVE, kernel.OPEN}:
        held = {kernel.SPIKE: "not accepted", kernel.NEGATIVE: "not accepted", kernel.OPEN: "held until a later reading decides"}[kind]
        return f"{shown}: {held}"
    before = readings.resolution * units[last]
    words = {
        kernel.RESET: "counted from zero, a lower bound",
        kernel.OVER_POWER: "more than the meter can have run: kept apart",
        kernel.HELD: "two stories explain it: counts nothing until a person has looked",
    }
    return f"{before} → {shown}" + (f", {words[kind]}" if kind in words else "")


def stuck(meters: Mapping[str, Account], pairs: Mapping[str, Sequence[str]]) -> dict[str, list[Event]]:
    """Registers that stood still while a meter beside them ran, longer than twice their own longest rest before.

    Parameters
    ----------
    pairs : mapping of meter to meters
        Whose running proves that something was on: the other side of a treatment pair, the meters of the same enterprise.
    """
    return {name: _rests(one, [meters[other] for other in pairs.get(name, ()) if other in meters]) for name, one in meters.items()}


def _rests(own: Account, others: Sequence[Account]) -> list[Event]:
    events: list[Event] = []
    longest, begin = STUCK_S // 2, 0
    for at, one in enumerate([*own.intervals, None]):
        resting = one is not None and not one.energy
        if resting:
            continue
        span = own.intervals[begin:at]
        if span:
            lasted = span[-1].end - span[0].begin
            ran = sum((_between(other, span[0].begin, span[-1].end) for other in others), Decimal(0))
            if lasted > 2 * longest and ran > 0:
                events.append(Event("stuck", span[0].end, f"0 for {lasted // HOUR_S} h while meters beside it counted {ran}"))
            else:
                longest = max(longest, lasted)
        begin = at + 1
    return events


def _between(other: Account, begin: int, end: int) -> Decimal:
    return sum((one.energy for one in other.intervals if one.begin >= begin and one.end <= end), Decimal(0))
