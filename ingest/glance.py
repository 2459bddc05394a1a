"""The one glance at a message before it is journalled: how many readings under which numbers. It never fails."""

from __future__ import annotations

from domain.message import scan
from domain.reasons import MAX_MESSAGE
from ingest.decoders.hj212_read import count


def look(payload: bytes) -> tuple[int, list[tuple[int, int]]]:
    """Number of readings and their (run, seq); the bytes are kept even if looking at them fails."""
    try:
        return (count(payload[:MAX_MESSAGE]), []) if payload[:2] == b"##" else scan(payload)
    except Exception:  # noqa: BLE001  decoding happens behind the journal, where it can be repaired
        return 1, []
