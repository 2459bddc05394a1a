"""Figures of a year as integers of their last displayed digit: running ones day by day, and those of closed periods."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from analytics import tables
from analytics.air import compliance, periods
from analytics.air.days import Days
from analytics.air.hours import Seen
from analytics.air.years import CUTS, MEANS, TOPS, Running
from analytics.kernels import scopes as kernel
from analytics.kernels import years
from analytics.kernels.figures import Digits
from domain import air
from domain.fixed import half_even
from domain.indicators import FIGURES
from domain.items import AIR

Ints = npt.NDArray[np.int32]
Longs = npt.NDArray[np.int64]
_COUNTED: Final = ("good_days", "good_ratio", "heavy_days", "valid_days", "data_capture", "composite")
_HUNDREDTHS: Final = 100
_NEAR: Final = 1e-6
"""Distance from a tie within which a float is not asked; its own error is a thousandth of that."""


class Figured(NamedTuple):
    """Figures side by side.

    Attributes
    ----------
    units : (f, n) int32 [units of the last displayed digit]
        -1 = none.
    behind : (f, n) uint16
        What each was made of: valid daily values, or days with an AQI.
    """

    units: Ints
    behind: npt.NDArray[np.uint16]


class Made(NamedTuple):
    """Figures of a scope's year under each rule set.

    Attributes
    ----------
    running : tuple of Figured
        Of the days that are over, in the order of :data:`NAMES`.
    closed : (r, f, p) int32 and uint16
        Of the periods that are over, in the order of :data:`PERIODICAL` and :data:`YEARLY`; as in :class:`Figured`.
    short : (r, f, p) uint8
        1 where a figure is made of too few daily values.
    standard : (r, 2) int64 and (r, 2) uint8
        Of the last period: its largest exceedance multiple and the fewest values of an item; 1 with too few values, 2 if it keeps
        its limits, 3 if not, and bit i = item i exceeds.
    """

    running: tuple[Figured, ...]
    closed: tuple[Ints, npt.NDArray[np.uint16]]
    short: npt.NDArray[np.uint8]
    standard: tuple[Longs, npt.NDArray[np.uint8]]


NAMES: Final = (*(f"{item}_mean" for item in MEANS), *(f"{item}_p{air.PERCENTILES[item]}" for item in TOPS), *_COUNTED)
"""Figures of a running year in their order: four means, two percentiles, and what counts days."""
YEARLY: Final = tuple(f"{item}_p{air.PERCENTILES[item]}" for item in MEANS)
"""Percentiles of few days say little: these are figures of years only."""
PERIODICAL: Final = (*NAMES, *(f"{item}_rate" for item in AIR))
"""Figures of months and quarters; those of closed years go on with :data:`YEARLY`."""


_ALL: Final = (*PERIODICAL, *YEARLY)
_RULES: Final = tuple(rules.name for rules in air.RULE_SETS)
_MOST: Final = 2**62 // (366 * 200_000 * tables.COMMON)
"""Parts of a daily value up to which a year of limits, at most 200 units, is a number of 64 bits."""


def _needs(figure: str) -> int:
    """What a figure is made of, bit by bit: each of the items, and days with an AQI."""
    item = figure.partition("_")[0]
    if item in AIR:
        return 1 << AIR.index(item)
    return (1 << len(AIR)) - 1 if figure == "composite" else 1 << len(AIR)


_NEEDS: Final = np.array([_needs(figure) for figure in _ALL], np.uint8)


@lru_cache
def divisors(figures: tuple[str, ...]) -> npt.NDArray[np.float64]:
    """(f, 1) float64: units of the last displayed digit in one unit of each figure."""
    return np.array([[10.0 ** FIGURES[name].digits] for name in figures])


@lru_cache
def _steps(parts: int) -> Longs:
    """(2, 4): units of an exact mean over so many parts in the last digit of a mean, and in a hundredth of a part of the composite index."""
    whole = 1_000 * tables.COMMON * parts
    digits = [whole // 10 ** FIGURES[f"{item}_mean"].digits for item in MEANS]
    return np.array([digits, [whole * air.COMPOSITE[item] // _HUNDREDTHS for item in MEANS]], np.int64)


@lru_cache
def _digits(tops: tuple[str, ...]) -> Digits:
    places = [AIR.index(item) for item in tops]
    factors = [tables.STEPS[place] * 10 ** FIGURES[f"{item}_p{air.PERCENTILES[item]}"].digits for item, place in zip(tops, places, strict=True)]
    judged = [(tops.index(item), air.COMPOSITE[item]) for item in TOPS if item in tops]
    ratio = _HUNDREDTHS * 10 ** FIGURES["good_ratio"].digits
    return Digits(np.array(places, np.int32), np.array(factors, np.int64), 1_000 * _HUNDREDTHS, np.array(judged, np.int64), ratio)


def of_station(days: Days, seen: Seen, first: int, count: int) -> Made:
    """Figures of a station's year.

    Parameters
    ----------
    days : Days
        (d, 6): calendar days from the first of January on; one station, so every divisor is 1.
    seen : Seen
        The same days as rows of figures.
    first : int
        Civil day of the first row.
    count : int
        Days that are over.
    """
    law, size = _law(first, count, _RULES, 1), len(days.exact)
    room, out = _OWN.room(law, seen.top), _out(law)
    return _made(out, same=kernel.station(days.exact, seen.shown, seen.aqi, law, room, _OWN.year(size), out))


def of(several: Sequence[Running], shown: Ints, rules: Sequence[air.RuleSet], count: int) -> Made:
    """The same of any scope: running years under some rule sets, and (6, d) displayed daily values."""
    one = several[0]
    joined = len(one.sums) == 1 and one.sums[0].parts <= _MOST
    law = _law(one.first, count, tuple(law.name for law in rules), one.sums[0].parts if joined else 1)
    room, out = _OWN.room(law, int(shown.max(initial=0))), _out(law)
    counts = np.empty((len(several), 3, len(one)), np.int32)
    for place, running in enumerate(several):
        counts[place] = running.counts.T
    tops = np.empty((len(TOPS), len(one)), np.int64)
    for place, item in enumerate(TOPS):
        tops[place] = one.percentiles[item]
    year = years.Alone(np.ascontiguousarray(one.sums[0].total.T), np.ascontiguousarray(one.valid.T), counts, tops)
    if joined:
        return _made(out, same=kernel.joined(year, shown, law, room, out))
    kernel.counted(year, shown, law, room)
    _apart(several, rules, law, room, out)
    return _made(out, same=kernel.displayed(year, law, room, out))


def _made(out: kernel.Out, *, same: bool) -> Made:
    units, behind = out.running
    if same:
        # Nearly always; then what is behind the figures is kept once.
        behind = (behind[0],) * len(units)
    return Made(tuple([Figured(*one) for one in zip(units, behind, strict=True)]), out.closed, out.short, out.standard)


@lru_cache(maxsize=64)
def _law(first: int, count: int, names: tuple[str, ...], parts: int) -> kernel.Law:
    sizes = periods.laid(first, periods.closed(first, count))
    ranked = np.array([AIR.index(item) for item in TOPS], np.int32), np.array([air.PERCENTILES[item] for item in TOPS], np.int32)
    length = np.ascontiguousarray(sizes.spans[:, 1] - sizes.spans[:, 0])
    elapsed, limits = np.arange(1, count + 1, dtype=np.int32), np.array([compliance.whole(name, first, parts) for name in names], np.int64)
    daily, digits, power = periods.law(names, first), (_digits(TOPS), _digits(MEANS)), np.int64(10 ** FIGURES["standard"].digits)
    return kernel.Law(CUTS, ranked, sizes, daily, _steps(parts), digits, elapsed, length, _NEEDS, np.ascontiguousarray(limits.swapaxes(0, 1)), power)


class _Own(threading.local):
    """A thread's own scratch, kept while the years that it is asked for have the same size."""

    def __init__(self) -> None:
        self._rooms: dict[tuple[int, int, int], kernel.Room] = {}
        self._years: dict[int, years.Alone] = {}

    def room(self, law: kernel.Law, top: int) -> kernel.Room:
        """Room for the figures of a year whose largest displayed daily value is ``top``."""
        size = rules, count, closed = law.limits.shape[1], len(law.elapsed), len(law.length)
        room = self._rooms.get(size)
        if room is None or len(room.table) < top + 2:
            made = np.empty((2, len(MEANS), count), np.int64), np.empty((2, len(MEANS), closed), np.int64)
            room = kernel.Room(*made, np.empty((len(AIR), closed), np.int64), np.zeros(top + 2, np.int32), periods.room(rules, closed))
            self._rooms = {size: room}
        return room

    def year(self, days: int) -> years.Alone:
        """Room for running numbers of a station's year under both rule sets."""
        if days not in self._years:
            both, items = len(_RULES), len(AIR)
            sums = np.empty((items, days), np.int64), np.empty((items, days), np.int32)
            self._years = {days: years.Alone(*sums, np.empty((both, 3, days), np.int32), np.empty((len(TOPS), days), np.int64))}
        return self._years[days]


_OWN: Final = _Own()


def _out(law: kernel.Law) -> kernel.Out:
    rules, count, shape = law.limits.shape[1], len(law.elapsed), (law.limits.shape[1], len(_ALL), len(law.length))
    running = tuple([np.empty((len(NAMES), count), np.int32) for _ in range(rules)]), tuple([np.empty((len(NAMES), count), np.uint16) for _ in range(rules)])
    standard = np.empty((rules, 2), np.int64), np.empty((rules, 2), np.uint8)
    return kernel.Out(running, (np.empty(shape, np.int32), np.empty(shape, np.uint16)), np.empty(shape, np.uint8), standard)


def _apart(several: Sequence[Running], rules: Sequence[air.RuleSet], law: kernel.Law, room: kernel.Room, out: kernel.Out) -> None:
    """Means and compliance where 64 bits hold no common divisor of the stations that were valid."""
    one, spans, rows = several[0], law.sizes.spans.astype(np.int64), np.arange(len(law.elapsed))
    room.running[:] = _without_divisor(one, rows, np.full(len(rows), -1))
    room.closed[:] = _without_divisor(one, spans[:, 1] - 1, spans[:, 0] - 1)
    if not len(spans):
        return
    start, stop = spans[-1].tolist()
    known = compliance.measured(one, (start, stop), room.days.tops[:, -1].tolist())
    for place, own in enumerate(rules):
        items = compliance.held(known, one.first, own)
        out.standard[0][place] = max((each.units(int(law.power)) for item in items for each in item.measures), default=-1), room.days.valid[:, -1].min()
        met = compliance.overall(items)
        status = 1 if met is None or not room.days.enough[place, : len(AIR), -1].all() else 2 if met else 3
        out.standard[1][place] = status, sum(1 << number for number, item in enumerate(items) if item.attained is False)


def _without_divisor(running: Running, stops: Longs, before: Longs) -> Longs:
    """The same where 64 bits hold no common divisor of the stations that were valid: floats decide all but what lies near a tie."""
    exact = sum((_between(group.total, stops, before) / (1_000.0 * tables.COMMON * group.parts) for group in running.sums), np.zeros((len(stops), len(AIR))))
    valid = _between(running.valid, stops, before)
    mean = (exact[:, :4] / np.maximum(valid[:, :4], 1)).T
    made = []
    for scales in zip(*_scales(), strict=True):
        guess = mean * np.array([[float(scale)] for scale in scales])
        units = np.where(valid[:, :4].T > 0, np.rint(guess), -1).astype(np.int64)
        for place, row in np.argwhere((np.abs(guess - np.floor(guess) - 0.5) < _NEAR) & (units >= 0)).tolist():
            value = (running.mean(MEANS[place], int(stops[row]), int(before[row])) or 0) * scales[place]
            units[place, row] = half_even(value.numerator, value.denominator)
        made.append(units)
    return np.stack(made)


@lru_cache
def _scales() -> tuple[tuple[Fraction, Fraction], ...]:
    """By item: units of a mean's last digit in one, and hundredths of its part of the composite index in one."""
    return tuple((Fraction(10 ** FIGURES[f"{item}_mean"].digits), Fraction(_HUNDREDTHS, air.COMPOSITE[item])) for item in MEANS)


def _between(running: npt.NDArray[np.integer], stops: Longs, before: Longs) -> npt.NDArray[np.integer]:
    """Differences of running numbers over spans that end with the rows ``stops`` and follow the rows ``before`` (-1 = from the first)."""
    return running[stops] - np.where(before[:, None] >= 0, running[np.maximum(before, 0)], 0)
