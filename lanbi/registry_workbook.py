"""A workbook becomes a registry: one sheet a table, first row the keys, one row an entry."""

from __future__ import annotations

import json
import warnings
import zlib
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple
from zipfile import BadZipFile

from domain.errors import FileError, RegistryError
from lanbi.registry import TODO, loads
from lanbi.registry_fields import FIELDS, SINGLE
from lanbi.toml_lines import faults_of, nearest, raise_all

_BROKEN: Final = (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError, EOFError, BadZipFile, SyntaxError, zlib.error)
"""What openpyxl lets through when a file is no workbook, or only half of one (faults of XML are a SyntaxError)."""
_NAME: Final = "workbook"


class _Line(NamedTuple):
    """A line of the registry's text, and the cell that it came from."""

    text: str
    sheet: str
    row: int


def from_workbook(path: Path) -> str:
    """Registry text of an XLSX workbook, validated.

    Raises
    ------
    FileError
        No workbook, or a sheet that is no table of the registry.
    RegistryError
        Its content is no valid registry: all faults, each with sheet and row.
    """
    lines = [line for name, rows in _sheets(path) for line in _table(name, rows)]
    text = "".join(f"{line.text}\n" for line in lines)
    try:
        loads(text, _NAME)
    except RegistryError as error:
        raise_all([(_cell(where, path, lines), what) for where, what in faults_of(error)], RegistryError, TODO)
    return text


def _cell(where: str, path: Path, lines: list[_Line]) -> str:
    number = where.removeprefix(f"{_NAME}:")
    if not number.isdigit() or not 0 < int(number) <= len(lines):
        return str(path)
    line = lines[int(number) - 1]
    return f"{path}, sheet {line.sheet}, row {line.row}"


def _sheets(path: Path) -> list[tuple[str, list[tuple[Any, ...]]]]:
    import openpyxl  # noqa: PLC0415  only this program needs it

    try:
        # Decorations that openpyxl does not know are none of the registry's business.
        with path.open("rb") as file, warnings.catch_warnings():  # opened here: a broken one openpyxl leaves open
            warnings.simplefilter("ignore")
            book = openpyxl.load_workbook(file, data_only=True)
        sheets = [(sheet.title.strip(), list(sheet.iter_rows(values_only=True))) for sheet in book.worksheets]
    except FileNotFoundError as error:
        raise FileError("no such workbook", str(path), "check the path") from error
    except (*_BROKEN, openpyxl.utils.exceptions.InvalidFileException) as error:
        raise FileError(f"not a workbook: {error}", str(path), "save it as .xlsx") from error
    filled = [(name, rows) for name, rows in sheets if any(any(cell is not None for cell in row) for row in rows)]
    strange = next((name for name, _ in filled if name not in FIELDS), None)
    if strange:
        raise FileError(f"unknown sheet '{strange}'{nearest(strange, tuple(FIELDS))}", str(path), f"name the sheets {', '.join(FIELDS)}")
    return filled


def _table(name: str, rows: list[tuple[Any, ...]]) -> Iterator[_Line]:
    keys = ["" if key is None else str(key).strip() for key in rows[0]]
    for number, row in enumerate(rows[1:], 2):
        cells = {key: value for key, value in zip(keys, row, strict=True) if key and value is not None and str(value).strip()}
        if cells:
            yield _Line(f"[{name}]" if name in SINGLE else f"[[{name}]]", name, number)
        for key, value in cells.items():
            yield _Line(f"{json.dumps(key, ensure_ascii=False)} = {_literal(name, key, value)}", name, number)


def _literal(table: str, key: str, value: Any) -> str:
    """A cell as TOML: lists and tables stand as TOML text in the cell, everything else is quoted unless it is yes/no or a whole number."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = " ".join(str(value.date() if isinstance(value, datetime) else value).split())
    if text[:1] in {"[", "{"}:
        return text
    rule = FIELDS[table].get(key)
    if rule is not None and rule.default == () and not isinstance(value, date):
        return "[" + ", ".join(json.dumps(part.strip(), ensure_ascii=False) for part in text.replace("，", ",").split(",") if part.strip()) + "]"
    if rule is not None and isinstance(rule.default, bool):
        return {"true": "true", "false": "false", "是": "true", "否": "false"}.get(text.lower(), json.dumps(text, ensure_ascii=False))
    if rule is not None and isinstance(rule.default, int) and text.isascii() and text.isdigit():
        return str(int(text))
    return json.dumps(text, ensure_ascii=False)
