"""Superseded values stay readable, each with its receipt."""

from __future__ import annotations

from domain.civil import iso
from tests.api.seeded import NOW
from tests.api.served import Client

PATH = "/api/v1/air/stations/sc-a01/versions?from=2025-10-01"
HOUR = NOW // 3_600 * 3_600 - 5 * 3_600


def test_every_version_is_told_and_which_one_stands(client: Client) -> None:
    """An hour's three words stand in the order of their revisions, a withdrawn value without one; an unfinished batch says nothing."""
    rows = client.get(PATH).json()["items"]

    assert [(35.0, False), (95.0, False), (36.0, True), (40.0, False), (None, True)] == [(row["value"], row["stands"]) for row in rows]
    assert [iso(HOUR)] * 3 == [row["time"] for row in rows[:3]]
    assert (None, None, None) == tuple(rows[0][name] for name in ("received", "device", "journal"))
    assert (iso(NOW - 6), "d-a01", "mqtt/4") == tuple(rows[2][name] for name in ("received", "device", "journal"))
    assert "W" == rows[4]["flag"]


def test_pages_of_versions_join(client: Client) -> None:
    """One row a page, followed to the end, gives the same rows with the same standing."""
    whole, rows, follow = client.get(PATH).json()["items"], [], ""
    while True:
        page = client.get(f"{PATH}&limit=1{follow}").json()
        rows += page["items"]
        if page["next"] is None:
            break
        follow = f"&cursor={page['next']}"

    assert whole == rows


def test_a_place_without_versions_has_none(client: Client) -> None:
    """A station whose values were said once has an empty list; an unknown one is a 404."""
    assert [] == client.get("/api/v1/air/stations/sc-a03/versions").json()["items"]
    assert 404 == client.get("/api/v1/air/stations/nobody/versions").status
