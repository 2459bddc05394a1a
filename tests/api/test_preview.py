"""What a mark would change is computed by analytics, shown, and written nowhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.app import create_app
from domain.civil import DAY_S, HOUR_S, parse_time
from domain.indicators import Query
from domain.readings import Reading
from lanbi import rehearsal, wiring
from tests.api.house import House
from tests.api.served import Client, served

DAY = parse_time("2025-06-03T00:00:00+08:00")
MARK = {"source": "sc-a03", "from": "2025-06-03", "to": "2025-06-03", "flag": "R", "reason": "采样口被堵", "document": "巡检单7"}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    """A county with two whole days of a station."""
    found = House(Path(tmp_path_factory.mktemp("preview")))
    store = wiring.store(found.settings) if found.county.sources() else None
    assert store
    values = {"pm25": 50.0, "pm10": 61.0, "so2": 7.0, "no2": 22.0, "co": 0.5, "o3": 80.0}
    store.write([Reading("air", "sc-a03", HOUR_S, DAY + hour * HOUR_S, values, {}, hour) for hour in range(1, 49)])
    store.close()
    return found


@pytest.fixture(scope="module")
def client(house: House) -> Iterator[Client]:
    """Its API."""
    with served(create_app(house.sources())) as found:
        yield found


def ask(client: Client, house: House, body: dict[str, Any]) -> Any:
    """The operator's question."""
    headers = {"Content_Type": "application/json", **house.bearer("operator")}
    return client.get("/api/v1/desk/previews", method="POST", body=json.dumps(body).encode(), **headers)


@pytest.mark.timeout(240)
def test_what_would_change_is_told_and_not_written(client: Client, house: House) -> None:
    """The answer lists figures; the store is as it was before, and no entry was made."""
    store = wiring.store(house.settings, write=False)
    query = Query(None, "sc-a03", "day", basis=None, start=DAY - 1, end=DAY + 2 * DAY_S)
    before = store.series(query), store.entered("mark")
    told = ask(client, house, MARK).json()
    after = store.series(query), store.entered("mark")
    store.close()

    assert before == after
    assert told["count"] >= len(told["items"]) > 0


def test_a_wrong_mark_is_refused_without_computing(client: Client, house: House) -> None:
    """The same judgement as when it is entered."""
    assert 422 == ask(client, house, {**MARK, "to": "2025-06-01"}).status
    assert 404 == ask(client, house, {**MARK, "source": "none"}).status


def test_a_fault_is_an_answer(house: House, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A store that cannot be opened is told in words."""
    import io

    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps({"config": "/nowhere.toml", "kind": "mark", "body": MARK})))

    assert 2 == rehearsal.main()
    assert "error" in json.loads(capsys.readouterr().out)
