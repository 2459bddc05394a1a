"""Why figures changed: the readings that differ between two states of the cube, and their words for a restatement."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np

from analytics.cube import BACK, SiteYear
from domain import civil
from domain.fixed import MISSING
from domain.items import AIR, BY_REALM
from domain.restating import CAUSES

SHOWN: Final = 4
"""So many stretches of readings are named; the rest are counted."""
ORDER: Final = tuple(dict.fromkeys((*AIR, *BY_REALM["water"])))
"""Order in which items are named."""
_REVIEW: Final = frozenset("HR")
_WITHDRAWN: Final = "W"


class Cell(NamedTuple):
    """One value of the cube that changed: its site, end label [s], span [s], item, and the code of :data:`CAUSES` it stands for."""

    kind: str
    site: str
    time: int
    span: int
    item: str


class Before(NamedTuple):
    """A civil day of a site's year as it was, for comparison."""

    day: int
    hours: SiteYear


def keep(site: SiteYear, day: int) -> Before:
    """Copy of a day before it is filled again; the arrays hold this day only."""
    place = day - site.first
    rows = slice(24 * (place + BACK), 24 * (place + BACK + 1))
    days = site.days[place : place + 1] if place >= 0 else site.days[:0]
    return Before(day, SiteYear(day, site.hours[rows].copy(), days.copy(), site.lost[rows].copy()))


def cells(name: str, before: Before, site: SiteYear) -> list[Cell]:
    """What changed on a day since ``before`` was kept."""
    now = keep(site, before.day).hours
    old = before.hours
    found = []
    for hour, place in np.argwhere(old.hours != now.hours).tolist():
        label = civil.day_start(before.day) + civil.HOUR_S * (hour + 1)
        found.append(Cell(_kind(old, now, (hour, place)), name, label, civil.HOUR_S, AIR[place]))
    for _, place in np.argwhere(old.days != now.days).tolist():
        kind = "late" if old.days[0, place] == MISSING else "correction"
        found.append(Cell(kind, name, civil.day_end(before.day), civil.DAY_S, AIR[place]))
    return found


def _kind(old: SiteYear, new: SiteYear, cell: tuple[int, int]) -> str:
    was, now = old.hours[cell] != MISSING, new.hours[cell] != MISSING
    if was and now:
        # Another minute of an hour that is built of minutes completes it and corrects nothing.
        return "late" if old.built[cell] and new.built[cell] else "correction"
    letter = chr(int((old if now else new).lost[cell]))
    if letter in _REVIEW:
        return "review"
    if letter.isalpha() and letter != _WITHDRAWN:
        return "flag"
    return "late" if now else "correction"


@dataclass
class Evidence:
    """Everything that led to one recomputation.

    Attributes
    ----------
    cells : list of Cell
        Values of the cube that changed.
    general : list of str
        Causes that are no readings, each ``code: words``: a registry, a rule, a list of days.
    """

    cells: list[Cell] = field(default_factory=list)
    general: list[str] = field(default_factory=list)
    _told: dict[tuple[object, ...], str] = field(default_factory=dict, repr=False, compare=False)

    def text(self, figure: str, sites: Collection[str], start: int, end: int) -> str:
        """Cause of a figure's change: only readings that enter it are named, as far as there are any.

        Parameters
        ----------
        figure : str
            A figure of one item is explained by that item's readings alone.
        sites : collection of str
            Places that the figure is made of.
        start, end : int [s]
            Readings with start < time ≤ end enter it.
        """
        item = figure.partition("_")[0]
        # Many figures of a period have one cause; the lists only grow, so their lengths say which state of them was told.
        key = item if item in ORDER else "", tuple(sites), start, end, len(self.cells), len(self.general)
        if key not in self._told:
            self._told[key] = self._cause(item, sites, start, end)
        return self._told[key]

    def _cause(self, item: str, sites: Collection[str], start: int, end: int) -> str:
        near = [cell for cell in self.cells if cell.site in sites and start < cell.time <= end]
        own = [cell for cell in near if item not in ORDER or cell.item == item]
        return "; ".join([*self.general, *_words(own or near or (() if self.general else self.cells))])


def _words(found: Iterable[Cell]) -> list[str]:
    """Stretches of changed values by cause, in the order of :data:`CAUSES`."""
    groups: defaultdict[tuple[str, str, int, tuple[str, ...]], list[int]] = defaultdict(list)
    by_time: defaultdict[tuple[str, str, int, int], list[str]] = defaultdict(list)
    for cell in sorted(found):
        by_time[cell.kind, cell.site, cell.span, cell.time].append(cell.item)
    for (kind, site, span, time), items in by_time.items():
        groups[kind, site, span, tuple(item for item in ORDER if item in items)].append(time)
    words: defaultdict[str, list[str]] = defaultdict(list)
    for (kind, site, span, several), times in groups.items():
        words[kind] += [f"{site} {'+'.join(several)} {_stretch(run, span)}" for run in _runs(times, span)]
    return [f"{kind}: {_some(words[kind])}" for kind in CAUSES if kind in words]


def _some(parts: Sequence[str]) -> str:
    more = f", +{len(parts) - SHOWN}" if len(parts) > SHOWN else ""
    return ", ".join(parts[:SHOWN]) + more


def _runs(times: Sequence[int], span: int) -> list[list[int]]:
    runs = [[times[0]]]
    for before, time in pairwise(times):
        if time - before == span:
            runs[-1].append(time)
        else:
            runs.append([time])
    return runs


def _stretch(run: Sequence[int], span: int) -> str:
    if span == civil.DAY_S:
        first, last = (civil.date_of(civil.day_of(time)).isoformat() for time in (run[0], run[-1]))
    else:
        first, last = (civil.iso(time)[:16] for time in (run[0], run[-1]))
    return first if len(run) == 1 else f"{first}…{last}"
