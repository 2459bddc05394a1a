"""Times of foreign payloads: by the registered form only; another unit that would fit is named, never taken. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import Final

from domain.civil import parse_time
from domain.errors import NotUnderstood
from domain.reasons import FUTURE_S
from ingest.decoders.samples import shown

PER_SECOND: Final = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
FIRST: Final = 946_684_800
"""2000-01-01: no device of the field measured before."""
FARTHEST: Final = 2**70
"""Seconds: beyond them a number is a time in no unit, and may be one that Python can neither divide nor write."""
_FRACTION: Final = re.compile(r"[.,]\d+(?=(?:Z|z|[+-]\d{2}:?\d{2})?$)")
_COMPACT: Final = re.compile(r"(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z")
_DIGITS: Final = re.compile(r"\d{14}(?:\d{3})?")
"""``yyyyMMddHHmmss``; old loggers add milliseconds (HJ/T 212-2005 in the field)."""


def instant(said: object, form: str, zone: tzinfo | None, received: int) -> int:
    """Instant of a time as it was said [s]; fractions of a second are cut off.

    Parameters
    ----------
    form : str
        One of :data:`domain.rules.TIME_FORMATS`.
    zone : tzinfo, optional
        For texts without offset.
    received : int
        Receive time [s]: a number that fits another unit better is refused, and the unit named.

    Raises
    ------
    NotUnderstood
        ``naive-time``, or ``bad-schema``.
    """
    if form in PER_SECOND:
        return _number(said, form, received)
    if not isinstance(said, str):
        raise NotUnderstood(f"时间应为文本 a time as text is expected ({form}), not {shown(said)}", "bad-schema")
    try:
        return _text(said.strip(), form, zone)
    except (ValueError, OverflowError) as error:
        naive = str(error).startswith("no offset")
        raise NotUnderstood(str(error)[:120], "naive-time" if naive else "bad-schema") from None


def _number(said: object, form: str, received: int) -> int:
    if isinstance(said, bool) or not isinstance(said, int | float):
        raise NotUnderstood(f"时间应为数字 a time as a number ({form}) is expected, not {shown(said)}", "bad-schema")
    try:
        time = int(said // PER_SECOND[form])
    except (ValueError, OverflowError):
        raise NotUnderstood(f"time {said!r:.40} is no number", "not-finite") from None
    if abs(time) > FARTHEST:
        raise NotUnderstood("不是时间 no time: it lies beyond every calendar", "bad-schema")
    if not FIRST <= time <= received + FUTURE_S:
        fit = [unit for unit, each in PER_SECOND.items() if FIRST <= said / each <= received + FUTURE_S]
        if fit:
            raise NotUnderstood(f"时间 {said} 不是 {form}，像是 {fit[0]} not in {form}: it would fit {fit[0]}; register the unit of the time", "bad-schema")
    return time


def _text(said: str, form: str, zone: tzinfo | None) -> int:
    if form == "compact":
        parts = _COMPACT.fullmatch(said)
        if parts:
            year, month, day, hour, minute, second = map(int, parts.groups())
            return int(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp())
        if not said.endswith("Z"):
            raise ValueError(f"not a time in UTC: {said!r}")
        return parse_time(_FRACTION.sub("", said))
    if form == "hj212":
        return digits(said, zone)
    return parse_time(_FRACTION.sub("", said), zone)


@lru_cache(20_000)
def digits(said: str, zone: tzinfo | None) -> int:
    """Instant of ``yyyyMMddHHmmss`` in a zone; ValueError otherwise."""
    if zone is None:
        raise ValueError(f"no offset: {said!r}")
    if not _DIGITS.fullmatch(said) or not said.isascii():
        raise ValueError(f"not a time: {said!r:.40}")
    year, month, day = int(said[:4]), int(said[4:6]), int(said[6:8])
    return int(datetime(year, month, day, int(said[8:10]), int(said[10:12]), int(said[12:14]), tzinfo=zone).timestamp())
