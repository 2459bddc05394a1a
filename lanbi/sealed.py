"""The sealed form of a journal file: gzip that can be read anywhere, and mended.

A sealed file is a row of gzip members, each of one block of the file's bytes, so that ``zcat`` gives the file back as it was.
The index says where each member lies and what is in it, so one record costs one block. Every member carries its own line of
the index in its header: a lost index is found again from the members. Beside the file lies its parity
(``parity.py``): compression must not turn a bad sector, which cost three records in the plain file, into five thousand lost ones.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, NamedTuple, Self

from lanbi.frames import TRAILER_SIZE
from lanbi.parity import PARITY_SUFFIX, mended

BLOCK: Final = 1 << 20
"""Bytes of the plain file in a member."""
LEVEL: Final = 6
"""Measured on station readings (bench/journal.py): 9 saves 5 % of the bytes for 2.5 times the work."""
SEALED_SUFFIX: Final = ".gz"
_HEAD: Final = struct.Struct("<4sIBBH2sH")
_ENTRY: Final = struct.Struct("<QIIIQQQ")
_MAGIC: Final = b"\x1f\x8b\x08\x04"
_TAIL: Final = struct.Struct("<II")
_CRC: Final = struct.Struct("<I")
_MEMBER_HEAD: Final = _HEAD.size + _ENTRY.size + _CRC.size
_CACHED: Final = 2


class Block(NamedTuple):
    """One member: where its bytes stand in the plain file (``at``, ``size``) and in the sealed one (``place``, ``length``).

    ``crc`` is CRC32 of the member behind its header: a bit may change there that inflates to the same bytes.
    ``last_seq`` is that of the last trailer which ends in this block or before; ``first_ns`` and ``last_ns`` bound the receive
    times of the records that begin in it (0, 0: none does).
    """

    at: int
    size: int
    place: int
    length: int
    crc: int
    last_seq: int
    first_ns: int
    last_ns: int


class Content(NamedTuple):
    """What a block's line of the index says about the records in it."""

    last_seq: int
    first_ns: int
    last_ns: int


def member(data: bytes, at: int, place: int, content: Content) -> tuple[bytes, Block]:
    """A gzip member that holds ``data``, and its line of the index."""
    deflate = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS, 9)
    packed = deflate.compress(data) + deflate.flush()
    body = packed + _TAIL.pack(zlib.crc32(data), len(data))
    block = Block(at, len(data), place, _MEMBER_HEAD + len(body), zlib.crc32(body), *content)
    return _head_of(block) + body, block


def _head_of(block: Block) -> bytes:
    """Header of a member: what gzip wants, and in its extra field the line of the index."""
    entry = _ENTRY.pack(block.at, block.size, block.length, *block[4:])
    size = _ENTRY.size + _CRC.size
    return _HEAD.pack(_MAGIC, 0, 0, 255, 4 + size, b"LB", size) + entry + _CRC.pack(zlib.crc32(entry))


def _read_head(data: bytes, at: int, place: int) -> Block | None:
    """The line of the index that a member's header carries; None if none begins there."""
    if at + _MEMBER_HEAD > len(data) or data[at : at + 4] != _MAGIC:
        return None
    entry = data[at + _HEAD.size : at + _MEMBER_HEAD - _CRC.size]
    if data[at + _MEMBER_HEAD - _CRC.size : at + _MEMBER_HEAD] != _CRC.pack(zlib.crc32(entry)):
        return None
    first, size, length, *rest = _ENTRY.unpack(entry)
    return Block(first, size, place, length, *rest)


def found_index(handle: int, size: int) -> list[Block]:
    """The index as the members themselves tell it; a stretch without a readable header becomes one block."""
    blocks: list[Block] = []
    place = at = last_seq = 0
    while place < size:
        block = _read_head(os.pread(handle, _MEMBER_HEAD, place), 0, place) or _gap(handle, place, size, Content(last_seq, 0, 2**63), at)
        blocks.append(block)
        place, at, last_seq = place + block.length, block.at + block.size, block.last_seq
    return blocks


def _gap(handle: int, place: int, size: int, content: Content, at: int) -> Block:
    data, start = b"", place + 1
    while start + len(data) < size:
        data += os.pread(handle, BLOCK, start + len(data))
        found = -1
        while (found := data.find(_MAGIC, found + 1)) >= 0:
            following = _read_head(data, found, start + found)
            if following:
                return Block(at, following.at - at, place, following.place - place, 0, *content)
    return Block(at, BLOCK, place, size - place, 0, *content)


def inflated(data: bytes, block: Block) -> bytes | None:
    """What a whole member holds; None if a bit of it is wrong."""
    size = block.size
    if data[:_MEMBER_HEAD] != _head_of(block) or zlib.crc32(data[_MEMBER_HEAD:]) != block.crc:
        return None  # gzip itself would not mind most bits of the header, and some of the rest
    inflate = zlib.decompressobj(31)
    try:
        found = inflate.decompress(data, size + 1)
    except zlib.error:
        return None
    return found if inflate.eof and len(found) == size else None


def _beginning(data: bytes, size: int) -> bytes:
    """What can be had of a member that cannot be mended: its bytes up to the damage, then zeros."""
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    found = b""
    try:
        for start in range(_MEMBER_HEAD, len(data), 512):
            found += inflate.decompress(data[start : start + 512])
    except zlib.error:
        pass
    return found[:size].ljust(size, b"\0")


class SealedBytes:
    """The bytes of a sealed file as they were, read at any place; each block is inflated when it is asked for.

    ``path`` names the plain file, ``sealed`` the sealed one where it does not stand beside it under its usual name.

    Attributes
    ----------
    mended, broken : set of int
        Blocks that were damaged and made whole from the parity, and blocks that could not be.
    """

    def __init__(self, path: Path, index: Sequence[Block] | None, sealed: Path | None = None) -> None:
        self._parity = path.with_name(path.name + PARITY_SUFFIX)
        self._handle = os.open(sealed or path.with_name(path.name + SEALED_SUFFIX), os.O_RDONLY)
        self._cache: OrderedDict[int, bytes] = OrderedDict()
        self.mended: set[int] = set()
        self.broken: set[int] = set()
        # An index that could be read is right: where the file is shorter, members are missing and their parity is asked.
        self.index = found_index(self._handle, os.fstat(self._handle).st_size) if index is None else list(index)
        self.size = self.index[-1].at + self.index[-1].size if self.index else 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Give the file back."""
        os.close(self._handle)

    def pread(self, size: int, offset: int) -> bytes:
        """Up to ``size`` bytes from ``offset``; fewer only at the end."""
        end = min(offset + size, self.size)
        found = []
        while offset < end:
            number = self._number(offset)
            block = self.index[number]
            data = self._inflate(number)
            found.append(data[offset - block.at : end - block.at])
            offset = block.at + block.size
        return b"".join(found)

    def around(self, after: int, end: int) -> tuple[int, int]:
        """Between which offsets the last trailer with ``last_seq`` ≤ ``after`` is to be looked for."""
        beyond = next((number for number, block in enumerate(self.index) if block.last_seq > after), len(self.index) - 1)
        reached = self.index[beyond - 1].last_seq if beyond > 0 else 0
        start = next((block.at for block in self.index[: beyond + 1] if block.last_seq >= reached), 0)
        last = self.index[beyond] if self.index else Block(0, 0, 0, 0, 0, 0, 0, 0)
        return max(0, start - TRAILER_SIZE), min(end, last.at + last.size + TRAILER_SIZE)

    def records_of(self, number: int) -> tuple[int, int]:
        """First and last record that may stand in a block."""
        before = self.index[number - 1].last_seq if number else 0
        return before + 1, max(self.index[number].last_seq, before + 1)

    def _number(self, offset: int) -> int:
        number = offset // BLOCK
        if number < len(self.index) and self.index[number].at <= offset < self.index[number].at + self.index[number].size:
            return number
        return next(number for number, block in enumerate(self.index) if block.at <= offset < block.at + block.size)

    def _inflate(self, number: int) -> bytes:
        if number in self._cache:
            self._cache.move_to_end(number)
            return self._cache[number]
        block = self.index[number]
        data = os.pread(self._handle, block.length, block.place)
        found = inflated(data, block)
        if found is None:
            found = self._mend(number, data)
        self._cache[number] = found
        while len(self._cache) > _CACHED:
            self._cache.popitem(last=False)
        return found

    def _mend(self, number: int, data: bytes) -> bytes:
        block = self.index[number]
        whole = mended(self._parity, self._handle, [(block.place, block.length) for block in self.index], number)
        found = inflated(whole, block) if whole else None
        (self.mended if found is not None else self.broken).add(number)
        return found if found is not None else _beginning(data, block.size)
