"""Nonsense through the whole path: refused or flagged with a reason before it enters a sum, and never felt by another series."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics import cube, filling
from analytics.jobs import stations
from domain import civil
from domain.indicators import Indicator, Query
from domain.items import AIR
from domain.readings import Reading
from lanbi.state import State
from tests.columns import columns
from tests.faults.orders import House
from tests.faults.parts.histories import FIRST, Delivery

DAY = FIRST + 2 * civil.DAY_S
GOOD = {"pm25": 40.0, "pm10": 70.0, "so2": 8.0, "no2": 30.0, "co": 0.8, "o3": 90.0}
KEY = tuple[object, ...]


def hours(station: str, values: dict[str, Any] = GOOD, first: int = 0, day: int = DAY) -> Delivery:
    """A day of hours of a station, numbered from ``first``."""
    rows = [{"seq": first + hour, "time": day + 3_600 * (hour + 1), "span": 3_600, "values": values} for hour in range(24)]
    return delivery(station, json.dumps(rows))


def delivery(station: str, payload: str) -> Delivery:
    """A message of a station."""
    return Delivery("mqtt", f"lanbi/v1/d-{station}/data", payload.encode())


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A house in which every station has had a good day."""
    one = House(tmp_path)
    one.journal([hours(station) for station in "ab"])
    one.machine.forward()
    one.look(restart=True)
    yield one
    one.close()


def bring(house: House, *payloads: str) -> list[tuple[str, str | None]]:
    """What station a says next; returns the reasons of what was refused."""
    house.journal([delivery("a", payload) for payload in payloads])
    house.machine.forward()
    house.look(restart=False)
    state = State(house.folder)
    refused = [(one.reason, one.item) for _, one in state.refused()]
    state.close()
    assert 0 == house.machine.law()["pending"]
    return refused


def of(house: House, *scopes: str) -> dict[KEY, Indicator]:
    """The figures that the house compares, of some scopes, with all that they are; when and how often they were computed is left out."""
    kept = house.figures()
    rows = house.store.series(Query(basis=None, limit=10**6))
    return {row.key: replace(row, computed=None, version=1.0) for row in rows if row.key in kept and row.scope in scopes}


LATE = DAY + 30 * 3_600


def one(values: str, flags: str = "{}", time: int = LATE) -> str:
    """One hour as text, so that NaN and 1e400 can be written."""
    return f'{{"seq": 900, "time": {time}, "span": 3600, "values": {values}, "flags": {flags}}}'


NONSENSE = [
    ("NaN", "not-finite"), ("Infinity", "not-finite"), ("-Infinity", "not-finite"), ("1e400", "not-finite"), ("1e20", "value-out-of-range"),
    ("1e15", "value-out-of-range"), ("9.96921e36", "value-out-of-range"), ("9999", "value-out-of-range"), ("-999", "value-out-of-range"),
    ("-9999", "value-out-of-range"), ("-10.1", "value-out-of-range"), ("10000.1", "value-out-of-range"), ('"35"', "bad-schema"), ("true", "bad-schema"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "reason"), NONSENSE)
def test_a_nonsense_value_costs_its_item_with_a_reason(house: House, value: str, reason: str) -> None:
    """The item is a dead letter with its reason, the other item of the reading counts, and no other series' figure moves."""
    before = of(house, "b")

    assert [(reason, "pm10")] == bring(house, one(f'{{"pm10": {value}, "no2": 33}}'))
    (row,) = list(house.store.rows("air", ["a"], LATE - 1, LATE))
    assert {"no2": 33.0} == dict(row.values)
    assert before == of(house, "b")
    assert not any(row.figure == "pm10" and row.time >= civil.day_start(civil.day_of(LATE)) for row in of(house, "a").values())


@pytest.mark.parametrize(("values", "reason"), [('{"pm25": 0.035, "pm10": 0.08, "so2": 0.01}', "unit-mismatch"), ('{"co": 900}', "value-out-of-range")])
def test_a_slip_of_units_is_refused(house: House, values: str, reason: str) -> None:
    """mg/m³ for µg/m³ refuses the whole reading, CO in µg/m³ its item; neither enters a mean."""
    before = house.figures()

    assert reason == bring(house, one(values))[0][0]
    assert before == house.figures()


def test_noise_below_zero_is_flagged_and_counts_as_zero(house: House) -> None:
    """-3 µg/m³ is stored as it came with flag Z, and enters the hour's AQI as 0."""
    assert [] == bring(house, one('{"pm25": -3, "pm10": 5, "so2": 2, "no2": 2, "co": 0.1, "o3": 2}'))
    (row,) = list(house.store.rows("air", ["a"], LATE - 1, LATE))

    assert (-3.0, {"pm25": "Z"}) == (row.values["pm25"], dict(row.flags))


def test_an_hour_twice_under_one_number_is_held(house: House) -> None:
    """The same number with another value or another flag is a conflict for a person; the first word stands."""
    first = f'{{"seq": 3, "time": {DAY + 4 * 3_600}, "span": 3600, "values": '
    found = bring(house, first + '{"pm25": 999}}', first + '{"pm25": 40}, "flags": {"pm25": "D"}}')

    assert [("conflict", "pm25")] * 2 == found
    (row,) = list(house.store.rows("air", ["a"], DAY + 4 * 3_600 - 1, DAY + 4 * 3_600))
    assert (40.0, {}) == (row.values["pm25"], dict(row.flags))


def test_a_flagged_hour_enters_no_mean(house: House) -> None:
    """A correction that flags five hours D leaves 19: the day has no PM2.5, all other items stay."""
    rows = [{"seq": 50 + h, "time": DAY + 3_600 * (h + 1), "span": 3_600, "values": {"pm25": 900}, "flags": {"pm25": "D"}, "corrects": True} for h in range(5)]
    before = {key: row for key, row in of(house, "a").items() if row.period == "day" and row.figure == "no2"}

    assert [] == bring(house, json.dumps(rows))
    days = {row.figure: row for row in of(house, "a").values() if row.period == "day" and row.rule_set == "HJ633-2012" and row.basis == "raw"}
    assert (None, 19.0) == (days["pm25"].value, days["pm25"].valid)
    assert before == {key: row for key, row in of(house, "a").items() if row.period == "day" and row.figure == "no2"}


def test_a_day_of_25_rows_has_24_hours(house: House) -> None:
    """Labels 00:00 and 24:00 of one date are hours of two days: the day keeps 24, and the first row goes to the day before."""
    rows = [{"seq": 100 + h, "time": DAY + 3_600 * h, "span": 3_600, "values": {**GOOD, "so2": 50.0 if h == 0 else 8.0}} for h in range(25)]
    bring(house, json.dumps(rows))
    days = {row.time: row for row in of(house, "a").values() if (row.figure, row.period, row.rule_set) == ("so2", "day", "HJ633-2012")}

    assert (8.0, 24.0) == (days[DAY].value, days[DAY].valid)
    assert (None, 1.0) == (days[DAY - civil.DAY_S].value, days[DAY - civil.DAY_S].valid)


GARBAGE = st.one_of(st.floats(), st.just(9_999.0), st.floats(-20, 3_000), st.integers(-(10**30), 10**30))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(st.integers(0, 60), st.sampled_from(AIR), GARBAGE), min_size=1, max_size=30), data=st.data())
def test_one_bad_series_changes_no_other(house: House, rows: list[tuple[int, str, Any]], data: st.DataObject) -> None:
    """Whatever one station says, no figure of another station moves, and the account adds up."""
    before = of(house, "b")
    number = data.draw(st.integers(10_000, 10**9), "number")
    bodies = [
        f'{{"seq": {number + place}, "time": {DAY + 3_600 * hour}, "span": 3600, "values": {{"{item}": {json.dumps(value)}}}}}'
        for place, (hour, item, value) in enumerate(rows)
    ]
    bring(house, *bodies)

    assert before == of(house, "b")


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 23), st.integers(0, 2_000_000)), max_size=24), st.sampled_from(AIR))
def test_one_bad_item_changes_no_other(cells: list[tuple[int, int]], item: str) -> None:
    """Whatever one item of a station holds, the other items' days are the same to the bit."""
    place = AIR.index(item)

    def days(values: list[tuple[int, int]]) -> np.ndarray:
        year = cube.empty(2025)
        rows = [Reading("air", "a", 3_600, civil.day_start(year.first) + 3_600 * (hour + 1), dict(GOOD), {}, 1) for hour in range(24)]
        rows += [Reading("air", "a", 3_600, civil.day_start(year.first) + 3_600 * (h + 1), {**GOOD, item: v / 1_000}, {}, 2) for h, v in values]
        by_time = {row.time: row for row in rows}
        filling.fill(year, columns(by_time.values()), lambda _: 60)
        return np.delete(stations.daily(year, 1).exact[0], place)

    assert days([]).tolist() == days(cells).tolist()
