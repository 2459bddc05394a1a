"""Integer helpers that the other kernels inline: rounding half to even."""

from __future__ import annotations

from typing import Any, Final, TypeAlias

from numba import njit

from domain import fixed

MISSING: Final = fixed.MISSING

NONE: Final = -1
"""No count, no displayed value, no AQI."""
Whole: TypeAlias = Any
"""An integer: int to the caller, int64 or narrower in compiled code, so that no checker can name it."""


@njit(cache=True, nogil=True, error_model="numpy")
def half_even(numerator: Whole, denominator: Whole) -> Whole:
    """Nearest integer to a fraction of non-negative integers, ties to even (GB/T 8170).

    >>> half_even(85, 2), half_even(87, 2), half_even(1, 2)
    (42, 44, 0)
    """
    quotient = numerator // denominator
    rest = 2 * (numerator - quotient * denominator)
    if rest > denominator or (rest == denominator and quotient & 1):
        quotient += 1
    return quotient
