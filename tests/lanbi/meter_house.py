"""A works with four meters and two weeks of registers over New Year: a store, an analyst beside it, and readings as the forwarder brings them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from domain import civil
from domain.indicators import Indicator, Query
from domain.places import County, Dated, Device, Enterprise, Meter, Registry
from domain.readings import Change, Entry, Reading
from lanbi.analyse import Follower
from lanbi.analyst import Analyst
from lanbi.embedded import EmbeddedStore
from tests.lanbi.figures_house import Hand

START = civil.parse_time("2024-12-25T00:00:00+08:00")
NOW = civil.parse_time("2025-01-06T02:30:00+08:00")
QUARTER = 900
ALWAYS = Dated.always
METERS = {
    "main": Meter("main", "works", "electricity", ALWAYS("main"), "kWh", ALWAYS("100"), resolution="0.01", modulus="1000", max_power="4000"),
    "line": Meter("line", "works", "electricity", ALWAYS("production"), "kWh", ALWAYS("40"), flow="internal", resolution="0.01", max_power="4000"),
    "fan": Meter("fan", "works", "electricity", ALWAYS("treatment"), "kWh", ALWAYS("10"), flow="internal", resolution="0.01", max_power="400", treats="line"),
    "water": Meter("water", "works", "water", ALWAYS("main"), "m3", ALWAYS("1"), resolution="0.1", max_rate="100"),
    "other": Meter("other", "mill", "electricity", ALWAYS("main"), "kWh", ALWAYS("1"), resolution="0.01", max_power="100"),
}


def registry(**changed: Meter) -> Registry:
    """Two enterprises with five meters, each with its device."""
    meters = {**METERS, **changed}
    devices = {
        f"d-{name}": Device(f"d-{name}", ALWAYS((name,)), ALWAYS("lanbi-json"), ALWAYS("accepted"), QUARTER, ALWAYS(None), ALWAYS("end"), ALWAYS("s"))
        for name in meters
    }
    enterprises = {"works": Enterprise("works", "厂", "", "steel", two_high=True), "mill": Enterprise("mill", "坊", "", "paper")}
    empty: dict[str, Any] = {}
    return Registry(County("c", "c", "shandong"), empty, empty, empty, enterprises, meters, empty, empty, empty, devices, "v1")


def units(name: str) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Units that a meter has turned at each quarter hour, never rolled over."""
    chance = np.random.default_rng(sum(map(ord, name)))
    return 90_000 + np.cumsum(chance.integers(1, 40, (NOW - START) // QUARTER + 1))


def at(text: str) -> int:
    """An instant in China."""
    return civil.parse_time(text, civil.SHANGHAI)


def turned(name: str, begin: str, end: str) -> Decimal:
    """What a meter counted between two instants."""
    meter, own = METERS[name], units(name)
    first, last = ((at(text) - START) // QUARTER for text in (begin, end))
    return int(own[last] - own[first]) * Decimal(meter.resolution) * Decimal(meter.multiplier.newest)


def history() -> list[Reading]:
    """Every quarter hour of every meter."""
    found = []
    for name, meter in METERS.items():
        whole = int(float(meter.modulus) / float(meter.resolution)) if meter.modulus else 2**60
        for place, shown in enumerate((units(name) % whole).tolist()):
            value = round(shown * float(meter.resolution), 2)
            found.append(Reading("meter", name, 0, START + QUARTER * place, {"register": value}, {}, place))
    return found


HISTORY = history()


class MeterHouse:
    """A store with an analyst beside it."""

    def __init__(self, folder: Path, known: Registry | None = None) -> None:
        self.store = EmbeddedStore(folder / "store.db")
        self.clock = Hand(NOW)
        self.batch = 0
        self.registry = known or registry()
        self.follower = self.open()

    def open(self) -> Follower:
        """A process that starts on what is stored."""
        return Follower(Analyst(self.store, self.store, self.registry, ()), self.store, self.clock)

    def bring(self, rows: list[Reading]) -> None:
        """Store readings and announce them, as the forwarder does."""
        self.store.write(rows)
        days: dict[int, set[str]] = {}
        for row in rows:
            days.setdefault(civil.day_of(row.time), set()).add(row.source)
        self._announce({day: tuple(sorted(sites)) for day, sites in days.items()})

    def say(self, kind: str, day: str, **body: str) -> None:
        """Enter something, and announce it, as the forwarder does."""
        number = len(self.store.entered(kind))
        self.store.enter([Entry(kind, f"person/{kind}-{number}", (NOW + number) * 10**9, "李工", {"user": "李工", **body})])
        self._announce({civil.parse_date(day): (f"~{kind}", *([body["meter"]] if "meter" in body else []))})

    def _announce(self, days: dict[int, tuple[str, ...]]) -> None:
        changes = [Change("i", self.batch + place, day, sites) for place, (day, sites) in enumerate(sorted(days.items()), 1)]
        self.batch += len(changes)
        self.store.changes(changes)

    def figures(self) -> dict[tuple[object, ...], Indicator]:
        """Everything that is stored, without what may differ between two ways to the same figure: instants, versions, and how a gap was mended."""
        rows = self.store.series(Query(basis=None, limit=10**6))
        return {row.key: replace(row, computed=None, version=1.0) for row in rows if row.valid and row.figure != "meter_repair"}

    def value(self, figure: str, scope: str, period: str, date: str) -> Indicator:
        """One figure by the date of its last day."""
        time = civil.period_stamp(civil.parse_date(date))
        (found,) = self.store.series(Query(figure=figure, scope=scope, period=period, basis=None, start=time - 1, end=time))
        return found

    def events(self, kind: str) -> list[tuple[str, str]]:
        """Source and text of the events of a kind, the oldest first."""
        return [(row.source, row.text) for row in reversed(self.store.event_rows(0, 2**40, 10**6)) if row.kind == kind]

    def close(self) -> None:
        """Close the store."""
        self.store.close()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[MeterHouse]:
    """The works with all its registers."""
    one = MeterHouse(tmp_path)
    one.bring(HISTORY)
    one.follower.start()
    yield one
    one.close()
