"""A scope's year on all its bases: daily values, their verdicts, and the columns of figures that hang on them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from analytics import bases
from analytics.air import days as air_days
from analytics.air import displayed, dust, years
from analytics.air.days import Days
from analytics.air.hours import Seen
from analytics.bases import DUST, RAW, REVIEWED, Marks, View
from analytics.cube import BACK, SiteYear
from analytics.jobs import county, periods, stations
from analytics.jobs.sheets import Sheet
from analytics.jobs.stations import Again, Span
from domain import air

Rows = npt.NDArray[np.bool_]
Expected = npt.NDArray[np.integer] | int


class Known(NamedTuple):
    """Daily values of a scope on its bases.

    Attributes
    ----------
    raw : Days
    reviewed : Days or None
        None where nothing of the year was reviewed.
    kept : Days or None
        Without the particulates of dust hours; None where no dust was ever listed for the year.
    touched : (d,) bool or None
        Days with an excluded hour.
    """

    raw: Days
    reviewed: Days | None = None
    kept: Days | None = None
    touched: Rows | None = None

    @property
    def best(self) -> Days:
        """The reviewed values where there are any, else the raw ones."""
        return self.raw if self.reviewed is None else self.reviewed


def site(year: SiteYear, marks: Marks, name: str, begun: int, again: Again | None = None) -> Known:
    """Daily values of a station or city of the days that have begun."""
    raw = stations.daily(year, begun, again)
    view = bases.reviewed(marks, name, year)
    letters = bases.letters(marks, name, year) if bases.listed(marks, name, year) else None
    reviewed = None if view is None else _viewed(view, begun)
    if letters is None:
        return Known(raw, reviewed)
    clean = bases.without_dust(view or View(year), letters)
    touched = clean.touched[:begun] if clean.touched is not None else np.zeros(begun, bool)
    return Known(raw, reviewed, _viewed(clean, begun) if touched.any() else raw if reviewed is None else reviewed, touched)


def sheets(year: SiteYear, marks: Marks, name: str, at: Span, again: Again | None = None) -> tuple[Known, list[Sheet]]:
    """Everything that is stored of a station's year: hours, days, running figures and closed periods on all its bases, and its daily values."""
    known, hours = site(year, marks, name, at.begun, again), year.hours[24 * BACK : 24 * (BACK + at.begun)]
    found = [*stations.hour_sheets(name, at.first, hours, again), *stations.rolling_sheets(name, year, at, again)]
    return known, [*found, *(sheet for basis in figures(name, known, at) for sheet in basis.sheets)]


def _viewed(view: View, begun: int) -> Days:
    """Daily values of a view; a reviewed day decides whatever its hours say."""
    days = stations.daily(view.year, begun)
    if view.decided is None or view.values is None or not view.decided.any():
        return days
    rows, columns = np.nonzero(view.decided[:begun])
    place = rows, columns
    given = air_days.published(view.values[:begun])
    hours = np.where(given.shown[place] < 0, 0, given.hours[place])
    air_days.put(days, place, Days(given.exact[place], given.parts[place], hours, given.shown[place]))
    return days


def city(members: Sequence[Known], member: Rows) -> Known:
    """Daily values of the county from its stations' on the same basis, each basis as soon as one station has it.

    Parameters
    ----------
    members : sequence of Known
        Stations, in the order of ``member``'s columns.
    member : (d, n) bool
    """
    raw = county.daily([one.raw for one in members], member)
    reviewed = None if all(one.reviewed is None for one in members) else county.daily([one.best for one in members], member)
    if all(one.touched is None for one in members):
        return Known(raw, reviewed)
    touched = np.zeros(len(member), bool)
    for place, one in enumerate(members):
        if one.touched is not None:
            touched |= one.touched & member[:, place]
    kept = raw if reviewed is None else reviewed
    if touched.any():
        kept = county.daily([one.best if one.kept is None else one.kept for one in members], member)
    return Known(raw, reviewed, kept, touched)


class Basis(NamedTuple):
    """Figures of a scope on one basis: its sheets, and a city's running years under both rule sets."""

    name: str
    sheets: list[Sheet]
    running: tuple[years.Running, ...]


def figures(scope: str, known: Known, at: Span, expected: Expected | None = None) -> Iterator[Basis]:
    """Sheets of days, running years and closed periods on every basis that a scope has; ``expected`` are the hours of a city's full days."""
    seen = stations.judged(known.raw)
    raw = best = _basis(scope, known.raw, seen, at, expected)
    yield raw
    if known.reviewed is not None:
        seen = stations.judged(known.reviewed)
        best = _renamed(_basis(scope, known.reviewed, seen, at, expected), REVIEWED)
        yield best
    if known.kept is None or known.touched is None:
        return
    if not known.touched.any():
        yield _renamed(best, DUST)
        return
    clean = dust.judged(known.kept, stations.judged(known.kept), seen, known.touched)
    yield _renamed(_basis(scope, known.kept, clean, at, expected), DUST)


def _renamed(basis: Basis, name: str) -> Basis:
    return Basis(name, [one.on(name) for one in basis.sheets], basis.running)


def _basis(scope: str, days: Days, seen: Seen, at: Span, expected: Expected | None) -> Basis:
    running: tuple[years.Running, ...] = ()
    if expected is None:
        made = displayed.of_station(days, seen, at.first, min(len(seen.items), at.closed))
    else:
        running = years.under(days, tuple(seen.aqi), at.first)
        made = displayed.of(running, seen.shown, air.RULE_SETS, min(len(seen.items), at.closed))
    found = stations.day_sheets(scope, seen, at, 24 if expected is None else expected)
    return Basis(RAW, [*found, *stations.year_sheets(scope, stations.NAMES, made, at), *periods.sheets(scope, stations.NAMES, made, at)], running)
