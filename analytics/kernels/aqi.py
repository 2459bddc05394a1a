"""AQI, level and primary pollutants by answer tables."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from analytics.kernels.whole import MISSING, NONE, Whole, half_even

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


class Hourly(NamedTuple):
    """What :func:`hours` finds.

    Attributes
    ----------
    aqi : (n,) int16
        ``NONE`` = not published.
    primary : (n,) uint8
        Bit i = item i.
    valid : (n,) uint8
        Items that are there.
    """

    aqi: Shorts
    primary: Bytes
    valid: Bytes


@njit(cache=True, nogil=True, error_model="numpy")
def hours(values: Ints, steps: Ints, tables: Shorts, law: Law, out: Hourly) -> None:
    """Real-time AQI in one pass: :func:`displayed`, :func:`indices` and :func:`judge` without what lies between.

    Parameters
    ----------
    values : (n, 6) int32 [thousandths of the reporting unit]
        ``MISSING`` = no value.
    steps : (6,) int32 [thousandths in one displayed unit]
    tables : (r, 6, width) int16
    law : Law
    out : Hourly
        Written.
    """
    found = np.empty(6, np.int32)
    scale = 1.0 / steps
    limit = np.uint32(tables.shape[2] - 1)
    for row in range(values.shape[0]):
        rule = law.rule[row]
        top, valid = np.int32(-1), 0
        for item in range(6):
            value = values[row, item]
            has = value != MISSING
            units = np.uint32(_units(value, steps[item], scale[item])) if has else limit
            found[item] = tables[rule, item, min(units, limit)] if has else NONE
            top = max(top, found[item])
            valid += has
        top = _published(top, valid, law.strict[rule], law.marks[1])
        mask = 0
        if top > law.marks[0]:
            for item in range(6):
                mask |= (found[item] == top) << item
        out.aqi[row], out.primary[row], out.valid[row] = top, mask, valid


@njit(cache=True, nogil=True, error_model="numpy")
def _units(value: Whole, step: Whole, scale: Whole) -> Whole:
    """Displayed units, half to even; the float quotient only names a neighbour, the integer rest decides.

    An integer division costs three times as much here.
    """
    units = np.int32(value * scale + 0.5)
    rest = 2 * np.int32(value - units * step)
    odd = units & 1
    return units + (rest + odd > step) - (rest - odd < -step)


@njit(cache=True, nogil=True, error_model="numpy")
def _published(top: Whole, valid: Whole, strict: Whole, clean: Whole) -> Whole:
    """HJ 633-2026: nothing for an incomplete AQI up to ``clean``, and a scale that begins at 1."""
    if strict and valid < 6 and top <= clean:
        return np.int32(NONE)
    return np.int32(1) if strict and top == 0 else np.int32(top)


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
