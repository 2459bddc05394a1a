"""Electricity monitoring and orders beside the meters' figures: pairs wait in a queue and are looked at when nothing else is to do.

What is told is a pure function of registers, registry and entries of a year; a correction that takes a clue away withdraws it. Registers
are those that the meters' desk keeps.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Final

import numpy as np

from analytics.energy import orders, pairs
from analytics.energy.orders import Loads
from analytics.jobs import clues, ordered
from analytics.jobs.ordered import Around, Order
from domain import civil, energy, statements
from domain.civil import DAY_S, HOUR_S
from domain.clues import RULES
from domain.indicators import Event, Indicator, Query
from domain.readings import Entry
from domain.verdicts import Word, words
from lanbi.metering import Metering
from lanbi.settling import same
from lanbi.telling import Teller

BACK_S: Final = 35 * DAY_S
"""So far before a year its curves begin: five weeks to learn from."""
SIGNALS: Final = frozenset(f"~{kind}" for kind in (statements.CLUE, statements.LIST, statements.ORDERS, statements.RECEIPT))
KINDS: Final = frozenset({*RULES, ordered.EVENT})
WITHDRAWN: Final = "withdrawn"
_MANY: Final = 10_000_000
Waiting = tuple[int, str]


class ClueDesk:
    """Clues on treatment, and orders, as events and figures."""

    def __init__(self, metering: Metering) -> None:
        self.metering, self.registry = metering, metering.registry
        self.pulse: Callable[[], None] = lambda: None
        self.queue: dict[Waiting, None] = {}
        self._teller: Teller | None = None
        self._hour = -1
        self._rows: dict[Waiting, dict[tuple[object, ...], Indicator]] = {}
        self._given: list[Order] = []
        self._words: dict[str, list[Word]] = {}
        self._listed: list[Entry] = []
        self._receipts: list[Entry] = []
        self._read = False

    @cached_property
    def watched(self) -> dict[str, clues.Pair]:
        """Pairs that are looked at, by treatment meter."""
        return clues.watched(self.registry)

    @property
    def teller(self) -> Teller:
        """Clues and orders as they stand in the store, read at first use."""
        if self._teller is None:
            figures = self.metering.settler.figures
            self._teller = Teller(figures, (row for row in figures.event_rows(-1, 2**60, _MANY) if row.kind in KINDS))
        return self._teller

    def load(self, year: int, now: int, cause: str) -> None:
        """A year was read anew: everything in it is looked at again, when there is time."""
        del now, cause
        self._read = False
        self._wait(year, self.metering.owners)

    def refresh(self, touched: Iterable[tuple[str, int]], now: int) -> None:
        """What meters or entries changed is looked at again, this year and where it is learnt from."""
        del now
        owners: defaultdict[int, set[str]] = defaultdict(set)
        for name, day in touched:
            meter = self.registry.meters.get(name)
            if name in SIGNALS:
                self._read = False
                for year in self.metering.books:
                    owners[year] |= set(self.metering.owners)
            elif meter is not None:
                for year in {civil.year_of_day(day), civil.year_of_day(day + BACK_S // DAY_S)} & set(self.metering.books):
                    owners[year].add(meter.enterprise)
        for year, some in owners.items():
            self._wait(year, some)

    def pass_time(self, now: int) -> None:
        """Hourly: running stretches and orders go on, silence grows."""
        if now // HOUR_S != self._hour:
            self._hour = now // HOUR_S
            # A reduction list is about no day, so nobody announces it: it is in force within the hour.
            self._read = False
            self._wait(civil.year_of_day(civil.day_of(now)), self.metering.owners)

    def forget(self, keep: Collection[int]) -> None:
        """Drop what waits for years that nobody asks about."""
        self.queue = {one: None for one in self.queue if one[0] in keep}
        self._rows = {one: rows for one, rows in self._rows.items() if one[0] in keep}

    def _wait(self, year: int, owners: Iterable[str]) -> None:
        self.queue |= dict.fromkeys((year, owner) for owner in sorted(owners))

    def idle(self, now: int) -> bool:
        """Look at one enterprise; False if none waits."""
        if not self.queue:
            return False
        year, owner = next(iter(self.queue))
        del self.queue[year, owner]
        if year in self.metering.books:
            self._learn()
            self._look(year, owner, now)
        return True

    def _learn(self) -> None:
        if not self._read:
            source = self.metering.source
            self._given = ordered.given(source.entered(statements.ORDERS))
            self._words = words(source.entered(statements.CLUE))
            self._listed, self._receipts = source.entered(statements.LIST), source.entered(statements.RECEIPT)
            self._read = True

    def _look(self, year: int, owner: str, now: int) -> None:
        start, end = civil.year_span(year)
        told = [event for pair in self.watched.values() if pair.treatment.enterprise == owner for event in self._pair(pair, year, now)]
        verdicts = self._orders(owner, year, now)
        found = [event for event in (*told, *verdicts.events) if start <= event.time < end]
        sources = self._scopes(owner)
        self.teller.tell(found, lambda event: event.source in sources and start <= event.time < end)
        self._put((year, owner), verdicts.rows)

    def _scopes(self, owner: str) -> set[str]:
        """An enterprise with its meters and lines."""
        meters = (one.id for one in self.registry.meters.values() if one.enterprise == owner)
        return {owner, *meters, *(one.id for one in self.registry.lines.values() if one.enterprise == owner)}

    def _put(self, one: Waiting, rows: Sequence[Indicator]) -> None:
        """Write verdicts that differ; an hour that no order covers any more loses its value and says so."""
        settler, (start, end) = self.metering.settler, civil.year_span(one[0])
        if not (rows or self._given or one in self._rows):
            return
        if one not in self._rows:
            stored = (settler.figures.series(Query(ordered.FIGURE, scope, start=start, end=end)) for scope in sorted(self._scopes(one[1])))
            self._rows[one] = {row.key: row for some in stored for row in some}
        known, keys = self._rows[one], {row.key for row in rows}
        gone = [replace(row, value=None, valid=0.0, status=WITHDRAWN, text="") for key, row in known.items() if key not in keys]
        changed = [row for row in (*gone, *rows) if not same(known.get(row.key), row)]
        settler.derived(changed)
        known.update({row.key: row for row in changed})

    def _pair(self, pair: clues.Pair, year: int, now: int) -> Iterator[Event]:
        made, treated = (self.metering.desk.year(year, meter.id) for meter in pair)
        if made is None or treated is None:
            return
        start, end = civil.year_span(year)
        first = max(min(int(made.readings.times[0]), int(treated.readings.times[0])), start - BACK_S)
        known = clues.Known(made.counted, made.interval), clues.Known(treated.counted, treated.interval)
        shown = clues.curves(pair, known, (first, min(now, end)), self.registry.electricity)
        if shown is not None:
            yield from clues.found(pair, shown, self.registry.electricity, self._words.get(pair.treatment.id, ()))

    def _orders(self, owner: str, year: int, now: int) -> ordered.Verdicts:
        start, end = civil.year_span(year)
        own = [order for order in self._given if start <= order.begin < end and order.begin <= now]
        if not own:
            return ordered.Verdicts()
        asked = [(order, ordered.listed(self._listed, owner, order, self.registry)) for order in own]
        confirmed = ordered.receipts(self._receipts, owner)
        around = Around(self.registry, lambda names, order: self._loads(names, order, now), self._words, confirmed, now)
        return ordered.judged(owner, asked, around)

    def _loads(self, names: Sequence[str], order: Order, now: int) -> Loads | None:
        """Load of some meters by hour from four weeks before an order to its end, or to now."""
        year = civil.year_of_day(civil.day_of(order.begin))
        start = (order.begin // DAY_S - orders.BACK_DAYS - 1) * DAY_S
        count = max(0, (min(order.end, now) - start) // HOUR_S)
        load = np.zeros(count)
        for name in names:
            known = self.metering.desk.year(year, name)
            if known is None:
                return None
            kwh = float(energy.base_units(energy.ELECTRICITY, self.registry.meters[name].unit) or 1)
            load += pairs.power(known.counted, start, HOUR_S, count, kwh)
        hours = start + HOUR_S * np.arange(count)
        inside = np.zeros(count, bool)
        for other in self._given:
            inside |= (hours < other.end) & (hours + HOUR_S > other.begin)
        return Loads(start, load, inside)
