"""Distributions of forecasts: Student's t and the negative binomial, without a library for them."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def negative_binomial(mean: Floats, variance: Floats, most: int) -> Floats:
    """(most + 1, d) cumulative chances of 0, 1, … further days."""
    rate = np.maximum(mean, 1e-9)
    size = rate**2 / np.maximum(variance - rate, 1e-9)
    chance = np.exp(size * np.log(size / (size + rate)))
    out = np.empty((most + 1, len(rate)))
    total = np.zeros(len(rate))
    for number in range(most + 1):
        total = total + chance
        out[number] = total
        chance = chance * (number + size) / (number + 1) * rate / (size + rate)
    return out


def cdf(steps: Floats, freedom: int) -> Floats:
    """Distribution of Student's t for an even number of degrees of freedom, in closed form.

    >>> round(float(cdf(np.array(2.131847), 4)), 4)
    0.95
    """
    bent = np.arctan(steps / math.sqrt(freedom))
    square = np.cos(bent) ** 2
    term, total = np.ones_like(square), np.ones_like(square)
    for power in range(1, freedom // 2):
        term = term * square * (2 * power - 1) / (2 * power)
        total = total + term
    return np.asarray(0.5 + 0.5 * np.sin(bent) * total)


@lru_cache
def quantile(chance: float, freedom: int) -> float:
    """Step of Student's t below which lies ``chance``."""
    low, high = -100.0, 100.0
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if float(cdf(np.array(middle), freedom)) < chance else (low, middle)
    return (low + high) / 2
