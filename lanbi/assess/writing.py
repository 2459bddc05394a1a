"""Columns become the lines of a CSV answer."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from analytics.kernels import lines as kernel
from domain import civil

_BLOCK: Final = 65_536
_ZONE: Final = np.frombuffer(civil.iso(0)[-6:].encode(), np.uint8)
_WIDE: Final = 32
"""No number or time is longer."""


class Column(NamedTuple):
    """A column of the answer: cells as integers and what they mean.

    ``form`` is that of :mod:`analytics.kernels.lines`; for texts the cells are positions in ``texts``.
    """

    name: str
    cells: npt.NDArray[np.integer]
    form: int
    texts: tuple[str, ...] = ()


def text(name: str, cells: npt.NDArray[np.integer], texts: Sequence[str]) -> Column:
    """A column of texts."""
    return Column(name, cells, kernel.TEXT, tuple(texts))


def number(name: str, cells: npt.NDArray[np.integer], decimals: int = 0) -> Column:
    """A column of non-negative numbers in units of the last decimal; -1 = empty."""
    return Column(name, cells, kernel.NUMBER + decimals)


def time(name: str, cells: npt.NDArray[np.integer]) -> Column:
    """A column of instants."""
    return Column(name, cells, kernel.TIME)


def date(name: str, cells: npt.NDArray[np.integer]) -> Column:
    """A column of civil days."""
    return Column(name, cells, kernel.DATE)


def table(blocks: Iterable[Sequence[Column]]) -> Iterator[bytes]:
    """CSV text of blocks of rows that all have the same columns, header first; no block, no text."""
    head = True
    for columns in blocks:
        if head:
            yield ",".join(column.name for column in columns).encode() + b"\n"
            head = False
        yield from _rows(columns)


def _rows(columns: Sequence[Column]) -> Iterator[bytes]:
    texts, starts = _texts(columns)
    forms = np.array([column.form for column in columns], np.int32)
    width = sum(max([_WIDE, *(len(value.encode()) * 2 + 3 for value in column.texts)]) for column in columns)
    for begin in range(0, len(columns[0].cells), _BLOCK):
        part = slice(begin, begin + _BLOCK)
        cells = np.stack([column.cells[part].astype(np.int64) + start for column, start in zip(columns, starts, strict=True)], axis=1)
        out = np.empty(len(cells) * width, np.uint8)
        size = kernel.write(cells, forms, texts, kernel.Zone(civil.OFFSET_S, _ZONE), out)
        yield out[:size].tobytes()


def _texts(columns: Sequence[Column]) -> tuple[kernel.Texts, list[int]]:
    """All texts quoted and joined, and where each column's begin."""
    starts: list[int] = []
    quoted: list[bytes] = []
    for column in columns:
        starts.append(len(quoted))
        quoted.extend(_quoted(value) for value in column.texts)
    shift = [start if column.form == kernel.TEXT else 0 for column, start in zip(columns, starts, strict=True)]
    ends = np.cumsum([0, *(len(value) for value in quoted)], dtype=np.int64)
    return kernel.Texts(np.frombuffer(b"".join(quoted) or b"\0", np.uint8), ends), shift


def _quoted(value: str) -> bytes:
    if not any(mark in value for mark in ',"\r\n'):
        return value.encode()
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow([value])
    return out.getvalue().encode()
