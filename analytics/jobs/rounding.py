"""Quotients of columns of integers, rounded half to even."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from analytics.kernels import figures as kernel


def half_even(numerator: npt.NDArray[np.int64], denominator: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Nearest integers to fractions of non-negative numbers, ties to even (GB/T 8170); -1 over 0."""
    out = np.empty(np.broadcast_shapes(numerator.shape, denominator.shape), np.int64)
    # Copies, so that both can be written: arrays that cannot are another type to the compiler.
    above, below = (np.array(np.broadcast_to(part, out.shape), np.int64).reshape(-1) for part in (numerator, denominator))
    kernel.quotients(above, below, out.reshape(-1))
    return out
