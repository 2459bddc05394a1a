"""What a report consists of, whatever it is written as: words, tables, charts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

Cell = str | float | None


class Column(NamedTuple):
    """A column: its head, and displayed digits of its numbers."""

    name: str
    digits: int = 0


class Table(NamedTuple):
    """Rows under columns; a number stands with its digits, a row may bring its own as ``(number, digits)`` text."""

    title: str
    columns: tuple[Column, ...]
    rows: Sequence[Sequence[Cell]]
    empty: str = "无 none"


class Words(NamedTuple):
    """Lines of text."""

    title: str
    lines: Sequence[str]


class Series(NamedTuple):
    """Values over time: labels are texts of the x axis; None is a gap."""

    name: str
    values: Sequence[float | None]
    colours: Sequence[str] = ()
    """A colour a bar; empty: a line."""


class Chart(NamedTuple):
    """A picture of series over common labels, with level lines (name, value)."""

    title: str
    unit: str
    labels: Sequence[str]
    series: Sequence[Series]
    lines: Sequence[tuple[str, float]] = ()


Part = Table | Words | Chart


class Page(NamedTuple):
    """A report: its title, what it is about and as of when, and its parts.

    ``made`` [s] is when the newest figure in it was computed: the same state of the store makes the same bytes.
    """

    title: str
    about: Sequence[str]
    made: int
    parts: Sequence[Part]
