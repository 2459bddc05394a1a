"""Targets carry how the year may end, learnt from the county's earlier years, and follow when those change."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from domain import civil
from domain.indicators import Indicator, Query
from domain.readings import Reading
from tests.lanbi.figures_house import House

TARGET = "air.pm25.annual_mean"
NOW = civil.parse_time("2025-10-06T02:30:00+08:00")
FIRST, LAST = civil.day_number(date(2023, 1, 1)), civil.day_number(date(2025, 10, 5))


def days() -> list[Reading]:
    """Daily values of every station since 2023: a season, another level each year."""
    chance = np.random.default_rng(11)
    rows = []
    for day in range(FIRST, LAST + 1):
        year = civil.year_of_day(day)
        season = 1 + 0.4 * np.cos(2 * np.pi * (day - civil.year_days(year)[0]) / 365)
        pm25 = float(round({2023: 50, 2024: 46, 2025: 43}[year] * season * np.exp(chance.normal(0, 0.3))))
        values = {"pm25": pm25, "pm10": 80.0, "so2": 8.0, "no2": 25.0, "co": 0.8, "o3_8h": 90.0}
        rows += [Reading("air", name, 86_400, civil.day_end(day), values, {}, day) for name in ("s1", "s2", "s3")]
    return rows


DAYS = days()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A county with days since 2023, seen on 6 October 2025; the tests stand in the order in which they change it."""
    one = House(tmp_path_factory.mktemp("county"))
    one.clock.now = NOW
    one.bring(DAYS)
    one.follower.start()
    yield one
    one.close()


def target(house: House, day: str, rules: str = "HJ633-2012") -> tuple[Indicator, dict[str, Any]]:
    """The target's row of a day with its details."""
    stamp = civil.period_stamp(civil.parse_date(day))
    (row,) = house.store.series(Query(TARGET, "c", "ytd", rules, "raw", stamp - 1, stamp))
    return row, json.loads(row.text)


def test_a_target_says_how_the_year_may_end(house: House) -> None:
    """Interval, median and chance of missing stand with the target of each day; in October the chance decides its state."""
    row, more = target(house, "2025-10-05")

    assert row.low90 is not None and row.high90 is not None and row.value is not None
    assert row.low90 < more["median"] < row.high90
    assert row.high90 - row.low90 < 12
    assert ("on-course" if more["p_miss"] <= 0.3 else "at-risk" if more["p_miss"] >= 0.7 else "undecidable") == row.status


def test_spring_is_not_yet_decidable(house: House) -> None:
    """In April the same year decides nothing unless the target lies outside its 90 % interval."""
    row, more = target(house, "2025-04-30")

    assert (0.05 < more["p_miss"] < 0.95, "undecidable") == (True, row.status)


def test_the_first_year_has_no_view(house: House) -> None:
    """2023 had nothing to learn from: its targets carry no projection."""
    assert [] == [row for row in house.store.series(Query(TARGET, "c", "ytd", None, "raw", 0, civil.day_start(FIRST + 366))) if row.low90 is not None]


def test_a_restart_writes_nothing(house: House) -> None:
    """The projection is a function of what is stored: a second look finds nothing new."""
    again = house.open()
    again.start()

    assert 0 == again.analyst.settler.written


def test_a_corrected_earlier_year_moves_the_view(tmp_path: Path, house: House) -> None:
    """Corrections in 2023 and on the last day of 2024 change this year's projections to those of a start on everything."""
    before = target(house, "2025-08-31")
    late = [row for row in DAYS if 0 <= civil.day_of(row.time) - FIRST < 90 or civil.date_of(civil.day_of(row.time)) == date(2024, 12, 31)]
    changed = [replace(row, values={**row.values, "pm25": 150.0}) for row in late]
    house.bring(changed)
    house.follower.step()
    after = target(house, "2025-08-31")
    (tmp_path / "batch").mkdir()
    whole = House(tmp_path / "batch")
    whole.clock.now = NOW
    whole.bring(DAYS)
    whole.bring(changed)
    whole.follower.start()
    wanted = {key: row for key, row in whole.figures().items() if row.figure == TARGET}
    whole.close()

    assert before != after
    assert wanted == {key: row for key, row in house.figures().items() if row.figure == TARGET}
