"""What a request may carry: known names, each once, and a bounded body."""

import json
from http.client import HTTPConnection

import pytest

from api.app import create_app
from tests.api.seeded import County
from tests.api.served import PATIENCE_S, Client

HOURS = "/api/v1/air/stations/sc-a01/hours"


@pytest.mark.parametrize(
    ("query", "parameter", "word"),
    [
        ("form=2025-10-01", "from", "did you mean from?"),
        ("Limit=5", "limit", "did you mean limit?"),
        ("xyzzy=1", "?", "cursor, from, limit, to"),
        ("=1", "?", "cursor"),
    ],
)
def test_a_mistyped_name_is_refused(client: Client, query: str, parameter: str, word: str) -> None:
    """A name that the route does not know would silently widen what comes back; the refusal says which names there are."""
    answer = client.get(f"{HOURS}?{query}", Accept_Language="en")

    assert (422, parameter) == (answer.status, answer.json()["errors"][0]["parameter"])
    assert word in answer.json()["detail"]


def test_a_name_stands_once(client: Client) -> None:
    """Of two limits none is right."""
    answer = client.get(f"{HOURS}?limit=5&limit=9", Accept_Language="en")

    assert (422, "limit may stand once only.") == (answer.status, answer.json()["detail"])


def test_every_route_refuses_strange_names(client: Client, county: County) -> None:
    """The rule holds for each described path, not for some; what this caller may not read refuses earlier."""
    words = {"site": "sc-a01", "target": "air.aqi.heavy_days", "scope": "sc", "meter": "m-0001"}
    for path, methods in create_app(county.sources()).openapi()["paths"].items():
        if "get" in methods and not path.startswith(("/api/v1/audit", "/api/v1/desk")):
            asked = path.format_map({**{name["name"]: "sc-a01" for name in methods["get"].get("parameters", []) if name["in"] == "path"}, **words})
            assert 422 == client.get(f"{asked}?no_such_name=1").status, path


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_body_ends_at_a_megabyte(client: Client, method: str) -> None:
    """More than a megabyte is refused as it is announced, before it is read."""
    answer = client.get("/api/v1/targets", method=method, body=b"x" * 1_000_001)

    assert (413, "application/problem+json") == (answer.status, answer.headers["content-type"])


def test_a_length_that_is_none_is_refused(client: Client) -> None:
    """A forged length gets a 4xx and no traceback."""
    connection = HTTPConnection("127.0.0.1", client.port, timeout=PATIENCE_S)
    connection.putrequest("POST", "/api/v1/targets", skip_accept_encoding=True)
    connection.putheader("Content-Length", "1e3")
    connection.endheaders()

    assert 400 == connection.getresponse().status
    connection.close()


def test_restated_figures_and_alarms_come_as_csv(client: Client) -> None:
    """Lists of rows by time are series too."""
    restated = client.get("/api/v1/restatements?limit=2", Accept="text/csv")
    alarms = client.get("/api/v1/alerts", Accept="text/csv")

    assert restated.text.startswith("figure,period,scope,rule_set,basis,time,version,old,new,unit,")
    assert 3 == len(restated.text.splitlines())
    assert alarms.text.startswith("kind,zh,source,name,time,value,withdrawn")


def test_records_name_their_rule_set(client: Client) -> None:
    """A class means nothing without the standard it was judged by."""
    told = json.loads(client.get("/api/v1/water/sections/sc-w01/records").body)

    assert ("GB3838-2002", "mg/L") == (told["rule_set"], told["units"]["do"])
