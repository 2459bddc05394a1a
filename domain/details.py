"""What stands in the text of a stored figure or event beside its numbers."""

from __future__ import annotations

import json
from typing import Any, Final

WITHDRAWN: Final = "已撤销 withdrawn: "
"""Begins the text of an event that later readings explained; an event is kept for ever, what it says is not."""


def details(text: str) -> dict[str, Any]:
    """The object that a text holds; no other text holds one: items joined by ``+``, words for a person, none at all.

    >>> details('{"why": "no order"}'), details("pm25+o3_8h"), details("[1]"), details("")
    ({'why': 'no order'}, {}, {}, {})
    """
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
