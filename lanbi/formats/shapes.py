"""What a table of one source looks like: its columns, its marks for missing, its units, and what a zero means there.

One list of missing marks per source: a mark of one is a value of another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from domain.civil import DAY_S, HOUR_S
from domain.errors import FileError
from lanbi.formats.rows import Fault, Row, number, trimmed
from lanbi.formats.sheet import Cells, Sheet
from lanbi.toml_lines import nearest

Reader = Callable[[str], float]
TODO_NUMBER: Final = "write a decimal number, or leave the cell empty for a missing value"
TODO_TIME: Final = "write YYYY-MM-DD HH:MM or YYYY-MM-DD, Beijing time, the end of the span"
TODO_PLACE: Final = "name the place, or remove the row"
DAILY_ZERO: Final = frozenset({"pm25", "pm10", "o3", "o3_8h"})
"""In daily values a zero of these is a day that was deducted or never measured, not clean air; in hourly values it is a value."""


@dataclass(frozen=True)
class Shape:
    """Columns of a table, each item and place with the names it may have; compared without case.

    Attributes
    ----------
    places : tuple of str
        Columns with names of the place, the surest first; the first one is needed.
    times : tuple of str
        Columns that :attr:`when` takes, all needed.
    when : callable
        Texts of these columns to the end label [s].
    items : mapping of item to column names
        Every item is needed unless :attr:`any_item`.
    span : int [s]
        What the values stand for.
    missing : frozenset of str
        The source's marks for no value, besides an empty cell.
    readers : mapping of item to callable
        Other readers than a plain number (units, compass points).
    zero_missing : frozenset of str
        Items whose zero is missing.
    ignored : frozenset of str
        Further columns of the source that hold no reading.
    """

    kind: str
    places: tuple[str, ...]
    times: tuple[str, ...]
    when: Callable[..., int]
    items: Mapping[str, tuple[str, ...]]
    span: int = HOUR_S
    missing: frozenset[str] = frozenset()
    readers: Mapping[str, Reader] = field(default_factory=dict)
    zero_missing: frozenset[str] = frozenset()
    ignored: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()
    any_item: bool = False
    area: str = ""
    published: tuple[str, str] | None = None

    @property
    def needed(self) -> tuple[tuple[str, ...], ...]:
        """Columns that must be there, each with its other names."""
        items = () if self.any_item else tuple(names for item, names in self.items.items() if item not in self.optional)
        return ((self.places[0],), *((name,) for name in self.times), *items)

    def lacking(self, columns: Sequence[str]) -> list[str]:
        """Needed columns that a header does not have."""
        have = {column.casefold() for column in columns}
        lacking = [names[0] for names in self.needed if have.isdisjoint(names)]
        if self.any_item and not lacking and not any(not have.isdisjoint(names) for names in self.items.values()):
            lacking.append("|".join(names[0] for names in self.items.values()))
        return lacking

    def check(self, sheet: Sheet) -> None:
        """Refuse a sheet without a needed column: what is not there must not read as taken back."""
        lacking = self.lacking(sheet.columns)
        if lacking:
            raise FileError(f"no column {', '.join(lacking)}", f"{sheet.name}, {sheet.unit} 1", f"the columns are {', '.join(sheet.columns)[:300]}")

    def unknown(self, columns: Sequence[str]) -> list[str]:
        """Columns that mean nothing here, each with the nearest name that would."""
        known = [name for names in (self.places, self.times, *self.items.values()) for name in names]
        spare = self.ignored | set(self.published or ()) | {self.area}
        strange = [column for column in columns if column and column.casefold() not in spare and column.casefold() not in known]
        return [f"{column}{nearest(column.casefold(), known)}" for column in strange]

    def rows(self, sheet: Sheet) -> Iterator[Row | Fault]:
        """Rows of a sheet, and every cell that cannot be read."""
        return _Pass(self, sheet).rows()


class _Pass:
    """One pass over one sheet: the columns found once, then row by row."""

    def __init__(self, shape: Shape, sheet: Sheet) -> None:
        shape.check(sheet)
        self.shape, self.sheet = shape, sheet
        at: dict[str, int] = {}
        for index, column in enumerate(sheet.columns):
            at.setdefault(column.casefold(), index)
        self.places = [at[name] for name in shape.places if name in at]
        self.times = [at[name] for name in shape.times]
        self.area = at.get(shape.area, -1)
        found = {item: next((name for name in names if name in at), None) for item, names in shape.items.items()}
        self.items = [(item, at[name], shape.readers.get(item, number)) for item, name in found.items() if name]
        self.published = [at.get(name, -1) for name in shape.published or ()]
        self.missing = shape.missing | {""}
        self.width = len(sheet.columns)

    def rows(self) -> Iterator[Row | Fault]:
        for line, cells in self.sheet.rows:
            if len(cells) != self.width and not self._fits(cells):
                what = f"{len(cells)} cells where the header names {self.width} columns"
                yield Fault(line, "", what, "complete the row, or quote a comma inside a text")
                continue
            try:
                yield self._row(line, [*cells, *[""] * (self.width - len(cells))] if len(cells) < self.width else cells)
            except _WrongCell as wrong:
                yield wrong.fault

    def _fits(self, cells: Cells) -> bool:
        """A workbook leaves out what is empty at the end of a row; a CSV only says less than it should."""
        short = len(cells) < self.width
        return self.sheet.shape == "xlsx" if short else not any(cells[self.width :])

    def _row(self, line: int, cells: Cells) -> Row:
        values = self._values(line, cells)
        names = tuple(name for name in (trimmed(cells[index]) for index in self.places) if name and name not in self.shape.missing)
        texts = [trimmed(cells[index]) for index in self.times]
        published = self._published(cells)
        if not values and not (names and all(texts)):
            return Row(line, self.shape.kind, names, 0, self.shape.span, values)
        if not names:
            raise _WrongCell(Fault(line, self.sheet.columns[self.places[0]], "an empty cell", TODO_PLACE))
        try:
            time = self.shape.when(*texts)
        except ValueError as error:
            raise _WrongCell(Fault(line, self.sheet.columns[self.times[-1]], str(error), TODO_TIME)) from None
        area = trimmed(cells[self.area]) if self.area >= 0 else ""
        return Row(line, self.shape.kind, names[:1], time, self.shape.span, values, names[-1], area, published)

    def _values(self, line: int, cells: Cells) -> dict[str, float]:
        values: dict[str, float] = {}
        missing, zero = self.missing, self.shape.zero_missing
        for item, index, reader in self.items:
            text = cells[index].strip()
            if text in missing:
                continue
            try:
                value = reader(text)
            except ValueError as error:
                raise _WrongCell(Fault(line, self.sheet.columns[index], str(error), TODO_NUMBER)) from None
            if value or item not in zero:
                values[item] = value
        return values

    def _published(self, cells: Cells) -> tuple[float, str] | None:
        """AQI and level beside the concentrations; 0 is no AQI, and what cannot be read is no reading's fault."""
        if not self.published or self.published[0] < 0:
            return None
        try:
            aqi = number(cells[self.published[0]].strip())
        except ValueError:
            return None
        level = trimmed(cells[self.published[1]]) if self.published[1] >= 0 else ""
        return (aqi, "" if level in self.missing else level) if aqi > 0 else None


class _WrongCell(Exception):
    """Carries a fault out of a row."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.what)
        self.fault = fault


__all__ = ["DAILY_ZERO", "DAY_S", "HOUR_S", "Shape"]
