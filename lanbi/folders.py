"""Folders that lanbi makes for itself: made once, or refused in plain words."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from domain.errors import InputError, WorkError

TODO: Final = "name a data folder that this user may write to"


def made(path: Path) -> Path:
    """The folder, made if need be.

    Raises
    ------
    WorkError
        It cannot be made: no permission, or a file stands in its place.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WorkError(f"the folder cannot be made: {error.strerror}", str(path), TODO) from error
    return path


def there(path: Path) -> Path:
    """The data folder, which must exist: a mistyped path must not read as 'nothing refused'.

    Raises
    ------
    InputError
        There is no such folder.
    """
    if not path.is_dir():
        raise InputError("there is no such data folder", str(path), "check `data` in the settings; `lanbi check` shows which file is used")
    return path


def stands(path: Path) -> bool:
    """Whether a device or pipe stands there, which is written into and never replaced: root would put a file in the place of /dev/null."""
    return path.exists() and not path.is_file() and not path.is_dir()


def fault(path: Path) -> str:
    """Why the data folder cannot be used, or nothing: for a check that changes nothing."""
    nearest = next(one for one in (path, *path.absolute().parents) if one.exists())
    if not nearest.is_dir():
        return f"{nearest} is a file, not a folder"
    if not _writable(nearest):
        return f"{nearest} may not be written to by this user"
    return ""


def _writable(folder: Path) -> bool:
    return os.access(folder, os.W_OK | os.X_OK)
