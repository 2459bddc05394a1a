"""Parity of a sealed file: XOR over every n-th of its members, so that a damaged one is made whole from the others.

::

    head    "LBJX" members strides width                       (numbers little-endian, 32 bits)
    stride  crc(4) XOR of the members s, s+n, s+2n …, each filled up with zeros to ``width``; n = strides

Neighbours lie in different strides: a bad stretch of several members hits each stride once, and all of them can be mended.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

GROUP: Final = 24
"""Members of one stride at most: 4 % more bytes."""
PARITY_SUFFIX: Final = ".par"
_HEAD: Final = struct.Struct("<4sIII")
_CRC: Final = struct.Struct("<I")
_MAGIC: Final = b"LBJX"
Member = tuple[int, int]
"""Place and length in the sealed file."""


def parity(handle: int, members: Sequence[Member]) -> Iterator[bytes]:
    """Bytes of the parity file of an open sealed file, in pieces."""
    strides = _strides(len(members))
    width = max((length for _, length in members), default=0)
    yield _HEAD.pack(_MAGIC, len(members), strides, width)
    for first in range(strides):
        whole = _mixed(handle, members[first::strides]).to_bytes(width, "little")
        yield _CRC.pack(zlib.crc32(whole)) + whole


def mended(path: Path, handle: int, members: Sequence[Member], number: int) -> bytes | None:
    """The bytes of a member, from the parity and the others of its stride; None if the parity is missing or damaged."""
    stride = number % max(_strides(len(members)), 1)
    whole = _stride(path, len(members), stride)
    if whole is None or max(length for _, length in members) > len(whole):
        return None
    others = [member for place, member in enumerate(members) if place % _strides(len(members)) == stride and place != number]
    mixed = int.from_bytes(whole, "little") ^ _mixed(handle, others)
    return mixed.to_bytes(len(whole), "little")[: members[number][1]]


def is_whole(path: Path, count: int) -> bool:
    """Whether a parity file can be believed from end to end, for a sealed file of so many members."""
    return all(_stride(path, count, number) is not None for number in range(_strides(count)))


def _strides(count: int) -> int:
    return -(-count // GROUP)


def _mixed(handle: int, members: Sequence[Member]) -> int:
    mixed = 0
    for place, length in members:
        mixed ^= int.from_bytes(os.pread(handle, length, place), "little")
    return mixed


def _stride(path: Path, count: int, number: int) -> bytes | None:
    """One stride of a parity file; None if it cannot be believed."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    try:
        head = os.pread(handle, _HEAD.size, 0)
        if len(head) < _HEAD.size or _HEAD.unpack(head)[:3] != (_MAGIC, count, _strides(count)):
            return None
        width = _HEAD.unpack(head)[3]
        data = os.pread(handle, _CRC.size + width, _HEAD.size + number * (_CRC.size + width))
    finally:
        os.close(handle)
    whole = data[_CRC.size :]
    return whole if len(whole) == width and _CRC.pack(zlib.crc32(whole)) == data[: _CRC.size] else None
