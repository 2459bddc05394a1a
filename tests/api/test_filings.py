"""What enterprises file: judged against their own objects, ruled on once, and made true by the entries that the bureau itself would make."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from api.app import create_app
from domain import statements
from domain.civil import parse_time
from domain.indicators import Event
from domain.readings import Entry, Reading
from lanbi import wiring
from lanbi.attachments import FOLDER
from lanbi.entering import WRITER
from lanbi.forwarding import forward
from lanbi.journal import record
from tests.api.house import FOREIGN, OWN, House
from tests.api.seeded import NOW
from tests.api.served import Client, Reply, served

PHOTO = b"\x89PNG <script>alert(1)</script>" + bytes(range(256))
ATTACHMENT = {"name": "../换表单 12.png", "content": base64.b64encode(PHOTO).decode()}
EXCHANGE = {"form": "exchange", "meter": "m-0001", "time": "2025-10-10T10:00:00+08:00", "last": "1000.5", "first": "3"}
MULTIPLIER = {"form": "multiplier", "meter": "m-0001", "from": "2025-11-01", "value": "80", "reason": "互感器更换"}
WINDOW = {"form": "maintenance", "meters": ["m-0002"], "from": "2025-10-20", "to": "2025-10-21", "reason": "更换滤袋"}
SHUTDOWN = {**WINDOW, "form": "shutdown", "meters": ["m-0001"], "reason": "停产检修"}
EXPLANATION = {"form": "explanation", "source": "m-0002", "rule": "E1", "time": "2025-10-14T21:00:00+08:00", "reason": "更换滤袋"}
FORMS = {"exchange": EXCHANGE, "multiplier": MULTIPLIER, "maintenance": WINDOW, "shutdown": SHUTDOWN, "explanation": EXPLANATION}
ACCEPT = {"ruling": "accept", "reason": "现场核实", "document": "核查单7"}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    """A county whose enterprise has registers before and after an exchange."""
    found = House(Path(tmp_path_factory.mktemp("filings")))
    store = wiring.store(found.settings)
    begin = parse_time("2025-10-10T00:00:00+08:00")
    store.write([Reading("meter", "m-0001", 0, begin + 3_600 * hour, {"register": 990.0 + hour}, {}, 1) for hour in range(10)])
    store.write([Reading("meter", "m-0001", 0, begin + 3_600 * hour, {"register": float(hour)}, {}, 1) for hour in range(11, 20)])
    store.close()
    return found


@pytest.fixture(scope="module")
def client(house: House) -> Iterator[Client]:
    """Its API."""
    with served(create_app(house.sources())) as found:
        yield found


def post(client: Client, house: House, path: str, body: object, role: str) -> Reply:
    """A JSON body by a role's key."""
    return client.get(f"/api/v1/{path}", method="POST", body=json.dumps(body).encode(), Content_Type="application/json", **house.bearer(role))


def file(client: Client, house: House, body: object, role: str = "enterprise", owner: str = OWN) -> Reply:
    """File a form."""
    return post(client, house, f"enterprises/{owner}/filings", body, role)


def listed(client: Client, house: House, role: str = "operator", query: str = "") -> list[dict[str, Any]]:
    """Filings as a role sees them."""
    items = client.get(f"/api/v1/filings{query}", **house.bearer(role)).json()["items"]
    assert isinstance(items, list)
    return items


@pytest.mark.parametrize("form", FORMS)
def test_a_form_waits_for_the_bureau(client: Client, house: House, form: str) -> None:
    """Filed by the enterprise it is durable, stands in its own and the bureau's list at once, and changes nothing yet."""
    before = wiring.registry(house.settings).version
    reply = file(client, house, FORMS[form])
    found = listed(client, house)[0]

    assert (202, "filing") == (reply.status, reply.json()["kind"])
    assert (reply.json()["record"], form, "waiting", "key-enterprise") == tuple(found[name] for name in ("record", "form", "state", "person"))
    assert listed(client, house, "enterprise")[0] == found
    assert before == wiring.registry(house.settings).version
    assert {OWN} == {one["enterprise"] for one in listed(client, house, query=f"?enterprise={OWN}")}


def accepted(client: Client, house: House, body: object) -> dict[str, Any]:
    """The form after the bureau has accepted it, as the store knows it."""
    file(client, house, body)
    reply = post(client, house, f"desk/filings/{listed(client, house)[0]['id']}/ruling", ACCEPT, "operator")
    assert 202 == reply.status, reply.text
    forward(house.settings, wiring.registry(house.settings), WRITER)
    return listed(client, house)[0]


def entries(house: House, kind: str) -> list[Entry]:
    """What stands in the store."""
    store = wiring.store(house.settings)
    found = store.entered(kind)
    store.close()
    return found


def test_an_accepted_exchange_is_the_bureaus_exchange_form(client: Client, house: House) -> None:
    """An entry of kind exchange with the bureau's person, the document and the form's record."""
    found = accepted(client, house, EXCHANGE)
    made = entries(house, statements.EXCHANGE)

    assert ("accepted", [made[0].id]) == (found["state"], found["ruling"]["effects"])
    assert ("key-operator", f"核查单7 ({found['record']})") == (made[0].user, made[0].body["document"])
    assert ("m-0001", "1000.5", "3") == tuple(made[0].body[name] for name in ("meter", "last", "first"))


def test_an_accepted_explanation_is_an_answer_to_the_clue(client: Client, house: House) -> None:
    """An entry of kind clue that explains it."""
    accepted(client, house, EXPLANATION)
    made = entries(house, statements.CLUE)

    assert [("explained", "m-0002", "E1", "更换滤袋")] == [tuple(one.body[name] for name in ("state", "source", "rule", "reason")) for one in made]


def test_an_accepted_multiplier_counts_from_its_day(client: Client, house: House) -> None:
    """The registry in force has it from that day on, by a change with person and document; what was before stays."""
    before = wiring.registry(house.settings).meters["m-0001"].multiplier
    found = accepted(client, house, MULTIPLIER)
    after = wiring.registry(house.settings).meters["m-0001"].multiplier
    day = parse_time("2025-11-01T12:00:00+08:00") // 86_400

    assert (before.on(day - 2), "80") == (after.on(day - 2), after.on(day + 1))
    assert [wiring.registry(house.settings).version] == found["ruling"]["effects"]


@pytest.mark.parametrize("form", ["maintenance", "shutdown"])
def test_an_accepted_window_is_announced_maintenance(client: Client, house: House, form: str) -> None:
    """The registry has it at the treatment meters that it is about, with the bureau's document."""
    accepted(client, house, FORMS[form])
    meters = wiring.registry(house.settings).meters
    named = FORMS[form]["meters"][0]
    treating = [one for one in meters.values() if one.treats and named in {one.id, one.treats}] or [meters[named]]

    assert treating[0].maintenance[-1].document.startswith("核查单7 (person/")
    assert {(parse_time("2025-10-20T00:00:00+08:00"), parse_time("2025-10-22T00:00:00+08:00"))} == {
        (one.maintenance[-1].begin, one.maintenance[-1].end) for one in treating
    }


def test_a_returned_form_changes_nothing(client: Client, house: House) -> None:
    """It stands with the reason, and a second ruling is refused."""
    file(client, house, MULTIPLIER)
    number, before = listed(client, house)[0]["id"], wiring.registry(house.settings).version
    replies = [post(client, house, f"desk/filings/{number}/ruling", {**ACCEPT, "ruling": ruling}, "operator").status for ruling in ("return", "accept")]
    found = listed(client, house, "enterprise")[0]

    assert [202, 409] == replies
    assert ("returned", "现场核实", "key-operator") == (found["state"], found["ruling"]["reason"], found["ruling"]["person"])
    assert before == wiring.registry(house.settings).version
    assert [number] == [one["id"] for one in listed(client, house, query="?state=returned")]
    assert number not in {one["id"] for one in listed(client, house, query="?state=waiting")}


def test_an_attachment_comes_back_byte_by_byte(client: Client, house: House) -> None:
    """Kept under its hash, given as a file and never as a page; a damaged one is not given."""
    file(client, house, {**EXCHANGE, "attachment": ATTACHMENT})
    found = listed(client, house)[0]
    digest = hashlib.sha256(PHOTO).hexdigest()
    path = f"/api/v1/filings/{found['id']}/attachment"
    reply = client.get(path, **house.bearer("enterprise"))

    assert (".._换表单 12.png", digest, len(PHOTO)) == tuple(found["attachment"][name] for name in ("name", "sha256", "bytes"))
    assert (200, PHOTO, digest, "application/octet-stream") == (reply.status, reply.body, reply.headers["x-lanbi-sha256"], reply.headers["content-type"])
    assert reply.headers["content-disposition"].startswith("attachment")
    kept = record(house.county.data / "journal", *_place(found["record"]))
    assert kept
    assert digest in kept.payload.decode()
    (house.county.data / FOLDER / digest[:2] / digest).write_bytes(b"other")
    assert 500 == client.get(path, **house.bearer("operator")).status


def _place(name: str) -> tuple[str, int]:
    writer, _, seq = name.partition("/")
    return writer, int(seq)


def test_foreign_objects_do_not_exist(client: Client, house: House) -> None:
    """Neither the enterprise of others, nor a meter of others under its own, nor a filing of others can be touched."""
    file(client, house, {**EXCHANGE, "meter": "m-0004", "attachment": ATTACHMENT}, "operator", FOREIGN)
    number = listed(client, house)[0]["id"]

    assert 404 == file(client, house, EXCHANGE, owner=FOREIGN).status
    assert 404 == file(client, house, {**EXCHANGE, "meter": "m-0004"}).status
    assert 404 == file(client, house, {**WINDOW, "meters": ["m-0002", "m-0004"]}).status
    assert 404 == file(client, house, {**EXPLANATION, "source": "m-0004"}).status
    assert number not in {one["id"] for one in listed(client, house, "enterprise")}
    assert (404, 200) == tuple(client.get(f"/api/v1/filings/{number}/attachment", **house.bearer(role)).status for role in ("enterprise", "operator"))
    assert 403 == post(client, house, f"desk/filings/{number}/ruling", ACCEPT, "enterprise").status


WRONG = [
    {**EXCHANGE, "time": "yesterday"},
    {**EXCHANGE, "last": "-1"},
    {**EXCHANGE, "form": "gift"},
    {**EXCHANGE, "more": 1},
    {**MULTIPLIER, "value": "0"},
    {**MULTIPLIER, "from": "2025-13-01"},
    {**WINDOW, "meters": []},
    {**WINDOW, "to": "2025-10-19"},
    {**WINDOW, "to": "2027-10-19"},
    {**EXPLANATION, "rule": "E9"},
    {**EXPLANATION, "reason": " "},
    {**EXCHANGE, "attachment": {"name": "a", "content": "****"}},
    {**EXCHANGE, "attachment": {"name": "a", "content": base64.b64encode(bytes(700_001)).decode()}},
]


@pytest.mark.parametrize("body", WRONG, ids=range(len(WRONG)))
def test_what_cannot_be_is_refused(client: Client, house: House, body: object) -> None:
    """With a sentence in Chinese that says what to change, and nothing in the list."""
    before = listed(client, house)
    reply = file(client, house, body)

    assert 422 == reply.status
    assert any("\u4e00" <= letter <= "\u9fff" for letter in reply.json()["detail"])
    assert before == listed(client, house)


def test_an_exchange_that_cannot_be_is_not_accepted(client: Client, house: House) -> None:
    """The stored registers speak against it: a sentence in Chinese, and the form waits on."""
    file(client, house, {**EXCHANGE, "last": "5"})
    reply = post(client, house, f"desk/filings/{listed(client, house)[0]['id']}/ruling", ACCEPT, "operator")

    assert (422, "不能这样填报：旧表止码 5 小于换表前的读数 999") == (reply.status, reply.json()["detail"])
    assert "waiting" == listed(client, house)[0]["state"]


def test_deeds_stand_in_the_log(client: Client, house: House) -> None:
    """Filing, acceptance and ruling, each with who and about whom."""
    accepted(client, house, EXCHANGE)
    rows = [row for row in client.get("/api/v1/audit?limit=20", **house.bearer("admin")).json()["items"] if row["action"] != "read"][:3]

    assert [("ruling", "key-operator", OWN), ("accept exchange", "key-operator", OWN), ("filing", "key-enterprise", OWN)] == [
        (row["action"], row["who"], row["object"]) for row in rows
    ]


def test_an_order_is_confirmed_by_the_enterprise_itself(client: Client, house: House) -> None:
    """A receipt of an order that names it; of another there is none."""
    store = wiring.store(house.settings)
    body = {"level": "red", "zh": "红色", "document": "预警3", "receipt": None, "measures": [], "hours": {}, "why": {}, "from": "", "to": ""}
    store.events([Event("order", OWN, NOW - 7_200, 1.0, json.dumps(body))])
    store.close()
    replies = [
        post(client, house, f"enterprises/{OWN}/receipts", {"from": begin}, "enterprise").status for begin in ("2025-10-15T08:20:00+08:00", "2025-10-15", "?")
    ]
    forward(house.settings, wiring.registry(house.settings), WRITER)
    made = entries(house, statements.RECEIPT)

    assert [202, 404, 422] == replies
    assert [(OWN, "key-enterprise")] == [(one.body["enterprise"], one.user) for one in made]


@pytest.mark.parametrize(("delay", "seen"), [(0, True), (180, False)])
def test_the_contact_is_told_first(house: House, delay: int, *, seen: bool) -> None:
    """A clue of two hours stands for the enterprise at once, for the bureau once the registered delay is over; so in lists and news."""
    store = wiring.store(house.settings)
    text = {"state": "open", "rule": "E1", "from": "2025-10-15T08:20:00+08:00", "to": "2025-10-15T09:20:00+08:00", "minutes": 60}
    store.events([Event("treatment-off", "m-0002", NOW - 7_200, 1.0, json.dumps(text))])
    store.close()
    source = house.settings.county.read_text(encoding="utf-8").replace(f'id = "{OWN}"\n', f'id = "{OWN}"\nbureau_delay = {delay}\n', 1)
    (house.county.data / "registry").mkdir(exist_ok=True)
    (house.county.data / "registry" / "current.toml").write_text(source, encoding="utf-8")
    registry = wiring.registry(house.settings)
    with served(create_app(replace(house.sources(), registry=lambda: registry))) as client:
        clues = {role: len(client.get("/api/v1/clues", **house.bearer(role)).json()["items"]) for role in ("enterprise", "operator")}
        news = {
            role: [row["kind"] for row in client.get(f"/api/v1/enterprises/{OWN}/news", **house.bearer(role)).json()["items"]]
            for role in ("enterprise", "operator")
        }

    assert {"enterprise": 1, "operator": int(seen)} == clues
    assert "clue" in news["enterprise"]
    assert seen == ("clue" in news["operator"])
