"""Readings lost, doubled and altered: every number that was said has a row, a refusal with its reason, or was given up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from domain.items import BY_REALM
from domain.ports import ReadingSource
from ingest.ports import Refused
from lanbi.score.truth import NO_TIME, Floats, Longs, Said, Truth, within

NAMED: Final = 10
DAY_S: Final = 86_400
FAR: Final = 2
"""Days around a scene in which its rows may stand, wrong clocks included."""
Number = tuple[str, int, int]


@dataclass
class Tally:
    """What became of the readings.

    ``lost``: confirmed by lanbi and nowhere. ``missing``: never confirmed, and nowhere. ``doubled``: rows that nobody said.
    ``altered``: rows with another value than the newest that was said. ``explained``: of all three, by the fault behind it.
    """

    said: int = 0
    confirmed: int = 0
    given_up: int = 0
    stored: int = 0
    refused: int = 0
    lost: int = 0
    missing: int = 0
    doubled: int = 0
    altered: int = 0
    explained: Counter[str] = field(default_factory=Counter)
    names: dict[str, list[str]] = field(default_factory=dict)

    def note(self, what: str, names: Sequence[str]) -> None:
        """Count, and name the first few."""
        setattr(self, what, getattr(self, what) + len(names))
        known = self.names.setdefault(what, [])
        known += names[: NAMED - len(known)]


@dataclass(frozen=True)
class Rows:
    """Stored rows of one source and span: (m,) times, (m, k) values, NaN = not carried, (m, k) letters."""

    times: Longs
    values: Floats
    flags: npt.NDArray[np.uint8]


def stored(store: ReadingSource, said: Said, begin: int, end: int) -> Rows:
    """What the store holds of a source around the scene."""
    for series in store.columns(said.kind, said.source, begin - FAR * DAY_S, end + FAR * DAY_S):
        if series.span == said.span:
            return Rows(series.time, series.values, series.flags)
    size = (0, len(BY_REALM[said.kind]))
    return Rows(np.zeros(0, np.int64), np.zeros(size), np.zeros(size, np.uint8))


def compare(truth: Truth, store: ReadingSource, refused: Mapping[Number, set[str | None]]) -> Tally:
    """Everything that was said against everything that is stored.

    Parameters
    ----------
    refused : dict of (device, run, seq) to items
        Refusals; None among the items = the whole reading.
    """
    tally = Tally(given_up=sum(int((ranges[:, 1] - ranges[:, 0] + 1).sum()) for ranges in truth.given_up.values()))
    strangers = {(row["source"], row["time"]) for row in truth.beside if not row["own"]}
    for said in truth.said:
        rows = stored(store, said, truth.facts["begin"], truth.facts["end"])
        _source(tally, truth, said, rows, (refused, strangers))
    return tally


def refusals(found: Sequence[Refused]) -> dict[Number, set[str | None]]:
    """Refusals by number."""
    out: dict[Number, set[str | None]] = {}
    for one in found:
        if one.number is not None:
            out.setdefault((one.device, one.run, one.number), set()).add(one.item)
    return out


def _source(tally: Tally, truth: Truth, said: Said, rows: Rows, known: tuple[Mapping[Number, set[str | None]], set[tuple[str, int]]]) -> None:
    refused, strangers = known
    turned_down = {place: refused.get((said.device, int(said.run[place]), int(said.seq[place])), set()) for place in _suspects(said, refused)}
    whole = np.zeros(len(said), np.bool_)
    whole[[place for place, items in turned_down.items() if None in items]] = True
    there = np.isin(said.label, rows.times) & (said.label != NO_TIME) & ~whole
    confirmed, gone = _ranged(said, truth.confirmed), _ranged(said, truth.given_up)
    tally.said += len(said)
    tally.confirmed += int(confirmed.sum())
    tally.refused += int(whole.sum())
    tally.stored += int(there.sum())
    absent = ~there & ~whole & ~gone
    for what, which in (("lost", absent & confirmed), ("missing", absent & ~confirmed)):
        _note(tally, what, said, np.flatnonzero(which))
    times, expected, last = _expected(said, ~whole & (said.label != NO_TIME), turned_down)
    extra = [time for time in np.setdiff1d(rows.times, times).tolist() if truth.facts["begin"] < time <= truth.facts["end"]]
    tally.note("doubled", [f"{said.source}@{time}" for time in extra])
    _altered(tally, said, rows, (times, expected, last), strangers)


def _suspects(said: Said, refused: Mapping[Number, set[str | None]]) -> list[int]:
    wanted = {(run, seq) for device, run, seq in refused if device == said.device}
    return [place for place, number in enumerate(zip(said.run.tolist(), said.seq.tolist(), strict=True)) if number in wanted] if wanted else []


def _ranged(said: Said, ranges: Mapping[tuple[str, int], Longs]) -> npt.NDArray[np.bool_]:
    out = np.zeros(len(said), np.bool_)
    for run in np.unique(said.run).tolist():
        own = said.run == run
        out[own] = within(ranges.get((said.device, run)), said.seq[own])
    return out


def _note(tally: Tally, what: str, said: Said, places: Longs) -> None:
    tally.note(what, [f"{said.source}@{said.slot[place]} {said.device}/{said.run[place]}/{said.seq[place]}" for place in places.tolist()])
    tally.explained.update(f"{what} {said.wire[place]}" for place in places.tolist() if said.wire[place])


def _expected(said: Said, usable: npt.NDArray[np.bool_], turned_down: Mapping[int, set[str | None]]) -> tuple[Longs, Floats, Longs]:
    """Row times, the newest value said of each item, and the place of the newest word: numbers stand in order already."""
    values = said.values.copy()
    items = BY_REALM[said.kind]
    for place, names in turned_down.items():
        values[place, [items.index(name) for name in names if name in items]] = np.nan
    places = np.flatnonzero(usable)
    order = places[np.argsort(said.label[places], kind="stable")]
    times, first = np.unique(said.label[order], return_index=True)
    out = np.full((len(times), len(items)), np.nan)
    row = np.repeat(np.arange(len(times)), np.diff([*first.tolist(), len(order)]))
    for item in range(len(items)):
        carried = ~np.isnan(values[order, item])
        out[row[carried], item] = values[order, item][carried]  # the last assignment stands: the highest number
    return times, out, order[np.append(first[1:], len(order)) - 1] if len(times) else order


def _altered(tally: Tally, said: Said, rows: Rows, wanted: tuple[Longs, Floats, Longs], strangers: set[tuple[str, int]]) -> None:
    times, expected, last = wanted
    if not len(rows.times):
        return
    place = np.minimum(np.searchsorted(rows.times, times), len(rows.times) - 1)
    for at in np.flatnonzero(rows.times[place] == times).tolist():
        found = rows.values[place[at]]
        if np.array_equal(expected[at], found, equal_nan=True):
            continue
        name = f"{said.source}@{times[at]}: said {_shown(said.kind, expected[at])}, stored {_shown(said.kind, found)}"
        tally.note("altered", [name])
        cause = "stolen" if (said.source, int(times[at])) in strangers else said.wire[last[at]]
        if cause:
            tally.explained[f"altered {cause}"] += 1


def _shown(kind: str, values: Floats) -> dict[str, float]:
    return {name: float(value) for name, value in zip(BY_REALM[kind], values, strict=True) if not np.isnan(value)}
