"""Registers of a meter as the store has them. Without the kernels, so that the API may look whether a form can be."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from domain.items import BY_REALM
from domain.ports import ReadingSource

COUNTED: Final = tuple(ord(letter) for letter in "NPZS")
"""Flags whose registers count; S is a reading that a person took down."""
_REGISTER: Final = list(BY_REALM["meter"]).index("register")
Longs = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def stored(source: ReadingSource, name: str, start: int, end: int) -> tuple[Longs, Floats]:
    """Registers of a meter with start < time ≤ end that count, each time once; of two spans the shorter stands."""
    times, values = [np.zeros(0, np.int64)], [np.zeros(0)]
    for series in source.columns("meter", name, start, end):
        own = np.isin(series.flags[:, _REGISTER], COUNTED) & ~np.isnan(series.values[:, _REGISTER])
        times.append(series.time[own])
        values.append(series.values[own, _REGISTER])
    known, place = np.unique(np.concatenate(times), return_index=True)
    return known, np.concatenate(values)[place]
