"""Values that departments report for targets which no sensor measures: ``target,period,value,document,person``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from domain.errors import FileError
from lanbi.formats.rows import Fault, Said, number, trimmed
from lanbi.formats.sheet import Sheet
from lanbi.toml_lines import nearest

NAME: Final = "reported"
NEEDED: Final = ("target", "period", "value", "document", "person")
_PERIOD: Final = re.compile(r"20\d\d(-(0[1-9]|1[0-2])|-?Q[1-4])?")


def lacking(columns: Sequence[str]) -> list[str]:
    """Needed columns that a header does not have."""
    have = {column.casefold() for column in columns}
    return [column for column in NEEDED if column not in have]


def unknown(columns: Sequence[str]) -> list[str]:
    """Columns that mean nothing here."""
    return [f"{column}{nearest(column.casefold(), NEEDED)}" for column in columns if column and column.casefold() not in NEEDED]


def rows(sheet: Sheet) -> Iterator[Said | Fault]:
    """Reported values; each names its document and the person who answers for it."""
    missing = lacking(sheet.columns)
    if missing:
        raise FileError(f"no column {', '.join(missing)}", f"{sheet.name}, {sheet.unit} 1", f"the columns are {', '.join(NEEDED)}")
    at = {column: [one.casefold() for one in sheet.columns].index(column) for column in NEEDED}
    for line, cells in sheet.rows:
        body = {column: trimmed(cells[index]) if index < len(cells) else "" for column, index in at.items()}
        fault = _fault(line, body)
        yield fault or Said(line, NAME, body)


def _fault(line: int, body: dict[str, str]) -> Fault | None:
    for column in ("target", "person", "document"):
        if not body[column]:
            return Fault(line, column, "an empty cell", "every reported value names its target, its document and who answers for it")
    if not _PERIOD.fullmatch(body["period"]):
        return Fault(line, "period", f"not a period: {body['period'][:40]!r}", "write a year 2025, a month 2025-06 or a quarter 2025Q2")
    try:
        number(body["value"])
    except ValueError as error:
        return Fault(line, "value", str(error), "write a decimal number")
    return None
