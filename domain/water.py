"""Surface-water classes by GB 3838-2002 table 1, as the national platform judges automatic data.

Class = the worst of DO, CODMn, NH3-N and TP on displayed values; no class unless all four are there (proven on 3,491
published classes). TN and pH do not decide; there is no oxygen-saturation rule in the platform's figures.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

RULE_SET: Final = "GB3838-2002"
DECIDING: Final = ("do", "codmn", "nh3n", "tp")
INFERIOR: Final = 6
"""Class code of 'inferior to V' (劣Ⅴ)."""
CLASSES: Final = ("Ⅰ", "Ⅱ", "Ⅲ", "Ⅳ", "Ⅴ", "劣Ⅴ")

# Upper limits of classes I…V in thousandths of mg/L; DO are lower limits.
LIMITS: Final = MappingProxyType(
    {
        "do": (7_500, 6_000, 5_000, 3_000, 2_000),
        "codmn": (2_000, 4_000, 6_000, 10_000, 15_000),
        "nh3n": (150, 500, 1_000, 1_500, 2_000),
        "tp": (20, 100, 200, 300, 400),
    },
)
TP_LAKE: Final = (10, 25, 50, 100, 200)


def item_class(item: str, thousandths: int, body: str) -> int:
    """Class 1…6 of one displayed value in thousandths of mg/L; ``body`` is river or lake.

    >>> item_class("tp", 60, "lake"), item_class("tp", 60, "river"), item_class("do", 800, "river")
    (4, 2, 6)
    """
    limits = TP_LAKE if item == "tp" and body == "lake" else LIMITS[item]
    sign = -1 if item == "do" else 1
    return next((number for number, limit in enumerate(limits, 1) if sign * thousandths <= sign * limit), INFERIOR)
