"""A county of five stations and a week over New Year: a store, an analyst beside it, and readings as the forwarder brings them."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

from domain import civil
from domain.indicators import Indicator, Query
from domain.places import AirStation, County, Dated, Device, Registry
from domain.readings import Change, Reading
from domain.targets import Plan, Target, YearValue
from lanbi.analyse import Follower
from lanbi.analyst import Analyst
from lanbi.embedded import EmbeddedStore

START = civil.parse_time("2024-12-30T00:00:00+08:00")
NOW = civil.parse_time("2025-01-06T02:30:00+08:00")
STATIONS = ("s1", "s2", "s3", "s4", "back")
PLAN = Plan("p", "", "", 2025, (Target("air.pm25.annual_mean", "", "", "", "<=", "ug/m3", "annual", "sensor", values=(YearValue(2025, Decimal(42)),)),))


def registry(others: tuple[str, ...] = (), version: str = "v1") -> Registry:
    """Four assessment stations, of which some may have become township stations, and a control site."""
    roles = {name: "background" if name == "back" else "township" if name in others else "assessment" for name in STATIONS}
    stations = {name: AirStation(name, name, Dated.always(role)) for name, role in roles.items()}
    empty: dict[str, object] = {}
    devices = {f"d-{name}": device(name) for name in STATIONS}
    return Registry(County("c", "c"), empty, stations, empty, empty, empty, empty, empty, empty, devices, version)  # type: ignore[arg-type]


def device(site: str) -> Device:
    """The accepted device of a station, which reports every hour."""
    always = Dated.always
    return Device(f"d-{site}", always((site,)), always("lanbi-json"), always("accepted"), 3_600, always(None), always("end"), always("s"))


class Hand:
    """A clock turned by hand."""

    def __init__(self, now: int) -> None:
        self.now = now
        self.slept = 0.0

    def now_ns(self) -> int:
        """Wall time."""
        return self.now * 10**9

    def monotonic(self) -> float:
        """Seconds slept so far."""
        return self.slept

    def sleep(self, seconds: float) -> None:
        """Only note it."""
        self.slept += seconds


def history() -> list[Reading]:
    """A week over New Year, every hour of every station."""
    generator = np.random.default_rng(7)
    hours = (NOW - START) // 3_600
    values = generator.integers(5, 240, (len(STATIONS), hours, 6))
    return [
        Reading(
            "air",
            name,
            3_600,
            START + 3_600 * (h + 1),
            dict(zip(("pm25", "pm10", "so2", "no2", "co", "o3"), map(float, values[s, h] / [1, 1, 1, 1, 20, 1]), strict=True)),
            {},
            h,
        )
        for s, name in enumerate(STATIONS)
        for h in range(hours)
    ]


HISTORY = history()


class House:
    """A store with an analyst beside it; embedded unless another one is given."""

    def __init__(self, folder: Path, store: Any = None) -> None:
        self.store = store or EmbeddedStore(folder / "store.db")
        self.clock = Hand(NOW)
        self.batch = 0
        self.registry = registry()
        self.follower = self.open()

    def open(self) -> Follower:
        """A process that starts on what is stored."""
        return Follower(Analyst(self.store, self.store, self.registry, (PLAN,)), self.store, self.clock)

    @staticmethod
    def other_registry() -> Registry:
        """The next version: one station has left the county's assessment."""
        return registry(("s4",), "v2")

    def bring(self, rows: list[Reading]) -> None:
        """Store readings and announce them, as the forwarder does."""
        self.store.write(rows)
        days: dict[int, set[str]] = {}
        for row in rows:
            days.setdefault(civil.day_of(row.time), set()).add(row.source)
        changes = [Change("i", self.batch + place, day, tuple(sorted(sites))) for place, (day, sites) in enumerate(sorted(days.items()), 1)]
        self.batch += len(changes)
        self.store.changes(changes)

    def figures(self) -> dict[tuple[object, ...], Indicator]:
        """Everything that is stored, without what may differ between two ways to the same figure.

        How many alarms stand is such a thing: it counts what the watches have come to by their turns, not what was measured.
        """
        rows = self.store.series(Query(basis=None, limit=10**6))
        return {row.key: replace(row, computed=None, version=1.0) for row in rows if row.valid and row.figure != "sensor_alarms"}

    def close(self) -> None:
        """Close the store."""
        self.store.close()


def at_once(house: Any, rows: list[Reading]) -> dict[tuple[object, ...], Indicator]:
    """Figures of rows that are all there before the process starts; the house, of air or of meters, is closed then."""
    house.bring(rows)
    house.follower.start()
    found: dict[tuple[object, ...], Indicator] = house.figures()
    house.close()
    return found
