"""Exporting records as JSON lines, one a record, in bounded memory."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from domain.civil import iso
from lanbi.frames import DUP, QOS1, RETAINED, Record
from lanbi.journal import JournalReader, between
from lanbi.journal_reader import Loss

NS = 1_000_000_000
STEP = 100


class Range(NamedTuple):
    """Which records: receive times since ≤ t < to [ns], and sequence numbers first ≤ n ≤ last."""

    since_ns: int = 0
    to_ns: int = 2**63
    first: int = 1
    last: int = 2**63


def records(folder: Path, writer: str, wanted: Range, losses: list[Loss]) -> Iterator[Record]:
    """The records of a range; damage that was passed over is appended to ``losses``."""
    if wanted.first == 1 and wanted.last == 2**63:
        yield from between(folder, writer, wanted.since_ns, wanted.to_ns, losses.append)
        return
    reader = JournalReader(folder, writer, wanted.first - 1)
    while found := reader.read(STEP):
        yield from (one for one in found if one.seq <= wanted.last and wanted.since_ns <= one.received_ns < wanted.to_ns)
        if found[-1].seq >= wanted.last:
            break
    losses += reader.take_losses()


def line(record: Record) -> str:
    """A record as a JSON line; ``payload`` is its text, or ``payload_base64`` its bytes where they are no text.

    >>> line(Record("mqtt", 7, 1_760_000_000_000_000_001, 1, 1, "lanbi/v1/d/data", b"{}"))[:66]
    '{"record": "mqtt/7", "received": "2025-10-09T16:53:20+08:00", "rec'
    """
    body: dict[str, object] = {
        "record": record.reference,
        "received": iso(record.received_ns // NS),
        "received_ns": record.received_ns,
        "topic": record.topic.encode(errors="surrogateescape").decode(errors="backslashreplace"),
        "readings": record.readings,
        "flags": [name for bit, name in ((QOS1, "qos1"), (RETAINED, "retained"), (DUP, "dup")) if record.flags & bit],
    }
    try:
        body["payload"] = record.payload.decode()
    except UnicodeDecodeError:
        body["payload_base64"] = base64.b64encode(record.payload).decode()
    return json.dumps(body, ensure_ascii=False)
