"""The analyst: keeps the cube, recomputes what a change touched, and writes only what differs from what is stored.

Every figure is a pure function of the stored readings, the registry and the day, so the order of arrival cannot be seen in it.
What differs from what is stored is settled in :mod:`lanbi.settling`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from analytics import bases, causes, cube, filling
from analytics.causes import Cell, Evidence
from analytics.cube import BACK, SiteYear
from analytics.jobs import allowed, attained, beside, county, foreign, projected, scopes, stations, warned
from analytics.jobs.sheets import Sheet
from analytics.skill import CUTS
from domain import air, civil, marks, statements
from domain.indicators import FIGURES, Indicator, Query
from domain.judgements import VERDICT
from domain.places import ASSESSMENT, Registry
from domain.ports import Entries, ReadingSource
from domain.readings import Entry
from domain.targets import Plan
from domain.warning import SCHEMES, Scheme
from lanbi.bookkeeping import Bookkeeper, recent
from lanbi.clue_desk import ClueDesk
from lanbi.comparing import NEVER, Comparer
from lanbi.desks import Desk, Touched
from lanbi.level_desk import LevelDesk
from lanbi.metering import Metering
from lanbi.point_desk import PointDesk
from lanbi.settling import Book, Figures, Settled, Settler, When, same
from lanbi.watch_desk import WatchDesk
from lanbi.water_desk import WaterDesk

SIGNALS: Final = frozenset(map(marks.signal, marks.KINDS))
LINGER_DAYS: Final = 7
"""So long after New Year a year's cubes are still asked for all the time."""
FEW: Final = 30
"""Changed days of a site up to which its other hours are left as they are."""
INSTANT_S: Final = 60
"""What an instantaneous value stands for where no device tells."""


class Source(ReadingSource, Entries, Protocol):
    """Readings, and what people and files entered about them."""


class Analyst:
    """Figures of a county's air, year by year; the desks keep those of everything else."""

    def __init__(self, source: Source, figures: Figures, registry: Registry, plans: Sequence[Plan]) -> None:
        self.source, self.registry, self.plans = source, registry, plans
        self.settler = Settler(figures)
        self.comparer = Comparer(self.settler, registry)
        self.ledger = Bookkeeper(self.settler, registry)
        waters = WaterDesk(source, self.settler, registry, plans)
        self.watch = WatchDesk(self.settler, registry, lambda: self.books, waters)
        points = PointDesk(source, self.settler, registry, plans)
        levels = LevelDesk(source, self.settler, registry, plans, waters)
        metering = Metering(source, self.settler, registry, plans)
        self.clues = ClueDesk(metering)
        self.desks: list[Desk] = [waters, levels, points, metering, self.watch, self.clues]
        self.books: dict[int, Book] = {}
        self.entered: dict[str, list[Entry]] = {}
        self.past: dict[tuple[int, str, str], Mapping[int, projected.Daily]] = {}
        self.marks = bases.Marks()
        self.cuts = CUTS
        self.scheme: Scheme | None = SCHEMES["shandong-2022"]
        self.pulse: Callable[[], None] = lambda: None
        self._allowed: dict[tuple[object, ...], Indicator] = {}

    @property
    def sites(self) -> tuple[str, ...]:
        """Every place with air values, ordered by id."""
        return tuple(sorted([*self.registry.air_stations, *self.registry.cities]))

    def load(self, year: int, now: int, cause: str) -> None:
        """Read a whole year from the store and bring its figures up to date; ``cause`` is why figures may differ from what is stored."""
        if not self.entered:
            self._learn(marks.KINDS)
        self._unlearn(year)
        book = self.books[year] = Book(year)
        for site in self.sites:
            self.pulse()
            self._read(book, site)
        when = When(now, Evidence(general=[cause] if cause else []), self.sites)
        if self._bare(book, now):
            # A county that began this year has no last one: no figures, no ledger of its silence.
            book.known.update([*self.sites, self.registry.county.id])
        else:
            self._work(book, self.sites, when, anew=True)
            self._allow(book, self.sites, now)
            self.ledger.keep(book, dict.fromkeys(self.sites, self._doubtful(book, now)), now)
        self._foreign(book, when)

    def start(self, years: Iterable[int], now: int, cause: str) -> None:
        """Bring years up to date: the air of all of them first, for that is asked for first."""
        known = sorted(years)
        for year in known:
            self.load(year, now, cause)
        for desk in self.desks:
            desk.pulse = self.pulse
            for year in known:
                self.pulse()
                desk.load(year, now, cause)

    def _bare(self, book: Book, now: int) -> bool:
        """Whether nothing was measured in a year that is over, and nothing is stored of it."""
        if book.year >= civil.year_of_day(civil.day_of(now)) or not all(map(cube.bare, book.sites.values())):
            return False
        return not self.settler.stored(book.year, (*self.sites, self.registry.county.id))

    def _doubtful(self, book: Book, now: int) -> list[int]:
        """Days of a year whose ledgers a start writes again."""
        first, last = civil.year_days(book.year)
        since = max(first, min(civil.day_of(self.comparer.since + 1), *recent(now))) if self.comparer.since != NEVER else min(recent(now))
        return list(range(since, last + 1))

    def refresh(self, touched: Collection[Touched], now: int) -> None:
        """Read the touched site-days again, and what was entered about them, and bring all figures that hang on them up to date."""
        by_year: defaultdict[int, set[Touched]] = defaultdict(set)
        news = self._learn([kind for kind in marks.KINDS if any(one.site == marks.signal(kind) for one in touched)])
        for one in touched:
            days = (one.day, one.day + BACK) if one.site in self.sites else (one.day,) if one.site in SIGNALS else ()
            for day in days:
                by_year[civil.year_of_day(day)].add(one)
        whole = Evidence(general=news)
        for year in sorted(by_year):
            if year not in self.books:
                self.load(year, now, "; ".join([*news, *filter(None, [away(by_year[year])])]))
                self._explain(self.books[year], by_year[year], now)
                continue
            when = When(now, Evidence(general=news), self.sites)
            self._rework(self.books[year], [one for one in sorted(by_year[year]) if one.site in self.sites], when)
            whole.cells += when.evidence.cells
        self._later(min(by_year, default=now), When(now, whole, self.sites))
        for desk in self.desks:
            desk.refresh(touched, now)

    def _later(self, year: int, when: When) -> None:
        """Years after one that changed are judged anew: last year and the years before it are what they are held against."""
        self._unlearn(year)
        for later in sorted(self.books):
            if later > year:
                self._targets(self.books[later], when, anew=True)

    def _unlearn(self, year: int) -> None:
        """A year is computed anew: what later years learnt from it no longer holds."""
        self.past = {key: known for key, known in self.past.items() if key[0] <= year}

    def _rework(self, book: Book, touched: Sequence[Touched], when: When) -> None:
        """Fill the touched days anew, and bring what hangs on them up to date; what differs is added to the evidence."""
        for one in touched:
            when.evidence.cells.extend(self._reread(book, one))
        if touched:
            self._work(book, sorted({one.site for one in touched}), when, touched)
            self._allow(book, sorted({one.site for one in touched if one.day == civil.day_of(when.now)}), when.now)
            self._explain(book, touched, when.now)
        if when.evidence.general:
            self._foreign(book, when)

    def _explain(self, book: Book, touched: Iterable[Touched], now: int) -> None:
        """Ledgers of the touched days."""
        due: defaultdict[str, set[int]] = defaultdict(set)
        for one in touched:
            due[one.site].add(one.day)
        self.ledger.keep(book, due, now)

    def pass_time(self, now: int) -> None:
        """A day has begun or ended: running figures move on."""
        year = civil.year_of_day(civil.day_of(now))
        for open_year in {year, civil.year_of_day(civil.day_of(now) - 1)}:
            if open_year in self.books:
                self._work(self.books[open_year], self.sites, When(now, Evidence(), self.sites))
                self._allow(self.books[open_year], self.sites, now)
                self.ledger.keep(self.books[open_year], dict.fromkeys(self.sites, recent(now)), now)
            else:
                self.load(open_year, now, "")
        for desk in self.desks:
            desk.pass_time(now)

    def forget(self, keep: Sequence[int], now: int) -> None:
        """Drop the books of years that nobody asks about; they come back when a late value does. The last year's cubes are folded."""
        self.books = {year: book for year, book in self.books.items() if year in keep}
        stations = self.registry.air_stations.items()
        assessed = {self.registry.county.id, *(name for name, one in stations if any(role == ASSESSMENT for _, role in one.role.steps))}
        for book in self.books.values():
            # Days of the others are made anew when one of their hours is, those of a year that is over when it is asked for.
            lingers = civil.year_days(book.year)[1] + LINGER_DAYS >= civil.day_of(now)
            book.bases = {name: known for name, known in book.bases.items() if lingers and name in assessed}
            if not lingers:
                book.sites.fold()
        self.ledger.forget(keep)
        for desk in self.desks:
            desk.forget(keep)

    def _read(self, book: Book, site: str) -> None:
        year = cube.empty(book.year)
        start, end = cube.bounds(year)
        self._fill(year, site, start, end)
        book.sites[site] = year

    def _reread(self, book: Book, one: Touched) -> list[Cell]:
        """Fill a day anew; returns what differs."""
        year = book.sites[one.site]
        before = causes.keep(year, one.day)
        cube.clear(year, one.day)
        self._fill(year, one.site, civil.day_start(one.day), civil.day_end(one.day))
        return causes.cells(one.site, before, year)

    def _fill(self, year: SiteYear, site: str, start: int, end: int) -> None:
        """Read stored rows into the year, without those that a device sent on trial and without what people held or rejected."""
        known = self.source.columns("air", site, start, end)
        filling.fill(year, known, lambda day: self._interval(site, day), lambda day: not self.registry.on_trial(site, day))
        letters = bases.letters(self.marks, site, year)
        if letters is not None:
            bases.hold(year, letters)

    def _learn(self, kinds: Iterable[str]) -> list[str]:
        """Read what was entered of some kinds; returns what is new, as causes."""
        said = []
        for kind in kinds:
            known = {entry.id for entry in self.entered.get(kind, ())}
            self.entered[kind] = self.source.entered(kind)
            said += [marks.cause(entry) for entry in self.entered[kind] if entry.id not in known]
        if said:
            self.marks = bases.read((entry for some in self.entered.values() for entry in some), self.registry)
        return list(dict.fromkeys(said))

    def _interval(self, site: str, day: int) -> int:
        device = self.registry.device_of(site, day)
        return device.interval if device is not None else INSTANT_S

    def _work(self, book: Book, sites: Iterable[str], when: When, touched: Collection[Touched] | None = None, *, anew: bool = False) -> None:
        """Bring figures of some places, of the county and of its targets up to date; targets where they differ, or all of the year anew.

        Parameters
        ----------
        touched : collection of Touched, optional
            The only site-days that may differ since the last time.
        """
        at = stations.span(book.year, when.now)
        if not at.begun:
            return
        settled: dict[str, Settled] = {}
        for site in sites:
            self.pulse()
            days = None if touched is None else [one.day for one in touched if one.site == site]
            settled[site] = self.settler.sheets(book, site, self._site(book, site, at, days), when._replace(sites=(site,)))
            self.comparer.scope(self.books, book, site, settled[site], when.now)
        self.comparer.ranks(book, settled, when.now)
        names, member = county.members(self.registry, at.first, at.begun)
        if names:
            own, scope = when._replace(sites=names), self.registry.county.id
            whole = self.settler.sheets(book, scope, self._county(book, names, member, at), own)
            self.comparer.scope(self.books, book, scope, whole, when.now)
            self._targets(book, own, anew=anew)
            if whole.changed:
                self._beside(book, own)

    def _site(self, book: Book, site: str, at: stations.Span, days: Sequence[int] | None) -> list[Sheet]:
        few = days is not None and len(days) <= FEW and site in book.known
        again = stations.Again(book.shelf.sheet, [day - at.first for day in days or ()], book.bases[site].raw if site in book.bases else None) if few else None
        book.bases[site], found = scopes.sheets(book.sites[site], self.marks, site, at, again)
        return found

    def _county(self, book: Book, names: tuple[str, ...], member: npt.NDArray[np.bool_], at: stations.Span) -> list[Sheet]:
        scope = self.registry.county.id
        for name in names:
            # After midnight a late value of one site may come before the new day has been begun for the others.
            if name not in book.bases or len(book.bases[name].raw.shown) != at.begun:
                book.bases[name] = scopes.site(book.sites[name], self.marks, name, at.begun)
        whole = county.hourly(book.sites, names, np.concatenate([county.before(self.registry, names, at.first), member]), BACK)
        found = [*stations.hour_sheets(scope, at.first, whole[24 * BACK :]), *warned.sheets(scope, whole, at, self.scheme)]
        known = book.bases[scope] = scopes.city([book.bases[name] for name in names], member)
        for basis in scopes.figures(scope, known, at, 24 * member.sum(axis=1)):
            found += basis.sheets
            book.running |= {(basis.name, rules.name): running for rules, running in zip(air.RULE_SETS, basis.running, strict=True)}
        return found

    def _allow(self, book: Book, sites: Sequence[str], now: int) -> None:
        """Today's allowances of some places and, if they belong to it, of the county; each is written where it differs."""
        today = civil.day_of(now)
        if not sites or civil.year_of_day(today) != book.year:
            return
        members = sorted(self.registry.assessment(today))
        found = [*allowed.rows(book.sites, sites, now)]
        if set(members) & set(sites):
            found += allowed.county(book.sites, members, self.registry.county.id, now)
        self.settler.derived([row for row in found if not same(self._allowed.get(row.key), row)])
        self._allowed = {key: row for key, row in self._allowed.items() if row.time == civil.period_stamp(today)} | {row.key: row for row in found}

    def _foreign(self, book: Book, when: When) -> None:
        """Figures of authorities, as they were entered."""
        said = (entry for kind in foreign.BASES for entry in self.entered.get(kind, ()))
        self.settler.rows(book, foreign.rows(said, self.registry, book.year), when)
        self._beside(book, when)

    def _beside(self, book: Book, when: When) -> None:
        """Official figures beside ours: differences, ranks among counties, and the targets' judgement by them."""
        rows = [row for row in book.single.values() if row.basis == beside.OFFICIAL and row.figure in FIGURES]
        if not rows:
            return
        assessed = self.registry.assessment(min(civil.year_days(book.year)[1], civil.day_of(when.now)))
        known = beside.Known(book.shelf, tuple(self.registry.air_stations), assessed)
        found = [*beside.differences(rows, known), *beside.ranks(rows, self.entered.get(marks.OFFICIAL, ()))]
        self.settler.derived([replace(row, computed=float(when.now)) for row in found])
        county_rows = [row for row in rows if row.scope == self.registry.county.id]
        self.settler.rows(book, beside.judged(county_rows, self.plans, book.year), when)

    def _targets(self, book: Book, when: When, *, anew: bool) -> None:
        """Attainment rows of the days that differ from what was judged last, or of all days."""
        at = stations.span(book.year, when.now)
        past = self.books.get(book.year - 1)
        for (basis, name), running in book.running.items():
            last = past.running.get((basis, name)) if past is not None else None
            case = attained.Case(self.registry.county.id, name, book.year, running, last, basis, self._past(book.year, basis, name), self.cuts)
            before = None if anew else book.judged.get((basis, name))
            self.settler.rows(book, attained.rows(self.plans, case, before, min(at.closed, len(running))), when)
            book.judged[basis, name] = running

    def _past(self, year: int, basis: str, rule_set: str) -> Mapping[int, projected.Daily]:
        """Days of the county's earlier years, on the same basis where it has them, else as measured."""
        key = year, basis, rule_set
        if key not in self.past:
            start, end = civil.day_start(civil.year_days(year - projected.YEARS)[0]) - 1, civil.day_start(civil.year_days(year)[0]) - 1
            query = Query(scope=self.registry.county.id, period="day", rule_set=rule_set, basis=None, start=start, end=end)
            asked = [replace(query, figure=figure, basis=name) for figure in projected.SOURCES for name in dict.fromkeys(("raw", basis))]
            self.past[key] = projected.past(row for one in asked for row in self.settler.figures.series(one))
        return self.past[key]


def away(touched: Iterable[Touched]) -> str:
    """Cause of what changed while nobody had the year in memory: known by site and day only."""
    days: defaultdict[str, set[int]] = defaultdict(set)
    for one in touched:
        days[one.site].add(one.day)
    entered = [f"{marks.CODES[kind]}: entered" for kind in marks.KINDS if days.pop(marks.signal(kind), None)]
    entered += [f"correction: {kind} entered" for kind in statements.KINDS if days.pop(marks.signal(kind), None)]
    days.pop(marks.signal(VERDICT), None)  # what is said of an alarm changes no figure
    parts = [f"{site} {civil.date_of(min(some))}{f'…{civil.date_of(max(some))}' if len(some) > 1 else ''}" for site, some in sorted(days.items())]
    more = f", +{len(parts) - causes.SHOWN}" if len(parts) > causes.SHOWN else ""
    return "; ".join([*dict.fromkeys(entered), *([f"late: {', '.join(parts[: causes.SHOWN])}{more}"] if parts else [])])
