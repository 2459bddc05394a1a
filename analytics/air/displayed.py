"""Figures of a year as integers of their last displayed digit: running ones day by day, and those of closed periods."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from analytics import tables
from analytics.air.periods import Figures
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
    behind : (f, n) int32
        What each was made of: valid daily values, or days with an AQI.
    """

    units: Ints
    behind: Ints


@lru_cache
def names(tops: tuple[str, ...]) -> tuple[str, ...]:
    """Names of the figures in their order: four means, some percentiles, and what counts days."""
    return (*(f"{item}_mean" for item in MEANS), *(f"{item}_p{air.PERCENTILES[item]}" for item in tops), *_COUNTED)


@lru_cache
def divisors(figures: tuple[str, ...]) -> npt.NDArray[np.float64]:
    """(f, 1) float64: units of the last displayed digit in one unit of each figure."""
    return np.array([[10.0 ** FIGURES[name].digits] for name in figures])


@lru_cache
def _steps() -> tuple[Longs, Longs]:
    """Units of an exact mean of one station in the last digit of a mean, and in a hundredth of a part of the composite index."""
    whole = 1_000 * tables.COMMON
    digits = [whole // 10 ** FIGURES[f"{item}_mean"].digits for item in MEANS]
    return np.array(digits, np.int64), np.array([whole * air.COMPOSITE[item] // _HUNDREDTHS for item in MEANS], np.int64)


@lru_cache
def _digits(tops: tuple[str, ...]) -> kernel.Digits:
    places = [AIR.index(item) for item in tops]
    factors = [tables.STEPS[place] * 10 ** FIGURES[f"{item}_p{air.PERCENTILES[item]}"].digits for item, place in zip(tops, places, strict=True)]
    judged = [(tops.index(item), air.COMPOSITE[item]) for item in TOPS]
    ratio = _HUNDREDTHS * 10 ** FIGURES["good_ratio"].digits
    return kernel.Digits(np.array(places, np.int32), np.array(factors, np.int64), 1_000 * _HUNDREDTHS, np.array(judged, np.int64), ratio)


def of_year(running: Running, count: int) -> Figured:
    """Running figures of the first ``count`` days, in the order of ``names(TOPS)``."""
    tops = np.stack([running.percentiles[item][:count] for item in TOPS])
    length = np.arange(1, count + 1, dtype=np.int32)
    if len(running.sums) == 1:
        made = _means(running, running.sums[0].total[:count], running.valid[:count])
    else:
        made = _without_divisor(running, np.arange(count), np.full(count, -1))
    return _figured(made, tops, (running.valid[:count], running.counts[:count], length), TOPS)


def of_periods(found: Figures) -> Figured:
    """Figures of closed periods, in the order of ``names(AIR)``."""
    stops, before = np.array([(one.stop - 1, one.start - 1) for one in found.periods], np.int64).reshape(-1, 2).T
    running, total = found.running, found.running.sums[0].total
    joined = len(running.sums) == 1
    made = _means(running, _between(total, stops, before).astype(np.int64), found.valid) if joined else _without_divisor(running, stops, before)
    return _figured(made, np.ascontiguousarray(found.percentiles.T), (found.valid, found.counts, (stops - before).astype(np.int32)), AIR)


def _means(running: Running, total: Longs, valid: Ints) -> tuple[Longs, Longs]:
    """Means in units of their last digit, and in hundredths of their parts of the composite index."""
    parts = running.sums[0].parts
    made = np.empty((4, len(total)), np.int64), np.empty((4, len(total)), np.int64)
    for steps, out in zip(_steps(), made, strict=True):
        kernel.means(np.ascontiguousarray(total), np.ascontiguousarray(valid), steps * parts, out)
    return made


def _without_divisor(running: Running, stops: Longs, before: Longs) -> tuple[Longs, Longs]:
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
    return made[0], made[1]


@lru_cache
def _scales() -> tuple[tuple[Fraction, Fraction], ...]:
    """By item: units of a mean's last digit in one, and hundredths of its part of the composite index in one."""
    return tuple((Fraction(10 ** FIGURES[f"{item}_mean"].digits), Fraction(_HUNDREDTHS, air.COMPOSITE[item])) for item in MEANS)


def _between(running: npt.NDArray[np.integer], stops: Longs, before: Longs) -> npt.NDArray[np.integer]:
    """Differences of running numbers over spans that end with the rows ``stops`` and follow the rows ``before`` (-1 = from the first)."""
    return running[stops] - np.where(before[:, None] >= 0, running[np.maximum(before, 0)], 0)


def _figured(made: tuple[Longs, Longs], tops: Longs, behind: tuple[Ints, Ints, Ints], items: tuple[str, ...]) -> Figured:
    valid, counts, length = (np.ascontiguousarray(part) for part in behind)
    shape = 4 + len(items) + len(_COUNTED), len(valid)
    out = Figured(np.empty(shape, np.int32), np.empty(shape, np.int32))
    kernel.displayed(*made, tops, valid, counts, length, _digits(items), (out.units, out.behind))
    return out
