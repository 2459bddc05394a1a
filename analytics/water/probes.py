"""Water probes seen alone: level shifts, and the linear drift that the next calibration finds.

Technicians' corrections show what drift is: a straight ramp from zero after one visit to the gap that the next one finds. So the
gap is read where it shows, in the step from the last reading before a visit to the first one after it; until then a drift of a
per cent in months cannot be told from the water. A visit resets the baseline: what came before it is not held against what follows.
A step without a visit that lasts for a day is a level shift. Limits are registered; ``bench/drift.py`` prints what they give.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from domain import civil

Floats = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]

PROBES: Final = ("ph", "do", "cond")
SCALE: Final = 1.4826
OUT: Final = 0.5
"""Farther from its week's median than this share a probe is in air, in a beaker of standard, or broken: no reading of the water."""
OUT_PH: Final = 2.0
"""The same of pH, which is a logarithm."""
BESIDE: Final = 4
"""Steps on each side whose median is what the water does meanwhile."""
SAMPLED: Final = 300
"""So many of the water's own steps give their spread."""
DAYS: Final = 10
USUAL_S: Final = DAYS * civil.DAY_S
TIMES: Final = 2.0
"""A visit's step must exceed the usual largest step of the same hours so many times: twenty chances a day make a large one."""
LEAST_STEPS: Final = 30
"""Steps from which the water's own steps are known."""
NEAR: Final = 8
"""Readings on each side of a step whose medians must differ too."""
FEW: Final = 3
LASTING: Final = 0.5
"""Share of a step that must still be there in the means of a day before and after."""
RAIN_S: Final = civil.HOUR_S
"""Conductivity follows every rain within hours: only a step between readings not farther apart than this can be the probe's."""
PAUSE_S: Final = civil.DAY_S // 2
"""So long after a shift another one is the same unrest."""
WEEK_S: Final = 7 * civil.DAY_S


class Limits(NamedTuple):
    """When a probe is told; what a county registers differently replaces these.

    Attributes
    ----------
    ph, do, cond : float
        Least level shift: pH, mg/L, and of conductivity a share of its level [%].
    sigma, visit : float
        A shift, and a step at a visit, must also exceed so many spreads of the water's own steps.
    hours : float
        A visit's step is looked for so long before its beginning and after its end: times are written down later.
    """

    ph: float = 0.15
    do: float = 1.0
    cond: float = 10.0
    sigma: float = 8.0
    visit: float = 5.0
    hours: float = 4.0

    def least(self, item: str, level: float) -> float:
        """Least level shift in the item's unit."""
        return self.cond * level / 100 if item == "cond" else float(getattr(self, item))


LIMITS: Final = Limits()
NAMES: Final = MappingProxyType({name: f"probe_{name}" for name in Limits._fields})
"""Keys of the registry."""


class Visit(NamedTuple):
    """A calibration or maintenance: begin and end [s], which may be the same."""

    begin: int
    end: int


class Shift(NamedTuple):
    """A level shift outside of visits: the first reading at the new level, and the step in the item's unit."""

    time: int
    size: float


class Interval(NamedTuple):
    """Between two visits.

    Attributes
    ----------
    begin, end : int [s]
        The visit before, or the first reading, and the reading at which the visit that ends it shows.
    size : float or None
        Error of the probe at the end [unit of the item], too high is positive; None = no step that the water would not make itself.
    least : float
        The step from which on one would have been told.
    readings : int
    """

    begin: int
    end: int
    size: float | None
    least: float
    readings: int


class Probe(NamedTuple):
    """Readings of the water by one probe, ascending in time: (n,) each, without missing ones and those out of the water."""

    time: Longs
    values: Floats


def probe(item: str, time: Longs, values: Floats) -> Probe:
    """Readings that are of the water: not far from the median of their week.

    Parameters
    ----------
    time : (n,) int64 [s]
    values : (n,) float64
        NaN = missing.
    """
    there = ~np.isnan(values)
    time, values = time[there], values[there]
    good = np.ones(len(values), bool)
    for edges in np.split(np.arange(len(values)), np.flatnonzero(np.diff(time // WEEK_S)) + 1):
        if len(edges):
            usual = float(np.median(values[edges]))
            good[edges] = np.abs(values[edges] - usual) < (OUT_PH if item == "ph" else OUT * abs(usual))
    return Probe(time[good], values[good])


def merged(visits: Sequence[Visit], apart: int) -> list[Visit]:
    """Visits in order of time; those that are not farther apart than ``apart`` [s] are one."""
    found: list[Visit] = []
    for one in sorted(visits):
        if found and one.begin - found[-1].end <= apart:
            found[-1] = Visit(found[-1].begin, max(found[-1].end, one.end))
        else:
            found.append(one)
    return found


def intervals(known: Probe, visits: Sequence[Visit], limits: Limits = LIMITS) -> Iterator[Interval]:
    """What each visit finds of the drift since the one before, in order of time."""
    reach = int(limits.hours * civil.HOUR_S)
    steps = _steps(known)
    begin = int(known.time[0]) if len(known.time) else 0
    for visit in merged(visits, reach):
        window = visit.begin - reach, visit.end + reach
        place = _largest(known, steps, window)
        if place is not None and known.time[place] > begin:
            usual = [abs(float(steps[one])) for day in range(1, DAYS + 1) if (one := _largest(known, steps, window, day)) is not None]
            least = max(limits.visit * _spread(known, place), TIMES * float(np.median(usual)) if usual else 0.0)
            told = abs(steps[place]) > least and _stays(known, place, float(steps[place]))
            size = round(-float(steps[place]), 6) if told else None
            yield Interval(begin, int(known.time[place]), size, round(least, 6), int(((known.time > begin) & (known.time <= known.time[place])).sum()))
        begin = visit.end


def _stays(known: Probe, place: int, step: float) -> bool:
    """Whether the readings beside a step still show half of it: a lone wild reading makes two steps and no level."""
    before, after = known.values[max(0, place - BESIDE + 1) : place + 1], known.values[place + 1 : place + 1 + BESIDE]
    rest = float(np.median(after) - np.median(before))
    return rest * step > 0 and abs(rest) > LASTING * abs(step)


def _steps(known: Probe) -> Floats:
    """Step from each reading to the next beyond what the water does meanwhile: the median rate of the four steps on each side; 0 near the ends."""
    out = np.zeros(max(0, len(known.values) - 1))
    if len(out) > 2 * BESIDE:
        change, pause = np.diff(known.values), np.diff(known.time)
        rates = np.lib.stride_tricks.sliding_window_view(change / pause, 2 * BESIDE + 1)
        beside = np.median(np.delete(rates, BESIDE, axis=1), axis=1)
        out[BESIDE:-BESIDE] = (change - pause * np.pad(beside, BESIDE))[BESIDE:-BESIDE]
    return out


def _largest(known: Probe, steps: Floats, window: tuple[int, int], back: int = 0) -> int | None:
    """Reading before the largest step of a window, or of the same hours some days before; None where too little is known of the water."""
    first, last = (int(known.time.searchsorted(edge - back * civil.DAY_S)) for edge in window)
    first = max(first - 1, 0)
    if first < LEAST_STEPS or last <= first + 1 or last >= len(known.time):
        return None
    return first + int(np.abs(steps[first:last]).argmax())


def _spread(known: Probe, place: int) -> float:
    """Robust spread of the water's own steps over as many readings' time as the pause is long, in the days before."""
    first, last = int(known.time.searchsorted(known.time[place] - USUAL_S)), place + 1
    time, values = known.time[first:last], known.values[first:last]
    if len(time) < LEAST_STEPS:
        return float("inf")
    apart = max(1, round(float(known.time[place + 1] - known.time[place]) / float(np.median(np.diff(time)))))
    begins = np.arange(BESIDE, len(time) - apart - BESIDE)
    found = [_bridged(time, values, begin, apart) for begin in begins[:: max(1, len(begins) // SAMPLED)].tolist()]
    return max(SCALE * float(np.median(np.abs(found))), _grain(values) / 2) if found else float("inf")


def _bridged(time: Longs, values: Floats, begin: int, apart: int) -> float:
    """The step that would be seen if the readings between were missing."""
    end = begin + apart
    sides = [slice(begin - BESIDE, begin + 1), slice(end, end + BESIDE + 1)]
    rates = np.concatenate([np.diff(values[side]) / np.diff(time[side]) for side in sides])
    return float(values[end] - values[begin] - np.median(rates) * (time[end] - time[begin]))


def _grain(values: Floats) -> float:
    """Smallest difference that a probe shows."""
    steps = np.abs(np.diff(values))
    steps = steps[steps > 0]
    return float(steps.min()) if len(steps) else 0.0


def shifts(item: str, known: Probe, visits: Sequence[Visit], limits: Limits = LIMITS) -> Iterator[Shift]:
    """Level shifts outside of visits that a day's means confirm, in order of time."""
    reach = int(limits.hours * civil.HOUR_S)
    quiet = merged(visits, reach)
    steps = np.abs(np.diff(known.values))
    level = float(np.median(known.values)) if len(known.values) else 0.0
    until = -(2**62)
    for place in np.flatnonzero(steps > limits.least(item, level)).tolist():
        time = int(known.time[place + 1])
        if item == "cond" and time - known.time[place] > RAIN_S:
            continue
        if time < until or any(one.begin - reach <= time <= one.end + reach for one in quiet):
            continue
        size = _lasting(known, place, limits.least(item, level))
        if size is not None and steps[place] > limits.sigma * _spread(known, place):
            until = time + PAUSE_S
            yield Shift(time, round(size, 6))


def _lasting(known: Probe, place: int, least: float) -> float | None:
    """The step between the medians of the readings beside it, if the days before and after still show half of it."""
    before, after = known.values[max(0, place - NEAR + 1) : place + 1], known.values[place + 1 : place + 1 + NEAR]
    day = [_day(known, int(known.time[place]), back=True), _day(known, int(known.time[place + 1]), back=False)]
    if min(len(before), len(after), *(len(one) for one in day)) < FEW:
        return None
    size, rest = float(np.median(after) - np.median(before)), float(np.median(day[1]) - np.median(day[0]))
    return size if abs(size) > least and rest * size > 0 and abs(rest) > LASTING * abs(size) else None


def _day(known: Probe, time: int, *, back: bool) -> Floats:
    edges = (time - civil.DAY_S, time + 1) if back else (time, time + civil.DAY_S)
    first, last = known.time.searchsorted(edges)
    return known.values[first:last]
