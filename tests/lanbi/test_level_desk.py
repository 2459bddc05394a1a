"""Levels as stored figures: warning, guarantee, rise, wells against limit and past, and the plan's target on groundwater."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from domain import civil
from domain.indicators import Event
from domain.places import Registry, Well
from domain.readings import Reading
from domain.targets import Plan, Target, YearValue
from tests.lanbi.water_house import WaterHouse, at, brought, registry, sections

ID = "water.groundwater.level"


def groundwater(goal: str | None = None, op: str = "track") -> Plan:
    """A plan that watches the wells, or wants a level."""
    values = () if goal is None else (YearValue(2025, Decimal(goal)),)
    return Plan("p", "", "", 2025, (Target(ID, "", "", "", op, "m", "continuous", "sensor", values=values),))


def county() -> Registry:
    """A section with levels, flow and rate of rise, one without any, and two wells."""
    places = sections()
    places["w1"] = replace(places["w1"], levels={"warning": "31.5", "guarantee": "32.8", "rise": "0.3"}, flows={"warning": "120"})
    return replace(registry(places), wells={"g1": Well("g1", "深井", "-12.5"), "g2": Well("g2", "浅井")})


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WaterHouse]:
    """A house without readings, its process started on 10 April."""
    found = WaterHouse(tmp_path, county(), groundwater())
    found.follower.start()
    yield found
    found.close()


def seen(site: str, time: str, rev: int = 1, **values: float) -> Reading:
    """An instantaneous record."""
    return Reading("water", site, 0, at(time), values, {}, rev)


def daily(site: str, first: str, last: str, level: float) -> list[Reading]:
    """The same level at noon of some days."""
    start, end = (civil.parse_date(day) for day in (first, last))
    return [Reading("water", site, 0, civil.day_start(day) + 12 * 3_600, {"level": level}, {}, 1) for day in range(start, end + 1)]


def alarms(house: WaterHouse, kind: str) -> list[Event]:
    """Events of one line, oldest first."""
    return [event for event in house.store.event_rows(0, 2**60, 1_000) if event.kind == kind][::-1]


def test_a_flood_is_told_line_by_line_and_ends(house: WaterHouse) -> None:
    """Above warning, above guarantee, back: the state follows the newest record, the events keep crest and times."""
    brought(house, seen("w1", "2025-04-10T01:00", level=31.2), seen("w1", "2025-04-10T03:00", level=31.5))
    assert ("warning", 1.0) == ((row := house.newest("water_level_state", "w1", "day")).status, row.value)

    brought(house, seen("w1", "2025-04-10T05:00", level=32.8), seen("w1", "2025-04-10T06:00", level=33.0, flow=150.0))
    row = house.newest("water_level_state", "w1", "day")
    assert ("guarantee", 2.0, 33.0, 0.2) == (row.status, row.value, json.loads(row.text)["level"], json.loads(row.text)["rise"])

    brought(house, seen("w1", "2025-04-10T09:00", level=31.0, flow=80.0))
    assert ("normal", 0.0) == ((row := house.newest("water_level_state", "w1", "day")).status, row.value)
    (crest,) = alarms(house, "level-guarantee")
    body = json.loads(crest.text)
    assert (33.0, "2025-04-10T06:00:00+08:00", "2025-04-10T09:00:00+08:00", 2) == (crest.value, *(body[name] for name in ("at", "to", "records")))
    assert ["level", "flow"] == [json.loads(event.text)["item"] for event in alarms(house, "level-warning")]


def test_a_fast_rise_below_the_warning_value_is_told(house: WaterHouse) -> None:
    """0.35 m in an hour: rising, although far below the warning level."""
    brought(house, seen("w1", "2025-04-10T08:00", level=27.0), seen("w1", "2025-04-10T09:00", level=27.35))

    assert ("rise", 1.0) == ((row := house.newest("water_level_state", "w1", "day")).status, row.value)
    (event,) = alarms(house, "level-rise")
    assert (0.35, "m/h") == (event.value, json.loads(event.text)["unit"])


def test_a_corrected_crest_takes_its_events_back(house: WaterHouse) -> None:
    """The crest was a slip: the state falls back, and the events say withdrawn."""
    brought(house, seen("w1", "2025-04-10T05:00", level=33.0))
    brought(house, seen("w1", "2025-04-10T05:00", 2, level=30.3))

    assert "normal" == house.newest("water_level_state", "w1", "day").status
    assert ['{"withdrawn": true}', 0.0] == [(event := alarms(house, "level-guarantee")[0]).text, event.value]


def test_a_section_without_lines_has_its_level_and_no_state(house: WaterHouse) -> None:
    """Nothing is registered for w2: its mean is stored."""
    brought(house, seen("w2", "2025-04-10T05:00", level=30.005), seen("w2", "2025-04-10T06:00", level=30.015))

    assert 30.01 == house.newest("water_level", "w2", "day").value
    assert [] == house.told("water_level_state", "w2", "day")


def test_a_well_stands_against_its_limit_and_its_own_past(house: WaterHouse) -> None:
    """March 0.4 m lower than last March, and low since the 20th: margin, change, state, event."""
    brought(house, *daily("g1", "2024-03-01", "2024-03-31", -12.0))
    brought(house, *daily("g1", "2025-03-01", "2025-03-19", -12.3), *daily("g1", "2025-03-20", "2025-04-09", -12.6))

    month = house.told("water_level", "g1", "month")[-1]
    assert (-12.42, -12.5, 0.08, "normal") == (month.value, month.target, month.margin, month.status)
    change = house.told("water_level_yoy", "g1", "month")[-1]
    assert (-0.42, -12.0) == (change.value, change.target)
    assert ("low", 1.0) == ((row := house.newest("water_level_state", "g1", "day")).status, row.value)
    (event,) = alarms(house, "level-low")
    assert "2025-03-20" == civil.date_of(civil.day_of(event.time)).isoformat()


def test_february_is_compared_with_all_of_last_february(house: WaterHouse) -> None:
    """The last February had 29 days: the month is held against the level that it was stored with, the running year on the 28th against that of its date."""
    brought(house, *daily("g1", "2024-02-01", "2024-02-28", -12.0), *daily("g1", "2024-02-29", "2024-02-29", -26.5))
    brought(house, *daily("g1", "2025-02-01", "2025-02-28", -12.0))

    (month,) = house.told("water_level_yoy", "g1", "month")
    assert (0.5, -12.5) == (month.value, month.target)
    so_far = house.told("water_level_yoy", "g1", "ytd")
    days = {civil.date_of(civil.day_of(row.time + 1)).isoformat(): row.target for row in so_far}
    assert (-12.0, -12.5) == (days["2025-02-28"], days["2025-03-01"])


def test_the_target_on_groundwater_tells_the_mean_and_who_is_low(house: WaterHouse) -> None:
    """Watched without a value: the mean of both wells, the low one since when, each with limit and change."""
    brought(house, *daily("g1", "2024-01-01", "2024-12-31", -12.0), *daily("g2", "2025-01-01", "2025-04-09", -8.0))
    brought(house, *daily("g1", "2025-01-01", "2025-04-09", -12.6))

    row = house.newest(ID, "c", "ytd")
    assert (-10.3, "no-target", 2.0, 2.0) == (row.value, row.status, row.valid, row.expected)
    body = json.loads(row.text)
    assert [("g1", "2025-01-01", -12.6)] == [(one["id"], one["since"], one["value"]) for one in body["sections"]]
    assert {"level": -12.6, "limit": "-12.5", "change": -0.6, "last_year": -12.0} == body["wells"]["g1"]
    assert "深井" in body["note_zh"]


def test_a_level_that_is_wanted_is_judged(tmp_path: Path) -> None:
    """At least −11 m: the mean keeps it, but a low well is a risk."""
    house = WaterHouse(tmp_path, county(), groundwater("-11", ">="))
    house.follower.start()
    brought(house, *daily("g1", "2025-01-01", "2025-04-09", -12.4), *daily("g2", "2025-01-01", "2025-04-09", -8.0))
    assert ("on-course", 0.8) == ((row := house.newest(ID, "c", "ytd")).status, row.margin)

    brought(house, *daily("g1", "2025-04-09", "2025-04-09", -12.5))
    assert "at-risk" == house.newest(ID, "c", "ytd").status
    house.close()


def test_a_start_on_what_is_stored_writes_nothing(house: WaterHouse) -> None:
    """Wells of two years and a flood: a new process finds all as it left it, also the changes of last year."""
    brought(house, *daily("g1", "2023-01-01", "2023-12-31", -11.0), *daily("g1", "2024-01-01", "2025-04-09", -12.6))
    brought(house, seen("w1", "2025-04-09T05:00", level=33.0))
    before = house.figures()
    again = house.open()
    again.start()

    assert (0, 0) == (again.analyst.settler.written, again.analyst.settler.restated)
    assert before == house.figures()
    assert 12 == len([row for row in house.told("water_level_yoy", "g1", "month") if civil.date_of(civil.day_of(row.time + 1)).year == 2024])
