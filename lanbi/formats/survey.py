"""The first look at files: every row read and nothing kept but counts, places and faults, so that a bad file changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from domain.errors import FileError
from domain.statements import EXCHANGE
from lanbi.formats.renaming import NONE, Renames
from lanbi.formats.rows import Fault, Row, Said
from lanbi.formats.sources import AUTO, Source, open_source

SHOWN: Final = 10
LOOK: Final = 1_000
"""Rows between two questions whether to stop."""


@dataclass
class Seen:
    """A place as files name it."""

    kind: str
    name: str
    title: str
    area: str
    rows: int = 0
    readings: int = 0


@dataclass
class FileSurvey:
    """What one file holds."""

    name: str
    format: str
    digest: str
    read: int = 0
    empty: int = 0
    renames: Renames = NONE


@dataclass
class Survey:
    """What the files hold.

    Attributes
    ----------
    files : list of FileSurvey
        In the order given.
    places : dict
        By (kind, name), in order of appearance.
    subjects : dict
        By kind and what it is about, the first statement of each, and where it stands.
    notices : list of str
        What a person should know although nothing is wrong.
    forms : list
        Exchange forms, and where each stands.
    """

    files: list[FileSurvey] = field(default_factory=list)
    places: dict[tuple[str, str], Seen] = field(default_factory=dict)
    subjects: dict[tuple[str, str], tuple[Said, str]] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)
    forms: list[tuple[Said, str]] = field(default_factory=list)
    _faults: list[tuple[str, str, str]] = field(default_factory=list)
    _more: int = 0

    @property
    def read(self) -> int:
        """Rows of all files."""
        return sum(one.read for one in self.files)

    @property
    def empty(self) -> int:
        """Rows without any value."""
        return sum(one.empty for one in self.files)

    def take(self, source: Source, stop: Callable[[], None], renames: Renames = NONE) -> None:
        """Go through one file."""
        file = FileSurvey(source.sheet.name, source.format, source.sheet.digest, renames=renames)
        self.files.append(file)
        for number, row in enumerate(source.rows()):
            if number % LOOK == 0:
                stop()
            file.read += 1
            if isinstance(row, Row):
                self._place(row)
                file.empty += not row.values
            elif isinstance(row, Said):
                self._subject(source, row)
            else:
                self._fault(source, row)
        self.notices += source.notices

    def _place(self, row: Row) -> None:
        for name in row.names:
            seen = self.places.get((row.kind, name))
            if seen is None:
                seen = self.places[row.kind, name] = Seen(row.kind, name, row.title, row.area)
            seen.rows += 1
            seen.readings += bool(row.values)

    def _subject(self, source: Source, said: Said) -> None:
        column = next((column for column in ("target", "scope", "site", "meter", "enterprise") if column in said.body), "")
        where = f"{source.sheet.name}, {source.sheet.unit} {said.line}, column {column}"
        # What belongs together is asked of every combination, not of the subject alone.
        words = " ".join(said.body.get(name, "") for name in (column, "line", "meters"))
        self.subjects.setdefault((said.kind, words), (said, where))
        if said.kind == EXCHANGE:
            self.forms.append((said, where))

    def _fault(self, source: Source, fault: Fault) -> None:
        if len(self._faults) < SHOWN:
            self._faults.append((source.where(fault), fault.what, fault.todo))
        else:
            self._more += 1

    def settle(self) -> None:
        """Raise what is wrong, all in one message."""
        if not self._faults:
            return
        (where, what, todo), *rest = self._faults
        lines = [f"\n  {place}: {words}" for place, words, _ in rest]
        more = f"\n  … 另有 and {self._more} more" if self._more else ""
        raise FileError(what + "".join(lines) + more, where, f"{todo}; nothing was imported")


def survey(names: Iterable[str], wanted: str = AUTO, stop: Callable[[], None] = lambda: None, renames: Renames = NONE) -> Survey:
    """Look at files.

    Parameters
    ----------
    names : iterable of str
        Files.
    wanted : str
        Format of all of them, or ``auto``: each by its own header.
    stop : callable
        Raises if the work is to end.
    renames : Renames
        Which columns are called otherwise.

    Raises
    ------
    FileError
        Any file is missing, unreadable or holds a cell that cannot be read.
    """
    found = Survey()
    for name in names:
        found.take(open_source(name, wanted, renames), stop, renames)
    found.settle()
    return found
