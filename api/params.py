"""What callers may say in a query: times, ranges with a budget, page sizes and cursors."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final, NamedTuple

from fastapi import Depends, Path, Query

from api.problems import wrong
from domain.civil import DAY_S, day_end, day_of, day_start, parse_date, parse_time

ID: Final = r"^[A-Za-z0-9_.-]{1,64}$"
MAX_LIMIT: Final = 10_000
FARTHEST: Final = 2**40
"""Beyond any time that can be asked for; keeps cursors inside the store's integers."""
_DATE = re.compile(r"\d{4}[-/]\d{1,2}[-/]\d{1,2}")
_LOST_PLUS = re.compile(r"(?<=\d) (\d\d:\d\d)$")

Place = Annotated[str, Path(pattern=ID, description="登记编号 registered id")]
Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="每页行数 rows a page")]
From = Annotated[str | None, Query(alias="from", max_length=40, description="起：RFC 3339 或日期 time with offset, or a civil day; exclusive")]
To = Annotated[str | None, Query(max_length=40, description="止：RFC 3339 或日期 time with offset, or a civil day; inclusive")]
Cursor = Annotated[str | None, Query(max_length=600, description="上一页的 next the last answer's next")]


@dataclass(frozen=True, slots=True)
class Span:
    """From, to and cursor as they came."""

    since: str | None
    to: str | None
    cursor: str | None


async def _span(since: From = None, to: To = None, cursor: Cursor = None) -> Span:
    return Span(since, to, cursor)


Asking = Annotated[Span, Depends(_span)]


class Window(NamedTuple):
    """Times with start < time ≤ end."""

    start: int
    end: int


def window(asked: Span, now: int, *, days: int, most: int) -> Window:
    """Range of times asked for.

    Parameters
    ----------
    days : int [d]
        Length when ``from`` is not given.
    most : int [d]
        The budget: longer ranges are refused with a word on how to page.
    """
    end = _instant("to", asked.to, late=True) if asked.to else day_end(day_of(now))
    start = _instant("from", asked.since, late=False) if asked.since else end - days * DAY_S
    if start >= end:
        raise wrong("from", "from 必须早于 to。", "from must be before to.")
    if end - start > most * DAY_S:
        raise wrong("from", f"时间范围最长 {most} 天，请分段查询。", f"The range may be {most} days at most: ask in parts.")
    return Window(start, end)


def day_window(asked: Window) -> Window:
    """The same civil days as stamps of day records, which are stamped with their day's first instant."""
    return Window(day_start(day_of(asked.start + 1)) - 1, day_start(day_of(asked.end)))


def _instant(name: str, text: str, *, late: bool) -> int:
    """A time, or a civil day: its beginning for ``from``, its end for ``to``."""
    try:
        if _DATE.fullmatch(text):
            day = parse_date(text)
            return day_end(day) if late else day_start(day)
        # A + that was not percent-encoded arrives as a space; nothing else ends like that.
        return parse_time(_LOST_PLUS.sub(r"+\1", text))
    except (ValueError, OverflowError):
        said = "写作 2025-10-01T00:00:00+08:00 或 2025-10-01。"
        raise wrong(name, f"{name} 不是时间，请{said}", f"{name} is no time: write 2025-10-01T00:00:00+08:00 or 2025-10-01.") from None


def pack(key: Sequence[object]) -> str:
    """Cursor that names the last row of a page."""
    return base64.urlsafe_b64encode(json.dumps(list(key)).encode()).decode().rstrip("=")


def unpack(cursor: str | None, *kinds: type) -> tuple[object, ...] | None:
    """Key of a cursor, checked part by part: a forged one is refused like a mistyped one."""
    if cursor is None:
        return None
    refusal = wrong("cursor", "cursor 无效，请原样使用上一页的 next，或去掉它从头开始。", "Not a cursor: use the last answer's next as it is, or none.")
    try:
        key = json.loads(base64.b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4), b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        raise refusal from None
    if not isinstance(key, list) or len(key) != len(kinds) or not all(_fits(part, kind) for part, kind in zip(key, kinds, strict=True)):
        raise refusal
    return tuple(key)


def _fits(part: object, kind: type) -> bool:
    if type(part) is not kind:
        return False
    return abs(part) < FARTHEST if isinstance(part, int) else str(part).isascii() and len(str(part)) <= 64
