"""Bases: the same site-year as it was measured, as it was reviewed, and without the particulates of sand-dust events.

Marks and reviews lie over the cube and never change a reading. ``raw`` is what was sent, without what a person held or rejected;
``reviewed`` has the reviewed values where there are any, else the raw ones; ``dust-excluded`` is the reviewed one (raw where nothing
was reviewed) without PM2.5 and PM10 in the listed periods.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from analytics import cube
from analytics.cube import BACK, SiteYear
from domain import civil, marks
from domain.fixed import MISSING
from domain.items import AIR, DAILY
from domain.marks import Cell, Span
from domain.places import Registry
from domain.readings import Entry

RAW: Final = "raw"
REVIEWED: Final = "reviewed"
DUST: Final = "dust-excluded"
_X: Final = ord("X")
_OUT: Final = (ord("H"), ord("R"))
_IS_PM: Final = np.array([item in marks.PARTICLES for item in AIR])

Letters = npt.NDArray[np.uint8]


class View(NamedTuple):
    """A site-year on one basis.

    Attributes
    ----------
    year : SiteYear
    decided : (d, 6) bool or None
        Daily values that a review gave, whatever the hours say.
    values : (d, 6) int32 [thousandths] or None
        Those values; ``MISSING`` = taken out.
    touched : (d,) bool or None
        Days with an hour that was excluded.
    """

    year: SiteYear
    decided: npt.NDArray[np.bool_] | None = None
    values: npt.NDArray[np.int32] | None = None
    touched: npt.NDArray[np.bool_] | None = None


@dataclass(frozen=True)
class Marks:
    """Everything entered about the places, in the order of its receipt.

    Attributes
    ----------
    spans : mapping of site to list of Span
        Dust periods and people's marks.
    cells : mapping of (site, year) to list of Cell
        Reviewed values by the year that they fall in.
    """

    spans: Mapping[str, Sequence[Span]] = field(default_factory=dict)
    cells: Mapping[tuple[str, int], Sequence[Cell]] = field(default_factory=dict)


def read(entries: Iterable[Entry], registry: Registry) -> Marks:
    """Marks out of what was entered; entries of other kinds, and those that cannot be meant, say nothing."""
    spans: defaultdict[str, list[Span]] = defaultdict(list)
    cells: defaultdict[tuple[str, int], list[Cell]] = defaultdict(list)
    for entry in sorted(entries, key=_receipt):
        if entry.kind in {marks.DUST, marks.MARK} and not marks.fault(entry.kind, entry.body):
            span = marks.span(entry.kind, entry.body, registry)
            for site in span.sites:
                spans[site].append(span)
        elif entry.kind == marks.REVIEWED and not marks.fault(entry.kind, entry.body):
            for cell in marks.cells(entry.body):
                cells[cell.site, civil.year_of_day(civil.day_of(cell.time))].append(cell)
    return Marks(spans, cells)


def _receipt(entry: Entry) -> tuple[int, int, str]:
    return entry.received_ns, len(entry.id), entry.id


def letters(known: Marks, site: str, year: SiteYear) -> Letters | None:
    """Letter of the mark on each hour and item (0 = none), the later one over the earlier; None where nothing was ever marked.

    Returns
    -------
    (24·(BACK + d), 6) uint8
    """
    here = _spans(known, site, year)
    if not here:
        return None
    start = cube.bounds(year)[0]
    found = np.zeros(year.hours.shape, np.uint8)
    for span in here:
        rows = slice(max(0, _row(span.start, start)), max(0, _row(span.end, start)))
        columns = [AIR.index(item) for item in span.items]
        found[rows, columns] = 0 if span.flag == "N" else ord(span.flag)
    return found


def placed(spans: Sequence[Span], time: npt.NDArray[np.int64], names: Sequence[str]) -> Letters:
    """Letter of the mark on each value of a table of readings, the later one over the earlier; 0 = none, also where N took one back.

    Parameters
    ----------
    time : (n,) int64 [s]
        End labels, ascending.
    names : sequence of str
        Items of the columns.

    Returns
    -------
    (n, k) uint8
    """
    found = np.zeros((len(time), len(names)), np.uint8)
    for span in spans:
        rows = slice(*time.searchsorted([span.start, span.end], side="right").tolist())
        found[rows, [names.index(item) for item in span.items if item in names]] = 0 if span.flag == "N" else ord(span.flag)
    return found


def out(letters: Letters) -> npt.NDArray[np.bool_]:
    """Whether a mark takes a value out: held or rejected."""
    return np.isin(letters, _OUT)


def listed(known: Marks, site: str, year: SiteYear) -> bool:
    """Whether dust was ever listed for a site's year, also if a mark took it back: then both figures are reported."""
    return any(span.flag == "X" for span in _spans(known, site, year))


def _spans(known: Marks, site: str, year: SiteYear) -> list[Span]:
    spans = known.spans.get(site)
    if not spans:
        return []
    start, end = cube.bounds(year)
    return [span for span in spans if span.start < end and span.end > start]


def _row(label: int, start: int) -> int:
    """Rows of hours before the one that follows a label; a label inside an hour keeps that hour out."""
    return (label - start) // civil.HOUR_S


def hold(year: SiteYear, found: Letters) -> None:
    """Take out of a filled site-year what a person held or rejected; a published day goes when all its hours do."""
    gone = out(found)
    there = gone & (year.hours != MISSING)
    year.lost[there] = found[there]
    year.hours[gone] = MISSING
    whole = gone[24 * BACK :].reshape(len(year.days), 24, len(AIR)).all(axis=1)
    year.days[whole] = MISSING


def reviewed(known: Marks, site: str, year: SiteYear) -> View | None:
    """The site-year with its reviewed values; None where nothing of it was reviewed."""
    first = civil.year_of_day(year.first)
    cells = [*known.cells.get((site, first - 1), ()), *known.cells.get((site, first), ())]
    if not cells:
        return None
    start, end = cube.bounds(year)
    here = [cell for cell in cells if start < cell.time <= end]
    if not any(cell.time > civil.day_start(year.first) for cell in here):
        return None
    hours, lost = year.hours.copy(), year.lost.copy()
    decided, values = np.zeros(year.days.shape, bool), np.full(year.days.shape, MISSING, np.int32)
    for cell in here:
        row = _row(cell.time, start) - 1
        if cell.span == civil.HOUR_S:
            hours[row, AIR.index(cell.item)], lost[row, AIR.index(cell.item)] = cell.value, 0
        elif row >= 24 * BACK:
            place = row // 24 - BACK, DAILY.index(cell.item)
            decided[place], values[place] = True, cell.value
    return View(year._replace(hours=hours, lost=lost), decided, values)


def without_dust(view: View, found: Letters) -> View:
    """A view without particulates in the hours marked X; a day that came as a day loses them if any hour is marked."""
    dusty = ((found == _X) & _IS_PM).any(axis=1)
    touched = dusty[24 * BACK :].reshape(-1, 24).any(axis=1)
    hours, days = view.year.hours.copy(), view.year.days.copy()
    hours[dusty[:, None] & _IS_PM] = MISSING
    days[touched[:, None] & _IS_PM] = MISSING
    values = view.values
    if values is not None:
        values = np.where(touched[:, None] & _IS_PM, MISSING, values).astype(np.int32)
    return View(view.year._replace(hours=hours, days=days), view.decided, values, touched)
