"""Faults of the running service, each made real, and the alert of the runbook's page that must fire, by the store's own rows.

One house: Mosquitto, influxd, `lanbi ingest`; the watch of analytics looks at it and writes what Grafana's rules ask for. Only the clock
of watch and rules is turned by hand, so that five minutes of a rule are no five minutes here.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import urllib3
from paho.mqtt import publish

from dashboards.rules import alerting
from domain.message import Message, encode
from domain.wellness import REFUSED
from lanbi import wiring
from lanbi.commands.dashboards import bureau
from lanbi.journal import JournalWriter
from lanbi.metrics import write_status
from lanbi.settings import Settings, load
from lanbi.watching import LOOK_S, Watch
from tests.dashboards.asking import expanded, series
from tests.dashboards.evaluator import ERROR, Evaluator, Found, Refused
from tests.faults.parts.house import House, until
from tests.faults.parts.proxy import REFUSE, Mode
from tests.lanbi.figures_house import Hand

pytestmark = [pytest.mark.services, pytest.mark.timeout(300)]

GRID_S = 300
COUNTY = """[county]
id = "c"
name = "县"
[[air_station]]
id = "a-1"
name = "站"
role = "assessment"
[[device]]
id = "d-1"
sources = ["a-1"]
format = "lanbi-json"
interval = 60
state = "accepted"
"""


@dataclass
class Place:
    """The database as Grafana's data source knows it."""

    url: str
    bucket: str
    token: str

    @property
    def head(self) -> dict[str, str]:
        """As the data source authorizes itself."""
        return {"Authorization": f"Token {self.token}"}


@dataclass
class Eye:
    """Watch and rules over a house; :meth:`goes_on` lets their time pass."""

    house: House
    settings: Settings
    store: Any
    clock: Hand = field(default_factory=lambda: Hand(int(time.time())))
    seq: int = 0

    def __post_init__(self) -> None:
        self.watch = Watch(self.settings.data, wiring.registry(self.settings), self.store, self.clock)
        self.place = Place(f"http://127.0.0.1:{self.house.influx_port}", "lanbi-figures", self.house.secret("influx-grafana").read_text().strip())

    def rule(self, uid: str) -> Evaluator:
        """A rule of this county's provisioned files."""
        found = (rule for group in alerting(bureau(self.settings))["groups"] for rule in group["rules"] if rule["uid"] == uid)
        return Evaluator(next(found), GRID_S)

    def goes_on(self, one: Evaluator, steps: int = 1) -> Evaluator:
        """So many evaluations, five minutes apart; before each the watch has its look."""
        for _ in range(steps):
            self.clock.now += GRID_S
            self.clock.slept += LOOK_S + 1
            self.watch.look()
            one.step(self.clock.now, self.asked)
        return one

    def asked(self, text: str, start: int, end: int) -> Found:
        """A statement of a rule, asked of influxd; no answer is what Grafana calls an error."""
        try:
            found = series(self.place, expanded(text, (start, end), {}))  # type: ignore[arg-type]
        except urllib3.exceptions.HTTPError as error:
            raise Refused(str(error)) from error
        return {tuple(sorted(one.labels.items())): [(row[0] // 1_000, row[1]) for row in one.rows] for one in found}

    def says(self, payload: bytes | None = None) -> None:
        """The device says a value, or something else."""
        self.seq += 1
        message = encode(Message(int(time.time()) // 60 * 60 - 60 * (1 + self.seq), 60, {"pm25": 30.0}, seq=self.seq))
        publish.single("lanbi/v1/d-1/data", payload or message, qos=1, port=self.house.broker_port, client_id="d-1")


@pytest.fixture(scope="module")
def eye(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Eye]:
    """A house that is well: one reading has gone all the way."""
    with House(tmp_path_factory.mktemp("faults") / "house", COUNTY) as house:
        settings = load(str(house.config), os.environ | {"LANBI_STORE_URL": f"http://127.0.0.1:{house.influx_port}"})
        with closing(wiring.store(settings)) as store:
            one = Eye(house, settings, store)
            one.says()
            until(lambda: house.law()["stored"] == 1, "the first reading is stored")
            yield one


def status(eye: Eye, name: str, wanted: Callable[[Any], bool]) -> None:
    """Wait until ingest says so of itself."""
    until(lambda: wanted(eye.house.status().get(name)), f"ingest says {name}; it says {eye.house.status()}")


def fires_then_ends(eye: Eye, uid: str, fault: Callable[[], None], mended: Callable[[], None]) -> Evaluator:
    """Quiet before, firing while the fault lasts, over when it is mended."""
    one = eye.goes_on(eye.rule(uid), 2)
    assert [] == one.fired()
    fault()
    assert 1 == len(eye.goes_on(one, 4).fired())
    assert [] == one.resolved()
    mended()
    assert 1 == len(eye.goes_on(one, 14).resolved())
    return one


def test_a_stopped_broker_fires_service_broker(eye: Eye) -> None:
    """Mosquitto is killed; the alert ends when it runs again and ingest has its session."""

    def kill() -> None:
        eye.house.broker.kill()
        status(eye, "connected", lambda found: not found)

    def start() -> None:
        eye.house.broker.start()
        status(eye, "subscribed", bool)

    fires_then_ends(eye, "service-broker", kill, start)


@pytest.mark.parametrize("uid", ["service-store", "service-waiting"])
def test_a_cut_line_to_the_store_fires(eye: Eye, uid: str) -> None:
    """Between ingest and influxd nothing goes through; readings wait in the journal, and are stored when the line is back."""

    def cut() -> None:
        eye.house.proxy.set(Mode(REFUSE))
        eye.says()
        status(eye, "store", lambda found: found != "ok")

    def back() -> None:
        eye.house.proxy.set(Mode())
        until(lambda: eye.house.law()["pending"] == 0, "what waited is stored")
        status(eye, "store", lambda found: found == "ok")

    fires_then_ends(eye, uid, cut, back)


def test_a_damaged_account_fires_service_law(eye: Eye) -> None:
    """One total of state.db is not what was counted: nobody but the law can see it."""

    def change(by: int) -> Callable[[], None]:
        def write() -> None:
            with closing(sqlite3.connect(eye.house.data / "state.db", timeout=10)) as db, db:
                assert 1 == db.execute("UPDATE total SET count = count + ? WHERE name = 'stored'", (by,)).rowcount

        return write

    fires_then_ends(eye, "service-law", change(-1), change(1))


def test_refused_readings_fire_data_refused(eye: Eye) -> None:
    """A device with a wrong unit: more readings than an hour may refuse go to the dead letters."""
    one = eye.goes_on(eye.rule("data-refused"), 13)
    assert [] == one.fired()
    before = eye.house.law()["deadletter"]
    wrong = [{"time": "yesterday", "span": 60, "values": {"pm25": 1}} for _ in range(REFUSED + 1)]
    eye.says(json.dumps(wrong).encode())
    until(lambda: eye.house.law()["deadletter"] == before + len(wrong), "they are in the dead letters")

    assert 1 == len(eye.goes_on(one, 13).fired())


def test_a_full_quota_fires_service_journal(eye: Eye, tmp_path: Path) -> None:
    """A journal that grew by real records on a day before, under a quota that is nearly used up; over when the quota is raised."""
    # On a day that is closed, at whatever hour this runs: how much an open one grew by can be told an hour after its first record only.
    folder, before = eye.house.data / "journal", int(time.time()) - 36 * 3_600
    writer = JournalWriter(folder, "hj212")
    for number in range(200):
        # Sealed, it stays as large as it is.
        writer.append("x", os.urandom(500), received_ns=(before + 36 * number) * 10**9, readings=0, flags=0)
        writer.commit()
    writer.close()
    until(lambda: eye.house.law()["pending"] == 0, "the forwarder has refused what no logger says")
    keeper = eye.house.data / "run" / "keeper.json"

    def quota(size: int) -> Callable[[], None]:
        return lambda: write_status(keeper, {"quota": size, "faults": []})

    one = eye.goes_on(eye.rule("service-journal"), 2)
    quota(1_000_000)()
    eye.goes_on(one, 9)
    quota(10**12)()
    eye.goes_on(one, 16)

    assert (1, 1) == (len(one.fired()), len(one.resolved()))


def test_a_silent_device_fires_source_silent(eye: Eye) -> None:
    """The device has said nothing for as long as the watch's time went on: the alert names its station."""
    one = eye.goes_on(eye.rule("source-silent"), 3)

    assert [(("scope", "a-1"),)] == [change.labels for change in one.fired()]


def test_a_lost_bucket_fires_service_store(eye: Eye) -> None:
    """The bucket of readings is deleted by mistake, that of figures is there: influxd answers 404, ingest holds everything."""
    one = eye.goes_on(eye.rule("service-store"), 2)
    assert [] == one.fired()
    head = {"Authorization": f"Token {eye.house.secret('influx-operator').read_text().strip()}"}
    buckets = json.loads(urllib3.request("GET", f"{eye.place.url}/api/v2/buckets?name=lanbi", headers=head).data)["buckets"]
    assert 204 == urllib3.request("DELETE", f"{eye.place.url}/api/v2/buckets/{buckets[0]['id']}", headers=head).status
    eye.says()
    status(eye, "store", lambda found: found != "ok")

    assert 1 == len(eye.goes_on(one, 4).fired())
    assert 1 == eye.house.law()["pending"]


def test_a_stopped_store_raises_each_rule_s_own_error(eye: Eye) -> None:
    """The whole of influxd is gone: no row can say so, so the rule's question fails, which Grafana raises as an alert of that rule."""
    one = eye.rule("service-store")
    eye.house.influx.kill()
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(f"{eye.place.url}/health", timeout=2)
    for _ in range(2):
        eye.clock.now += GRID_S
        one.step(eye.clock.now, eye.asked)

    assert [ERROR] == [change.labels for change in one.fired()]
