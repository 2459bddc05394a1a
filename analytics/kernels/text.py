"""CSV bytes become columns of integers: one pass, no text objects, exact decimals."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from analytics.kernels.whole import MISSING, Whole
from analytics.kernels.written import SLOW, instant, thousandths, trim

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int32]
Longs = npt.NDArray[np.int64]


class Wanted(NamedTuple):
    """What to read.

    Attributes
    ----------
    roles : (c,) int32
        Role of each column of the header.
    offset : int [s]
        East of UTC, for times without offset.
    ranges : (k, 2) int32 [thousandths]
        Smallest and largest value taken.
    """

    roles: Ints
    offset: int
    ranges: Ints


class Columns(NamedTuple):
    """What was read, one row a row of the file.

    Attributes
    ----------
    places : (r, 4) int64
        Start and end of site and time in the bytes.
    when : (r,) int64 [s, or civil day]
        ``SLOW`` = left to the caller.
    values : (r, k) int32 [thousandths]
        ``MISSING`` for an empty cell.
    lines : (r,) int32
        Line of the row, counted from the first one read = 0.
    """

    places: Longs
    when: Longs
    values: Ints
    lines: Ints


IGNORED, SITE, TIME, NUMBER = -1, 0, 1, 2
"""Roles of a column; ``NUMBER + i`` is value column i."""
OK, BAD_NUMBER, OUT_OF_RANGE, SHORT_ROW, LONG_ROW, OPEN_QUOTE, EMPTY = range(7)
"""What a row may be refused for."""
_LF, _CR, _COMMA, _QUOTE = 10, 13, 44, 34


@njit(cache=True, nogil=True, error_model="numpy")
def _quoted(data: Bytes, at: Whole) -> tuple[Whole, Whole]:
    """Place of the quote that closes the one before ``at``, and the lines inside; the size of ``data``: it never closes."""
    size, lines, open_ = data.shape[0], 0, True
    while open_ and at < size:
        twice = data[at] == _QUOTE and at + 1 < size and data[at + 1] == _QUOTE
        open_ = twice or data[at] != _QUOTE
        lines += data[at] == _LF
        at += 2 if twice else 1 if open_ else 0
    return at, lines


@njit(cache=True, nogil=True, error_model="numpy")
def _field(data: Bytes, at: Whole) -> tuple[Whole, Whole, Whole, Whole]:
    """Start, end, position of the delimiter behind, lines inside, of the field at ``at``; end = -1: the quote never closes."""
    size = data.shape[0]
    start, end, lines = at, -1, 0
    quoted = at < size and data[at] == _QUOTE
    if quoted:
        end, lines = _quoted(data, at + 1)
        if end >= size:
            return at, -1, size, lines
        start, at = at + 1, end + 1
    while at < size and data[at] != _COMMA and data[at] != _LF:
        at += 1
    return start, end if quoted else at, at, lines


@njit(cache=True, nogil=True, error_model="numpy")
def _take(data: Bytes, span: tuple[Whole, Whole], cell: tuple[Whole, Whole], wanted: Wanted, out: Columns) -> Whole:
    """Put one field into its column; a reason other than ``OK`` stops the reading."""
    start, end = span
    row, role = cell
    if role >= NUMBER:
        place = role - NUMBER
        value = thousandths(data, start, end)
        if value == SLOW:
            return BAD_NUMBER
        if value != MISSING and (value < wanted.ranges[place, 0] or value > wanted.ranges[place, 1]):
            return OUT_OF_RANGE
        out.values[row, place] = value
        return OK
    start, end = trim(data, start, end)
    if start == end:
        return EMPTY
    side = 0 if role == SITE else 2
    out.places[row, side], out.places[row, side + 1] = start, end
    if role != SITE:
        out.when[row] = instant(data, start, end, wanted.offset)
    return OK


@njit(cache=True, nogil=True, error_model="numpy")
def _row(data: Bytes, at: Whole, row: Whole, wanted: Wanted, out: Columns) -> tuple[Whole, Whole, Whole, Whole, Whole, Whole]:
    """Read one row: reason, column, start and end of its last field, the place behind the row, lines inside quotes."""
    columns = wanted.roles.shape[0]
    column, lines = 0, 0
    while True:
        first, last, at, inside = _field(data, at)
        lines += inside
        more = at < data.shape[0] and data[at] == _COMMA
        reason = OPEN_QUOTE if last < 0 else LONG_ROW if column >= columns else OK
        if reason == OK and wanted.roles[column] != IGNORED:
            reason = _take(data, (first, last), (row, wanted.roles[column]), wanted, out)
        if reason == OK and not more and column + 1 < columns:
            reason = SHORT_ROW
        if reason != OK or not more:
            return reason, column, first, max(first, last), at + 1, lines
        at += 1
        column += 1


@njit(cache=True, nogil=True, error_model="numpy")
def read(data: Bytes, start: int, wanted: Wanted, out: Columns, report: Longs) -> Whole:
    """Read rows of CSV into columns; stops at the first bad field.

    Parameters
    ----------
    data : (n,) uint8
        UTF-8 text.
    start : int
        First byte behind the header.
    wanted : Wanted
    out : Columns
        Written.
    report : (5,) int64
        Written: reason, line, column, start and end of the bad field.

    Returns
    -------
    int
        Rows read.
    """
    at, row, line = start, 0, 0
    while at < data.shape[0]:
        blank = _blank(data, at)
        if blank:
            at, line = at + blank, line + 1
            continue
        out.lines[row] = line
        reason, column, first, last, at, inside = _row(data, at, row, wanted, out)
        if reason != OK:
            report[0], report[1], report[2], report[3], report[4] = reason, line, column, first, last
            return row
        line += 1 + inside
        row += 1
    return row


@njit(cache=True, nogil=True, error_model="numpy")
def _blank(data: Bytes, at: Whole) -> Whole:
    """Length of an empty line at ``at`` with its end; 0 if the line is not empty."""
    if data[at] == _LF:
        return 1
    if data[at] == _CR and (at + 1 >= data.shape[0] or data[at + 1] == _LF):
        return 2
    return 0


@njit(cache=True, nogil=True, error_model="numpy")
def _same(data: Bytes, one: tuple[Whole, Whole], other: tuple[Whole, Whole]) -> Whole:
    """Whether two spans hold the same bytes."""
    size = one[1] - one[0]
    equal = size == other[1] - other[0]
    step = 0
    while equal and step < size:
        equal = data[one[0] + step] == data[other[0] + step]
        step += 1
    return equal


@njit(cache=True, nogil=True, error_model="numpy")
def intern(data: Bytes, places: Longs, slots: Ints, owner: Ints, first: Ints) -> Whole:
    """Number equal texts alike, in order of first appearance.

    Parameters
    ----------
    data : (n,) uint8
    places : (r, 4) int64
        Start and end of each text in the first two columns.
    slots : (2^m,) int32
        Scratch hash table, -1 everywhere, larger than r.
    owner : (r,) int32
        Written: number of each row's text.
    first : (r,) int32
        Written: row in which each number appeared first.

    Returns
    -------
    int
        How many different texts there are.
    """
    found, mask = 0, slots.shape[0] - 1
    for row in range(places.shape[0]):
        own = (places[row, 0], places[row, 1])
        if row and _same(data, own, (places[row - 1, 0], places[row - 1, 1])):
            owner[row] = owner[row - 1]
            continue
        code = np.uint64(14_695_981_039_346_656_037)
        for place in range(own[0], own[1]):
            code = (code ^ np.uint64(data[place])) * np.uint64(1_099_511_628_211)
        slot = np.int64(code & np.uint64(mask))
        while slots[slot] >= 0 and not _same(data, own, (places[first[slots[slot]], 0], places[first[slots[slot]], 1])):
            slot = (slot + 1) & mask
        if slots[slot] < 0:
            slots[slot], first[found] = found, row
            found += 1
        owner[row] = slots[slot]
    return found
