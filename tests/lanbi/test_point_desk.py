"""Permit points as stored figures: exceedances, completeness, marks of the enterprise and of people, and who is supervised."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from domain import civil
from domain.indicators import Event
from domain.places import Dated, Device, Enterprise, Permit, Point, PointLimit, Registry
from domain.readings import Change, Entry, Reading
from domain.targets import Plan, Target, YearValue
from ingest.entries import announce
from tests.lanbi.water_house import WaterHouse, brought, registry

NOW = civil.parse_time("2025-02-10T10:30:00+08:00")
LIMITS = (PointLimit("cod", "50", "hour", 0), PointLimit("cod", "40", "day", 0))
PLACES = {
    "o1": Point("o1", "总排口", "e", "outfall", LIMITS, permit=Permit("P1", 0, civil.parse_date("2025-02-05"))),
    "o2": Point("o2", "南排口", "e", "outfall", LIMITS, permit=Permit("P2", 0, 2**31)),
    "k1": Point("k1", "锅炉烟囱", "e", "stack", (PointLimit("nox", "100", "hour", 0),), permit=Permit("P3", 0, 2**31)),
}


def outfalls(goal: str | None = "100") -> Plan:
    """A plan that wants all outfalls supervised, or only watches them."""
    values = () if goal is None else (YearValue(2025, Decimal(goal)),)
    return Plan("p", "", "", 2025, (Target("water.outfall.supervision", "", "", "", ">=" if goal else "track", "%", "continuous", "sensor", values=values),))


def county(state: str = "accepted") -> Registry:
    """Three points, each with its device."""
    always, none = Dated.always, Dated.always(None)
    devices = {f"d-{name}": Device(f"d-{name}", always((name,)), always("x"), always(state), 3_600, none, always("end"), always("s")) for name in PLACES}
    return replace(registry(), points=PLACES, enterprises={"e": Enterprise("e", "化工")}, devices=devices)


class PointHouse(WaterHouse):
    """A store with an analyst of points beside it, on the morning of 10 February."""

    def open(self):  # type: ignore[no-untyped-def]  # noqa: ANN201  as the house
        """A process that starts on what is stored."""
        found = super().open()
        self.clock.now = NOW
        return found

    def enter(self, body: dict[str, object], number: int) -> None:
        """A person's mark, as the forwarder brings it."""
        entry = Entry("mark", f"person/{number}", number, "王工", body)
        self.store.enter([entry])
        days: dict[int, set[str]] = {}
        announce([entry], self.registry, days)
        self.store.changes([Change("p", number * 100 + place, day, tuple(sorted(sites))) for place, (day, sites) in enumerate(sorted(days.items()))])
        self.follower.position.seen["p"] = number * 100 - 1
        self.follower.step()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[PointHouse]:
    """A house without readings, its process started."""
    found = PointHouse(tmp_path, county(), outfalls())
    found.follower.start()
    yield found
    found.close()


def days(site: str, first: str, last: str, value: float = 30.0, item: str = "cod") -> list[Reading]:
    """The same value every hour of some days, as far as the hours have ended."""
    start, end = (civil.parse_date(day) for day in (first, last))
    times = (civil.day_start(day) + 3_600 * hour for day in range(start, end + 1) for hour in range(1, 25))
    return [Reading("point", site, 3_600, time, {item: value}, {}, 1) for time in times if time <= NOW]


def at(site: str, text: str, value: float, rev: int = 2, flag: str = "") -> Reading:
    """One hour, said again."""
    return Reading("point", site, 3_600, civil.parse_time(f"{text}:00+08:00"), {"cod": value}, {"cod": flag} if flag else {}, rev)


def over(house: PointHouse, site: str = "o1") -> list[Event]:
    """Events of a point over its limits."""
    return [event for event in house.store.event_rows(0, 2**60, 1_000) if event.kind == "point-over" and event.source == site]


def test_hours_days_multiples_and_completeness_are_stored(house: PointHouse) -> None:
    """Three hours over and a day's mean over: figures of the day, of January and of the year so far, and two events with their numbers."""
    brought(house, *days("o1", "2025-01-01", "2025-02-10"), *(at("o1", f"2025-01-20T{hour:02d}:00", 125.0) for hour in (8, 9, 10)))

    day = {row.figure: row for row in house.store.series(_ask("o1", "2025-01-20")) if row.period == "day"}
    assert (3.0, "over", 24.0, 24.0) == tuple(getattr(day["point_over_hours"], name) for name in ("value", "status", "valid", "expected"))
    assert (1.5, 1.0, 100.0, 0.0) == tuple(day[f"point_{name}"].value for name in ("multiple", "over_days", "capture", "marked_hours"))
    assert (3.0, 1.0, 1.5) == tuple(house.newest(f"point_{name}", "o1", "month").value for name in ("over_hours", "over_days", "multiple"))
    assert 3.0 == house.newest("point_over_hours", "o1", "ytd").value
    mean, hours = over(house)
    assert (1.5, 3, "hour", "50", "2025-01-20T08:00:00+08:00") == (
        hours.value,
        *(json.loads(hours.text)[name] for name in ("hours", "average", "limit", "from")),
    )
    assert (0.05, "day", 41.875) == (mean.value, json.loads(mean.text)["average"], json.loads(mean.text)["worst"])


def test_a_marked_hour_takes_the_exceedance_back(house: PointHouse) -> None:
    """The enterprise marks the hour as calibration afterwards: a restatement, and the event says withdrawn."""
    brought(house, *days("o1", "2025-01-01", "2025-02-10"), at("o1", "2025-01-20T08:00", 125.0))
    brought(house, at("o1", "2025-01-20T08:00", 125.0, 3, "C"))

    row = next(row for row in house.told("point_over_hours", "o1", "day") if row.value is not None and row.version > 1)
    assert (0.0, "within") == (row.value, row.status)
    said = {one.figure: (one.old, one.new) for one in house.store.restatements(0, 2**60, 1_000) if one.period == "day" and one.time == row.time}
    assert ((1.0, 0.0), (1.5, 0.0)) == (said["point_over_hours"], said["point_multiple"])
    assert {'{"withdrawn": true}'} == {event.text for event in over(house)}


def test_a_persons_mark_with_its_reason_does_too(house: PointHouse) -> None:
    """Held by a person: no exceedance; N gives it back."""
    brought(house, *days("o1", "2025-01-01", "2025-02-10"), at("o1", "2025-01-20T08:00", 125.0))
    body = {"source": "o1", "from": "2025-01-20T07:00:00+08:00", "to": "2025-01-20T08:00:00+08:00", "reason": "比对监测", "user": "王工"}
    house.enter({**body, "flag": "H"}, 1)
    assert 0.0 == house.newest("point_over_hours", "o1", "month").value

    house.enter({**body, "flag": "N"}, 2)
    assert 1.0 == house.newest("point_over_hours", "o1", "month").value


def test_supervised_are_points_with_whole_data_and_a_valid_permit(house: PointHouse) -> None:
    """o1's permit ended on 5 February, o2 is silent since the 1st, the stack is no outfall: 2 of 2, then 1, then 0."""
    brought(house, *days("o1", "2025-01-01", "2025-02-10"), *days("o2", "2025-01-01", "2025-02-01"), *days("k1", "2025-01-01", "2025-02-10", 50.0, "nox"))

    told = {civil.date_of(civil.day_of(row.time + 1)).isoformat(): row for row in house.told("water.outfall.supervision", "c", "ytd")}
    assert [100.0, 50.0, 0.0] == [told[f"2025-02-{day:02d}"].value for day in (4, 5, 6)]
    assert ("at-risk", -100.0, 0.0, 2.0) == tuple(getattr(told["2025-02-09"], name) for name in ("status", "margin", "valid", "expected"))
    costs = {one["id"]: one for one in json.loads(told["2025-02-09"].text)["sections"]}
    assert (["permit"], "2025-02-06") == (costs["o1"]["items"], costs["o1"]["since"])
    assert (["data"], "2025-02-05") == (costs["o2"]["items"], costs["o2"]["since"])
    assert 3.0 == house.newest("water.outfall.supervision.state", "c", "ytd").value
    assert (33.3, 1.0, 3.0) == tuple(getattr(house.newest("point_supervision", "c", "day"), name) for name in ("value", "valid", "expected"))


def test_a_target_that_is_only_watched_has_a_value_and_no_state(tmp_path: Path) -> None:
    """The plan's own row has no value: the share is told, 目标值待下达."""
    house = PointHouse(tmp_path, county(), outfalls(None))
    house.follower.start()
    brought(house, *days("o1", "2025-01-01", "2025-02-04"))

    row = house.newest("water.outfall.supervision", "c", "ytd")
    assert ("no-target", 0.0) == (row.status, row.value)
    assert [] == house.told("water.outfall.supervision.state", "c", "ytd")
    house.close()


def test_a_device_on_trial_enters_no_figure(tmp_path: Path) -> None:
    """Its hours are stored and judged nowhere, and none is due; the point counts as not supervised."""
    house = PointHouse(tmp_path, county("trial"), outfalls())
    house.follower.start()
    brought(house, *days("o1", "2025-01-20", "2025-01-20", 125.0))

    assert ([], []) == (house.told("point_over_hours", "o1", "day"), over(house))
    assert 0.0 == house.newest("water.outfall.supervision", "c", "ytd").value
    house.close()


def test_an_hour_that_passes_in_silence_is_due(house: PointHouse) -> None:
    """Today's completeness sinks with every hour that does not come."""
    brought(house, *days("o1", "2025-02-10", "2025-02-10"))
    assert (100.0, 10.0) == ((row := house.newest("point_capture", "o1", "day")).value, row.expected)
    house.clock.now += 2 * civil.HOUR_S
    house.follower.step()

    assert (83.3, 12.0) == ((row := house.newest("point_capture", "o1", "day")).value, row.expected)


def test_a_start_on_what_is_stored_writes_nothing_and_order_cannot_be_seen(tmp_path: Path) -> None:
    """Brought in two orders and read again by a new process: the same figures and events, nothing written."""
    rows = [*days("o1", "2025-01-01", "2025-02-10"), at("o1", "2025-01-20T08:00", 125.0), *days("o2", "2025-01-01", "2025-01-10", 45.0)]
    states = []
    for number, order in enumerate((rows, rows[::-1])):
        (tmp_path / str(number)).mkdir()
        house = PointHouse(tmp_path / str(number), county(), outfalls())
        house.follower.start()
        standing: dict[tuple[str, int], Reading] = {}
        for row in order:
            standing[row.source, row.time] = max(row, standing.get((row.source, row.time), row), key=lambda one: one.rev)
        brought(house, *standing.values())
        again = house.open()
        again.start()
        assert (0, 0) == (again.analyst.settler.written, again.analyst.settler.restated)
        states.append((house.figures(), sorted(event for event in house.store.event_rows(0, 2**60, 1_000) if event.kind == "point-over")))
        house.close()

    assert states[0] == states[1]
    assert len(states[0][0]) > 300


def _ask(scope: str, day: str):  # type: ignore[no-untyped-def]  # noqa: ANN202  a query
    from domain.indicators import Query

    stamp = civil.period_stamp(civil.parse_date(day))
    return Query(scope=scope, start=stamp - 1, end=stamp)
