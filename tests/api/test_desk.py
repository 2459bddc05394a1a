"""What people enter through the API: judged, durable, decoded like messages, and in the log of deeds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.app import create_app
from domain.indicators import Event
from domain.judgements import Alarm
from lanbi import wiring
from lanbi.entering import WRITER
from lanbi.forwarding import forward
from lanbi.journal import JournalWriter, record
from tests.api.house import House
from tests.api.seeded import NOW
from tests.api.served import Client, Reply, served

MARK = {"source": "sc-a01", "from": "2025-10-14T01:00:00+08:00", "to": "2025-10-14T03:00:00+08:00", "flag": "H", "reason": "停电", "document": "巡检单12"}
REPORTED = {"target": "water.national.good_ratio", "period": "2024", "value": "97.5", "document": "通报3", "person": "李工"}
CONFIRM = {"month": "2025-08", "action": "confirm", "document": "示环〔2025〕30号"}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    """A county whose desk writes."""
    return House(Path(tmp_path_factory.mktemp("desk")))


@pytest.fixture(scope="module")
def client(house: House) -> Iterator[Client]:
    """Its API."""
    with served(create_app(house.sources())) as found:
        yield found


def enter(client: Client, house: House, what: str, body: object, role: str = "operator") -> Reply:
    """A JSON body by a role's key."""
    return client.get(f"/api/v1/desk/{what}", method="POST", body=json.dumps(body).encode(), Content_Type="application/json", **house.bearer(role))


def bring(house: House) -> None:
    """What ingest does with the person's journal."""
    forward(house.settings, wiring.registry(house.settings), WRITER)


@pytest.mark.parametrize(("what", "kind", "body"), [("marks", "mark", MARK), ("reported", "reported", REPORTED), ("confirmations", "confirmation", CONFIRM)])
def test_an_entry_is_durable_before_it_is_answered(client: Client, house: House, what: str, kind: str, body: dict[str, Any]) -> None:
    """The record of the answer stands in the journal with the user; forwarded, it is an entry of its kind; the deed stands in the log."""
    reply = enter(client, house, what, body)
    told = reply.json()
    writer, _, seq = told["record"].partition("/")
    kept = record(house.county.data / "journal", writer, int(seq))

    assert (202, kind, f"lanbi/v1/~person/{kind}") == (reply.status, told["kind"], kept.topic if kept else "")
    assert {"user": "key-operator", **body}.items() <= json.loads(kept.payload if kept else b"{}").items()
    bring(house)
    newest = client.get(f"/api/v1/desk/entries?kind={kind}", **house.bearer("operator")).json()["items"][0]
    assert (told["record"], "key-operator") == (newest["record"], newest["person"])
    deed = client.get("/api/v1/audit?limit=1", **house.bearer("admin")).json()["items"][0]
    assert (kind, told["record"], "key-operator") == (deed["action"], deed["detail"], deed["who"])


def test_a_reported_value_is_shown_as_reported(client: Client, house: House) -> None:
    """With its document and person, and never as measured."""
    enter(client, house, "reported", REPORTED)
    bring(house)
    target = client.get("/api/v1/targets/water.national.good_ratio?year=2024", **house.bearer("reader")).json()

    assert (97.5, "reported") == (target["value"], target["value_source"])
    assert ("通报3", "李工") == tuple(target["reported"][0][name] for name in ("document", "person"))


def test_a_confirmed_month_is_not_provisional(client: Client, house: House) -> None:
    """And is again once the confirmation is taken back."""
    path = "/api/v1/indicators?figure=aqi&from=2025-08-01&to=2025-08-01&rule_set=HJ633-2012"
    seen = []
    for action in ("confirm", "withdraw"):
        assert 202 == enter(client, house, "confirmations", {**CONFIRM, "action": action}).status
        bring(house)
        seen.append(client.get(path, **house.bearer("reader")).json()["items"][0]["provisional"])

    assert [False, True] == seen


WRONG = [
    ("marks", {**MARK, "source": "m-0001"}, 404),
    ("marks", {**MARK, "source": "none"}, 404),
    ("marks", {**MARK, "flag": "Q"}, 422),
    ("marks", {**MARK, "to": "2025-10-13"}, 422),
    ("marks", {**MARK, "to": "2026-10-13"}, 422),
    ("marks", {**MARK, "from": "yesterday"}, 422),
    ("marks", {**MARK, "items": ["lead"]}, 422),
    ("marks", {**MARK, "reason": " "}, 422),
    ("marks", {**MARK, "reason": "a\x00b"}, 422),
    ("marks", {**MARK, "more": 1}, 422),
    ("marks", {**MARK, "document": "x" * 201}, 422),
    ("confirmations", {**CONFIRM, "month": "2025-10"}, 422),
    ("confirmations", {**CONFIRM, "month": "2025-13"}, 422),
    ("confirmations", {**CONFIRM, "action": "perhaps"}, 422),
    ("reported", {**REPORTED, "target": "none"}, 404),
    ("reported", {**REPORTED, "value": "viel"}, 422),
    ("reported", {**REPORTED, "value": 97.5}, 422),
    ("reported", {**REPORTED, "period": "2025-99"}, 422),
    ("replays", {"ids": []}, 422),
    ("replays", {"ids": [10**9]}, 422),
    ("replays", {"ids": ["1"]}, 422),
    ("replays", {"ids": [True]}, 422),
    ("duty/1/acknowledge", {"note": 5}, 422),
    ("duty/77/acknowledge", {"note": ""}, 404),
]


@pytest.mark.parametrize(("what", "body", "status"), WRONG, ids=[f"{number}-{one[0]}" for number, one in enumerate(WRONG)])
def test_what_cannot_be_is_refused_before_it_is_journalled(client: Client, house: House, what: str, body: object, status: int) -> None:
    """A sentence that says what to change, and no record."""
    before = enter(client, house, "reported", REPORTED).json()["record"]
    reply = enter(client, house, what, body)
    after = enter(client, house, "reported", REPORTED).json()["record"]

    assert (status, "application/problem+json") == (reply.status, reply.headers["content-type"])
    assert reply.json()["detail"]
    assert int(before.partition("/")[2]) + 1 == int(after.partition("/")[2])


def test_a_dead_letter_is_asked_for_once_more(client: Client, house: House) -> None:
    """A replay is a request in the person's journal with the ids and who asks."""
    number = client.get("/api/v1/deadletters?limit=1", **house.bearer("operator")).json()["items"][0]["id"]
    reply = enter(client, house, "replays", {"ids": [number]})
    writer, _, seq = reply.json()["record"].partition("/")
    kept = record(house.county.data / "journal", writer, int(seq))

    assert (202, [number], "key-operator") == (reply.status, *(json.loads(kept.payload if kept else b"{}")[name] for name in ("ids", "user")))
    assert 200 == client.get(f"/api/v1/desk/deadletters/{number}", **house.bearer("operator")).status


def test_a_busy_journal_is_told(client: Client, house: House) -> None:
    """While somebody else holds the person's journal an entry waits, then hears 503, and nothing is lost by it."""
    holding = JournalWriter(house.county.data / "journal", WRITER)
    reply = enter(client, house, "reported", REPORTED)
    holding.close()

    assert (503, "5") == (reply.status, reply.headers["retry-after"])
    assert 202 == enter(client, house, "reported", REPORTED).status


def test_entries_come_page_by_page(client: Client, house: House) -> None:
    """Newest first, joined without a gap."""
    bring(house)
    whole = client.get("/api/v1/desk/entries?kind=reported", **house.bearer("operator")).json()["items"]
    first = client.get("/api/v1/desk/entries?kind=reported&limit=2", **house.bearer("operator")).json()
    rest = client.get(f"/api/v1/desk/entries?kind=reported&cursor={first['next']}", **house.bearer("operator")).json()["items"]

    assert whole == first["items"] + rest
    assert len(whole) > 3


def test_an_alarm_is_judged_by_its_name(client: Client, house: House) -> None:
    """One that was told is judged and shows it; one that never was is unknown; no name of one is refused."""
    store = wiring.store(house.settings)
    store.events([Event("step", "sc-a01", NOW - 3_600, 38.0, "{}")])
    store.close()
    name = Alarm("step", "sc-a01", NOW - 3_600).name
    body = {"alarm": name, "verdict": "false", "reason": "邻站施工", "document": "巡检单13"}
    replies = [enter(client, house, "verdicts", {**body, "alarm": alarm}).status for alarm in (name, name.replace("sc-a01", "sc-a02"), "step")]
    bring(house)

    assert [202, 404, 422] == replies
    told = client.get("/api/v1/alerts", **house.bearer("reader")).json()["items"][0]
    assert (name, "false", "邻站施工") == (told["alarm"], told["verdict"]["verdict"], told["verdict"]["reason"])
