"""The completeness ledger as it is kept: rows of the days that changed, of their months and of the year, at stations and in the county."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from analytics import ledger
from analytics.air import days as air_days
from analytics.jobs import county, ledgers
from analytics.jobs.ledgers import Scope
from domain import civil
from domain.indicators import Indicator, side_by_side
from domain.places import ASSESSMENT, Registry
from lanbi.refusals import NoRefusals, Refusals
from lanbi.settling import Book, Settler

RECENT_DAYS: Final = 2
"""Today and yesterday are looked at again whenever time passes."""


@dataclass
class Account:
    """What is known of one site's year: its validity, and the main reason of each day's losses."""

    scope: Scope
    reasons: list[str]


@dataclass
class Bookkeeper:
    """Writes the ledger; its rows follow from the cube, the registry and what was refused, and are never restated.

    Attributes
    ----------
    refusals : Refusals
        What ingest refused, as far as this machine knows.
    """

    settler: Settler
    registry: Registry
    refusals: Refusals = field(default_factory=NoRefusals)
    accounts: dict[tuple[int, str], Account] = field(default_factory=dict)

    def keep(self, book: Book, due: Mapping[str, Collection[int]], now: int) -> None:
        """Write the ledgers of some stations' days and, where they belong to it, of the county's.

        Parameters
        ----------
        due : mapping of str to collection of int
            Civil days, by station.
        """
        for site, days in due.items():
            if site in self.registry.air_stations and site in book.bases:
                self._write(self._station(book, site, self._begun(book, site, days), now), now)
        whole = {day for site, days in due.items() if site in self.registry.air_stations for day in days}
        self._write(self._county(book, whole, now), now)

    def _write(self, rows: Iterable[Indicator], now: int) -> None:
        self.settler.derived_blocks(block._replace(computed=float(now)) for block in side_by_side(rows))

    def forget(self, years: Collection[int]) -> None:
        """Drop what is known of other years."""
        self.accounts = {key: account for key, account in self.accounts.items() if key[0] in years}

    @staticmethod
    def _begun(book: Book, site: str, days: Collection[int]) -> list[int]:
        first, begun = civil.year_days(book.year)[0], len(book.bases[site].raw.shown)
        return [day for day in days if first <= day < first + begun]

    def _station(self, book: Book, site: str, days: Collection[int], now: int) -> list[Indicator]:
        year, raw = book.sites[site], book.bases[site].raw
        span = year.first, year.first + len(raw.shown) - 1
        found = ledger.hours(year, span, now, self.refusals.of(site, civil.day_start(span[0]), civil.day_end(span[1])))
        ledger.unknown(found, raw.hours < 0)
        for day in ledger.silent_days(found):
            reason = self._unserved(site, day)
            if reason:
                ledger.unserved(found, day, reason)
        scope = ledgers.station(site, found, raw.shown)
        account = Account(scope, ledger.main_reasons(found))
        if self._asked(site):
            self.accounts[book.year, site] = account
        if not days:
            return []
        return [*ledgers.day_rows(scope, found, days), *ledgers.period_rows(scope, account.reasons, _months(days))]

    def _asked(self, site: str) -> bool:
        """Whether the county's ledger asks for a station's: of a province's many stations few are ever assessed."""
        return any(role == ASSESSMENT for _, role in self.registry.air_stations[site].role.steps)

    def _unserved(self, site: str, day: int) -> str:
        device = self.registry.device_of(site, day)
        state = device.state.on(day) if device is not None else None
        return "no-device" if state in {None, "retired"} else "trial" if state == "trial" else ""

    def _county(self, book: Book, days: Collection[int], now: int) -> list[Indicator]:
        known, scope = book.bases.get(self.registry.county.id), self.registry.county.id
        if known is None or not days:
            return []
        shown, first = known.raw.shown, civil.year_days(book.year)[0]
        names, member = county.members(self.registry, first, len(shown))
        accounts = [self._account(book, name, len(shown), now) for name in names]
        members = [account.scope for account in accounts]
        whole = ledgers.city(scope, members, member, shown, air_days.quorum(len(names)))
        reasons = [_commonest([account.reasons[row] for account, inside in zip(accounts, member[row], strict=True) if inside]) for row in range(len(shown))]
        own = [day for day in days if first <= day < first + len(shown)]
        rows = ledgers.city_rows(whole, members, [account.reasons for account in accounts], member, own)
        return [*rows, *ledgers.period_rows(whole, reasons, _months(own))]

    def _account(self, book: Book, site: str, begun: int, now: int) -> Account:
        account = self.accounts.get((book.year, site))
        if account is None or len(account.scope.shown) != begun:
            self._station(book, site, (), now)
        return self.accounts[book.year, site]


def recent(now: int) -> list[int]:
    """Civil days that the passing of time changes."""
    today = civil.day_of(now)
    return list(range(today - RECENT_DAYS + 1, today + 1))


def _months(days: Collection[int]) -> set[int]:
    return {civil.month_of_day(day)[1] for day in days}


def _commonest(reasons: list[str]) -> str:
    found = sorted(reason for reason in reasons if reason)
    return max(dict.fromkeys(found), key=found.count) if found else ""
