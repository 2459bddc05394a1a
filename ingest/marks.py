"""Which rows a walk over the journal has met and found right: one bit a second, so that memory grows with series and hours. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from domain.readings import Key

HOUR: Final = 3_600
MOST: Final = 300_000
"""Hours of series kept, about 70 MB; beyond them rows that nobody sent cannot be told any more."""

Series = tuple[str, str, int]
"""Table, source, span."""


@dataclass(slots=True)
class Bits:
    """Seconds of one hour of one series: met in the journal, found as the journal says, found missing, in doubt."""

    met: int = 0
    right: int = 0
    missing: int = 0
    doubt: int = 0


@dataclass
class Marks:
    """Bits of all series.

    Attributes
    ----------
    full : bool
        More hours than are kept: what is not marked was perhaps met all the same.
    """

    most: int = MOST
    full: bool = False
    hours: int = 0
    _book: dict[Series, dict[int, Bits]] = field(default_factory=dict)

    def at(self, key: Key) -> tuple[Bits, int]:
        """Bits of a row's hour, and the row's own bit."""
        hour, second = divmod(key.time, HOUR)
        series = self._book.setdefault(key[:3], {})
        bits = series.get(hour)
        if bits is None:
            bits = Bits()
            if self.hours < self.most:
                series[hour] = bits
                self.hours += 1
            else:
                self.full = True
        return bits, 1 << second

    def met(self, key: Key) -> bool:
        """Whether a row was met in the journal."""
        bits = self._book.get(key[:3], {}).get(key.time // HOUR)
        return bits is not None and bool(bits.met >> key.time % HOUR & 1)

    def doubtful(self, *, also_missing: bool) -> Iterator[Key]:
        """Rows that were met and not found right; missing ones only if asked for."""
        for series, hours in self._book.items():
            for hour, bits in hours.items():
                left = bits.met & ~bits.right | bits.doubt
                left &= ~0 if also_missing else ~bits.missing
                for second in _ones(left):
                    yield Key(*series, hour * HOUR + second)


def _ones(bits: int) -> Iterator[int]:
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest
