"""Events of a range, newest first, a page of them at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from api.params import Span, pack, unpack, window
from api.sources import Sources
from domain.indicators import Event

MOST: Final = 100_000
MOST_DAYS: Final = 3_660


def newest(sources: Sources, span: Span, limit: int, wanted: Callable[[Event], bool]) -> tuple[list[Event], str | None]:
    """Events that are wanted, of the last month unless the caller says otherwise, and the cursor of the next page."""
    asked = window(span, sources.now(), days=31, most=MOST_DAYS)
    after = unpack(span.cursor, int, str, str)
    found = [row for row in sources.figures.event_rows(asked.start, asked.end, MOST) if wanted(row)]
    left = [row for row in sorted(found, key=_key, reverse=True) if after is None or _key(row) < after]
    return left[:limit], pack(_key(left[limit - 1])) if len(left) > limit else None


def _key(row: Event) -> tuple[int, str, str]:
    return row.time, row.kind, row.source
