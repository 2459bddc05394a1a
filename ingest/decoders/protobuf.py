"""Protobuf on the wire, as far as a reader of a fixed message needs it: fields with their numbers and raw values. Pure."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from domain.errors import NotUnderstood

_FLOAT = struct.Struct("<f")
_DOUBLE = struct.Struct("<d")


def fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """(number, value) of each field: an unsigned integer, or the bytes of a text, a message or a fixed width.

    Raises
    ------
    NotUnderstood
        ``bad-encoding``: no protobuf, or cut off.
    """
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        kind, number = key & 7, key >> 3
        if kind == 0:
            value: int | bytes
            value, at = _varint(data, at)
        else:
            size, at = _varint(data, at) if kind == 2 else ({1: 8, 5: 4}.get(kind, -1), at)
            if size < 0 or at + size > len(data) or not number:
                raise NotUnderstood("不是 protobuf: a field is cut off or of an unknown kind", "bad-encoding")
            value, at = data[at : at + size], at + size
        yield number, value


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(data) and shift < 70:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value & (2**64 - 1), at
        shift += 7
    raise NotUnderstood("不是 protobuf: a number is cut off", "bad-encoding")


def text(value: int | bytes) -> str:
    """A text field."""
    try:
        return whole(value).decode()
    except UnicodeDecodeError as error:
        raise NotUnderstood(f"不是 UTF-8 not UTF-8: {error}"[:120], "bad-encoding") from None


def whole(value: int | bytes) -> bytes:
    """A field of bytes."""
    if isinstance(value, int):
        raise NotUnderstood("protobuf: a number where bytes belong", "bad-encoding")
    return value


def number(value: int | bytes) -> int:
    """A field of an integer."""
    if not isinstance(value, int):
        raise NotUnderstood("protobuf: bytes where a number belongs", "bad-encoding")
    return value


def real(value: int | bytes) -> float:
    """A float, by its shortest decimal, or a double."""
    raw = whole(value)
    if len(raw) == 8:
        return float(_DOUBLE.unpack(raw)[0])
    if len(raw) != 4:
        raise NotUnderstood("protobuf: no float", "bad-encoding")
    return float(f"{_FLOAT.unpack(raw)[0]:.7g}")
