"""How a year may end: median, 90 % interval and the chance of missing a target, for every day of the year so far.

The year to date misleads: its days are those of one season, and years differ from each other by more than their days suggest. So
each year has a level of its own. It follows last year's with a between-year factor, is learnt from the days so far against the
season's usual share of the year, and carries the rest. The spread is that of a t distribution, for it is known from few years.

A forecast is no published figure: it is made with floats. Nothing here knows a year that is later than the one it looks at.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import date
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from analytics import chances
from domain import civil

Floats = npt.NDArray[np.float64]


class Prior(NamedTuple):
    """What is assumed before any year is known.

    Attributes
    ----------
    spread : float
        Standard deviation of the between-year factor, in the log (shares: in the logit).
    trend : float
        Yearly change of the level, in the same scale.
    years : int
        How many years of its own a place needs to weigh as much as this.
    noise : tuple of 12 float
        Standard deviation of a calendar month around the year's level, in the same scale.
    """

    spread: float
    trend: float
    years: int
    noise: tuple[float, ...]


# Spread: 0.10 … 0.15 over 145 city-years. Noise: months of two cities' published days, wide in winter.
MEAN: Final = Prior(0.12, -0.03, 4, (0.24, 0.20, 0.15, 0.14, 0.12, 0.12, 0.12, 0.13, 0.14, 0.18, 0.22, 0.25))
SHARE: Final = Prior(0.35, 0.06, 4, (1.0,) * 12)
COUNT: Final = Prior(0.35, -0.10, 4, (0.0,) * 12)
"""Its noise is that of counts: :data:`CLUSTER` and :data:`WEATHER`."""
CLUSTER: Final = 2.5
"""Heavy days come in episodes: so many times a Poisson count's variance."""
WEATHER: Final = 0.4
"""Log spread of a season's heavy days around what the year's level lets expect: one winter says little of the next."""
SMOOTH: Final = 31
"""Days over which a usual year is smoothed."""
LEAST: Final = 300
"""Valid days of a past year that can be learnt from."""
SKILL_CASES: Final = 8
"""So many earlier years of a place and its neighbours tell whether the forecast is better than the base rate."""
FIRST_SKILLED: Final = 181
"""Days of a year before which no known method is much better than the base rate; decides where too few earlier years can tell."""
_DAYS: Final = 30.4
_HALF: Final = 0.5


class Outlook(NamedTuple):
    """By day of the year so far, (d,) each: the year's end as seen at the end of that day; NaN before the first valid day.

    Attributes
    ----------
    median, low90, high90 : float64 [unit of the figure]
    p_miss : float64
        Chance that the year misses the target; NaN without one.
    """

    median: Floats
    low90: Floats
    high90: Floats
    p_miss: Floats


class Goal(NamedTuple):
    """A target: operator (``<=``, ``<``, ``>=``) and value; None = none."""

    op: str
    value: float | None


def mean(past: Sequence[Floats], now: Floats, length: int, goal: Goal) -> Outlook | None:
    """The annual mean of a concentration.

    Parameters
    ----------
    past : sequence of (365,) or (366,) float64
        Daily values of earlier years, oldest first; NaN = missing.
    now : (d,) float64
        Days of this year so far.
    length : int [d]
        Calendar days of this year.
    goal : Goal
        For the mean of the year's valid days.

    Returns
    -------
    Outlook or None
        None where no earlier year can be learnt from.
    """
    years = [year for year in past if np.isfinite(year).sum() >= LEAST]
    if not years:
        return None
    shape = _fit(_usual(years), length)
    level = _level([math.log(float(np.nanmean(year))) for year in years], _noise(shape, MEAN), MEAN)
    part = _Part.of(now, shape, MEAN)
    with np.errstate(divide="ignore", invalid="ignore"):
        seen = np.log(part.total / part.weight) - level.value
    middle, spread = _update(level, seen, part, len(years))
    rest = part.rest_weight / np.maximum(part.rest, 1)

    def end(step: float) -> Floats:
        return np.asarray((part.total + part.rest * rest * np.exp(middle + step * spread)) / (part.number + part.rest))

    top = chances.quantile(0.95, level.freedom)
    miss = _missed(goal, part, lambda wanted: (np.log(wanted / rest) - middle) / spread, level.freedom)
    return _outlook(part, (end(0.0), end(-top), end(top)), miss)


def share(past: Sequence[Floats], now: Floats, length: int, goal: Goal) -> Outlook | None:
    """The share of good days in a hundred valid ones; days are 1 (good), 0 or NaN (not valid). See :func:`mean`."""
    years = [year for year in past if np.isfinite(year).sum() >= LEAST]
    if not years:
        return None
    usual = _logit(_fit(_season(years), length))
    whole = float(np.mean([np.nanmean(year) for year in years]))
    level = _level([float(_logit(float(np.nanmean(year)))) for year in years], _noise(np.ones(length), SHARE), SHARE)
    part = _Part.of(now, np.ones(length), SHARE)
    shift = _logit(np.array(whole))
    cumulated = np.cumsum(usual - shift)
    count = np.arange(1, len(now) + 1)
    before = cumulated[: len(now)] / count
    after = (cumulated[-1] - cumulated[: len(now)]) / np.maximum(part.rest, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        seen = _logit((part.total + 1) / (part.number + 2)) - before - level.value
    middle, spread = _update(level, seen, part, len(years))

    def end(step: float) -> Floats:
        rest = 1 / (1 + np.exp(-(middle + after + step * spread)))
        return np.asarray(100 * (part.total + part.rest * rest) / (part.number + part.rest))

    top = chances.quantile(0.95, level.freedom)
    percent = Goal(goal.op, None if goal.value is None else goal.value / 100)
    miss = _missed(percent, part, lambda wanted: (_logit(wanted) - after - middle) / spread, level.freedom)
    return _outlook(part, (end(0.0), end(-top), end(top)), miss)


def count(past: Sequence[Floats], now: Floats, length: int, goal: Goal) -> Outlook | None:
    """The number of heavy-pollution days; days are 1 (heavy), 0 or NaN (not valid). See :func:`mean`."""
    years = [year for year in past if np.isfinite(year).sum() >= LEAST]
    if not years:
        return None
    usual = _fit(_season(years), length) + 1 / (length * len(years))
    usual /= usual.sum()
    totals = [float(np.nansum(year)) + _HALF for year in years]
    level = _level([math.log(one) for one in totals], CLUSTER / float(np.mean(totals)), COUNT)
    part = _Part.of(now, usual, COUNT)
    done = np.cumsum(usual)[: len(now)]
    expected = np.exp(level.value) * done
    seen = np.log((part.total + _HALF) / (expected + _HALF))
    unsure = 1 + 1 / len(years)
    noise = (CLUSTER / (expected + _HALF) + WEATHER**2) * unsure
    gain = level.variance / (level.variance + noise)
    rate = np.exp(level.value + gain * seen) * np.maximum(1 - done, 0)
    variance = CLUSTER * rate + rate**2 * np.expm1(level.variance * (1 - gain) + WEATHER**2 * unsure)
    cumulative = chances.negative_binomial(rate, variance, int(part.rest.max(initial=0)))
    low, median, high = (part.total + (cumulative < level_of).sum(axis=0) for level_of in (0.05, 0.5, 0.95))
    return _outlook(part, (median, low, high), _missed_count(goal, part, cumulative))


class _Level(NamedTuple):
    """Level of this year as foreseen from the years before: value, variance, degrees of freedom."""

    value: float
    variance: float
    freedom: int


def _level(known: Sequence[float], noise: float, prior: Prior) -> _Level:
    """Follow the levels of the years: a random walk with a trend, each year seen through its weather."""
    steps = np.diff(known)
    trend = (float(steps.sum()) + prior.trend * prior.years) / (len(steps) + prior.years)
    value, variance = known[0], noise
    for one in known[1:]:
        value, variance = value + trend, variance + prior.spread**2
        gain = variance / (variance + noise)
        value, variance = value + gain * (one - value), variance * (1 - gain)
    doubt = prior.spread**2 / (len(steps) + prior.years)
    return _Level(value + trend, variance + prior.spread**2 + doubt, 4 + 2 * (len(steps) // 2))


class _Part(NamedTuple):
    """The year so far and its rest, by day: sums of values and of usual weights over valid days, numbers of days, noise of both."""

    total: Floats
    number: Floats
    weight: Floats
    rest: Floats
    rest_weight: Floats
    noise: Floats
    rest_noise: Floats

    @classmethod
    def of(cls, now: Floats, shape: Floats, prior: Prior) -> _Part:
        """Running sums of the days so far over a usual year of weights."""
        days = len(now)
        valid = np.isfinite(now)
        squared = shape**2 * _daily_noise(len(shape), prior)
        weight = np.cumsum(np.where(valid, shape[:days], 0.0))
        rest_weight = shape.sum() - np.cumsum(shape)[:days]
        rest_squared = squared.sum() - np.cumsum(squared)[:days]
        noise = np.cumsum(np.where(valid, squared[:days], 0.0)) / np.maximum(weight, 1e-9) ** 2
        rest_noise = np.maximum(rest_squared, 0) / np.maximum(rest_weight, 1e-9) ** 2
        rest = len(shape) - np.arange(1.0, days + 1)
        return cls(np.cumsum(np.where(valid, now, 0.0)), np.cumsum(valid).astype(float), weight, rest, np.maximum(rest_weight, 1e-9), noise, rest_noise)


def _update(level: _Level, seen: Floats, part: _Part, years: int) -> tuple[Floats, Floats]:
    """Level of this year after each day, and the spread of the rest around it; a usual year of few years is itself uncertain."""
    unsure = 1 + 1 / years
    gain = level.variance / (level.variance + part.noise * unsure)
    middle = level.value + gain * np.where(part.number > 0, seen, 0.0)
    spread = np.sqrt(level.variance * (1 - gain) + part.rest_noise * unsure)
    return middle, np.where(part.rest > 0, spread, 1.0)


def _usual(years: Sequence[Floats]) -> Floats:
    """(365,) the usual course of a year: mean of the years over their own means, smoothed, mean 1."""
    course = _smooth([year[:365] / np.nanmean(year) for year in years])
    return np.asarray(course / course.mean())


def _season(years: Sequence[Floats]) -> Floats:
    """(365,) usual share of days that are 1, smoothed."""
    return _smooth([year[:365] for year in years])


def _smooth(years: Sequence[Floats]) -> Floats:
    table = np.stack(years)
    number = np.isfinite(table).sum(axis=0)
    profile = np.where(number > 0, np.nansum(table, axis=0), 0.0)
    window = np.ones(SMOOTH)
    round_about = [np.concatenate([part[-SMOOTH:], part, part[:SMOOTH]]) for part in (profile, number.astype(float))]
    top, below = (np.convolve(part, window, "same")[SMOOTH:-SMOOTH] for part in round_about)
    return np.asarray(top / np.maximum(below, 1))


def _fit(course: Floats, length: int) -> Floats:
    """A usual year on a calendar: 29 February is like the day before."""
    return course if length == len(course) else np.insert(course, 59, course[58])


@lru_cache
def _months(length: int) -> tuple[int, ...]:
    year = 2024 if length == 366 else 2025
    first = civil.day_number(date(year, 1, 1))
    return tuple(civil.month_of_day(first + day)[1] for day in range(length))


def _daily_noise(length: int, prior: Prior) -> Floats:
    """Variance of a day as if days were independent: a month's variance times its days."""
    monthly = np.array(prior.noise) ** 2 * _DAYS
    return np.asarray(monthly[np.array(_months(length)) - 1])


def _noise(shape: Floats, prior: Prior) -> float:
    """Variance of a whole year around its level."""
    return float((shape**2 * _daily_noise(len(shape), prior)).sum() / shape.sum() ** 2)


def _logit(shares: Floats | float) -> Floats:
    inside = np.clip(shares, 0.002, 0.998)
    return np.asarray(np.log(inside / (1 - inside)))


def _outlook(part: _Part, ends: tuple[Floats, Floats, Floats], miss: Floats) -> Outlook:
    known = part.number > 0
    return Outlook(*(np.where(known, one, np.nan) for one in (*ends, miss)))


def _missed(goal: Goal, part: _Part, steps: Callable[[Floats], Floats], freedom: int) -> Floats:
    """Chance that the rest's mean lies on the wrong side of what the target leaves to it."""
    if goal.value is None or goal.op not in {"<=", "<", ">="}:
        return np.full(len(part.total), np.nan)
    whole = part.number + part.rest
    over = part.rest <= 0
    with np.errstate(divide="ignore", invalid="ignore"):
        wanted = (goal.value * whole - part.total) / np.where(over, np.nan, part.rest)
        below = chances.cdf(steps(np.maximum(wanted, 1e-12)), freedom)
        final = part.total / whole
    below = np.where(wanted <= 0, 0.0, below)
    settled = (final <= goal.value) if goal.op != ">=" else (final < goal.value)
    below = np.where(over, settled.astype(float), below)
    return below if goal.op == ">=" else 1 - below


def _missed_count(goal: Goal, part: _Part, cumulative: Floats) -> Floats:
    if goal.value is None or goal.op not in {"<=", "<", ">="}:
        return np.full(len(part.total), np.nan)
    most = math.ceil(goal.value) - 1 if goal.op in {"<", ">="} else math.floor(goal.value)
    left = (most - part.total).astype(int)
    inside = cumulative[np.clip(left, 0, len(cumulative) - 1), np.arange(len(left))]
    held = np.where(left < 0, 0.0, np.where(left >= part.rest, 1.0, inside))
    return held if goal.op == ">=" else 1 - held
