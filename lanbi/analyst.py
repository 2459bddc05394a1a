"""The analyst: keeps the cube, recomputes what a change touched, and writes only what differs from what is stored.

Every figure is a pure function of the stored readings, the registry and the day, so the order of arrival cannot be seen in it.
A closed figure that changes is restated first and written then; a crash in between repeats both and leaves one restatement.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from analytics import cube
from analytics.air import years
from analytics.air.days import Days
from analytics.cube import BACK, SiteYear
from analytics.jobs import attained, columns, county, periods, stations
from analytics.jobs.columns import Column, Tag
from domain import air, civil
from domain.indicators import Indicator, Query, Restatement
from domain.places import Registry
from domain.ports import IndicatorSink, IndicatorSource, ReadingSource
from domain.readings import Reading
from domain.targets import Plan

CLOSING_S: Final = civil.HOUR_S
"""A day is closed from 01:00 of the next day on: its last hour may come an hour late."""
INSTANT_S: Final = 60
"""What an instantaneous value stands for where no device tells."""
_MANY: Final = 10_000_000


class Figures(IndicatorSink, IndicatorSource, Protocol):
    """Both sides of the figures; analytics is their only writer."""


class Touched(NamedTuple):
    """A site and the civil day on which something changed."""

    site: str
    day: int


@dataclass
class Book:
    """What is known about one year: cubes, daily values, and the columns that are stored."""

    year: int
    sites: dict[str, SiteYear] = field(default_factory=dict)
    days: dict[str, Days] = field(default_factory=dict)
    columns: dict[Tag, Column] = field(default_factory=dict)
    targets: dict[tuple[Tag, int], Indicator] = field(default_factory=dict)
    running: dict[str, years.Running] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)


class Analyst:
    """Figures of a county's air, year by year."""

    def __init__(self, source: ReadingSource, figures: Figures, registry: Registry, plans: Sequence[Plan]) -> None:
        self.source, self.figures, self.registry, self.plans = source, figures, registry, plans
        self.books: dict[int, Book] = {}
        self.pulse: Callable[[], None] = lambda: None
        self.written = 0
        self.restated = 0

    @property
    def sites(self) -> tuple[str, ...]:
        """Every place with air values, ordered by id."""
        return tuple(sorted([*self.registry.air_stations, *self.registry.cities]))

    def load(self, year: int, now: int) -> None:
        """Read a whole year from the store and bring its figures up to date."""
        book = self.books[year] = Book(year)
        for site in self.sites:
            self.pulse()
            self._read(book, site)
        self._work(book, self.sites, now, "recomputed")

    def refresh(self, touched: Iterable[Touched], now: int, cause: str) -> None:
        """Read the touched site-days again and bring all figures that hang on them up to date."""
        by_year: defaultdict[int, set[Touched]] = defaultdict(set)
        for one in touched:
            if one.site in self.sites:
                for day in (one.day, one.day + BACK):
                    by_year[civil.year_of_day(day)].add(one)
        for year in sorted(by_year):
            if year not in self.books:
                self.load(year, now)
                continue
            book = self.books[year]
            for one in sorted(by_year[year]):
                self._reread(book, one)
            self._work(book, sorted({one.site for one in by_year[year]}), now, cause)
            if year + 1 in self.books and year + 1 not in by_year:
                self._targets(self.books[year + 1], 0, now, cause)

    def pass_time(self, now: int) -> None:
        """A day has begun or ended: running figures move on."""
        year = civil.year_of_day(civil.day_of(now))
        for open_year in {year, civil.year_of_day(civil.day_of(now) - 1)}:
            if open_year in self.books:
                self._work(self.books[open_year], self.sites, now, "time")
            else:
                self.load(open_year, now)

    def forget(self, keep: Sequence[int]) -> None:
        """Drop the books of years that nobody asks about; they come back when a late value does."""
        self.books = {year: book for year, book in self.books.items() if year in keep}

    def _read(self, book: Book, site: str) -> None:
        year = cube.empty(book.year)
        start, end = cube.bounds(year)
        cube.fill(year, self._accepted(site, start, end), lambda day: self._interval(site, day))
        book.sites[site] = year

    def _reread(self, book: Book, one: Touched) -> None:
        year = book.sites[one.site]
        cube.clear(year, one.day)
        rows = self._accepted(one.site, civil.day_start(one.day), civil.day_end(one.day))
        cube.fill(year, rows, lambda day: self._interval(one.site, day))

    def _accepted(self, site: str, start: int, end: int) -> Iterator[Reading]:
        """Stored rows of a site, without those that a device sent on trial."""
        for row in self.source.rows("air", [site], start, end):
            device = self.registry.device_of(site, civil.day_of(row.time))
            if device is None or device.state.on(civil.day_of(row.time)) != "trial":
                yield row

    def _interval(self, site: str, day: int) -> int:
        device = self.registry.device_of(site, day)
        return device.interval if device is not None else INSTANT_S

    def _work(self, book: Book, sites: Iterable[str], now: int, cause: str) -> None:
        at = stations.span(book.year, now)
        if not at.begun:
            return
        for site in sites:
            self.pulse()
            self._write(book, site, self._site(book, site, at), now, cause)
        names, member = county.members(self.registry, at.first, at.begun)
        if names:
            first = self._write(book, self.registry.county.id, self._county(book, names, member, at), now, cause)
            self._targets(book, first, now, cause)

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

    def _write(self, book: Book, scope: str, found: Sequence[Column], now: int, cause: str) -> int:
        """Write what differs; returns the first row of the running figures that does."""
        stored = self._stored(book, scope, found)
        rows: list[Indicator] = []
        said: list[Restatement] = []
        first = stations.span(book.year, now).closed
        for column in found:
            old = stored.get(column.tag)
            if old is not None:
                columns.carry(column, old)
            steps = columns.changed(column, old)
            restated = [step for step in steps if step.before is not None and _closed(column, step.place, now)]
            for step in restated:
                column.version[step.place] += 1
            said += _restatements(column, restated, now, cause)
            rows += [column.row(step.place, float(now)) for step in steps]
            if steps and column.tag.period == "ytd":
                first = min(first, steps[0].place)
            book.columns[column.tag] = column
        self._put(rows, said)
        return first

    def _put(self, rows: Sequence[Indicator], said: Sequence[Restatement]) -> None:
        if said:
            self.figures.restate(said)
        if rows:
            self.figures.put(rows)
        self.written += len(rows)
        self.restated += len(said)

    def _stored(self, book: Book, scope: str, found: Sequence[Column]) -> dict[Tag, Column]:
        """Columns that the store holds: remembered, or read the first time a scope's year is computed."""
        if scope in book.known:
            return book.columns
        book.known.add(scope)
        by_tag: defaultdict[Tag, list[Indicator]] = defaultdict(list)
        for row in self._history(book.year, scope):
            by_tag[Tag._make(row.key[:5])].append(row)
            if "." in row.figure:
                book.targets[Tag._make(row.key[:5]), row.time] = row
        return {column.tag: columns.stored(column, by_tag[column.tag]) for column in found if column.tag in by_tag}

    def _history(self, year: int, scope: str) -> list[Indicator]:
        first, last = civil.year_days(year)
        query = Query(scope=scope, basis=None, start=civil.day_start(first) - 1, end=civil.day_end(last), limit=_MANY)
        return [row for row in self.figures.series(query) if _belongs(row, year)]

    def _targets(self, book: Book, first: int, now: int, cause: str) -> None:
        """Attainment rows from the first changed day on."""
        at = stations.span(book.year, now)
        before = self.books.get(book.year - 1)
        rows: list[Indicator] = []
        said: list[Restatement] = []
        for name, running in book.running.items():
            last = before.running.get(name) if before is not None else None
            case = attained.Case(self.registry.county.id, name, book.year, running, last)
            for row in attained.rows(self.plans, case, first, min(at.closed, len(running))):
                self._settle(book, row, (now, cause), (rows, said))
        self._put(rows, said)

    def _settle(self, book: Book, row: Indicator, when: tuple[int, str], out: tuple[list[Indicator], list[Restatement]]) -> None:
        key = Tag._make(row.key[:5]), row.time
        old = book.targets.get(key)
        now, cause = when
        if old is not None and replace(row, computed=old.computed, version=old.version) == old:
            return
        closed = row.period == "year" and now >= civil.day_end(civil.day_of(row.time + 1)) + CLOSING_S
        version = old.version + 1 if old is not None and closed else (old.version if old is not None else 1.0)
        new = replace(row, computed=float(now), version=version)
        if old is not None and closed and (old.value, old.status) != (new.value, new.status):
            out[1].append(_restatement(new, old, now, cause))
        out[0].append(new)
        book.targets[key] = new


def _belongs(row: Indicator, year: int) -> bool:
    """Whether a stored row is of that year; an hour is named by its end, all others by the start of their last day."""
    day = civil.day_of(row.time) if row.period == "hour" else civil.day_of(row.time + 1)
    return civil.year_of_day(day) == year


def _closed(column: Column, place: int, now: int) -> bool:
    """Whether a change of this row has to be said: hours are never restated."""
    day = civil.day_of(int(column.time[place]) + 1)
    return column.tag.period != "hour" and now >= civil.day_end(day) + CLOSING_S


def _restatements(column: Column, steps: Sequence[columns.Step], now: int, cause: str) -> list[Restatement]:
    """One row a changed figure; a run of running figures changed by one cause is one row, that of its newest day."""
    chosen = steps[-1:] if column.tag.period == "ytd" else steps
    return [_restatement(column.row(step.place, 0.0), step.before, now, cause) for step in chosen if step.before is not None]


def _restatement(new: Indicator, old: Indicator, now: int, cause: str) -> Restatement:
    return Restatement(
        new.figure,
        new.period,
        new.scope,
        new.rule_set,
        new.basis,
        new.time,
        int(new.version),
        old.value,
        new.value,
        old.status,
        new.status,
        now,
        cause,
    )
