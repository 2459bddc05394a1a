"""Official figures beside ours in the running analyst."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from domain import civil, marks
from domain.indicators import Indicator, Query
from domain.readings import Change, Entry, Reading
from domain.targets import Plan, Target, YearValue
from lanbi.analyse import Follower
from lanbi.analyst import Analyst
from tests.lanbi.figures_house import STATIONS, House

NOW = civil.parse_time("2025-03-02T12:00:00+08:00")
VALUES = {"s1": 40.0, "s2": 44.0, "s3": 48.0, "s4": 52.0, "back": 10.0}
PLAN = Plan("p", "", "", 2024, (Target("air.pm25.annual_mean", "", "", "", "<=", "ug/m3", "annual", "sensor", values=(YearValue(2024, Decimal(42)),)),))


class Office(House):
    """A county with one winter month, judged by a plan of 2024."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.clock.now = NOW
        self.said = 0
        self.follower = self.open()

    def open(self) -> Follower:
        """A process that starts on what is stored."""
        return Follower(Analyst(self.store, self.store, self.registry, (PLAN,)), self.store, self.clock)

    def say(self, kind: str, *bodies: Mapping[str, Any]) -> None:
        """Enter what an authority says, as the forwarder does."""
        for body in bodies:
            self.said += 1
            self.store.enter([Entry(kind, f"import/{self.said}", NOW * 10**9 + self.said, "Li", body)])
            for day, sites in marks.touched(kind, body, self.registry).items():
                self.batch += 1
                self.store.changes([Change("i", self.batch, day, (*sorted(sites), marks.signal(kind)))])


def month(site: str, value: float, lost: int = 0) -> list[Reading]:
    """February 2025 at one value, less its first days."""
    first = civil.parse_date("2025-02-01")
    items = ("pm25", "pm10", "so2", "no2", "o3")
    return [
        Reading("air", site, 3_600, civil.day_start(day) + 3_600 * hour, dict.fromkeys(items, value) | {"co": 0.5}, {}, hour)
        for day in range(first + lost, first + 28)
        for hour in range(1, 25)
    ]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """The county with its month: 46.0 over the four stations."""
    one = Office(tmp_path)
    one.bring([row for site in STATIONS for row in month(site, VALUES[site])])
    one.follower.start()
    yield one
    one.close()


def official(value: str, **more: str) -> dict[str, str]:
    """The city's figure of February."""
    return {"scope": "c", "period": "2025-02", "item": "pm25", "value": value, "document": "月报2", **more}


def row(house: House, figure: str, date: str = "2025-02-28", period: str = "month") -> Indicator:
    """A row on the official basis."""
    stamp = civil.period_stamp(civil.parse_date(date))
    (found,) = house.store.series(Query(figure, "c", period, None, "official", stamp - 1, stamp))
    return found


def test_an_official_figure_stands_beside_ours(office: Office) -> None:
    """The difference, its percent, and both figures; without a way to explain it the cause is not known."""
    office.say("official", official("47.3", rank="7"))
    office.follower.step()
    found = row(office, "pm25_mean_official")

    assert (-1.3, 47.3, -2.7, "unknown", 28.0) == (found.value, found.target, found.margin, found.status, found.valid)
    assert {"ours": 46.0, "document": "月报2", "rank": "7"} == json.loads(found.text)
    assert 7.0 == row(office, "pm25_mean_rank").value


def test_another_set_of_stations_is_seen(office: Office) -> None:
    """An authority that leaves s4 out has 44.0."""
    office.say("official", official("44.0"))
    office.follower.step()

    assert "station-set" == row(office, "pm25_mean_official").status


def test_reviewed_data_explain_a_difference(office: Office) -> None:
    """When reviewed days arrive that give the official figure, the cause becomes the review."""
    office.say("official", official("47.0"))
    office.follower.step()
    before = row(office, "pm25_mean_official").status
    cells = [[24, "pm25", "56", "N"]]
    office.say("reviewed", *({"site": "s4", "date": f"2025-02-{day:02d}", "span": 86_400, "cells": cells, "document": "审核1"} for day in range(1, 29)))
    office.follower.step()
    found = row(office, "pm25_mean_official")

    assert ("unknown", "review") == (before, found.status)
    assert 47.0 == json.loads(found.text)["reviewed"]


def test_a_late_day_moves_the_difference(office: Office) -> None:
    """Ours changes, and so does what stands beside it."""
    office.say("official", official("46.0"))
    office.follower.step()
    before = row(office, "pm25_mean_official")
    office.bring([replace(one, values={**one.values, "pm25": 86.0}) for one in month("s1", 40.0)])
    office.follower.step()
    after = row(office, "pm25_mean_official")

    assert (0.0, "equal") == (before.value, before.status)
    assert (11.5, "unknown") == (after.value, after.status)


def test_what_a_correction_takes_away_leaves_no_difference(office: Office) -> None:
    """Where our figure is withdrawn its difference goes with it, as on a computation of everything; the official one stays beside nothing."""
    office.say("official", official("46.0"))
    office.follower.step()
    before = row(office, "pm25_mean_official")
    withdrawn = {site: [replace(one, values={**one.values, "pm25": None}, rev=10**6) for one in month(site, VALUES[site])] for site in STATIONS}
    office.bring([one for some in withdrawn.values() for one in some])
    office.follower.step()
    after = row(office, "pm25_mean_official")

    assert (0.0, "equal", 28.0) == (before.value, before.status, before.valid)
    assert (None, "", 0.0, 46.0) == (after.value, after.status, after.valid, after.target)
    assert {"document": "月报2"} == json.loads(after.text)


def test_counties_are_ranked_by_their_official_figures(office: Office) -> None:
    """Without a published rank, the figures of other counties that were imported give one; equal ones share it."""
    office.say("official", official("44.0"))
    office.say("official", *({**official(value), "scope": scope} for scope, value in (("other-1", "43.9"), ("other-2", "44.0"), ("other-3", "50"))))
    office.follower.step()
    found = row(office, "pm25_mean_rank")

    assert (2.0, 4.0) == (found.value, found.expected)


@pytest.mark.parametrize(("value", "status", "margin"), [("42.0", "met", 0.0), ("42.1", "missed", -0.1)])
def test_the_official_year_judges_the_target(office: Office, value: str, status: str, margin: float) -> None:
    """The authority's year decides on its own decimal; a corrected one is restated."""
    office.say("official", {"scope": "c", "period": "2024", "item": "pm25", "value": value, "document": "公报"})
    office.follower.step()
    found = row(office, "air.pm25.annual_mean", "2024-12-31", "year")
    office.say("official", {"scope": "c", "period": "2024", "item": "pm25", "value": "40.0", "document": "更正"})
    office.follower.step()
    again = row(office, "air.pm25.annual_mean", "2024-12-31", "year")
    said = [one for one in office.store.restatements(0, 2**40, 1_000) if one.figure == "air.pm25.annual_mean"]

    assert (status, margin, 42.0) == (found.status, found.margin, found.target)
    assert ("met", 2.0, 2.0) == (again.status, again.margin, again.version)
    assert [(float(value), 40.0, status, "met")] == [(one.old, one.new, one.old_status, one.new_status) for one in said]
    assert said[0].cause.startswith("official: ")
