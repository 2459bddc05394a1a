"""Changes of the registry: compared, put in force with the person who answers for it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any, Final, NamedTuple

from domain.civil import date_of, iso
from domain.errors import FileError, RegistryError
from domain.places import Dated, Registry
from domain.ports import Clock
from lanbi.folders import stands
from lanbi.journal import JournalWriter
from lanbi.registry import loads
from lanbi.settings import Settings
from lanbi.toml_lines import read

TOPIC: Final = "lanbi/v1/~person/registry"
FOLDER: Final = Path("registry")
CURRENT: Final = FOLDER / "current.toml"
NS: Final = 1_000_000_000


def in_force(settings: Settings) -> Path:
    """File of the registry in force: the applied one, else the one that the settings name."""
    applied = settings.data / CURRENT
    return applied if applied.exists() else settings.county


class Signature(NamedTuple):
    """Who answers for a change, and by which document."""

    person: str
    document: str


def differences(old: Registry | None, new: Registry) -> list[str]:
    """Added (+), removed (-) and changed (~) entries, one line each; without an old registry all is added."""
    lines: list[str] = []
    if old is not None and old.county != new.county:
        lines.append(f"~ county {new.county.id}: {_changed(old.county, new.county)}")
    for part in fields(Registry):
        after = getattr(new, part.name)
        if not hasattr(after, "keys"):
            continue
        before = getattr(old, part.name) if old is not None else {}
        lines += [f"+ {part.name} {name}" for name in after if name not in before]
        lines += [f"- {part.name} {name}" for name in before if name not in after]
        lines += [f"~ {part.name} {name}: {_changed(before[name], after[name])}" for name in after if name in before and after[name] != before[name]]
    return lines


def _changed(before: Any, after: Any) -> str:
    pairs = ((part.name, getattr(before, part.name), getattr(after, part.name)) for part in fields(before))
    return ", ".join(f"{name}: {_shown(old)} → {_shown(new)}" for name, old, new in pairs if old != new)


def _shown(value: Any) -> str:
    if not isinstance(value, Dated):
        return repr(value)
    if len(value.steps) == 1 and abs(value.steps[0][0]) > 1_000_000:
        return repr(value.steps[0][1])
    return "[" + ", ".join(f"{date_of(day) if abs(day) < 1_000_000 else '…'}: {one!r}" for day, one in value.steps) + "]"


def apply(path: Path, data: Path, clock: Clock, signature: Signature) -> str:
    """Put a registry in force: a journal record, then the file that the programs watch; returns the version.

    Raises
    ------
    RegistryError
        The file is not valid; nothing changed.
    DataFolderBusy
        Somebody else enters something at this moment.
    FileError
        The data folder cannot be written; nothing changed.
    """
    return put(read(path, RegistryError), str(path), data, clock, signature)


def put(text: str, name: str, data: Path, clock: Clock, signature: Signature) -> str:
    """Put the text of a registry in force, as :func:`apply` does with a file; ``name`` stands for it in messages."""
    version = loads(text, name).version
    now = clock.now_ns()
    body = {
        "user": signature.person,
        "time": iso(now // NS),
        "document": signature.document,
        "version": version,
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
        "text": text,
    }
    writer = JournalWriter(data / "journal", "person")
    try:
        _in_force(data, version, text, lambda: _journalled(writer, body, now))
    finally:
        writer.close()
    return version


def _in_force(data: Path, version: str, text: str, journalled: Callable[[], None]) -> None:
    """Everything that may fail comes before the journal record; behind it only a rename is left."""
    try:
        (data / FOLDER).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"cannot be made: {error.strerror}", str(data / FOLDER), "check folder and permissions") from error
    write_whole(data / FOLDER / f"{version}.toml", text)
    draft = _draft(data / CURRENT, text)
    try:
        journalled()
        _rename(draft, data / CURRENT)
    finally:
        draft.unlink(missing_ok=True)


def _journalled(writer: JournalWriter, body: dict[str, str], now: int) -> None:
    writer.append(TOPIC, json.dumps(body, ensure_ascii=False).encode(), received_ns=now, readings=0)
    writer.commit()


def write_whole(path: Path, text: str) -> None:
    """Write a file whole or not at all, also through a power cut; a device or pipe is written into."""
    if stands(path):
        path.write_text(text, encoding="utf-8")
        return
    _rename(_draft(path, text), path)


def _draft(path: Path, text: str) -> Path:
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        with draft.open("w", encoding="utf-8") as handle:
            handle.write(text)
            handle.flush()
            os.fsync(handle.fileno())
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise FileError(f"cannot be written: {error.strerror}", str(path), "check folder and permissions") from error
    return draft


def _rename(draft: Path, path: Path) -> None:
    try:
        draft.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise FileError(f"cannot be written: {error.strerror}", str(path), "check folder and permissions") from error
