"""Small CSV tables row by row: named columns in any order, each row with its place for messages."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from typing import Any, Final

from domain import civil
from domain.errors import FileError
from lanbi.assess import files

YEARS: Final = (1900, 2199)
"""First and last year that a table may be about."""
EARLIEST: Final = civil.day_start(civil.year_days(YEARS[0])[0])
LATEST: Final = civil.day_start(civil.year_days(YEARS[1] + 1)[0])
"""Bounds of instants [s]: after the first, up to the last."""


def read(name: str, needed: Sequence[str], known: Collection[str] = ()) -> tuple[list[str], Iterator[tuple[str, dict[str, str]]]]:
    """The header of a file, and its rows.

    Parameters
    ----------
    needed, known : collections of str
        Columns that must be there, and others that are used; the rest is told and left out of nothing.

    Returns
    -------
    header : list of str
    rows : iterator of (where, dict of column to str)
        ``where`` is file and line; cells are stripped. Empty lines are passed over.

    Raises
    ------
    FileError
        No UTF-8, a column that is missing or there twice, a row with too few or too many cells, a quote that is never closed.
    """
    try:
        text = files.read(name).decode("utf-8")
    except UnicodeDecodeError as error:
        raise FileError("the file is not UTF-8", name, "save it as CSV UTF-8") from error
    reader = csv.reader(io.StringIO(text, newline=""))
    header = [cell.strip() for cell in next(reader, [])]
    if missing := [column for column in needed if column not in header]:
        raise FileError(f"column missing: {', '.join(missing)}", f"{name}, line 1", f"needed are {','.join(needed)}")
    if twice := [column for column in header if column in (*needed, *known) and header.count(column) > 1]:
        raise FileError(f"column given twice: {', '.join(dict.fromkeys(twice))}", f"{name}, line 1", "keep one of them")
    if unknown := [column for column in header if column not in (*needed, *known)]:
        files.warn(f"{name}: columns ignored: {', '.join(unknown)}")
    return header, _rows(name, reader, header)


def _rows(name: str, reader: Any, header: Sequence[str]) -> Iterator[tuple[str, dict[str, str]]]:
    for cells in _cells(name, reader):
        if not cells:
            continue
        where = f"{name}, line {reader.line_num}"
        if len(cells) != len(header):
            raise FileError(f"{len(cells)} cells under {len(header)} columns", where, "complete the row")
        yield where, {column: cell.strip() for column, cell in zip(header, cells, strict=True)}


def _cells(name: str, reader: Any) -> Iterator[list[str]]:
    """Rows of cells; a cell longer than the reader takes is what stands behind a quote that was forgotten."""
    try:
        yield from reader
    except csv.Error as error:
        todo = "close it, or write a quote inside a text twice"
        raise FileError("a quote is opened and never closed", f"{name}, line {reader.line_num}", todo) from error


def filled(text: str, where: str, column: str) -> str:
    """A cell that must not be empty."""
    if not text:
        raise FileError("an empty cell", f"{where}, column {column}", "every row needs it")
    return text


def time(text: str, where: str) -> int:
    """Instant of a cell of the column ``time`` [s], within reason; a time without a zone is Chinese time."""
    found = _instant(text)
    if not EARLIEST < found <= LATEST:
        raise FileError(f"not a time: {text!r}", f"{where}, column time", "write YYYY-MM-DDThh:mm:ss")
    return found


@lru_cache(maxsize=1 << 17)
def _instant(text: str) -> int:
    """Instant of a text, beyond reason for what is none: the places of a table share their times."""
    try:
        return civil.parse_time(text, civil.SHANGHAI)
    except ValueError:
        return LATEST + 1
