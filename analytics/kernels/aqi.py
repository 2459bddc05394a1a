"""AQI, level and primary pollutants by answer tables."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from analytics.kernels.whole import MISSING, NONE, half_even

Ints = npt.NDArray[np.int32]
Shorts = npt.NDArray[np.int16]
Bytes = npt.NDArray[np.uint8]


class Law(NamedTuple):
    """What :func:`judge` needs of the law.

    Attributes
    ----------
    rule : (n,) uint8
        Index of the rule set that judges each row.
    strict : (r,) uint8
        1 where the rule set publishes an incomplete AQI only above 100 and starts its scale at 1 (HJ 633-2026 5.3.1).
    marks : (3,) int16
        AQI up to which no primary pollutant is named (50); AQI up to which a strict rule set publishes no incomplete AQI
        (100); 1 if an AQI needs PM2.5 or PM10 (days), 0 if not (hours).
    """

    rule: Bytes
    strict: Bytes
    marks: Shorts


@njit(cache=True, nogil=True, error_model="numpy")
def displayed(values: Ints, steps: Ints, out: Ints) -> None:
    """Concentrations in displayed units, half to even (GB/T 8170; HJ 633-2026 4.2.2).

    Parameters
    ----------
    values : (n, s) int32 [thousandths of the reporting unit]
        ``MISSING`` = no value; negative values do not occur.
    steps : (s,) int32 [thousandths in one displayed unit]
    out : (n, s) int32 [displayed units]
        Written; ``NONE`` = no value.
    """
    rows, series = values.shape
    for row in range(rows):
        for s in range(series):
            value = values[row, s]
            out[row, s] = NONE if value == MISSING else half_even(value, steps[s])


@njit(cache=True, nogil=True, error_model="numpy")
def indices(shown: Ints, rule: Bytes, tables: Shorts, iaqi: Shorts) -> None:
    """IAQI of every displayed concentration.

    Parameters
    ----------
    shown : (n, 6) int32 [displayed units]
        ``NONE`` = missing.
    rule : (n,) uint8
        Index of the rule set that judges the row.
    tables : (r, 6, width) int16
        Answers by rule set, item and displayed units; the last entry of an item stands for everything above.
    iaqi : (n, 6) int16
        Written; ``NONE`` = missing, or no IAQI by the rule set.
    """
    rows, items = shown.shape
    top = tables.shape[2] - 1
    for row in range(rows):
        for item in range(items):
            units = shown[row, item]
            iaqi[row, item] = NONE if units < 0 else tables[rule[row], item, np.uint32(min(units, top))]


@njit(cache=True, nogil=True, error_model="numpy")
def judge(shown: Ints, iaqi: Shorts, law: Law, aqi: Shorts, primary: Bytes) -> None:
    """AQI and primary pollutants of rows of IAQIs.

    Parameters
    ----------
    shown : (n, 6) int32
        Tells missing items (``NONE``) from items without an IAQI.
    iaqi : (n, 6) int16
    law : Law
    aqi : (n,) int16
        Written; ``NONE`` = not published.
    primary : (n,) uint8
        Written; bit i = item i is a primary pollutant.
    """
    rows, items = shown.shape
    for row in range(rows):
        top, missing = np.int16(-1), 0
        for item in range(items):
            top = max(top, iaqi[row, item])
            missing += shown[row, item] < 0
        strict = law.strict[law.rule[row]]
        withheld = strict and missing > 0 and top <= law.marks[1]
        blind = law.marks[2] and shown[row, 0] < 0 and shown[row, 1] < 0
        if withheld or blind:
            top = np.int16(-1)
        if strict and top == 0:
            top = np.int16(1)
        mask = 0
        if top > law.marks[0]:
            for item in range(items):
                mask |= (iaqi[row, item] == top) << item
        aqi[row], primary[row] = top, mask
