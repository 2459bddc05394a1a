"""Figures of meters, enterprises, industries and the county's metered part, kept beside the air's: what a late register touches, and no more.

A meter's year is a pure function of its registers, the registry and the exchange forms; an account is one of its meters' days. What
differs from what is stored is written, and restated where its period had closed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import cached_property, partial
from typing import Final, Protocol

from analytics.causes import Evidence
from analytics.counting import Exchange
from analytics.energy import balance, enterprise
from analytics.energy.enterprise import Account, Worths
from analytics.energy.meteryear import MeterDays, between, laid
from analytics.energy.stated import Quantity
from analytics.jobs import intensities, lines, metered, repairs
from domain import civil, statements
from domain.indicators import Indicator, Query
from domain.places import Meter, Registry
from domain.ports import Entries, ReadingSource
from domain.readings import Entry
from domain.targets import Plan
from domain.workdays import Calendar
from lanbi.desks import YearDesk
from lanbi.meter_events import MeterEvents
from lanbi.registers import BACK_DAYS, Desk
from lanbi.settling import Book, Settler, When

INDUSTRY: Final = "industry."
"""Begins the scope of an industry's figures."""


class Source(ReadingSource, Entries, Protocol):
    """Readings, and what people and files entered about them."""


class Metering(YearDesk[Book]):
    """Figures of a county's meters, year by year.

    Attributes
    ----------
    said : dict of int to int
        What was written last of balances and repair clocks, key and row as hashes: rows of whole years are too many to keep.
    """

    def __init__(self, source: Source, settler: Settler, registry: Registry, plans: Sequence[Plan] = ()) -> None:
        super().__init__()
        self.source, self.settler, self.registry, self.plans = source, settler, registry, plans
        self.derived: dict[tuple[object, ...], Indicator] = {}
        self.entered: dict[str, list[Entry]] = {}
        self.stated: dict[str, list[Quantity]] = {}
        self.desk = Desk(source, registry, self._forms, lambda name: self.stated.get(name, ()))
        self.events = MeterEvents(settler.figures, registry)
        self.days: dict[int, dict[str, MeterDays]] = {}
        self.accounts: dict[int, dict[str, Account]] = {}
        self.repaired: dict[tuple[int, str], dict[int, Indicator]] = {}
        self.said: dict[int, int] = {}

    @cached_property
    def owners(self) -> Mapping[str, list[Meter]]:
        """Meters of each enterprise that has any."""
        found: defaultdict[str, list[Meter]] = defaultdict(list)
        for meter in self.registry.meters.values():
            found[meter.enterprise].append(meter)
        return dict(found)

    def load(self, year: int, now: int, cause: str) -> None:
        """Count all meters of a year and bring its figures up to date."""
        if not self.registry.meters or civil.year_days(year)[0] > civil.day_of(now):
            return
        self.learn()
        self.desk.forget(year)
        self.books[year], self.days[year], self.accounts[year] = Book(year), {}, {}
        self.events.recall(year)
        when = When(now, Evidence(general=[cause] if cause else []), ())
        self._work(year, self.owners, when, frozenset(self.registry.meters))

    def refresh(self, touched: Iterable[tuple[str, int]], now: int) -> None:
        """Count the touched meters again, and bring all figures that hang on them up to date.

        Parameters
        ----------
        touched : iterable of (source, civil day)
            What is no meter, and no signal of what was entered, is passed over.
        """
        signals = {f"~{kind}" for kind in statements.KINDS}
        days: defaultdict[str, set[int]] = defaultdict(set)
        told = False
        for name, day in touched:
            told |= name in signals
            if name in self.registry.meters:
                days[name].add(day)
        if told:
            self.learn()
        years = {civil.year_of_day(day + away) for some in days.values() for day in some for away in (-BACK_DAYS, 0, BACK_DAYS)}
        own = {civil.year_of_day(day) for some in days.values() for day in some}
        for year in sorted((years & set(self.books)) | own):
            if year not in self.books:
                self.load(year, now, cause_of(days))
            else:
                self._rework(year, days, now)
        if told:
            for year in sorted(self.books):
                self._derive(year, now)

    def _rework(self, year: int, days: Mapping[str, Collection[int]], now: int) -> None:
        for name, some in days.items():
            self.desk.again(year, name, sorted(some))
        owners = sorted({self.registry.meters[name].enterprise for name in days})
        self._work(year, owners, When(now, Evidence(general=[cause_of(days)]), tuple(days)), frozenset(days))

    def _behind(self, year: int, now: int) -> bool:
        del year, now  # silence grows at every moment
        return True

    def _move(self, year: int, when: When) -> None:
        self._work(year, self.owners, when, frozenset())

    def forget(self, keep: Collection[int]) -> None:
        """Drop years that nobody asks about."""
        super().forget(keep)
        self.days = {year: one for year, one in self.days.items() if year in keep}
        self.accounts = {year: one for year, one in self.accounts.items() if year in keep}
        self.repaired = {key: rows for key, rows in self.repaired.items() if key[0] in keep}

    def learn(self) -> None:
        """Read what people and files said about meters."""
        before = {name: (self._forms(name), self.stated.get(name)) for name in self.registry.meters}
        self.entered = said_about_meters(self.source)
        self.stated = stated_of(self.entered)
        for name, known in before.items():
            if known != (self._forms(name), self.stated.get(name)):
                self.desk.recount(name)

    def _forms(self, name: str) -> list[Exchange]:
        return forms_of(self.entered, name)

    def _work(self, year: int, owners: Collection[str], when: When, anew: Collection[str]) -> None:
        """Meters of some enterprises, those in ``anew`` counted again, then the accounts that they are part of."""
        first, last = civil.year_days(year)
        begun = min(last, civil.day_of(when.now)) - first + 1
        if begun < 1:
            return
        for owner in owners:
            self.pulse()
            own = self.owners[owner]
            for meter in own:
                self._meter(year, meter, begun, when, again=meter.id in anew)
            if any(meter.id in anew for meter in own):
                self.events.stuck(year, [meter for meter in own if meter.id in self.days[year]], self.desk)
            self._account(year, owner, begun, when)
            self._beside(year, owner, begun, when.now)
        self.events.write()
        self._above(year, owners, begun, when)
        self._derive(year, when.now)

    def _meter(self, year: int, meter: Meter, begun: int, when: When, *, again: bool) -> None:
        found = []
        if again:
            known = self.desk.year(year, meter.id)
            if known is None:
                return
            by_hour, self.days[year][meter.id] = laid(known.counted, known.readings, (civil.year_days(year)[0], begun), known.interval)
            found.append(metered.hours(meter.id, by_hour))
            self.events.meter(year, meter, known)
        own = self.days[year].get(meter.id)
        if own is not None:
            own = self.days[year][meter.id] = own.upto(begun)
            self.settler.sheets(self.books[year], meter.id, [*found, *metered.meter(meter.id, own, when.now)], when._replace(sites=(meter.id,)))

    def _account(self, year: int, owner: str, begun: int, when: When) -> None:
        first = civil.year_days(year)[0]
        meters = [(meter, self.days[year][meter.id]) for meter in self.owners[owner] if meter.id in self.days[year]]
        account = enterprise.account(meters, self.registry, year, metered.elapsed(first, begun, when.now))
        self.accounts[year][owner] = account
        self._settle(year, owner, account, when)

    def _above(self, year: int, owners: Collection[str], begun: int, when: When) -> None:
        """Industries of the touched enterprises, and the county's metered part."""
        kinds = {one.id: one.industry for one in self.registry.enterprises.values()}
        accounts = self.accounts[year]
        for industry in sorted({kinds.get(owner, "") for owner in owners} - {""}):
            some = [account for owner, account in accounts.items() if kinds.get(owner) == industry and account.days == begun]
            self._settle(year, f"{INDUSTRY}{industry}", enterprise.together(some, begun), when)
        self._settle(year, self.registry.county.id, enterprise.together((one for one in accounts.values() if one.days == begun), begun), when)

    def _settle(self, year: int, scope: str, account: Account, when: When) -> None:
        found = list(metered.account(scope, civil.year_days(year)[0], account, when.now))
        if found:
            self.settler.sheets(self.books[year], scope, found, when)

    def _derive(self, year: int, now: int) -> None:
        """What follows from the accounts and from what was entered: written where it differs from what was written last."""
        first, county = civil.year_days(year)[0], self.registry.county.id
        made = intensities.outputs(self.entered.get(statements.OUTPUT, ()), year)
        found = [row for owner, account in self.accounts[year].items() for row in intensities.per_value(owner, account, made.get(owner, ()), first)]
        found += lines.lines(self.registry, self._worths(year) if self.registry.lines else {}, made, first, civil.day_of(now))
        found += intensities.bills(self.entered.get(statements.BILL, ()), {name: partial(self._used, name) for name in self.registry.meters}, year)
        reports = self.entered.get(statements.REPORTED, ())
        whole = enterprise.together(self.accounts[year].values(), max((one.days for one in self.accounts[year].values()), default=0))
        found += intensities.metered_part(county, whole, reports, year)
        found += intensities.reported(reports, self.plans, county, year, civil.day_of(now))
        # Of two statements on one thing the later one stands.
        fresh = [row for row in {row.key: row for row in found}.values() if self.derived.get(row.key) != row]
        self.settler.derived([replace(row, computed=float(now)) for row in fresh])
        self.derived |= {row.key: row for row in fresh}

    def _beside(self, year: int, owner: str, begun: int, now: int) -> None:
        """Balances of an enterprise, and the repair clocks of its meters: written where they differ from what was written last."""
        days, county = self.days[year], self.registry.county
        elapsed = metered.elapsed(civil.year_days(year)[0], begun, now)
        found = [row for one in balance.balances(owner, self.owners[owner]) for row in balance.rows(one, self.registry.enterprises[owner], days, elapsed, year)]
        calendar = Calendar(frozenset(county.holidays), frozenset(county.workdays))
        clocks = [
            row
            for meter in self.owners[owner]
            if meter.id in days
            for row in repairs.rows(meter.id, days[meter.id], self._repaired(year, meter.id), calendar, now)
        ]
        fresh = [row for row in (*found, *clocks) if self.said.get(hash(row.key)) != hash(row)]
        self.settler.derived([replace(row, computed=float(now)) for row in fresh])
        self.said |= {hash(row.key): hash(row) for row in fresh}
        for row in clocks:
            self._repaired(year, row.scope)[row.time] = row

    def _repaired(self, year: int, name: str) -> dict[int, Indicator]:
        """Repair clocks of a meter as they were written last."""
        if (year, name) not in self.repaired:
            start, end = civil.year_span(year)
            self.repaired[year, name] = {row.time: row for row in self.settler.figures.series(Query(repairs.FIGURE, name, start=start - 1, end=end - 1))}
        return self.repaired[year, name]

    def _worths(self, year: int) -> dict[str, Worths]:
        """What the days of each meter of a line are worth."""
        names = {name for line in self.registry.lines.values() for name in line.meters if name in self.days[year]}
        made = {name: enterprise.worths(self.registry.meters[name], self.days[year][name], self.registry, year) for name in names}
        return {name: one for name, one in made.items() if one is not None}

    def _used(self, name: str, begin: int, end: int) -> tuple[Decimal, int] | None:
        """What a meter counted between two instants, and how much of that time is known [%]."""
        known = self.desk.year(civil.year_of_day(civil.day_of(end)), name)
        return None if known is None else between(known.counted, begin, end)


def said_about_meters(source: Entries) -> dict[str, list[Entry]]:
    """What people, files and devices said about meters and enterprises, by kind."""
    found = {kind: source.entered(kind) for kind in statements.KINDS}
    return {**found, "event": [entry for entry in source.entered("event") if entry.body.get("type") == statements.EXCHANGE]}


def forms_of(entered: Mapping[str, Sequence[Entry]], name: str) -> list[Exchange]:
    """Exchange forms of a meter, in order of time; of two for one time the one received later. A device's own event counts like a form."""
    found: dict[int, Exchange] = {}
    for entry in (*entered.get("event", ()), *entered.get(statements.EXCHANGE, ())):
        if entry.body.get("meter") == name and not statements.fault(statements.EXCHANGE, entry.body):
            time = statements.instant(entry.body["time"])
            found[time] = Exchange(time, statements.number(entry.body["last"]), statements.number(entry.body["first"]))
    return [found[time] for time in sorted(found)]


def stated_of(entered: Mapping[str, Sequence[Entry]]) -> dict[str, list[Quantity]]:
    """Stated quantities by meter; of two for one stretch the one received later."""
    found: dict[str, dict[tuple[int, int], Quantity]] = {}
    for entry in entered.get(statements.QUANTITY, ()):
        if statements.fault(statements.QUANTITY, entry.body) is None:
            one = Quantity(statements.instant(entry.body["start"]), statements.instant(entry.body["end"]), statements.number(entry.body["quantity"]))
            found.setdefault(str(entry.body["meter"]), {})[one.begin, one.end] = one
    return {name: sorted(some.values()) for name, some in found.items()}


def cause_of(days: Mapping[str, Collection[int]]) -> str:
    """Words for a restatement: which registers came late."""
    parts = [f"{name} {civil.date_of(min(some))}{f'…{civil.date_of(max(some))}' if len(some) > 1 else ''}" for name, some in sorted(days.items())]
    return f"late: {', '.join(parts[:4])}{f', +{len(parts) - 4}' if len(parts) > 4 else ''}"
