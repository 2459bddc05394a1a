"""The one glance at a message before it is journalled: its topic, and how many readings under which numbers. It never fails."""

from __future__ import annotations

from typing import Any

from domain.message import scan
from domain.reasons import MAX_MESSAGE
from ingest.decoders.hj212_read import count


def topic_of(message: Any) -> str:
    """The topic of the client library's message; one that is no text is kept under a question mark."""
    try:
        return str(message.topic)
    except UnicodeDecodeError:
        return "?"


def look(payload: bytes) -> tuple[int, list[tuple[int, int]]]:
    """Number of readings and their (run, seq); the bytes are kept even if looking at them fails."""
    try:
        return (count(payload[:MAX_MESSAGE]), []) if payload[:2] == b"##" else scan(payload)
    except Exception:  # noqa: BLE001  decoding happens behind the journal, where it can be repaired
        return 1, []
