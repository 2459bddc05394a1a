"""Columns of figures: many periods of one figure of one scope, compared as arrays and written row by row where they differ."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from analytics.kernels import figures as kernel
from domain.indicators import Indicator


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

    def part(self, rows: slice, rule_set: str) -> Column:
        """Some of the rows, under a rule set."""
        arrays = {name: getattr(self, name)[rows] for name in ("time", "value", "valid", "expected", "status", "text", "version")}
        return replace(self, tag=self.tag._replace(rule_set=rule_set), **arrays)

    def take(self, places: npt.NDArray[np.integer]) -> Column:
        """Some of the rows, by their places."""
        names = ("time", "value", "valid", "expected", "status", "text", "version", "target", "margin")
        arrays = {name: kept[places] for name in names if (kept := getattr(self, name)) is not None}
        return replace(self, **arrays)

    def row(self, place: int, computed: float) -> Indicator:
        """One figure as it is stored."""
        tag = self.tag
        return Indicator(
            figure=tag.figure,
            period=tag.period,
            scope=tag.scope,
            rule_set=tag.rule_set,
            basis=tag.basis,
            time=int(self.time[place]),
            value=_number(self.value, place),
            valid=float(self.valid[place]),
            expected=float(self.expected[place]),
            target=_number(self.target, place),
            margin=_number(self.margin, place),
            computed=computed,
            version=float(self.version[place]),
            status=_word(self.statuses, int(self.status[place])),
            text=_word(self.texts, int(self.text[place])),
        )


class Step(NamedTuple):
    """A row that has to be written, with what was stored before (None: nothing)."""

    place: int
    before: Indicator | None


_STATES: Final = 1 << 8


def _number(values: npt.NDArray[np.float64] | None, place: int) -> float | None:
    value = np.nan if values is None else float(values[place])
    return None if value != value else value  # noqa: PLR0124  NaN is the only value unequal to itself


def _word(words: Sequence[str], place: int) -> str:
    return words[place] if place < len(words) else "?"


def column(tag: Tag, time: npt.NDArray[np.int64], value: npt.NDArray[np.floating | np.integer], counts: tuple[object, object]) -> Column:
    """A column without status and text; ``counts`` are valid and expected, numbers or arrays."""
    rows = len(time)
    none = np.zeros(rows, np.uint8)
    valid, expected = (np.broadcast_to(np.asarray(count, np.float32), rows) for count in counts)
    return Column(tag, time, value.astype(np.float64), valid, expected, none, none)


class Table(NamedTuple):
    """Figures of the same periods side by side, as integers.

    Attributes
    ----------
    time : (n,) int64 [s]
    units : (f, n) integers [units of the last displayed digit]
        Negative = no value.
    divisors : (f, 1) float64
        Units in one unit of each figure.
    valid : (f, n) integers
    expected : (n,) numbers, or one number
    status : (f, n) uint8
    """

    time: npt.NDArray[np.int64]
    units: npt.NDArray[np.integer]
    divisors: npt.NDArray[np.float64]
    valid: npt.NDArray[np.integer]
    expected: npt.NDArray[np.integer] | int
    status: npt.NDArray[np.uint8]


def columns(tags: Sequence[Tag], table: Table, statuses: Sequence[str] = ("",)) -> list[Column]:
    """Columns of a table: views of its rows, for one array each would cost more than the figures."""
    value = np.where(table.units < 0, np.nan, table.units / table.divisors)
    rows = value.shape[1]
    valid = table.valid.astype(np.float32)
    expected = np.broadcast_to(np.asarray(table.expected, np.float32), rows)
    version = np.ones(value.shape, np.uint16)
    text = np.zeros(rows, np.uint8)
    return [Column(tag, table.time, value[k], valid[k], expected, table.status[k], text, statuses, version=version[k]) for k, tag in enumerate(tags)]


def changed(new: Column, old: Column | None) -> list[Step]:
    """Rows of ``new`` that differ from ``old``; only ``new`` and absent rows decide, never the order in which data came."""
    if old is not None and _alike(new, old):
        return []
    size = 0 if old is None else min(len(new.time), len(old.time))
    differs = np.asarray(new.valid > 0)
    if old is not None and size:
        same = _same(new.value, old.value, size) & _same(new.target, old.target, size) & _same(new.margin, old.margin, size)
        same &= (new.valid[:size] == old.valid[:size]) & (new.status[:size] == old.status[:size]) & (new.text[:size] == old.text[:size])
        both_absent = (new.valid[:size] == 0) & (old.valid[:size] == 0)
        differs = np.concatenate([~(same | both_absent), differs[size:]])
    places = np.flatnonzero(differs).tolist()
    return [Step(place, old.row(place, 0.0) if old is not None and place < size and old.valid[place] > 0 else None) for place in places]


def _alike(new: Column, old: Column) -> bool:
    """Whether nothing at all differs, which is so for nearly every column and is found out quickly."""
    if new is old:
        return True
    if len(new.time) != len(old.time) or (new.target is None) != (old.target is None) or (new.margin is None) != (old.margin is None):
        return False
    bytes_alike = all(getattr(new, name).tobytes() == getattr(old, name).tobytes() for name in ("valid", "status", "text"))
    return bytes_alike and all(kernel.alike(one, other) for one, other in _numbers(new, old))


def _numbers(new: Column, old: Column) -> Iterator[tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]]:
    yield new.value, old.value
    for one, other in ((new.target, old.target), (new.margin, old.margin)):
        if one is not None and other is not None:
            yield one, other


def _same(new: npt.NDArray[np.float64] | None, old: npt.NDArray[np.float64] | None, size: int) -> npt.NDArray[np.bool_] | bool:
    """Where two columns hold the same number or both none."""
    if new is None or old is None:
        return new is old
    return np.asarray((new[:size] == old[:size]) | (np.isnan(new[:size]) & np.isnan(old[:size])))


def stored(new: Column, rows: Iterable[Indicator]) -> Column:
    """The column that the store holds, in the places of ``new``: absent where the store has no row."""
    size = len(new.time)
    old = Column(
        new.tag,
        new.time,
        np.full(size, np.nan),
        np.zeros(size, np.float32),
        new.expected,
        np.zeros(size, np.uint8),
        np.zeros(size, np.uint8),
        new.statuses,
        new.texts,
        target=None if new.target is None else np.full(size, np.nan),
        margin=None if new.margin is None else np.full(size, np.nan),
    )
    places = {time: place for place, time in enumerate(new.time.tolist())}
    for row in rows:
        place = places.get(row.time)
        if place is not None:
            _put(old, place, row)
    return old


def _put(old: Column, place: int, row: Indicator) -> None:
    # A status or text that this version of lanbi does not know counts as another one, so the row is written again.
    old.value[place] = np.nan if row.value is None else row.value
    old.valid[place] = row.valid or 0.0
    old.status[place] = old.statuses.index(row.status) if row.status in old.statuses else _STATES - 1
    old.text[place] = old.texts.index(row.text) if row.text in old.texts else _STATES - 1
    old.version[place] = int(row.version)
    for kept, number in ((old.target, row.target), (old.margin, row.margin)):
        if kept is not None and number is not None:
            kept[place] = number


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


def gone(old: Column) -> Column:
    """A column of which nothing is left: every row of it is absent now."""
    size = len(old.time)
    nothing = np.full(size, np.nan)
    bare = replace(old, value=nothing, valid=np.zeros(size, np.float32), status=np.zeros(size, np.uint8), text=np.zeros(size, np.uint8))
    return replace(bare, target=nothing if old.target is not None else None, margin=nothing if old.margin is not None else None)


def carry(new: Column, old: Column) -> None:
    """Give the rows of a new column the versions of the old one."""
    size = min(len(new.version), len(old.version))
    new.version[:size] = old.version[:size]
