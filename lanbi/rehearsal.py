"""What an entry would change, computed and not written: the analyst works as always, on a store that keeps nothing.

It happens in a copy of the analytics process (:mod:`lanbi.question`), so that the analyst's memory may learn what is tried.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from domain import marks
from domain.civil import iso
from domain.errors import LanbiError
from domain.indicators import COMPARISONS, Block, Event, Indicator, Query, Restatement
from domain.readings import Entry
from lanbi import wiring
from lanbi.refusals import NoRefusals

if TYPE_CHECKING:
    from domain.ports import Clock
    from lanbi.analyst import Analyst
    from lanbi.desks import Touched
    from lanbi.settings import Settings
    from lanbi.store import OpenStore

NS: Final = 10**9
MOST: Final = 500
"""Figures told; the rest are counted."""


class Change(NamedTuple):
    """A figure that would differ."""

    figure: str
    period: str
    scope: str
    rule_set: str
    basis: str
    time: str
    old: float | None
    new: float | None
    old_status: str
    new_status: str
    restated: bool


class Rehearsing:
    """A store to read from, with one entry more, that only notes what would be written."""

    def __init__(self, store: OpenStore, entry: Entry) -> None:
        self._store = store
        self._entry = entry
        self.rows: dict[tuple[object, ...], Indicator] = {}
        self.said: set[tuple[object, ...]] = set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def entered(self, kind: str) -> list[Entry]:
        """What was entered, and the entry that is tried."""
        found = self._store.entered(kind)
        return [*found, self._entry] if kind == self._entry.kind else found

    def put(self, rows: Sequence[Indicator]) -> None:
        """Note figures."""
        self.rows |= {row.key: row for row in rows if row.period != "hour" and row.figure.rpartition("_")[2] not in COMPARISONS}

    def put_blocks(self, blocks: Sequence[Block]) -> None:
        """Note figures by the column."""
        self.put([row for block in blocks if block.period != "hour" for row in block.rows()])

    def restate(self, rows: Sequence[Restatement]) -> None:
        """Note what would be said openly."""
        self.said |= {row[:6] for row in rows}

    def events(self, rows: Sequence[Event]) -> None:
        """Nothing is announced."""

    def changes(self) -> Iterator[Change]:
        """Figures whose value or status would differ from what is stored; of a running year only where it stands now."""
        newest: dict[tuple[object, ...], int] = {}
        for row in self.rows.values():
            newest[row.key[:5]] = max(row.time, newest.get(row.key[:5], row.time))
        rows = [row for row in self.rows.values() if row.period != "ytd" or row.time == newest[row.key[:5]]]
        rows.sort(key=lambda row: tuple(map(str, row.key)))
        asked = [Query(row.figure, row.scope, row.period, row.rule_set, row.basis, row.time - 1, row.time) for row in rows]
        for new, found in zip(rows, self._store.several(asked), strict=True):
            old = found[0] if found else None
            before = (old.value, old.status) if old else (None, "")
            if before != (new.value, new.status):
                yield Change(*new.key[:5], iso(new.time), before[0], new.value, before[1], new.status, new.key in self.said)


class Lent:
    """The store as the analyst holds it; what is behind may be another one."""

    def __init__(self, store: OpenStore) -> None:
        self.behind: Any = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self.behind, name)


def rehearse(settings: Settings, known: tuple[Analyst, Clock], lent: Lent, question: Any) -> Mapping[str, object]:
    """Figures that an entry would change: the first :data:`MOST` of them, and how many in all. Only in a copy of the process."""
    kind, body = str(question.get("kind")), dict(question.get("body") or {})
    fault = marks.fault(kind, body) if kind in marks.KINDS else f"no kind of evidence: {kind[:40]}"
    if fault:
        return {"fault": fault}
    analyst, clock = known
    try:
        # A connection of before the copying belongs to the other process.
        store = wiring.store(settings, write=False)
        tried = Rehearsing(store, Entry(kind, "person/0", clock.now_ns(), str(body.get("user", "")), body))
        lent.behind = tried
        analyst.ledger.refusals = NoRefusals()
        analyst.pulse = lambda: None
        analyst.refresh(_touched(kind, body, analyst), clock.now_ns() // NS)
        found = list(tried.changes())
    except LanbiError as error:
        return {"error": str(error)}
    return {"changes": [one._asdict() for one in found[:MOST]], "count": len(found)}


def _touched(kind: str, body: Mapping[str, Any], analyst: Analyst) -> set[Touched]:
    """Places and days, and the signal that entries of this kind are to be read again, as a change row would name them."""
    from lanbi.desks import Touched  # noqa: PLC0415  numba comes with it, after its cache folder is set

    days = marks.touched(kind, body, analyst.registry)
    return {Touched(site, day) for day, sites in days.items() for site in (*sites, marks.signal(kind))}
