"""What a judge of entries says, in the reader's language: the judges speak English, and the board's people read Chinese first."""

from __future__ import annotations

import re
from typing import Final

from api.problems import Problem, wrong
from domain import sayings

_SHOWN: Final = 200
_TIME: Final = re.compile(r".*(?:[Ii]nvalid|no time|isoformat|offset|time zone).*", re.DOTALL)
"""The many words of Python for a time that it cannot read."""
TIMES: Final = "时间写法有误，请写 2026-06-01T08:00:00+08:00 或 2026-06-01"


def chinese(fault: str, otherwise: str = "") -> str:
    """The fault in Chinese; what the catalogue does not know is told ``otherwise``, or as it is.

    >>> chinese("longer than 31 days"), chinese("without reason"), chinese("x"), chinese("x", "未知")
    ('时段最长 31 天', '缺少：reason', 'x', '未知')
    """
    if _TIME.fullmatch(fault):
        return TIMES
    return sayings.chinese(fault) or otherwise or fault


def refusal(fault: str) -> Problem:
    """The refusal of an entry, in both languages."""
    shown = fault[:_SHOWN]
    return wrong("body", f"不能这样填报：{chinese(shown)}", f"It cannot be entered like this: {shown}")
