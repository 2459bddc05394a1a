"""Fixed point: concentrations as thousandths of their reporting unit, rounded half to even (GB/T 8170).

Binary floats decide published figures wrongly (a mean of 42.50000000000002 prints 43 where the law prints 42), so every
value that is rounded, classified or compared is an integer, and floats appear only at the edges.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from fractions import Fraction
from typing import Final

SCALE: Final = 1_000
MISSING: Final = -(2**31)
"""The one sentinel for 'no valid value': the smallest int32."""

LIMIT: Final = 2**31 - 1
STEPS: Final = (1_000, 100, 10, 1)
"""Thousandths in one unit of the last displayed digit, by digits."""


def from_decimal(value: Decimal) -> int:
    """Thousandths of a decimal, half to even beyond the third place.

    Raises
    ------
    ValueError
        Not finite, or outside ±2,147,483.647.
    """
    if not value.is_finite():
        message = f"not finite: {value}"
        raise ValueError(message)
    thousandths = int((value * SCALE).to_integral_value(ROUND_HALF_EVEN)) if -LIMIT < value < LIMIT else LIMIT + 1
    if abs(thousandths) > LIMIT:
        message = f"too large: {value}"
        raise ValueError(message)
    return thousandths


def from_text(text: str) -> int:
    """Thousandths of a number written in decimal; ValueError for anything else.

    >>> from_text("42.45"), from_text("1.44e2")
    (42450, 144000)
    """
    try:
        value = Decimal(text.strip())
    except InvalidOperation:
        value = None
    if value is None or "_" in text:
        # Python reads 4_2 as 42; nobody else writes so.
        message = f"not a number: {text!r}"
        raise ValueError(message)
    return from_decimal(value)


def from_float(value: float) -> int:
    """Thousandths of the decimal that the float prints as (its shortest text), not of its binary value."""
    if float(value).is_integer() and abs(value) <= LIMIT // SCALE:
        return int(value) * SCALE
    return from_decimal(Decimal(repr(float(value))))


def half_even(numerator: int, denominator: int) -> int:
    """Nearest integer to a fraction, ties to even.

    >>> half_even(85, 2), half_even(87, 2), half_even(-5, 2)
    (42, 44, -2)
    """
    if denominator < 0:
        numerator, denominator = -numerator, -denominator
    quotient, rest = divmod(abs(numerator), denominator)
    if 2 * rest > denominator or (2 * rest == denominator and quotient % 2):
        quotient += 1
    return -quotient if numerator < 0 else quotient


def text(thousandths: int, digits: int) -> str:
    """Decimal text with exactly ``digits`` decimals; empty for MISSING.

    >>> text(42_450, 1), text(-500, 0), text(900, 1)
    ('42.4', '0', '0.9')
    """
    if thousandths == MISSING:
        return ""
    number = half_even(thousandths, STEPS[digits])
    if not digits:
        return str(number)
    whole, rest = divmod(abs(number), 10**digits)
    return f"{'-' if number < 0 else ''}{whole}.{rest:0{digits}d}"


def units(value: Fraction, digits: int) -> int:
    """An exact figure in units of its last decimal, rounded half to even.

    >>> units(Fraction("42.45"), 1), units(Fraction("-0.5"), 0)
    (424, 0)
    """
    power: int = 10**digits
    return half_even(value.numerator * power, value.denominator)


def rounded(value: Fraction, digits: int) -> Fraction:
    """An exact figure rounded half to even to decimals.

    >>> rounded(Fraction("42.45"), 1)
    Fraction(212, 5)
    """
    return Fraction(units(value, digits), 10**digits)


def to_float(value: Fraction, digits: int) -> float:
    """The float whose shortest text is the figure rounded half to even to decimals.

    >>> to_float(Fraction("42.45"), 1), to_float(Fraction(2, 3), 3)
    (42.4, 0.667)
    """
    power: int = 10**digits
    return units(value, digits) / power
