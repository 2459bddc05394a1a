"""Messages of a file for people who look at them: one message, or a capture of several, in the forms in which captures are made."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from domain.civil import parse_time
from domain.errors import FileError
from ingest.accept import NS
from ingest.decoders.hj212 import Dialect, take

BLANKS: Final = 5
"""A topic may have blanks; so many are looked at."""
_FRACTION: Final = re.compile(r"[.,]\d+(?=(?:Z|[+-]\d{2}:?\d{2})$)")


class Captured(NamedTuple):
    """A message as it was captured, in the form in which accept takes journalled ones."""

    payload: bytes
    topic: str
    received_ns: int
    writer: str = "mqtt"
    seq: int = 0
    flags: int = 1
    readings: int = 1


def capture(data: bytes, topic: str, received_ns: int, owned: Callable[[str], bool] = lambda _: False) -> list[Captured]:
    """Messages of a file.

    Several are: JSON lines with ``topic`` and ``payload`` (``received`` or ``tst``, ``base64``, ``hex`` and ``retain`` may stand beside);
    lines of ``mosquitto_sub -v``; lines each of which is a JSON object or list; HJ 212 frames behind each other. All else is one message.

    Parameters
    ----------
    owned : callable
        Whether somebody has a topic, so that the first words of a line may be one.

    Raises
    ------
    FileError
        A line of a capture that cannot be used.
    """
    if data[:2] == b"##":
        return [Captured(part, topic, received_ns) for part in frames(data)]
    lines = [line for line in data.splitlines() if line.strip()]
    rows = [_row(line) for line in lines]
    if rows and all(isinstance(row, dict) and isinstance(row.get("topic"), str) and "payload" in row for row in rows):
        return [_message(row, f"line {number}", received_ns) for number, row in enumerate(rows, 1) if isinstance(row, dict)]
    if len(lines) > 1 and all(row is not None for row in rows):
        return [Captured(line, topic, received_ns) for line in lines]
    pairs = [_pair(line, owned) for line in lines]
    if pairs and all(pairs):
        return [Captured(pair[1], pair[0], received_ns) for pair in pairs if pair]
    return [Captured(data, topic, received_ns)]


def frames(data: bytes) -> Iterator[bytes]:
    """HJ 212 frames behind each other, sound or not, each with the blank bytes behind it."""
    at, waiting = 0, b""
    while at < len(data):
        _, end = take(data, at, Dialect(tolerant=True), final=True)
        piece, at = data[at:end], end
        if waiting and piece.strip():
            yield waiting
            waiting = b""
        waiting += piece
    if waiting:
        yield waiting


def _row(line: bytes) -> dict[str, Any] | list[Any] | None:
    try:
        seen = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return seen if isinstance(seen, dict | list) else None


def _pair(line: bytes, owned: Callable[[str], bool]) -> tuple[str, bytes] | None:
    """Topic and payload of a line of ``mosquitto_sub -v``; a topic that nobody has is taken for one only before JSON."""
    words = line.split(b" ")
    for number in range(1, min(len(words), BLANKS + 1)):
        topic, payload = b" ".join(words[:number]).decode(errors="replace"), b" ".join(words[number:])
        if owned(topic) or ("/" in topic and _row(payload) is not None):
            return topic, payload
    return None


def _message(row: Mapping[str, Any], where: str, received_ns: int) -> Captured:
    said = row["payload"]
    try:
        if row.get("base64"):
            payload = base64.b64decode(said, validate=True)
        elif row.get("hex"):
            payload = bytes.fromhex(said)
        else:
            payload = said.encode() if isinstance(said, str) else json.dumps(said, ensure_ascii=False).encode()
        when = row.get("received", row.get("tst"))
        received_ns = received_ns if when is None else parse_time(_FRACTION.sub("", when)) * NS
    except (ValueError, TypeError, AttributeError, binascii.Error, UnicodeEncodeError) as error:
        raise FileError(f"no captured message: {error}", where, 'write {"topic": …, "payload": …, "received": "2026-11-23T09:01:00+08:00"}') from error
    return Captured(payload, row["topic"], received_ns, flags=1 | 2 * bool(row.get("retain")))
