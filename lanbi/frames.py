"""The journal's bytes: frames and trailers, and how to find them again behind damage. Pure.

::

    frame    "LBJF" length crc  seq received_ns door flags readings topic_length  topic payload
    trailer  "LBJT" length crc  last_seq records readings committed_ns sha256

Numbers are little-endian. ``length`` counts everything behind the first twelve bytes and ``crc`` covers the same, so a
frame proves itself alone. A trailer closes one commit: running totals since the journal began, and SHA-256 over the
previous trailer's digest and the group's bytes. What no trailer follows was never acknowledged.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Iterator
from typing import Final, NamedTuple

FRAME: Final = b"LBJF"
TRAILER: Final = b"LBJT"
_HEAD: Final = struct.Struct("<4sII")
_FRAME: Final = struct.Struct("<QQBBHH")
_TRAILER: Final = struct.Struct("<QQQQ32s")
TRAILER_SIZE: Final = _HEAD.size + _TRAILER.size
MAX_BODY: Final = 1 << 20
NO_DIGEST: Final = bytes(32)

DOORS: Final = ("mqtt", "hj212", "import", "person")
QOS1: Final = 1
RETAINED: Final = 2
DUP: Final = 4


class Record(NamedTuple):
    """One journalled message."""

    writer: str
    seq: int
    received_ns: int
    flags: int
    readings: int
    topic: str
    payload: bytes

    @property
    def reference(self) -> str:
        """``writer/sequence``, as dead letters and restatements name it."""
        return f"{self.writer}/{self.seq}"


class Trailer(NamedTuple):
    """Running totals at a commit; ``digest`` chains the commits."""

    last_seq: int
    records: int
    readings: int
    committed_ns: int
    digest: bytes


EMPTY: Final = Trailer(0, 0, 0, 0, NO_DIGEST)


class Damage(NamedTuple):
    """Bytes that are no whole frame."""

    offset: int
    size: int


class Piece(NamedTuple):
    """What stands at an offset: a record, a trailer, or damage; ``end`` is the offset behind it."""

    what: Record | Trailer | Damage
    end: int


def frame(record: Record) -> bytes:
    """Bytes of a record."""
    topic = record.topic.encode()
    door = DOORS.index(record.writer)
    body = _FRAME.pack(record.seq, record.received_ns, door, record.flags, record.readings, len(topic)) + topic + record.payload
    return _HEAD.pack(FRAME, len(body), zlib.crc32(body)) + body


def trailer(before: Trailer, group: bytes, totals: Trailer) -> tuple[bytes, Trailer]:
    """Bytes of the trailer that closes ``group``, and the trailer with its digest."""
    numbers = struct.pack("<QQQQ", *totals[:4])
    digest = hashlib.sha256(before.digest + group + numbers).digest()
    body = _TRAILER.pack(*totals[:4], digest)
    return _HEAD.pack(TRAILER, len(body), zlib.crc32(body)) + body, totals._replace(digest=digest)


def pieces(data: bytes, start: int = 0) -> Iterator[Piece]:
    """Everything from ``start`` on, in order; damage costs only the frames it lies in.

    An unfinished piece at the end is reported as damage that reaches to the end.
    """
    at = start
    while at < len(data):
        found = _piece(data, at)
        if found is None:
            end = _resume(data, at + 1)
            found = Piece(Damage(at, end - at), end)
        yield found
        at = found.end


def _piece(data: bytes, at: int) -> Piece | None:
    if at + _HEAD.size > len(data):
        return None
    magic, length, crc = _HEAD.unpack_from(data, at)
    body_at = at + _HEAD.size
    if magic not in (FRAME, TRAILER) or length > MAX_BODY or body_at + length > len(data):
        return None
    body = data[body_at : body_at + length]
    if zlib.crc32(body) != crc:
        return None
    what = _record(body) if magic == FRAME else _totals(body)
    return Piece(what, body_at + length) if what else None


def _record(body: bytes) -> Record | None:
    if len(body) < _FRAME.size:
        return None
    seq, received, door, flags, readings, size = _FRAME.unpack_from(body)
    topic_end = _FRAME.size + size
    if door >= len(DOORS) or topic_end > len(body):
        return None
    return Record(DOORS[door], seq, received, flags, readings, body[_FRAME.size : topic_end].decode(errors="replace"), body[topic_end:])


def _totals(body: bytes) -> Trailer | None:
    return Trailer(*_TRAILER.unpack(body)) if len(body) == _TRAILER.size else None


def _resume(data: bytes, at: int) -> int:
    """Offset of the next whole piece at or behind ``at``; the end if there is none."""
    while at < len(data):
        marks = [place for place in (data.find(FRAME, at), data.find(TRAILER, at)) if place >= 0]
        if not marks:
            return len(data)
        at = min(marks)
        if _piece(data, at):
            return at
        at += 1
    return len(data)


def last_trailer(data: bytes) -> tuple[Trailer, int] | None:
    """The last whole trailer and the offset behind it."""
    at = len(data)
    while (at := data.rfind(TRAILER, 0, at)) >= 0:
        found = _piece(data, at)
        if found and isinstance(found.what, Trailer):
            return found.what, found.end
    return None
