"""Quotients of columns of integers, rounded half to even."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from analytics.kernels import figures as kernel


def half_even(numerator: npt.NDArray[np.int64], denominator: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Nearest integers to fractions of non-negative numbers, ties to even (GB/T 8170); -1 over 0."""
    shape = np.broadcast_shapes(numerator.shape, denominator.shape)
    # Copies where they have to be made, so that both can be written: arrays that cannot are another type to the compiler.
    above, below = (np.array(part if part.shape == shape else np.broadcast_to(part, shape), np.int64).reshape(-1) for part in (numerator, denominator))
    out = np.empty(shape, np.int64)
    kernel.quotients(above, below, out.reshape(-1))
    return out
