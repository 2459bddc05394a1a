"""Meters, enterprises, clues and orders over HTTP: stored rows, paged, and nothing computed."""

from __future__ import annotations

import json

import pytest

from domain import civil
from domain.indicators import Event, Indicator
from tests.api.own import client, county
from tests.api.seeded import NOW, TODAY, County
from tests.api.served import Client

__all__ = ["client", "county"]

HOUR = NOW // 3_600 * 3_600
TRAIL = [{"time": "2025-10-14T12:00:00+08:00", "state": "open", "user": "lanbi", "reason": "x"}]
CLUE = {
    "state": "open",
    "rule": "E1",
    "from": civil.iso(HOUR - 9_000),
    "to": civil.iso(HOUR),
    "minutes": 150,
    "treatment_kw": 0.0,
    "curves": {"step": 900},
    "trail": TRAIL,
}
ORDER = {
    "level": "orange", "zh": "橙色", "from": civil.iso(HOUR - 86_400), "to": civil.iso(HOUR), "document": "某指办1号", "receipt": {"time": civil.iso(HOUR), "user": "张"},
    "measures": [{"line": "", "measure": "限产", "share": 50.0, "meters": ["m-0002"]}], "hours": {"obeyed": 20, "not-obeyed": 1, "cannot-tell": 3}, "why": {"no-data": 3},
}  # fmt: skip


def seed(county: County) -> None:
    """Two days of a meter's hours, three months of an enterprise, clues in every state, an order, and a meter's own event."""
    store = county.sources().figures
    hours = [Indicator("meter_use", "hour", "m-0001", "none", HOUR - 3_600 * back, 100.5 + back, valid=60, expected=60, status="") for back in range(48)]
    days = [Indicator("meter_use", "day", "m-0001", "none", civil.period_stamp(TODAY - back), 2_400.0, valid=24, expected=24) for back in range(1, 4)]
    months = [civil.period_stamp(civil.parse_date(date)) for date in ("2025-08-31", "2025-09-30", "2025-10-31")]
    energy = [
        Indicator(figure, "month", "e-001", "none", time, 7.5, valid=31, expected=31, status="incomplete")
        for figure in ("co2", "energy_tce")
        for time in months
    ]
    store.put([*hours, *days, *energy])  # type: ignore[attr-defined]  the store behind it is both
    rows = [
        Event("treatment-off", "m-0003", HOUR - 9_000, 1.0, json.dumps(CLUE)),
        Event("idling", "m-0006", HOUR - 18_000, 0.0, json.dumps({**CLUE, "rule": "E3", "state": "explained"})),
        Event("blind", "m-0003", HOUR - 27_000, 0.0, '{"withdrawn": true}'),
        Event("order", "e-001", HOUR - 86_400, 0.0, json.dumps(ORDER)),
        Event("reset", "m-0003", HOUR - 3_600, 1.0, "144 → 96"),
    ]
    store.events(rows)  # type: ignore[attr-defined]  same


def test_intervals_are_stored_hours_and_pages_follow_each_other(client: Client, county: County) -> None:
    """Begin, end, energy, status, unit; a page leads to the next; longer periods begin with their first day; CSV for those who ask."""
    seed(county)
    first = client.get("/api/v1/meters/m-0001/intervals?limit=30").json()
    rest = client.get(f"/api/v1/meters/m-0001/intervals?limit=30&cursor={first['next']}").json()
    rows = [*first["items"], *rest["items"]]

    assert (30, 18, None, "kWh", "hour") == (len(first["items"]), len(rest["items"]), rest["next"], first["unit"], first["period"])
    assert (civil.iso(HOUR - 3_600), civil.iso(HOUR), 100.5) == (rows[-1]["start"], rows[-1]["time"], rows[-1]["energy"])
    days = client.get("/api/v1/meters/m-0001/intervals?period=day&from=2025-10-12&to=2025-10-13").json()["items"]
    assert ["2025-10-12T00:00:00+08:00", "2025-10-13T00:00:00+08:00"] == [row["start"] for row in days]
    text = client.get("/api/v1/meters/m-0001/intervals?limit=1", Accept="text/csv").text
    assert "meter,start,time,energy,status,valid,expected" == text.splitlines()[0] and text.splitlines()[1].startswith("m-0001,")


def test_an_account_lists_its_lines_in_order(client: Client, county: County) -> None:
    """Each period's lines with unit and status, by time, and from one page to the next."""
    seed(county)
    path = "/api/v1/enterprises/e-001/energy?from=2025-08-01&to=2025-10-31"
    whole = client.get(path).json()["items"]
    first = client.get(f"{path}&limit=3").json()
    rest = client.get(f"{path}&limit=3&cursor={first['next']}").json()

    assert ["energy_tce", "co2"] * 3 == [row["figure"] for row in whole]
    assert ("tce", "incomplete", 7.5) == (whole[0]["unit"], whole[0]["status"], whole[0]["value"])
    assert whole == [*first["items"], *rest["items"]] and rest["next"] is None


def test_enterprises_name_their_meters(client: Client) -> None:
    """All of the registry, with what belongs to each."""
    rows = {row["id"]: row for row in client.get("/api/v1/enterprises").json()["items"]}

    assert 8 == len(rows)
    assert {"m-0001", "m-0002", "m-0003"} <= set(rows["e-001"]["meters"])


def test_clues_are_filtered_by_rule_state_and_enterprise(client: Client, county: County) -> None:
    """Newest first with numbers, curves and trail; a withdrawn one only where it is asked for."""
    seed(county)
    rows = client.get("/api/v1/clues").json()["items"]

    assert [("treatment-off", "E1", "open", "e-001"), ("idling", "E3", "explained", "e-002")] == [
        (row["kind"], row["rule"], row["state"], row["enterprise"]) for row in rows
    ]
    assert {"treatment_kw": 0.0, "curves": {"step": 900}, "trail": TRAIL} == rows[0]["details"]
    for query, kinds in (("rule=E3", ["idling"]), ("state=open", ["treatment-off"]), ("enterprise=e-002", ["idling"]), ("state=withdrawn", ["blind"])):
        assert kinds == [row["kind"] for row in client.get(f"/api/v1/clues?{query}").json()["items"]], query
    first = client.get("/api/v1/clues?limit=1").json()
    assert ["idling"] == [row["kind"] for row in client.get(f"/api/v1/clues?limit=1&cursor={first['next']}").json()["items"]]


def test_orders_tell_receipt_and_hours(client: Client, county: County) -> None:
    """By enterprise, as they were judged."""
    seed(county)
    (row,) = client.get("/api/v1/orders").json()["items"]

    assert ("e-001", "orange", "某指办1号", "张", 20) == (row["enterprise"], row["level"], row["document"], row["receipt"]["user"], row["hours"]["obeyed"])
    assert [] == client.get("/api/v1/orders?enterprise=e-002").json()["items"]


def test_events_of_a_meter_are_without_its_clues(client: Client, county: County) -> None:
    """What the register did; clues have a list of their own."""
    seed(county)

    assert [("reset", "144 → 96")] == [(row["kind"], row["text"]) for row in client.get("/api/v1/meters/m-0003/events").json()["items"]]


@pytest.mark.parametrize("path", ["meters/m-9/intervals", "meters/e-001/events", "enterprises/m-0001/energy", "enterprises/x/energy"])
def test_unknown_objects_are_not_found(client: Client, path: str) -> None:
    """What is not registered as such has no answer."""
    assert 404 == client.get(f"/api/v1/{path}").status


@pytest.mark.parametrize(
    "query",
    ["meters/m-0001/intervals?period=week", "meters/m-0001/intervals?cursor=x", "clues?state=guilty", "clues?rule=E1!", "enterprises/e-001/energy?period=hour"],
)
def test_wrong_words_are_refused(client: Client, query: str) -> None:
    """With the parameter, never a 500."""
    assert client.get(f"/api/v1/{query}").status in {400, 422}
