"""What a mark would change is computed by analytics, shown, and written nowhere."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from api.app import create_app
from domain.civil import DAY_S, HOUR_S, date_of, day_of, day_start
from domain.indicators import Query
from domain.readings import Reading
from lanbi import question, wiring
from lanbi.clock import SystemClock
from lanbi.health import Health
from lanbi.metrics import read_status
from tests.api.house import House
from tests.api.served import Client, served

# Of the year that analytics has in memory, by the machine's clock, which it goes by.
DAY = day_start(day_of(SystemClock().now_ns() // 10**9) - 3)
DATE = date_of(day_of(DAY + 1)).isoformat()
MARK = {"source": "sc-a03", "from": DATE, "to": DATE, "flag": "R", "reason": "采样口被堵", "document": "巡检单7"}


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


@pytest.fixture(scope="module")
def analytics(house: House) -> Iterator[Path]:
    """Its analytics, at work; the status file says how it is."""
    # How long is waited is for people; a busy machine may take its time here.
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setattr(question, "PATIENCE_S", 120.0)
    status = house.settings.data / "run" / "analyse.json"
    command = [sys.executable, "-m", "lanbi", "analyse", "--no-health", "--config", str(house.settings.file)]
    with subprocess.Popen(command) as process:
        try:
            wait(status, lambda told: told.get("ready") is True)
            yield status
        finally:
            process.terminate()
            monkeypatch.undo()


def wait(status: Path, said: Callable[[Mapping[str, Any]], bool]) -> None:
    """Until a status file says so."""
    clock = SystemClock()
    until = clock.monotonic() + 200
    while not (status.exists() and said(read_status(status))):
        assert clock.monotonic() < until, "analytics never said so"
        clock.sleep(0.1)


def ask(client: Client, house: House, body: dict[str, Any]) -> Any:
    """The operator's question."""
    headers = {"Content_Type": "application/json", **house.bearer("operator")}
    return client.get("/api/v1/desk/previews", method="POST", body=json.dumps(body).encode(), **headers)


def test_without_analytics_the_cause_is_told(client: Client, house: House) -> None:
    """Nobody to ask is 503 in the caller's language, with the cause and what to do instead."""
    told = ask(client, house, MARK)

    assert (503, "5") == (told.status, told.headers["retry-after"])
    assert told.json()["detail"].startswith("没有预览：分析程序在 2 秒内没有回答（未启动）。")


@pytest.mark.timeout(300)
def test_what_would_change_is_told_and_not_written(client: Client, house: House, analytics: Path) -> None:
    """Day, month and year of the place are listed with old and new; store, entries and analytics' own memory are as before."""
    store = wiring.store(house.settings, write=False)
    query = Query(None, "sc-a03", None, basis=None, start=DAY - 1, end=DAY + 2 * DAY_S)
    before = store.series(query), store.entered("mark")
    first, second = (ask(client, house, MARK).json() for _ in range(2))
    after = store.series(query), store.entered("mark")
    store.close()

    assert before == after
    assert first == second
    assert first["count"] >= len(first["items"]) > 0
    day = next(row for row in first["items"] if (row["figure"], row["period"], row["rule_set"]) == ("pm25", "day", "HJ633-2012"))
    assert (50.0, None, f"{DATE}T00:00:00+08:00", True) == tuple(day[key] for key in ("old", "new", "time", "restated"))
    assert {"day", "month", "year"} <= {row["period"] for row in first["items"]}
    assert read_status(analytics)["ready"]


@pytest.mark.timeout(300)
def test_the_health_address_passes_questions_on(house: House, analytics: Path) -> None:
    """POST /question answers what the socket answers; what is no question is 422, and only lanbi analyse has the address."""
    health = Health(house.settings, "analyse")
    told = health.question(json.dumps({"kind": "mark", "body": MARK}).encode())

    assert 200 == told.status
    assert json.loads(told.body)["count"] > 0
    assert [422] * 4 == [health.question(body).status for body in (b"[]", b"{", b'{"kind": "x"}', b'{"kind": "mark", "body": {}}')]
    assert read_status(analytics)["ready"]


def test_a_wrong_mark_is_refused_without_computing(client: Client, house: House) -> None:
    """The same judgement as when it is entered."""
    assert 422 == ask(client, house, {**MARK, "to": "2020-01-01"}).status
    assert 404 == ask(client, house, {**MARK, "source": "none"}).status
