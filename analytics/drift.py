"""Sensors that drift off the truth, seen in the ratio to their neighbours.

What moves all stations together, season and dust, cancels in the ratio. Three watches look at it:

* **CUSUM** of the daily log-ratio against its own trailing year, lagged so that a new drift is not learnt as normal: finds
  steps, offsets and ramps within weeks.
* **commissioning**: the trailing baseline absorbs slow ramps by design, so the last month is also held against the first year.
* **divergence**: a station that suddenly shows a small part of what its neighbours show, hour by hour: a masked sampler.

Until a baseline exists nothing is told; that is learning, not health. The limits are wider than a textbook's, because daily
ratios are correlated (0.2 to 0.55 from day to day): with k 0.5 and h 5 every month would bring an alarm. ``bench/drift.py`` prints
what they give, on counties that were not used to choose them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from domain.air import DAY_HOURS

Floats = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]

LEAST: Final = {"co": 0.2}
"""Below this the ratio is noise; any other item: 5 of its unit."""
LEAST_OTHERS: Final = 5.0
NEIGHBOURS: Final = 5
WINDOW: Final = 365
LEARN: Final = 40
LAG: Final = 45
SCALE: Final = 1.4826
CLIP: Final = 4.0
SAME: Final = 60
"""Days after an alarm in which another one of the same direction is the same drift."""
BEFORE: Final = 10
"""Days before the sum began to rise in which the onset is looked for too."""
CLEARLY: Final = 0.85
"""A ramp is told from a step only where it fits so much better; a few days cannot tell them apart."""
SHORTEST_RAMP: Final = 13
SHORTEST_OFFSET: Final = 8
MONTH: Final = 30
FIRST_YEAR: Final = 365
MASKED_ITEMS: Final = ("pm25", "pm10")
HOURS: Final = (4, 6)
"""Four of six hours below the share of the usual ratio, while the neighbours show enough."""
USUAL_HOURS: Final = 720
ROWS: Final = 1_024
"""Windows that are sorted at a time: some megabytes."""


class Limits(NamedTuple):
    """When a departure is told; what a county registers differently replaces these.

    Attributes
    ----------
    floor : float
        Least spread of daily log-ratios that is believed.
    k, h : float
        Allowance and limit of the CUSUM, in spreads.
    slow : float
        A month so far from the first year [natural logarithm] is a slow ramp, if it is also four times the first year's own spread.
    masked : float
        Share of the usual ratio below which an hour counts as masked.
    high : float
        Least level of the neighbours [unit of the item] at which that can be told.
    """

    floor: float = 0.12
    k: float = 0.65
    h: float = 15.0
    slow: float = 0.25
    masked: float = 0.4
    high: float = 50.0


LIMITS: Final = Limits()


class Drift(NamedTuple):
    """A sensor's departure from its neighbours.

    Attributes
    ----------
    kind : str
        ``step`` (gain), ``offset``, ``ramp`` or ``divergence``.
    onset, detected : int
        Rows of the input's days for the first three, of its hours for a divergence.
    size : float
        Relative change (0.3 = 30 % too high); of an offset: units of the item.
    """

    item: str
    kind: str
    onset: int
    detected: int
    size: float


def proxy(table: Floats, own: int, others: Sequence[int]) -> Floats:
    """Hourly median of a station's neighbours.

    Parameters
    ----------
    table : (h, s) float64
        NaN = missing.
    others : sequence of int
        Columns of the neighbours.

    Returns
    -------
    (h,) float64
        NaN with fewer than five valid neighbours, or fewer than half of them where there are fewer than ten.
    """
    beside = [column for column in others if column != own]
    if not beside:
        return np.full(len(table), np.nan)
    rows = np.sort(table[:, beside], axis=1)  # NaN sort to the end
    count = (~np.isnan(rows)).sum(axis=1)
    need = min(NEIGHBOURS, (len(beside) + 1) // 2)
    low, high = np.maximum(count - 1, 0) // 2, count // 2
    places = np.arange(len(rows))
    middle = (rows[places, low] + rows[places, np.minimum(high, len(beside) - 1)]) / 2
    return np.where(count >= need, middle, np.nan)


def days(hours: Floats) -> Floats:
    """Daily means of whole civil days with enough valid hours: (24·d,) to (d,) float64."""
    rows = hours.reshape(-1, 24)
    count = (~np.isnan(rows)).sum(axis=1)
    return np.where(count >= DAY_HOURS, np.nansum(rows, axis=1) / np.maximum(count, 1), np.nan)


def trailing(values: Floats, window: int = WINDOW, lag: int = LAG) -> Floats:
    """Median of the ``window`` values that end ``lag`` before each place; NaN with fewer than 40 valid."""
    out = np.full(len(values), np.nan)
    middle, count = _middles(values, np.arange(lag, len(values)) - lag + 1, window)
    out[lag:] = np.where(count >= LEARN, middle, np.nan)
    return out


def _middles(values: Floats, ends: Longs, window: int) -> tuple[Floats, Longs]:
    """Medians of what is valid among the ``window`` values before each end, and how many those are; NaN for none. Many ends at a time."""
    beside = sliding_window_view(np.concatenate([np.full(window, np.nan), values]), window)
    middle, count = np.full(len(ends), np.nan), np.zeros(len(ends), np.int64)
    for start in range(0, len(ends), ROWS):
        part = slice(start, start + ROWS)
        rows = np.sort(beside[ends[part]], axis=1)  # NaN sort to the end
        valid = count[part] = window - np.isnan(rows).sum(axis=1)
        places = np.arange(len(rows))
        middle[part] = (rows[places, np.maximum(valid - 1, 0) // 2] + rows[places, np.minimum(valid // 2, window - 1)]) / 2
    return np.where(count > 0, middle, np.nan), count


def find(item: str, station: Floats, beside: Floats, limits: Limits = LIMITS) -> list[Drift]:
    """Drifts of one item of one station.

    Parameters
    ----------
    station, beside : (24·d,) float64
        Hours of whole civil days of the station and of its neighbours' median; NaN = missing.

    Returns
    -------
    list of Drift
        In order of detection: days for ramps, steps and offsets, hours for divergences.
    """
    masked_too = masked(item, station, beside, limits) if item in MASKED_ITEMS else []
    return slowly(item, days(station), days(beside), limits) + masked_too


def slowly(item: str, own: Floats, other: Floats, limits: Limits = LIMITS) -> list[Drift]:
    """Steps, offsets and ramps by daily means of the station and of its neighbours' median: (d,) each, NaN = no valid day."""
    least = LEAST.get(item, LEAST_OTHERS)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.where((own > least) & (other > least), np.log(own / other), np.nan)
    quick = _quick(item, ratio, (own, other), limits)
    slow = [one for one in _slow(item, ratio, limits) if not any(abs(one.detected - other.detected) < WINDOW and one.size * other.size > 0 for other in quick)]
    return sorted([*quick, *slow], key=lambda one: one.detected)


def _quick(item: str, ratio: Floats, means: tuple[Floats, Floats], limits: Limits) -> list[Drift]:
    base = trailing(ratio)
    spread = np.maximum(SCALE * trailing(np.abs(ratio - base)), limits.floor)
    z = np.clip((ratio - base) / spread, -CLIP, CLIP)
    found: list[Drift] = []
    sums, since = [0.0, 0.0], [0, 0]
    last = [-(10**9), -(10**9)]
    for day in np.flatnonzero(~np.isnan(z)).tolist():
        for side, sign in enumerate((1.0, -1.0)):
            if sums[side] == 0.0:
                since[side] = day
            sums[side] = max(0.0, sums[side] + sign * z[day] - limits.k)
            if sums[side] <= limits.h:
                continue
            if day - last[side] > SAME:
                found.append(_named(item, (since[side], day), (ratio, base), means))
            last[side] = day
            sums = [0.0, 0.0]
    return found


def _named(item: str, span: tuple[int, int], ratios: tuple[Floats, Floats], means: tuple[Floats, Floats]) -> Drift:
    """Onset, kind and size of what made the sum rise: the sum may have begun to rise by chance days before."""
    ratio, base = ratios
    there = np.arange(max(0, span[0] - BEFORE), span[1] + 1)
    there = there[~np.isnan(ratio[there])]
    excess = ratio[there] - base[span[1]]
    step, (begin, level) = min((_step_from(excess, place), (place, float(excess[place:].mean()))) for place in range(max(1, len(excess) - 2)))
    ramp, (foot, slope) = min(_ramp_from(there, excess, place) for place in range(max(1, len(excess) - SHORTEST_RAMP)))
    if len(excess) > SHORTEST_RAMP and ramp < CLEARLY * step and slope * level > 0:
        return Drift(item, "ramp", int(there[foot]), span[1], float(np.expm1(slope * (there[-1] - there[foot] + 1))))
    onset = int(there[begin])
    own, usual = means[0][there[begin:]], means[1][there[begin:]] * np.exp(base[span[1]])
    shift, gain = float(np.median(own - usual)), float(np.median(own / usual))
    if len(own) >= SHORTEST_OFFSET and np.abs(own - usual - shift).sum() < 0.8 * np.abs(own - gain * usual).sum():
        return Drift(item, "offset", onset, span[1], shift)
    return Drift(item, "step", onset, span[1], gain - 1)


def _step_from(excess: Floats, place: int) -> float:
    """Squared error of: as usual before ``place``, another level from there on."""
    after = excess[place:]
    return float((excess[:place] ** 2).sum() + ((after - after.mean()) ** 2).sum())


def _ramp_from(there: Longs, excess: Floats, place: int) -> tuple[float, tuple[int, float]]:
    """Squared error of: as usual before ``place``, a straight ramp from zero from there on; and that ramp."""
    days_since = (there[place:] - there[place] + 1).astype(np.float64)
    slope = float((days_since * excess[place:]).sum() / (days_since**2).sum())
    return float((excess[:place] ** 2).sum() + ((excess[place:] - slope * days_since) ** 2).sum()), (place, slope)


def _slow(item: str, ratio: Floats, limits: Limits) -> list[Drift]:
    """Months that lie far from the first year: one row a departure."""
    first = ratio[:FIRST_YEAR]
    if len(ratio) <= FIRST_YEAR or (~np.isnan(first)).sum() < FIRST_YEAR // 2:
        return []
    usual = float(np.nanmedian(first))
    months = [np.nanmedian(part) for part in np.array_split(first, 12) if (~np.isnan(part)).any()]
    limit = max(limits.slow, 4 * SCALE * float(np.median(np.abs(np.array(months) - usual))))
    found: list[Drift] = []
    away = False
    ends = np.arange(FIRST_YEAR + MONTH, len(ratio)) + 1
    middle, count = _middles(ratio, ends, MONTH)
    there = count >= MONTH // 2
    for day, gap in zip((ends[there] - 1).tolist(), (middle[there] - usual).tolist(), strict=True):
        if abs(gap) > limit and not away:
            found.append(Drift(item, "ramp", _crossed(ratio, day, usual, gap), day, float(np.expm1(gap))))
        away = abs(gap) > (limit / 2 if away else limit)
    return found


def _crossed(ratio: Floats, day: int, usual: float, gap: float) -> int:
    """Last day before the alarm on which the week's median lay on the other side of the first year's."""
    for place in range(day - MONTH, 7, -1):
        week = ratio[place - 6 : place + 1]
        if (~np.isnan(week)).any() and (np.nanmedian(week) - usual) * gap <= 0:
            return place
    return 0


def masked(item: str, station: Floats, beside: Floats, limits: Limits = LIMITS) -> list[Drift]:
    """Hours in which a station suddenly shows a small part of what its neighbours show: (h,) each, NaN = missing."""
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.where(beside > LEAST_OTHERS, station / beside, np.nan)
    low = np.zeros(len(ratio), bool)
    found: list[Drift] = []
    suspects = np.flatnonzero((ratio < limits.masked) & (beside >= limits.high))
    until = -1
    middle, count = _middles(ratio, np.maximum(0, suspects - HOURS[1]), USUAL_HOURS - HOURS[1])
    low[suspects] = (count >= USUAL_HOURS // 4) & (ratio[suspects] < limits.masked * middle)
    for hour, usual in zip(suspects.tolist(), middle.tolist(), strict=True):
        recent = np.arange(max(0, hour - HOURS[1] + 1), hour + 1)
        if low[recent].sum() >= HOURS[0]:
            if hour > until:
                onset = int(recent[low[recent]][0])
                found.append(Drift(item, "divergence", onset, hour, float(np.nanmedian(ratio[recent]) / usual - 1)))
            until = hour + HOURS[1]
    return found
