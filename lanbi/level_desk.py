"""The desk of water levels: sections against warning and guarantee, wells against their lowest level and their own last year."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from analytics.causes import Evidence
from analytics.jobs import levels as jobs
from analytics.jobs import stations
from analytics.jobs.levels import Gauge
from analytics.water import records
from analytics.water.records import Day
from domain import civil, permit
from domain.indicators import Query
from domain.places import Registry
from domain.ports import ReadingSource
from domain.targets import Plan
from lanbi.desks import YearDesk
from lanbi.metering import cause_of
from lanbi.settling import Book, Settler, When
from lanbi.singles import MANY, Singles
from lanbi.telling import Teller
from lanbi.water_desk import WaterDesk

_WATCHED = [records.NAMES.index(item) for item in ("level", "flow")]
_BODY = "river"
"""Wells are no surface water: they have no class, so its limits say nothing."""


@dataclass
class LevelBook:
    """What is known of one year of levels: days of its wells and of the year before; those of sections are the water desk's."""

    singles: Singles
    teller: Teller
    days: dict[str, dict[int, Day]] = field(default_factory=dict)
    last: dict[str, dict[int, Day]] = field(default_factory=dict)
    closed: int = -1


class LevelDesk(YearDesk[LevelBook]):
    """Levels of sections and wells, year by year."""

    def __init__(self, source: ReadingSource, settler: Settler, registry: Registry, plans: Sequence[Plan], waters: WaterDesk) -> None:
        super().__init__()
        self.source, self.settler, self.registry, self.plans, self.waters = source, settler, registry, plans, waters
        self.wells: Mapping[str, Gauge] = {name: jobs.well(place) for name, place in registry.wells.items()}
        self.gauges: Mapping[str, Gauge] = {**{name: jobs.section(place) for name, place in registry.water_sections.items()}, **self.wells}

    def load(self, year: int, now: int, cause: str) -> None:
        """Read a whole year of the wells and bring the levels of all places up to date."""
        if not self.gauges or civil.year_days(year)[0] > civil.day_of(now):
            return
        first, last = civil.year_days(year)
        said = self.settler.figures.event_rows(civil.day_start(first), civil.day_end(last) + len(records.NAMES), MANY)
        known = self.books[year] = LevelBook(Singles(Book(year)), Teller(self.settler.figures, (row for row in said if row.kind.startswith(jobs.EVENTS))))
        for name in self.wells:
            known.days[name] = dict(self._days(name, first, last))
            known.last[name] = dict(self._days(name, *civil.year_days(year - 1)))
        for figure in (*jobs.FIGURES_OF_ONE, jobs.TARGET, f"{jobs.TARGET}.state"):
            for row in known.singles.stored(self.settler, Query(figure, None, rule_set=permit.RULE_SET)):
                known.singles.hold(row.scope, row)
        self._settle(year, self.gauges, When(now, Evidence(general=[cause] if cause else []), ()))

    def refresh(self, touched: Iterable[tuple[str, int]], now: int) -> None:
        """Read touched days of wells again; the water desk has read those of sections."""
        days: defaultdict[str, set[int]] = defaultdict(set)
        for site, day in touched:
            if site in self.gauges:
                days[site].add(day)
        for year in sorted({civil.year_of_day(day) for some in days.values() for day in some}):
            if year not in self.books:
                self.load(year, now, cause_of(days))
                continue
            self._reread(days)
            when = When(now, Evidence(general=[cause_of(days)]), tuple(days))
            self._settle(year, days, when)
            if year + 1 in self.books and self.wells.keys() & days.keys():
                self._settle(year + 1, self.wells.keys() & days.keys(), when)

    def _reread(self, days: Mapping[str, Collection[int]]) -> None:
        for name, day in ((well, day) for well in self.wells.keys() & days.keys() for day in days[well]):
            new = dict(self._days(name, day, day))
            own, later = self.books.get(civil.year_of_day(day)), self.books.get(civil.year_of_day(day) + 1)
            for known in ([own.days] if own else []) + ([later.last] if later else []):
                known[name].pop(day, None)
                known[name] |= new

    def _behind(self, year: int, now: int) -> bool:
        return self.books[year].closed != stations.span(year, now).closed

    def _move(self, year: int, when: When) -> None:
        self._settle(year, self.gauges, when)

    def _days(self, name: str, first: int, last: int) -> Iterator[tuple[int, Day]]:
        known = self.source.columns(records.REALM, name, civil.day_start(first), civil.day_end(last))
        yield from records.days(known, _BODY, lambda day: not self.registry.on_trial(name, day), self.waters.spans(name)).items()

    def _of(self, year: int, name: str) -> Mapping[int, Day]:
        """Days of a place in a year that is in memory."""
        if name in self.wells:
            return self.books[year].days[name]
        book = self.waters.books.get(year)
        return book.days.get(name, {}) if book else {}

    def _settle(self, year: int, names: Iterable[str], when: When) -> None:
        known, at = self.books[year], stations.span(year, when.now)
        known.closed = at.closed
        for name in names:
            self.pulse()
            gauge, days = self.gauges[name], self._of(year, name)
            if name not in known.singles.held and not any((~np.isnan(day.values[:, _WATCHED])).any() for day in days.values()):
                continue
            last = known.last.get(name, {})
            known.singles.settle(self.settler, name, jobs.rows(gauge, year, days, last, at.closed), when._replace(sites=(name,)))
            self._tell(known, gauge, days)
        county = jobs.County(
            self.registry.county.id,
            year,
            self.wells,
            known.days,
            known.last,
            at.closed,
        )
        known.singles.settle(self.settler, county.scope, jobs.target_rows(county, self.plans), when._replace(sites=tuple(self.wells)))

    @staticmethod
    def _tell(known: LevelBook, gauge: Gauge, days: Mapping[int, Day]) -> None:
        found = jobs.events(gauge, jobs.runs(gauge, days, known.singles.book.year))
        known.teller.tell(found, lambda event: event.source == gauge.id)
