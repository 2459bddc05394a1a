"""Readings: one source's values for one time and span, with flags and revision."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

FLAGS: Final = MappingProxyType(
    {
        "N": ("有效", "valid"),
        "M": ("维护", "maintenance"),
        "C": ("校准", "calibration"),
        "F": ("停运", "stopped"),
        "D": ("故障", "fault"),
        "B": ("通讯故障", "link fault"),
        "T": ("超量程", "over range"),
        "S": ("人工录入", "entered by hand"),
        "H": ("人工暂扣", "held by an operator"),
        "Z": ("负值或零值替换", "negative or zero replaced"),
        "R": ("规则剔除", "rejected by rule"),
        "P": ("补传", "back-filled"),
        "X": ("沙尘或异常事件", "dust or exceptional event"),
        "W": ("撤回", "withdrawn"),
    },
)
"""Flag letters (zh, en). W marks a withdrawn value and never comes from a device's ``flags``."""

DEVICE_FLAGS: Final = frozenset("NMCFDBTSP")
STATISTICAL: Final = frozenset("NPZ")
"""Flags whose values enter statistics; X enters the dust-including series only."""

RANK_DEVICE: Final = 0
RANK_REPLACE: Final = 1
RANK_PERSON: Final = 2
_RANK_STEP: Final = 2**51
_RUN_STEP: Final = 2**40


def revision(rank: int, run: int, number: int) -> int:
    """Revision as one integer that a float64 holds exactly: rank, run index, number."""
    return rank * _RANK_STEP + run * _RUN_STEP + number


class Key(NamedTuple):
    """What a reading is about: the row of the store."""

    kind: str
    source: str
    span: int
    time: int


class Reading(msgspec.Struct, gc=False):
    """One row: what a source said about one time and span.

    Attributes
    ----------
    kind : str
        Table: air, water, point or meter.
    span : int [s]
        What the values stand for; 0 = instantaneous.
    time : int [s]
        End of the span, UTC epoch.
    values : mapping of item to float or None
        In the item's unit; the float whose shortest text is the sent decimal. None = withdrawn (flag W).
    flags : mapping of item to letter
        Only letters other than N.
    rev : int
        Revision, see :func:`revision`.

    A value: nobody changes one. Millions are made, so it is a structure that costs a third of a dataclass and is no concern of the
    collector of cycles; it can be part of none.
    """

    kind: str
    source: str
    span: int
    time: int
    values: Mapping[str, float | None]
    flags: Mapping[str, str] = msgspec.field(default_factory=dict)
    rev: int = 0

    @property
    def key(self) -> Key:
        """The row this reading belongs to."""
        return Key(self.kind, self.source, self.span, self.time)


class Rejected(NamedTuple):
    """What a store will never take: a row, or one item of it (``item``); the reason code, and the store's own words."""

    key: Key
    item: str | None
    reason: str
    detail: str


class Series(NamedTuple):
    """Readings of one source and span as columns, ordered by time: a year of them, where one object each would cost too much.

    Attributes
    ----------
    span : int [s]
    time : (n,) int64 [s]
        End of the span, UTC epoch.
    values : (n, k) float64
        Items of the table in the order of :data:`domain.items.BY_REALM`; NaN = not carried, or withdrawn.
    flags : (n, k) uint8
        Letter (ASCII): ``N`` where carried without another flag, ``W`` = withdrawn, 0 = not carried.
    """

    span: int
    time: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]
    flags: npt.NDArray[np.uint8]


class Change(NamedTuple):
    """A batch of one ingest touched these sites on this civil day; ``n`` is dense per ingest."""

    ingest: str
    n: int
    day: int
    sites: tuple[str, ...]


class Entry(NamedTuple):
    """What a person entered (or a file said beside its readings): evidence with its journal reference."""

    kind: str
    id: str
    """Journal reference ``writer/sequence`` plus, where one record holds several, ``#index``."""
    received_ns: int
    user: str
    body: Mapping[str, object]


def lacking(body: Mapping[str, object], *names: str) -> str | None:
    """What a person's entry leaves unsaid, of these keys; None if it says all of them.

    >>> lacking({"user": "王工", "reason": " "}, "user", "reason", "document")
    'without reason, document'
    """
    unsaid = [name for name in names if not str(body.get(name) or "").strip()]
    return f"without {', '.join(unsaid)}" if unsaid else None
