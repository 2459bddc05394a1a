"""Seeded chance with random access: the value at an index never depends on which other indices were asked for.

A live fleet asks for one hour, the history for ten thousand, a restarted fleet begins in the middle; all must see the same
county. So noise is made in blocks, each from its own generator named by (seed, name, block), and a correlated series runs
in over the block before, which is long enough for every correlation time allowed here.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final
from zlib import crc32

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

BLOCK: Final = 1024
LONGEST: Final = BLOCK / 6
"""Longest correlation time in steps: what is left of the run-in is exp(-6) of a standard deviation."""
KEPT: Final = 2_048
"""Blocks kept of each sort, 16 MB: all stations and sections of a county; meters keep their own totals."""
_SHIFT = 2**20
"""Blocks before 1970 must not be negative: a generator's key is unsigned."""


class Noise:
    """All chance of one simulated county, from one seed."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._ar1 = lru_cache(maxsize=KEPT)(self._ar1_block)
        self._uniform = lru_cache(maxsize=KEPT)(self._uniform_block)

    def _generator(self, name: str, block: int) -> np.random.Generator:
        return np.random.default_rng((self.seed, crc32(name.encode()), block + _SHIFT))

    def _uniform_block(self, name: str, block: int) -> Floats:
        return self._generator(name, block).random(BLOCK)

    def _ar1_block(self, name: str, tau: float, block: int) -> Floats:
        white = np.concatenate([self._generator(name, block + step).standard_normal(BLOCK) for step in (-1, 0)])
        return _filtered(white, np.exp(-1 / tau))[BLOCK:]

    def uniform(self, name: str, index: Ints) -> Floats:
        """Independent values in [0, 1): index (n,) int64 to (n,) float64."""
        return _gather(index, lambda block: self._uniform(name, block))

    def ar1(self, name: str, index: Ints, tau: float) -> Floats:
        """Correlated noise of mean 0 and spread 1 whose correlation falls to 1/e in ``tau`` steps.

        Parameters
        ----------
        index : (n,) int64
            Step numbers, any order, any sign.
        tau : float [steps]
            Correlation time, at most :data:`LONGEST`.

        Returns
        -------
        (n,) float64
        """
        if not 0 < tau <= LONGEST:
            message = f"a correlation time of {tau} steps does not fit a block of {BLOCK}"
            raise ValueError(message)
        return _gather(index, lambda block: self._ar1(name, tau, block))

    def trait(self, name: str) -> float:
        """One fixed number of a place, normal with mean 0 and spread 1."""
        return float(self._generator(name, -1).standard_normal())

    def share(self, name: str) -> float:
        """One fixed number of a place in [0, 1)."""
        return float(self._generator(name, -2).random())


def _filtered(white: Floats, phi: float) -> Floats:
    """First-order filter by doubling: eleven whole-array steps instead of a loop over two thousand samples."""
    out: Floats = white * np.sqrt(1 - phi * phi)
    step, power = 1, phi
    while step < len(out):
        out[step:] = out[step:] + out[:-step] * power
        step, power = step * 2, power * power
    return out


def _gather(index: Ints, block_of: Callable[[int], Floats]) -> Floats:
    blocks = index // BLOCK
    out = np.empty(len(index))
    for block in np.unique(blocks):
        here = blocks == block
        out[here] = block_of(int(block))[index[here] - block * BLOCK]
    return out
