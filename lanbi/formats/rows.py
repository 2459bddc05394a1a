"""What a file says, row by row, and the two questions asked of every cell: is it missing, and is it a number or a time."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from math import isfinite
from typing import Final, NamedTuple

from domain.civil import DAY_S, HOUR_S, OFFSET_S, SHANGHAI, day_end, parse_date, parse_time

_NUMBER: Final = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
_MIDNIGHT: Final = re.compile(r"[T ]0?0:00(?::00)?$")
_FIRST: Final = 946_684_800 - OFFSET_S
"""2000-01-01 +08:00: no station reported before."""
_LAST: Final = 4_102_444_800 - OFFSET_S


class Row(NamedTuple):
    """One source's values for one time and span; without values it is empty: a line of the file, but no reading.

    Attributes
    ----------
    names : tuple of str
        Under which names the place may be registered, the surest first.
    time : int [s]
        End of the span, UTC epoch.
    span : int [s]
        0 = a moment.
    values : mapping of item to float or None
        In the items' units; missing items are absent. None = the source says that there is no value at this time.
    published : (float, str) or None
        AQI and level that the source published beside the concentrations.
    flags : mapping of item to letter
    number : int or None
        Which of several words on one place and time stands, where the source itself tells: the largest.
    """

    line: int
    kind: str
    """Table of the registry: city, air_station, water_section or meter."""
    names: tuple[str, ...]
    time: int
    span: int
    values: Mapping[str, float | None]
    title: str = ""
    area: str = ""
    published: tuple[float, str] | None = None
    flags: Mapping[str, str] = {}
    number: int | None = None


class Said(NamedTuple):
    """A row that a person answers for, such as a reported value: no reading, but evidence."""

    line: int
    kind: str
    body: Mapping[str, str]


class Fault(NamedTuple):
    """A cell that cannot be read."""

    line: int
    column: str
    what: str
    todo: str


def trimmed(text: str) -> str:
    """The text without any Unicode space around it; a feed ends names in an ideographic one.

    >>> trimmed(" 区政府" + chr(0x3000))
    '区政府'
    """
    return text.strip().strip("\ufeff\u200b").strip()


@lru_cache(maxsize=65_536)
def number(text: str) -> float:
    """The float whose shortest text is the written decimal.

    >>> number("133.0"), number("1.44e2")
    (133.0, 144.0)

    Raises
    ------
    ValueError
        Anything but a finite decimal number.
    """
    value = float(text) if _NUMBER.fullmatch(text) else float("nan")
    if not isfinite(value):
        words = f"not a number: {text[:40]!r}"
        raise ValueError(words)
    return value


@lru_cache(maxsize=65_536)
def thousandth(text: str) -> float:
    """A thousandth of the written decimal, exactly (µg/m³ as mg/m³).

    >>> thousandth("900.0")
    0.9
    """
    number(text)
    return float(Decimal(text).scaleb(-3))


def _within(time: int, text: str) -> int:
    if not _FIRST <= time <= _LAST:
        words = f"not a time of 2000 … 2099: {text[:40]!r}"
        raise ValueError(words)
    return time


@lru_cache(maxsize=65_536)
def instant(text: str) -> int:
    """Instant of a time; without an offset it is Beijing time."""
    try:
        return _within(parse_time(text, SHANGHAI), text)
    except (ValueError, OverflowError):
        words = f"not a time: {text[:40]!r}"
        raise ValueError(words) from None


@lru_cache(maxsize=65_536)
def hour(text: str) -> int:
    """End label of an hour."""
    time = instant(text)
    if time % HOUR_S:
        words = f"not a whole hour: {text[:40]!r}"
        raise ValueError(words)
    return time


@lru_cache(maxsize=65_536)
def day(text: str) -> int:
    """End label of a civil day, its 24:00; a workbook's date at midnight is that date."""
    plain = _MIDNIGHT.sub("", text)
    if re.fullmatch(r"\d{8}", plain):
        plain = f"{plain[:4]}-{plain[4:6]}-{plain[6:]}"
    try:
        return _within(day_end(parse_date(plain)) - DAY_S, text) + DAY_S
    except (ValueError, OverflowError):
        words = f"not a date: {text[:40]!r}"
        raise ValueError(words) from None


def day_and_hour(date: str, of_day: str) -> int:
    """End label from a date and an hour 0 … 24; hour 00 is the 24 h of the day before.

    >>> day_and_hour("20200402", "08") - day_and_hour("2020-04-02", "0")
    28800
    """
    if not re.fullmatch(r"\d{1,2}(\.0)?", of_day) or int(float(of_day)) > 24:
        words = f"not an hour 0 … 24: {of_day[:40]!r}"
        raise ValueError(words)
    return day(date) - DAY_S + int(float(of_day)) * HOUR_S
