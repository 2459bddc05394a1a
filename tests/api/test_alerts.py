"""Alarms over HTTP."""

from __future__ import annotations

import json

from domain.indicators import Event
from domain.readings import Entry
from tests.api.own import client, county
from tests.api.seeded import NOW, County
from tests.api.served import Client

__all__ = ["client", "county"]

BODY = {"item": "pm25", "onset": "2025-10-10T00:00:00+08:00", "size": 38.0, "unit": "%", "beside": ["sc-a02"]}


def seed(county: County) -> None:
    """A drift, a standing sensor that was taken back, a breach long ago, and an event that calls for nobody."""
    rows = [
        Event("step", "sc-a01", NOW - 7_200, 38.0, json.dumps(BODY)),
        Event("stuck", "sc-a03", NOW - 3_600, None, '{"withdrawn": true}'),
        Event("class-breach", "sc-w01", NOW - 90 * 86_400, 5.0, "{}"),
        Event("registry", "sc", NOW - 60, None, "abc"),
    ]
    county.sources().figures.events(rows)  # type: ignore[attr-defined]  the store behind it is both


def test_alarms_are_listed_newest_first_with_words_and_details(client: Client, county: County) -> None:
    """Of the last month, with the place's name; what later data took back says so; other events are none."""
    seed(county)
    rows = client.get("/api/v1/alerts").json()["items"]

    assert [("stuck", True, None), ("step", False, 38.0)] == [(row["kind"], row["withdrawn"], row["value"]) for row in rows]
    assert ("区政府", "pm25", "%") == (rows[1]["name"], rows[1]["details"]["item"], rows[1]["details"]["unit"])
    assert rows[1]["zh"]


def test_alarms_are_asked_by_range_and_kind_and_paged(client: Client, county: County) -> None:
    """A longer range reaches back, a kind chooses, and pages follow each other without a gap."""
    seed(county)
    wide = "/api/v1/alerts?from=2025-07-01"
    assert ["class-breach"] == [row["kind"] for row in client.get(f"{wide}&kind=class-breach").json()["items"]]
    first = client.get(f"{wide}&limit=2").json()
    rest = client.get(f"{wide}&limit=2&cursor={first['next']}").json()

    assert (["stuck", "step"], ["class-breach"], None) == ([row["kind"] for row in first["items"]], [row["kind"] for row in rest["items"]], rest["next"])


def test_the_last_word_of_an_operator_stands_beside_its_alarm(client: Client, county: County) -> None:
    """An alarm is named, and shows verdict, person, reason; the others say null."""
    seed(county)
    step = next(row for row in client.get("/api/v1/alerts").json()["items"] if row["kind"] == "step")
    body = {"user": "王工", "alarm": step["alarm"], "verdict": "known-work", "reason": "校准", "document": "检查单"}
    county.sources().entries.enter([Entry("verdict", "person/9", NOW * 10**9, "王工", body)])

    rows = {row["kind"]: row["verdict"] for row in client.get("/api/v1/alerts").json()["items"]}
    assert ("known-work", "已知作业", "王工", "校准") == tuple(rows["step"][name] for name in ("verdict", "zh", "person", "reason"))
    assert rows["stuck"] is None
