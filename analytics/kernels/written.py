"""Decimals and times written in bytes become integers, exactly."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from analytics.kernels.whole import MISSING, Whole, half_even

Bytes = npt.NDArray[np.uint8]
SLOW = -(2**63)
"""No number; or a time in another form than ``YYYY-MM-DD[T ]hh:mm[:ss][+hh:mm|Z]``, which is left to the caller."""
_CR, _SPACE, _TAB, _ZERO = 13, 32, 9, 48
_TOO_LARGE = 2**31


@njit(cache=True, nogil=True, error_model="numpy")
def trim(data: Bytes, start: Whole, end: Whole) -> tuple[Whole, Whole]:
    """Start and end without blanks and carriage returns around."""
    while start < end and (data[start] == _SPACE or data[start] == _TAB):
        start += 1
    while end > start and (data[end - 1] == _SPACE or data[end - 1] == _TAB or data[end - 1] == _CR):
        end -= 1
    return start, end


@njit(cache=True, nogil=True, error_model="numpy")
def _whole(data: Bytes, start: Whole, end: Whole) -> Whole:
    """Non-negative integer written in exactly these bytes; -1 if it is none."""
    value: Whole = 0
    for place in range(start, end):
        digit = np.int64(data[place]) - _ZERO
        if digit < 0 or digit > 9:
            return -1
        value = value * 10 + digit
    return value


@njit(cache=True, nogil=True, error_model="numpy")
def _mantissa(data: Bytes, start: Whole, end: Whole) -> tuple[Whole, Whole, Whole, Whole]:
    """Digits of a decimal as an integer, its decimals, 1 if a dropped digit was not zero, and the place behind it.

    18 digits are kept: beyond them only 'something is there' can matter for rounding. No digit at all: decimals = -1000.
    """
    value: Whole = 0
    decimals, seen, point = 0, 0, False
    sticky: Whole = False
    place = start
    while place < end:
        digit: Whole = np.int64(data[place]) - _ZERO
        if data[place] == 46 and not point:
            point = True
        elif 0 <= digit <= 9:
            seen += 1
            full = value >= 10**17
            sticky |= full and digit > 0
            value = value if full else value * 10 + digit
            decimals += (1 if point else 0) - (1 if full else 0)
        else:
            break
        place += 1
    return value, decimals if seen else -1000, sticky, place


@njit(cache=True, nogil=True, error_model="numpy")
def _exponent(data: Bytes, start: Whole, end: Whole) -> tuple[Whole, bool]:
    """Exponent after ``e``, and whether it is well formed; 0 where there is none."""
    if start == end:
        return 0, True
    if data[start] != 101 and data[start] != 69:
        return 0, False
    sign = -1 if start + 1 < end and data[start + 1] == 45 else 1
    first = start + 2 if start + 1 < end and (data[start + 1] == 45 or data[start + 1] == 43) else start + 1
    power = _whole(data, first, min(end, first + 4))
    return sign * power, first < end and power >= 0 and end <= first + 4


@njit(cache=True, nogil=True, error_model="numpy")
def _scaled(value: Whole, places: Whole, sticky: Whole) -> Whole:
    """Value · 10^-places rounded half to even, for value ≥ 0; ``_TOO_LARGE`` beyond int32."""
    if value == 0:
        return 0
    while places < 0 and value < _TOO_LARGE:
        value *= 10
        places += 1
    if places < 0:
        return _TOO_LARGE
    if places > 18:
        return 0
    power = np.int64(1)
    for _ in range(places):
        power *= 10
    low = value // power
    exact_tie = 2 * (value - low * power) == power
    rounded = low + 1 if exact_tie and sticky else half_even(value, power)
    return min(rounded, _TOO_LARGE)


@njit(cache=True, nogil=True, error_model="numpy")
def thousandths(data: Bytes, start: Whole, end: Whole) -> Whole:
    """Thousandths of the decimal in these bytes, half to even; ``MISSING`` for no text, ``SLOW`` for no number.

    Too large for int32 comes back as ±2³¹+, outside every range.
    """
    start, end = trim(data, start, end)
    if start == end:
        return MISSING
    negative = data[start] == 45
    first = start + 1 if negative or data[start] == 43 else start
    value, decimals, sticky, place = _mantissa(data, first, end)
    power, well_formed = _exponent(data, place, end)
    if not well_formed or decimals == -1000:
        return SLOW
    size = _scaled(value, decimals - power - 3, sticky)
    return -size - (size == _TOO_LARGE) if negative else size


@njit(cache=True, nogil=True, error_model="numpy")
def _days(year: Whole, month: Whole, day: Whole) -> Whole:
    """Days since 1970-01-01 of a proleptic Gregorian date (counted from March, so that leap days end a year)."""
    year -= month <= 2
    era = year // 400
    of_era = year - era * 400
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468


@njit(cache=True, nogil=True, error_model="numpy")
def _month_length(year: Whole, month: Whole) -> Whole:
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in (4, 6, 9, 11) else 31


@njit(cache=True, nogil=True, error_model="numpy")
def _date(data: Bytes, start: Whole, end: Whole) -> Whole:
    """Civil day number of ``YYYY-MM-DD``; ``SLOW`` for any other form."""
    if end - start != 10 or data[start + 4] != 45 or data[start + 7] != 45:
        return SLOW
    year, month, day = _whole(data, start, start + 4), _whole(data, start + 5, start + 7), _whole(data, start + 8, end)
    if year < 1 or month < 1 or month > 12 or day < 1 or day > _month_length(year, month):
        return SLOW
    return _days(year, month, day)


@njit(cache=True, nogil=True, error_model="numpy")
def _zone(data: Bytes, start: Whole, end: Whole, offset: Whole) -> Whole:
    """Seconds east of UTC written in these bytes; ``offset`` where there are none."""
    if start == end:
        return offset
    if end - start == 1 and data[start] == 90:
        return 0
    signed = data[start] == 43 or data[start] == 45
    if end - start != 6 or not signed or data[start + 3] != 58:
        return SLOW
    hours, minutes = _whole(data, start + 1, start + 3), _whole(data, start + 4, end)
    if hours < 0 or hours > 23 or minutes < 0 or minutes > 59:
        return SLOW
    return (hours * 3_600 + minutes * 60) * (-1 if data[start] == 45 else 1)


@njit(cache=True, nogil=True, error_model="numpy")
def instant(data: Bytes, start: Whole, end: Whole, offset: Whole) -> Whole:
    """Seconds since 1970 UTC of a time, or civil day of a bare date, in the usual form; ``SLOW`` for any other."""
    start, end = trim(data, start, end)
    if end - start < 16:
        return _date(data, start, end)
    day = _date(data, start, start + 10)
    between = data[start + 10]
    if day == SLOW or between not in (84, _SPACE) or data[start + 13] != 58:
        return SLOW
    hour, minute, second = _whole(data, start + 11, start + 13), _whole(data, start + 14, start + 16), 0
    rest = start + 16
    if rest + 3 <= end and data[rest] == 58:
        second = _whole(data, rest + 1, rest + 3)
        rest += 3
    zone = _zone(data, rest, end, offset)
    clock = 0 <= hour <= 23 and 0 <= minute <= 59 and 0 <= second <= 59
    if zone == SLOW or not clock:
        return SLOW
    return day * 86_400 + hour * 3_600 + minute * 60 + second - zone
