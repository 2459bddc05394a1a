"""What one who has come in may do how often, and at the same moment: guesses of a password, entries and files of an enterprise, rulings."""

from __future__ import annotations

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier, BrokenBarrierError
from typing import Any

import pytest

from api.app import create_app
from api.limits import ENTRIES, FILES, LOGINS
from domain.errors import StoreAway
from domain.filings import Filing
from lanbi.attachments import FOLDER
from lanbi.desk import PersonDesk
from tests.api.house import OWN, PASSWORD, House
from tests.api.served import Client, Reply, served

EXPLANATION = {"form": "explanation", "source": "m-0002", "rule": "E1", "time": "2025-10-14T21:00:00+08:00", "reason": "更换滤袋"}
ACCEPT = {"ruling": "accept", "reason": "现场核实", "document": "核查单7"}


@pytest.fixture
def client(operator: Client) -> Client:
    """Of a county of its own, whose sessions and paces no other test sees."""
    return operator


def post(client: Client, path: str, body: object, **headers: str) -> Reply:
    """A JSON body."""
    return client.get(f"/api/v1/{path}", method="POST", body=json.dumps(body).encode(), Content_Type="application/json", **headers)


def test_an_open_session_is_no_way_to_guess_its_password(client: Client) -> None:
    """A few tries, then a pause, also for the right one; the account itself is not shut by it."""
    session = {"Cookie": post(client, "login", {"name": "wang", "password": PASSWORD}).headers["set-cookie"].partition(";")[0]}
    replies = [post(client, "password", {"old": f"Guess-{number}-A", "new": "Other-Horse-77"}, **session) for number in range(int(LOGINS.burst) + 1)]
    late = post(client, "password", {"old": PASSWORD, "new": "Other-Horse-77"}, **session)

    assert [422] * int(LOGINS.burst) + [429, 429] == [reply.status for reply in (*replies, late)]
    assert int(late.headers["retry-after"]) >= 1
    assert 200 == client.get("/api/v1/me", **session).status


def test_an_enterprise_cannot_fill_the_disk(client: Client, house: House) -> None:
    """Files, then whatever it enters; the bureau is answered all the while."""
    key = house.bearer("enterprise")
    statuses = []
    for number in range(int(FILES.burst) + 1):
        photo = base64.b64encode(b"photo %d" % number).decode()
        body = {**EXPLANATION, "attachment": {"name": "a.jpg", "content": photo}}
        statuses.append(post(client, f"enterprises/{OWN}/filings", body, **key).status)
    files = [path for path in (house.county.data / FOLDER).rglob("*") if path.is_file()]
    more = [post(client, f"enterprises/{OWN}/filings", EXPLANATION, **key).status for _ in range(int(ENTRIES.burst) - len(statuses) + 1)]

    assert [202] * int(FILES.burst) + [429] == statuses
    assert int(FILES.burst) == len(files)
    assert [202] * (len(more) - 1) + [429] == more
    assert 200 == client.get("/api/v1/filings", **house.bearer("operator")).status


def test_a_filing_is_made_true_once(client: Client, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two operators press the button at the same moment: one is told that the other ruled before."""
    both, done = Barrier(2), list[int]()

    def accept(_desk: PersonDesk, filing: Filing, _person: str, _document: str) -> list[str]:
        done.append(filing.number)
        with suppress(BrokenBarrierError):
            both.wait(1)
        return ["person/0"]

    monkeypatch.setattr(PersonDesk, "accept", accept)
    assert 202 == post(client, f"enterprises/{OWN}/filings", EXPLANATION, **house.bearer("enterprise")).status
    (number,) = [one["id"] for one in client.get("/api/v1/filings", **house.bearer("operator")).json()["items"]]
    with ThreadPoolExecutor(2) as pool:
        replies = list(pool.map(lambda _: post(client, f"desk/filings/{number}/ruling", ACCEPT, **house.bearer("operator")).status, range(2)))

    assert [202, 409] == sorted(replies)
    assert [number] == done


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "Via", "X-Forwarded-Host"])
def test_a_proxy_does_not_make_others_local(house: House, header: str) -> None:
    """Without logins this machine alone may ask; what a proxy passes on under our own name comes from elsewhere."""
    with served(create_app(house.sources(login=False))) as client:
        asked = client.get("/api/v1/targets", **{header.replace("-", "_"): "203.0.113.9"})
        own = client.get("/api/v1/targets")

    assert (403, 200) == (asked.status, own.status)
    assert "application/problem+json" == asked.headers["content-type"]


def test_a_full_disk_does_not_shut_out_who_looks(client: Client, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A session and a key whose last use cannot be written down are good all the same."""
    session = {"Cookie": post(client, "login", {"name": "wang", "password": PASSWORD}).headers["set-cookie"].partition(";")[0]}

    def full(*_: Any) -> None:
        raise StoreAway("the file of the accounts does not answer: database or disk is full")

    house.wall.now += 120
    monkeypatch.setattr(house.accounts, "_do", full)

    assert [200, 200] == [client.get("/api/v1/targets", **who).status for who in (session, house.bearer("reader"))]
