"""Sheets of figures: many figures of the same periods side by side, as integers of their last displayed digit.

What is computed, compared and kept are sheets; a column or a row of one is made where it is written or looked up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import repeat
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from analytics.jobs.columns import UNKNOWN, Column, Tag, words
from domain.indicators import Block

Integers = npt.NDArray[np.integer]
Bytes = npt.NDArray[np.uint8]
Places = npt.NDArray[np.int64]
_NOTHING: Final = np.zeros((1, 1), np.uint8)
_SHORT: Final = np.iinfo(np.int16)
_NONE: Final[Mapping[tuple[int, int], float]] = MappingProxyType({})


class Kind(NamedTuple):
    """What the figures of a sheet have in common, and which they are."""

    figures: tuple[str, ...]
    period: str
    scope: str
    rule_set: str
    basis: str = "raw"


@dataclass(eq=False, slots=True)
class Sheet:
    """Figures (f) of the same periods (n), ordered by time.

    Attributes
    ----------
    kind : Kind
    time : (n,) int64 [s]
    units : (f, n) integers [units of the last digit]
        Negative = no value.
    divisors : (f, 1) float64
        Units in one unit of each figure.
    valid : (f, n) integers
        What each was made of; a cell with 0 is absent and not written, unless it was there before.
    expected : (n,) or () integers
    status, text : (f, n) or (1, 1) uint8
        Positions in ``statuses`` and ``texts``.
    version : (f, n) uint16 or None
        Versions of the rows, grow with each restatement; None = all 1.
    odd : mapping of (figure, row) to float
        Stored values that are no whole number of units: another version of lanbi displayed other digits.
    """

    kind: Kind
    time: npt.NDArray[np.int64]
    units: Integers
    divisors: npt.NDArray[np.float64]
    valid: Integers
    expected: Integers
    status: Bytes = field(default_factory=lambda: _NOTHING)
    text: Bytes = field(default_factory=lambda: _NOTHING)
    statuses: Sequence[str] = ("",)
    texts: Sequence[str] = ("",)
    version: npt.NDArray[np.uint16] | None = None
    odd: Mapping[tuple[int, int], float] = field(default_factory=lambda: _NONE)

    def tag(self, place: int) -> Tag:
        """Tag of one of the figures."""
        figures, period, scope, rule_set, basis = self.kind
        return Tag(figures[place], period, scope, rule_set, basis)

    def on(self, basis: str) -> Sheet:
        """The same figures on another basis."""
        return replace(self, kind=self.kind._replace(basis=basis))

    def part(self, rows: slice, rule_set: str) -> Sheet:
        """Some of the rows, under a rule set."""
        status, text = (codes if codes is _NOTHING else codes[:, rows] for codes in (self.status, self.text))
        expected = self.expected[rows] if self.expected.ndim else self.expected
        kind = self.kind._replace(rule_set=rule_set)
        return replace(self, kind=kind, time=self.time[rows], units=self.units[:, rows], valid=self.valid[:, rows], expected=expected, status=status, text=text)

    def again(self) -> Sheet:
        """A copy to be written into; what was restated is not part of it."""
        status, text = (codes if codes is _NOTHING else codes.copy() for codes in (self.status, self.text))
        units, valid = self.units.copy(), self.valid.copy()
        return Sheet(self.kind, self.time, units, self.divisors, valid, self.expected, status, text, self.statuses, self.texts)

    def column(self, place: int) -> Column:
        """One of the figures as a column of numbers."""
        units, rows = self.units[place], len(self.time)
        value = np.where(units < 0, np.nan, units / self.divisors[place, 0])
        for (_, row), stored in ((key, one) for key, one in self.odd.items() if key[0] == place):
            value[row] = stored
        expected = self.expected.astype(np.float32) if self.expected.ndim else np.full(rows, self.expected, np.float32)
        status, text = (codes[place] if codes.shape == self.units.shape else np.full(rows, codes[0, 0]) for codes in (self.status, self.text))
        version = np.ones(rows, np.uint16) if self.version is None else self.version[place]
        return Column(self.tag(place), self.time, value, self.valid[place].astype(np.float32), expected, status, text, self.statuses, self.texts, version)

    def block(self, place: int, rows: Places, computed: float) -> Block:
        """Some rows of one of the figures as they are stored."""
        expected = np.full(len(rows), float(self.expected)) if not self.expected.ndim else self.expected[rows].astype(np.float64)
        return Block(
            *self.tag(place),
            computed,
            self.time[rows].tolist(),
            self._values(place, rows),
            self.valid[place, rows].astype(np.float64).tolist(),
            expected.tolist(),
            [1.0] * len(rows) if self.version is None else self.version[place, rows].astype(np.float64).tolist(),
            words(self.statuses, self._codes(self.status, place, rows), len(rows)),
            words(self.texts, self._codes(self.text, place, rows), len(rows)),
        )

    def _values(self, place: int, rows: Places) -> list[float | None]:
        units = self.units[place, rows]
        values: list[float | None] = (units / self.divisors[place, 0]).tolist()
        for absent in np.flatnonzero(units < 0).tolist():
            values[absent] = None
        for (figure, row), stored in self.odd.items():
            for own in np.flatnonzero(rows == row).tolist() if figure == place else ():
                values[own] = stored
        return values

    def _codes(self, codes: Bytes, place: int, rows: Places) -> Bytes | None:
        if codes is _NOTHING:
            return None
        return codes[place, rows] if codes.shape == self.units.shape else np.full(len(rows), codes[0, 0])

    def columns(self) -> list[Column]:
        """All figures as columns."""
        return [self.column(place) for place in range(len(self.kind.figures))]

    def restate(self, place: int, rows: Places) -> None:
        """Raise the versions of some rows of a figure."""
        if self.version is None:
            self.version = np.ones(self.units.shape, np.uint16)
        self.version[place, rows] += 1


def single(kind: Kind, time: npt.NDArray[np.int64], units: Integers, divisor: float, counts: tuple[Integers, Integers | int]) -> Sheet:
    """A sheet of one figure; ``counts`` are valid and expected."""
    valid, expected = counts
    return Sheet(kind, time, units[None], np.array([[divisor]]), valid[None], np.asarray(expected))


def differing(new: Sheet, old: Sheet | None) -> dict[int, Places]:
    """Rows that differ, by figure; only ``new`` and absent cells decide, never the order in which data came."""
    if old is None:
        return _rows(new.valid > 0)
    size = min(len(new.time), len(old.time))
    pairs = [(getattr(new, name), getattr(old, name)) for name in ("units", "valid", "status", "text")]
    if size == len(new.time) == len(old.time) and not old.odd and all(np.array_equal(one, other) for one, other in pairs):
        return {}
    same = np.ones((len(new.units), size), bool)
    for one, other in pairs:
        same &= _cells(one, size) == _cells(other, size)
    same |= (new.valid[:, :size] == 0) & (old.valid[:, :size] == 0)
    for place, row in old.odd:
        same[place, row] = row >= size
    return _rows(np.concatenate([~same, new.valid[:, size:] > 0], axis=1))


def _cells(codes: Integers, size: int) -> Integers:
    return codes[:, :size] if codes.shape[1] > 1 or size <= 1 else codes


def _rows(mask: npt.NDArray[np.bool_]) -> dict[int, Places]:
    return {place: np.flatnonzero(mask[place]) for place in np.flatnonzero(mask.any(axis=1)).tolist()}


def carry(new: Sheet, old: Sheet) -> None:
    """Give the rows of a new sheet the versions of the old one."""
    if old.version is not None:
        size = min(len(new.time), len(old.time))
        new.version = np.ones(new.units.shape, np.uint16)
        new.version[:, :size] = old.version[:, :size]


def gone(old: Sheet) -> Sheet:
    """A sheet of which nothing is left: every cell of it is absent now."""
    return replace(old, units=np.full_like(old.units, -1), valid=np.zeros_like(old.valid), status=_NOTHING, text=_NOTHING, odd=_NONE)


def stored(new: Sheet, blocks: Mapping[str, Block]) -> Sheet:
    """The sheet that the store holds, in the places of ``new``: absent where the store has no row.

    Parameters
    ----------
    blocks : mapping of figure to Block
    """
    shape = new.units.shape
    units, version = np.full(shape, -1, np.int64), np.ones(shape, np.uint16)
    valid, status, text = np.zeros(shape, np.int64), np.zeros(shape, np.uint8), np.zeros(shape, np.uint8)
    odd: dict[tuple[int, int], float] = {}
    for place, figure in enumerate(new.kind.figures):
        one = blocks.get(figure)
        if one is None:
            continue
        own, rows = _aligned(new.time, one)
        value = np.array(one.value, np.float64)[own]
        divisor = float(new.divisors[place, 0])
        scaled = np.where(np.isnan(value), -1, np.rint(value * divisor))
        units[place, rows] = scaled.astype(np.int64)
        odd |= {(place, int(rows[number])): float(value[number]) for number in np.flatnonzero((scaled / divisor != value) & ~np.isnan(value))}
        valid[place, rows] = np.nan_to_num(np.array(one.valid, np.float64)[own]).astype(np.int64)
        if not _alike(one.version, 1.0):
            version[place, rows] = np.array(one.version, np.float64)[own].astype(np.uint16)
        status[place, rows], text[place, rows] = _codes(new.statuses, one.status)[own], _codes(new.texts, one.text)[own]
    return replace(new, units=units, valid=valid, status=status, text=text, version=version if (version != 1).any() else None, odd=odd)


def _aligned(times: npt.NDArray[np.int64], one: Block) -> tuple[Places, Places]:
    """Places of a block's rows that a sheet has, and theirs in the sheet."""
    time = np.array(one.time, np.int64)
    if not len(times):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    place = np.minimum(np.searchsorted(times, time), len(times) - 1)
    own = np.flatnonzero(times[place] == time)
    return own, place[own]


def _codes(words: Sequence[str], told: Sequence[str]) -> Bytes:
    """Codes of words; one that this version of lanbi does not know counts as another one, so its row is written again."""
    known = {word: code for code, word in enumerate(words)}
    if told and _alike(told, told[0]):
        return np.full(len(told), known.get(told[0], UNKNOWN), np.uint8)
    return np.fromiter(map(known.get, told, repeat(UNKNOWN)), np.uint8, len(told))


def _alike(many: Sequence[object], one: object) -> bool:
    """Whether all are the same, nearly always the case of most columns."""
    return many.count(one) == len(many)


class Shelf(Mapping[Tag, Column]):
    """The sheets of a year, looked up as columns by tag."""

    def __init__(self) -> None:
        self._sheets: dict[str, dict[Kind, Sheet]] = {}
        self._known: dict[tuple[str, str, str, str], list[Kind]] = {}

    def sheet(self, kind: Kind) -> Sheet | None:
        """A sheet by what it holds."""
        return self._sheets.get(kind.scope, {}).get(kind)

    def put(self, sheet: Sheet) -> None:
        """Keep a sheet in place of the one of its kind, in as few bytes as its numbers need."""
        kind = sheet.kind
        if sheet.units.itemsize > _SHORT.dtype.itemsize and sheet.units.max(initial=0) <= _SHORT.max:
            sheet.units = sheet.units.astype(_SHORT.dtype)
        kept = self._sheets.setdefault(kind.scope, {})
        if kind not in kept:
            self._known.setdefault(kind[1:], []).append(kind)
        kept[kind] = sheet

    def tags(self, scope: str) -> Iterator[Tag]:
        """Tags of everything that is kept of a scope."""
        for kind, sheet in self._sheets.get(scope, {}).items():
            yield from (sheet.tag(place) for place in range(len(kind.figures)))

    def _find(self, tag: Tag) -> tuple[Kind, int] | None:
        for kind in self._known.get((tag.period, tag.scope, tag.rule_set, tag.basis), ()):
            place = _places(kind.figures).get(tag.figure)
            if place is not None:
                return kind, place
        return None

    def __getitem__(self, tag: Tag) -> Column:
        found = self._find(tag)
        if found is None:
            raise KeyError(tag)
        kind, place = found
        return self._sheets[kind.scope][kind].column(place)

    def __contains__(self, tag: object) -> bool:
        return isinstance(tag, Tag) and self._find(tag) is not None

    def __iter__(self) -> Iterator[Tag]:
        for scope in self._sheets:
            yield from self.tags(scope)

    def __len__(self) -> int:
        return sum(len(kind.figures) for kept in self._sheets.values() for kind in kept)


@lru_cache(maxsize=256)
def _places(figures: tuple[str, ...]) -> Mapping[str, int]:
    return MappingProxyType({figure: place for place, figure in enumerate(figures)})
