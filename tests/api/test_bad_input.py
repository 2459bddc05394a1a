"""Whatever is asked, the answer is the right refusal with a sentence, never a 500 and never an echo."""

import json
import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.params import pack, unpack
from api.problems import Problem, status_of
from domain import errors
from tests.api.served import Client

HOURS = "/api/v1/air/stations/sc-a01/hours"
WRONG = [
    (f"{HOURS}?from=yesterday", "from"),
    (f"{HOURS}?from=2025-10-01T00:00:00", "from"),
    (f"{HOURS}?from=9999-12-31T24:00:00%2B00:00", "from"),
    (f"{HOURS}?from=2025-02-30", "from"),
    (f"{HOURS}?from=2025-10-02&to=2025-10-01", "from"),
    (f"{HOURS}?from=2015-01-01", "from"),
    (f"{HOURS}?to=0000-01-01", "to"),
    (f"{HOURS}?limit=0", "limit"),
    (f"{HOURS}?limit=1e9", "limit"),
    (f"{HOURS}?limit=NaN", "limit"),
    (f"{HOURS}?limit={'9' * 5000}", "limit"),
    (f"{HOURS}?cursor=***", "cursor"),
    (f"{HOURS}?cursor={'A' * 601}", "cursor"),
    (f"{HOURS}?cursor={pack(['x'])}", "cursor"),
    (f"{HOURS}?cursor={pack([2**63])}", "cursor"),
    (f"{HOURS}?cursor={pack([True])}", "cursor"),
    (f"{HOURS}?cursor={pack([1, 2])}", "cursor"),
    (f"/api/v1/indicators?cursor={pack(['a', 'b', 'c', 'd', chr(0xD800), 1])}", "cursor"),
    ("/api/v1/indicators?period=minute", "period"),
    ("/api/v1/indicators?period=hour&from=2015-01-01", "from"),
    ("/api/v1/indicators?figure=' OR 1=1 --", "figure"),
    ("/api/v1/targets?year=99999", "year"),
    ("/api/v1/freshness?kind=soil", "kind"),
    ("/api/v1/deadletters?newest=perhaps", "newest"),
]
GONE = [
    "/api/v1/none",
    "/api/v1/targets/none",
    "/api/v1/air/stations/none/hours",
    "/api/v1/air/stations/m-0001/hours",
    "/api/v1/water/sections/sc-a01/records",
    "/api/v1/indicators?scope=none",
    "/board/none.js",
    "/board/..%2fapp.py",
    "/docs",
    "/redoc",
]


@pytest.mark.parametrize(("path", "parameter"), WRONG, ids=[f"{number}-{parameter}" for number, (_, parameter) in enumerate(WRONG)])
def test_wrong_parameters_are_named(client: Client, path: str, parameter: str) -> None:
    """422, with the parameter's name and a sentence, without what was sent."""
    answer = client.get(path)
    problem = answer.json()

    assert (422, "application/problem+json") == (answer.status, answer.headers["content-type"])
    assert parameter in {fault["parameter"] for fault in problem["errors"]}
    assert problem["detail"]
    assert len(answer.body) < 500


@pytest.mark.parametrize("path", GONE)
def test_unknown_paths_and_ids(client: Client, path: str) -> None:
    """404 as a problem."""
    answer = client.get(path)

    assert (404, "application/problem+json", 404) == (answer.status, answer.headers["content-type"], answer.json()["status"])


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_nothing_can_be_written(client: Client, method: str) -> None:
    """Every other method is 405 and says that the API is read-only."""
    answer = client.get("/api/v1/targets", method=method, body=b"{" * 100_000)

    assert (405, "application/problem+json") == (answer.status, answer.headers["content-type"])


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("targets", "GET"),
        ("desk/mappings/d-a01", "GET, POST"),
        ("enterprises/e-001/filings", "POST"),
        ("filings", "GET"),
        ("desk/mappings/d-a01/trials", "POST"),
    ],
)
def test_a_wrong_method_learns_every_right_one(client: Client, path: str, methods: str) -> None:
    """Allow names all methods of the path, also where they are several routes."""
    answer = client.get(f"/api/v1/{path}", method="OPTIONS")

    assert (405, methods) == (answer.status, answer.headers["allow"])


WORDS = st.one_of(
    st.text(max_size=40),
    st.sampled_from(["NaN", "inf", "-1", "1e400", "\0", "../..", "%00", "é", "2025-10-01", "2025-10-01T24:00:00+08:00", "0000-00-00", "null", "[]", "9" * 30]),
    st.integers().map(str),
    st.floats().map(str),
)
PLACES = st.sampled_from(
    [
        "targets",
        "targets/{}",
        "indicators",
        "air/stations/{}/hours",
        "air/stations/{}/days",
        "water/sections/{}/records",
        "freshness",
        "restatements",
        "deadletters",
        "{}",
    ]
)
NAMES = st.sampled_from(
    ["from", "to", "cursor", "limit", "year", "rule_set", "figure", "scope", "period", "basis", "kind", "state", "reason", "outcome", "newest"]
)


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    place=PLACES,
    word=st.one_of(WORDS, st.sampled_from(["sc", "sc-a01", "sc-w01"])),
    asked=st.dictionaries(NAMES, WORDS, max_size=4),
    cursor=st.lists(st.one_of(st.integers(), st.text(max_size=9), st.none(), st.floats()), max_size=7),
)
def test_no_question_breaks_it(client: Client, place: str, word: str, asked: dict[str, str], cursor: list[object]) -> None:
    """Any path, parameter or forged cursor is answered below 500, as JSON or as a problem, with strict JSON."""
    from urllib.parse import quote, urlencode

    query = urlencode(
        {"cursor": pack([0 if isinstance(part, float) and not math.isfinite(part) else part for part in cursor]), **asked}, errors="surrogatepass"
    )
    answer = client.get(f"/api/v1/{place.format(quote(word, safe='', errors='surrogatepass'))}?{query}")

    assert answer.status in {200, 404, 406, 422}
    assert json.loads(answer.body, parse_constant=pytest.fail) is not None


@given(st.text(max_size=60))
def test_cursors_are_checked(text: str) -> None:
    """Any text as a cursor is either a key of the asked-for kinds or refused."""
    try:
        key = unpack(text, int)
    except Problem as problem:
        key = (problem.status,)

    assert key is not None
    assert [int] == [type(part) for part in key]


def test_error_map_is_total() -> None:
    """Every error of the tree has an HTTP status: the caller's fault, ours, or a service that is away."""
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.LanbiError)]

    assert {422, 500, 503} == {status_of(kind("what")) for kind in kinds}
    assert (503, 503, 422, 500) == tuple(status_of(kind("what")) for kind in (errors.StoreAway, errors.StoreRefused, errors.PlanError, errors.JournalError))
