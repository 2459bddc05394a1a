"""Files that say something which people answer for, row by row: reported and official values, reviewed data, dust periods."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, NamedTuple

from domain import marks, statements
from domain.civil import SHANGHAI, date_of, day_of, hour_of, iso, parse_date, parse_time
from domain.errors import FileError
from domain.items import AIR, DAILY
from lanbi.formats.rows import Fault, Said, day, hour, number, trimmed
from lanbi.formats.sheet import Sheet
from lanbi.toml_lines import nearest

Body = dict[str, str]
_WHO: Final = "every row names its document, and whom or what it is about"


class Wrong(NamedTuple):
    """What is wrong with a row: the column, why, and what to write instead."""

    column: str
    what: str
    todo: str


@dataclass(frozen=True)
class Statement:
    """A table of statements.

    Attributes
    ----------
    name : str
        Format, and kind of the entries.
    needed, optional : tuple of str
        Columns; compared without case.
    filled : tuple of str
        Columns in which no cell may be empty.
    either : tuple of str
        Columns of which exactly one must be there.
    check : callable
        What is wrong with a row, or None; may bring the row's texts into their common form.
    key : tuple of str
        Columns that tell rows apart: two rows that agree in them and differ elsewhere are a contradiction, and the file is refused.
    """

    name: str
    needed: tuple[str, ...]
    check: Callable[[Body], Wrong | None]
    filled: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    either: tuple[str, ...] = ()
    key: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns, in the order in which they are documented."""
        return (*self.needed, *self.either, *self.optional)

    def lacking(self, columns: Sequence[str]) -> list[str]:
        """Needed columns that a header does not have."""
        have = {column.casefold() for column in columns}
        lacking = [column for column in self.needed if column not in have]
        if self.either and len(have.intersection(self.either)) != 1:
            lacking.append(f"{'|'.join(self.either)} (one of them)")
        return lacking

    def unknown(self, columns: Sequence[str]) -> list[str]:
        """Columns that mean nothing here."""
        return [f"{column}{nearest(column.casefold(), self.columns)}" for column in columns if column and column.casefold() not in self.columns]

    def rows(self, sheet: Sheet) -> Iterator[Said | Fault]:
        """Statements of a sheet, and every row that cannot be one."""
        missing = self.lacking(sheet.columns)
        if missing:
            raise FileError(f"no column {', '.join(missing)}", f"{sheet.name}, {sheet.unit} 1", f"the columns are {', '.join(self.columns)}")
        at = {column: index for index, column in reversed(list(enumerate(one.casefold() for one in sheet.columns))) if column in self.columns}
        seen: dict[tuple[str, ...], tuple[int, int]] = {}
        for line, cells in sheet.rows:
            body = {column: trimmed(cells[index]) if index < len(cells) else "" for column, index in at.items()}
            wrong = self._empty(body) or self.check(body) or self._twice(line, body, seen)
            yield Fault(line, *wrong) if wrong else Said(line, self.name, body)

    def _empty(self, body: Body) -> Wrong | None:
        column = next((column for column in self.filled if not body.get(column)), None)
        return Wrong(column, "an empty cell", _WHO) if column else None

    def _twice(self, line: int, body: Body, seen: dict[tuple[str, ...], tuple[int, int]]) -> Wrong | None:
        if not self.key:
            return None
        words = hash(tuple(sorted(body.items())))
        first, before = seen.setdefault(tuple(body.get(column, "") for column in self.key), (line, words))
        if before == words:
            return None
        return Wrong(self.key[-1], f"contradicts line {first}, which says something else of the same", "keep the row that is right")


def _reported(body: Body) -> Wrong | None:
    if not statements.REPORT_PERIOD.fullmatch(body["period"]):
        return Wrong("period", f"not a period: {body['period'][:40]!r}", "write a year 2025, a month 2025-06 or a quarter 2025Q2")
    return _number(body)


def _number(body: Body) -> Wrong | None:
    try:
        number(body["value"])
    except ValueError as error:
        return Wrong("value", str(error), "write a decimal number")
    return None


def _dust(body: Body) -> Wrong | None:
    try:
        body["from"], body["to"] = _tidy(body["from"]), _tidy(body["to"])
        marks.instants(body)
    except (ValueError, OverflowError) as error:
        return Wrong("to" if "end" in str(error) or "longer" in str(error) else "from", str(error), "write YYYY-MM-DD HH:MM or YYYY-MM-DD, Beijing time")
    return None


def _tidy(text: str) -> str:
    """A date or an instant in one form, so that the same period is the same entry."""
    try:
        return date_of(parse_date(text)).isoformat()
    except ValueError:
        return iso(parse_time(text, SHANGHAI))


def _reviewed(body: Body) -> Wrong | None:
    hourly = "time" in body
    wrong = _moment(body, hourly=hourly)
    if wrong:
        return wrong
    body["item"], body["flag"] = body["item"].casefold(), (body.get("flag") or "N").upper()
    names = AIR if hourly else DAILY
    if body["item"] not in names:
        return Wrong("item", f"no item of {'an hour' if hourly else 'a day'}: {body['item'][:40]!r}", f"one of {', '.join(names)}")
    wrong = _number(body) if body["value"] else None
    if wrong:
        return wrong
    what = marks.cell_fault(body["item"], body["value"] or None, body["flag"])
    return Wrong("flag" if "flag" in (what or "") else "value", what, "check value, unit (CO is mg/m³) and flag") if what else None


def _moment(body: Body, *, hourly: bool) -> Wrong | None:
    """Bring the time of a review into the form date and hour; the hour of a day is 24."""
    column, read = ("time", hour) if hourly else ("date", day)
    try:
        label = read(body[column])
    except ValueError as error:
        return Wrong(column, str(error), "write YYYY-MM-DD HH:00 (the hour's end)" if hourly else "write YYYY-MM-DD")
    body["day"], body["hour"] = date_of(day_of(label)).isoformat(), str(hour_of(label))
    return None


def _official(body: Body) -> Wrong | None:
    try:
        kind = marks.period(body["period"]).kind
    except ValueError as error:
        return Wrong("period", str(error), "write 2025, 2025-06, 2025Q2 or 2025-06-03")
    if marks.figure(body["item"], kind) is None:
        return Wrong("item", f"no figure of a {kind}: {body['item'][:40]!r}", "see docs/indicators.md for the figures of days, months and years")
    wrong = _number(body)
    what = None if wrong else marks.fault(marks.OFFICIAL, body)
    return Wrong("rank" if "rank" in what else "value", what, "write a value of at least 0 and a rank from 1 on") if what else wrong


def _meters(kind: str, *shown: str) -> Callable[[Body], Wrong | None]:
    """The check of a statement about meters and enterprises: the domain's, with the column that it is about."""

    def check(body: Body) -> Wrong | None:
        what = statements.fault(kind, body)
        if what is None:
            return None
        column = next((name for name in shown if name in body and (repr(body[name][:40]) in what or (body[name] and what.endswith(body[name])))), shown[-1])
        return Wrong(column, what, "write times as YYYY-MM-DD HH:MM (Beijing time), plain numbers without unit or separators, months as 2025-06")

    return check


STATEMENTS: Final[Mapping[str, Statement]] = MappingProxyType(
    {
        one.name: one
        for one in (
            Statement("reported", ("target", "period", "value", "document", "person"), _reported, filled=("target", "person", "document")),
            Statement(
                marks.OFFICIAL, ("scope", "period", "item", "value", "document"), _official, ("scope", "item", "document"), ("rank",),
                key=("scope", "period", "item"),
            ),
            Statement(
                marks.REVIEWED, ("site", "item", "value", "flag", "document"), _reviewed, ("site", "item", "document"), either=("time", "date"),
                key=("site", "day", "hour", "item"),
            ),
            Statement(marks.DUST, ("scope", "from", "to", "document"), _dust, ("scope", "from", "to", "document")),
            Statement(
                statements.EXCHANGE, ("meter", "time", "last", "first", "document"), _meters(statements.EXCHANGE, "time", "last", "first"),
                ("meter", "time", "last", "first", "document"), key=("meter", "time"),
            ),
            Statement(
                statements.BILL, ("meter", "from", "to", "quantity", "document"), _meters(statements.BILL, "from", "quantity", "to"),
                ("meter", "from", "to", "quantity", "document"), key=("meter", "from", "to"),
            ),
            Statement(
                statements.OUTPUT, ("enterprise", "line", "month", "product", "quantity", "unit", "value_added", "document"),
                _meters(statements.OUTPUT, "month", "quantity", "unit", "value_added"), ("enterprise", "month", "document"), key=("enterprise", "line", "month", "product"),
            ),
            Statement(
                statements.LIST, ("enterprise", "grade", "level", "line", "measure", "share", "meters"), _meters(statements.LIST, "grade", "share", "level"),
                ("enterprise", "level", "measure", "share"), key=("enterprise", "level", "line"),
            ),
            Statement(
                statements.QUANTITY, ("meter", "start", "end", "quantity"), _meters(statements.QUANTITY, "start", "quantity", "end"), ("meter", "start", "end", "quantity"),
                key=("meter", "start", "end"),
            ),
            Statement(statements.ORDERS, ("level", "from", "to", "document"), _meters(statements.ORDERS, "level", "from", "to"), ("level", "from", "to", "document")),
        )
    },
)  # fmt: skip
"""Formats of statements, by name."""
