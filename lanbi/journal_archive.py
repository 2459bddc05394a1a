"""Archiving: sealed days move to another disk and are read as if they were here; their seals stay.

The copy is written, checked and durable under its name before a link takes the original's place in one step, so that a death
leaves the original or the link, and a reader that has the original open reads on.
"""

from __future__ import annotations

import filecmp
import os
import shutil
from pathlib import Path
from typing import Final, NamedTuple

from domain.errors import JournalError, WorkError
from lanbi.frames import DOORS
from lanbi.journal_bytes import SUFFIX, parity_path, sealed_path
from lanbi.journal_files import sync_folder
from lanbi.journal_removal import Sealed, gone
from lanbi.seals import seal_path, seals

DRAFT: Final = ".new"
TODO: Final = "check the folder that journal.archive or --to names: is it mounted, is it full, may lanbi write there?"


class Lost(NamedTuple):
    """Where a sealed file should be: its name here, and what the link says."""

    path: Path
    target: str


def is_here(path: Path) -> bool:
    """Whether the data of a sealed file lie on this disk."""
    return sealed_path(path).exists() and not sealed_path(path).is_symlink()


def archive(one: Sealed, target: Path) -> int:
    """Move one sealed file; returns the bytes that came free here.

    Raises
    ------
    WorkError
        The archive cannot be written, or what was written there reads differently.
    """
    folder = target / one.path.parent.name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        freed = 0
        for part in (parity_path(one.path), sealed_path(one.path)):
            if part.exists() and not part.is_symlink():
                freed += part.stat().st_size
                _copy(part, folder / part.name)
        _copy(seal_path(one.path), folder / seal_path(one.path).name)
        sync_folder(folder)
        for part in (parity_path(one.path), sealed_path(one.path)):
            if part.exists() and not part.is_symlink():
                _link(part, folder / part.name)
        sync_folder(one.path.parent)
    except OSError as error:
        raise WorkError(f"it cannot be archived: {error.strerror}", str(folder), TODO) from error
    return freed


def _copy(source: Path, target: Path) -> None:
    draft = target.with_name(target.name + DRAFT)
    draft.unlink(missing_ok=True)
    shutil.copyfile(source, draft)
    handle = os.open(draft, os.O_RDONLY)
    try:
        os.fsync(handle)
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)  # what is compared next comes from the disk, where it can
    finally:
        os.close(handle)
    draft.chmod(0o440)
    if not filecmp.cmp(source, draft, shallow=False):
        draft.unlink()
        raise WorkError("what was copied reads differently", str(target), "test the archive's disk; the original is untouched")
    draft.replace(target)


def _link(path: Path, target: Path) -> None:
    draft = path.with_name(path.name + DRAFT)
    draft.unlink(missing_ok=True)
    draft.symlink_to(target.absolute())
    draft.replace(path)


def lost(folder: Path) -> list[Lost]:
    """Sealed files that are neither here nor where their link leads, and of which nobody noted that they were removed."""
    found = []
    for writer in DOORS:
        for seal in seals(folder, writer):
            path = folder / writer / f"{seal.name}{SUFFIX}"
            sealed = sealed_path(path)
            if not (path.exists() or sealed.exists() or gone(path)):
                found.append(Lost(path, str(sealed.readlink()) if sealed.is_symlink() else ""))
    return found


def find_again(folder: Path, target: Path) -> int:
    """Link what is lost and lies in an archive, which may have moved or been filled by hand; returns how many files.

    Raises
    ------
    JournalError
        A link cannot be written.
    """
    found = [one for one in lost(folder) if (target / one.path.parent.name / sealed_path(one.path).name).exists()]
    for one in found:
        _link_again(one.path, target / one.path.parent.name)
    return len(found)


def _link_again(path: Path, here: Path) -> None:
    try:
        for part in (parity_path(path), sealed_path(path)):
            if (here / part.name).exists():
                _link(part, here / part.name)
        sync_folder(path.parent)
    except OSError as error:
        raise JournalError(f"it cannot be linked: {error.strerror}", str(path), "check the permissions of the folder") from error
