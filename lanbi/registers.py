"""Registers of meters as they are needed: read from the store once, kept while there is room, a touched day read again.

A year of a meter is counted from its registers of that year and some weeks on both sides: the reading before New Year is the base of
the first interval, and what a late winter reading means may need those behind it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from analytics import counting
from analytics.counting import Counted, Exchange, Longs, Readings
from analytics.energy.stated import Quantity, merged
from domain import civil
from domain.places import Meter, Registry
from domain.ports import ReadingSource
from lanbi.register_rows import Floats, stored

BACK_DAYS: Final = 40
FAR_DAYS: Final = 400
"""How far back the base of a year is looked for where the weeks before it hold none."""
ROOM: Final = 384 << 20
"""Bytes of registers and intervals that are kept."""
HOURLY: Final = 3_600
LARGEST: Final = 10**12
"""A register above is none."""
FINEST: Final = 4
"""Decimals beyond the registered resolution that a register may show."""
Year = tuple[int, str]


class Known(NamedTuple):
    """A meter's year: first and last instant of the registers read, they themselves, their intervals, and how often they are expected [s]."""

    span: tuple[int, int]
    readings: Readings
    counted: Counted
    interval: int

    @property
    def size(self) -> int:
        """Bytes."""
        return 16 * len(self.readings.times) + 25 * len(self.counted.begin) + 9 * len(self.counted.meaning)


@dataclass
class Desk:
    """Reads and keeps registers.

    Attributes
    ----------
    forms : callable
        Exchange forms of a meter, in order of time.
    """

    source: ReadingSource
    registry: Registry
    forms: Callable[[str], Sequence[Exchange]]
    stated: Callable[[str], Sequence[Quantity]] = lambda _: ()
    """Quantities that files state for a meter."""

    def __post_init__(self) -> None:
        self._kept: OrderedDict[Year, Known] = OrderedDict()
        self._bytes = 0

    def year(self, year: int, name: str) -> Known | None:
        """A meter's year; None without any register."""
        known = self._kept.get((year, name))
        if known is not None:
            self._kept.move_to_end((year, name))
            return known
        span, times, values = self._around(name, *civil.year_span(year))
        return self._count((year, name), span, times, values)

    def between(self, name: str, start: int, end: int) -> Known | None:
        """The same for any two instants [s]; not kept."""
        span, times, values = self._around(name, start, end)
        there = len(times) or self._stated(name, span)
        return self._counted(name, span, (times, values), civil.year_of_day(civil.day_of(end))) if there else None

    def _around(self, name: str, start: int, end: int) -> tuple[tuple[int, int], Longs, Floats]:
        """Registers of a time with those that what they mean may need; the instants between which they were read."""
        low, high = start - BACK_DAYS * civil.DAY_S, end + BACK_DAYS * civil.DAY_S
        times, values = self._read(name, low, high)
        if not len(times) or times[0] > start:
            older = self._read(name, start - FAR_DAYS * civil.DAY_S, low)
            times, values = np.concatenate([older[0][-1:], times]), np.concatenate([older[1][-1:], values])
        return (low, high), times, values

    def again(self, year: int, name: str, days: Sequence[int]) -> Known | None:
        """The same after some days were touched: only these are read."""
        known = self._kept.get((year, name))
        if known is None:
            return self.year(year, name)
        times, units = known.readings.times, known.readings.units
        values: Floats = np.where(units < 0, -1.0, units * float(known.readings.resolution))
        for day in days:
            start, end = civil.day_start(day), civil.day_end(day)
            if known.span[0] < end and start < known.span[1]:
                fresh = self._read(name, start, end)
                low, high = np.searchsorted(times, [start, end], side="right").tolist()
                times, values = (np.concatenate([old[:low], new, old[high:]]) for old, new in zip((times, values), fresh, strict=True))
        return self._count((year, name), known.span, times, values)

    def forget(self, year: int) -> None:
        """What the store holds of a year may have changed anywhere."""
        for key in [key for key in self._kept if key[0] == year]:
            self._bytes -= self._kept.pop(key).size

    def recount(self, name: str) -> None:
        """An exchange form came: forget the intervals of a meter."""
        for key in [key for key in self._kept if key[1] == name]:
            self._bytes -= self._kept.pop(key).size

    def _count(self, key: Year, span: tuple[int, int], times: Longs, values: Floats) -> Known | None:
        old = self._kept.pop(key, None)
        self._bytes -= old.size if old else 0
        if not len(times) and not self._stated(key[1], span):
            return None
        known = self._kept[key] = self._counted(key[1], span, (times, values), key[0])
        self._bytes += known.size
        while self._bytes > ROOM and len(self._kept) > 1:
            self._bytes -= self._kept.popitem(last=False)[1].size
        return known

    def _counted(self, name: str, span: tuple[int, int], shown: tuple[Longs, Floats], year: int) -> Known:
        meter = self.registry.meters[name]
        readings = readings_of(meter, *shown)
        step = interval(self.registry, name, year)
        forms = [form for form in self.forms(name) if span[0] < form.time <= span[1]]
        return Known(span, readings, merged(counting.count(meter, readings, step, forms), self._stated(name, span)), step)

    def _stated(self, name: str, span: tuple[int, int]) -> list[Quantity]:
        return [one for one in self.stated(name) if span[0] < one.end and one.begin < span[1]]

    def _read(self, name: str, start: int, end: int) -> tuple[Longs, Floats]:
        """Registers with start < time ≤ end that count, each time once; of two spans the shorter stands."""
        known, values = stored(self.source, name, start, end)
        trial = self._on_trial(name, known)
        return known[~trial], values[~trial]

    def _on_trial(self, name: str, times: Longs) -> npt.NDArray[np.bool_]:
        """What a device sent while it was on trial enters no figure."""
        devices = [one for one in self.registry.devices.values() if any(name in names for _, names in one.sources.steps)]
        if all(word != "trial" for one in devices for _, word in one.state.steps):
            return np.zeros(len(times), bool)
        days = civil.day_of_array(times)
        known = {day: self.registry.device_of(name, day) for day in np.unique(days).tolist()}
        trial = [day for day, device in known.items() if device is not None and device.state.on(day) == "trial"]
        return np.isin(days, trial)


def readings_of(meter: Meter, times: Longs, values: Floats) -> Readings:
    """Registers in whole units of the registered resolution, or of a finer one that they show; a value below zero stays none."""
    for digits in range(FINEST + 1):
        resolution = Decimal(meter.resolution).scaleb(-digits)
        scaled = values / float(resolution)
        units = np.rint(scaled)
        if digits == FINEST or bool((np.abs(scaled - units)[values < LARGEST] <= 1e-3).all()):
            none = (values < 0) | (values >= LARGEST) | (units >= counting.TOP)
            return Readings(times, np.where(none, -1, units).astype(np.int64), resolution)
    raise AssertionError  # the last digit always returns


def interval(registry: Registry, name: str, year: int) -> int:
    """Seconds between readings of a meter: its device's at the end of the year."""
    device = registry.device_of(name, civil.year_days(year)[1])
    return device.interval if device is not None else HOURLY
