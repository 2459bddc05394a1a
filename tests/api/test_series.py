"""Figures, hours, days, records: ranges, pages and shapes."""

import pytest

from tests.api.seeded import NOW, SILENT
from tests.api.served import Client


def walk(client: Client, path: str) -> list[dict[str, object]]:
    """Every row of a list, page by page."""
    rows, follow = [], None
    while True:
        answer = client.get(path + (f"&cursor={follow}" if follow else "")).json()
        rows += answer["items"]
        follow = answer["next"]
        if follow is None:
            return rows


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("/api/v1/indicators?figure=pm25_mean&period=ytd&from=2025-01-01", "time"),
        ("/api/v1/indicators?period=day&from=2025-10-01", "time"),
        ("/api/v1/air/stations/sc-a01/hours?from=2025-10-12", "time"),
        ("/api/v1/air/stations/sc/days?from=2025-09-01", "date"),
        ("/api/v1/water/sections/sc-w01/records?from=2025-10-01", "time"),
        ("/api/v1/restatements?from=2025-10-01", "made"),
        ("/api/v1/deadletters?newest=false", "id"),
        ("/api/v1/deadletters?newest=true", "id"),
    ],
)
@pytest.mark.parametrize("size", [1, 7])
def test_pages_join_to_the_whole(client: Client, path: str, key: str, size: int) -> None:
    """Small pages, followed by their cursors, give the same rows in the same order as one large page."""
    whole = client.get(f"{path}&limit=1000").json()

    assert whole["next"] is None
    assert len(whole["items"]) > 7
    assert whole["items"] == walk(client, f"{path}&limit={size}")
    assert key in whole["items"][0]


def test_a_year_of_days_is_whole(client: Client) -> None:
    """Every day of the running year is on the board's one page, however many other figures a day has."""
    days = client.get("/api/v1/air/stations/sc/days?from=2025-01-01").json()

    assert (287, "2025-01-01", "2025-10-14", None) == (len(days["items"]), days["items"][0]["date"], days["items"][-1]["date"], days["next"])


def test_hours_join_what_was_sent_and_what_was_made(client: Client) -> None:
    """An hour shows the sent values with flags, and the AQI with level and primaries under its rule set."""
    row = client.get("/api/v1/air/stations/sc-a01/hours?from=2025-10-15T06:00:00+08:00&to=2025-10-15T07:00:00+08:00").json()["items"][0]

    assert ("2025-10-15T07:00:00+08:00", 43.0, 1, "HJ633-2012", {"co": "M"}, False) == tuple(
        row[key] for key in ("time", "aqi", "level", "rule_set", "flags", "built")
    )
    assert 23.0 == row["values"]["pm25"]


def test_a_lost_plus_is_understood(client: Client) -> None:
    """A plus sign that was not percent-encoded arrives as a space and still means the offset."""
    right = client.get("/api/v1/air/stations/sc-a01/hours?from=2025-10-15T06:00:00%2B08:00").json()

    assert right == client.get("/api/v1/air/stations/sc-a01/hours?from=2025-10-15T06:00:00+08:00").json()
    assert 4 == len(right["items"])


def test_days_are_civil_days(client: Client) -> None:
    """From and to as dates take both days whole; a station without day figures has none."""
    days = client.get("/api/v1/air/stations/sc/days?from=2025-03-01&to=2025-03-03").json()

    assert ["2025-03-01", "2025-03-02", "2025-03-03"] == [row["date"] for row in days["items"]]
    assert {"HJ633-2012"} == {row["rule_set"] for row in days["items"]}
    assert [] == client.get(f"/api/v1/air/stations/{SILENT}/days?from=2025-03-01").json()["items"]


def test_days_under_a_named_rule_set(client: Client) -> None:
    """The other rule set's days are there for the asking."""
    days = client.get("/api/v1/air/stations/sc/days?from=2025-03-01&to=2025-03-03&rule_set=HJ633-2026").json()["items"]

    assert 3 * ["HJ633-2026"] == [row["rule_set"] for row in days]


def test_stations_show_class_and_silence(client: Client) -> None:
    """Assessed stations first; a silent one has its last values, its state and no AQI of long ago."""
    rows = {row["id"]: row for row in client.get("/api/v1/air/stations").json()["items"]}

    assert ["sc-a01", "sc-a02", "sc-a03", "sc-a04", "sc-a06", "sc-a05"] == list(rows)
    assert ("silent", None, None, 1745) == tuple(rows[SILENT][key] for key in ("state", "aqi", "level", "overdue_minutes"))
    assert ("on-time", 110.0, 3, ["pm25", "o3"]) == tuple(rows["sc-a03"][key] for key in ("state", "aqi", "level", "primary"))
    assert {"co": "M", "o3": "W"} == rows["sc-a03"]["flags"]


def test_sections_meters_and_points(client: Client) -> None:
    """Each kind is listed with its newest values, units and state."""
    section = client.get("/api/v1/water/sections").json()["items"][1]
    meter = client.get("/api/v1/meters").json()["items"][0]
    point = client.get("/api/v1/points").json()["items"][0]

    assert ("sc-w02", "late", 7.9, "mg/L", None) == (section["id"], section["state"], section["values"]["do"], section["units"]["do"], section["water_class"])
    assert ("m-0001", "蓝天铝业", 385053.19, "kWh", "silent") == tuple(meter[key] for key in ("id", "enterprise_name", "register_value", "unit", "state"))
    assert ("o-001", "never", {}) == (point["id"], point["state"], point["values"])


def test_freshness_filters(client: Client) -> None:
    """By kind and state; a source says when its next reading was due."""
    rows = client.get("/api/v1/freshness?kind=water&state=late").json()["items"]

    assert [("sc-w02", "2025-10-15T04:00:00+08:00", "2025-10-15T09:00:00+08:00", 80)] == [
        (row["source"], row["last"], row["due"], row["overdue_minutes"]) for row in rows
    ]


def test_account_adds_up(client: Client) -> None:
    """Received equals the sum of the rest, and the reasons explain the refusals."""
    found = client.get("/api/v1/account").json()

    assert found["balanced"]
    assert found["received"] == sum(found[name] for name in ("stored", "duplicate", "deadletter", "quarantined", "pending"))
    assert {"unknown-source": 20, "value-out-of-range": 10} == found["reasons"]


def test_dead_letters_by_reason_and_newest(client: Client) -> None:
    """Letters filter by reason and come oldest or newest first, each with its journal record and never its bytes."""
    rows = client.get("/api/v1/deadletters?reason=value-out-of-range&newest=true&limit=1").json()["items"]

    assert [("value-out-of-range", "pm25", "ghost", "mqtt/27")] == [(row["reason"], row["item"], row["source"], row["record"]) for row in rows]
    assert [("<b>ghost</b> is not registered", "<b>ghost</b> 未登记")] == [(row["detail"], row["detail_zh"]) for row in rows]
    assert [] == client.get("/api/v1/deadletters?outcome=quarantined").json()["items"]


def test_completeness_names_what_a_year_needs(client: Client) -> None:
    """Valid and expected days, capture, and the days that a year's mean needs."""
    row = client.get("/api/v1/completeness").json()["items"][0]

    assert ("sc", 280.0, 287.0, 324, 97.6, "HJ633-2012") == tuple(
        row[key] for key in ("scope", "valid_days", "expected_days", "needed_days", "data_capture", "rule_set")
    )


def test_restatements_newest_first(client: Client) -> None:
    """What changed, from what to what, with the name of the place."""
    rows = client.get("/api/v1/restatements?limit=2").json()["items"]

    assert [("pm25", 42.0, 45.0), ("aqi", 97.0, 103.0)] == sorted(((row["figure"], row["old"], row["new"]) for row in rows), reverse=True)
    assert ("区政府", "2", "3") == tuple(next(row for row in rows if row["figure"] == "aqi")[key] for key in ("scope_name", "old_status", "new_status"))
    assert NOW


def test_a_confirmed_figure_says_so(client: Client) -> None:
    """Figures of a confirmed month are not provisional, and a change after the confirmation is marked as one of a confirmed figure."""
    days = client.get("/api/v1/indicators?figure=pm25&scope=sc&from=2025-09-30&to=2025-10-01&rule_set=HJ633-2012").json()["items"]
    said = client.get("/api/v1/restatements?limit=100&from=2025-10-01").json()["items"]

    assert [("2025-09-30T00:00:00+08:00", False), ("2025-10-01T00:00:00+08:00", True)] == [(row["time"], row["provisional"]) for row in days]
    assert {("2025-09-25T00:00:00+08:00", True, "late"), ("2025-01-01T00:00:00+08:00", False, "correction")} <= {
        (row["time"], row["confirmed"], *row["causes"]) for row in said
    }
