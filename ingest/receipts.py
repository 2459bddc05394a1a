"""Receipts: which numbers of a device are durable. Pure; the listener publishes them after each commit.

The broker's PUBACK promises nothing. A device keeps every reading until a receipt names its number; a receipt that got lost is
healed by the next one, for it repeats the ranges that are known.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

MAX_RANGES: Final = 32
MAX_DEVICES: Final = 4_096
"""Forged ids must not eat memory: the longest silent device is forgotten, and re-sends if it cares."""

Range = tuple[int, int]


class Receipt(NamedTuple):
    """Numbers of one run of a device that are durable."""

    device: str
    run: int
    ranges: tuple[Range, ...]


@dataclass
class Ranges:
    """A set of numbers as sorted, disjoint, non-adjacent ranges."""

    rows: list[Range] = field(default_factory=list)

    def add(self, number: int) -> None:
        """Put a number in; neighbours grow together."""
        at = bisect_right(self.rows, (number, number))
        low = high = number
        if at and self.rows[at - 1][1] >= number - 1:
            if self.rows[at - 1][1] >= number:
                return
            at -= 1
            low = self.rows[at][0]
            del self.rows[at]
        if at < len(self.rows) and self.rows[at][0] <= number + 1:
            high = max(number, self.rows[at][1])
            del self.rows[at]
        self.rows.insert(at, (low, high))

    def covering(self, numbers: Iterable[int]) -> list[Range]:
        """Ranges that hold these numbers, sorted."""
        found = {self.rows[bisect_right(self.rows, (number, 2**62)) - 1] for number in numbers}
        return sorted(found)


@dataclass
class Receipts:
    """Durable numbers per device and run, and what each device has still to be told."""

    _known: OrderedDict[str, tuple[int, Ranges]] = field(default_factory=OrderedDict)
    _untold: dict[tuple[str, int], list[int]] = field(default_factory=dict)

    def durable(self, device: str, numbers: Iterable[tuple[int, int]]) -> None:
        """These (run, seq) of a device are on disk."""
        for run, seq in numbers:
            self._ranges(device, run).add(seq)
            self._untold.setdefault((device, run), []).append(seq)

    def due(self) -> list[Receipt]:
        """Receipts to publish now, at most 32 ranges each; afterwards nobody waits for one."""
        out: list[Receipt] = []
        for (device, run), numbers in self._untold.items():
            known = self._ranges(device, run)
            for number in numbers:
                known.add(number)  # a device that switches between runs had its older one forgotten
            told = known.covering(numbers)
            told = _filled(told, known.rows)
            out += [Receipt(device, run, tuple(told[at : at + MAX_RANGES])) for at in range(0, len(told), MAX_RANGES)]
            del known.rows[:-MAX_RANGES]
        self._untold.clear()
        return out

    def _ranges(self, device: str, run: int) -> Ranges:
        """Ranges of the device's present run; only one run is kept, for a device that counts anew does not go back."""
        known = self._known.get(device)
        if known is None or known[0] != run:
            known = (run, Ranges())
            self._known[device] = known
        self._known.move_to_end(device)
        if len(self._known) > MAX_DEVICES:
            self._known.popitem(last=False)
        return known[1]


def _filled(told: list[Range], rows: list[Range]) -> list[Range]:
    """The newest known ranges beside those that must be told, if there is room: they heal receipts that were lost."""
    room = MAX_RANGES - len(told)
    if room <= 0:
        return told
    return sorted({*told, *rows[-room:]})
