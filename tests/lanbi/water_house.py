"""A county of three rivers, a lake and a canal: a store, an analyst beside it, and records of the sections."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from domain import civil
from domain.indicators import Indicator, Query
from domain.places import County, Dated, Device, Registry, WaterSection
from domain.readings import Reading
from domain.targets import Plan, Target, YearValue
from lanbi.analyse import Follower
from lanbi.analyst import Analyst
from lanbi.embedded import EmbeddedStore
from tests.lanbi.figures_house import House

NOW = civil.parse_time("2025-04-10T10:30:00+08:00")
GOOD = {"do": 8.1, "codmn": 3.1, "nh3n": 0.2, "tp": 0.06, "tn": 3.4}
IDS = {
    "class_floor": ("water.section.class_floor", "<=", "4", "continuous"),
    "class_strive": ("water.section.class_strive", "<=", "3", "aspiration"),
    "good_ratio": ("water.national.good_ratio", ">=", "100", "year-end"),
    "tn_growth": ("water.national.tn_growth", "<", "0", "annual"),
}
PLAN = Plan(
    "p",
    "",
    "",
    2025,
    tuple(Target(name, "", "", "", op, "", kind, "sensor", values=(YearValue(2025, Decimal(goal)),)) for name, op, goal, kind in IDS.values()),
)


def sections(**changes: WaterSection) -> dict[str, WaterSection]:
    """Two national rivers with baselines, a local canal and a lake."""
    known = {
        "w1": WaterSection("w1", "大桥", "river", "national", match=("省|市|清河|大桥",), tn_2020="3.50"),
        "w2": WaterSection("w2", "闸口", "river", "national", match=("省|市|清河|闸口",), tn_2020="4.00"),
        "w3": WaterSection("w3", "干渠", "river", "local"),
        "w4": WaterSection("w4", "水库", "lake", "provincial"),
    }
    return known | changes


def registry(places: dict[str, WaterSection] | None = None, trial: tuple[str, ...] = ()) -> Registry:
    """A county of sections; some of their devices may be on trial."""
    places = places or sections()
    always, none = Dated.always, Dated.always(None)
    devices = {
        f"d-{name}": Device(
            f"d-{name}", always((name,)), always("lanbi-json"), always("trial" if name in trial else "accepted"), 14_400, none, always("end"), always("s")
        )
        for name in places
    }
    empty: dict[str, object] = {}
    return Registry(County("c", "c"), empty, empty, places, empty, empty, empty, empty, empty, devices, "v1")  # type: ignore[arg-type]


class WaterHouse(House):
    """A store with an analyst of waters beside it."""

    def __init__(self, folder: Path, known: Registry | None = None, plan: Plan = PLAN) -> None:
        self.plan, self.known = plan, known or registry()
        super().__init__(folder, EmbeddedStore(folder / "store.db"))

    def open(self) -> Follower:
        """A process that starts on what is stored."""
        self.registry = self.known
        self.clock.now = max(self.clock.now, NOW)
        return Follower(Analyst(self.store, self.store, self.known, (self.plan,)), self.store, self.clock)

    def told(self, figure: str, scope: str, period: str) -> list[Indicator]:
        """Rows of a figure in order of time."""
        return self.store.series(Query(figure, scope, period, limit=10**6))

    def newest(self, figure: str, scope: str, period: str) -> Indicator:
        """The last of them."""
        return self.told(figure, scope, period)[-1]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WaterHouse]:
    """A house without readings, its process started."""
    found = WaterHouse(tmp_path)
    found.follower.start()
    yield found
    found.close()


def brought(house: WaterHouse, *rows: Reading) -> None:
    """Bring rows and let the process work them in."""
    house.bring(list(rows))
    house.follower.step()


def at(text: str) -> int:
    """An instant of Beijing time."""
    return civil.parse_time(f"{text}:00+08:00")


def record(site: str, time: str, rev: int = 1, **changes: float | None) -> Reading:
    """A four-hourly record of good water, with some values changed."""
    values = {name: value for name, value in (GOOD | changes).items() if value is not None}
    return Reading("water", site, 14_400, at(time), values, {}, rev)


def steady(site: str, first: str, last: str, **changes: float | None) -> list[Reading]:
    """The same record every four hours of some days."""
    start, end = (civil.parse_date(day) for day in (first, last))
    return [record(site, civil.iso(civil.day_start(day) + 3_600 * hour)[:16], **changes) for day in range(start, end + 1) for hour in range(4, 25, 4)]
