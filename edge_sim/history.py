"""Years of history at once, as native messages: hourly air, four-hourly water, hourly registers, quarter hours at the end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from domain.civil import day_end, day_start, iso
from edge_sim.county import INTERVALS, SimulatedCounty
from edge_sim.devices import payloads, rows
from edge_sim.noise import Ints
from edge_sim.scene import Scene
from edge_sim.wire import Word

WINDOW_DAYS: Final = 16
"""Days computed in one go: wide enough for numpy, small enough for memory."""
FINE_DAYS: Final = 7
FINE_S: Final = 900
"""Registers of the last days come every quarter hour: interval pages need them, a year of them would be four times the work."""


def days(county: SimulatedCounty, first_day: int, last_day: int) -> Iterator[tuple[bytes, int]]:
    """History of whole civil days.

    Parameters
    ----------
    first_day, last_day : int
        Civil days, both included.

    Yields
    ------
    payload : bytes
        A native list of at most 100 readings, in order of day: whoever follows it sees each source's time only grow.
    count : int
        Readings in it.
    """
    scene = Scene(county)
    for start in range(first_day, last_day + 1, WINDOW_DAYS):
        end = min(start + WINDOW_DAYS - 1, last_day)
        by_day: dict[int, list[Word]] = {day: [] for day in range(start, end + 1)}
        for source in county.sources():
            _sort_in(by_day, _words(scene, source, _slots(county, source, start, end, last_day)))
        for words in by_day.values():
            yield from ((payload, len(part)) for payload, part in payloads(words))


def count(county: SimulatedCounty, first_day: int, last_day: int) -> int:
    """Readings that :func:`days` will yield at most (gaps make it a little less); for progress."""
    whole = last_day - first_day + 1
    fine = min(FINE_DAYS, whole)
    hours = {source: INTERVALS[county.registry.kinds[source]] for source in county.sources()}
    meters = sum(county.registry.kinds[source] == "meter" for source in hours)
    return sum(86_400 // step * whole for step in hours.values()) + meters * fine * (86_400 // FINE_S - 24)


def _slots(county: SimulatedCounty, source: str, start: int, end: int, last_day: int) -> Ints:
    kind = county.registry.kinds[source]
    coarse = _grid(day_start(start), day_end(end), INTERVALS[kind])
    fine_from = day_start(last_day - FINE_DAYS + 1)
    if kind != "meter" or day_end(end) <= fine_from:
        return coarse
    fine = _grid(max(fine_from, day_start(start)), day_end(end), FINE_S)
    return np.concatenate([coarse[coarse <= fine[0] - FINE_S], fine])


def _grid(start: int, end: int, step: int) -> Ints:
    """End labels in (start, end] that fall on the civil clock's grid."""
    return np.arange(start + step, end + 1, step, dtype=np.int64)


def _words(scene: Scene, source: str, times: Ints) -> Iterator[Word]:
    """Readings as a platform exports them: settled, without number, each with its source."""
    labels = [iso(time) for time in times.tolist()]
    for place, row, _, _ in rows(scene.stretch(source, times), labels):
        slot = int(times[place])
        del row["seq"]
        row["source"] = source
        yield Word(slot, slot, slot, "", source, row)


def _sort_in(by_day: dict[int, list[Word]], words: Iterator[Word]) -> None:
    first = next(iter(by_day))
    for word in words:
        by_day[first + (word.slot - 1 - day_start(first)) // 86_400].append(word)
