"""Small CSV tables row by row: named columns in any order, each row with its place for messages."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, Final

from domain import civil
from domain.errors import FileError
from lanbi.assess import files

YEARS: Final = (1900, 2199)
"""First and last year that a table may be about."""
EARLIEST: Final = civil.day_start(civil.year_days(YEARS[0])[0])
LATEST: Final = civil.day_start(civil.year_days(YEARS[1] + 1)[0])
"""Bounds of instants [s]: after the first, up to the last."""
KEPT: Final = 1 << 17
"""Texts of one column that are remembered."""


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
    header, table = lines(name, needed, known)
    named = ((place(name, line), {column: cell.strip() for column, cell in zip(header, cells, strict=True)}) for line, cells in table)
    return header, named


def lines(name: str, needed: Sequence[str], known: Collection[str] = ()) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """The same for tables of a million rows: each row as its line and its cells as they stand, with blanks around them."""
    data = files.read(name)
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FileError("the file is not UTF-8", name, "save it as CSV UTF-8") from error
    reader = csv.reader(io.TextIOWrapper(io.BytesIO(data), encoding="utf-8", newline=""))
    header = [cell.strip() for cell in next(reader, [])]
    if missing := [column for column in needed if column not in header]:
        raise FileError(f"column missing: {', '.join(missing)}", f"{name}, line 1", f"needed are {','.join(needed)}")
    if twice := [column for column in header if column in (*needed, *known) and header.count(column) > 1]:
        raise FileError(f"column given twice: {', '.join(dict.fromkeys(twice))}", f"{name}, line 1", "keep one of them")
    if unknown := [column for column in header if column not in (*needed, *known)]:
        files.warn(f"{name}: columns ignored: {', '.join(unknown)}")
    return header, _whole(name, reader, len(header))


def place(name: str, line: int) -> str:
    """Where a row stands, for messages."""
    return f"{name}, line {line}"


def _whole(name: str, reader: Any, columns: int) -> Iterator[tuple[int, list[str]]]:
    for cells in _cells(name, reader):
        if len(cells) == columns:
            yield reader.line_num, cells
        elif cells:
            raise FileError(f"{len(cells)} cells under {columns} columns", place(name, reader.line_num), "complete the row")


class Known(dict[str, Any]):
    """What texts of cells mean, each looked at once: a large table says the same few thousand texts again and again.

    Parameters
    ----------
    meaning : callable
        What a stripped text means; called again for a text that was forgotten.
    """

    def __init__(self, meaning: Callable[[str], Any]) -> None:
        super().__init__()
        self._meaning = meaning

    def __missing__(self, text: str) -> Any:
        """Ask, and remember within bounds."""
        if len(self) >= KEPT:
            self.clear()
        self[text] = found = self._meaning(text.strip())
        return found


def _cells(name: str, reader: Any) -> Iterator[list[str]]:
    """Rows of cells; a cell longer than the reader takes is what stands behind a quote that was forgotten."""
    try:
        yield from reader
    except csv.Error as error:
        todo = "close it, or write a quote inside a text twice"
        raise FileError("a quote is opened and never closed", place(name, reader.line_num), todo) from error


def filled(text: str, where: str, column: str) -> str:
    """A cell that must not be empty."""
    if not text:
        raise FileError("an empty cell", f"{where}, column {column}", "every row needs it")
    return text


def time(text: str, where: str) -> int:
    """Instant of a cell of the column ``time`` [s], within reason; a time without a zone is Chinese time."""
    found = instant(text)
    if found is None:
        raise FileError(f"not a time: {text!r}", f"{where}, column time", "write YYYY-MM-DDThh:mm:ss")
    return found


def instant(text: str) -> int | None:
    """The same, None for what is no time."""
    try:
        found = civil.parse_time(text, civil.SHANGHAI)
    except ValueError:
        return None
    return found if EARLIEST < found <= LATEST else None
