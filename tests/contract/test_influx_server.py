"""What a real influxd 2.9.1 does, measured where lanbi builds on it: refusals, instants, success that outlives a kill, read-only tokens."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import urllib3

from domain.errors import LanbiError, StoreRefused
from domain.message import Message, encode
from domain.readings import Reading
from lanbi import influx_tables as tables
from lanbi.influx import InfluxStore
from lanbi.influx_http import Place
from lanbi.secret import Secret
from tests.ingest.county import NOW
from tests.ingest.machine import Machine

pytestmark = pytest.mark.services
HOUR = NOW // 3600 * 3600
WEEK = 7 * 86_400
YEAR = 365 * 86_400


@dataclass
class Fresh:
    """Buckets of one test on a real server, a store on them, and the raw wire beside it."""

    server: Any
    prefix: str
    asked: list[int] = field(default_factory=list)

    def store(self) -> InfluxStore:
        """A new store; the lines of its bodies are noted."""
        store = InfluxStore(Place(self.server.url, self.server.org, self.prefix), Secret(self.server.token))
        post = store._db._post

        def noted(bucket: str, lines: Any) -> None:
            self.asked.append(len(lines))
            post(bucket, lines)

        store._db._post = noted  # type: ignore[method-assign]
        return store

    def write(self, body: str) -> tuple[int, str]:
        """Status and words of a write as it is."""
        query = urlencode({"org": self.server.org, "bucket": self.prefix})
        with urllib3.PoolManager() as http:
            answer = http.request("POST", f"{self.server.url}/api/v2/write?{query}", headers={"Authorization": f"Token {self.server.token}"}, body=body)
        return answer.status, str(json.loads(answer.data)["message"]) if answer.data else ""

    def delete(self, predicate: str) -> None:
        """Delete rows of the raw bucket, whatever their time."""
        query = urlencode({"org": self.server.org, "bucket": self.prefix})
        body = {"start": "2000-01-01T00:00:00Z", "stop": "2100-01-01T00:00:00Z", "predicate": predicate or '_measurement="nobody"'}
        with urllib3.PoolManager() as http:
            head = {"Authorization": f"Token {self.server.token}"}
            assert 204 == http.request("POST", f"{self.server.url}/api/v2/delete?{query}", headers=head, json=body).status

    def rows(self) -> list[Reading]:
        """Rows of the air table."""
        store = self.store()
        found = list(store.rows("air", None, -YEAR, 2**33))
        store.close()
        return found


@pytest.fixture
def fresh(influxd: Any, tmp_path: Path) -> Fresh:
    """Buckets of this test alone, kept for ever."""
    prefix = f"s-{abs(hash(tmp_path)):x}"
    for suffix in tables.BUCKETS:
        influxd.bucket(prefix + suffix)
    return Fresh(influxd, prefix)


def machine(folder: Path, fresh: Fresh) -> Machine:
    """A machine on the real server."""
    return Machine(folder, open=lambda _: fresh.store())


def test_one_conflict_in_5000_costs_its_item_alone(fresh: Fresh, tmp_path: Path) -> None:
    """A text that somebody wrote into another week's shard makes one of 5,000 readings lose that item; at most 16 bodies are sent."""
    old = HOUR - 5 * WEEK
    assert (204, "") == fresh.write(f'air,site=stranger,span=60 pm25="text" {old}000000000')
    times = [HOUR - 60 * n for n in range(5_000)]
    times[3_210] = old
    readings = [Message(when, 60, {"pm25": 5.5, "co": 0.5}, 0, n) for n, when in enumerate(sorted(times))]
    one = machine(tmp_path, fresh)
    one.journal([encode(readings[start : start + 100]) for start in range(0, 5_000, 100)])
    one.forward()

    assert {"received": 5_000, "stored": 5_000, "duplicate": 0, "deadletter": 0, "quarantined": 0, "pending": 0} == one.law()
    assert 1 == one.totals()["items_refused", "store-rejected"]
    assert {"pm25": 4_999, "co": 5_000} == {name: sum(name in row.values for row in fresh.rows()) for name in ("pm25", "co")}
    assert [5_000] == fresh.asked[:1]
    assert 16 >= len([size for size in fresh.asked if size != len({row.time // 86_400 for row in fresh.rows()})])


def test_a_conflict_in_every_line_is_a_fault_of_the_store(fresh: Fresh, tmp_path: Path) -> None:
    """A field of the wrong type in this week's shard holds everything after one answer; it is mended by deleting the table in that week."""
    fresh.write(f'air,site=stranger,span=60 pm25="text" {HOUR - 60}000000000')
    fresh.write(f"air,site=neighbour,span=60 co=1.0 {HOUR - 60}000000000")
    one = machine(tmp_path, fresh)
    one.journal([encode(Message(HOUR - 60 * n, 60, {"pm25": 5.5}, 0, n)) for n in range(1, 41)])
    for predicate in ("", '_measurement="air" AND site="stranger"'):
        fresh.delete(predicate)
        fresh.asked.clear()
        with pytest.raises(StoreRefused, match="field type conflict"):
            one.forward()
        assert (0, 40, [40]) == (one.law()["quarantined"], one.law()["pending"], fresh.asked)
    fresh.delete('_measurement="air"')
    one.forward()

    assert {"received": 40, "stored": 40, "duplicate": 0, "deadletter": 0, "quarantined": 0, "pending": 0} == one.law()
    assert 40 == len(fresh.rows())


def test_a_bad_line_costs_its_whole_body_and_is_named(fresh: Fresh) -> None:
    """Status 400: nothing of the body is kept, and each line that cannot be read is repeated in the answer (1.6 kept the others)."""
    good = [f"air,site=a,span=60 rev=1.0,pm25=1.0 {HOUR + n}000000000" for n in range(100)]
    status, said = fresh.write("\n".join([*good, "air,site=b,span=60 rev=nan 1", "air,site=c,span=60 rev=one 2"]))

    assert (400, ["air,site=b,span=60 rev=nan 1", "air,site=c,span=60 rev=one 2"]) == (status, re.findall("'(.*)'", said))
    assert [] == fresh.rows()


def test_instants_far_away_are_taken(fresh: Fresh) -> None:
    """The server refuses neither ten years ahead nor 1969: accept must."""
    for when in (HOUR + 10 * YEAR, -86_400):
        assert (204, "") == fresh.write(f"air,site=a,span=60 rev=1.0,pm25=1.0 {when}000000000")
    assert [-86_400, HOUR + 10 * YEAR] == [row.time for row in fresh.rows()]


def test_beyond_the_retention_is_dropped_and_the_bound_is_said(influxd: Any, tmp_path: Path) -> None:
    """Status 422 with the bound and the rest kept: what grew too old on its way is quarantined without a search."""
    prefix = f"r-{abs(hash(tmp_path)):x}"
    for suffix in tables.BUCKETS:
        influxd.bucket(prefix + suffix, 3 * YEAR)
    fresh = Fresh(influxd, prefix)
    assert dict.fromkeys(("air", "water", "point", "meter"), 3 * YEAR) == fresh.store().keeps()
    now = int(time.time())
    one = machine(tmp_path, fresh)
    # Received three years ago, so not too old then; within a shard that is there the server keeps older rows too.
    then = now - 3 * YEAR
    times = [then + 600 * n for n in range(1, 51)] + [then - 60 * 86_400 + 600 * n for n in range(50)]
    one.journal([encode(Message(when, 60, {"pm25": 5.5}, 0, n)) for n, when in enumerate(times)], now=then + 30_000)
    one.forward()

    assert {"received": 100, "stored": 50, "duplicate": 0, "deadletter": 0, "quarantined": 50, "pending": 0} == one.law()
    assert 50 == one.totals()["quarantined", "too-old"]
    assert [100, 50] == fresh.asked[:2]


def test_the_libraries_points_lose_what_ours_refuse() -> None:
    """Why lines are built here: influxdb-client's Point drops NaN, changes an id that ends with a backslash, and leaves comments and empty lines."""
    from influxdb_client import Point

    assert "" == Point("air").tag("site", "a").field("pm25", float("nan")).to_line_protocol()
    assert "air,site=a\\  pm25=1" == Point("air").tag("site", "a\\").field("pm25", 1.0).to_line_protocol()
    with pytest.warns(SyntaxWarning, match="comment"):
        assert Point("#air").tag("site", "a").field("pm25", 1.0).to_line_protocol().startswith("#")
    for row in (tables.Row(("a", "60"), 0, {"pm25": float("nan")}), tables.Row(("a\\", "60"), 0, {"pm25": 1.0})):
        with pytest.raises(LanbiError):
            tables.line(tables.READINGS["air"], row)


def test_what_was_acknowledged_outlives_kill_9(tmp_path: Path, influxd_in: Any) -> None:
    """23,350 points acknowledged, the server killed with -9 at once and started again: none is missing."""
    server = influxd_in(tmp_path)
    for suffix in tables.BUCKETS:
        server.bucket("k" + suffix)
    store = InfluxStore(Place(server.url, server.org, "k"), Secret(server.token))
    rows = [Reading("air", f"s-{n % 50}", 60, HOUR + n // 50, {"pm25": float(n)}, {}, 1) for n in range(23_350)]
    for start in range(0, len(rows), 467):
        store.write(rows[start : start + 467])
    server.kill()
    store.close()
    server = influxd_in(tmp_path)
    store = InfluxStore(Place(server.url, server.org, "k"), Secret(server.token))
    assert 23_350 == len(list(store.rows("air", None, 0, 2**33)))
    store.close()
