"""Columns of integers become the decimals that are stored: rounded half to even, never as floats."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from analytics.kernels import figures as kernel
from domain.indicators import FIGURES


def floats(units: npt.NDArray[np.integer], divisor: int) -> npt.NDArray[np.float64]:
    """Displayed units as the float whose shortest text is the displayed decimal; -1 = NaN."""
    return np.where(units < 0, np.nan, units / divisor)


def ratio(numerator: npt.NDArray[np.int64], denominator: npt.NDArray[np.integer], figure: str) -> npt.NDArray[np.float64]:
    """Quotient rounded half to even to the figure's digits, on integers; NaN over 0."""
    power = 10 ** FIGURES[figure].digits
    return floats(half_even(numerator * power, denominator.astype(np.int64)), power)


def half_even(numerator: npt.NDArray[np.int64], denominator: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Nearest integers to fractions of non-negative numbers, ties to even (GB/T 8170); -1 over 0."""
    out = np.empty(np.broadcast_shapes(numerator.shape, denominator.shape), np.int64)
    above, below = (np.ascontiguousarray(np.broadcast_to(part, out.shape)).reshape(-1) for part in (numerator, denominator))
    kernel.quotients(above, below, out.reshape(-1))
    return out
