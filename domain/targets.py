"""Plan targets and where the county stands against them."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
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

OPERATORS: Final = ("<=", ">=", "<", "track")
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

    def met_by(self, value: Decimal, target: Decimal) -> bool:
        """Whether an exact value satisfies the operator; ``track`` is always satisfied."""
        return {"<=": value <= target, ">=": value >= target, "<": value < target}.get(self.op, True)


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
