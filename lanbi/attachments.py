"""Files that people attach to what they file: kept under their own hash, so that the journal's record proves the bytes.

They lie in ``attachments/`` of the data folder and are evidence beside the journal: back them up with it.
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from threading import get_ident
from typing import Final

from domain.errors import JournalError
from lanbi.folders import made

FOLDER: Final = "attachments"
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


def keep(data: Path, content: bytes) -> str:
    """Make a file durable; returns its SHA-256. The same bytes are kept once.

    Raises
    ------
    JournalError
        It could not be written whole.
    """
    digest = hashlib.sha256(content).hexdigest()
    path = _path(data, digest)
    if path.exists() and path.stat().st_size == len(content):
        return digest
    draft = made(path.parent) / f"{digest}.{os.getpid()}-{get_ident()}.new"  # others may be sending the same file
    try:
        with draft.open("wb") as handle:
            handle.write(content)
            handle.flush()
            os.fsync(handle.fileno())
        draft.replace(path)
        _settle(path.parent)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise JournalError(f"an attachment cannot be written: {error.strerror}", str(path.parent), "check disk space and permissions") from error
    return digest


def _settle(folder: Path) -> None:
    """The name is durable too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read(data: Path, digest: str) -> bytes | None:
    """The bytes of a hash; None where they are not here.

    Raises
    ------
    JournalError
        The file is damaged: what lies there has another hash.
    """
    path = _path(data, digest)
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    if hashlib.sha256(content).hexdigest() != digest:
        raise JournalError("an attachment is damaged: its bytes have another hash", str(path), "bring it back from a backup")
    return content


def _path(data: Path, digest: str) -> Path:
    if not _DIGEST.fullmatch(digest):
        raise ValueError(f"no SHA-256: {digest[:80]!r}")
    return data / FOLDER / digest[:2] / digest
