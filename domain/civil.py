"""Civil time of China: the only place that knows UTC+8, end labels and days 01…24.

An instant is an ``int``: seconds since 1970-01-01T00:00:00Z. An hour is named by its **end**; a civil day is its hours
01…24, so the label 00:00 belongs to the day before (GB 3095-2026 §3; field practice since 2015-08). A day is an ``int``
too: civil days since 1970-01-01. China has had no daylight saving since 1991; the offset is a constant here on purpose,
so that no zone database of a machine can move a published figure.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from typing import Final

import numpy as np
import numpy.typing as npt

OFFSET_S: Final = 28_800
HOUR_S: Final = 3_600
DAY_S: Final = 86_400
SHANGHAI: Final = timezone(timedelta(seconds=OFFSET_S), "Asia/Shanghai")
_EPOCH = date(1970, 1, 1)
_TIME = re.compile(
    r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:[T ](\d{1,2}):(\d{2})(?::(\d{2})(\.\d+)?)?)?\s*(Z|z|[+-]\d{2}:?\d{2})?",
    re.ASCII,
)

DayArray = npt.NDArray[np.int32]
TimeArray = npt.NDArray[np.int64]


def day_of(label: int) -> int:
    """Civil day that an end label belongs to; 00:00 is hour 24 of the day before.

    >>> date_of(day_of(parse_time("2026-03-01T00:00:00+08:00"))).isoformat()
    '2026-02-28'
    """
    return (label + OFFSET_S - 1) // DAY_S


def day_of_array(labels: TimeArray) -> DayArray:
    """Civil day of each end label: (n,) int64 [s] to (n,) int32 [d]."""
    return ((labels + (OFFSET_S - 1)) // DAY_S).astype(np.int32)


def hour_of(label: int) -> int:
    """Hour 1…24 of the civil day in which the span that ends at ``label`` ends."""
    return (label + OFFSET_S - 1) % DAY_S // HOUR_S + 1


def day_start(day: int) -> int:
    """Instant at which the day begins (its 00:00, which is the label of the day before)."""
    return day * DAY_S - OFFSET_S


def day_end(day: int) -> int:
    """Label of the day's hour 24: 00:00 of the next day."""
    return day_start(day + 1)


def day_number(day: date) -> int:
    """Civil day number of a date."""
    return (day - _EPOCH).days


def date_of(day: int) -> date:
    """Date of a civil day number."""
    return _EPOCH + timedelta(days=day)


def year_of_day(day: int) -> int:
    """Calendar year of a civil day."""
    return date_of(day).year


def year_days(year: int) -> tuple[int, int]:
    """First and last civil day of a year, both included."""
    return day_number(date(year, 1, 1)), day_number(date(year, 12, 31))


def year_span(year: int) -> tuple[int, int]:
    """Labels of a year: start (excluded) and end (included) [s]."""
    first, last = year_days(year)
    return day_start(first), day_end(last)


def month_of_day(day: int) -> tuple[int, int]:
    """Year and month of a civil day."""
    when = date_of(day)
    return when.year, when.month


def period_stamp(day: int) -> int:
    """Time of a day, month or year record: 00:00 +08:00 of the period's last day."""
    return day_start(day)


def iso(instant: int) -> str:
    """RFC 3339 text in +08:00.

    >>> iso(0)
    '1970-01-01T08:00:00+08:00'
    """
    return datetime.fromtimestamp(instant, SHANGHAI).isoformat()


def parse_date(text: str) -> int:
    """Civil day number of ``2025-01-31`` (also with slashes or without leading zeros); ValueError otherwise."""
    parts = re.fullmatch(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})", text.strip(), re.ASCII)
    if not parts:
        message = f"not a date: {text!r}"
        raise ValueError(message)
    try:
        return day_number(date(int(parts[1]), int(parts[2]), int(parts[3])))
    except ValueError as error:
        message = f"not a date: {text!r}: {error}"
        raise ValueError(message) from None


def parse_time(text: str, naive: tzinfo | None = None) -> int:
    """Instant of an RFC 3339 text, in whole seconds.

    Parameters
    ----------
    text : str
        ``2026-11-23T08:00:00+08:00``; a space for ``T``, slashes and missing seconds are taken, ``24:00`` is the end of its day.
    naive : tzinfo, optional
        Zone for a text without offset; without one such a text is refused, for a guess would move a value by hours.

    Raises
    ------
    ValueError
        Not a time, a fraction of a second, or naive without a zone.
    """
    parts = _TIME.fullmatch(text.strip())
    if not parts:
        message = f"not a time: {text!r}"
        raise ValueError(message)
    year, month, day, hour, minute, second = (int(part or 0) for part in parts.groups()[:6])
    if parts[7] and parts[7].strip(".0"):
        message = f"not a whole second: {text!r}"
        raise ValueError(message)
    zone = _zone(parts[8]) if parts[8] else naive
    if zone is None:
        message = f"no offset: {text!r}"
        raise ValueError(message)
    late = timedelta(days=1) if (hour, minute, second) == (24, 0, 0) else timedelta()
    try:
        when = datetime(year, month, day, 0 if late else hour, minute, second, tzinfo=zone) + late
    except (ValueError, OverflowError) as error:
        message = f"not a time: {text!r}: {error}"
        raise ValueError(message) from None
    return int(when.timestamp())


def _zone(text: str) -> tzinfo:
    if text in "Zz":
        return UTC
    sign = -1 if text[0] == "-" else 1
    return timezone(sign * timedelta(hours=int(text[1:3]), minutes=int(text[-2:])))
