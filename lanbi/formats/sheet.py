"""A table of texts with the lines on which its rows stand: what every kind of file becomes before its reader asks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

LARGEST: Final = 1 << 30
"""Bytes unpacked; more in one file is a bomb, or belongs into several."""
GRID: Final = "gridDatas"
"""Id of the list of the national section page; by this a page is known."""
Cells = Sequence[str]


@dataclass
class Sheet:
    """A table of texts.

    Attributes
    ----------
    name : str
        The file, as messages name it.
    shape : str
        csv, xlsx, parquet, xml or html (the national section page).
    digest : str
        First 16 hex digits of SHA-256 over the unpacked bytes: which file it is, whatever it is called.
    columns : list of str
        Header, trimmed.
    rows : iterator of (line, cells)
        Can be gone through once; rows without any text are left out.
    notices : list of str
        What a person should know although nothing is wrong.
    """

    name: str
    shape: str
    digest: str
    columns: list[str]
    rows: Iterator[tuple[int, Cells]]
    notices: list[str] = field(default_factory=list)

    @property
    def unit(self) -> str:
        """What lines are called in this file."""
        return "row" if self.shape in {"xlsx", "parquet"} else "line"
