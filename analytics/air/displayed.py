"""Figures of a year as integers of their last displayed digit: running ones day by day, and those of closed periods."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from analytics import tables
from analytics.air.periods import Figures, laid
from analytics.air.years import MEANS, TOPS, Running
from analytics.kernels import figures as kernel
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


NAMES: Final = (*(f"{item}_mean" for item in MEANS), *(f"{item}_p{air.PERCENTILES[item]}" for item in TOPS), *_COUNTED)
"""Figures of a running year in their order: four means, two percentiles, and what counts days."""
YEARLY: Final = tuple(f"{item}_p{air.PERCENTILES[item]}" for item in MEANS)
"""Percentiles of few days say little: these are figures of years only."""
PERIODICAL: Final = (*NAMES, *(f"{item}_rate" for item in AIR))
"""Figures of months and quarters; those of closed years go on with :data:`YEARLY`."""


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
def _digits(tops: tuple[str, ...]) -> kernel.Digits:
    places = [AIR.index(item) for item in tops]
    factors = [tables.STEPS[place] * 10 ** FIGURES[f"{item}_p{air.PERCENTILES[item]}"].digits for item, place in zip(tops, places, strict=True)]
    judged = [(tops.index(item), air.COMPOSITE[item]) for item in TOPS if item in tops]
    ratio = _HUNDREDTHS * 10 ** FIGURES["good_ratio"].digits
    return kernel.Digits(np.array(places, np.int32), np.array(factors, np.int64), 1_000 * _HUNDREDTHS, np.array(judged, np.int64), ratio)


def of_year(years: Sequence[Running], count: int) -> list[Figured]:
    """Running figures of the first ``count`` days under each rule set, in the order of :data:`NAMES`; only counts differ between rule sets."""
    first = years[0]
    tops, valid = _beside([first.percentiles[item][:count] for item in TOPS], np.int64), np.ascontiguousarray(first.valid[:count])
    joined = len(first.sums) == 1
    made = _means(first, first.sums[0].total[:count], valid) if joined else _without_divisor(first, np.arange(count), np.full(count, -1))
    counts, shape = _beside([running.counts[:count] for running in years]), (len(years), len(NAMES), count)
    out = np.empty(shape, np.int32), np.empty(shape, np.uint16)
    kernel.displayed(made, tops, valid, counts, _elapsed(count), _digits(TOPS), out)
    units, behind = out
    same = all(np.array_equal(behind[0], one) for one in behind[1:])
    # The same days have an AQI under every rule set, nearly always: then their numbers are kept once.
    kept = [behind[0].copy()] * len(years) if same else [*behind]
    return [Figured(*one) for one in zip(units, kept, strict=True)]


@lru_cache(maxsize=64)
def _elapsed(count: int) -> Ints:
    return np.arange(1, count + 1, dtype=np.int32)


def of_periods(several: Sequence[Figures]) -> list[Figured]:
    """Figures of closed periods under each rule set, in the order of :data:`PERIODICAL` and :data:`YEARLY`."""
    first = several[0]
    sizes = laid(first.running.first, first.periods)
    tops, valid, shape = first.percentiles, first.valid, (len(several), len(PERIODICAL) + len(YEARLY), len(first.periods))
    if len(first.running.sums) == 1:
        known, room, made = first.running.sums[0], np.empty(valid.shape, np.int64), np.empty((2, len(MEANS), len(valid)), np.int64)
        kernel.between(np.ascontiguousarray(known.total), sizes.spans, room, valid, _steps(known.parts), made)
    else:
        made = _without_divisor(first.running, (sizes.spans[:, 1] - 1).astype(np.int64), (sizes.spans[:, 0] - 1).astype(np.int64))
    days = valid, _beside([found.counts for found in several]), sizes.spans[:, 1] - sizes.spans[:, 0], _beside([found.within for found in several])
    out = np.empty(shape, np.int32), np.empty(shape, np.uint16)
    kernel.periodical(made, tops, days, (_digits(TOPS), _digits(MEANS)), out)
    return [Figured(*one) for one in zip(*out, strict=True)]


def _beside(parts: Sequence[npt.NDArray[Any]], kind: type[np.integer] = np.int32) -> npt.NDArray[Any]:
    """Arrays of one shape as one; ``numpy.stack`` takes thrice the time."""
    out = np.empty((len(parts), *parts[0].shape), kind)
    for place, one in enumerate(parts):
        out[place] = one
    return out


def _means(running: Running, total: Longs, valid: Ints) -> Longs:
    """(2, 4, n): means in units of their last digit, and in hundredths of their parts of the composite index."""
    made = np.empty((2, len(MEANS), len(total)), np.int64)
    kernel.means(np.ascontiguousarray(total), valid, _steps(running.sums[0].parts), made)
    return made


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
