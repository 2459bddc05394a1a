"""Exact decimals: half to even, from text."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import fixed

GOLDEN = [("42.45", 1, "42.4"), ("42.55", 1, "42.6"), ("42.5", 0, "42"), ("43.5", 0, "44"), ("0.125", 2, "0.12"), ("0.835", 2, "0.84")]
MORE = [("2.675", 2, "2.68"), ("1.35", 1, "1.4"), ("0.45", 1, "0.4"), ("0.675", 2, "0.68"), ("0.225", 2, "0.22"), ("1.44e2", 0, "144")]


@pytest.mark.parametrize(("number", "digits", "shown"), GOLDEN + MORE)
def test_decimals_round_half_to_even(number: str, digits: int, shown: str) -> None:
    """The golden roundings of GB/T 8170 come out from text and from floats."""
    assert shown == fixed.text(fixed.from_text(number), digits)
    assert shown == fixed.text(fixed.from_float(float(number)), digits)


@pytest.mark.parametrize("text", ["", "240.x", "nan", "inf", "-inf", "1e400", "3000000000", "1,5", "4_2", "1e999999999"])
def test_what_is_no_number_is_refused(text: str) -> None:
    """Rubbish, non-finite and huge numbers raise ValueError."""
    with pytest.raises(ValueError, match=r"."):
        fixed.from_text(text)


@given(st.integers(-(10**9), 10**9), st.integers(1, 10**6))
def test_half_even_equals_the_decimal_definition(numerator: int, denominator: int) -> None:
    """Integer rounding equals exact decimal rounding of the fraction."""
    from fractions import Fraction

    assert round(Fraction(numerator, denominator)) == fixed.half_even(numerator, denominator)


@given(st.decimals(-10_000, 10_000, places=5), st.integers(0, 3))
def test_text_equals_decimal_quantize(number: Decimal, digits: int) -> None:
    """Displayed text equals quantising the thousandths."""
    thousandths = fixed.from_decimal(number)
    want = (Decimal(thousandths) / 1000).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_EVEN)

    assert want == Decimal(fixed.text(thousandths, digits))
