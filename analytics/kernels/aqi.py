"""AQI, level and primary pollutants by answer tables."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from analytics.kernels.ahead import LINE, fetch
from analytics.kernels.whole import MISSING, NONE, Whole, half_even, settled

Ints = npt.NDArray[np.int32]
Shorts = npt.NDArray[np.int16]
Bytes = npt.NDArray[np.uint8]
LANES: Final = 48
"""Eight rows of six items: the constants of :class:`Rounding` repeat after as many values, which are three registers."""
BLOCKS_AHEAD: Final = 2
"""So many blocks lie between what is judged and what memory is asked for."""
ABSENT: Final = -2
"""Answer for an item that is missing, other than ``NONE``: the item is there, but the rule set gives it no IAQI."""


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


class Rounding(NamedTuple):
    """How thousandths become displayed units, for the items of eight rows side by side (8 · 6 = :data:`LANES`).

    Attributes
    ----------
    top : (48,) int32 [thousandths]
        Values above it are taken for it: 4,096 displayed units, where every table has its last answer.
    factor : (48,) uint32
        2²³ over ``step``, rounded down: with it :func:`_units` is exact up to ``top``.
    step : (48,) int32 [thousandths in one displayed unit]
    """

    top: Ints
    factor: npt.NDArray[np.uint32]
    step: Ints


class Scratch(NamedTuple):
    """Room for the displayed units + 1 of a block of rows, in their order, and for its IAQIs, item by item.

    A block has whole lines of rows (:data:`analytics.kernels.ahead.LINE`). Its units are zero at first: a last block that is not
    full is looked up to the end of its line.
    """

    units: Shorts
    iaqi: Shorts


class Verdicts(NamedTuple):
    """What :func:`hours` and :func:`days` find.

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
def hours(values: Ints, rounding: Rounding, answers: Shorts, marks: Shorts, scratch: Scratch, out: Verdicts) -> None:
    """Real-time AQI under one rule set: rounded, looked up and judged block by block, so that what lies between stays in cache.

    Parameters
    ----------
    values : (n · 6,) int32 [thousandths of the reporting unit]
        Rows of six items; ``MISSING`` = no value; any other integer is safe.
    rounding : Rounding
    answers : (6, 4098) int16
        IAQI by item and displayed units + 1; ``NONE`` = the rule set gives none; the first entry, for no value, is ``ABSENT``.
    marks : (3,) int16
        AQI up to which no primary pollutant is named (50); AQI up to which an incomplete AQI is not published (100, or less
        than 0 where it always is); the smallest AQI (HJ 633-2026: 1, before: 0).
    scratch : Scratch
        (b · 6,) and (6, b); its size makes the blocks.
    out : Verdicts
        Written.
    """
    size, block = values.shape[0], scratch.units.shape[0]
    for start in range(0, size, block):
        count = min(block, size - start)
        _round(values, np.uint64(start), count, rounding, scratch.units)
        _look_up(count // 6, answers, scratch, (values, np.uint64(start + BLOCKS_AHEAD * block)))
        _decide(np.uint64(start // 6), count // 6, marks, scratch.iaqi, out)


@njit(cache=True, nogil=True, error_model="numpy")
def _round(values: Ints, start: Whole, count: int, rounding: Rounding, units: Shorts) -> None:
    """Displayed units + 1 of ``count`` values from ``start`` on; 0 = missing. Unsigned places: signed ones may count from the end."""
    top, factor, step = rounding
    whole = count // LANES
    for part in range(whole):
        own = np.uint64(part * LANES)
        for lane in range(LANES):
            place = np.uint64(lane)
            units[own + place] = _units(values[start + own + place], top[lane], factor[lane], step[lane])
    own = np.uint64(whole * LANES)
    for lane in range(count - whole * LANES):
        place = np.uint64(lane)
        units[own + place] = _units(values[start + own + place], top[lane], factor[lane], step[lane])


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _units(value: Whole, top: Whole, factor: Whole, step: Whole) -> Whole:
    """Displayed units + 1, half to even; 0 for ``MISSING``. Everything in 32 bits, so that sixteen go at once.

    The product is the quotient's whole part, or one less where less than a third of a unit lies above it; tested on every
    value up to ``top``.
    """
    capped = min(max(value, np.int32(0)), top)
    low = np.int32(np.uint32(np.uint32(capped >> 4) * factor) >> 19)
    units = settled(low, np.int32(capped - np.int32(low * step)), step)
    return np.int16(units + 1) if value != MISSING else np.int16(0)


@njit(cache=True, nogil=True, error_model="numpy")
def _look_up(rows: int, answers: Shorts, scratch: Scratch, later: tuple[Ints, Whole]) -> None:
    """IAQIs of a block, item by item; meanwhile the values of a later block come near, for look-ups leave the memory idle.

    The inner loop has as many turns as a line has values, always: so it is unrolled.
    """
    values, place = later
    for item in range(6):
        for part in range(0, rows, LINE):
            fetch(values, place + np.uint64(item * rows + part))
            for row in range(part, part + LINE):
                scratch.iaqi[item, row] = answers[item, np.uint16(scratch.units[row * 6 + item])]


@njit(cache=True, nogil=True, error_model="numpy")
def _decide(start: Whole, rows: int, marks: Shorts, iaqi: Shorts, out: Verdicts) -> None:
    """AQI, primary pollutants and items there of a block; written out item by item, for an inner loop would not run side by side."""
    quiet, incomplete, least = marks[0], marks[1], marks[2]
    for row in range(rows):
        a, b, c, d, e, f = iaqi[0, row], iaqi[1, row], iaqi[2, row], iaqi[3, row], iaqi[4, row], iaqi[5, row]
        valid = _one(a != ABSENT, 0) + _one(b != ABSENT, 0) + _one(c != ABSENT, 0)
        valid = np.int16(valid + _one(d != ABSENT, 0) + _one(e != ABSENT, 0) + _one(f != ABSENT, 0))
        top = max(a, b, c, d, e, f)
        withheld = (top < 0) | ((valid < 6) & (top <= incomplete))
        aqi = np.int16(NONE) if withheld else max(top, least)
        mask = _one(a == aqi, 0) | _one(b == aqi, 1) | _one(c == aqi, 2) | _one(d == aqi, 3) | _one(e == aqi, 4) | _one(f == aqi, 5)
        place = start + np.uint64(row)
        out.aqi[place] = aqi
        out.primary[place] = np.int16(mask) if aqi > quiet else np.int16(0)
        out.valid[place] = valid


@njit(cache=True, nogil=True, error_model="numpy")
def days(shown: Ints, answers: Shorts, marks: Shorts, iaqi: Shorts, out: tuple[Shorts, Bytes]) -> None:
    """Daily AQI under several rule sets; a day without PM2.5 and PM10 has none (published practice).

    Parameters
    ----------
    shown : (6, d) int32 [displayed units]
        Daily values, item by item; ``NONE`` = missing.
    answers : (r, 6, 4098) int16
        As for :func:`hours`, by rule set; the last entry stands for everything above it.
    marks : (r, 3) int16
        As for :func:`hours`.
    iaqi : (6, d) int16
        Scratch.
    out : (r, d) int16 and uint8
        Written: AQI and primary pollutants, as in :class:`Verdicts`.
    """
    last = np.uint32(answers.shape[2] - 1)
    for rule in range(answers.shape[0]):
        for item in range(6):
            units, own, found = shown[item], answers[rule, item], iaqi[item]
            for row in range(shown.shape[1]):
                place = np.uint64(row)
                found[place] = own[np.uint16(min(np.uint32(np.int32(units[place] + np.int32(1))), last))]
        _decide_days(marks[rule], iaqi, out[0][rule], out[1][rule])


@njit(cache=True, nogil=True, error_model="numpy")
def _decide_days(marks: Shorts, iaqi: Shorts, aqis: Shorts, primary: Bytes) -> None:
    """:func:`_decide` for whole days, which have no AQI without particulates; the number of items is known already."""
    quiet, incomplete, least = marks[0], marks[1], marks[2]
    for row in range(aqis.shape[0]):
        a, b, c, d, e, f = iaqi[0, row], iaqi[1, row], iaqi[2, row], iaqi[3, row], iaqi[4, row], iaqi[5, row]
        gaps = (a == ABSENT) | (b == ABSENT) | (c == ABSENT) | (d == ABSENT) | (e == ABSENT) | (f == ABSENT)
        top = max(a, b, c, d, e, f)
        withheld = (top < 0) | (gaps & (top <= incomplete)) | ((a == ABSENT) & (b == ABSENT))
        aqi = np.int16(NONE) if withheld else max(top, least)
        mask = _one(a == aqi, 0) | _one(b == aqi, 1) | _one(c == aqi, 2) | _one(d == aqi, 3) | _one(e == aqi, 4) | _one(f == aqi, 5)
        aqis[row] = aqi
        primary[row] = np.int16(mask) if aqi > quiet else np.int16(0)


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _one(fact: Whole, bit: int) -> Whole:
    """A fact as a bit, in 16 bits."""
    return np.int16(np.int16(fact) << bit)


@njit(cache=True, nogil=True, error_model="numpy")
def levels(aqi: Shorts, tops: Shorts, out: Bytes) -> None:
    """Level of every AQI.

    Parameters
    ----------
    aqi : (n,) int16
        ``NONE`` = none.
    tops : (k,) int16
        Largest AQI of each level but the last.
    out : (n,) uint8
        Written: 1…k + 1; 0 without AQI.
    """
    for place in range(aqi.shape[0]):
        out[place] = aqi[place] >= 0
    for top in tops:
        for place in range(aqi.shape[0]):
            out[place] += aqi[place] > top


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
def verdicts(shown: Ints, law: Law, tables: Shorts, iaqi: Shorts, aqi: Shorts, primary: Bytes) -> None:
    """:func:`indices` and :func:`judge` in one call."""
    indices(shown, law.rule, tables, iaqi)
    judge(shown, iaqi, law, aqi, primary)


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
