"""What turned between two accepted readings of a meter, as whole numbers: the columns that accounts and figures are made of.

The fine unit is the register's resolution, divided until every multiplier is a whole number of it, so that nothing is rounded.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from analytics.kernels import registers as kernel
from analytics.kernels.whole import NONE
from domain.civil import HOUR_S, day_end, day_of, day_of_array
from domain.places import Dated, Meter

Longs = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.int8]

SHORT_S: Final = 48 * HOUR_S
"""Longest silence after which a roll-over or a reset is believed without a person: within it no register turns twice."""
FLAGS: Final = ("normal", "gap", "rollover", "reset", "exchange", "estimated", "held")
"""Flags of an interval; everything but ``held`` is counted."""
NORMAL, GAP, ROLLOVER, RESET, EXCHANGE, ESTIMATED, HELD = range(len(FLAGS))
LARGEST: Final = 2**53
"""Most fine units of an interval: what a float64 still holds exactly. More is no reading of a meter and is held."""
TOP: Final = 2**61
"""Most units of a register; none shows more."""
_FLAG_OF: Final = {
    kernel.NORMAL: NORMAL, kernel.ROLLOVER: ROLLOVER, kernel.RESET: RESET, kernel.EXCHANGE: EXCHANGE, kernel.OVER_POWER: HELD,
}  # fmt: skip
_FLAG_TABLE: Final = np.array([_FLAG_OF.get(kind, HELD) for kind in range(kernel.GAP)], np.uint8)
_HAS_INTERVAL: Final = np.array([kind in _FLAG_OF for kind in range(kernel.GAP)])


class Exchange(NamedTuple):
    """Another meter hangs there since ``time``: last reading of the old one, first of the new one, in the registered unit."""

    time: int
    last: Decimal
    first: Decimal


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


class Counted(NamedTuple):
    """Intervals (m) of one meter in order of time, and the meaning of each of its readings (n).

    Attributes
    ----------
    begin, end : (m,) int64 [s]
    amount : (m,) int64 [unit]
        What turned, times the multiplier of its day.
    flag : (m,) uint8
        Position in :data:`FLAGS`.
    unit : Decimal
        The fine unit, in the registered unit.
    meaning : (n,) int8
        By the kernel's numbers.
    base : (n,) int64
        Reading at which the interval of a reading begins; -1 = it has none.
    """

    begin: Longs
    end: Longs
    amount: Longs
    flag: npt.NDArray[np.uint8]
    unit: Decimal
    meaning: Bytes
    base: Longs


def fine_unit(meter: Meter, resolution: Decimal) -> Decimal:
    """Unit of which every register unit times any of the meter's multipliers is a whole number.

    Parameters
    ----------
    resolution : Decimal
        Of the register.
    """
    digits = min(0, *(int(Decimal(value).as_tuple().exponent) for _, value in meter.multiplier.steps))
    return resolution.scaleb(digits)


def count(meter: Meter, readings: Readings, interval: int, exchanges: Sequence[Exchange] = ()) -> Counted:
    """Intervals of one meter; a pure function of its readings, whatever the order in which they came.

    Parameters
    ----------
    interval : int [s]
        How often readings are expected.
    exchanges : sequence of Exchange
        In order of time.
    """
    rows = len(readings.times)
    meaning, base = np.empty(rows, np.int8), np.empty(rows, np.int64)
    before, after = np.empty(rows, np.int64), np.empty(rows, np.int64)
    forms = np.array([(one.time, _whole(one.last, readings), _whole(one.first, readings)) for one in exchanges], np.int64).reshape(-1, 3)
    rules = np.array([_modulus(meter, readings), reset_rule(meter.reset), interval, SHORT_S], np.int64)
    kernel.classify(readings.times, readings.units, _slopes(meter, readings), forms, rules, meaning, base, before, after)
    kind = meaning % kernel.GAP
    own = np.flatnonzero(_HAS_INTERVAL[kind] & (base != NONE))
    begin, end = readings.times[base[own]], readings.times[own]
    flag = _FLAG_TABLE[kind[own]]
    flag[(flag == NORMAL) & (meaning[own] >= kernel.GAP)] = GAP
    unit = fine_unit(meter, readings.resolution)
    ratio = Ratios(meter, unit / readings.resolution)
    amount = _amounts(ratio, (begin, end), (before[own], after[own]), flag, exchanges)
    return Counted(begin, end, amount, flag, unit, meaning, base)


def _amounts(ratio: Ratios, span: tuple[Longs, Longs], turned: tuple[Longs, Longs], flag: npt.NDArray[np.uint8], exchanges: Sequence[Exchange]) -> Longs:
    """Fine units of each interval; flags what was shared by time and holds what no meter can show."""
    (begin, end), (before, after) = span, turned
    first, last = ratio.step(day_of_array(begin + 1)), ratio.step(day_of_array(end))
    new = ratio.values[last]
    amount = _times(before, new)
    for place in np.flatnonzero((first != last) & (flag != EXCHANGE)).tolist():
        if (ratio.values[first[place] : last[place]] == new[place]).all():
            continue
        amount[place] = ratio.shared(int(begin[place]), int(end[place]), int(before[place]))
        if flag[place] != HELD:
            flag[place] = ESTIMATED
    for place in np.flatnonzero(flag == EXCHANGE).tolist():
        form = next(one.time for one in exchanges if begin[place] < one.time <= end[place])
        amount[place] = min(int(before[place]) * ratio.at(form) + int(after[place]) * int(new[place]), LARGEST)
    flag[amount >= LARGEST] = HELD
    return amount


def _times(units: Longs, ratio: Longs) -> Longs:
    """Products, never above :data:`LARGEST`: a register may be absurd, and int64 would wrap."""
    limit = LARGEST // np.maximum(ratio, 1)
    return np.where(units > limit, LARGEST, units * ratio)


def ratio_on(meter: Meter, time: int) -> Decimal:
    """Multiplier in force for an interval that ends at ``time`` [s]."""
    return Decimal(meter.multiplier.on(day_of(time)) or meter.multiplier.steps[0][1])


def reset_rule(text: str) -> int:
    """The registry's ``reset`` for the kernel: never, any time, or a second of the local day."""
    if text in {"never", "allowed"}:
        return kernel.NEVER if text == "never" else kernel.ANY_TIME
    hour, minute = text.split(":")[:2]
    return int(hour) * HOUR_S + int(minute) * 60


class Ratios:
    """Multipliers of a meter by civil day, as whole numbers of 1 / ``scale`` fine units a register unit."""

    def __init__(self, meter: Meter, scale: Decimal) -> None:
        self.days = np.array([day for day, _ in meter.multiplier.steps], np.int64)
        self.values = np.array([int(Decimal(value) / scale) for _, value in meter.multiplier.steps], np.int64)

    def on(self, days: npt.NDArray[np.integer]) -> Longs:
        """Multiplier of each day; what lies before its first day takes the first."""
        return self.values[self.step(days)]

    def step(self, days: npt.NDArray[np.integer]) -> Longs:
        """Which of the multipliers is that of each day."""
        if len(self.values) == 1:
            return np.zeros(len(days), np.int64)
        return np.maximum(np.searchsorted(self.days, days, side="right") - 1, 0).astype(np.int64)

    def at(self, time: int) -> int:
        """Multiplier of an interval that ends at ``time`` [s]."""
        return int(self.on(np.array([day_of(time)]))[0])

    def shared(self, begin: int, end: int, turned: int) -> int:
        """Fine units where the multiplier changes within an interval: shared by time, to the register's unit."""
        days = [day for day in self.days.tolist() if begin < day_end(day - 1) < end]
        done, total = 0, 0
        for edge in [*(day_end(day - 1) for day in days), end]:
            upto = turned * (edge - begin) // (end - begin)
            total += (upto - done) * self.at(edge)
            done = upto
        return min(total, LARGEST)


def _modulus(meter: Meter, readings: Readings) -> int:
    return int(Decimal(meter.modulus) / readings.resolution) if meter.modulus else 0


def _whole(value: Decimal, readings: Readings) -> int:
    """Units of a form's register, never so many that two of them leave int64."""
    return min(int(value / readings.resolution), TOP)


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
