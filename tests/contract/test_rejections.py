"""What a store will not take: only that is held for a person, in every dialect of the server, and only if the fault is in the data."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from domain.errors import StoreAway, StoreRefused
from domain.message import Message, encode
from lanbi.influx import InfluxStore
from lanbi.influx_http import Place
from lanbi.journal import record
from lanbi.secret import Secret
from lanbi.state import StateView
from tests.contract.stand_in import DIALECTS, StandIn, standing_in
from tests.ingest.county import NOW
from tests.ingest.machine import Machine

HOUR = NOW // 3600 * 3600
MANY = 5_000
FIRST = HOUR - 60 * MANY


@pytest.fixture
def server() -> Iterator[StandIn]:
    """A stand-in without faults."""
    with standing_in(StandIn()) as one:
        yield one


def machine(folder: Path, server: StandIn) -> Machine:
    """A machine whose store is the stand-in."""
    return Machine(folder, open=lambda _: InfluxStore(Place(server.url, "o", "p"), Secret("t")))


def minutes(number: int, values: Callable[[int], dict[str, float | None]], first: int = 0) -> list[bytes]:
    """Messages of a hundred readings, a minute each; the sequence number is the minute."""
    readings = [Message(FIRST + 60 * n, 60, values(n), 0, n) for n in range(first, first + number)]
    return [encode(readings[start : start + 100]) for start in range(0, number, 100)]


def plain(number: int) -> dict[str, float | None]:
    """One item, a value that tells its number."""
    return {"pm25": number % 1_000 + 0.5}


def refused(folder: Path) -> list[tuple[str, str, str | None, str, int]]:
    """Rows of dead letters and quarantine: outcome, reason, item, writer and the number of the reading."""
    view = StateView(folder)
    rows = [(row.outcome, row.reason, row.item, row.writer, int(row.number or 0)) for _, row in view.refused(limit=100)]
    view.close()
    return rows


@pytest.mark.parametrize("place", [0, 2_718, 4_999])
@pytest.mark.parametrize("dialect", DIALECTS)
def test_one_bad_point_in_5000_costs_itself_alone(server: StandIn, tmp_path: Path, dialect: str, place: int) -> None:
    """4,999 are stored, one is quarantined with its place in the journal, and the server is asked at most 16 times."""
    server.dialect = dialect
    server.bad = lambda _table, _site, time, _fields: "pm25" if time == FIRST + 60 * place else ""
    one = machine(tmp_path, server)
    one.journal(minutes(MANY, plain))
    one.forward()

    assert {"received": 5_000, "stored": 4_999, "duplicate": 0, "deadletter": 0, "quarantined": 1, "pending": 0} == one.law()
    assert 4_999 == sum(key[0] == "air" for key in server.rows)
    assert 16 >= server.writes - 4, "four days are announced besides"
    assert [("quarantined", "store-rejected", "mqtt", place)] == [(*row[:2], *row[3:]) for row in refused(tmp_path)]
    found = record(tmp_path / "journal", "mqtt", place // 100 + 1)
    assert found is not None and f'"seq":{place},'.encode() in found.payload


@pytest.mark.parametrize("dialect", [name for name in DIALECTS if not name.startswith("400")])
def test_a_type_conflict_costs_an_item_and_not_its_reading(server: StandIn, tmp_path: Path, dialect: str) -> None:
    """The line is stored without the item in conflict; the item is quarantined, latest shows what is stored, and the device is told."""
    server.dialect = dialect
    server.bad = lambda _table, _site, time, fields: "co" if time >= HOUR - 120 and "co" in fields else ""
    one = machine(tmp_path, server)
    one.journal(minutes(100, lambda n: {"pm25": 5.0, "co": 0.5} if n % 2 else {"pm25": 5.0, "no2": 1.0}, MANY - 99))
    one.forward()

    assert {"received": 100, "stored": 100, "duplicate": 0, "deadletter": 0, "quarantined": 0, "pending": 0} == one.law()
    assert [("quarantined", "store-rejected", "co", "mqtt", MANY - 1)] == refused(tmp_path)
    assert 1 == one.totals()["items_refused", "store-rejected"]
    assert {"rev", "pm25"} == set(server.rows["air", "tc-a01", "60", HOUR - 60])
    assert [("store-rejected", "co")] == [(answer.body["reason"], answer.body["item"]) for answer in one.told]


def test_several_bad_points_of_several_fields(server: StandIn, tmp_path: Path) -> None:
    """Conflicts of two fields in one batch are told apart: each line loses only what is in conflict."""
    bad = {FIRST + 60 * 7: "pm25", FIRST + 60 * 70: "co", FIRST + 60 * 71: "co"}
    server.bad = lambda _table, _site, time, fields: bad.get(time, "") if bad.get(time) in fields else ""
    one = machine(tmp_path, server)
    one.journal(minutes(200, lambda _: {"pm25": 5.0, "co": 0.5}))
    one.forward()

    assert 200 == one.law()["stored"]
    assert {(7, "pm25"), (70, "co"), (71, "co")} == {(row[4], row[2]) for row in refused(tmp_path)}
    assert 3 == len(refused(tmp_path))


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("limit", [5_000, 5])
def test_many_rejections_of_one_cause_are_a_fault_of_the_store(server: StandIn, tmp_path: Path, dialect: str, limit: int) -> None:
    """The seventeenth value refused for one cause holds everything, whatever the size of the batches; once the store is mended all is stored."""
    server.dialect = dialect
    server.bad = lambda _table, _site, time, fields: "pm25" if "pm25" in fields else ""
    one = machine(tmp_path, server)
    one.journal([encode(Message(FIRST + 60 * n, 60, plain(n), 0, n)) for n in range(40)])
    with pytest.raises(StoreRefused):
        one.forward(limit)
    held = 15 if limit == 5 else 0
    assert {"received": 40, "stored": 0, "duplicate": 0, "deadletter": 0, "quarantined": held, "pending": 40 - held} == one.law()
    server.bad = lambda *_: ""
    one.forward()

    assert (40 - held, held) == (one.law()["stored"], one.law()["quarantined"])


def test_a_body_too_large_is_cut(server: StandIn, tmp_path: Path) -> None:
    """A server that takes little at a time gets little at a time, and is not asked more often than that takes."""
    server.largest = 20_000
    one = machine(tmp_path, server)
    one.journal(minutes(2_000, plain))
    one.forward()

    assert (2_000, 0) == (one.law()["stored"], one.law()["quarantined"])
    assert 2_000 == sum(key[0] == "air" for key in server.rows)
    assert 20 >= server.writes


def test_a_single_line_too_large_is_a_fault_of_the_store(server: StandIn, tmp_path: Path) -> None:
    """Where not even one line passes, everything is held."""
    server.largest = 10
    one = machine(tmp_path, server)
    one.journal(minutes(40, plain))
    with pytest.raises(StoreRefused, match="413"):
        one.forward()

    assert (0, 40) == (one.law()["quarantined"], one.law()["pending"])


def test_beyond_the_retention_is_too_old_before_it_is_sent(server: StandIn, tmp_path: Path) -> None:
    """What the bucket would not keep is quarantined by its age at receipt, however much it is; the server is not asked."""
    server.retention_s = 60 * 100
    one = machine(tmp_path, server)
    one.journal(minutes(200, plain, MANY - 199))
    one.forward()

    assert (100, 100) == (one.law()["stored"], one.law()["quarantined"])
    assert {"too-old"} == {row[1] for row in refused(tmp_path)}
    assert 2 == server.writes


def test_what_grew_too_old_on_its_way_is_found_without_search(server: StandIn, tmp_path: Path) -> None:
    """A server that drops what lies beyond its retention says how far that is: one answer is enough."""
    server.oldest = HOUR - 60 * 100
    one = machine(tmp_path, server)
    one.journal(minutes(200, plain, MANY - 199))
    one.forward()

    assert (100, 100) == (one.law()["stored"], one.law()["quarantined"])
    assert {("too-old", None)} == {row[1:3] for row in refused(tmp_path)}
    assert 3 == server.writes


@pytest.mark.parametrize("status", [429, 503, 500, 502, 401, 403, 404])
def test_no_other_answer_is_the_datas_fault(server: StandIn, tmp_path: Path, status: int) -> None:
    """Whatever else the server answers, nothing is lost, quarantined or searched for; afterwards everything is stored."""
    server.statuses = [(status, {"Retry-After": "3"})]
    one = machine(tmp_path, server)
    one.journal(minutes(50, plain))
    with pytest.raises((StoreAway, StoreRefused), match=str(status)) as caught:
        one.forward()
    error: Any = caught.value
    assert (str(status), 1) == (error.status, server.writes)
    assert status not in {429, 503} or error.wait_s == 3
    assert 50 == one.law()["pending"]
    one.forward()

    assert {"received": 50, "stored": 50, "duplicate": 0, "deadletter": 0, "quarantined": 0, "pending": 0} == one.law()
