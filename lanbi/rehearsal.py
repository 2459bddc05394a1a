"""What an entry would change, computed and not written: the analyst works as always, on a store that keeps nothing.

A process of its own, started for one question and gone with its answer: `python -m lanbi.rehearsal` takes an entry as JSON on standard
input and writes the figures that would differ. So the API needs no numba, and nothing half-computed stands anywhere.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from domain import marks
from domain.civil import iso, year_of_day
from domain.errors import LanbiError
from domain.indicators import COMPARISONS, Block, Event, Indicator, Query, Restatement
from domain.readings import Entry
from lanbi import machine_code, wiring

if TYPE_CHECKING:
    from domain.places import Registry
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
        for key, new in sorted(self.rows.items(), key=lambda pair: tuple(map(str, pair[0]))):
            if new.period == "ytd" and new.time != newest[key[:5]]:
                continue
            found = self._store.series(Query(new.figure, new.scope, new.period, new.rule_set, new.basis, new.time - 1, new.time))
            old = found[0] if found else None
            before = (old.value, old.status) if old else (None, "")
            if before != (new.value, new.status):
                yield Change(*new.key[:5], iso(new.time), before[0], new.value, before[1], new.status, key in self.said)


def rehearse(settings: Settings, kind: str, body: Mapping[str, object]) -> list[Change]:
    """Figures that an entry about the air would change.

    Raises
    ------
    StoreAway, StoreRefused
        The store does not answer.
    """
    os.environ.setdefault("NUMBA_CACHE_DIR", str(machine_code.prepared(settings.data)))
    from lanbi.analyst import Analyst  # noqa: PLC0415  numba comes with it, after its cache folder is set

    registry, clock = wiring.registry(settings), wiring.clock(settings)
    store = wiring.store(settings, write=False)
    try:
        tried: Any = Rehearsing(store, Entry(kind, "person/0", clock.now_ns(), str(body.get("user", "")), body))
        analyst = Analyst(tried, tried, registry, wiring.plans(settings))
        analyst.settler.closing = 60 * settings.analyse.closing
        for year in _years(kind, body, registry):
            analyst.load(year, clock.now_ns() // NS, f"{marks.CODES[kind]}: tried")
        return list(tried.changes())
    finally:
        store.close()


def _years(kind: str, body: Mapping[str, object], registry: Registry) -> list[int]:
    return sorted({year_of_day(day) for day in marks.touched(kind, body, registry)})


def main(load: Callable[[str | None], Settings] = wiring.settings) -> int:
    """Answer the question on standard input."""
    asked = json.load(sys.stdin)
    try:
        found = rehearse(load(asked["config"]), asked["kind"], asked["body"])
    except LanbiError as error:
        sys.stdout.write(json.dumps({"error": str(error)}))
        return error.exit_code
    sys.stdout.write(json.dumps({"changes": [one._asdict() for one in found[:MOST]], "count": len(found)}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
