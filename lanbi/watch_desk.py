"""The watches: once a day every station is held against its neighbours and every sensor is asked whether it stands, hourly for masked samplers.

Nothing of it is urgent but the hourly look, so places wait in a queue and one is done whenever nothing else is to do. What is
told is a pure function of the hours of this year and the last; a correction that takes a finding away withdraws it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Final

import numpy as np

from analytics import drift
from analytics.cube import BACK
from analytics.jobs import probes, stations, unsettled, watches
from analytics.water.records import NAMES, Day
from domain import civil, marks
from domain.alarms import DRIFTS
from domain.indicators import Event
from domain.items import AIR
from domain.judgements import VERDICT, judged
from domain.places import Registry
from lanbi import clocks
from lanbi.settling import Book, Settler
from lanbi.telling import WITHDRAWN, Teller
from lanbi.water_desk import WaterDesk

STUCK: Final = "stuck"
SENSORS: Final = frozenset({*DRIFTS, STUCK, probes.DRIFT, probes.SHIFT})
"""Alarms that say a sensor does not tell the truth."""
_MANY: Final = 10_000_000


class WatchDesk:
    """Alarms of sensors, as events."""

    def __init__(self, settler: Settler, registry: Registry, books: Callable[[], Mapping[int, Book]], waters: WaterDesk) -> None:
        self.settler, self.registry, self.books, self.waters = settler, registry, books, waters
        self.limits = watches.limits(registry.watch)
        self.probe_limits = probes.limits(registry.watch)
        self.pulse: Callable[[], None] = lambda: None
        self.queue: list[str] = []
        self._teller: Teller | None = None
        self._day = self._hour = -1
        self._counted: dict[str, tuple[int, float | None, str]] = {}
        self._look: tuple[str, Iterator[None]] | None = None

    @property
    def teller(self) -> Teller:
        """Findings of these kinds as they stand in the store, read at first use."""
        if self._teller is None:
            known = self.settler.figures.event_rows(-1, 2**60, _MANY)
            self._teller = Teller(self.settler.figures, (row for row in known if _ours(row.kind)))
        return self._teller

    def load(self, year: int, now: int, cause: str) -> None:
        """A year was read anew: every place is looked at again, when there is time."""
        del year, cause
        self.queue, self._look = sorted({*self.registry.air_stations, *self.registry.water_sections}), None
        # What stands is counted from the first moment on: whether a county has alarms must not depend on when the first day ends.
        self._count(now)

    def refresh(self, touched: Iterable[tuple[str, int]], now: int) -> None:
        """Places whose earlier days changed are looked at again; today's hours wait for the hourly look."""
        today, places = civil.day_of(now), set(touched)
        late = {site for site, day in places if day < today - 1}
        if late & set(self.registry.air_stations):
            late |= set(self.registry.air_stations)
        if self._look is not None and self._look[0] in late:
            self._look = None
        self.queue += sorted(site for site in late - set(self.queue) if site in self.registry.air_stations or site in self.registry.water_sections)
        if any(site == marks.signal(VERDICT) for site, _ in places):
            self._count(now)

    def pass_time(self, now: int) -> None:
        """Hourly: masked samplers. Daily: everything waits for its turn."""
        hour, day = now // civil.HOUR_S, civil.day_of(now)
        if hour != self._hour:
            self._hour = hour
            self._masked(now)
        if day != self._day:
            self._day = day
            self.load(0, now, "")
        else:
            self._count(now)

    def forget(self, keep: Collection[int]) -> None:
        """Nothing of its own is kept by year."""

    def idle(self, now: int) -> bool:
        """A piece of the look at one place, a twentieth of a second or so, for a late reading may wait for its end; False if none waits."""
        if self._look is None:
            if not self.queue:
                return False
            site = self.queue.pop(0)
            self._look = site, self._looked(site, now)
        if next(self._look[1], self) is self:
            self._look = None
        return True

    def _looked(self, site: str, now: int) -> Iterator[None]:
        found: list[Event] = []
        for some in self._section(site, now) if site in self.registry.water_sections else self._station(site, now):
            found += some
            yield
        begin = self._begin()
        if self.teller.tell(found, lambda event: event.source == site and event.time > begin) or not self.queue:
            self._count(now)

    def _count(self, now: int) -> None:
        """Alarms that nobody has settled, by place; written where they differ, and anew each day."""
        standing = [event for event in self.teller.told.values() if event.kind in SENSORS and event.text != WITHDRAWN]
        places = sorted({*self.registry.air_stations, *self.registry.water_sections})
        found = unsettled.rows(places, standing, judged(self.waters.source.entered(VERDICT)), now)
        fresh = [row for row in found if self._counted.get(row.scope) != (row.time, row.value, row.text)]
        self.settler.derived([replace(row, computed=float(now)) for row in fresh])
        self._counted |= {row.scope: (row.time, row.value, row.text) for row in fresh}

    def _years(self) -> list[int]:
        """Years in memory that follow each other, up to the newest."""
        known = sorted(self.books())
        return [year for year in known if all(later in known for later in range(year, known[-1]))]

    def _begin(self) -> int:
        """What lies before is not looked at any more, and stays as it was told."""
        years = self._years()
        return civil.day_start(civil.year_days(years[0])[0]) if years else 2**60

    def _hours(self, item: str, now: int, last: int | None = None) -> watches.Hours | None:
        """Hours of an item at all stations; only the last ones, in whole days, if ``last`` is given."""
        years = self._years()
        sites = [site for site in self.registry.air_stations if all(site in self.books()[year].sites for year in years)]
        if not years or not sites:
            return None
        first = civil.year_days(years[0])[0]
        count = sum(stations.span(year, now).hours for year in years)
        parts = {site: [self.books()[year].sites[site].hours[24 * BACK :] for year in years] for site in sites}
        whole = watches.hours(item, parts, first, count)
        skipped = 0 if last is None else max(0, count - last) // 24
        return whole._replace(first=first + skipped, table=whole.table[24 * skipped :])

    def _masked(self, now: int) -> None:
        day = civil.day_of(now)
        for item in drift.MASKED_ITEMS:
            known = self._hours(item, now, watches.WINDOW_HOURS)
            for site in known.sites if known is not None else ():
                beside = watches.neighbours(self.registry, site, known.sites, day) if known is not None else []
                if known is not None and beside:
                    # The daily look knows the year, and so what a finding does to it: what it told stands.
                    found = [event for event in watches.masked(known, site, beside, self.limits) if not self._stands(event)]
                    self.teller.tell(found, lambda _: False)

    def _stands(self, event: Event) -> bool:
        told = self.teller.told.get(event[:3])
        return told is not None and told.text != WITHDRAWN

    def _station(self, site: str, now: int) -> Iterator[Iterable[Event]]:
        items: dict[str, watches.Floats] = {}
        times = np.zeros(0, np.int64)
        for item in AIR:
            known = self._hours(item, now)
            if known is None or site not in known.sites:
                continue
            beside = watches.neighbours(self.registry, site, known.sites, civil.day_of(now))
            yield watches.drifts(known, site, beside, self.limits) if beside else ()
            own = known.table[:, known.sites.index(site)]
            items[item] = own.copy()
            times = known.start + civil.HOUR_S * np.arange(1, len(own) + 1, dtype=np.int64)
        yield watches.standing("air", site, times, items)
        yield self._flagged(site, now)

    def _flagged(self, site: str, now: int) -> list[Event]:
        """What the rules of quality flag; a copy may be that of any other station."""
        years, books = self._years(), self.books()
        closed = sum(stations.span(year, now).closed for year in years)
        if not closed or any(site not in books[year].sites for year in years):
            return []
        parts = {name: [books[year].sites[name].hours[24 * BACK :] for year in years] for name in books[years[-1]].sites if name in self.registry.air_stations}
        beside = {name: parts[name] for name in watches.neighbours(self.registry, site, list(parts), civil.day_of(now))}
        return list(watches.flagged(site, civil.year_days(years[0])[0], parts[site], closed, beside))

    def _section(self, site: str, now: int) -> Iterator[Iterable[Event]]:
        days = list(self._days(site))
        if not days:
            return
        times = np.concatenate([day.time for day in days])
        values = np.concatenate([day.values for day in days])
        yield watches.standing("water", site, times, {item: values[:, place] for place, item in enumerate(NAMES)})
        for year in self._years():
            known, closed = self.waters.books.get(year), stations.span(year, now).closed
            if known is not None and closed:
                yield watches.flagged_water(site, known.days.get(site, {}), year, closed)
        days_of = {day: one for year in self._years() if year in self.waters.books for day, one in self.waters.books[year].days.get(site, {}).items()}
        visits = probes.told(self.waters.source.entered("event"), self.registry).get(site, ())
        yield probes.findings(site, days_of, visits, self.probe_limits)

    def _days(self, site: str) -> Iterator[Day]:
        for year in self._years():
            known = self.waters.books.get(year)
            if known is not None:
                yield from (known.days[site][day] for day in sorted(known.days.get(site, {})))


def _ours(kind: str) -> bool:
    """Whether this desk tells events of a kind; clocks are judged where readings arrive."""
    return kind in SENSORS or (kind.startswith(watches.QUALITY) and kind != clocks.KIND)
