"""What stands in columns of ``state.db`` as objects, and back; and how a job's wish becomes a condition."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from domain.readings import Reading
from ingest.jobs import Job
from ingest.ports import Cells, Refused

decode_row: Final = msgspec.json.Decoder(Reading).decode
decode_job: Final = msgspec.json.Decoder(Job).decode
decode_cells: Final = msgspec.json.Decoder(Cells).decode
STANDS: Final = "NOT EXISTS (SELECT 1 FROM resolved WHERE resolved.id = refused.id)"
"""Of a refusal: nothing settled it since."""


def text(row: Reading | None) -> str | None:
    """A reading as it is kept."""
    return None if row is None else msgspec.json.encode(row).decode()


def row(text: str | None) -> Reading | None:
    """A reading that was kept."""
    return None if text is None else decode_row(text)


def numbered(rows: Iterable[Sequence[Any]]) -> list[tuple[int, Refused]]:
    """Refusals by their numbers."""
    return [(row[0], Refused(*row[1:])) for row in rows]


def packed(job: Job) -> tuple[str, int, bool, str]:
    """A job as it is kept."""
    return job.id, job.asked_ns, job.open, msgspec.json.encode(job).decode()


def asked_for(job: Job) -> tuple[str, list[object]]:
    """Condition on refusals, and its values."""
    given: list[tuple[str, object]] = [("reason", job.reason), ("device", job.device), ("source", job.source)]
    parts = [STANDS, "received_ns BETWEEN ? AND ?", *(f"{name} = ?" for name, value in given if value is not None)]
    values: list[object] = [job.since_ns, job.to_ns, *(value for _, value in given if value is not None)]
    if job.ids is not None:
        parts.append("id IN (SELECT value FROM json_each(?))")
        values.append(msgspec.json.encode(job.ids).decode())
    return " AND ".join(parts), values
