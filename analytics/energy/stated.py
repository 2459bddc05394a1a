"""Quantities that a file states for stretches of time, where nobody reads a register: beside what registers count, never on top of it."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Final, NamedTuple

import numpy as np

from analytics.counting import HELD, LARGEST, NORMAL, Counted

FINEST: Final = 9
"""Decimals of a stated quantity; what is finer is held."""


class Quantity(NamedTuple):
    """So much, in the registered unit, between two instants [s]; the multiplier is in it already."""

    begin: int
    end: int
    amount: Decimal


def merged(counted: Counted, stated: Iterable[Quantity]) -> Counted:
    """Intervals of a meter with what is stated for it.

    A stated stretch that touches an interval of the register, or an earlier stated one, would count the same energy twice: it is held for
    a person, with its amount. What the register says of its readings stays as it is.
    """
    own = sorted(stated)
    if not own:
        return counted
    digits = min(FINEST, max(max(0, -int(one.amount.as_tuple().exponent)) for one in own))
    unit = min(counted.unit, Decimal(1).scaleb(-digits))
    scale = int(counted.unit / unit)
    begin, end = np.array([one.begin for one in own], np.int64), np.array([one.end for one in own], np.int64)
    amount = np.array([min(int(one.amount / unit), LARGEST) for one in own], np.int64)
    flag = np.where(_twice(counted, own) | (amount >= LARGEST), HELD, NORMAL).astype(np.uint8)
    columns = [
        np.concatenate(pair)
        for pair in ((counted.begin, begin), (counted.end, end), (np.minimum(counted.amount, LARGEST // scale) * scale, amount), (counted.flag, flag))
    ]
    order = np.lexsort((columns[1], columns[0]))
    first, last, units, flags = (column[order] for column in columns)
    return Counted(first, last, units, flags.astype(np.uint8), unit, counted.meaning, counted.base)


def _twice(counted: Counted, own: list[Quantity]) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    found, upto = np.zeros(len(own), bool), -(2**62)
    good = counted.flag != HELD
    begin, end = counted.begin[good], counted.end[good]
    for place, one in enumerate(own):
        low, high = int(np.searchsorted(end, one.begin, side="right")), int(np.searchsorted(begin, one.end))
        found[place] = low < high or one.begin < upto
        upto = upto if found[place] else one.end
    return found
