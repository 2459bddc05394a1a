"""``lanbi restore``: a backup becomes a data folder again, in an empty place; what was kept is checked before it is believed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from domain.errors import FileError, InputError, WorkError
from lanbi.backing import INFLUX, SETTINGS
from lanbi.embedded_schema import ahead
from lanbi.influx_backup import InfluxBackup
from lanbi.secret import Secret
from lanbi.vault import Backup, Held, Vault, digest_of

AHEAD: Final = 1_000_000
"""By so much the batch numbers move on: the store may have announced some behind the copy of the state, and analytics, which meets the
gap, reads its year again instead of passing them over."""
TEMPORARY: Final = ".restoring"


class Server(NamedTuple):
    """The InfluxDB to be filled, and the operator's token of the one that was backed up."""

    url: str
    token: Secret


class Given(NamedTuple):
    """What a restore came to."""

    name: str
    files: int
    size: int


def restore(vault: Vault, backup: Backup, target: Path, server: Server | None, say: Callable[[str], None]) -> Given:
    """Give a backup back into an empty folder, all of it or nothing.

    Raises
    ------
    InputError
        The folder is not empty, or the backup is of InfluxDB and no server was named.
    FileError
        A content is damaged or missing; nothing was given back.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise InputError("the folder is not empty", str(target), "restore overwrites nothing: name a new folder, then put it in the place of the old one")
    with_influx = [one for one in backup.files if one.path.startswith(f"{INFLUX}/")]
    if with_influx and server is None:
        raise InputError("this backup holds an InfluxDB", "--store-url", "name an empty InfluxDB and its operator token, or leave it out with --without-store")
    draft = target.with_name(f"{target.name}{TEMPORARY}")
    try:
        draft.mkdir(parents=True)
        draft.chmod(0o750)  # as `lanbi init` makes it
        for one in backup.files:
            _give(vault, one, draft)
        if (draft / "state.db").exists():
            ahead(draft / "state.db", AHEAD)
        say(f"文件 files: {len(backup.files)}")
        if with_influx and server:
            InfluxBackup(server.url.rstrip("/"), server.token.reveal()).give(draft / INFLUX)
            say(f"InfluxDB: {server.url}")
        shutil.rmtree(draft / INFLUX, ignore_errors=True)
        if target.exists():
            target.rmdir()
        draft.replace(target)
    except OSError as error:
        raise WorkError(f"the folder cannot be written: {error.strerror}", str(error.filename or target), "check room and permissions") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return Given(backup.name, len(backup.files), sum(one.size for one in backup.files))


def _give(vault: Vault, one: Held, draft: Path) -> None:
    source, path = vault.object(one.digest), draft / one.path
    if not path.resolve().is_relative_to(draft.resolve()):
        raise FileError("a path of the backup leads out of the folder", one.path, "this list was not written by lanbi")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        shutil.copyfile(source, path)
    except FileNotFoundError as error:
        raise FileError("a content is missing", f"{one.path}: {source}", "lanbi backup verify names all of them; take an earlier backup with --name") from error
    if digest_of(path) != (one.size, one.digest):
        raise FileError("a content is damaged", f"{one.path}: {source}", "lanbi backup verify names all of them; take an earlier backup with --name")
    os.chmod(path, one.mode)  # noqa: PTH101  the mode of the original, read-only ones too
    if one.stamp:
        os.utime(path, ns=(one.stamp, one.stamp))


def settings_of(target: Path) -> Path:
    """Where the settings that were backed up lie after a restore."""
    return target / SETTINGS
