"""Events in words: their text is JSON for programs, and a page for people has no room for braces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from domain.clues import RULES
from domain.codes import both
from domain.details import WITHDRAWN, details
from domain.indicators import Event
from domain.statements import STATES

GONE: Final = "已撤销 withdrawn"
MOST: Final = 200
"""Of a text that is plain words already."""


def gone(row: Event) -> bool:
    """Whether later data took it back: it keeps its place in the store and is no news any more."""
    return row.text.startswith(WITHDRAWN) or bool(details(row.text).get("withdrawn"))


def words(row: Event) -> str:
    """What an event says: from when to when, in which state, by which document.

    >>> words(Event("gap", "m-1", 0, 1.0, "此前最后读数 no reading since 2025-10-14T08:00:00+08:00"))
    '此前最后读数 no reading since 2025-10-14T08:00:00+08:00'
    """
    body = details(row.text)
    if not body:
        return row.text[:MOST]
    if body.get("withdrawn"):
        return GONE
    return _clue(body) if row.kind in RULES else _order(body)


def _clue(body: Mapping[str, Any]) -> str:
    state = str(body.get("state", ""))
    minutes = f"{body['minutes']} 分钟 min" if "minutes" in body else ""
    return "，".join(filter(None, (_span(body), minutes, both(STATES.get(state, (state, state))))))


def _order(body: Mapping[str, Any]) -> str:
    receipt = body.get("receipt")
    answered = f"已回执 confirmed {_minute(receipt.get('time'))}" if isinstance(receipt, dict) else "未回执 not confirmed" if "document" in body else ""
    return "，".join(filter(None, (str(body.get("zh", "")), str(body.get("document", "")), _span(body), answered)))


def _span(body: Mapping[str, Any]) -> str:
    return " – ".join(filter(None, (_minute(body.get("from")), _minute(body.get("to")))))


def _minute(time: object) -> str:
    """A time to the minute, as a page shows it."""
    return str(time or "")[:16].replace("T", " ")
