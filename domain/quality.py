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
        )
    },
)
"""Rules by name; the bit marks values that several rules flag."""


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
