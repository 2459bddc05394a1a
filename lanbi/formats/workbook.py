"""The first sheet of an XLSX workbook as texts."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any, Final

import openpyxl

from domain.errors import FileError
from lanbi.formats.rows import trimmed
from lanbi.formats.sheet import LARGEST, Cells, Sheet

TODO: Final = "save it as XLSX again, or as CSV UTF-8"


def open_workbook(name: str, data: bytes, digest: str) -> Sheet:
    """The first sheet; what other sheets hold is left, and that is told."""
    try:
        _refuse_bomb(name, data)
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        first = book.worksheets[0]
        first.reset_dimensions()
    except FileError:
        raise
    except Exception as error:
        # openpyxl lets out whatever its parser met: KeyError, ValueError, BadZipFile, ParseError …
        raise FileError(f"no readable workbook: {error}", name, TODO) from error
    rows = _rows(name, first)
    header = next(rows, None)
    if header is None:
        raise FileError("the first sheet is empty", name, "put the table on the first sheet, its column names in the first row")
    notices = [f"{name}: 只读取第一张表 only the first sheet is read: {first.title}"] if len(book.worksheets) > 1 else []
    return Sheet(name, "xlsx", digest, [trimmed(cell) for cell in header[1]], rows, notices)


def _refuse_bomb(name: str, data: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        size = sum(part.file_size for part in packed.infolist())
    if size > LARGEST:
        raise FileError("larger than 1 GiB unpacked", name, "split it")


def _rows(name: str, sheet: Any) -> Iterator[tuple[int, Cells]]:
    line = 0
    try:
        for line, cells in enumerate(sheet.iter_rows(values_only=True), 1):
            texts = [text_of(cell) for cell in cells]
            if any(texts):
                yield line, texts
    except Exception as error:
        raise FileError(f"no readable workbook: {error}", f"{name}, row {line + 1}", TODO) from error


def text_of(cell: object) -> str:
    """The cell as one would type it.

    >>> text_of(133.0), text_of(datetime(2019, 7, 18, 11, 59, 59, 999_997)), text_of(date(2019, 7, 18))
    ('133', '2019-07-18T12:00:00', '2019-07-18')
    """
    if cell is None:
        return ""
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, datetime):
        # A workbook counts days in binary fractions: its seconds need rounding.
        return (cell + timedelta(microseconds=500_000)).replace(microsecond=0).isoformat()
    if isinstance(cell, (date, time)):
        return cell.isoformat()
    return trimmed(str(cell))
