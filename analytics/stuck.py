"""Sensors that stand still: the same value for longer than its own nature explains.

Gases rest at their lowest value for days, and a detection limit may stand for weeks; so a run is judged by the series' own
longest natural rest, at its floor apart from above it. Two signs are told:

* every item of a place stands at once: nothing in nature does that;
* one item stands, above its floor for more than a day and twice its own longest other run, or at exactly zero for three days
  and twice its longest other zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

Longs = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

HOUR_S: Final = 3_600
TOGETHER_S: Final = 6 * HOUR_S
"""So long do three or more items of a place never stand together by nature."""
TOGETHER_ITEMS: Final = 3
ABOVE_S: Final = 24 * HOUR_S
ZERO_S: Final = 72 * HOUR_S
LONGER: Final = 2
"""Times the series' own longest other run."""
FLOOR_SHARE: Final = 0.1
"""The floor: the lowest tenth of the values seen."""


class Run(NamedTuple):
    """A value that stood from ``begin`` to ``end`` [s], end labels of its first and last reading.

    ``seconds`` is what its readings stand for: a gap does not end a run, and proves nothing either.
    """

    item: str
    begin: int
    end: int
    seconds: int
    value: float


class _Stands(NamedTuple):
    """All stretches of equal neighbours of one item, one a row: a long series has as many as values, and few are told."""

    begin: Longs
    end: Longs
    seconds: Longs
    value: Floats


def find(times: Longs, items: Mapping[str, Floats]) -> list[Run]:
    """Standing stretches of one place, in order of item and time.

    Parameters
    ----------
    times : (n,) int64 [s]
        Ascending end labels; readings may be missing.
    items : mapping of item to (n,) float64
        NaN = no value; a gap does not end a run.
    """
    step = int(np.median(np.diff(times))) if len(times) > 1 else HOUR_S
    together = _together(times, items, step)
    found = [run for item, values in items.items() for run in _alone(item, times, values, step) if not _inside(run, together)]
    found += [Run(item, begin, end, seconds, value) for begin, end, seconds in together for item, value in _values(times, items, begin)]
    return sorted(found, key=lambda run: (list(items).index(run.item), run.begin))


def _stands(times: Longs, values: Floats, step: int) -> _Stands:
    """All runs of equal neighbours among the values that are there."""
    valid = np.flatnonzero(~np.isnan(values))
    seen = values[valid]
    first = np.flatnonzero(np.append(True, seen[1:] != seen[:-1])[: len(seen)])
    last = np.append(first[1:], len(seen))[: len(first)] - 1
    return _Stands(times[valid[first]], times[valid[last]], (last - first + 1) * step, seen[first])


def _alone(item: str, times: Longs, values: Floats, step: int) -> list[Run]:
    """Runs of one item that its own other runs do not explain."""
    runs = _stands(times, values, step)
    if not len(runs.value):
        return []
    above = runs.value > np.nanquantile(values, FLOOR_SHARE)
    # A series that shows nothing else has no nature to compare with; standing above zero it is told, at its floor it is not.
    only = bool((runs.value == runs.value[0]).all()) and runs.value[0] != 0 and runs.seconds[0] >= ZERO_S
    return [*_longer(item, runs, np.ones_like(above) if only else above, ABOVE_S), *_longer(item, runs, runs.value == 0, ZERO_S)]


def _longer(item: str, runs: _Stands, chosen: npt.NDArray[np.bool_], least: int) -> list[Run]:
    """Of the chosen runs those that are longer than ``least`` and than all others by far."""
    rows = np.flatnonzero(chosen)
    seconds = runs.seconds[rows]
    second, longest = np.sort(np.append([0, 0], np.partition(seconds, -2)[-2:] if len(seconds) > 1 else seconds))[-2:]
    others = np.where(seconds == longest, second, longest)
    told = rows[(seconds > least) & (seconds > LONGER * others)]
    return [Run(item, *fields) for fields in zip(*(column[told].tolist() for column in runs), strict=True)]


def _together(times: Longs, items: Mapping[str, Floats], step: int) -> list[tuple[int, int, int]]:
    """Stretches in which all items of a place stand: first and last label, and what their readings stand for [s]."""
    there = [values for values in items.values() if not np.isnan(values).all()]
    if len(there) < TOGETHER_ITEMS:
        return []
    table = np.column_stack(there)
    rows = np.flatnonzero((~np.isnan(table)).sum(axis=1) >= TOGETHER_ITEMS)
    if len(rows) < 2:
        return []
    before, after = table[rows[:-1]], table[rows[1:]]
    same = ((before == after) | np.isnan(before) | np.isnan(after)).all(axis=1)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], same, [False]]).astype(np.int8)))
    spans = [(int(times[rows[begin]]), int(times[rows[end]]), int(end - begin + 1) * step) for begin, end in edges.reshape(-1, 2)]
    return [span for span in spans if span[2] > TOGETHER_S]


def _inside(run: Run, spans: list[tuple[int, int, int]]) -> bool:
    return any(begin <= run.begin and run.end <= end for begin, end, _ in spans)


def _values(times: Longs, items: Mapping[str, Floats], begin: int) -> list[tuple[str, float]]:
    at = int(np.searchsorted(times, begin))
    return [(item, float(values[at])) for item, values in items.items() if not np.isnan(values[at])]
