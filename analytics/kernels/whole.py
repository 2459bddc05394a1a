"""Integer helpers that the other kernels inline: rounding half to even, one by one and side by side."""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import numpy as np
from numba import njit

from domain import fixed

MISSING: Final = fixed.MISSING

NONE: Final = -1
"""No count, no displayed value, no AQI."""
MEANS: Final = 4
"""Items with an annual mean: the first of the six."""
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


# A division of integers cannot run side by side with others. So quotients are guessed, with a product or a float, and settled
# in integers: one more than the guess is right exactly if twice what is left over, plus one behind an odd guess, exceeds the
# denominator. The guess may miss the whole part by one, as long as what is left over lies between -1/2 and 3/2 of the denominator.


@njit(cache=True, nogil=True, error_model="numpy")
def nearest(numerator: Whole, denominator: Whole) -> Whole:
    """:func:`half_even` without a division of integers, for numerators below 2⁶¹ and quotients below 2³¹.

    >>> nearest(85, 2), nearest(87, 2), nearest(212_519_999_999_999, 212_520_000)
    (42, 44, 1000000)
    """
    low = np.int64(np.float64(numerator) / np.float64(denominator))
    rest = numerator - low * denominator
    return low + (rest + rest + (low & 1) > denominator)


@njit(cache=True, nogil=True, error_model="numpy")
def settled(low: Whole, rest: Whole, denominator: Whole) -> Whole:
    """A guessed quotient of int32 made exact, half to even; with a cast at every step, or numba would compute in 64 bits.

    >>> [int(settled(low, rest, 1_000)) for low, rest in ((42, 500), (43, 500), (42, 1_499), (43, -1))]
    [42, 44, 43, 43]
    """
    return np.int32(low + np.int32(np.int32(np.int32(rest + rest) + np.int32(low & 1)) > denominator))
