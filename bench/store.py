"""The forwarder beside the usual code: what a reading costs from the bytes of its message to the disk of InfluxDB.

The usual code is that of every tutorial: ``json.loads``, a ``Point`` of influxdb-client, its batching ``WriteApi``. Both sides write
the same readings into the same influxd, whose own time is measured too. Ours begins at the journal and ends with the cursor behind
it: decoded, judged by the registry, decided by revision, counted, newest values kept.
"""

from __future__ import annotations

import gzip
import itertools
import json
import secrets
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.common import Bench, fix_threads

fix_threads(1)

import numpy as np
import urllib3
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write.point import Point
from influxdb_client.client.write_api import WriteOptions

from domain.message import Message, encode
from domain.places import Registry
from ingest.forwarder import Forwarder
from lanbi import influx_tables as tables
from lanbi.forwarding import MANY, THREADS
from lanbi.influx import InfluxStore
from lanbi.influx_http import LINES, Influx, Place
from lanbi.journal import JournalWriter
from lanbi.journal_view import JournalView
from lanbi.registry import loads
from lanbi.secret import Secret
from lanbi.state import State
from tests.faults.parts.house import Part, PartMissingError, influxd_command

DAY: Final = 86_400
BEGIN: Final = 1_767_196_800
STATIONS: Final = 200
MEDIANS: Final = {
    "pm25": 42.0,
    "pm10": 80.0,
    "so2": 12.0,
    "no2": 32.0,
    "co": 0.8,
    "o3": 60.0,
    "temp": 14.0,
    "rh": 60.0,
    "pressure": 1012.0,
    "wind_speed": 2.0,
    "wind_dir": 180.0,
}
BODY: Final = 40
"""Bodies of a case that measures bodies alone."""
NS: Final = 10**9
MICRO: Final = 1e6
TOKEN: Final = secrets.token_urlsafe(16)


@dataclass
class Server:
    """A real influxd in a folder; its CPU time is that of all its threads."""

    folder: Path
    url: str = ""
    http: urllib3.PoolManager = field(default_factory=urllib3.PoolManager)

    @contextmanager
    def running(self) -> Iterator[Server]:
        """Start it, set it up, stop it."""
        from lanbi.processes import free

        port = free(0)
        self.url = f"http://127.0.0.1:{port}"
        files = [word for name in ("bolt", "engine", "sqlite") for word in (f"--{name}-path", str(self.folder / name))]
        command = [*influxd_command(), *files, "--http-bind-address", f"127.0.0.1:{port}", "--reporting-disabled", "--log-level", "error"]
        self._part = Part("influxd", command, self.folder / "log", self._well)
        self._part.start()
        try:
            self.ask("POST", "setup", {"username": "bench", "password": "bench-password", "org": "lanbi", "bucket": "unused", "token": TOKEN})
            self.org = self.ask("GET", "orgs")["orgs"][0]["id"]
            yield self
        finally:
            self._part.stop()

    def _well(self) -> bool:
        try:
            return self.http.request("GET", f"{self.url}/health", retries=False, timeout=1).status == 200
        except urllib3.exceptions.HTTPError:
            return False

    def ask(self, verb: str, what: str, body: object = None) -> Any:
        """A question to the management side."""
        answer = self.http.request(verb, f"{self.url}/api/v2/{what}", json=body, headers={"Authorization": f"Token {TOKEN}"})
        assert answer.status < 300, answer.data
        return answer.json()

    def bucket(self, prefix: str) -> None:
        """Buckets of one side."""
        for suffix in tables.BUCKETS:
            self.ask("POST", "buckets", {"orgID": self.org, "name": prefix + suffix, "retentionRules": []})

    @property
    def pid(self) -> int:
        """Process id."""
        return self._part.pid

    def cpu(self) -> float:
        """Seconds that its threads have run."""
        tasks = Path(f"/proc/{self.pid}/task")
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks.iterdir()) / NS


def county_text(stations: int = STATIONS) -> str:
    """Stations and their devices, as a registry."""
    text = ['[county]\nid = "b"\nname = "b"']
    for number in range(stations):
        text.append(f'[[air_station]]\nid = "b-a{number:03d}"\nname = "{number}"\nrole = "township"')
        text.append(f'[[device]]\nid = "d{number:03d}"\nsources = ["b-a{number:03d}"]\nformat = "lanbi-json"\ninterval = 60\nstate = "accepted"')
    return "\n".join(text) + "\n"


def county() -> Registry:
    """The same, read."""
    return loads(county_text(), "bench/store.py")


def said(first: int, readings: int, per_message: int, stations: int = STATIONS) -> list[tuple[str, bytes, int]]:
    """Messages of all stations by turns: topic, payload of about 200 bytes a reading, time of the last."""
    chance = np.random.default_rng(first)
    values = np.round(np.array(list(MEDIANS.values())) * (1 + 0.08 * chance.random((readings, len(MEDIANS)))), 1).tolist()
    found = []
    for place in range(0, readings, per_message):
        number = place // per_message % stations
        minute = place // per_message // stations * per_message
        rows = [dict(zip(MEDIANS, values[place + n], strict=True)) for n in range(per_message)]
        messages = [Message(first + 60 * (minute + n + 1), 60, row, seq=minute + n) for n, row in enumerate(rows)]
        found.append((f"lanbi/v1/d{number:03d}/data", encode(messages if per_message > 1 else messages[0]), messages[-1].time))
    return found


@dataclass
class Ours:
    """Journal to InfluxDB, by a forwarder that is under way."""

    server: Server
    folder: Path
    registry: Registry

    @contextmanager
    def begun(self, messages: Sequence[tuple[str, bytes, int]], per_message: int) -> Iterator[Ours]:
        """Journal the messages, as the listener has done long ago, and forward the first."""
        shutil.rmtree(self.folder, ignore_errors=True)
        writer = JournalWriter(self.folder / "journal", "mqtt")
        for number, (topic, payload, when) in enumerate(messages):
            writer.append(topic, payload, received_ns=when * NS + NS, readings=per_message, flags=1)
            if number % 100 == 0:
                writer.commit()
        writer.commit()
        writer.close()
        store, self.state = InfluxStore(Place(self.server.url, "lanbi", "ours"), Secret(TOKEN)), State(self.folder)
        with ThreadPoolExecutor(THREADS) as pool:
            self.forwarder = Forwarder(JournalView(self.folder / "journal", lambda: self.registry), self.state, store, self.registry, pool=pool)
            self.forwarder.step(1)
            yield self
        self.state.close()
        store.close()

    def run(self) -> None:
        """Forward the rest."""
        while self.forwarder.step(MANY):
            pass


def tutorial(server: Server, messages: Sequence[tuple[str, bytes, int]]) -> None:
    """What every tutorial writes into the callback of its MQTT client."""
    with InfluxDBClient(url=server.url, token=TOKEN, org="lanbi") as client, client.write_api(write_options=WriteOptions(batch_size=5_000)) as api:
        for topic, payload, _ in messages:
            seen = json.loads(payload)
            for one in seen if isinstance(seen, list) else [seen]:
                point = Point("air").tag("site", f"b-a{topic[10:13]}").tag("span", str(one["span"])).time(datetime.fromisoformat(one["time"]))
                for name, value in one["values"].items():
                    point.field(name, float(value))
                api.write(bucket="theirs", record=point)


def rows_of(server: Server, prefix: str) -> dict[tuple[Any, ...], Any]:
    """What stands in a bucket, without revisions."""
    table = tables.READINGS["air"]
    db = Influx(Place(server.url, "lanbi", prefix), Secret(TOKEN))
    found = db.select(table, f"SELECT {', '.join(table.columns)} FROM air")  # noqa: S608  our own names
    db.close()
    return {(*row.tags, row.time): {name: value for name, value in row.fields.items() if name != "rev"} for row in found}


def cpu_of(server: Server, work: Callable[[], object]) -> tuple[float, float, float]:
    """CPU seconds of this process and of influxd, and seconds on the wall."""
    before, theirs, begun = time.process_time(), server.cpu(), time.perf_counter()
    work()
    return time.process_time() - before, server.cpu() - theirs, time.perf_counter() - begun


def forwarding(bench: Bench, server: Server, scratch: Path, turns: Iterator[int], per_message: int) -> None:
    """Both sides on the same messages, by turns; later days each round, so that nobody writes over anything."""
    readings = 20_000 if bench.quick else 100_000
    ours = Ours(server, scratch / "data", county())
    found: tuple[list[tuple[float, ...]], list[tuple[float, ...]]] = ([], [])
    for turn in itertools.islice(turns, bench.rounds + 1):
        messages = said(BEGIN + turn * 30 * DAY, readings, per_message)
        with ours.begun(messages, per_message):
            own = cpu_of(server, ours.run)
            assert ours.state.conservation()["stored"] == readings
        other = cpu_of(server, lambda messages=messages: tutorial(server, messages))  # type: ignore[misc]
        if not found[0]:
            assert rows_of(server, "ours") == rows_of(server, "theirs")
        found[0].append(own)
        found[1].append(other)
    own, peer = ([statistics.median(column) * MICRO / readings for column in zip(*side[1:], strict=True)] for side in found)
    case = f"{per_message} a message, {len(messages[0][1]) / per_message:.0f} B and {len(MEDIANS)} values a reading"
    name = "influxdb-client"
    bench.add(f"CPU of the process, {case}", own[0], "µs/reading", peer=peer[0], peer_name=name)
    bench.add(f"CPU of influxd, {case}", own[1], "µs/reading", peer=peer[1], peer_name=name)
    bench.add(f"on the wall, {case}", MICRO / own[2], "readings/s", peer=MICRO / peer[2], peer_name=name, higher_is_better=True)


def bodies(bench: Bench, server: Server) -> None:
    """What else a body could be: compressed, with whole seconds, with one more tag; lines made before, both ends' CPU a line."""
    count = BODY // 4 if bench.quick else BODY
    plain = [_lines(number, count, "") for number in range(5)]
    cases: dict[str, tuple[list[list[bytes]], str, bool]] = {
        "plain, ns": (plain[0], "ns", False),
        "gzip level 1": (plain[1], "ns", True),
        "whole seconds": ([[line[:-9] for line in body] for body in plain[2]], "s", False),
        "one more tag": (_lines(3, count, ",town=t-01"), "ns", False),
    }
    for case, (some, precision, packed) in cases.items():
        address = f"{server.url}/api/v2/write?{urlencode({'org': 'lanbi', 'bucket': 'bodies', 'precision': precision})}"
        head = {"Authorization": f"Token {TOKEN}"} | ({"Content-Encoding": "gzip"} if packed else {})

        def send(some: list[list[bytes]] = some, address: str = address, head: dict[str, str] = head, packed: bool = packed) -> None:  # noqa: FBT001
            for lines in some:
                body = b"\n".join(lines)
                answer = server.http.request("POST", address, body=gzip.compress(body, 1) if packed else body, headers=head)
                assert answer.status == 204, answer.data

        ours, theirs, _ = cpu_of(server, send)
        bench.add(f"body {case}: our end", ours / count / LINES * MICRO, "µs/line")
        bench.add(f"body {case}: influxd", theirs / count / LINES * MICRO, "µs/line")


def _lines(turn: int, count: int, tag: str) -> list[list[bytes]]:
    chance = np.random.default_rng(turn)
    fields = [",".join(f"{name}={value:.1f}" for name, value in zip(MEDIANS, row, strict=True)) for row in (chance.random((LINES, len(MEDIANS))) * 90).tolist()]
    first = BEGIN + turn * 300 * DAY
    return [
        [
            f"air,site=b-a{n % STATIONS:03d},span=60{tag} rev=1.0,{fields[n]} {first + 60 * (body * LINES + n) // STATIONS}000000000".encode()
            for n in range(LINES)
        ]
        for body in range(count)
    ]


def main() -> None:
    """Run all cases."""
    bench = Bench.start("store")
    with tempfile.TemporaryDirectory(prefix="lanbi-bench-") as folder:
        scratch = Path(folder)
        (scratch / "influxd").mkdir()
        try:
            with Server(scratch / "influxd").running() as server:
                for prefix in ("ours", "theirs", "bodies"):
                    server.bucket(prefix)
                turns = itertools.count()
                for per_message in (10, 1):
                    forwarding(bench, server, scratch, turns, per_message)
                bodies(bench, server)
        except PartMissingError as missing:
            print(missing)
            return
    bench.finish()


if __name__ == "__main__":
    main()
