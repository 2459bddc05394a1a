"""Which value counts: rows merged item by item, decided by revision alone, whatever the order of arrival. Pure.

A row of the store carries one revision. Rows that were written more than once have the versions of all their cells
remembered; then each cell's own revision is known, and until then the row's revision is that of every cell.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from domain.readings import RANK_DEVICE, RANK_REPLACE, Key, Reading, revision
from ingest.accept import Sight
from ingest.ports import Cell, Cells, Version

REGISTER: Final = "register"
FIRST_DEVICE_RUN: Final = 1
"""Run index 0 belongs to imports, so that an import always ranks below what a device said itself."""
_IMPORTS: Final = revision(RANK_DEVICE, FIRST_DEVICE_RUN, 0)
_CENTISECOND: Final = 10_000_000
MICROSECOND: Final = 1_000


def revision_of(sight: Sight, run_index: int) -> int:
    """Revision of a reading: a device by (run, seq), or by its receive time without ``seq``; an import by its file's first receipt.

    That receipt is the ``seq`` of an imported message [centiseconds], so that a file imported again repeats its own revisions and
    takes back nothing that came after it. One that ``corrects`` is a replacement which a person answers for: it ranks above devices.
    """
    if sight.imported:
        number = min(sight.received_ns // _CENTISECOND if sight.seq is None else sight.seq, _IMPORTS - 1)
        return revision(RANK_REPLACE, 0, number) if sight.corrects else number
    if sight.seq is None:
        return sight.received_ns // MICROSECOND
    return revision(RANK_DEVICE, run_index, sight.seq)


Known = tuple[str, int, float | None, str]
"""A version as it came: item, revision, value, flag. The same once more is a duplicate, even if it has long been superseded."""


@dataclass(slots=True)
class Merger:
    """What becomes of a reading that meets a known row.

    Attributes
    ----------
    cells : dict of item to Cell
        The row afterwards.
    stored : bool
        Something of the reading is new to the record: it counts as stored, be it only as history.
    changed : bool
        A value or flag of the row is another one.
    raised : bool
        A revision of the row is another one, so the row is to be written.
    conflicts : list of str
        Items that are held for a person.
    versions : list of (item, Cell)
        What is to be remembered, if the row is remembered at all (:func:`remembered`).
    """

    cells: Cells
    stored: bool = False
    changed: bool = False
    raised: bool = False
    conflicts: list[str] = field(default_factory=list)
    versions: list[tuple[str, Cell]] = field(default_factory=list)


def cells_of(row: Reading, device: str = "") -> Cells:
    """Cells of a row that was written once: its revision is everybody's."""
    flags = row.flags
    return {name: Cell(value, "W" if value is None else flags.get(name, "N"), row.rev, device=device) for name, value in row.values.items()}


def cells_of_versions(versions: Iterable[Version]) -> Cells:
    """Cells of a row that was written more than once: of each item the greatest revision."""
    cells: Cells = {}
    for one in sorted(versions, key=lambda version: version.rev):
        cells[one.item] = Cell(one.value, one.flag, one.rev, one.corrects, one.device)
    return cells


def row_of(sight: Sight, cells: Cells) -> Reading:
    """The row to write; its revision is the greatest of its cells."""
    return row_from(Key(*sight[:4]), cells)


def row_from(key: Key, cells: Cells) -> Reading:
    """The row of a key with these cells."""
    values = {name: cell.value for name, cell in cells.items()}
    flags = {name: cell.flag for name, cell in cells.items() if cell.flag != "N"}
    return Reading(*key, values, flags, max(cell.rev for cell in cells.values()))


def merge(sight: Sight, rev: int, cells: Mapping[str, Cell], known: Container[Known] = ()) -> Merger:
    """Merge a reading into the row that is there, ``known`` being the versions that were superseded before.

    Each item is judged alone: absent → first; same value and flag → duplicate; higher revision → replaces; lower → history;
    same revision with another value, a second device, or a second value of a register that does not say ``corrects`` → conflict.
    """
    done = Merger(dict(cells))
    flags = sight.flags
    for name, value in sight.values.items():
        new = Cell(value, flags.get(name, "N"), rev, sight.corrects, sight.device)
        old = done.cells.get(name)
        fate = "first" if old is None else _fate(new, old, name)
        if fate == "duplicate" or (fate == "history" and (name, new.rev, new.value, new.flag) in known):
            continue
        if fate == "conflict":
            done.conflicts.append(name)
            continue
        done.versions.append((name, new))
        if fate != "history":
            done.cells[name] = new
        done.stored |= fate != "raise"
        done.changed |= fate in {"first", "replace"}
        done.raised |= fate != "history"
    return done


def _fate(new: Cell, old: Cell, name: str) -> str:
    device, old_device = new.rev >= _IMPORTS, old.rev >= _IMPORTS
    if new.value == old.value and new.flag == old.flag:
        # A later revision of the same value must win over what lies between. Imports come in journal order: nothing lies between.
        return "raise" if new.rev > old.rev and device else "duplicate"
    if device != old_device:
        return "replace" if device else "history"
    if name == REGISTER and not new.corrects and new.value != old.value:
        return "history" if old.corrects and new.rev < old.rev else "conflict"
    if new.rev == old.rev or (new.device != old.device and new.device and old.device):
        return "conflict"
    return "replace" if new.rev > old.rev else "history"


def remembered(merger: Merger, before: Mapping[str, Cell]) -> bool:
    """Whether a row written once must now have its versions remembered: a value was superseded, or its cells differ in revision."""
    superseded = any(name in before and (cell.value, cell.flag) != before[name][:2] for name, cell in merger.versions)
    return superseded or len({cell.rev for cell in merger.cells.values()}) > 1


def difference(old: Cell, sight: Sight, name: str) -> str:
    """A conflict in words."""
    return f"{old.value} {old.flag} stands, {sight.values[name]} {sight.flags.get(name, 'N')} came"
