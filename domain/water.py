"""Surface-water classes by GB 3838-2002 table 1, for automatic and for manual data.

Automatic: the worst of DO, CODMn, NH3-N and TP on displayed values; no class unless all four are there (proven on 3,491
published classes). TN and pH do not decide; there is no oxygen-saturation rule in the platform's figures.

Manual: the worst of the 21 items, that is table 1 without water temperature, total nitrogen and faecal coliform (环办〔2011〕22号),
on the values as measured; oxygen of class I also by saturation, pH either good for every class or for none.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from types import MappingProxyType
from typing import Final, NamedTuple

RULE_SET: Final = "GB3838-2002"
DECIDING: Final = ("do", "codmn", "nh3n", "tp")
INFERIOR: Final = 6
"""Class code of 'inferior to V' (劣Ⅴ)."""
CLASSES: Final = ("Ⅰ", "Ⅱ", "Ⅲ", "Ⅳ", "Ⅴ", "劣Ⅴ")
GOOD: Final = 3
"""Classes I to III are good (优良)."""
AVERAGED: Final = (*DECIDING, "tn")
"""Items whose means are kept; total nitrogen is told apart and decides no class."""
MONTH_DAYS: Final = 20
"""Fewer days of an item make its month incomplete; ours, for no text that we found gives a number."""
MONTHS: Final = 12
FEW_SECTIONS: Final = 5
"""Fewer sections than these are assessed by their mean concentrations, others by the shares of their classes (环办〔2011〕22号)."""
MAIN_ITEMS: Final = 3
GRADES: Final = MappingProxyType(
    {
        "excellent": ("优", "excellent"),
        "good": ("良好", "good"),
        "light": ("轻度污染", "lightly polluted"),
        "moderate": ("中度污染", "moderately polluted"),
        "heavy": ("重度污染", "heavily polluted"),
    },
)
"""State of a river or basin, 1…5 (zh, en)."""
LOW: Final = "low"
RUNGS: Final = MappingProxyType(
    {
        "normal": (0, "正常", "normal"),
        "rise": (1, "涨速过快", "rises too fast"),
        LOW: (1, "低于限值", "at or below the lowest level allowed"),
        "warning": (1, "达到警戒", "at or above the warning value"),
        "guarantee": (2, "达到保证", "at or above the guarantee value"),
    },
)
"""Lines that a level or flow may reach, with how grave each is (grade, zh, en), the gravest last."""
RISE_S: Final = 3_600
"""A rate of rise is taken over at least so long: a wave is none."""
RISE_REACH_S: Final = 6 * 3_600


def _row(*limits: str) -> tuple[Decimal, ...]:
    return tuple(Decimal(limit) for limit in limits)


TABLE: Final = MappingProxyType(
    {
        "do": _row("7.5", "6", "5", "3", "2"),
        "codmn": _row("2", "4", "6", "10", "15"),
        "cod": _row("15", "15", "20", "30", "40"),
        "bod5": _row("3", "3", "4", "6", "10"),
        "nh3n": _row("0.15", "0.5", "1.0", "1.5", "2.0"),
        "tp": _row("0.02", "0.1", "0.2", "0.3", "0.4"),
        "cu": _row("0.01", "1.0", "1.0", "1.0", "1.0"),
        "zn": _row("0.05", "1.0", "1.0", "2.0", "2.0"),
        "fluoride": _row("1.0", "1.0", "1.0", "1.5", "1.5"),
        "se": _row("0.01", "0.01", "0.01", "0.02", "0.02"),
        "as": _row("0.05", "0.05", "0.05", "0.1", "0.1"),
        "hg": _row("0.00005", "0.00005", "0.0001", "0.001", "0.001"),
        "cd": _row("0.001", "0.005", "0.005", "0.005", "0.01"),
        "cr6": _row("0.01", "0.05", "0.05", "0.05", "0.1"),
        "pb": _row("0.01", "0.01", "0.05", "0.05", "0.1"),
        "cyanide": _row("0.005", "0.05", "0.2", "0.2", "0.2"),
        "phenol": _row("0.002", "0.002", "0.005", "0.01", "0.1"),
        "oil": _row("0.05", "0.05", "0.05", "0.5", "1.0"),
        "las": _row("0.2", "0.2", "0.2", "0.3", "0.3"),
        "sulfide": _row("0.05", "0.1", "0.2", "0.5", "1.0"),
    },
)
"""Table 1: upper limits of classes I…V in mg/L; those of dissolved oxygen are lower limits. A value at a limit belongs to its class."""
TABLE_TP_LAKE: Final = _row("0.01", "0.025", "0.05", "0.1", "0.2")
PH: Final = (Decimal(6), Decimal(9))
"""One range for all classes."""
MANUAL: Final = ("ph", *TABLE)
"""The 21 items."""

LIMITS: Final = MappingProxyType({item: tuple(int(1_000 * limit) for limit in TABLE[item]) for item in DECIDING})
"""The four deciding items in thousandths of mg/L."""
TP_LAKE: Final = tuple(int(1_000 * limit) for limit in TABLE_TP_LAKE)

SATURATED: Final = Decimal("0.9")


class Measured(NamedTuple):
    """A manual result [mg/L; pH]; ``below`` = not detected, and ``value`` is the detection limit."""

    value: Decimal
    below: bool = False


def item_class(item: str, thousandths: int, body: str) -> int:
    """Class 1…6 of one displayed value in thousandths of mg/L; ``body`` is river or lake.

    >>> item_class("tp", 60, "lake"), item_class("tp", 60, "river"), item_class("do", 800, "river")
    (4, 2, 6)
    """
    limits = TP_LAKE if item == "tp" and body == "lake" else LIMITS[item]
    sign = -1 if item == "do" else 1
    return next((number for number, limit in enumerate(limits, 1) if sign * thousandths <= sign * limit), INFERIOR)


def judge(shown: Mapping[str, int], body: str) -> tuple[int | None, list[str]]:
    """Worst class of DO, CODMn, NH3-N and TP in displayed thousandths, and the items at it; none unless all four are there."""
    return worst_of({item: item_class(item, shown[item], body) for item in DECIDING if item in shown})


def worst_of(classes: Mapping[str, int]) -> tuple[int | None, list[str]]:
    """Worst of the classes of DO, CODMn, NH3-N and TP, and the items at it in this order; none unless all four are there."""
    if len(classes) < len(DECIDING):
        return None, []
    worst = max(classes.values())
    return worst, [item for item in DECIDING if classes[item] == worst]


def displayed(value: Decimal, digits: int) -> Decimal:
    """A value as the platform shows it: half to even, but one significant digit where that would be zero.

    >>> displayed(Decimal("0.025"), 2), displayed(Decimal("0.0139"), 1), displayed(Decimal("0.065"), 1)
    (Decimal('0.02'), Decimal('0.01'), Decimal('0.1'))
    """
    near = value.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_EVEN)
    if near or not value:
        return near
    return value.quantize(Decimal(1).scaleb(value.adjusted()), ROUND_HALF_EVEN)


def good_limit(item: str, body: str) -> int:
    """Limit of class III in thousandths of mg/L: the lower one of oxygen, the upper one of the others."""
    return (TP_LAKE if item == "tp" and body == "lake" else LIMITS[item])[GOOD - 1]


def main_items(shown: Mapping[str, int], body: str) -> list[tuple[str, Fraction | None]]:
    """Main pollution items (主要污染指标): those worse than III, worst class first, then by multiple, at most three.

    The multiple is (C − S)/S over the limit S of class III; oxygen has none.

    >>> main_items({"do": 4_000, "codmn": 7_000, "nh3n": 1_200, "tp": 310}, "river")
    [('tp', Fraction(11, 20)), ('nh3n', Fraction(1, 5)), ('codmn', Fraction(1, 6))]
    """
    found = []
    for item in DECIDING:
        number = item_class(item, shown[item], body) if item in shown else 0
        if number > GOOD:
            limit = good_limit(item, body)
            found.append((-number, Fraction(limit - shown[item], limit) if item != "do" else Fraction(0), item))
    return [(item, None if item == "do" else -under) for _, under, item in sorted(found)[:MAIN_ITEMS]]


def grade_of_class(number: int) -> int:
    """State 1…5 of a river that is judged by its mean concentrations: I and II are excellent, inferior to V is heavy."""
    return max(1, number - 1)


def grade_of_shares(good: int, inferior: int, sections: int) -> int:
    """State 1…5 of a river or basin by the shares of its sections' classes (环办〔2011〕22号).

    >>> [grade_of_shares(*counts, 10) for counts in ((9, 0), (8, 0), (7, 1), (7, 3), (5, 4))]
    [1, 2, 3, 4, 5]
    """
    if 100 * good >= 90 * sections:
        return 1
    if 100 * good >= 75 * sections:
        return 2
    return 3 + (100 * inferior >= 20 * sections) + (100 * inferior >= 40 * sections)


def manual_class(item: str, measured: Measured, body: str, temp: Decimal | None = None) -> int:
    """Class 1…6 of one manual result.

    Not detected complies with every limit that the detection limit itself meets. Oxygen is class I from 7.5 mg/L or from 90 %
    of saturation, 468 / (31.6 + T) by HJ 2.3-2018, if the water temperature [°C] is known.

    >>> manual_class("do", Measured(Decimal("7.1")), "river", Decimal(28)), manual_class("do", Measured(Decimal("6.9")), "river", Decimal(28))
    (1, 2)
    >>> manual_class("ph", Measured(Decimal("9.1")), "river"), manual_class("hg", Measured(Decimal("0.00004"), True), "river")
    (6, 1)
    """
    value = measured.value
    if item == "ph":
        return 1 if PH[0] <= value <= PH[1] else INFERIOR
    if item == "do" and temp is not None and value * (Decimal("31.6") + temp) >= SATURATED * 468:
        return 1
    limits = TABLE_TP_LAKE if item == "tp" and body == "lake" else TABLE[item]
    sign = -1 if item == "do" else 1
    return next((number for number, limit in enumerate(limits, 1) if sign * value <= sign * limit), INFERIOR)


def manual(results: Mapping[str, Measured], body: str, temp: Decimal | None = None) -> tuple[int | None, list[str]]:
    """Worst class of a manual record and the items at it, in the order of table 1; None without any of the 21 items.

    >>> manual({"cod": Measured(Decimal(26)), "tp": Measured(Decimal("0.31")), "codmn": Measured(Decimal(7))}, "river")
    (5, ['tp'])
    """
    classes = {item: manual_class(item, results[item], body, temp) for item in MANUAL if item in results}
    worst = max(classes.values(), default=None)
    return worst, [item for item, number in classes.items() if number == worst]
