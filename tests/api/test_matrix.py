"""Every route, every role, own and foreign objects: a table typed by hand against the running API."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from api.app import create_app
from api.rights import PUBLIC, ROLES, rule_of
from tests.api.house import FOREIGN, OWN, House
from tests.api.served import Client, served

ALL = ("reader", "department", "operator", "admin", "enterprise", "sender", "probe", "nobody")
COUNTY = {"reader": 200, "department": 200, "operator": 200, "admin": 200, "enterprise": 403}
METERS = {"department": 200, "operator": 200, "admin": 200}
INSIDE = {"operator": 200, "admin": 200}
EVERYBODY = dict.fromkeys((*COUNTY, "enterprise"), 200)
OPEN = dict.fromkeys(ALL, 200)

# Method, path → what each role gets; a role that is not named gets 403, nobody 401.
TABLE: dict[tuple[str, str], dict[str, int]] = {
    ("GET", "/"): OPEN,
    ("GET", "/board/main.js"): OPEN,
    ("GET", "/livez"): OPEN,
    ("GET", "/readyz"): {"department": 200, **INSIDE, "probe": 200},
    ("GET", "/metrics"): {"department": 200, **INSIDE, "probe": 200},
    ("GET", "/api/v1/openapi.json"): COUNTY,
    ("GET", "/api/v1/county"): EVERYBODY,
    ("GET", "/api/v1/legend"): EVERYBODY,
    ("GET", "/api/v1/me"): EVERYBODY,
    ("GET", "/api/v1/targets"): COUNTY,
    ("GET", "/api/v1/targets/air.aqi.heavy_days"): COUNTY,
    ("GET", "/api/v1/today"): COUNTY,
    ("GET", "/api/v1/indicators"): COUNTY,
    ("GET", "/api/v1/indicators?scope=sc-a01"): {**COUNTY, "enterprise": 404},
    ("GET", "/api/v1/indicators?scope=e-001"): EVERYBODY,
    ("GET", "/api/v1/indicators?scope=m-0001"): EVERYBODY,
    ("GET", "/api/v1/indicators?scope=e-002"): {**COUNTY, "enterprise": 404},
    ("GET", "/api/v1/indicators?scope=m-0004"): {**COUNTY, "enterprise": 404},
    ("GET", "/api/v1/restatements"): COUNTY,
    ("GET", "/api/v1/completeness"): COUNTY,
    ("GET", "/api/v1/completeness/sc"): COUNTY,
    ("GET", "/api/v1/alerts"): EVERYBODY,
    ("GET", "/api/v1/freshness"): EVERYBODY,
    ("GET", "/api/v1/air/stations"): COUNTY,
    ("GET", "/api/v1/air/stations/sc-a01/hours"): COUNTY,
    ("GET", "/api/v1/air/stations/sc-a01/days"): COUNTY,
    ("GET", "/api/v1/air/stations/sc-a01/versions"): COUNTY,
    ("GET", "/api/v1/water/sections"): COUNTY,
    ("GET", "/api/v1/water/sections/sc-w01/records"): COUNTY,
    ("GET", "/api/v1/meters"): {**METERS, "enterprise": 200},
    ("GET", "/api/v1/points"): {**METERS, "enterprise": 200},
    ("GET", "/api/v1/meters/m-0001/intervals"): {**INSIDE, "enterprise": 200},
    ("GET", "/api/v1/meters/m-0001/intervals?period=day"): {**METERS, "enterprise": 200},
    ("GET", "/api/v1/meters/m-0004/intervals"): {**INSIDE, "enterprise": 404},
    ("GET", "/api/v1/meters/m-0001/events"): {**METERS, "enterprise": 200},
    ("GET", "/api/v1/meters/m-0004/events"): {**METERS, "enterprise": 404},
    ("GET", "/api/v1/enterprises"): {**METERS, "enterprise": 200},
    ("GET", "/api/v1/enterprises/e-001/energy"): {**METERS, "enterprise": 200},
    ("GET", "/api/v1/enterprises/e-002/energy"): {**METERS, "enterprise": 404},
    ("GET", "/api/v1/clues"): {**METERS, "enterprise": 200},
    ("GET", "/api/v1/orders"): {**METERS, "enterprise": 200},
    ("GET", "/api/v1/filings"): {**METERS, "enterprise": 200},
    ("GET", "/api/v1/filings/9999/attachment"): {**dict.fromkeys(METERS, 404), "enterprise": 404},
    ("GET", "/api/v1/enterprises/e-001/news"): {**METERS, "enterprise": 200},
    ("GET", "/api/v1/enterprises/e-002/news"): {**METERS, "enterprise": 404},
    ("POST", "/api/v1/enterprises/e-001/filings"): {**dict.fromkeys(INSIDE, 422), "enterprise": 422},
    ("POST", "/api/v1/enterprises/e-002/filings"): {**dict.fromkeys(INSIDE, 422), "enterprise": 404},
    ("POST", "/api/v1/enterprises/e-001/receipts"): {**dict.fromkeys(INSIDE, 422), "enterprise": 422},
    ("POST", "/api/v1/enterprises/e-002/receipts"): {**dict.fromkeys(INSIDE, 422), "enterprise": 404},
    ("POST", "/api/v1/desk/filings/9999/ruling"): dict.fromkeys(INSIDE, 422),
    ("GET", "/api/v1/tasks"): {**METERS, "enterprise": 200},
    ("POST", "/api/v1/tasks/held@m-0001@1/replies"): {**dict.fromkeys(METERS, 422), "enterprise": 422},
    ("GET", "/api/v1/tasks/held@m-0001@1/attachments/1"): {**dict.fromkeys(METERS, 404), "enterprise": 404},
    ("POST", "/api/v1/desk/tasks/held@m-0001@1/steps"): dict.fromkeys(INSIDE, 422),
    ("GET", "/api/v1/dispatch"): {**METERS, "enterprise": 200},
    ("GET", "/api/v1/desk/mappings/d-sc-a01"): INSIDE,
    ("POST", "/api/v1/desk/mappings/d-sc-a01/trials"): dict.fromkeys(INSIDE, 422),
    ("POST", "/api/v1/desk/mappings/d-sc-a01"): dict.fromkeys(INSIDE, 422),
    ("GET", "/api/v1/account"): INSIDE,
    ("GET", "/api/v1/deadletters"): {**INSIDE, "enterprise": 200},
    ("GET", "/api/v1/audit"): {"admin": 200, "enterprise": 200},
    ("GET", "/api/v1/duty"): COUNTY,
    ("GET", "/api/v1/desk/entries?kind=mark"): INSIDE,
    ("GET", "/api/v1/desk/deadletters/9999"): dict.fromkeys(INSIDE, 404),
    ("POST", "/api/v1/desk/marks"): dict.fromkeys(INSIDE, 422),
    ("POST", "/api/v1/desk/previews"): dict.fromkeys(INSIDE, 422),
    ("POST", "/api/v1/desk/confirmations"): dict.fromkeys(INSIDE, 422),
    ("POST", "/api/v1/desk/reported"): dict.fromkeys(INSIDE, 422),
    ("POST", "/api/v1/desk/verdicts"): dict.fromkeys(INSIDE, 422),
    ("POST", "/api/v1/desk/replays"): dict.fromkeys(INSIDE, 422),
    ("POST", "/api/v1/desk/duty/9999/acknowledge"): dict.fromkeys(INSIDE, 422),
    ("POST", "/api/v1/alerts/grafana"): {**dict.fromkeys(ALL, 401), "sender": 422},
    ("GET", "/api/v1/reports/month?period=2025-09"): {**COUNTY, "enterprise": 403},
    ("GET", "/api/v1/reports/station?period=2025-09&id=sc-a01"): {**COUNTY, "enterprise": 403},
    ("GET", "/api/v1/reports/enterprise?period=2025-09&id=e-001"): {**METERS, "enterprise": 200},
    ("GET", "/api/v1/reports/enterprise?period=2025-09&id=e-002"): {**METERS, "enterprise": 404},
    ("POST", "/api/v1/login"): dict.fromkeys(ALL, 422),
    ("POST", "/api/v1/logout"): dict.fromkeys(EVERYBODY, 204),
    ("POST", "/api/v1/password"): dict.fromkeys(EVERYBODY, 422),
}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    """A county with a key of every role."""
    return House(Path(tmp_path_factory.mktemp("matrix")))


@pytest.fixture(scope="module")
def client(house: House) -> Iterator[Client]:
    """Its API."""
    with served(create_app(house.sources())) as found:
        yield found


@pytest.mark.parametrize("asked", TABLE, ids=[" ".join(one) for one in TABLE])
def test_matrix(client: Client, house: House, asked: tuple[str, str]) -> None:
    """What each role gets at each route is what the table says."""
    method, path = asked
    wanted = {role: TABLE[asked].get(role, 401 if role == "nobody" else 403) for role in ALL}

    headers = {"Content_Type": "application/json"} if method == "POST" else {}

    assert wanted == {role: client.get(path, method=method, **house.bearer(role), **headers).status for role in ALL}


def test_every_route_is_in_the_matrix(house: House) -> None:
    """A route without a rule, or without a row of the table, fails here: nobody adds one unseen."""
    described = create_app(house.sources()).openapi()["paths"]
    routes = {(method.upper(), path) for path, methods in described.items() for method in methods}
    rows = {(method, path.partition("?")[0]) for method, path in TABLE}

    assert set() == {one for one in routes if one not in PUBLIC and rule_of(*one) is None}
    assert set() == {one for one in routes if not any(_fits(one, row) for row in rows)}


def _fits(route: tuple[str, str], row: tuple[str, str]) -> bool:
    parts = zip(route[1].split("/"), row[1].split("/"), strict=False)
    return route[0] == row[0] and route[1].count("/") == row[1].count("/") and all(a == b or a.startswith("{") for a, b in parts)


def test_a_role_is_in_the_matrix() -> None:
    """The table judges every role there is."""
    assert {*ALL} - {"nobody"} == set(ROLES)


@pytest.mark.parametrize(("path", "name"), [("/api/v1/meters", "id"), ("/api/v1/freshness", "source"), ("/api/v1/points", "id"), ("/api/v1/enterprises", "id")])
def test_lists_hold_own_objects_only(client: Client, house: House, path: str, name: str) -> None:
    """An enterprise's lists are the county's without everything that is not its own."""
    registry = house.sources().registry()
    own = {OWN, *(one.id for one in (*registry.meters.values(), *registry.points.values()) if one.enterprise == OWN)}
    whole = {row[name] for row in client.get(path, **house.bearer("operator")).json()["items"]}
    seen = {row[name] for row in client.get(path, **house.bearer("enterprise")).json()["items"]}

    assert whole & own == seen
    assert whole - own


def test_refusals_of_others_are_not_shown(client: Client, house: House) -> None:
    """Refused readings of unknown sources are nobody's."""
    assert [] == client.get("/api/v1/deadletters", **house.bearer("enterprise")).json()["items"]
    assert client.get("/api/v1/deadletters", **house.bearer("operator")).json()["items"]


def test_who_read_an_enterprise_is_told_to_it(client: Client, house: House) -> None:
    """A read of its data by others stands in its log once an hour; what others' data were read for does not."""
    for _ in range(3):
        client.get("/api/v1/indicators?scope=m-0001", **house.bearer("department"))
        client.get(f"/api/v1/indicators?scope={FOREIGN}", **house.bearer("department"))
    rows = [row for row in client.get("/api/v1/audit", **house.bearer("enterprise")).json()["items"] if row["who"] == "key-department"]

    assert [OWN] == [row["object"] for row in rows if row["detail"] == "/api/v1/indicators"]
    assert FOREIGN not in {row["object"] for row in rows}


def test_a_key_with_fewer_rights(client: Client, house: House) -> None:
    """A key that was given one right of its role has that one."""
    only = {"Authorization": "Bearer " + house.accounts.give("lab", "reader", ["air"], [], 1)}

    assert (200, 403) == (client.get("/api/v1/air/stations", **only).status, client.get("/api/v1/targets", **only).status)
