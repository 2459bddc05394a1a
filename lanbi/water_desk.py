"""The desk of surface water: keeps the sections' days, and settles their figures, those of the county's waters and its water targets.

Every figure is a pure function of the stored readings, the registry and the day; what differs from what is stored is settled
in :mod:`lanbi.settling`. A record's class is restated at once, other figures once their period is over.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from analytics import bases
from analytics.causes import Cell, Evidence
from analytics.jobs import captures, sections, sheets, stations, water_targets, waters
from analytics.water import means, records
from analytics.water.means import Year
from analytics.water.records import Day
from domain import civil, marks, water
from domain.indicators import Indicator, Query, side_by_side
from domain.marks import Span
from domain.places import Registry
from domain.ports import Entries, ReadingSource
from domain.targets import Plan
from lanbi.desks import YearDesk
from lanbi.settling import Book, Settler, When
from lanbi.singles import MANY, Singles
from lanbi.telling import Teller


@dataclass
class WaterBook:
    """What is known of one year of the county's waters.

    Attributes
    ----------
    closed : int
        Days that were over when figures were settled last.
    teller : Teller
        Breaches as they stand in the store.
    singles : Singles
        Single rows by (section, civil day), or ``None`` for the county.
    """

    book: Book
    teller: Teller
    singles: Singles
    closed: int = -1
    days: dict[str, dict[int, Day]] = field(default_factory=dict)
    years: dict[str, Year] = field(default_factory=dict)


class Source(ReadingSource, Entries, Protocol):
    """Readings, and what people entered about them."""


class WaterDesk(YearDesk[WaterBook]):
    """Figures of sections and of the county's waters, and their targets, year by year."""

    def __init__(self, source: Source, settler: Settler, registry: Registry, plans: Sequence[Plan]) -> None:
        super().__init__()
        self.source, self.settler, self.registry, self.plans = source, settler, registry, plans
        self.marks: bases.Marks | None = None

    def load(self, year: int, now: int, cause: str) -> None:
        """Read a whole year of every section, and settle it."""
        if not self.registry.water_sections:
            return
        first, last = civil.year_days(year)
        said = self.settler.figures.event_rows(civil.day_start(first), civil.day_end(last), MANY)
        teller = Teller(self.settler.figures, (row for row in said if row.kind == water_targets.BREACH))
        book = Book(year)
        known = self.books[year] = WaterBook(book, teller, Singles(book))
        for site in self.registry.water_sections:
            known.days[site] = self._days(site, first, last)
            self._recall(known, site)
        self._recall_county(known)
        self._settle(known, self._all(known), When(now, Evidence(general=[cause] if cause else []), ()), anew=True)

    def refresh(self, touched: Iterable[tuple[str, int]], now: int) -> None:
        """Read touched days of sections again, and bring all figures that hang on them up to date."""
        by_year: defaultdict[int, set[tuple[str, int]]] = defaultdict(set)
        for site, day in touched:
            if site == marks.signal(marks.MARK):
                self.marks = None
            if site in self.registry.water_sections:
                by_year[civil.year_of_day(day)].add((site, day))
        for year, some in sorted(by_year.items()):
            if year not in self.books:
                self.load(year, now, f"late: {', '.join(sorted({site for site, _ in some}))}")
                continue
            cells = [cell for site, day in sorted(some) for cell in self._reread(self.books[year], site, day)]
            due: defaultdict[str, set[int]] = defaultdict(set)
            for cell in cells:
                due[cell.site].add(civil.day_of(cell.time))
            if due:
                self._settle(self.books[year], due, When(now, Evidence(cells), ()))

    def _behind(self, year: int, now: int) -> bool:
        return self.books[year].closed != stations.span(year, now).closed

    def _move(self, year: int, when: When) -> None:
        self._settle(self.books[year], dict.fromkeys(self.registry.water_sections, ()), when, anew=True)

    def _days(self, site: str, first: int, last: int) -> dict[int, Day]:
        known = self.source.columns(records.REALM, site, civil.day_start(first), civil.day_end(last))
        return records.days(known, self.registry.water_sections[site].body, lambda day: not self.registry.on_trial(site, day), self.spans(site))

    def spans(self, site: str) -> Sequence[Span]:
        """What people marked of a section or well, in order of receipt."""
        if self.marks is None:
            self.marks = bases.read(self.source.entered(marks.MARK), self.registry)
        return self.marks.spans.get(site, ())

    def _reread(self, known: WaterBook, site: str, day: int) -> list[Cell]:
        """Fill a day anew; returns what differs."""
        new = self._days(site, day, day).get(day)
        cells = records.differing(site, known.days[site].get(day), new)
        if new is not None:
            known.days[site][day] = new
        else:
            known.days[site].pop(day, None)
        return cells

    # ---- what is stored

    def _recall(self, known: WaterBook, site: str) -> None:
        """Remember what the store holds of a section: single rows of its records, sheets of everything else."""
        rows = known.singles.stored(self.settler, Query(scope=site, rule_set=water.RULE_SET))
        columns: defaultdict[str, list[Indicator]] = defaultdict(list)
        for row in rows:
            if row.figure == captures.FIGURE:
                known.singles.hold(site, row)
            elif row.period == "hour":
                known.singles.hold((site, civil.day_of(row.time)), row)
            else:
                columns[row.period].append(row)
        known.book.known.add(site)
        if not columns:
            return
        for sheet in sections.sheets(self.registry.water_sections[site], self._year(known, site, civil.year_days(known.book.year)[1])):
            if columns[sheet.kind.period]:
                known.book.shelf.put(sheets.stored(sheet, {block.figure: block for block in side_by_side(columns[sheet.kind.period])}))

    def _recall_county(self, known: WaterBook) -> None:
        targets = water_targets.ids(self.plans)
        for figure in (*waters.FIGURES, *targets, *(f"{name}.state" for name in targets)):
            for row in known.singles.stored(self.settler, Query(figure, self.registry.county.id, rule_set=water.RULE_SET)):
                known.singles.hold(None, row)

    # ---- what is computed

    def _year(self, known: WaterBook, site: str, until: int) -> Year:
        first, last = civil.year_days(known.book.year)
        return means.year(known.days[site], first, max(0, min(until, last) - first + 1), self.registry.water_sections[site].body)

    def _settle(self, known: WaterBook, due: Mapping[str, Collection[int]], when: When, *, anew: bool = False) -> None:
        """Bring records of the due days and all means of their sections up to date, and the county where anything changed or ``anew``."""
        at = stations.span(known.book.year, when.now)
        before, known.closed = self.settler.written, at.closed
        for site, days in sorted(due.items()):
            own = when._replace(sites=(site,))
            for day in sorted(days):
                held = known.days[site].get(day)
                known.singles.settle(self.settler, (site, day), sections.hours(site, [held] if held else []), own)
            known.years[site] = self._year(known, site, at.first + at.closed - 1)
            if known.days[site]:
                known.singles.settle(self.settler, site, captures.rows(site, known.book.year, known.days[site], at.closed), own)
            if not known.days[site] and not any(known.book.shelf.tags(site)):
                continue
            self.settler.sheets(known.book, site, sections.sheets(self.registry.water_sections[site], known.years[site]), own)
        if anew or self.settler.written != before:
            self._county(known, when)
            later = self.books.get(known.book.year + 1)
            if later is not None:
                self._county(later, when)

    def _county(self, known: WaterBook, when: When) -> None:
        """The county's waters, where they stand against the plan, and breaches of the class to be kept."""
        places, last = self.registry.water_sections, self.books.get(known.book.year - 1)
        whole = water_targets.County(self.registry.county.id, known.book.year, places, known.days, known.years, last.years if last else {})
        breaches = water_targets.found(self.plans, whole)
        measured = {site: year for site, year in known.years.items() if known.days[site]}
        rows = [*waters.rows(whole.scope, places, measured), *water_targets.rows(self.plans, whole, breaches)]
        known.singles.settle(self.settler, None, rows, when._replace(sites=tuple(places)))
        known.teller.tell(water_targets.events(breaches), lambda _: True)

    @staticmethod
    def _all(known: WaterBook) -> dict[str, set[int]]:
        """Every day of every section that has records or stored classes."""
        due = {site: set(days) for site, days in known.days.items()}
        for group in known.singles.held:
            if isinstance(group, tuple):
                due[group[0]].add(group[1])
        return due
