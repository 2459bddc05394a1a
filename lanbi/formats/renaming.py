"""A platform's names of columns and ours: what ``lanbi import --map`` reads, and what becomes of a sheet's header by it."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from domain.errors import FileError, InputError
from lanbi.formats.rows import trimmed
from lanbi.formats.sheet import Sheet
from lanbi.toml_lines import Lines, nearest, parse, raise_all, read

TABLE: Final = "columns"
TODO: Final = 'write "their column" = "our column", one pair a line'


@dataclass(frozen=True)
class Renames:
    """Which column of a platform is which of ours.

    Attributes
    ----------
    ours : mapping of str to str
        Their column (without case) to ours.
    file : str
        Where that stands, for messages.
    """

    ours: Mapping[str, str] = field(default_factory=dict)
    file: str = ""

    def apply(self, sheet: Sheet) -> None:
        """Give a sheet's columns our names. What was made of the bytes is another file then: its digest tells so.

        Raises
        ------
        FileError
            None of the columns is there, or two columns get one name.
        """
        if not self.ours:
            return
        columns = [self.ours.get(column.casefold(), column) for column in sheet.columns]
        where = f"{sheet.name}, {sheet.unit} 1"
        if not any(column.casefold() in self.ours for column in sheet.columns):
            raise FileError(f"no column of {self.file} is in the header", where, f"the columns are {', '.join(sheet.columns)[:300]}")
        lower = [column.casefold() for column in columns]
        twice = next((at for at, column in enumerate(lower) if column in self._targets and lower.count(column) > 1), None)
        if twice is not None:
            pair = " and ".join(repr(their) for their, our in zip(sheet.columns, lower, strict=True) if our == lower[twice])
            raise FileError(f"{pair} would both be column {columns[twice]}", where, f"map one of them in {self.file}")
        told = "\n".join(f"{their}\t{our}" for their, our in sorted(zip(sheet.columns, columns, strict=True)))
        sheet.columns = columns
        sheet.digest = hashlib.sha256(f"{sheet.digest}\n{told}".encode()).hexdigest()[:16]

    @property
    def _targets(self) -> Collection[str]:
        return {our.casefold() for our in self.ours.values()}


NONE: Final = Renames()


def load(path: Path | None, known: Collection[str]) -> Renames:
    """The renaming that a file tells: pairs, bare or in a table ``[columns]``; nothing without a file.

    Parameters
    ----------
    known : collection of str
        All columns that any format reads, in lower case.

    Raises
    ------
    InputError
        No such file, no TOML, or a pair that names no column of ours.
    """
    if path is None:
        return NONE
    text = read(path, InputError)
    tree = parse(text, str(path), InputError)
    table = tree.get(TABLE, tree)
    if not isinstance(table, dict) or not table:
        raise InputError("no column is renamed", str(path), TODO)
    lines, inside = Lines(text), (TABLE,) if table is not tree else ()
    faults: list[tuple[str, str]] = []
    ours: dict[str, str] = {}
    for their, our in table.items():
        key, where = trimmed(their).casefold(), f"{path}:{lines.of(*inside, their)}"
        if not isinstance(our, str):
            faults.append((where, f"{their}: text in quotes is needed"))
        elif key in ours:
            faults.append((where, f"'{their}' stands twice"))
        elif our.casefold() not in known:
            faults.append((where, f"no format has a column '{our}'{nearest(our.casefold(), sorted(known))}"))
        else:
            ours[key] = our
    raise_all(faults, InputError, TODO)
    return Renames(ours, str(path))
