"""Columns of figures: many periods of one figure of one scope as numbers, as they are stored and compared with others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from domain.indicators import Block, Indicator


class Tag(NamedTuple):
    """What the figures of a column have in common."""

    figure: str
    period: str
    scope: str
    rule_set: str
    basis: str = "raw"


@dataclass(frozen=True)
class Column:
    """Figures of one tag, ordered by time.

    Attributes
    ----------
    time : (n,) int64 [s]
    value : (n,) float64
        NaN = no value.
    valid, expected : (n,) float32
        What the value was made of; a row with ``valid`` 0 is absent and not written, unless it was there before.
    status, text : (n,) uint8
        Positions in ``statuses`` and ``texts``.
    version : (n,) uint16
        Version of the row, grows with each restatement.
    target, margin : (n,) float64 or None
        What the value is compared with, and by how much it differs; NaN = nothing; None where the figure has no such thing.
    """

    tag: Tag
    time: npt.NDArray[np.int64]
    value: npt.NDArray[np.float64]
    valid: npt.NDArray[np.float32]
    expected: npt.NDArray[np.float32]
    status: npt.NDArray[np.uint8]
    text: npt.NDArray[np.uint8]
    statuses: Sequence[str] = ("",)
    texts: Sequence[str] = ("",)
    version: npt.NDArray[np.uint16] = field(default_factory=lambda: np.ones(0, np.uint16))
    target: npt.NDArray[np.float64] | None = None
    margin: npt.NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        if len(self.version) != len(self.time):
            object.__setattr__(self, "version", np.ones(len(self.time), np.uint16))

    def take(self, places: npt.NDArray[np.integer]) -> Column:
        """Some of the rows, by their places."""
        target, margin = (None if one is None else one[places] for one in (self.target, self.margin))
        return Column(
            self.tag,
            self.time[places],
            self.value[places],
            self.valid[places],
            self.expected[places],
            self.status[places],
            self.text[places],
            self.statuses,
            self.texts,
            self.version[places],
            target,
            margin,
        )

    def row(self, place: int, computed: float) -> Indicator:
        """One figure as it is stored."""
        return self.rows([place], computed)[0]

    def rows(self, places: Sequence[int], computed: float) -> list[Indicator]:
        """Some figures as they are stored."""
        return list(self.block(places, computed).rows())

    def block(self, places: Sequence[int] | npt.NDArray[np.integer], computed: float) -> Block:
        """The same side by side: as a list a column they cost a tenth."""
        where = np.asarray(places, np.intp)
        return Block(
            *self.tag,
            computed,
            self.time[where].tolist(),
            _floats(self.value[where]),
            self.valid[where].tolist(),
            self.expected[where].tolist(),
            self.version[where].astype(np.float64).tolist(),
            words(self.statuses, self.status[where], len(where)),
            words(self.texts, self.text[where], len(where)),
            None if self.target is None else _floats(self.target[where]),
            None if self.margin is None else _floats(self.margin[where]),
        )


_FEW: Final = 40
"""Codes up to which a loop is faster than making a table."""
UNKNOWN: Final = 255
"""Code of a status or text that is not among the words of its column."""


def _floats(values: npt.NDArray[np.float64]) -> list[float | None]:
    found: list[float | None] = values.tolist()
    for place in np.flatnonzero(np.isnan(values)).tolist():
        found[place] = None
    return found


def words(known: Sequence[str], codes: npt.NDArray[np.uint8] | None, rows: int) -> list[str]:
    """Words of codes; without codes the first word for all."""
    if codes is None or not codes.any():
        return [known[0]] * rows
    if len(codes) < _FEW:
        return [known[code] if code < len(known) else "?" for code in codes.tolist()]
    found: list[str] = np.array([*known, "?"], object)[np.minimum(codes, len(known))].tolist()
    return found


def column(tag: Tag, time: npt.NDArray[np.int64], value: npt.NDArray[np.floating | np.integer], counts: tuple[object, object]) -> Column:
    """A column without status and text; ``counts`` are valid and expected, numbers or arrays."""
    rows = len(time)
    none = np.zeros(rows, np.uint8)
    valid, expected = (np.broadcast_to(np.asarray(count, np.float32), rows) for count in counts)
    return Column(tag, time, value.astype(np.float64), valid, expected, none, none)


def found(rows: Iterable[Indicator]) -> dict[Tag, Column]:
    """Columns of stored rows as they are, for looking up: times in order, whatever rows there are."""
    by_tag: dict[Tag, list[Indicator]] = {}
    for row in sorted(rows, key=lambda row: row.time):
        by_tag.setdefault(Tag._make(row.key[:5]), []).append(row)
    return {tag: _as_stored(tag, some) for tag, some in by_tag.items()}


def _as_stored(tag: Tag, rows: Sequence[Indicator]) -> Column:
    time = np.array([row.time for row in rows], np.int64)
    statuses = tuple(dict.fromkeys(row.status for row in rows))
    made = column(
        tag,
        time,
        np.array([np.nan if row.value is None else row.value for row in rows]),
        ([row.valid or 0 for row in rows], [row.expected or 0 for row in rows]),
    )
    return replace(made, status=np.array([statuses.index(row.status) for row in rows], np.uint8), statuses=statuses)
