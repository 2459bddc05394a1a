"""What was refused: rows that find the bytes again in the journal, and the word that goes back to the device. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from domain.message import Refusal
from ingest.accept import ID, IMPORT, WHOLE, Verdict, outcome
from ingest.decoders.native import elements
from ingest.ports import Record, Refused


class Answer(NamedTuple):
    """What a device is told on its ``error`` topic."""

    device: str
    body: Mapping[str, object]


def digest(payload: bytes, item: str | None = None) -> bytes:
    """By which bytes that were refused before are known again; an item of a reading is another matter than the reading."""
    return hashlib.blake2b(payload, digest_size=16, person=b"item" if item else b"whole", key=(item or "").encode()[:64]).digest()


def bytes_of(record: Record, element: int) -> bytes:
    """The bytes of an element of a message; of the whole message if it cannot be taken apart."""
    if element == WHOLE:
        return record.payload
    parts = elements(record.payload)
    return parts[element] if element < len(parts) else record.payload


def plain(text: str, most: int = 200) -> str:
    """A foreign text as it may be kept and sent on: not endless, and without halves of characters, which are no text to a database."""
    return text[:most].encode(errors="backslashreplace").decode()


def rows(record: Record, verdict: Verdict, refusals: Iterable[Refusal]) -> list[Refused]:
    """Rows of a reading's refusals; the journal keeps the bytes."""
    payload = bytes_of(record, verdict.element) if record.writer == IMPORT else record.payload
    return [
        Refused(
            outcome(one.reason), one.reason, plain(one.detail, 300), item_of(one), plain(verdict.device), plain(verdict.source), verdict.run, verdict.seq,
            record.writer, record.seq, verdict.element, record.received_ns, plain(record.topic), digest(payload, item_of(one)),
        )
        for one in refusals
    ]  # fmt: skip


def item_of(refusal: Refusal) -> str | None:
    """The item as it is kept; None if the whole reading was refused."""
    return None if refusal.item is None else plain(refusal.item, 32)


def answers(refused: Iterable[Refused]) -> list[Answer]:
    """Words for the devices that sent these; imports and broken topics have nobody to tell."""
    return [Answer(one.device, _body(one)) for one in refused if ID.fullmatch(one.device)]


def _body(one: Refused) -> dict[str, object]:
    body: dict[str, object] = {"seq": one.number, "reason": one.reason, "item": one.item, "detail": one.detail}
    if one.number is not None:
        body["run"] = one.run
    return {name: value for name, value in body.items() if value is not None}
