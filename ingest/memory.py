"""What the forwarder saw last, kept between batches: newest readings, runs, numbers; and rows that are met again. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from domain.readings import Key
from ingest.plain import RowKey, Series
from ingest.ports import Ask, Cells, State
from ingest.revisions import Known, cells_of, cells_of_versions
from ingest.sequences import Runs, Sequences

NEVER: Final = -(2**62)


@dataclass(slots=True)
class Row:
    """A row met again: its cells, whether its versions are remembered, and those versions."""

    cells: Cells
    remembered: bool = False
    known: set[Known] = field(default_factory=set)


class Memory:
    """What was seen last: newest readings, runs, sequence numbers. Made anew from the state after any failure."""

    def __init__(self, state: State, *, alone: bool = True) -> None:
        self.state = state
        self._unknown = NEVER if alone else -NEVER
        self.latest = state.newest()
        self.runs = Runs.of(state.runs())
        self.sequences = Sequences(dict(state.sequences()))

    def newest(self, series: Series) -> int:
        """Time of the newest reading of a source and span [s]; what was never met here, and another ingest may have met, is late."""
        latest = self.latest.get(series)
        return latest.time if latest else self._unknown

    def met_again(
        self, late: set[RowKey], coming: set[RowKey], ask: Ask, behind: Mapping[str, int], before: Mapping[Key, Cells] | None = None,
    ) -> dict[RowKey, Row]:  # fmt: skip
        """Rows that readings of a batch meet again: one look-up of versions, one of the rest.

        Parameters
        ----------
        late, coming : sets of row keys
            See :class:`ingest.deciding.Desk`, which has seen all readings of the batch.
        ask : callable
            Gives the store's rows of keys.
        behind : mapping of writer to int
            Cursors before this batch: versions beyond them belong to a batch that never finished.
        before : mapping of key to cells, or None
            Rows as a batch had found them that never finished and is being done again (None: there is none). What it wrote may
            stand in the store already, so this counts and not the store; nor did a row newer than all exist with no finished version.
        """
        asked = late if before is None else late | coming
        if not asked:
            return {}
        met = self.remembered(asked, behind)
        met |= {key: Row(dict(cells)) for key, cells in (before or {}).items() if cells and key in asked and key not in met}
        for key, row in ask([Key(*key) for key in late if key not in met and key not in (before or ())]).items():
            newest = self.latest.get((key.source, key.span))
            met[key] = Row(cells_of(row, newest.device if newest and newest.time == key.time else ""))
        return met

    def remembered(self, keys: Iterable[RowKey], behind: Mapping[str, int]) -> dict[RowKey, Row]:
        """Those of the rows whose versions are remembered, as they are behind the cursors."""
        met: dict[RowKey, Row] = {}
        for key, versions in self.state.versions([Key(*key) for key in keys]).items():
            finished = [one for one in versions if not one.writer or "@" in one.writer or one.seq <= behind.get(one.writer, 0)]
            if finished:
                known = {(one.item, one.rev, one.value, one.flag) for one in finished}
                met[key] = Row(cells_of_versions(finished), remembered=True, known=known)
        return met
