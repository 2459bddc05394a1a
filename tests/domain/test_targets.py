"""Plan targets by year."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from domain.targets import HOLDS, OPERATORS, Target, YearValue


def target(op: str, *values: YearValue) -> Target:
    """A target with an operator and dated values."""
    return Target("t", "1", "目标", "target", op, "x", "annual", "sensor", values=values)


def test_a_year_has_its_own_value_or_none() -> None:
    """A plan that has ended sets nothing for later years, but its last value stays known."""
    row = target("<=", YearValue(2024, Decimal(43)), YearValue(2025, Decimal(42)), YearValue(2026, None))

    assert row.values[1] == row.for_year(2025)
    assert row.for_year(2026) is None
    assert row.values[1] == row.last
    assert target("<=").last is None


def test_operators_compare_exactly() -> None:
    """At most, at least and strictly less are told apart at equality; what is tracked is not compared."""
    assert {"<=": True, ">=": True, "<": False} == {op: holds(Fraction(42), Fraction(42)) for op, holds in HOLDS.items()}
    assert {"track"} == {*OPERATORS} - {*HOLDS}
