"""Small CSV tables row by row: named columns in any order, each row with its place for messages."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from domain import civil
from domain.errors import FileError
from lanbi.assess import files


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
        No UTF-8, a missing column, a row with too few or too many cells.
    """
    try:
        text = files.read(name).decode("utf-8")
    except UnicodeDecodeError as error:
        raise FileError("the file is not UTF-8", name, "save it as CSV UTF-8") from error
    reader = csv.reader(io.StringIO(text, newline=""))
    header = [cell.strip() for cell in next(reader, [])]
    if missing := [column for column in needed if column not in header]:
        raise FileError(f"column missing: {', '.join(missing)}", f"{name}, line 1", f"needed are {','.join(needed)}")
    if unknown := [column for column in header if column not in (*needed, *known)]:
        files.warn(f"{name}: columns ignored: {', '.join(unknown)}")
    return header, _rows(name, reader, header)


def _rows(name: str, reader: Any, header: Sequence[str]) -> Iterator[tuple[str, dict[str, str]]]:
    for cells in reader:
        if not cells:
            continue
        where = f"{name}, line {reader.line_num}"
        if len(cells) != len(header):
            raise FileError(f"{len(cells)} cells under {len(header)} columns", where, "complete the row")
        yield where, {column: cell.strip() for column, cell in zip(header, cells, strict=True)}


def filled(text: str, where: str, column: str) -> str:
    """A cell that must not be empty."""
    if not text:
        raise FileError("an empty cell", f"{where}, column {column}", "every row needs it")
    return text


def time(text: str, where: str) -> int:
    """Instant of a cell of the column ``time`` [s]; a time without a zone is Chinese time."""
    try:
        return civil.parse_time(text, civil.SHANGHAI)
    except ValueError:
        raise FileError(f"not a time: {text!r}", f"{where}, column time", "write YYYY-MM-DDThh:mm:ss") from None
