"""Surface-water classes by GB 3838-2002 table 1, for automatic and for manual data.

Automatic: the worst of DO, CODMn, NH3-N and TP on displayed values; no class unless all four are there (proven on 3,491
published classes). TN and pH do not decide; there is no oxygen-saturation rule in the platform's figures.

Manual: the worst of the 21 items, that is table 1 without water temperature, total nitrogen and faecal coliform (环办〔2011〕22号),
on the values as measured; oxygen of class I also by saturation, pH either good for every class or for none.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final, NamedTuple

RULE_SET: Final = "GB3838-2002"
DECIDING: Final = ("do", "codmn", "nh3n", "tp")
INFERIOR: Final = 6
"""Class code of 'inferior to V' (劣Ⅴ)."""
CLASSES: Final = ("Ⅰ", "Ⅱ", "Ⅲ", "Ⅳ", "Ⅴ", "劣Ⅴ")


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
