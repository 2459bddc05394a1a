"""Air rules as tables: AQI breakpoints, classes, limits and validity of both rule sets.

HJ 633-2012 with GB 3095-2012 (amended 2018) to 2026-02-28, HJ 633-2026 with GB 3095-2026 from 2026-03-01. Where the texts
are silent, the practice of the published national figures is followed and named as such.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import lru_cache
from types import MappingProxyType
from typing import Final, NamedTuple

from domain.civil import day_number

IAQI_POINTS: Final = (0, 50, 100, 150, 200, 300, 400, 500)
"""Column heads of HJ 633-2012 table 1 and HJ 633-2026 table 3."""

AQI_CAP: Final = 500
GOOD_MAX: Final = 100
"""Good day (优良天): AQI ≤ 100."""
HEAVY_MIN: Final = 201
"""Heavy-pollution day (重污染天): AQI > 200."""
PRIMARY_MIN: Final = 51
"""Primary pollutants are named only above AQI 50 (HJ 633-2012 3.7, HJ 633-2026 3.5)."""

Breakpoints = tuple[int, ...]
"""Concentrations at the IAQI points, in reporting units (CO in tenths of mg/m³). Shorter than the heads = '–' in the table."""

_SAME: Final[Mapping[tuple[str, str], Breakpoints]] = MappingProxyType(
    {
        ("so2", "24h"): (0, 50, 150, 475, 800, 1600, 2100, 2620),
        ("so2", "1h"): (0, 150, 500, 650, 800),
        ("no2", "24h"): (0, 40, 80, 180, 280, 565, 750, 940),
        ("no2", "1h"): (0, 100, 200, 700, 1200, 2340, 3090, 3840),
        ("co", "24h"): (0, 20, 40, 140, 240, 360, 480, 600),
        ("co", "1h"): (0, 50, 100, 350, 600, 900, 1200, 1500),
        ("o3", "1h"): (0, 160, 200, 300, 400, 800, 1000, 1200),
        ("o3_8h", "8h"): (0, 100, 160, 215, 265, 800),
    },
)
_PM25_2012: Final = (0, 35, 75, 115, 150, 250, 350, 500)
_PM10_2012: Final = (0, 50, 150, 250, 350, 420, 500, 600)
_PM25_2026: Final = (0, 35, 60, 115, 150, 250, 350, 500)
_PM10_2026: Final = (0, 50, 120, 250, 350, 420, 500, 600)


@dataclass(frozen=True, slots=True)
class RuleSet:
    """An AQI rule set with its dates of force.

    Attributes
    ----------
    name : str
        As stored with every figure.
    first_day : int [civil day]
        First day in force.
    breakpoints : mapping of (item, average) to Breakpoints
        Averages ``1h``, ``8h``, ``24h``. PM enters the real-time AQI with its 1 h mean on the 24 h table (HJ 633-2026 5.2;
        practice of the national feed before).
    beyond : mapping of (item, average) to int or None
        IAQI above the last breakpoint: 500 by practice; None where HJ 633-2012 gives none.
    needs_all : bool
        With an item missing an AQI is published only if above 100 (HJ 633-2026 5.3.1).
    """

    name: str
    first_day: int
    breakpoints: Mapping[tuple[str, str], Breakpoints]
    beyond: Mapping[tuple[str, str], int | None]
    needs_all: bool


def _tables(pm25: Breakpoints, pm10: Breakpoints) -> Mapping[tuple[str, str], Breakpoints]:
    pm = {(name, average): points for name, points in (("pm25", pm25), ("pm10", pm10)) for average in ("1h", "24h")}
    return MappingProxyType({**_SAME, **pm})


SWITCH_DAY: Final = day_number(date(2026, 3, 1))
RULES_2012: Final = RuleSet(
    "HJ633-2012",
    day_number(date(1970, 1, 1)),
    _tables(_PM25_2012, _PM10_2012),
    MappingProxyType({("so2", "1h"): None, ("o3_8h", "8h"): None}),
    needs_all=False,
)
RULES_2026: Final = RuleSet(
    "HJ633-2026",
    SWITCH_DAY,
    _tables(_PM25_2026, _PM10_2026),
    MappingProxyType({("so2", "1h"): 200, ("o3_8h", "8h"): 300}),
    needs_all=True,
)
RULE_SETS: Final = (RULES_2012, RULES_2026)
BY_NAME: Final = MappingProxyType({rules.name: rules for rules in RULE_SETS})


def rule_set_on(day: int) -> RuleSet:
    """The rule set in force on a civil day."""
    return RULES_2026 if day >= SWITCH_DAY else RULES_2012


def iaqi(rules: RuleSet, name: str, average: str, concentration: int) -> int | None:
    """IAQI of a concentration that is already rounded to reporting units (HJ 633-2012 6.2, HJ 633-2026 4.2.6).

    Interpolated exactly and rounded **up**; the float form is one too high at 23 values of CO.

    Parameters
    ----------
    concentration : int
        µg/m³; CO in tenths of mg/m³.

    Returns
    -------
    int or None
        None where the rule set gives no IAQI: SO2 1 h and O3 8 h above 800 in 2012.

    Examples
    --------
    >>> iaqi(RULES_2012, "co", "24h", 22), iaqi(RULES_2026, "pm25", "24h", 61)
    (55, 101)
    """
    known = scale(rules.name, name, average)
    return known[max(concentration, 0)] if concentration < len(known) else beyond(rules, name, average)


def beyond(rules: RuleSet, name: str, average: str) -> int | None:
    """IAQI above the last breakpoint; None where the rule set gives none."""
    return rules.beyond.get((name, average), AQI_CAP)


@lru_cache(maxsize=64)
def scale(rules: str, name: str, average: str) -> tuple[int, ...]:
    """IAQI of every concentration from 0 up to the last breakpoint under the rule set of this name; see :func:`iaqi`."""
    points, found = BY_NAME[rules].breakpoints[name, average], [0]
    for upper in range(1, len(points)):
        low, high, base = points[upper - 1], points[upper], IAQI_POINTS[upper - 1]
        span = IAQI_POINTS[upper] - base
        found += [base + -(-span * (concentration - low) // (high - low)) for concentration in range(low + 1, high + 1)]
    return tuple(found)


class Level(NamedTuple):
    """A class of the AQI with its colour (HJ 633-2012 table 2, HJ 633-2026 table 1)."""

    top: int
    grade: str
    zh: str
    en: str
    colour: str


LEVELS: Final = (
    Level(50, "一级", "优", "excellent", "#00E400"),
    Level(100, "二级", "良", "good", "#FFFF00"),
    Level(150, "三级", "轻度污染", "lightly polluted", "#FF7E00"),
    Level(200, "四级", "中度污染", "moderately polluted", "#FF0000"),
    Level(300, "五级", "重度污染", "heavily polluted", "#99004C"),
    Level(AQI_CAP, "六级", "严重污染", "severely polluted", "#7E0023"),
)


def level_of(aqi: int) -> int:
    """Level 1…6 of an AQI."""
    return next((number for number, level in enumerate(LEVELS, 1) if aqi <= level.top), len(LEVELS))


# Validity: GB 3095-2026 table 4 (2012 the same); O3 daily maximum HJ 663-2013 6.1.2.
HOUR_MINUTES: Final = 45
DAY_HOURS: Final = 20
O3_WINDOW: Final = 8
O3_WINDOW_HOURS: Final = 6
O3_DAY_WINDOWS: Final = 14
O3_FIRST_END: Final = 8
YEAR_DAYS: Final = 324
MONTH_DAYS: Final = 27
FEBRUARY_DAYS: Final = 25

# Station quorum of a city value: practice, unconfirmed by the texts at hand.
QUORUM: Final = (3, 4)
"""At least 3/4 of the stations …"""
QUORUM_FEW: Final = (1, 2)
"""… or 1/2 with fewer than FEW_STATIONS."""
FEW_STATIONS: Final = 4


class Limits(NamedTuple):
    """Limits of GB 3095 for one item: year, 24 h (O3: daily max 8 h), 1 h; None = no limit."""

    year: int | None
    day: int | None
    hour: int | None


# Class 2 areas; µg/m³, CO in tenths of mg/m³.
CLASS2_2012: Final = MappingProxyType(
    {
        "so2": Limits(60, 150, 500),
        "no2": Limits(40, 80, 200),
        "pm10": Limits(70, 150, None),
        "pm25": Limits(35, 75, None),
        "co": Limits(None, 40, 100),
        "o3": Limits(None, 160, 200),
    },
)
CLASS2_2026: Final = MappingProxyType({**CLASS2_2012, "pm10": Limits(60, 120, None), "pm25": Limits(30, 60, None)})
"""Transition limits of GB 3095-2026, to 2030-12-31."""
CLASS2_2031: Final = MappingProxyType(
    {
        "so2": Limits(20, 50, 150),
        "no2": Limits(30, 50, 200),
        "pm10": Limits(50, 100, None),
        "pm25": Limits(25, 50, None),
        "co": Limits(None, 40, 100),
        "o3": Limits(None, 160, 200),
    },
)
"""Final limits of GB 3095-2026, from 2031-01-01."""
FINAL_DAY: Final = day_number(date(2031, 1, 1))


def limits_on(day: int) -> Mapping[str, Limits]:
    """Class-2 limits in force on a civil day."""
    if day < SWITCH_DAY:
        return CLASS2_2012
    return CLASS2_2026 if day < FINAL_DAY else CLASS2_2031


def limits_under(rules: RuleSet, day: int) -> Mapping[str, Limits]:
    """Class-2 limits that belong to a rule set on a civil day, also on a day on which the other set is in force.

    >>> limits_under(RULES_2026, 0)["pm25"].year, limits_under(RULES_2012, FINAL_DAY)["pm25"].year
    (30, 35)
    """
    return limits_on(max(day, rules.first_day)) if rules is RULES_2026 else CLASS2_2012


def multiple(value: Fraction, limit: Fraction) -> Fraction | None:
    """Exceedance multiple (超标倍数) of a value over its limit, (C - S)/S, exact; None where the limit is kept (HJ 663).

    >>> multiple(Fraction(42), Fraction(35)), multiple(Fraction(35), Fraction(35))
    (Fraction(1, 5), None)
    """
    return (value - limit) / limit if value > limit else None


COMPOSITE: Final = MappingProxyType({"so2": 60, "no2": 40, "pm10": 70, "pm25": 35, "co": 40, "o3": 160})
"""Divisors of the composite index (环办〔2014〕64号): annual class-2 limits; CO in tenths, its P95 over 4; O3 its P90 over 160."""
PERCENTILES: Final = MappingProxyType({"so2": 98, "no2": 98, "pm10": 95, "pm25": 95, "co": 95, "o3": 90})
"""Percentiles of daily values (HJ 663)."""
