"""Changes of the registry: from a workbook, compared, put in force with the person who answers for it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any, Final, NamedTuple
from zipfile import BadZipFile

from domain.civil import iso
from domain.errors import FileError
from domain.places import Registry
from domain.ports import Clock
from lanbi.journal import JournalWriter
from lanbi.registry import load, loads
from lanbi.registry_fields import FIELDS

TOPIC: Final = "lanbi/v1/~person/registry"
CURRENT: Final = Path("registry") / "current.toml"
NS: Final = 1_000_000_000


class Signature(NamedTuple):
    """Who answers for a change, and by which document."""

    person: str
    document: str


def checked(path: Path) -> Registry:
    """The registry of a file, or its faults."""
    return load(path)


def differences(old: Registry, new: Registry) -> list[str]:
    """Added (+), removed (-) and changed (~) entries, one line each."""
    lines: list[str] = []
    for part in fields(Registry):
        before, after = getattr(old, part.name), getattr(new, part.name)
        if not hasattr(before, "keys"):
            continue
        lines += [f"+ {part.name} {name}" for name in after if name not in before]
        lines += [f"- {part.name} {name}" for name in before if name not in after]
        lines += [f"~ {part.name} {name}: {_changed(before[name], after[name])}" for name in after if name in before and after[name] != before[name]]
    return lines


def _changed(before: Any, after: Any) -> str:
    pairs = ((part.name, getattr(before, part.name), getattr(after, part.name)) for part in fields(before))
    return ", ".join(f"{name}: {old!r} → {new!r}" for name, old, new in pairs if old != new)


def apply(path: Path, data: Path, clock: Clock, signature: Signature) -> str:
    """Put a registry in force: a journal record first, then the file that the programs watch; returns the version.

    Raises
    ------
    RegistryError
        The file is not valid; nothing changed.
    DataFolderBusy
        Somebody else enters something at this moment.
    """
    text = path.read_text(encoding="utf-8-sig")
    version = loads(text, str(path)).version
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
        writer.append(TOPIC, json.dumps(body, ensure_ascii=False).encode(), received_ns=now, readings=0)
        writer.commit()
    finally:
        writer.close()
    (data / CURRENT).parent.mkdir(parents=True, exist_ok=True)
    write_whole(data / CURRENT, text)
    return version


def write_whole(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    draft = path.with_name(path.name + ".new")
    try:
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        raise FileError(f"cannot be written: {error.strerror}", str(path), "check folder and permissions") from error


def from_workbook(path: Path) -> str:
    """Registry text of an XLSX workbook: one sheet a table, first row the keys; validated.

    Raises
    ------
    FileError
        No workbook.
    RegistryError
        Its content is no valid registry; lines are those of the text that it would become.
    """
    import openpyxl  # noqa: PLC0415  only this program needs it

    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except (OSError, ValueError, KeyError, BadZipFile, openpyxl.utils.exceptions.InvalidFileException) as error:
        raise FileError(f"not a workbook: {error}", str(path), "save it as .xlsx") from error
    unknown = [name for name in book.sheetnames if name not in FIELDS]
    if unknown:
        raise FileError(f"unknown sheet '{unknown[0]}'", str(path), f"name the sheets {', '.join(FIELDS)}")
    text = "\n".join(line for name in book.sheetnames for line in _sheet(name, book[name].iter_rows(values_only=True)))
    loads(text, str(path))
    return text + "\n"


def _sheet(name: str, rows: Iterator[tuple[Any, ...]]) -> Iterator[str]:
    keys = [str(key).strip() for key in next(rows, ()) if key is not None]
    for row in rows:
        cells = {key: value for key, value in zip(keys, row, strict=False) if value not in (None, "")}
        if not cells:
            continue
        yield f"[{name}]" if name == "county" else f"[[{name}]]"
        for key, value in cells.items():
            yield f"{key} = {_literal(str(name), key, value)}"
        yield ""


def _literal(table: str, key: str, value: Any) -> str:
    """A cell as TOML: lists and tables stand as TOML text in the cell, everything else is quoted unless it is yes/no or a whole number."""
    text = str(value).strip()
    if isinstance(value, bool):
        return str(value).lower()
    if text[:1] in {"[", "{"}:
        return text
    rule = FIELDS[table].get(key)
    if rule is not None and rule.default == ():
        return "[" + ", ".join(json.dumps(part.strip(), ensure_ascii=False) for part in text.split(",")) + "]"
    if rule is not None and isinstance(rule.default, int) and not isinstance(rule.default, bool):
        return text
    return json.dumps(text, ensure_ascii=False)
