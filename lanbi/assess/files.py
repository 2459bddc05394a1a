"""Input and output of the calculator: standard streams, gzip, and files that appear whole or not at all."""

from __future__ import annotations

import gzip
import os
import sys
import zlib
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final

from domain.errors import FileError, WorkError
from domain.sayings import both
from lanbi.folders import stands
from lanbi.formats.files import why

STANDARD: Final = "-"
_BOM: Final = b"\xef\xbb\xbf"


def read(name: str) -> bytes:
    """Bytes of a file, of a ``.gz`` file unpacked, or of standard input (``-``), without byte order mark."""
    try:
        data = sys.stdin.buffer.read() if name == STANDARD else Path(name).read_bytes()
        data = gzip.decompress(data) if name.endswith(".gz") else data
    except (OSError, EOFError, zlib.error) as error:
        raise FileError(f"the file cannot be read: {why(error)}", name, "check the name and that you may read it") from error
    return data.removeprefix(_BOM)


def write(name: str | None, parts: Iterable[bytes]) -> None:
    """Write parts to standard output, or to a file that is put in place only when it is whole; a device or pipe is written into."""
    if name is None or name == STANDARD:
        _to_standard(parts)
        return
    target = Path(name)
    if target.is_dir():
        raise WorkError("the output cannot be written: it is a folder", name, "name a file in it")
    try:
        if stands(target):
            with target.open("wb") as file:
                _pour(file, parts)
        else:
            _replace(target.resolve() if target.is_symlink() else target, parts)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise WorkError(f"the output cannot be written: {why(error)}", name, "check the folder and the free space") from error


def _to_standard(parts: Iterable[bytes]) -> None:
    if sys.stdout is None:
        raise WorkError("the output cannot be written: standard output is closed", "standard output", "name a file with -o FILE")
    try:
        _pour(sys.stdout.buffer, parts)
    except BrokenPipeError:
        raise
    except OSError as error:
        # What is left in the buffer would complain once more at the interpreter's end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise WorkError(f"the output cannot be written: {why(error)}", "standard output", "check the folder and the free space") from error


def _replace(target: Path, parts: Iterable[bytes]) -> None:
    draft = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with draft.open("wb") as file:
            _pour(file, parts)
        draft.replace(target)
    finally:
        # Where the folder is none there is no draft either, and what stands above tells so.
        with suppress(NotADirectoryError):
            draft.unlink(missing_ok=True)


def warn(text: str) -> None:
    """A line on standard error, its English below, so that standard output stays a clean table."""
    below = "\n       "
    sys.stderr.write(f"lanbi: {both(text, below)}\n")


def _pour(file: BinaryIO, parts: Iterable[bytes]) -> None:
    file.writelines(parts)
    file.flush()
