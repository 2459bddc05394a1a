"""Foreign floats, one series after the other, become thousandths, one hour after the other."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from analytics.kernels.whole import MISSING, Whole

Ints = npt.NDArray[np.int32]
Doubles = npt.NDArray[np.float64]
TILE = 64
"""Rows and columns that are turned at a time: reads and writes of a tile stay in the core's own cache."""
NEAR = 1e-6
"""Distance from a whole number of thousandths within which a float is that decimal."""
_LIMIT = 2.0**31


@njit(cache=True, nogil=True, error_model="numpy")
def laid(values: Doubles, tile: Ints, out: Ints) -> tuple[Whole, Whole]:
    """Thousandths of floats, half to even, turned from [series, hour] to [hour, series].

    Parameters
    ----------
    values : (s, t) float64 [reporting unit]
        NaN = no value.
    tile : (64, 64) int32
        Scratch.
    out : (t, s) int32 [thousandths]
        Written; ``MISSING`` also for what is refused.

    Returns
    -------
    refused : int
        Values that are infinite or too large.
    between : int
        Values that are no decimal with three places: the float's own rounding may differ from that of a decimal text.
    """
    series, hours = values.shape
    refused, between = 0, 0
    for t in range(0, hours, TILE):
        for s in range(0, series, TILE):
            size = min(TILE, series - s), min(TILE, hours - t)
            bad, far = _convert(values, (np.uint64(s), np.uint64(t)), size, tile)
            refused, between = refused + bad, between + far
            _turn(tile, (np.uint64(t), np.uint64(s)), size, out)
    return refused, between


@njit(cache=True, nogil=True, error_model="numpy")
def _convert(values: Doubles, start: tuple[Whole, Whole], size: tuple[int, int], tile: Ints) -> tuple[Whole, Whole]:
    """Thousandths of a tile; how many are refused, how many lie between."""
    refused, between = np.int64(0), np.int64(0)
    for s in range(size[0]):
        row = start[0] + np.uint64(s)
        for t in range(size[1]):
            scaled = values[row, start[1] + np.uint64(t)] * 1000.0
            near = np.rint(scaled)
            fits = np.abs(near) < _LIMIT
            tile[s, t] = np.int32(near) if fits else np.int32(MISSING)
            refused += (not fits) & (scaled == scaled)  # noqa: PLR0124  NaN is the only value unequal to itself
            between += fits & (np.abs(scaled - near) > NEAR)
    return refused, between


@njit(cache=True, nogil=True, error_model="numpy")
def _turn(tile: Ints, start: tuple[Whole, Whole], size: tuple[int, int], out: Ints) -> None:
    """Write a tile's rows as columns."""
    for t in range(size[1]):
        row = start[0] + np.uint64(t)
        for s in range(size[0]):
            out[row, start[1] + np.uint64(s)] = tile[s, t]


@njit(cache=True, nogil=True, error_model="numpy")
def holds(cells: npt.NDArray[np.uint8], mark: Whole) -> bool:
    """Whether any of the (n,) ``cells`` is ``mark``."""
    own, found = np.uint8(mark), np.uint8(0)
    for place in range(cells.shape[0]):
        found |= np.uint8(cells[place] == own)
    return bool(found != 0)
