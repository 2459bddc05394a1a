"""The folder of backups: each content once under its SHA-256, and a list a backup that says what lay where.

::

    lanbi-backup.json            version of this layout
    objects/ab/abcdef…           contents, read-only
    backups/2026-11-27T021003Z   one line of JSON a file: path, size, digest, mode; last line: count and digest of the lines before

An object stands under its name only when it is whole and durable, and a list is written after all its objects: a death at any
moment leaves the earlier backups as they were. Nothing is ever changed, so a backup of a quiet day costs its list.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from domain.errors import FileError, InputError, WorkError
from lanbi.journal_files import sync_folder

VERSION: Final = 1
MARK: Final = "lanbi-backup.json"
READ_ONLY: Final = 0o400
PORTION: Final = 1 << 20


class Held(NamedTuple):
    """A file of a backup: where it lay below the data folder, how long, what, with which mode; ``stamp`` tells an unchanged one."""

    path: str
    size: int
    digest: str
    mode: int
    stamp: int = 0


class Backup(NamedTuple):
    """A list: its name, what was said of the whole, and its files."""

    name: str
    about: Mapping[str, Any]
    files: tuple[Held, ...]


class Vault:
    """A folder of backups.

    Parameters
    ----------
    create : bool
        Make the folder if there is none; without it a folder that holds no backups is refused.
    """

    def __init__(self, folder: Path, *, create: bool = False) -> None:
        self.folder = folder
        mark = folder / MARK
        if create and not mark.exists():
            _begin(folder, mark)
        if not mark.exists():
            raise InputError("no backups lie here", str(folder), "name the folder that `lanbi backup --to` wrote")
        try:
            found = int(json.loads(mark.read_text(encoding="utf-8"))["version"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise FileError("the mark of the backup folder cannot be read", str(mark), "restore this one file from a copy") from error
        if found > VERSION:
            raise InputError(f"made by a newer lanbi (backup format {found}, this one knows {VERSION})", str(folder), "use the newer lanbi")

    def put(self, source: Path, end: int | None = None) -> tuple[int, str]:
        """Keep a file's first ``end`` bytes; its size and digest. A content that is there already is not written again."""
        draft = self.folder / "objects" / f".{os.getpid()}.new"
        digest, size = hashlib.sha256(), 0
        try:
            with source.open("rb") as file, draft.open("wb") as out:
                while (end is None or size < end) and (data := file.read(PORTION if end is None else min(PORTION, end - size))):
                    digest.update(data)
                    out.write(data)
                    size += len(data)
                out.flush()
                os.fsync(out.fileno())
            if end is not None and size < end:
                raise WorkError("the file is shorter than its last commit", str(source), "lanbi journal verify")
            self._keep(draft, digest.hexdigest())
        except OSError as error:
            raise WorkError(
                f"the backup cannot be written: {error.strerror}", str(error.filename or source), "check room and permissions of the folder"
            ) from error
        finally:
            draft.unlink(missing_ok=True)
        return size, digest.hexdigest()

    def _keep(self, draft: Path, digest: str) -> None:
        path = self.object(digest)
        if path.exists():
            return
        path.parent.mkdir(exist_ok=True, mode=0o700)
        draft.chmod(READ_ONLY)
        draft.replace(path)
        sync_folder(path.parent)

    def object(self, digest: str) -> Path:
        """Where a content lies."""
        return self.folder / "objects" / digest[:2] / digest

    def write(self, backup: Backup) -> None:
        """Write the list of a backup whose objects are all here."""
        lines = [
            json.dumps({"about": dict(backup.about)}, ensure_ascii=False, sort_keys=True),
            *(json.dumps(one._asdict(), ensure_ascii=False) for one in backup.files),
        ]
        body = "".join(f"{line}\n" for line in lines)
        end = json.dumps({"files": len(backup.files), "sha256": hashlib.sha256(body.encode()).hexdigest()})
        path = self.folder / "backups" / backup.name
        draft = path.with_name(f".{path.name}.new")
        with draft.open("w", encoding="utf-8") as out:
            out.write(body + end + "\n")
            out.flush()
            os.fsync(out.fileno())
        draft.chmod(READ_ONLY)
        draft.replace(path)
        sync_folder(path.parent)

    def names(self) -> list[str]:
        """Backups, oldest first."""
        return sorted(path.name for path in (self.folder / "backups").iterdir() if not path.name.startswith("."))

    def read(self, name: str | None = None) -> Backup:
        """A backup, by default the newest.

        Raises
        ------
        InputError
            There is none, or none of that name.
        FileError
            Its list is damaged.
        """
        names = self.names()
        if not names or (name is not None and name not in names):
            raise InputError(f"there is no backup {name or ''}".rstrip(), str(self.folder), f"there are: {', '.join(names) or 'none'}")
        path = self.folder / "backups" / (name or names[-1])
        body, _, end = path.read_text(encoding="utf-8").rstrip("\n").rpartition("\n")
        try:
            told = json.loads(end)
            good = told["sha256"] == hashlib.sha256(f"{body}\n".encode()).hexdigest()
            about, *rows = map(json.loads, body.split("\n"))
        except (ValueError, KeyError, TypeError):
            good, about, rows = False, {"about": {}}, []
        if not good:
            raise FileError("the list of this backup is damaged", str(path), f"take an earlier one: {', '.join(names[:-1]) or 'there is none'}")
        return Backup(path.name, about["about"], tuple(Held(**row) for row in rows))

    def faults(self, backup: Backup) -> Iterator[str]:
        """Every file of a backup whose content is missing or is not what was kept."""
        for one in backup.files:
            path = self.object(one.digest)
            if not path.exists():
                yield f"{one.path}: 缺失 missing ({one.digest[:16]}…)"
            elif (found := digest_of(path)) != (one.size, one.digest):
                yield f"{one.path}: 已损坏 damaged ({one.digest[:16]}…, {found[0]} of {one.size} bytes)"


def digest_of(path: Path) -> tuple[int, str]:
    """Size and SHA-256 of a file."""
    size = path.stat().st_size
    with path.open("rb") as file:
        return size, hashlib.file_digest(file, "sha256").hexdigest()


def _begin(folder: Path, mark: Path) -> None:
    if folder.exists() and any(folder.iterdir()):
        raise InputError("the folder holds other things", str(folder), "name an empty folder, or one with backups of lanbi")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        for name in ("objects", "backups"):
            (folder / name).mkdir(mode=0o700)
        mark.write_text(json.dumps({"version": VERSION}) + "\n", encoding="utf-8")
    except OSError as error:
        raise WorkError(f"the folder cannot be made: {error.strerror}", str(folder), "name a folder that this user may write to") from error
