"""Stated quantities beside a register's intervals: each stretch of time once."""

from __future__ import annotations

from decimal import Decimal

import numpy as np

from analytics import counting
from analytics.counting import Counted
from analytics.energy import stated
from analytics.energy.stated import Quantity
from domain.places import Dated, Meter

METER = Meter("m", "e", "water", Dated.always("main"), "m3", Dated.always("2"), resolution="0.1")


def counted(times: list[int], units: list[int]) -> Counted:
    """Intervals of a register."""
    return counting.count(METER, counting.Readings(np.array(times, np.int64), np.array(units, np.int64), Decimal("0.1")), 10)


def rows(found: Counted) -> list[tuple[int, int, Decimal, str]]:
    """Begin, end, amount and flag."""
    columns = (found.begin.tolist(), found.end.tolist(), found.amount.tolist(), found.flag.tolist())
    return [(begin, end, amount * found.unit, counting.FLAGS[flag]) for begin, end, amount, flag in zip(*columns, strict=True)]


def test_each_stretch_counts_once() -> None:
    """Before and behind the register's intervals they count; across one, or twice for one time, they are held with their amount."""
    own = [
        Quantity(0, 10, Decimal("1.25")),
        Quantity(8, 12, Decimal(7)),
        Quantity(15, 25, Decimal(3)),
        Quantity(40, 50, Decimal("0.001")),
        Quantity(45, 55, Decimal(2)),
    ]
    found = stated.merged(counted([20, 30, 40], [100, 105, 111]), own)

    assert [
        (0, 10, Decimal("1.25"), "normal"), (8, 12, Decimal(7), "held"), (15, 25, Decimal(3), "held"), (20, 30, Decimal(1), "normal"),
        (30, 40, Decimal("1.2"), "normal"), (40, 50, Decimal("0.001"), "normal"), (45, 55, Decimal(2), "held"),
    ] == rows(found)  # fmt: skip
    assert 3 == len(found.meaning)


def test_without_registers_and_without_statements() -> None:
    """Either side alone is as it was."""
    nothing = counted([], [])

    assert [(0, 10, Decimal("1.25"), "normal")] == rows(stated.merged(nothing, [Quantity(0, 10, Decimal("1.25"))]))
    assert rows(counted([20, 30], [1, 2])) == rows(stated.merged(counted([20, 30], [1, 2]), []))


def test_more_than_a_meter_can_show_is_held() -> None:
    """An amount beyond what a float holds exactly is no quantity."""
    assert ["held"] == [flag for *_, flag in rows(stated.merged(counted([], []), [Quantity(0, 10, Decimal("999999999999.123456789"))]))]
