"""The desk of permit points: keeps their days, and settles their figures, what exceeded as events, and how many are supervised."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from analytics import bases, points
from analytics.causes import Evidence
from analytics.jobs import points as jobs
from analytics.jobs import stations
from analytics.points import Hours, PointDay
from domain import civil, marks, permit
from domain.indicators import Query
from domain.places import Registry
from domain.ports import Entries, ReadingSource
from domain.targets import Plan
from lanbi.desks import YearDesk
from lanbi.metering import cause_of
from lanbi.settling import Book, Settler, When
from lanbi.singles import MANY, Singles
from lanbi.telling import Teller


class Source(ReadingSource, Entries, Protocol):
    """Readings, and what people entered about them."""


@dataclass
class PointBook:
    """What is known of one year of permit points."""

    singles: Singles
    teller: Teller
    hours: dict[str, dict[int, Hours]] = field(default_factory=dict)
    days: dict[str, dict[int, PointDay]] = field(default_factory=dict)
    hour: int = -1


class PointDesk(YearDesk[PointBook]):
    """Figures of permit points, year by year."""

    def __init__(self, source: Source, settler: Settler, registry: Registry, plans: Sequence[Plan]) -> None:
        super().__init__()
        self.source, self.settler, self.registry, self.plans = source, settler, registry, plans
        self.marks: bases.Marks = bases.Marks()

    def load(self, year: int, now: int, cause: str) -> None:
        """Read a whole year of every point and bring its figures up to date."""
        if not self.registry.points or civil.year_days(year)[0] > civil.day_of(now):
            return
        self._learn()
        first, last = civil.year_days(year)
        said = self.settler.figures.event_rows(civil.day_start(first), civil.day_end(last) + len(points.NAMES) * 2, MANY)
        known = self.books[year] = PointBook(Singles(Book(year)), Teller(self.settler.figures, (row for row in said if row.kind == jobs.OVER)))
        for name in self.registry.points:
            self.pulse()
            known.hours[name] = self._hours(name, first, last)
            self._recall(known, name)
        self._recall(known, self.registry.county.id, county=True)
        self._settle(year, self.registry.points, When(now, Evidence(general=[cause] if cause else []), ()))

    def refresh(self, touched: Iterable[tuple[str, int]], now: int) -> None:
        """Read touched days of points again; a new mark is about whole points."""
        days: defaultdict[str, set[int]] = defaultdict(set)
        for site, day in touched:
            if site in self.registry.points or site == marks.signal(marks.MARK):
                days[site].add(day)
        if days.pop(marks.signal(marks.MARK), None):
            self._learn()
        for year in sorted({civil.year_of_day(day) for some in days.values() for day in some}):
            if year not in self.books:
                self.load(year, now, cause_of(days))
                continue
            for name, some in days.items():
                for day in (day for day in some if civil.year_of_day(day) == year):
                    self.books[year].hours[name].pop(day, None)
                    self.books[year].hours[name] |= self._hours(name, day, day)
            self._settle(year, days, When(now, Evidence(general=[cause_of(days)]), tuple(days)))

    def _behind(self, year: int, now: int) -> bool:
        return self.books[year].hour != now // civil.HOUR_S

    def _move(self, year: int, when: When) -> None:
        self._settle(year, self.registry.points, when)

    def _learn(self) -> None:
        self.marks = bases.read(self.source.entered(marks.MARK), self.registry)

    def _hours(self, name: str, first: int, last: int) -> dict[int, Hours]:
        """Hours by civil day, without those of days on which the device was on trial."""
        known = self.source.columns(points.REALM, name, civil.day_start(first), civil.day_end(last))
        device = self.registry.device_of(name, last)
        whole = points.hours(known, device.interval if device else civil.HOUR_S, self.marks.spans.get(name, ()))
        days = civil.day_of_array(whole.time)
        found = {}
        for day in sorted(set(days.tolist())):
            rows = days == day
            if not self.registry.on_trial(name, day):
                found[day] = Hours(whole.time[rows], whole.values[rows], whole.flags[rows])
        return found

    def _recall(self, known: PointBook, scope: str, *, county: bool = False) -> None:
        figures = (jobs.SUPERVISION, jobs.TARGET, f"{jobs.TARGET}.state") if county else (jobs.HOURS, jobs.DAYS, jobs.MULTIPLE, jobs.CAPTURE, jobs.MARKED)
        for figure in figures:
            for row in known.singles.stored(self.settler, Query(figure, scope, rule_set=permit.RULE_SET)):
                known.singles.hold(scope, row)

    def _settle(self, year: int, names: Iterable[str], when: When) -> None:
        known, at = self.books[year], stations.span(year, when.now)
        known.hour = when.now // civil.HOUR_S
        for name in names:
            self.pulse()
            place = self.registry.points[name]
            days = known.days[name] = self._days(known, name, (at.first, at.begun), when.now)
            known.singles.settle(self.settler, name, jobs.rows(place, year, days, at.closed), when._replace(sites=(name,)))
            self._tell(known, name)
        county = jobs.County(self.registry.county.id, year, self.registry.points, known.days, at.closed)
        known.singles.settle(self.settler, county.scope, jobs.county_rows(county, self.plans), when._replace(sites=tuple(self.registry.points)))

    def _tell(self, known: PointBook, name: str) -> None:
        known.teller.tell(jobs.events(self.registry.points[name], known.days[name]), lambda event: event.source == name)

    def _days(self, known: PointBook, name: str, span: tuple[int, int], now: int) -> dict[int, PointDay]:
        """Every day of the year that has begun; nothing is due while no accepted device speaks for the point."""
        place, first = self.registry.points[name], span[0]
        found = {}
        for day in range(first, first + span[1]):
            hours = known.hours[name].get(day, points.NOTHING)
            serving = self.registry.device_of(name, day)
            due = min(24, (now - civil.day_start(day)) // civil.HOUR_S) if serving is not None and serving.state.on(day) == "accepted" else 0
            if due or len(hours.time):
                found[day] = points.judged(hours, points.limits_on(place, day), day, max(due, len(hours.time)))
        return found
