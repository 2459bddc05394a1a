"""The bytes of a journal file, plain or sealed: everybody names the plain file, and need not know what has become of it."""

from __future__ import annotations

import errno
import os
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Final, Protocol, Self

from domain.errors import JournalError
from lanbi.parity import PARITY_SUFFIX
from lanbi.sealed import SEALED_SUFFIX, SealedBytes
from lanbi.seals import read_index

SUFFIX: Final = ".lbj"
CLOSED_SUFFIX: Final = ".closed"
_SECTOR: Final = 512


class Source(Protocol):
    """Bytes that can be read at any place."""

    size: int

    def __enter__(self) -> Self: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None: ...

    def close(self) -> None:
        """Give the file back."""
        ...

    def pread(self, size: int, offset: int) -> bytes:
        """Up to ``size`` bytes from ``offset``; fewer only at the end."""
        ...

    def around(self, after: int, end: int) -> tuple[int, int]:
        """Between which offsets the last trailer with ``last_seq`` ≤ ``after`` is to be looked for."""
        ...


class PlainBytes:
    """A file that is open for appending or not sealed yet; ``size`` is that of the moment of opening."""

    def __init__(self, path: Path) -> None:
        self._handle = os.open(path, os.O_RDONLY)
        self.size = os.fstat(self._handle).st_size

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Give the file back."""
        os.close(self._handle)

    def pread(self, size: int, offset: int) -> bytes:
        """Up to ``size`` bytes from ``offset``, also such as were appended since; a bad sector reads as zeros."""
        try:
            return os.pread(self._handle, size, offset)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
        end = min(offset + size, os.fstat(self._handle).st_size)
        edges = [offset, *range((offset // _SECTOR + 1) * _SECTOR, end, _SECTOR), end]
        return b"".join(self._sector(start, stop) for start, stop in pairwise(edges))

    def _sector(self, start: int, end: int) -> bytes:
        try:
            return os.pread(self._handle, end - start, start)
        except OSError:
            return bytes(end - start)

    def around(self, after: int, end: int) -> tuple[int, int]:
        """Anywhere."""
        del after
        return 0, end


def open_bytes(path: Path) -> Source:
    """Open a journal file by the name of its plain form.

    Raises
    ------
    JournalError
        It lies in an archive that is not there, or somebody removed it a moment ago.
    """
    try:
        return PlainBytes(path)
    except FileNotFoundError:
        # Sealing puts the sealed form in its place before it removes the plain one, so one of the two is always there.
        return open_sealed(path)


def open_sealed(path: Path) -> SealedBytes:
    """Open the sealed form of a journal file.

    Raises
    ------
    JournalError
        It lies in an archive that is not there, or somebody removed it a moment ago.
    """
    try:
        return SealedBytes(path, read_index(path))
    except FileNotFoundError as error:
        raise absent(path) from error


def absent(path: Path) -> JournalError:
    """Why a journal file cannot be opened, in words."""
    sealed = sealed_path(path)
    if sealed.is_symlink():
        what = f"it was moved to {sealed.readlink()}, which is not there"
        return JournalError(what, str(path), "mount the archive, or name its new place in journal.archive and run `lanbi journal archive`")
    return JournalError("the file is gone", str(path), "run the command again; if it stays away, take it from a backup")


def sealed_path(path: Path) -> Path:
    """Where the sealed form of a journal file stands."""
    return path.with_name(path.name + SEALED_SUFFIX)


def parity_path(path: Path) -> Path:
    """Where the parity of the sealed form stands."""
    return path.with_name(path.name + PARITY_SUFFIX)


def closed_path(path: Path) -> Path:
    """The mark that nothing will be appended to a file any more, though it is its writer's newest."""
    return path.with_suffix(CLOSED_SUFFIX)


def is_closed(path: Path) -> bool:
    """Whether a writer that opens its folder must begin a new file behind this one."""
    return closed_path(path).exists() or os.path.lexists(sealed_path(path))


def files(folder: Path, writer: str) -> list[Path]:
    """The writer's files under the names of their plain forms, oldest first; sealed and archived ones are among them."""
    names = (path.name.removesuffix(SEALED_SUFFIX) for suffix in (SUFFIX, SUFFIX + SEALED_SUFFIX) for path in (folder / writer).glob(f"*{suffix}"))
    return [folder / writer / name for name in sorted(set(names))]
