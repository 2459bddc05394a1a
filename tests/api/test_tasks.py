"""Tasks: whose, until when, answered with a paper, returned or closed; and the dispatch of an episode, enterprise by enterprise."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.app import create_app
from domain.civil import HOUR_S, iso
from domain.indicators import Event, Indicator
from lanbi import wiring
from lanbi.entering import WRITER
from lanbi.forwarding import forward
from tests.api.house import FOREIGN, OWN, House
from tests.api.seeded import NOW
from tests.api.served import Client, Reply, served

DAY_S = 86_400
HELD, CLUE, ALARM, LATE = f"held@m-0001@{NOW - DAY_S}", f"treatment-off@m-0003@{NOW - 3_600}", f"step@sc-a01@{NOW - 7_200}", f"held@m-0004@{NOW - 20 * DAY_S}"
BEGIN, END = NOW // HOUR_S * HOUR_S - 6 * HOUR_S, NOW // HOUR_S * HOUR_S + 6 * HOUR_S


def order(**more: object) -> str:
    """What analytics tells of an order and an enterprise."""
    body = {"level": "red", "zh": "红色", "from": iso(BEGIN), "to": iso(END), "document": "预警3号", "measures": [{"line": "", "measure": "停产", "share": 0}]}
    return json.dumps({**body, "receipt": None, "hours": {"obeyed": 2, "not-obeyed": 0, "cannot-tell": 0}, "why": {}, **more})


def seed(house: House) -> None:
    """Events as analytics stores them: tasks of each kind, one that has a word already, one that was taken back, and an order of two enterprises."""
    clue = {"state": "open", "rule": "E1", "from": iso(NOW - 3_600), "to": iso(NOW - 1_800), "minutes": 30}
    receipt = {"time": iso(BEGIN + 600), "user": "liu"}
    store = wiring.store(house.settings)
    store.events(
        [
            Event("held", "m-0001", NOW - DAY_S, 1.0, "123456 超过最大功率"),
            Event("held", "m-0002", NOW - DAY_S, 0.0, "已撤销 withdrawn: x"),
            Event("held", "m-0004", NOW - 20 * DAY_S, 1.0, "7"),
            Event("treatment-off", "m-0003", NOW - 3_600, 1.0, json.dumps(clue)),
            Event("idling", "m-0003", NOW - 3_600, 0.0, json.dumps({**clue, "state": "confirmed"})),
            Event("step", "sc-a01", NOW - 7_200, 38.0, "{}"),
            Event("order", OWN, BEGIN, 0.0, order(receipt=receipt)),
            Event("order", FOREIGN, BEGIN, 1.0, order(hours={"obeyed": 0, "not-obeyed": 1, "cannot-tell": 1}, why={"no-data": 1})),
        ]
    )
    rows = [(OWN, "obeyed", "", 3.0), (OWN, "obeyed", "", 2.0), (FOREIGN, "not-obeyed", "", 900.0), (FOREIGN, "cannot-tell", "no-data", None)]
    store.put(
        [
            Indicator("order_load", "hour", scope, "none", BEGIN + HOUR_S * (1 + place % 2), load, target=50.0, status=status, text=json.dumps({"why": why}))
            for place, (scope, status, why, load) in enumerate(rows)
        ]
    )
    store.close()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    """A county with tasks and an order."""
    found = House(Path(tmp_path_factory.mktemp("tasks")))
    seed(found)
    return found


@pytest.fixture(scope="module")
def client(house: House) -> Iterator[Client]:
    """Its API."""
    with served(create_app(house.sources())) as found:
        yield found


def get(client: Client, house: House, path: str, role: str = "operator") -> Any:
    """An answer to a role."""
    reply = client.get(f"/api/v1/{path}", **house.bearer(role))
    assert 200 == reply.status, reply.text
    return reply.json()


def post(client: Client, house: House, path: str, body: object, role: str = "operator") -> Reply:
    """A JSON body by a role's key."""
    return client.get(f"/api/v1/{path}", method="POST", body=json.dumps(body).encode(), Content_Type="application/json", **house.bearer(role))


def one(client: Client, house: House, name: str, state: str) -> dict[str, Any]:
    """A task in a state."""
    found = [row for row in get(client, house, f"tasks?state={state}")["items"] if row["task"] == name]
    assert found, (name, state)
    row = found[0]
    assert isinstance(row, dict)
    return row


def test_facts_are_tasks_with_owner_and_day(client: Client, house: House) -> None:
    """A held register, an open clue and an alarm: of the place's town, due so many working days later; what was settled untouched is none."""
    told = get(client, house, "tasks")
    rows = {row["task"]: row for row in told["items"]}

    assert {HELD, CLUE, ALARM, LATE} == set(rows)
    assert ("2025-10-17", "2025-10-20", "2025-10-22") == tuple(rows[name]["due"] for name in (HELD, CLUE, ALARM))
    assert all(row["owner"] for row in rows.values())
    assert [LATE] == [row["task"] for row in told["items"] if row["overdue"]] == [row["task"] for row in get(client, house, "tasks?overdue=true")["items"]]
    assert (4, 1) == (told["counts"]["open"], told["counts"]["overdue"])


def test_today_names_what_is_owed(client: Client, house: House) -> None:
    """Late tasks press, open ones are watched, each with the page that shows them; to whom that page is shut they are not named."""
    told = [(one["urgency"], one["zh"], one["view"]) for one in get(client, house, "today")["items"] if one["kind"] == "task"]

    assert [("act", "1 项任务已逾期，须督办", "tasks"), ("watch", "3 项任务待办，尚未逾期", "tasks")] == told
    assert [] == [one for one in get(client, house, "today", "reader")["items"] if one["kind"] == "task"]


def test_an_enterprise_sees_and_answers_its_own(client: Client, house: House) -> None:
    """Others' tasks do not exist for it; a reader may see none."""
    assert {HELD, CLUE} == {row["task"] for row in get(client, house, "tasks", "enterprise")["items"]}
    assert 404 == post(client, house, f"tasks/{LATE}/replies", {"note": "x"}, "enterprise").status
    assert 404 == post(client, house, "tasks/held@m-0001@5/replies", {"note": "x"}).status
    assert 403 == post(client, house, f"desk/tasks/{HELD}/steps", {"action": "close", "note": "x"}, "enterprise").status
    assert 403 == client.get("/api/v1/tasks", **house.bearer("reader")).status


def test_a_task_goes_its_way(client: Client, house: House) -> None:
    """Assigned, answered with a paper, returned, answered again, closed; each step at once and for ever, and none out of turn."""
    paper = {"name": "核查单.pdf", "content": base64.b64encode(b"%PDF-1.7 paper").decode()}
    early = post(client, house, f"desk/tasks/{HELD}/steps", {"action": "return", "note": "?"}).status
    assert 202 == post(client, house, f"desk/tasks/{HELD}/steps", {"action": "assign", "owner": "能源科", "due": "2025-10-14"}).status
    assert ("能源科", "2025-10-14", True) == tuple(one(client, house, HELD, "open")[name] for name in ("owner", "due", "overdue"))
    assert 202 == post(client, house, f"tasks/{HELD}/replies", {"note": "表计已校验", "attachment": paper}, "enterprise").status
    twice = post(client, house, f"tasks/{HELD}/replies", {"note": "again"}, "department").status
    row = one(client, house, HELD, "replied")
    file = client.get(f"/api/v1/tasks/{HELD}/attachments/{row['steps'][-1]['id']}", **house.bearer("enterprise"))
    assert 202 == post(client, house, f"desk/tasks/{HELD}/steps", {"action": "return", "note": "缺照片"}).status
    assert one(client, house, HELD, "returned")["overdue"]
    assert 202 == post(client, house, f"tasks/{HELD}/replies", {"note": "补照片"}, "department").status
    assert 202 == post(client, house, f"desk/tasks/{HELD}/steps", {"action": "close", "note": "属实"}).status
    forward(house.settings, wiring.registry(house.settings), WRITER)
    steps = one(client, house, HELD, "closed")["steps"]

    assert (409, 409) == (early, twice)
    assert (200, b"%PDF-1.7 paper", "核查单.pdf") == (file.status, file.body, row["steps"][-1]["attachment"]["name"])
    assert ["assign", "reply", "return", "reply", "close"] == [step["action"] for step in steps]
    assert ["key-operator", "key-enterprise", "key-operator", "key-department", "key-operator"] == [step["person"] for step in steps]
    assert 409 == post(client, house, f"tasks/{HELD}/replies", {"note": "late"}, "department").status


WRONG = [
    ("tasks/{}/replies", {"note": " "}),
    ("tasks/{}/replies", {"note": "x", "attachment": {"name": "a", "content": "?"}}),
    ("desk/tasks/{}/steps", {"action": "assign", "owner": "科"}),
    ("desk/tasks/{}/steps", {"action": "assign", "owner": "科", "due": "morgen"}),
    ("desk/tasks/{}/steps", {"action": "close"}),
    ("desk/tasks/{}/steps", {"action": "delete", "note": "x"}),
]


@pytest.mark.parametrize(("path", "body"), WRONG, ids=range(len(WRONG)))
def test_what_cannot_be_is_refused(client: Client, house: House, path: str, body: object) -> None:
    """With a sentence in Chinese, and the task stands where it stood."""
    before = one(client, house, ALARM, "open")
    reply = post(client, house, path.format(ALARM), body)

    assert 422 == reply.status
    assert any("\u4e00" <= letter <= "\u9fff" for letter in reply.json()["detail"])
    assert before == one(client, house, ALARM, "open")


def test_tasks_come_page_by_page(client: Client, house: House) -> None:
    """Joined without a gap, and the counts say the whole."""
    whole = get(client, house, "tasks")
    first = get(client, house, "tasks?limit=1")
    rest = get(client, house, f"tasks?cursor={first['next']}")

    assert whole["items"] == first["items"] + rest["items"]
    assert whole["counts"] == first["counts"]


def test_dispatch_shows_who_obeyed(client: Client, house: House) -> None:
    """By enterprise and hour, the worst first: not obeyed, cannot tell and why, who has not confirmed, whose meters are silent."""
    told = get(client, house, "dispatch")
    rows = told["items"]

    assert (iso(BEGIN), "预警3号", 2, 1) == tuple(told["order"][name] for name in ("start", "document", "enterprises", "unconfirmed"))
    assert [FOREIGN, OWN] == [row["enterprise"] for row in rows]
    assert [("not-obeyed", "", 900.0), ("cannot-tell", "no-data", None)] == [(hour["status"], hour["why"], hour["load"]) for hour in rows[0]["hours"]]
    assert (None, iso(BEGIN + 600)) == tuple(row["confirmed"] for row in rows)
    assert ["m-0001", "m-0002", "m-0003"] == rows[1]["silent"][:3]
    assert [OWN] == [row["enterprise"] for row in get(client, house, "dispatch", "enterprise")["items"]]
    assert 404 == client.get("/api/v1/dispatch?order=2025-01-01", **house.bearer("operator")).status
    assert 422 == client.get("/api/v1/dispatch?order=x", **house.bearer("operator")).status
    assert 403 == client.get("/api/v1/dispatch", **house.bearer("reader")).status
