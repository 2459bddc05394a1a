"""Columns of integers become CSV bytes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from analytics.kernels.whole import Whole

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int32]
Longs = npt.NDArray[np.int64]


class Texts(NamedTuple):
    """Texts one behind the other: text i lies between ``ends[i]`` and ``ends[i + 1]`` of ``data``."""

    data: Bytes
    ends: Longs


class Zone(NamedTuple):
    """Offset [s east of UTC] with its text."""

    offset: int
    text: Bytes


TEXT, TIME, DATE, NUMBER = -3, -2, -1, 0
"""Forms of a column; ``NUMBER + d`` is a number with d decimals."""


@njit(cache=True, nogil=True, error_model="numpy")
def _digits(value: Whole, least: Whole, out: Bytes, at: Whole) -> Whole:
    """Write a non-negative integer with at least ``least`` digits; the place behind it."""
    length, rest = 1, value // 10
    while rest > 0:
        length, rest = length + 1, rest // 10
    length = max(length, least)
    for place in range(at + length - 1, at - 1, -1):
        out[place] = 48 + value % 10
        value //= 10
    return at + length


@njit(cache=True, nogil=True, error_model="numpy")
def _number(units: Whole, decimals: Whole, out: Bytes, at: Whole) -> Whole:
    if units < 0:
        return at
    if decimals == 0:
        return _digits(units, 1, out, at)
    power = 1
    for _ in range(decimals):
        power *= 10
    at = _digits(units // power, 1, out, at)
    out[at] = 46
    return _digits(units % power, decimals, out, at + 1)


@njit(cache=True, nogil=True, error_model="numpy")
def _date(day: Whole, out: Bytes, at: Whole) -> Whole:
    """YYYY-MM-DD of days since 1970-01-01."""
    shifted = day + 719_468
    era = shifted // 146_097
    of_era = shifted - era * 146_097
    year = (of_era - of_era // 1_460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    month = (5 * of_year + 2) // 153
    at = _digits(year + era * 400 + (month >= 10), 4, out, at)
    out[at] = 45
    at = _digits(month + (3 if month < 10 else -9), 2, out, at + 1)
    out[at] = 45
    return _digits(of_year - (153 * month + 2) // 5 + 1, 2, out, at + 1)


@njit(cache=True, nogil=True, error_model="numpy")
def _time(instant: Whole, zone: Zone, out: Bytes, at: Whole) -> Whole:
    """RFC 3339 text of an instant."""
    local = instant + zone.offset
    day = local // 86_400
    second = local - day * 86_400
    at = _date(day, out, at)
    out[at] = 84
    at = _digits(second // 3_600, 2, out, at + 1)
    out[at] = 58
    at = _digits(second // 60 % 60, 2, out, at + 1)
    out[at] = 58
    at = _digits(second % 60, 2, out, at + 1)
    for place in range(zone.text.shape[0]):
        out[at + place] = zone.text[place]
    return at + zone.text.shape[0]


@njit(cache=True, nogil=True, error_model="numpy")
def write(cells: Longs, forms: Ints, texts: Texts, zone: Zone, out: Bytes) -> Whole:
    """Write rows as CSV lines.

    Parameters
    ----------
    cells : (r, c) int64
        Units of numbers (-1 = empty), instants, civil days, or positions in the table of texts.
    forms : (c,) int32
        Form of each column.
    texts : Texts
        All texts of all columns.
    zone : Zone
        In which instants are written.
    out : (w,) uint8
        Written; must be large enough.

    Returns
    -------
    int
        Bytes written.
    """
    at, columns = 0, forms.shape[0]
    for row in range(cells.shape[0]):
        for column in range(columns):
            at = _cell(cells[row, column], forms[column], texts, zone, out, at)
            out[at] = 44 if column + 1 < columns else 10
            at += 1
    return at


@njit(cache=True, nogil=True, error_model="numpy")
def _cell(value: Whole, form: Whole, texts: Texts, zone: Zone, out: Bytes, at: Whole) -> Whole:
    """Write one cell; the place behind it."""
    if form >= NUMBER:
        return _number(value, form, out, at)
    if form == TIME:
        return _time(value, zone, out, at)
    if form == DATE:
        return _date(value, out, at)
    for place in range(texts.ends[value], texts.ends[value + 1]):
        out[at] = texts.data[place]
        at += 1
    return at
