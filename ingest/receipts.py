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
MAX_DEVICES: Final = 16_384
"""More than a county has. Forged ids must not eat memory: the longest silent device is forgotten, and re-sends if it cares."""

Range = tuple[int, int]
_new: Final = tuple.__new__


class Receipt(NamedTuple):
    """Numbers of one run of a device that are durable."""

    device: str
    run: int
    ranges: tuple[Range, ...]


@dataclass
class Ranges:
    """A set of numbers as sorted, disjoint, non-adjacent ranges."""

    rows: list[Range] = field(default_factory=list)

    def add(self, low: int, high: int) -> None:
        """Put the numbers from low to high in; neighbours grow together."""
        first = bisect_right(self.rows, (low, -1))
        if first and self.rows[first - 1][1] >= low - 1:
            first -= 1
            low = self.rows[first][0]
        last = first
        while last < len(self.rows) and self.rows[last][0] <= high + 1:
            high = max(high, self.rows[last][1])
            last += 1
        self.rows[first:last] = [(low, high)]

    def covering(self, numbers: Iterable[int]) -> list[Range]:
        """Ranges that hold these numbers, sorted."""
        found = {self.rows[bisect_right(self.rows, (number, 2**62)) - 1] for number in numbers}
        return sorted(found)


@dataclass
class Receipts:
    """Durable numbers per device and run, and what each device has still to be told."""

    _known: OrderedDict[str, tuple[int, Ranges]] = field(default_factory=OrderedDict)
    _untold: dict[str, list[tuple[int, int]]] = field(default_factory=dict)

    def durable(self, device: str, numbers: Iterable[tuple[int, int]]) -> None:
        """These (run, seq) of a device are on disk."""
        waiting = self._untold.get(device)
        if waiting is None:
            self._untold[device] = list(numbers)
        else:
            waiting += numbers

    def due(self) -> list[Receipt]:
        """Receipts to publish now, at most 32 ranges each; afterwards nobody waits for one."""
        out: list[Receipt] = []
        known_runs = self._known
        for device, numbers in self._untold.items():
            if len(numbers) == 1 and device in known_runs:
                # One more number behind the last, as nearly every device of thousands has it.
                ((run, seq),) = numbers
                present, ranges = known_runs[device]
                rows = ranges.rows
                if run == present and rows[-1][1] + 1 == seq and len(rows) <= MAX_RANGES:
                    rows[-1] = (rows[-1][0], seq)
                    known_runs.move_to_end(device)
                    out.append(_new(Receipt, (device, run, tuple(rows))))
                    continue
            runs: dict[int, list[int]] = {}
            for run, seq in numbers:
                runs.setdefault(run, []).append(seq)
            for run, seqs in runs.items():
                known = self._ranges(device, run)
                said = _joined(seqs) if len(seqs) > 1 else [(seqs[0], seqs[0])]
                for low, high in said:
                    known.add(low, high)
                if len(known.rows) <= MAX_RANGES:
                    out.append(Receipt(device, run, tuple(known.rows)))
                    continue
                told = _filled(known.covering(low for low, _ in said), known.rows)
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


def _joined(numbers: Iterable[int]) -> list[Range]:
    """Numbers in any order as ranges."""
    rows: list[Range] = []
    low = high = -2
    for number in sorted(numbers):
        if number > high + 1:
            rows.append((low, high))
            low = number
        high = number
    return [*rows[1:], (low, high)]


def _filled(told: list[Range], rows: list[Range]) -> list[Range]:
    """The newest known ranges beside those that must be told, if there is room: they heal receipts that were lost."""
    room = MAX_RANGES - len(told)
    if room <= 0:
        return told
    return sorted({*told, *rows[-room:]})
