"""The completeness ledger over HTTP."""

import pytest

from tests.api.seeded import SILENT
from tests.api.served import Client


def test_a_day_tells_what_it_lacks(client: Client) -> None:
    """Each lost stretch has its hours, items and reason; what can still be had is told item by item."""
    rows = client.get(f"/api/v1/completeness/{SILENT}?from=2025-10-12&to=2025-10-15").json()["items"]
    lost = rows[1]

    assert [("2025-10-12", "valid"), ("2025-10-13", "invalid"), ("2025-10-15", "open")] == [(row["time"][:10], row["status"]) for row in rows]
    assert [("3", "3", 1, ["co"], "flag", "M"), ("7", "24", 18, 6, "silent", "2025-10-13T06:00:00+08:00")] == [
        (one["first"], one["last"], one["count"], one["items"] if len(one["items"]) < 6 else 6, one["reason"], one["detail"]) for one in lost["losses"]
    ]
    assert {"late"} == set(lost["chances"].values())
    assert 6 == lost["hours"]["pm25"]


@pytest.mark.parametrize(
    ("query", "found"), [("period=month&from=2025-10-01&to=2025-10-15", 1), ("period=month&from=2025-08-01&to=2025-09-30", 0), ("period=year", 1)]
)
def test_a_running_month_or_year_is_found_by_its_days(client: Client, query: str, found: int) -> None:
    """A month or year stands at its last day, also while it runs, and is found by any of its days and by no others."""
    rows = client.get(f"/api/v1/completeness/{SILENT}?{query}").json()["items"]

    assert found == len(rows)
    for row in rows:
        assert ("open", 2, {"valid": 280, "needed": 324, "to_come": 78}) == (row["status"], row["more"], row["items"]["pm25"])
        assert [("2025-10-13", "2025-10-13", 1, "silent")] == [(one["first"], one["last"], one["count"], one["reason"]) for one in row["losses"]]


def test_the_glance_has_year_and_today(client: Client) -> None:
    """The list of all scopes carries the ledger of the running year and day where there is one."""
    rows = {row["scope"]: row for row in client.get("/api/v1/completeness").json()["items"]}

    assert ("open", 7.0) == tuple(rows[SILENT]["year"][key] for key in ("status", "lost"))
    assert "open" == rows[SILENT]["today"]["status"]
    assert rows["sc-a01"]["year"] is None


def test_pages_follow(client: Client) -> None:
    """Small pages join to the whole."""
    path = f"/api/v1/completeness/{SILENT}?from=2025-10-01&to=2025-10-15"
    first = client.get(f"{path}&limit=2").json()
    second = client.get(f"{path}&limit=2&cursor={first['next']}").json()

    assert [row["time"] for row in client.get(path).json()["items"]] == [row["time"] for row in (*first["items"], *second["items"])]
    assert second["next"] is None


def test_other_places_have_no_ledger(client: Client) -> None:
    """A section, an unknown id and a wrong period are refused."""
    assert [404, 404, 422] == [client.get(f"/api/v1/completeness/{path}").status for path in ("sc-w01", "nowhere", "sc?period=hour")]


def test_the_legend_has_its_words(client: Client) -> None:
    """Every reason, state and chance has words in both languages."""
    legend = client.get("/api/v1/legend").json()

    assert {"zh": "无数据", "en": "nothing came"} == legend["lost"]["silent"]
    assert {"valid", "incomplete", "invalid", "open"} == set(legend["ledger"])
    assert {"yes", "late", "no"} == set(legend["chances"])
    assert {"open", "kept", "lost", "void"} == set(legend["allowances"])
