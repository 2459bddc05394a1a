"""Clues of electricity monitoring (用电监控): where treatment did not run as usual beside its production. Never a verdict.

No national standard is final; a guideline in consultation (排污单位用电监测技术指南) and the practice of city systems name these five.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, NamedTuple


class Rule(NamedTuple):
    """A rule: its number in practice, and words (zh, en)."""

    number: str
    zh: str
    en: str


RULES: Final[Mapping[str, Rule]] = MappingProxyType(
    {
        "treatment-off": Rule("E1", "生产在用而治污停运", "treatment stood while production ran"),
        "late-start": Rule("E2", "治污晚开", "treatment started later than production"),
        "early-stop": Rule("E2", "治污早停", "treatment stopped before production"),
        "idling": Rule("E3", "治污低负荷（疑似空转、降频）", "treatment ran far below what it usually draws beside this production"),
        "breach": Rule("E4", "预警期间超出允许负荷", "more load than an order in force allows"),
        "blind": Rule("E5", "监控数据缺失", "the pair could not be watched"),
        "flat": Rule("E5", "生产表停走而治污在用", "the production register stood while treatment ran"),
    },
)
"""Kinds of events that are clues."""
NUMBERS: Final = tuple(sorted({rule.number for rule in RULES.values()}))


@dataclass(frozen=True, slots=True)
class Electricity:
    """When electricity monitoring (用电监控) gives a clue, and how orders are judged; numbers stay text until they are used.

    ``off_share``, ``idle_share``: of what the treatment usually draws at this load; ``off_minutes``, ``idle_minutes``, ``blind_minutes``: how long
    at least; ``lag_minutes``: how much later than production the treatment may start, and how much earlier it may stop. ``standby_share``: of the
    usual load that stopped production may draw; ``order_share``: above the allowed load that is within what a meter and a schedule can do.
    """

    off_minutes: str = "15"
    lag_minutes: str = "30"
    idle_minutes: str = "60"
    blind_minutes: str = "120"
    off_share: str = "0.1"
    idle_share: str = "0.5"
    standby_share: str = "0.05"
    order_share: str = "0.1"


@dataclass(frozen=True, slots=True)
class Maintenance:
    """An announced maintenance of a treatment plant [s], and the document that allows it."""

    begin: int
    end: int
    document: str
