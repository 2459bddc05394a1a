"""The cube: a site's year of hours as int32 thousandths.

The year carries the last day of the year before, for windows that reach back. It is filled by :mod:`analytics.filling`.
"""

from __future__ import annotations

import mmap
import zlib
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from analytics.kernels import layout as kernel
from domain import civil, fixed
from domain.items import AIR

BACK: Final = 5
"""Days kept before the first of January: a stretch of heavy pollution over New Year keeps its length (four days at most are asked for)."""
SHORT: Final = ord("-")
"""Mark of an hour of which less than 45 minutes were there."""
BUILT: Final = ord("+")
"""Mark of an hour that is there and was made of shorter spans; no flag of a device is a sign."""


class SiteYear(NamedTuple):
    """A site's year.

    Attributes
    ----------
    first : int
        Civil day of the first of January.
    hours : (24·(BACK + d), 6) int32 [thousandths of the reporting unit]
        Hours 1…24 of each day, ``BACK`` days before ``first`` included; ``MISSING`` = no valid hour.
    days : (d, 6) int32 [thousandths]
        Daily values that were sent or published as such (span 86,400).
    lost : (24·(BACK + d), 6) uint8
        Why an hour is missing although something was stored: the letter of its flag (ASCII; W = withdrawn), or ``SHORT``. Of an hour
        that is there ``BUILT``, or 0: one byte says both, for an hour that was built is not lost.
    """

    first: int
    hours: npt.NDArray[np.int32]
    days: npt.NDArray[np.int32]
    lost: npt.NDArray[np.uint8]

    @property
    def built(self) -> npt.NDArray[np.bool_]:
        """(24·(BACK + d), 6) bool, made anew each time: whether the hour was made of shorter spans."""
        built: npt.NDArray[np.bool_] = self.lost == BUILT
        return built


def empty(year: int) -> SiteYear:
    """A year without readings."""
    first, last = civil.year_days(year)
    count = last - first + 1
    rows = 24 * (count + BACK)
    hours = np.full((rows, len(AIR)), fixed.MISSING, np.int32)
    return SiteYear(first, hours, np.full((count, len(AIR)), fixed.MISSING, np.int32), _unwritten(rows, len(AIR)))


def _unwritten(rows: int, columns: int) -> npt.NDArray[np.uint8]:
    """Bytes that are 0, in pages that take memory only when they are written: of most hours nothing is lost."""
    room = mmap.mmap(-1, rows * columns, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    return np.frombuffer(room, np.uint8).reshape(rows, columns)


def bounds(site: SiteYear) -> tuple[int, int]:
    """Start (excluded) and end (included) of the labels that belong to a site's year [s]."""
    return civil.day_start(site.first - BACK), civil.day_start(site.first + len(site.days))


def bare(site: SiteYear) -> bool:
    """Whether nothing was ever heard of a site's year: no value, nothing refused, held or too short."""
    return bool((site.hours == fixed.MISSING).all() and not site.lost.any() and (site.days == fixed.MISSING).all())


def has_built(site: SiteYear) -> bool:
    """Whether any hour of a site's year was made of shorter spans."""
    return bool(kernel.holds(site.lost.reshape(-1), BUILT))


def clear(site: SiteYear, day: int) -> None:
    """Forget a civil day, before it is filled again."""
    place = day - site.first
    if -BACK <= place < len(site.days):
        rows = slice(24 * (place + BACK), 24 * (place + BACK + 1))
        site.hours[rows] = fixed.MISSING
        if site.lost[rows].any():
            site.lost[rows] = 0
    if 0 <= place < len(site.days):
        site.days[place] = fixed.MISSING


class Cubes(MutableMapping[str, SiteYear]):
    """Site-years of one year, by site; those of a year that is over can be folded, and unfold where they are asked for."""

    def __init__(self) -> None:
        self._open: dict[str, SiteYear] = {}
        self._folded: dict[str, tuple[int, list[bytes]]] = {}

    def fold(self) -> None:
        """Keep everything in a third of its memory or less; nothing is lost."""
        for site, one in self._open.items():
            # Item by item and byte by byte: the high bytes of neighbouring hours are alike.
            planes = one.hours.T.copy().view(np.uint8).reshape(-1, 4).T
            parts = (planes, one.days, one.lost.T)
            self._folded[site] = one.first, [zlib.compress(np.ascontiguousarray(part).tobytes(), 1) for part in parts]
        self._open = {}

    def __getitem__(self, site: str) -> SiteYear:
        if site in self._folded:
            self._open[site] = _unfolded(*self._folded.pop(site))
        return self._open[site]

    def __setitem__(self, site: str, one: SiteYear) -> None:
        self._folded.pop(site, None)
        self._open[site] = one

    def __delitem__(self, site: str) -> None:
        del (self._folded if site in self._folded else self._open)[site]

    def __iter__(self) -> Iterator[str]:
        yield from [*self._open, *self._folded]

    def __len__(self) -> int:
        return len(self._open) + len(self._folded)


def _unfolded(first: int, parts: list[bytes]) -> SiteYear:
    planes, days, lost = (np.frombuffer(zlib.decompress(part), np.uint8) for part in parts)
    hours = np.ascontiguousarray(planes.reshape(4, -1).T).view(np.int32).reshape(len(AIR), -1)
    gone = np.ascontiguousarray(lost.reshape(len(AIR), -1).T)
    return SiteYear(first, np.ascontiguousarray(hours.T), days.view(np.int32).reshape(-1, len(AIR)).copy(), gone)


def digest(sites: Mapping[str, SiteYear]) -> bytes:
    """All cells of some sites as bytes: equal for equal contents, whatever the order in which they arrived."""
    return b"".join(name.encode() + site.hours.tobytes() + site.days.tobytes() + site.lost.tobytes() for name, site in sorted(sites.items()))
