"""The analyst: keeps the cube, recomputes what a change touched, and writes only what differs from what is stored.

Every figure is a pure function of the stored readings, the registry and the day, so the order of arrival cannot be seen in it.
What differs from what is stored is settled in :mod:`lanbi.settling`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from analytics import causes, cube
from analytics.air import years
from analytics.air.days import Days
from analytics.causes import Cell, Evidence
from analytics.cube import BACK
from analytics.jobs import attained, county, periods, stations
from analytics.jobs.columns import Column
from domain import air, civil
from domain.places import Registry
from domain.ports import ReadingSource
from domain.readings import Reading
from domain.targets import Plan
from lanbi.settling import Book, Figures, Settler, When

INSTANT_S: Final = 60
"""What an instantaneous value stands for where no device tells."""


class Touched(NamedTuple):
    """A site and the civil day on which something changed."""

    site: str
    day: int


class Analyst:
    """Figures of a county's air, year by year."""

    def __init__(self, source: ReadingSource, figures: Figures, registry: Registry, plans: Sequence[Plan]) -> None:
        self.source, self.registry, self.plans = source, registry, plans
        self.settler = Settler(figures)
        self.books: dict[int, Book] = {}
        self.pulse: Callable[[], None] = lambda: None

    @property
    def sites(self) -> tuple[str, ...]:
        """Every place with air values, ordered by id."""
        return tuple(sorted([*self.registry.air_stations, *self.registry.cities]))

    def load(self, year: int, now: int, cause: str) -> None:
        """Read a whole year from the store and bring its figures up to date; ``cause`` is why figures may differ from what is stored."""
        book = self.books[year] = Book(year)
        for site in self.sites:
            self.pulse()
            self._read(book, site)
        self._work(book, self.sites, now, Evidence(general=[cause] if cause else []))

    def refresh(self, touched: Iterable[Touched], now: int) -> None:
        """Read the touched site-days again and bring all figures that hang on them up to date."""
        by_year: defaultdict[int, set[Touched]] = defaultdict(set)
        for one in touched:
            if one.site in self.sites:
                for day in (one.day, one.day + BACK):
                    by_year[civil.year_of_day(day)].add(one)
        for year in sorted(by_year):
            if year not in self.books:
                self.load(year, now, away(by_year[year]))
                continue
            book, evidence = self.books[year], Evidence()
            for one in sorted(by_year[year]):
                evidence.cells += self._reread(book, one)
            self._work(book, sorted({one.site for one in by_year[year]}), now, evidence)
            if year + 1 in self.books and year + 1 not in by_year:
                self._targets(self.books[year + 1], 0, When(now, evidence, self.sites))

    def pass_time(self, now: int) -> None:
        """A day has begun or ended: running figures move on."""
        year = civil.year_of_day(civil.day_of(now))
        for open_year in {year, civil.year_of_day(civil.day_of(now) - 1)}:
            if open_year in self.books:
                self._work(self.books[open_year], self.sites, now, Evidence())
            else:
                self.load(open_year, now, "")

    def forget(self, keep: Sequence[int]) -> None:
        """Drop the books of years that nobody asks about; they come back when a late value does."""
        self.books = {year: book for year, book in self.books.items() if year in keep}

    def _read(self, book: Book, site: str) -> None:
        year = cube.empty(book.year)
        start, end = cube.bounds(year)
        cube.fill(year, self._accepted(site, start, end), lambda day: self._interval(site, day))
        book.sites[site] = year

    def _reread(self, book: Book, one: Touched) -> list[Cell]:
        """Fill a day anew; returns what differs."""
        year = book.sites[one.site]
        before = causes.keep(year, one.day)
        cube.clear(year, one.day)
        rows = self._accepted(one.site, civil.day_start(one.day), civil.day_end(one.day))
        cube.fill(year, rows, lambda day: self._interval(one.site, day))
        return causes.cells(one.site, before, year)

    def _accepted(self, site: str, start: int, end: int) -> Iterator[Reading]:
        """Stored rows of a site, without those that a device sent on trial."""
        for row in self.source.rows("air", [site], start, end):
            device = self.registry.device_of(site, civil.day_of(row.time))
            if device is None or device.state.on(civil.day_of(row.time)) != "trial":
                yield row

    def _interval(self, site: str, day: int) -> int:
        device = self.registry.device_of(site, day)
        return device.interval if device is not None else INSTANT_S

    def _work(self, book: Book, sites: Iterable[str], now: int, evidence: Evidence) -> None:
        at = stations.span(book.year, now)
        if not at.begun:
            return
        for site in sites:
            self.pulse()
            self.settler.columns(book, site, self._site(book, site, at), When(now, evidence, (site,)))
        names, member = county.members(self.registry, at.first, at.begun)
        if names:
            when = When(now, evidence, names)
            first = self.settler.columns(book, self.registry.county.id, self._county(book, names, member, at), when)
            self._targets(book, first, when)

    def _site(self, book: Book, site: str, at: stations.Span) -> list[Column]:
        year = book.sites[site]
        days = book.days[site] = stations.daily(year, at.begun)
        hours = year.hours[24 * BACK : 24 * (BACK + at.begun)]
        found = [*stations.hour_columns(site, at.first, hours), *stations.rolling_columns(site, year, at)]
        return [*found, *self._daily(book, site, days, at)]

    def _county(self, book: Book, names: tuple[str, ...], member: npt.NDArray[np.bool_], at: stations.Span) -> list[Column]:
        scope = self.registry.county.id
        for name in names:
            if name not in book.days:
                book.days[name] = stations.daily(book.sites[name], at.begun)
        days = county.daily([book.days[name] for name in names], member)
        hours = county.hourly(book.sites, names, member)
        return [*stations.hour_columns(scope, at.first, hours), *self._daily(book, scope, days, at, 24 * member.sum(axis=1))]

    def _daily(self, book: Book, scope: str, days: Days, at: stations.Span, expected: npt.NDArray[np.integer] | int = 24) -> list[Column]:
        verdicts = stations.judged(days)
        found = stations.day_columns(scope, days, verdicts, at, expected)
        both = years.under(days, [verdict.aqi for verdict in verdicts], at.first)
        for rules, running in zip(air.RULE_SETS, both, strict=True):
            found += [*stations.year_columns(scope, rules.name, running, at), *periods.columns(scope, rules, days, running, at)]
            if scope == self.registry.county.id:
                book.running[rules.name] = running
        return found

    def _targets(self, book: Book, first: int, when: When) -> None:
        """Attainment rows from the first changed day on."""
        at = stations.span(book.year, when.now)
        before = self.books.get(book.year - 1)
        for name, running in book.running.items():
            last = before.running.get(name) if before is not None else None
            case = attained.Case(self.registry.county.id, name, book.year, running, last)
            self.settler.rows(book, attained.rows(self.plans, case, first, min(at.closed, len(running))), when)


def away(touched: Iterable[Touched]) -> str:
    """Cause of what changed while nobody had the year in memory: known by site and day only."""
    days: defaultdict[str, set[int]] = defaultdict(set)
    for one in touched:
        days[one.site].add(one.day)
    parts = [f"{site} {civil.date_of(min(some))}{f'…{civil.date_of(max(some))}' if len(some) > 1 else ''}" for site, some in sorted(days.items())]
    more = f", +{len(parts) - causes.SHOWN}" if len(parts) > causes.SHOWN else ""
    return f"late: {', '.join(parts[: causes.SHOWN])}{more}" if parts else ""
