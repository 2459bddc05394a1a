"""Running means: the checked interface over the kernels."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from analytics import tables
from analytics.blocks import spread
from analytics.kernels import past
from analytics.kernels import rolling as kernel
from domain import air
from domain.fixed import MISSING

WINDOW = 24
LARGE: Final = 8 << 20
"""Bytes of a result that no core's own cache holds; a smaller one is read from it next."""


def means(hours: npt.NDArray[np.int32], out: npt.NDArray[np.float32] | None = None, *, threads: int = 1) -> npt.NDArray[np.float32]:
    """Running 24 h means for charts, NaN with fewer than 20 valid hours; published figures are :func:`displayed`.

    Parameters
    ----------
    hours : (t, s) int32 [thousandths of the reporting unit]
        Oldest first; ``MISSING`` = no valid hour.
    out : (t, s) float32, optional
        Written and returned; making a new one costs more than the sums.
    threads : int
        Each computes blocks of rows, warmed up with the day before them.

    Returns
    -------
    (t, s) float32 [reporting unit]
    """
    found = np.empty(hours.shape, np.float32) if out is None else out
    cells = np.ascontiguousarray(hours)
    far = is_far(found)

    def block(start: int, stop: int) -> None:
        series = hours.shape[1]
        line = np.empty(series if far else 0, np.float32)
        state = kernel.State(np.empty(series, np.int32), np.empty(series, np.float32), line)
        kernel.means(cells[:stop], WINDOW, air.DAY_HOURS, start, state, found[start:stop])

    spread(len(cells), threads, block)
    return found


def is_far(out: npt.NDArray[np.float32]) -> bool:
    """Whether a result is better written past the caches: larger than they are, and lying where that can be done."""
    return out.nbytes > LARGE and out.flags.c_contiguous and out.shape[1] % past.WIDTH == 0 and out.ctypes.data % past.ALIGNED == 0


def displayed(days: npt.NDArray[np.int32], follows: npt.NDArray[np.bool_]) -> npt.NDArray[np.int32]:
    """Running means of each hour in displayed units: 24 h means with 20 valid hours; ozone 8 h, bounded by its day.

    Parameters
    ----------
    days : (24, m, 6) int32 [thousandths of the reporting unit]
        Hours 1…24 of m days; ``MISSING`` = no valid hour.
    follows : (m,) bool
        Whether column i - 1 is the day before column i.

    Returns
    -------
    (24, m, 6) int32 [displayed units]
        -1 = not valid.
    """
    _, count, items = days.shape
    before = np.full_like(days, MISSING)
    before[:, 1:][:, follows[1:]] = days[:, :-1][:, follows[1:]]
    both = np.concatenate([before, days]).reshape(2 * WINDOW, count * items)
    total, number = np.empty_like(both), np.empty_like(both)
    kernel.sums(both, WINDOW, total, number)
    out = np.empty((WINDOW, count * items), np.int32)
    kernel.rounded(total[WINDOW:], number[WINDOW:], air.DAY_HOURS, np.tile(tables.steps(), count), out)
    means = out.reshape(WINDOW, count, items)
    ozone = np.empty((WINDOW, count), np.int32)
    step = tables.STEPS[tables.OZONE]
    kernel.ozone(np.ascontiguousarray(days[:, :, tables.OZONE]), air.O3_WINDOW, air.O3_WINDOW_HOURS, step, ozone)
    means[:, :, tables.OZONE] = ozone
    return means
