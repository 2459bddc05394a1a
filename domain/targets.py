"""Plan targets and where the county stands against them."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from typing import Final

STATUSES: Final = MappingProxyType(
    {
        "met": ("已完成", "met"),
        "on-course": ("进度正常", "on course"),
        "at-risk": ("有风险", "at risk"),
        "missed": ("未完成", "missed"),
        "undecidable": ("暂不能判定", "not yet decidable"),
        "no-target": ("目标值待下达", "no target set"),
    },
)
"""Codes of a target's state with their words (zh, en)."""

UNDECIDABLE_DAYS: Final = 90
"""Means and ratios of fewer valid days decide nothing."""
GRAVITY: Final = MappingProxyType({"met": 0.0, "on-course": 1.0, "undecidable": 2.0, "at-risk": 3.0, "missed": 4.0})
"""How grave a state is, as a number that an alert can judge; a target without a value has none."""

HOLDS: Final[Mapping[str, Callable[[Fraction, Fraction], bool]]] = MappingProxyType({"<=": operator.le, ">=": operator.ge, "<": operator.lt})
"""Whether an exact value keeps a goal, by operator; what is only tracked has nothing to keep."""
OPERATORS: Final = (*HOLDS, "track")
SIGNS: Final = MappingProxyType({"<=": "≤", ">=": "≥", "<": "<"})
"""Operators as they are printed before a value."""
ASPIRATION: Final = "aspiration"
"""A kind of target that is never missed and calls nobody: what is striven for."""
KINDS: Final = MappingProxyType(
    {
        "annual": ("年度", "yearly"),
        "year-end": ("年末", "at year's end"),
        "continuous": ("持续", "always"),
        "cumulative": ("累计", "added up"),
        ASPIRATION: ("力争", "aspired"),
        "track": ("跟踪", "tracked"),
    },
)
"""Kinds of targets (zh, en)."""
UNITS: Final = MappingProxyType(
    {
        "ug/m3": ("µg/m³", "µg/m³"),
        "m3": ("m³", "m³"),
        "Nm3": ("Nm³", "Nm³"),
        "万m3": ("万m³", "10⁴ m³"),
        "day": ("天", "days"),
        "10^4 CNY/tce": ("万元/吨标煤", "10⁴ CNY/tce"),
        "10^4 kW": ("万千瓦", "10⁴ kW"),
        "10^4 mu": ("万亩", "10⁴ mu"),
        "10^4 t": ("万吨", "10⁴ t"),
        "10^4 t/a": ("万吨/年", "10⁴ t/a"),
        "10^8 CNY": ("亿元", "10⁸ CNY"),
        "% vs 2020": ("%（比 2020 年）", "% vs 2020"),
        "check": ("次", "checks"),
        "class": ("类", "class"),
        "enterprise": ("家", "enterprises"),
        "kiln": ("座", "kilns"),
        "m3/10^4 CNY": ("m³/万元", "m³/10⁴ CNY"),
        "project": ("个", "projects"),
        "risk": ("起", "risks"),
        "round": ("轮", "rounds"),
        "site": ("处", "sites"),
        "source": ("个", "sources"),
        "station": ("个", "stations"),
        "t": ("吨", "t"),
        "tCO2": ("吨 CO₂", "t CO₂"),
        "tCO2/10^4 CNY": ("吨 CO₂/万元", "t CO₂/10⁴ CNY"),
        "tce": ("吨标煤", "tce"),
        "tce/10^4 CNY": ("吨标煤/万元", "tce/10⁴ CNY"),
        "unit": ("个", "units"),
        "water body": ("条", "water bodies"),
    },
)
"""Units of targets and meters as they are printed (zh, en); they are typed in ASCII."""
SOURCES: Final = ("sensor", "reported", "sensor+reported")


@dataclass(frozen=True, slots=True)
class YearValue:
    """The value set for a year, and by which document; None = 目标值待下达."""

    year: int
    value: Decimal | None
    document: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """One row of a plan."""

    id: str
    item: str
    name_zh: str
    name_en: str
    op: str
    unit: str
    kind: str
    source: str
    departments: tuple[str, ...] = ()
    clause: str = ""
    baseline: str = ""
    values: tuple[YearValue, ...] = ()

    def for_year(self, year: int) -> YearValue | None:
        """The value set for a year, or None: a plan that has ended sets nothing for later years."""
        return next((value for value in self.values if value.year == year and value.value is not None), None)

    @property
    def last(self) -> YearValue | None:
        """The newest value that was ever set."""
        known = [value for value in self.values if value.value is not None]
        return max(known, key=lambda value: value.year) if known else None


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan: its targets in the plan's order, and the year in which it ends."""

    id: str
    name_zh: str
    name_en: str
    horizon: int
    targets: tuple[Target, ...] = field(default_factory=tuple)

    def target(self, name: str) -> Target | None:
        """The target of that id."""
        return next((target for target in self.targets if target.id == name), None)
