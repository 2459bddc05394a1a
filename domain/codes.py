"""Words (zh, en) of the codes that stand beside figures: what they are made from, in which state they are, what happened to a meter.

Whoever shows a code to people takes its words here, so that board, reports and Grafana say the same; codes themselves stay what programs read.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from domain import energy, ledger, permit, targets, water
from domain.air import LEVELS

Words = tuple[str, str]

BASES: Final[Mapping[str, Words]] = MappingProxyType(
    {
        "raw": ("实况", "as measured"),
        "reviewed": ("审核", "reviewed"),
        "dust-excluded": ("扣除沙尘", "dust excluded"),
        "published": ("公布", "published"),
        "official": ("官方", "official"),
    },
)
"""What a figure is made from."""

PERIODS: Final[Mapping[str, Words]] = MappingProxyType(
    {
        "hour": ("小时", "hour"),
        "day": ("日", "day"),
        "month": ("月", "month"),
        "quarter": ("季", "quarter"),
        "year": ("年", "year"),
        "ytd": ("年初至今", "year to date"),
    },
)
"""What a figure is about."""

METER_EVENTS: Final[Mapping[str, Words]] = MappingProxyType(
    {
        "reset": ("归零", "reset to zero"),
        "rollover": ("满量程翻转", "roll-over"),
        "exchange": ("换表", "meter exchange"),
        "gap": ("缺口", "gap"),
        "stuck": ("停走", "stands still"),
        "negative": ("倒走", "runs backwards"),
        "spike": ("尖峰", "spike"),
        "over-power": ("超最大功率", "above its greatest power"),
        "held": ("待人工判断", "held for a person"),
    },
)
"""Kinds of a meter's events."""

EVENTS: Final[Mapping[str, Words]] = MappingProxyType({**METER_EVENTS, "order": ("管控指令", "order")})
"""The same, and what else happens to an enterprise."""

REPORTS: Final[Mapping[str, Words]] = MappingProxyType(
    {
        "day": ("日报", "day report"),
        "week": ("周报", "week report"),
        "month": ("空气质量月报", "month report"),
        "year": ("环境质量年报", "year report"),
        "plan": ("规划目标进展", "progress of the plan"),
        "episode": ("重污染过程报告", "episode"),
        "section": ("断面报告", "section"),
        "enterprise": ("企业报告", "enterprise"),
        "station": ("站点报告", "station"),
    },
)
"""Kinds of reports."""

_DATA: Final[Mapping[str, Words]] = {
    "incomplete": ("数据不完整", "incomplete"),
    "unusable": ("数据不可用", "not to be relied on"),
    "estimated": ("含估算", "partly estimated"),
    "built": ("由更短时段合成", "built of shorter spans"),
    "held": METER_EVENTS["held"],
    "no-factor": ("缺折算系数", "no factor"),
    "below-zero": ("结果为负，待查", "below zero: to be looked into"),
    "unknown": ("不明", "not known"),
}
_BALANCE: Final[Mapping[str, Words]] = {
    "within": ("在登记范围内", "within the registered band"),
    "above": ("高于登记范围", "above the registered band"),
    "below": ("低于登记范围", "below the registered band"),
}
_LEDGER: Final[Mapping[str, Words]] = ledger.STATES
STATES: Final[Mapping[str, Mapping[str, Words]]] = {
    "": {**_DATA, **targets.STATUSES},
    "aqi": {str(number): (one.zh, one.en) for number, one in enumerate(LEVELS, 1)},
    "standard": {"met": ("达标", "complies"), "missed": ("超标", "exceeds")},
    "lost_hours": _LEDGER,
    "lost_days": _LEDGER,
    "water_quality": water.GRADES,
    "water_level_state": {code: (zh, en) for code, (_, zh, en) in water.RUNGS.items()},
    "point_over_hours": permit.STATES,
    "electricity_loss": _BALANCE,
    "water_loss": _BALANCE,
    "meter_loss": _BALANCE,
    "meter_bill": {"equal": ("相符", "agrees"), "deviates": ("不符", "deviates")},
    "meter_repair": {
        "running": ("修复中", "running"),
        "overdue": ("逾期", "overdue"),
        "mended": ("已修复", "mended"),
        "mended-late": ("逾期修复", "mended late"),
    },
    "line_consumption": {
        "advanced": ("达到标杆", "at the benchmark"),
        "within": ("优于基准", "within the baseline"),
        "below": ("未达基准", "misses the baseline"),
    },
    "line_water": {"within": ("在定额内", "within the quota"), "above": ("超定额", "above the quota")},
}
"""Statuses of figures: under the empty name those that mean the same beside any figure, then those that a figure has of its own. A year that
meets the standard is no target that is met."""


def state_words(figure: str, status: str) -> Words:
    """What the status of a figure says; a code that has no words stands for itself.

    >>> state_words("water_quality", "excellent"), state_words("aqi", "2")[0], state_words("pm25_mean", "incomplete")[1], state_words("pm25", "")
    (('优', 'excellent'), '良', 'incomplete', ('', ''))
    """
    return STATES.get(figure, {}).get(status) or STATES[""].get(status, (status, status))


def medium_words(medium: str) -> Words:
    """What a meter counts; a medium of the county's own stands for itself.

    >>> medium_words("electricity"), medium_words("oxygen")
    (('电力', 'electricity'), ('oxygen', 'oxygen'))
    """
    known = energy.FUELS.get(medium)
    return (known.zh, known.en) if known else (medium, medium)


def both(words: Words) -> str:
    """Words as they stand in a report, Chinese first.

    >>> both(BASES["raw"]), both(("HJ 633", "HJ 633"))
    ('实况 as measured', 'HJ 633')
    """
    return " ".join(dict.fromkeys(words))
