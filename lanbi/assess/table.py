"""CSV tables of the calculator: named columns in, integers out, and the first bad cell with file, line and column."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from analytics.kernels import text as kernel
from analytics.kernels.written import SLOW
from domain import civil, fixed
from domain.errors import FileError
from domain.items import AIR, CODES, DAILY, ITEMS, MICRO, MICRO_FEW
from lanbi.assess import files
from lanbi.assess.rows import EARLIEST, LATEST, YEARS

_REASONS: Final = {
    kernel.BAD_NUMBER: ("not a number: {cell}", "write a decimal number, or leave the cell empty for a missing value"),
    kernel.OUT_OF_RANGE: ("outside the range {range}: {cell}", "check the unit (CO is mg/m³, the others µg/m³), or leave the cell empty"),
    kernel.SHORT_ROW: ("the row ends after {column} of {columns} columns", "complete the row"),
    kernel.LONG_ROW: ("the row has more than {columns} columns", "remove what is too much, or quote a comma inside a text"),
    kernel.OPEN_QUOTE: ("a quote is opened and never closed", "close it, or write a quote inside a text twice"),
    kernel.EMPTY: ("an empty cell", "every row needs it"),
}


_DATE: Final = len("YYYY-MM-DD")


class Shape(NamedTuple):
    """Columns that a command needs: the place, the time (or date) and the items, with their realm."""

    place: str
    time: str
    items: tuple[str, ...]


AIR_HOURLY: Final = Shape("site", "time", AIR)
AIR_DAILY: Final = Shape("site", "date", DAILY)


def one_item(item: str) -> Shape:
    """Daily values of one item."""
    return Shape("site", "date", (item,))


@dataclass(frozen=True)
class Table:
    """Columns of a file, one row a key, in the file's order.

    Attributes
    ----------
    sites : tuple of str
        In order of first appearance.
    site : (n,) int32
        Position in ``sites``.
    time : (n,) int64 [s, end label] or [civil day]
    values : (n, k) int32 [thousandths]
        ``MISSING`` = no value.
    """

    sites: tuple[str, ...]
    site: npt.NDArray[np.int32]
    time: npt.NDArray[np.int64]
    values: npt.NDArray[np.int32]

    def chosen(self, rows: npt.NDArray[np.integer]) -> Table:
        """The same table with these rows only."""
        return Table(self.sites, self.site[rows], self.time[rows], self.values[rows])

    @property
    def key(self) -> npt.NDArray[np.int64]:
        """(n,) int64 that orders rows by site and time."""
        return (self.site.astype(np.int64) << 40) + self.time + (1 << 39)


class _Source(NamedTuple):
    """A file's bytes with what messages need."""

    name: str
    data: npt.NDArray[np.uint8]
    header: list[str]
    start: int
    first_line: int
    shape: Shape


def read(name: str, shape: Shape) -> Table:
    """Read a CSV table; of rows with the same key the last wins, and the number of the others is told.

    Raises
    ------
    FileError
        A missing column, a bad number or a bad time: with file, line and column.
    """
    source = _open(name, shape)
    raw, report = _parse(source)
    _settle_times(source, raw)
    if report[0] != kernel.OK:
        raise _refusal(source, report)
    _check_meaning(source, raw)
    negative = (raw.values < 0) & (raw.values != fixed.MISSING)
    if negative.any():
        files.warn(f"{name}: {int(negative.sum())} values below zero (instrument noise) count as 0")
        raw.values[negative] = 0
    table = _table(source, raw)
    return _last_wins(name, table)


def _check_meaning(source: _Source, raw: kernel.Columns) -> None:
    """The earliest row that is in mg/m³ where µg/m³ belong, or that holds an instrument's code, is told."""
    codes = np.isin(raw.values, [int(code * fixed.SCALE) for code in CODES])
    micro = raw.values[:, [place for place, item in enumerate(source.shape.items) if item in (*MICRO, "o3_8h")]]
    there = micro != fixed.MISSING
    slips = (((micro > 0) & there).sum(axis=1) >= MICRO_FEW) & ((micro < fixed.SCALE) | ~there).all(axis=1)
    wrong = codes.any(axis=1) | slips
    if not wrong.any():
        return
    row = int(np.argmax(wrong))
    line = int(raw.lines[row])
    if codes[row].any():
        column = source.header.index(source.shape.items[int(np.argmax(codes[row]))])
        raise FileError("9999 is an instrument's code, no value", _where(source, line, column), "leave the cell empty")
    what = "all values are below 1 µg/m³: are they in mg/m³?"
    raise FileError(what, f"{source.name}, line {source.first_line + line}", "write µg/m³ (only CO is in mg/m³)")


def _open(name: str, shape: Shape) -> _Source:
    data = files.read(name)
    try:
        reader = csv.reader(io.StringIO(_head(data)))
        header = [cell.strip() for cell in next(reader)]
    except UnicodeDecodeError as error:
        raise FileError("the file is not UTF-8", f"{name}, line 1", "save it as CSV UTF-8") from error
    except (StopIteration, csv.Error) as error:
        raise FileError("the file has no header", name, f"the first line must name the columns: {','.join(_needed(shape))}") from error
    _check_header(name, header, shape)
    start = len(_head(data).encode()) if reader.line_num == 1 else _behind(data, reader.line_num)
    return _Source(name, np.frombuffer(data, np.uint8), header, start, reader.line_num + 1, shape)


def _head(data: bytes) -> str:
    """First line of a file with its end."""
    end = data.find(b"\n")
    return (data if end < 0 else data[: end + 1]).decode("utf-8")


def _behind(data: bytes, lines: int) -> int:
    place = 0
    for _ in range(lines):
        place = data.index(b"\n", place) + 1
    return place


def _needed(shape: Shape) -> tuple[str, ...]:
    return shape.place, shape.time, *shape.items


def _check_header(name: str, header: list[str], shape: Shape) -> None:
    needed = _needed(shape)
    missing = [column for column in needed if column not in header]
    if missing:
        raise FileError(f"column missing: {', '.join(missing)}", f"{name}, line 1", f"needed are {','.join(needed)}")
    twice = [column for column in needed if header.count(column) > 1]
    if twice:
        raise FileError(f"column given twice: {', '.join(twice)}", f"{name}, line 1", "keep one of them")
    unknown = [column for column in header if column not in needed]
    if unknown:
        files.warn(f"{name}: columns ignored: {', '.join(unknown)}")


def _roles(source: _Source) -> npt.NDArray[np.int32]:
    roles = {source.shape.place: kernel.SITE, source.shape.time: kernel.TIME}
    roles |= {item: kernel.NUMBER + place for place, item in enumerate(source.shape.items)}
    return np.array([roles.get(column, kernel.IGNORED) for column in source.header], np.int32)


def _ranges(items: Sequence[str]) -> npt.NDArray[np.int32]:
    known = [ITEMS["air", name] for name in items]
    return np.array([(int(-item.tiny * fixed.SCALE) if item.low == 0 else item.low, item.high * fixed.SCALE) for item in known], np.int32)


def _parse(source: _Source) -> tuple[kernel.Columns, npt.NDArray[np.int64]]:
    most = int(np.count_nonzero(source.data[source.start :] == ord("\n"))) + 1
    raw = kernel.Columns(
        np.empty((most, 4), np.int64),
        np.empty(most, np.int64),
        np.empty((most, len(source.shape.items)), np.int32),
        np.empty(most, np.int32),
    )
    report = np.zeros(5, np.int64)
    ranges = _ranges(source.shape.items)
    wanted = kernel.Wanted(_roles(source), civil.OFFSET_S, ranges)
    rows = kernel.read(source.data, source.start, wanted, raw, report)
    return kernel.Columns(raw.places[:rows], raw.when[:rows], raw.values[:rows], raw.lines[:rows]), report


def _settle_times(source: _Source, raw: kernel.Columns) -> None:
    """Times in rarer forms, and the check that a time is a full hour within reason; the earliest bad one is told."""
    known: dict[str, int] = {}
    for row in np.flatnonzero(raw.when == SLOW).tolist():
        start, end = raw.places[row, 2:].tolist()
        text = source.data[start:end].tobytes().decode("utf-8", "replace")
        if text not in known:
            known[text] = _instant(source, text, int(raw.lines[row]))
        raw.when[row] = known[text]
    hourly = source.shape.time == "time"
    first, last = (EARLIEST + 1, LATEST) if hourly else (civil.year_days(YEARS[0])[0], civil.year_days(YEARS[1])[1])
    wrong = (raw.when < first) | (raw.when > last)
    if hourly:
        # A bare date was read as a day's number, which may look like a full hour of 1970.
        wrong |= (raw.when % civil.HOUR_S != 0) | (raw.places[:, 3] - raw.places[:, 2] <= _DATE)
    if wrong.any():
        row = int(np.argmax(wrong))
        start, end = raw.places[row, 2:].tolist()
        raise _bad_time(source, source.data[start:end].tobytes().decode("utf-8", "replace"), int(raw.lines[row]))


def _instant(source: _Source, text: str, line: int) -> int:
    try:
        return civil.parse_time(text, civil.SHANGHAI) if source.shape.time == "time" else civil.parse_date(text)
    except ValueError:
        raise _bad_time(source, text, line) from None


def _bad_time(source: _Source, text: str, line: int) -> FileError:
    form = "YYYY-MM-DDTHH:00:00 (a full hour, its end)" if source.shape.time == "time" else "YYYY-MM-DD"
    return FileError(f"not a {source.shape.time}: {text!r}", _where(source, line, source.header.index(source.shape.time)), f"write {form}")


def _where(source: _Source, line: int, column: int) -> str:
    named = f", column {source.header[column]} ({column + 1})" if column < len(source.header) else f", column {column + 1}"
    return f"{source.name}, line {source.first_line + line}{named}"


def _refusal(source: _Source, report: npt.NDArray[np.int64]) -> FileError:
    reason, line, column, start, end = report.tolist()
    cell = repr(source.data[start : min(end, start + 60)].tobytes().decode("utf-8", "replace"))
    known = ITEMS.get(("air", source.header[column])) if column < len(source.header) else None
    what, todo = _REASONS[reason]
    bounds = f"{known.low:g}…{known.high:g} {known.unit}" if known else ""
    words = {"cell": cell, "range": bounds, "column": column + 1, "columns": len(source.header)}
    return FileError(what.format(**words), _where(source, line, column), todo)


def _table(source: _Source, raw: kernel.Columns) -> Table:
    rows = len(raw.when)
    slots = np.full(1 << max(4, (2 * rows).bit_length()), -1, np.int32)
    owner, first = np.empty(rows, np.int32), np.empty(rows, np.int32)
    count = kernel.intern(source.data, raw.places, slots, owner, first)
    names = [_name(source, raw, int(row)) for row in first[:count]]
    return Table(tuple(names), owner, raw.when, raw.values)


def _name(source: _Source, raw: kernel.Columns, row: int) -> str:
    start, end = raw.places[row, :2].tolist()
    try:
        return source.data[start:end].tobytes().decode("utf-8").replace('""', '"')
    except UnicodeDecodeError as error:
        where = _where(source, int(raw.lines[row]), source.header.index(source.shape.place))
        raise FileError("the text is not UTF-8", where, "save the file as CSV UTF-8") from error


def _last_wins(name: str, table: Table) -> Table:
    key = table.key
    if len(key) < 2 or bool((key[1:] > key[:-1]).all()):
        return table
    order = np.argsort(key, kind="stable")
    last = np.append(key[order][1:] != key[order][:-1], True)
    rows = np.sort(order[last])
    if len(rows) < len(key):
        files.warn(f"{name}: {len(key) - len(rows)} rows repeat a key; the last of each counts")
        return table.chosen(rows)
    return table
