"""The journal's bytes: headers, frames and trailers, and how to find them again behind damage. Pure.

::

    piece    magic(4) length(4) crc(4) body
    header   "LBJH"  version door salt day | last_seq records readings committed_ns digest     (of the file before)
    frame    "LBJF"  seq received_ns door flags topic_length readings | topic payload
    trailer  "LBJT"  last_seq records readings committed_ns digest | salt

Numbers are little-endian; ``length`` counts the body. A header opens each file. A trailer closes one commit: running
totals since the journal began, and SHA-256 over the digest before, the group's bytes and these totals. What no trailer
follows was never acknowledged.

``crc`` of frames and trailers is CRC32 begun with the file's random ``salt``. Payloads are written by strangers: without
the salt, bytes inside a payload could pose as a frame or a trailer as soon as damage makes a reader search.
"""

from __future__ import annotations

import hashlib
import re
import struct
import zlib
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

HEADER: Final = b"LBJH"
FRAME: Final = b"LBJF"
TRAILER: Final = b"LBJT"
VERSION: Final = 1
HEAD: Final = struct.Struct("<4sII")
_HEADER: Final = struct.Struct("<HHIi")
_FRAME: Final = struct.Struct("<QQBBHI")
_HEADED: Final = struct.Struct("<4sIIQQBBHI")
"""Both at once, as they stand before a record."""
_TOTALS: Final = struct.Struct("<QQQQ32s")
_SALT: Final = struct.Struct("<I")
HEADER_SIZE: Final = HEAD.size + _HEADER.size + _TOTALS.size
TRAILER_SIZE: Final = HEAD.size + _TOTALS.size + _SALT.size
MAX_BODY: Final = (1 << 28) + (1 << 17)
"""No MQTT message is longer; a greater length is damage."""
MANY: Final = 20_000
"""Topics that are remembered."""
_new: Final = tuple.__new__
"""Makes a named tuple without a call of its own constructor in between: a backlog reads millions."""
_MARK: Final = re.compile(b"LBJ[FT]")

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


EMPTY: Final = Trailer(0, 0, 0, 0, bytes(32))


class Header(NamedTuple):
    """How a file begins: its writer, its salt, its civil day, and the totals of the file before."""

    writer: str
    salt: int
    day: int
    before: Trailer


class Damage(NamedTuple):
    """Bytes that are no whole piece."""

    offset: int
    size: int


class Piece(NamedTuple):
    """What stands at an offset: a record, a trailer, or damage; ``end`` is the offset behind it."""

    what: Record | Trailer | Damage
    end: int


def header(opening: Header) -> bytes:
    """Bytes that open a file."""
    body = _HEADER.pack(VERSION, DOORS.index(opening.writer), opening.salt, opening.day) + _TOTALS.pack(*opening.before)
    return HEAD.pack(HEADER, len(body), zlib.crc32(body)) + body


def format_of(data: bytes) -> int | None:
    """Version of the format that a whole header names."""
    body = data[HEAD.size : HEADER_SIZE]
    if len(data) < HEADER_SIZE:
        return None
    magic, length, crc = HEAD.unpack_from(data)
    if magic != HEADER or length != len(body) or zlib.crc32(body) != crc:
        return None
    return int(_HEADER.unpack_from(body)[0])


def read_header(data: bytes) -> Header | None:
    """The header at the beginning of a file; None if it is damaged or of a format not known here."""
    if format_of(data) != VERSION:
        return None
    _, door, salt, day = _HEADER.unpack_from(data, HEAD.size)
    before = Trailer(*_TOTALS.unpack_from(data, HEAD.size + _HEADER.size))
    return Header(DOORS[door], salt, day, before) if door < len(DOORS) else None


def frame(record: Record, salt: int) -> bytes:
    """Bytes of a record."""
    return frames([record], salt)


def frames(group: Sequence[Record], salt: int) -> bytes:
    """Bytes of the records of a commit, at least one of one writer."""
    pack, head, crc32, door = _FRAME.pack, HEAD.pack, zlib.crc32, DOORS.index(group[0].writer)
    topics = [_texts.get(record.topic) or _text(record.topic) for record in group]
    bodies = [
        b"".join((pack(seq, received_ns, door, flags, len(topic), readings), topic, payload))
        for (_, seq, received_ns, flags, readings, _, payload), topic in zip(group, topics, strict=True)
    ]
    parts = [b""] * (2 * len(bodies))
    parts[::2], parts[1::2] = [head(FRAME, len(body), crc32(body, salt)) for body in bodies], bodies
    return b"".join(parts)


_texts: Final[dict[str, bytes]] = {}
"""Topics as they stand in a frame."""


def _text(name: str) -> bytes:
    if len(_texts) >= MANY:
        _texts.clear()
    text = _texts[name] = name.encode(errors="surrogateescape")
    return text


def chained(before: bytes, group: bytes | memoryview, totals: Trailer) -> bytes:
    """Digest of a commit: over the digest before, the group's bytes and the totals behind it."""
    digest = hashlib.sha256(before)
    digest.update(group)
    digest.update(struct.pack("<QQQQ", *totals[:4]))
    return digest.digest()


def trailer(before: Trailer, group: bytes, totals: Trailer, salt: int) -> tuple[bytes, Trailer]:
    """Bytes of the trailer that closes ``group``, and the trailer with its digest."""
    closed = totals._replace(digest=chained(before.digest, group, totals))
    body = _TOTALS.pack(*closed) + _SALT.pack(salt)
    return HEAD.pack(TRAILER, len(body), zlib.crc32(body, salt)) + body, closed


def pieces(data: bytes, salt: int, start: int = 0) -> Iterator[Piece]:
    """Everything from ``start`` on, in order; damage costs only the frames it lies in.

    An unfinished piece at the end is reported as damage that reaches to the end.
    """
    at = start
    while at < len(data):
        found = piece(data, at, salt)
        if found is None:
            end = resume(data, at + 1, salt)
            found = Piece(Damage(at, end - at), end)
        yield found
        at = found.end


def piece(data: bytes, at: int, salt: int) -> Piece | None:
    """The record or trailer that begins at ``at``; None if none does or it is not whole."""
    body_at = at + HEAD.size
    if body_at > len(data):
        return None
    magic, length, crc = HEAD.unpack_from(data, at)
    if magic == FRAME:
        found, end = row(data, at, salt, 1)
        return _new(Piece, (found[0], end)) if found else None
    end = body_at + length
    if magic != TRAILER or end > len(data):
        return None
    body = data[body_at:end]
    what = _totals(body) if zlib.crc32(body, salt) == crc else None
    return _new(Piece, (what, end)) if what else None


def row(data: bytes, at: int, salt: int, most: int) -> tuple[list[Record], int]:
    """Whole records one behind the other from ``at`` on, at most so many, and the offset behind them; whatever else comes ends them."""
    unpack, crc32, head, names = _HEADED.unpack_from, zlib.crc32, HEAD.size, _names
    found: list[Record] = []
    last = len(data) - _HEADED.size
    while at <= last and len(found) < most:
        magic, length, crc, seq, received, door, flags, topic_size, readings = unpack(data, at)
        begin = at + head
        body = data[begin : begin + length]  # a copy of some hundred bytes costs less than a view of them
        topic_end = _FRAME.size + topic_size
        if magic != FRAME or crc32(body, salt) != crc or not topic_end <= length == len(body) or door >= len(DOORS):
            break
        name = body[_FRAME.size : topic_end]
        found.append(_new(Record, (DOORS[door], seq, received, flags, readings, names.get(name) or _named(name), body[topic_end:])))
        at = begin + length
    return found, at


_names: Final[dict[bytes, str]] = {}
"""Topics as texts: each has its one, whose hash is known wherever it is looked up."""


def _named(name: bytes) -> str:
    if len(_names) >= MANY:
        _names.clear()
    text = _names[name] = name.decode(errors="surrogateescape")
    return text


def reach(data: bytes, at: int) -> int:
    """Offset behind the piece that claims to begin at ``at``; ``at`` itself if nothing credible does.

    It tells a piece that the end of ``data`` cuts from a damaged one.
    """
    if at + HEAD.size > len(data):
        return at + HEAD.size
    magic, length, _ = HEAD.unpack_from(data, at)
    return at + HEAD.size + length if magic in {FRAME, TRAILER} and length <= MAX_BODY else at


def _totals(body: bytes) -> Trailer | None:
    return Trailer(*_TOTALS.unpack_from(body)) if len(body) == _TOTALS.size + _SALT.size else None


def resume(data: bytes, at: int, salt: int) -> int:
    """Offset of the next whole piece at or behind ``at``; the end if there is none."""
    found = (mark.start() for mark in _MARK.finditer(data, at) if piece(data, mark.start(), salt))
    return next(found, len(data))


def last_trailer(data: bytes, salt: int) -> tuple[Trailer, int] | None:
    """The last whole trailer and the offset behind it."""
    at = len(data)
    while (at := data.rfind(TRAILER, 0, at)) >= 0:
        found = piece(data, at, salt)
        if found and isinstance(found.what, Trailer):
            return found.what, found.end
        at += len(TRAILER) - 1
    return None


def salt_at_end(data: bytes) -> int | None:
    """The salt as the last trailer carries it, for a file whose header is damaged."""
    at = len(data)
    while (at := data.rfind(TRAILER, 0, at)) >= 0:
        end = at + TRAILER_SIZE
        if end <= len(data):
            salt: int = _SALT.unpack_from(data, end - _SALT.size)[0]
            if piece(data, at, salt):
                return salt
        at += len(TRAILER) - 1
    return None
