"""Which value counts: rows merged item by item, decided by revision alone, whatever the order of arrival. Pure.

A row of the store carries one revision. Rows that were written more than once have their versions listed; where an item has
versions its own revision is the greatest of them, else it is the row's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from domain.readings import Reading

REGISTER: Final = "register"


class ItemVersion(NamedTuple):
    """One version of one item of a row."""

    item: str
    rev: int
    value: float | None
    flag: str


@dataclass(slots=True)
class Decision:
    """What becomes of a reading that meets a stored row.

    Attributes
    ----------
    row : Reading or None
        The row to write; None if nothing of it changes.
    versions : list of ItemVersion
        To be remembered: old and new versions of every item concerned.
    conflicts : list of str
        Items with another value for the same revision; held for a person.
    duplicate : bool
        Every item was there already, equal.
    """

    row: Reading | None = None
    versions: list[ItemVersion] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)
    duplicate: bool = False


def first_sight(reading: Reading) -> Decision:
    """Nothing is known of this row: it is stored as it is."""
    return Decision(row=reading)


def merge(reading: Reading, stored: Reading, versions: Sequence[ItemVersion], *, corrects: bool = True) -> Decision:
    """Merge a reading into the row that is stored.

    Parameters
    ----------
    versions : sequence of ItemVersion
        Versions remembered of this row.
    corrects : bool
        False holds a second, different value of a meter's register for a person (``conflict``).
    """
    known = {version.item: version for version in sorted(versions, key=lambda version: version.rev)}
    values, flags = dict(stored.values), dict(stored.flags)
    decision = Decision()
    same = 0
    for name, value in reading.values.items():
        flag = _flag(reading, name)
        current = known.get(name) or _stored_version(stored, name)
        fate = _fate(ItemVersion(name, reading.rev, value, flag), current, held=name == REGISTER and not corrects)
        if fate == "conflict":
            decision.conflicts.append(name)
            continue
        same += fate in {"same", "raise"}
        if fate == "same":
            continue
        if current and name not in known:
            decision.versions.append(current)
        decision.versions.append(ItemVersion(name, reading.rev, value, flag))
        if fate in {"replace", "new"}:
            values[name] = value
            flags[name] = flag
    decision.duplicate = same == len(reading.values)
    if decision.versions:
        rev = max(stored.rev, reading.rev)
        kept = {name: flag for name, flag in flags.items() if flag not in {"N", ""}}
        row = Reading(stored.kind, stored.source, stored.span, stored.time, values, kept, rev)
        decision.row = row if row != stored else None
        if rev > stored.rev:
            decision.versions += _pinned(stored, reading, known)
    return decision


def _flag(reading: Reading, name: str) -> str:
    return "W" if reading.values[name] is None else reading.flags.get(name, "N")


def _stored_version(stored: Reading, name: str) -> ItemVersion | None:
    return ItemVersion(name, stored.rev, stored.values[name], _flag(stored, name)) if name in stored.values else None


def _pinned(stored: Reading, reading: Reading, known: Mapping[str, ItemVersion]) -> list[ItemVersion]:
    """Items that the reading does not carry keep their own revision when the row's rises."""
    untouched = [name for name in stored.values if name not in reading.values and name not in known]
    return [version for name in untouched if (version := _stored_version(stored, name))]


def _fate(new: ItemVersion, current: ItemVersion | None, *, held: bool) -> str:
    if current is None:
        return "new"
    equal = (new.value, new.flag) == (current.value, current.flag)
    if equal:
        # A later revision of the same value must win over what lies between, so its number is remembered.
        return "raise" if new.rev > current.rev else "same"
    if new.rev == current.rev or held:
        return "conflict"
    return "replace" if new.rev > current.rev else "history"


def fold(decisions: Mapping[object, Reading]) -> list[Reading]:
    """Rows to write, in an order that does not depend on that of arrival."""
    return sorted(decisions.values(), key=lambda row: (row.kind, row.source, row.span, row.time))
