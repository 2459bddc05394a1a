"""Where a writer's journal lies: its files, how far they are durable, and how to find a place in them quickly.

``tip`` is a small file that the writer rewrites behind each ``fdatasync``: how far the newest file is durable, and the
totals there. Readers stop at it, so that nobody acts on bytes which a power cut may still take back. It is a hint only:
without it, or with a torn one, the last whole trailer counts.
"""

from __future__ import annotations

import fcntl
import os
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

from domain.civil import parse_date
from domain.errors import DataFolderBusy, JournalError
from lanbi.frames import EMPTY, HEADER_SIZE, TRAILER, VERSION, Header, Trailer, format_of, last_trailer, piece, read_header, salt_at_end
from lanbi.journal_bytes import Source, files, open_bytes

_TIP: Final = struct.Struct("<4sI64sQQQQQ32s")
_BLOCK: Final = 1 << 16
T = TypeVar("T")


class Tip(NamedTuple):
    """The durable end of a writer's journal."""

    name: str
    offset: int
    totals: Trailer


def first_seq(path: Path) -> int:
    """First sequence number of a file, from its name."""
    return int(path.stem.rsplit("-", 1)[1])


def day_of_file(path: Path) -> int:
    """Civil day that a file belongs to, from its name."""
    return parse_date(path.stem[:10])


def hold(path: Path, what: str) -> int:
    """Take a lock file for this process; it is given back when the descriptor closes, also by death.

    Raises
    ------
    DataFolderBusy
        Another process holds it.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o640)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        raise DataFolderBusy(what, str(path.parent), "stop it, or name another data folder") from error
    return handle


def hold_writer(folder: Path) -> int:
    """Become the one appender of a writer's folder.

    Whoever closes a file for sealing holds the same lock for a moment, and ``closing`` around it: that moment is waited for.

    Raises
    ------
    DataFolderBusy
        Another process appends here.
    """
    what = "another lanbi appends to this journal"
    try:
        return hold(folder / "lock", what)
    except DataFolderBusy:
        with closing(folder):
            return hold(folder / "lock", what)


@contextmanager
def closing(folder: Path) -> Iterator[None]:
    """The lock around looking whether a writer's newest file can be closed; held for moments only."""
    handle = os.open(folder / "closing", os.O_RDWR | os.O_CREAT, 0o640)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def sync_folder(path: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def pack_tip(tip: Tip) -> bytes:
    """Bytes of the tip file."""
    body = _TIP.pack(b"LBJP", 0, tip.name.encode(), tip.offset, *tip.totals)[8:]
    return b"LBJP" + struct.pack("<I", zlib.crc32(body)) + body


def read_tip(folder: Path, writer: str) -> Tip | None:
    """The durable end; None if the writer never published one or it is torn."""
    path = folder / writer / "tip"
    for _ in range(3):
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None
        # A reader may meet the writer in the middle of these bytes: once more, then.
        if len(data) == _TIP.size and zlib.crc32(data[8:]) == int.from_bytes(data[4:8], "little"):
            _, _, name, offset, *totals = _TIP.unpack(data)
            return Tip(name.rstrip(b"\0").decode(), offset, Trailer(*totals))
    return None


def newest_trailer(folder: Path, writer: str) -> Trailer:
    """Totals at the last durable commit; all zero for a journal that has not begun."""
    tip = read_tip(folder, writer)
    if tip:
        return tip.totals
    for path in reversed(files(folder, writer)):
        found = tail(path)
        if found:
            return found[0]
    return EMPTY


def durable_end(path: Path, tip: Tip | None) -> int:
    """Offset behind the last durable commit of a file."""
    if tip and path.name > tip.name:
        return 0
    if tip:
        with open_bytes(path) as source:
            # A file that was left behind is durable to its end, also where its last trailer is damaged.
            end = tip.offset if path.name == tip.name else source.size
            if end <= source.size:
                return end
    found = tail(path)
    return found[1] if found else 0


def opening(path: Path) -> Header | None:
    """The file's header; None if it is damaged.

    Raises
    ------
    JournalError
        A newer lanbi made the file.
    """
    with open_bytes(path) as source:
        data = source.pread(HEADER_SIZE, 0)
    if (found := format_of(data)) and found > VERSION:
        raise JournalError(f"made by a newer lanbi (journal format {found}, this one knows {VERSION})", str(path), "use the newer lanbi")
    return read_header(data)


def salt_of(path: Path) -> int | None:
    """The file's salt, from its header or, if that is damaged, from its last trailer; None if neither is whole."""
    header = opening(path)
    if header:
        return header.salt
    found = _from_end(path, salt_at_end)
    return found[0] if found else None


def tail(path: Path) -> tuple[Trailer, int] | None:
    """Last whole trailer of a file and the offset behind it."""
    salt = salt_of(path)
    found = _from_end(path, lambda data: last_trailer(data, salt)) if salt is not None else None
    return (found[0][0], found[1] + found[0][1]) if found else None


def _from_end(path: Path, look: Callable[[bytes], T | None]) -> tuple[T, int] | None:
    """What ``look`` finds in a growing end of the file, and where that end begins: a file may be gigabytes."""
    reach = _BLOCK
    with open_bytes(path) as source:
        while True:
            start = max(0, source.size - reach)
            found = look(source.pread(source.size - start, start))
            if found is not None:
                return found, start
            if not start:
                return None
            reach *= 16


def seek(path: Path, salt: int, after: int, end: int) -> tuple[int, Trailer | None]:
    """Offset behind the last trailer whose ``last_seq`` ≤ ``after``, and that trailer: leaps back from the end, then bisection.

    Who asks is nearly always close behind the end, and a day of a province is gigabytes whose commits lie megabytes apart.

    The file's beginning and None if there is no such trailer.
    """
    found = None
    with open_bytes(path) as source:
        low, high = source.around(after, end)
        leap = _BLOCK
        while high - low > _BLOCK:
            middle = max(high - leap, (low + high) // 2)
            next_one = _next_trailer(source, salt, middle, high)
            if next_one is None or next_one[0].last_seq > after:
                high, leap = middle, 4 * leap
            else:
                (found, low), leap = next_one, end
        while low < end and (next_one := _next_trailer(source, salt, low, end)) and next_one[0].last_seq <= after:
            found, low = next_one
    return low if found else 0, found


def _next_trailer(source: Source, salt: int, start: int, end: int) -> tuple[Trailer, int] | None:
    """First whole trailer that begins in start ≤ offset < end, and the offset behind it."""
    at, size = start, _BLOCK
    while at < end:
        data = source.pread(min(size, end - at), at)
        place = -1
        while (place := data.find(TRAILER, place + 1)) >= 0:
            found = piece(data, place, salt)
            if found and isinstance(found.what, Trailer):
                return found.what, at + found.end
        # The last bytes may hold the beginning of a trailer: they are looked at again.
        at += max(len(data) - 128, 1) if at + len(data) < end else len(data)
        size = min(size * 2, 1 << 22)
    return None
