"""Runs and sequence numbers of devices: small indices that keep the order of runs, and numbers that never came. Pure.

A device counts its readings; a hole in its count is the only sign of what a broker dropped behind everybody's back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

SMALL: Final = 1_000
"""Runs below this number are their own index (plus one)."""
FIRST_LARGE: Final = SMALL + 200
STEP: Final = 4
LAST: Final = 2_047


@dataclass
class Runs:
    """Index of every run of every device: order-preserving, below 2,048, never changed once given.

    A device that lost its memory takes epoch seconds for its run. Such a run gets an index of its own at first sight, with room
    left between neighbours for one that was spooled before and arrives later.
    """

    given: dict[str, dict[int, int]] = field(default_factory=dict)
    fresh: dict[tuple[str, int], int] = field(default_factory=dict)
    """Given since the last :meth:`taken`."""

    @classmethod
    def of(cls, rows: Mapping[tuple[str, int], int]) -> Runs:
        """From the state's rows."""
        runs = cls()
        for (device, run), number in rows.items():
            runs.given.setdefault(device, {})[run] = number
        return runs

    def index(self, device: str, run: int) -> int | None:
        """Index of a run; None if its place among the others is lost (more than 2,047 runs, or no room between two)."""
        if run < SMALL:
            return run + 1
        known = self.given.setdefault(device, {})
        if run not in known:
            number = _place(known, run)
            if number is None:
                return None
            known[run] = self.fresh[device, run] = number
        return known[run]

    def known(self, device: str, run: int) -> int | None:
        """Index of a run that has one already; no order of arrival can change it any more."""
        return run + 1 if run < SMALL else self.given.get(device, {}).get(run)

    def taken(self) -> dict[tuple[str, int], int]:
        """Indices given since the last call, to be kept by the state."""
        fresh, self.fresh = self.fresh, {}
        return fresh


def _place(known: Mapping[int, int], run: int) -> int | None:
    below = max((number for other, number in known.items() if other < run), default=SMALL)
    above = min((number for other, number in known.items() if other > run), default=LAST + 1)
    if above <= LAST:
        number = above - STEP if below == SMALL and above - STEP > below else (below + above) // 2
    else:
        number = FIRST_LARGE if below == SMALL else min(below + STEP, (below + LAST + 1) // 2)
    return number if below < number < above else None


@dataclass
class Sequences:
    """Greatest number seen of every device and run; what is skipped at first sight is a gap.

    Of a device no more runs are remembered than could be placed: one that invents a run for every message must not eat memory.
    """

    greatest: dict[tuple[str, int], int] = field(default_factory=dict)
    touched: dict[tuple[str, int], int] = field(default_factory=dict)
    _runs: Counter[str] = field(default_factory=Counter)
    """How many runs of each device are remembered."""

    def __post_init__(self) -> None:
        self._runs.update(device for device, _ in self.greatest)

    def _known(self, device: str, run: int) -> bool:
        """Whether a run is remembered, or may be from now on."""
        if (device, run) in self.greatest:
            return True
        fits = self._runs[device] <= LAST
        self._runs[device] += fits
        return fits

    def see_all(self, whose: Iterable[tuple[str, int]], numbers: Iterable[int | None]) -> int:
        """Take note of the numbers of many devices and runs in the order of their arrival; returns how many were skipped."""
        greatest, touched, gaps = self.greatest, self.touched, 0
        for key, seq in zip(whose, numbers, strict=True):
            if seq is not None:
                if greatest.get(key) == seq - 1:
                    greatest[key] = touched[key] = seq
                else:
                    gaps += self.see(*key, (seq,))
        return gaps

    def see(self, device: str, run: int, numbers: Iterable[int | None]) -> int:
        """Take note of numbers in the order of their arrival (None: a reading without one); returns how many before them were skipped."""
        key = device, run
        last = before = self.greatest.get(key)
        gaps = 0
        for seq in numbers:
            if seq is None:
                continue
            if last is None:
                last = seq
            elif seq > last:
                gaps += seq - last - 1
                last = seq
        if last is None or not self._known(device, run):
            return 0
        if last != before:
            self.greatest[key] = self.touched[key] = last
        return gaps

    def lost(self, device: str, run: int, first: int, last: int) -> int:
        """The device gave these numbers up; returns those that were not yet known to be missing."""
        greatest = self.greatest.get((device, run), first - 1)
        fresh = max(0, last - max(first - 1, greatest))
        skipped = max(0, first - 1 - greatest)
        if fresh and not self._known(device, run):
            return 0
        if fresh:
            self.greatest[device, run] = self.touched[device, run] = last
        return fresh + (skipped if fresh else 0)

    def taken(self) -> dict[tuple[str, int], int]:
        """Numbers changed since the last call, to be kept by the state."""
        changed, self.touched = self.touched, {}
        return changed
