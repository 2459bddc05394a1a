"""Answer tables: every displayed concentration with its IAQI, made once with exact integers."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from analytics.kernels.aqi import ABSENT, LANES, Rounding
from analytics.kernels.whole import NONE
from domain import air, fixed
from domain.items import AIR, DAILY, ITEMS

WIDTH: Final = 4_097
"""One entry more than the largest breakpoint needs: the last entry answers for everything above it."""

OZONE: Final = AIR.index("o3")
STEPS: Final = tuple(fixed.STEPS[ITEMS["air", name].digits] for name in AIR)
"""Thousandths in one displayed unit, by item."""

COMMON: Final = 212_520
"""lcm of 20…24, also a multiple of 6, 7 and 8: every unrounded daily value is an integer over 1000 · COMMON."""


@lru_cache
def steps() -> npt.NDArray[np.int32]:
    """(6,) int32 thousandths in one displayed unit."""
    return np.array(STEPS, np.int32)


@lru_cache
def exact_steps() -> npt.NDArray[np.int64]:
    """(6,) int64 units of an exact daily value in one displayed unit."""
    return steps().astype(np.int64) * COMMON


@lru_cache
def factors() -> npt.NDArray[np.int64]:
    """(25,) int64: COMMON over each number of valid hours that makes a day, 0 for fewer."""
    return np.array([COMMON // hours if hours >= air.DAY_HOURS else 0 for hours in range(25)], np.int64)


@lru_cache
def ozone_factors() -> npt.NDArray[np.int64]:
    """(10,) int64 for :func:`analytics.kernels.days.daily`: COMMON over the hours of a window, and COMMON units in a displayed one."""
    return np.array([0, *(COMMON // hours for hours in range(1, air.O3_WINDOW + 1)), STEPS[OZONE] * COMMON], np.int64)


def _answers(rules: air.RuleSet, name: str, average: str) -> list[int]:
    known, last = air.scale(rules.name, name, average), air.beyond(rules, name, average)
    return [*known, *[NONE if last is None else last] * (WIDTH - len(known))]


@lru_cache
def answers(*, daily: bool) -> npt.NDArray[np.int16]:
    """IAQI tables of both rule sets for 1 h means or daily values.

    Returns
    -------
    (2, 6, 4097) int16
        By rule set, item and displayed units; ``NONE`` = the rule set gives no IAQI.
    """
    averages = ("24h",) * 5 + ("8h",) if daily else ("1h",) * 6
    names = DAILY if daily else AIR
    return np.array([[_answers(rules, *pair) for pair in zip(names, averages, strict=True)] for rules in air.RULE_SETS], np.int16)


@lru_cache
def answers_or_absent(*, daily: bool) -> npt.NDArray[np.int16]:
    """(2, 6, 4098) int16: the answers behind one more entry, ``ABSENT``, that a missing value finds."""
    missing = np.full((len(air.RULE_SETS), len(AIR), 1), ABSENT, np.int16)
    return np.concatenate([missing, answers(daily=daily)], axis=2)


@lru_cache
def verdict_marks() -> npt.NDArray[np.int16]:
    """(2, 3) int16 marks for :func:`analytics.kernels.aqi.hours` and :func:`analytics.kernels.aqi.days`, by rule set."""
    return np.array([(air.PRIMARY_MIN - 1, air.GOOD_MAX if rules.needs_all else NONE, int(rules.needs_all)) for rules in air.RULE_SETS], np.int16)


@lru_cache
def rounding() -> Rounding:
    """Constants of rounding to displayed units, for :func:`analytics.kernels.aqi.hours`."""
    step = np.resize(steps(), LANES)
    return Rounding(step * (WIDTH - 1), (2**23 // step).astype(np.uint32), step)


@lru_cache
def strict() -> npt.NDArray[np.uint8]:
    """(2,) uint8: 1 where a rule set publishes an incomplete AQI only above 100."""
    return np.array([rules.needs_all for rules in air.RULE_SETS], np.uint8)


@lru_cache
def marks(*, daily: bool) -> npt.NDArray[np.int16]:
    """(3,) int16 marks for :func:`analytics.kernels.aqi.judge`; a day without PM2.5 and PM10 has no AQI (published practice)."""
    return np.array([air.PRIMARY_MIN - 1, air.GOOD_MAX, daily], np.int16)


@lru_cache
def primaries(*, daily: bool) -> tuple[str, ...]:
    """Text of every set of primary pollutants, by bit mask: names joined by ``+`` in the listed order."""
    names = DAILY if daily else AIR
    return tuple("+".join(name for bit, name in enumerate(names) if mask >> bit & 1) for mask in range(2 ** len(names)))


@lru_cache
def levels() -> npt.NDArray[np.int8]:
    """(502,) int8 level 1…6 of every AQI; the last entry (index -1) is ``NONE``."""
    return np.array([*(air.level_of(aqi) for aqi in range(air.AQI_CAP + 1)), NONE], np.int8)


@lru_cache
def level_tops() -> npt.NDArray[np.int16]:
    """(5,) int16 largest AQI of each level but the last."""
    return np.array([level.top for level in air.LEVELS[:-1]], np.int16)


def rules_on(days: npt.NDArray[np.integer]) -> npt.NDArray[np.uint8]:
    """Index of the rule set in force on each civil day."""
    return (np.asarray(days) >= air.SWITCH_DAY).astype(np.uint8)
