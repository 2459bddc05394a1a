"""Rules of data quality: what each looks at, and the numbers by which it decides. They flag and never delete.

The numbers are ours: HJ 818 and HJ 915 name the duties (range, rate of change, stuck values, plausibility), not the figures. They
are wide enough for what was really measured: PM10 of 951 µg/m³ at fireworks, PM2.5 above PM10 in 5 % of hours.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final, NamedTuple


class Rule(NamedTuple):
    """A rule with its bit and its words."""

    name: str
    bit: int
    zh: str
    en: str


RULES: Final = MappingProxyType(
    {
        one.name: one
        for one in (
            Rule("range", 1, "超出合理范围", "beyond what this item reaches"),
            Rule("rate", 2, "变化过快", "changes too fast"),
            Rule("stuck", 4, "数值停滞", "stands still"),
            Rule("spike", 8, "孤立尖峰", "a lone spike"),
            Rule("relation", 16, "关系不合理", "an impossible relation between items"),
            Rule("copy", 32, "与邻站雷同", "a copy of a neighbour"),
            Rule("hugging", 64, "贴近限值", "keeps just below a limit"),
            Rule("clock", 0, "时钟偏差", "the device's clock is wrong"),
            Rule("completeness", 0, "数据不完整", "too few data"),
        )
    },
)
"""Rules by name; the bit marks values that several rules flag, 0 where a rule is about no single value."""


class Numbers(NamedTuple):
    """By which numbers an item's hours are judged [units of the item, hours].

    Attributes
    ----------
    low, high : float
        Plausible range, narrower than the hard one of accept.
    rate : float
        Largest change from one hour to the next, if it does not come back (rate) or does (spike).
    share : float
        The change must also exceed this share of the larger value: what is high moves more.
    stuck : int
        So many equal hours in a row above ``floor``.
    floor : float
        Rest at or below it is nature.
    """

    low: float
    high: float
    rate: float
    share: float
    stuck: int
    floor: float


NEVER: Final = 2**30
"""Of standing hours, where another watch judges it."""
AIR: Final = MappingProxyType(
    {
        "pm25": Numbers(0, 1_000, 150, 0.6, 12, 5),
        "pm10": Numbers(0, 2_000, 300, 0.6, 12, 8),
        "so2": Numbers(0, 800, 150, 0.6, 24, 5),
        "no2": Numbers(0, 400, 120, 0.6, 18, 5),
        "co": Numbers(0, 15, 4, 0.6, 24, 0.3),
        "o3": Numbers(0, 500, 120, 0.6, 18, 10),
    },
)
RELATION: Final = ("pm25", "pm10", 1.25, 10.0)
"""The first is a part of the second: flagged where it exceeds it by this factor and by so many units (noise crosses 1 every day)."""
COPY_HOURS: Final = 12
"""So many hours in which every item equals the neighbour's are no chance."""
COPY_ITEMS: Final = 3
HUG_SHARE: Final = 0.05
"""Just below a limit: within its last twentieth."""
HUG_TIMES: Final = 4.0
"""Flagged where the twentieth below holds so many times as many days as the one above."""
HUG_DAYS: Final = 8

WATER: Final = MappingProxyType(
    {
        "temp": Numbers(-1, 38, 8, 0, NEVER, 0),
        "ph": Numbers(5, 10.5, 1.5, 0, NEVER, 0),
        "do": Numbers(0, 25, 8, 0.6, NEVER, 0),
        "codmn": Numbers(0.1, 60, 10, 0.7, NEVER, 0),
        "nh3n": Numbers(0, 40, 3, 0.8, NEVER, 0),
        "tp": Numbers(0, 5, 0.5, 0.8, NEVER, 0),
        "tn": Numbers(0, 80, 10, 0.7, NEVER, 0),
        "cond": Numbers(20, 55_000, 500, 0.5, NEVER, 0),
        "turb": Numbers(0, 4_000, 500, 0.9, NEVER, 0),
    },
)
"""Records of sections; rest is judged by its own watch, which knows what is nature. Turbidity of 3,753 NTU and conductivity of 43,270 µS/cm (an estuary) were real, 0.7 is a probe in air."""
WATER_GAP_S: Final = 6 * 3_600
"""Records farther apart say nothing about a rate of change."""
SATURATION: Final = 200.0
"""Oxygen above so many per cent of its saturation is not water: blooms reach 180."""
PART: Final = ("nh3n", "tn", 1.1, 0.1)
"""Ammonia nitrogen is a part of total nitrogen: flagged where it exceeds it by this factor and by so many mg/L."""
CLOCK_AHEAD_S: Final = 60
"""A reading that comes before its own time by more than this was stamped by a clock that is ahead."""
CLOCK_BEHIND_S: Final = 900
"""The quickest of a day's readings comes later than this: the clock is behind, or all of them wait somewhere."""
CLOCK_READINGS: Final = 6
COMPLETE: Final = 90
USABLE: Final = 75
"""Shares of the due values [%]: below the first incomplete, below the second not to be relied on (数据传输有效率, ours)."""
