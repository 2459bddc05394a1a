"""The whole way of a reading, from the broker to the disk of InfluxDB, beside what users would otherwise take; and the receiver alone.

Each run has a Mosquitto of its own and the same influxd, generator and messages; who is measured are Telegraf (where it is: `make
bench-peers`), the code of the tutorials (stock paho-mqtt, influxdb-client's batching writer) and `lanbi ingest`, by turns and in both
orders. CPU is the operating system's account of every process. A run after which the database does not hold exactly the readings that
were sent ends the bench: its speed means nothing. lanbi fsyncs its journal before every PUBACK, all the time.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import isclose
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

import urllib3

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.common import Bench, fix_threads, on_disk, version_of

fix_threads(1)

from bench.parts import peers
from bench.parts.load import prepare
from bench.store import DAY, MICRO, TOKEN, Server, county_text, said
from domain.civil import DAY_S
from lanbi.influx_http import Place
from lanbi.metrics import read_status
from lanbi.processes import answers, free
from lanbi.state import StateView
from tests.faults.parts.house import Part, PartMissingError, mosquitto, until

ROOT: Final = Path(__file__).resolve().parent.parent
BROKER: Final = "listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\nmax_inflight_messages 1000\nset_tcp_nodelay true\n"
SETTINGS: Final = """data = {data}
county = {county}
targets = [{targets}]
[broker]
url = "mqtt://127.0.0.1:{broker}"
[ingest]
receive = "bulk"
[store]
kind = "influx"
url = "{url}"
org = "lanbi"
bucket = "{bucket}"
token_file = {token}
read_token_file = {token}
"""
READINGS: Final = {1: 60_000, 10: 200_000, 100: 300_000}
READINGS_QUICK: Final = {1: 12_000}
WARM: Final = 0.1
WINDOW: Final = 4_000
PATIENCE_S: Final = 240.0


class Spent(NamedTuple):
    """Microseconds of the processor a reading, by who spent it, and readings a second until all were in the database."""

    service: float
    broker: float
    store: float
    load: float
    rate: float


def cpu(pid: int) -> float:
    """Seconds of the processor of a process and its living children, threads that have ended included."""
    used, children = 0.0, [pid]
    while children:
        one = children.pop()
        try:
            words = Path(f"/proc/{one}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
            children += [int(child) for task in Path(f"/proc/{one}/task").iterdir() for child in (task / "children").read_text().split()]
        except (FileNotFoundError, ProcessLookupError):
            continue
        used += sum(map(int, words[11:15])) / os.sysconf("SC_CLK_TCK")
    return used


def standing(place: Place, token: str, name: str = "pm25") -> tuple[int, float]:
    """Rows of stations that stand in a bucket, and the sum of one of their values."""
    question = urlencode({"db": place.prefix, "q": f"SELECT count({name}), sum({name}) FROM air"})  # noqa: S608  our own names
    answer = urllib3.request("GET", f"{place.url}/query?{question}", headers={"Authorization": f"Token {token}"})
    found = json.loads(answer.data)["results"][0].get("series")
    return (int(found[0]["values"][0][1]), float(found[0]["values"][0][2] or 0.0)) if found else (0, 0.0)


@dataclass
class Rig:
    """One run: a broker and a service before the common influxd."""

    server: Server
    folder: Path
    name: str
    bucket: str
    port: int = field(default_factory=lambda: free(0))

    @contextmanager
    def running(self) -> Iterator[Rig]:
        """Start broker and service, wait until it listens, and end them."""
        self.folder.mkdir()
        config = self.folder / "mosquitto.conf"
        config.write_text(BROKER.format(port=self.port), encoding="utf-8")
        self.broker = Part("mosquitto", [mosquitto(), "-c", str(config)], self.folder / "mosquitto.log", lambda: answers("127.0.0.1", self.port))
        self.service = Part(self.name, self._command(), self.folder / "service.log", self._listens)
        self.broker.start()
        try:
            self.service.start()
            yield self
        finally:
            self.service.stop()
            self.broker.kill()

    def _command(self) -> list[str]:
        if self.name == "telegraf":
            text = peers.TELEGRAF.format(broker=self.port, url=self.server.url, token=TOKEN, org="lanbi", bucket=self.bucket, batch=peers.BATCH)
            (self.folder / "telegraf.conf").write_text(text, encoding="utf-8")
            return [str(peers.telegraf()), "--config", str(self.folder / "telegraf.conf")]
        if self.name == "tutorial":
            return [sys.executable, "bench/parts/peers.py", str(self.port), self.server.url, "lanbi", self.bucket, TOKEN]
        token = self.folder / "token"
        token.touch(0o600)
        token.write_text(TOKEN, encoding="utf-8")
        (self.folder / "county.toml").write_text(county_text(), encoding="utf-8")
        plan = ROOT / "plans" / "chiping.toml"
        names = {"data": self.folder / "data", "county": self.folder / "county.toml", "targets": plan, "token": token}
        text = SETTINGS.format(broker=self.port, url=self.server.url, bucket=self.bucket, **{name: json.dumps(str(path)) for name, path in names.items()})
        (self.folder / "lanbi.toml").write_text(text, encoding="utf-8")
        return [sys.executable, "-m", "lanbi", "ingest", "--no-health", "--config", str(self.folder / "lanbi.toml")]

    def _listens(self) -> bool:
        if self.name == "lanbi":
            return bool(read_status(self.folder / "data" / "run" / "ingest.json").get("subscribed"))
        if self.name == "tutorial":
            return "ready" in (self.folder / "service.log").read_text(encoding="utf-8")
        return self._connected()

    def _connected(self) -> bool:
        """Whether somebody is connected to the broker: Telegraf says nothing when it is ready, and subscribes at once."""
        here = f"0100007F:{self.port:04X}"
        rows = Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()
        return any(row.split()[1] == here and row.split()[3] == "01" for row in rows)

    def publish(self, path: Path) -> float:
        """Send a prepared file; seconds of the generator's processor."""
        done = subprocess.run([sys.executable, "bench/parts/load.py", str(self.port), str(path), str(WINDOW), "0"], cwd=ROOT, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return float(json.loads(done.stdout)["cpu"])

    def arrived(self, readings: int) -> bool:
        """Whether so many readings are in the database: lanbi's own account says when to look, as questions to the database cost it time."""
        if self.name == "lanbi":
            view = StateView(self.folder / "data")
            law = view.conservation()
            view.close()
            return law["pending"] == 0 and law["received"] >= readings
        return self.rows()[0] >= readings

    def rows(self) -> tuple[int, float]:
        """Rows that stand in the database, and the sum of one of their values."""
        name = "values_pm25" if self.name == "telegraf" else "pm25"
        return standing(Place(self.server.url, "lanbi", self.bucket), TOKEN, name)

    def doubled(self) -> int:
        """Readings that came twice, as far as the service knows: in the database the second overwrites the first."""
        if self.name != "lanbi":
            return 0
        view = StateView(self.folder / "data")
        law = view.conservation()
        view.close()
        return law["received"] - law["stored"]

    def cpus(self) -> dict[str, float]:
        """Seconds used so far."""
        return {"service": cpu(self.service.pid), "broker": cpu(self.broker.pid), "store": cpu(self.server.pid)}


def run(rig: Rig, files: tuple[Path, Path], readings: tuple[int, int], said_sum: float) -> Spent:
    """Warm up with the first file, measure with the second, and look at what arrived."""
    with rig.running():
        rig.publish(files[0])
        until(lambda: rig.arrived(readings[0]), f"{rig.name} has stored the first readings; see {rig.folder}", PATIENCE_S)
        before, begun = rig.cpus(), time.perf_counter()
        load = rig.publish(files[1])
        until(lambda: _paused(rig.arrived, sum(readings)), f"{rig.name} has stored all; it has {rig.rows()}", PATIENCE_S)
        took, after = time.perf_counter() - begun, rig.cpus()
        rows, total = rig.rows()
        whole = rows == sum(readings) and isclose(total, said_sum, rel_tol=1e-9) and not rig.doubled()
        assert whole, f"{rig.name}: {rows} of {sum(readings)} readings, {rig.doubled()} twice, sum {total} of {said_sum}: the run does not count"
    used = {name: (after[name] - before[name]) * MICRO / readings[1] for name in after}
    return Spent(used["service"], used["broker"], used["store"], load * MICRO / readings[1], readings[1] / took)


def _paused(arrived: Callable[[int], bool], readings: int) -> bool:
    time.sleep(0.2)
    return arrived(readings)


def whole(bench: Bench, server: Server, scratch: Path, per_message: int, readings: int) -> None:
    """All sides by turns, each round in the other order; medians."""
    names = ["lanbi", "tutorial", *(["telegraf"] if peers.telegraf() else [])]
    found: dict[str, list[Spent]] = {name: [] for name in names}
    first = int(time.time()) // DAY_S * DAY_S - 300 * DAY
    warm = max(1, int(readings * WARM) // per_message) * per_message
    messages = said(first, warm + readings, per_message)
    files = (scratch / "warm", scratch / "all")
    prepare(files[0], [(topic, payload) for topic, payload, _ in messages[: warm // per_message]])
    prepare(files[1], [(topic, payload) for topic, payload, _ in messages[warm // per_message :]])
    total = sum(one["values"]["pm25"] for _, payload, _ in messages for one in _listed(json.loads(payload)))
    for turn in range(2 if bench.quick else bench.rounds):
        for name in names if turn % 2 == 0 else reversed(names):
            bucket = f"{name}-{per_message}-{turn}"
            server.bucket(bucket)
            rig = Rig(server, scratch / bucket, name, bucket)
            found[name].append(run(rig, files, (warm, readings), total))
            shutil.rmtree(rig.folder)
    middle = {name: Spent(*(statistics.median(column) for column in zip(*runs, strict=True))) for name, runs in found.items()}
    told(bench, middle, f"{per_message} a message, {len(messages[0][1]) / per_message:.0f} B and 12 values a reading")


def _listed(said_: Any) -> list[Any]:
    return said_ if isinstance(said_, list) else [said_]


def told(bench: Bench, middle: dict[str, Spent], case: str) -> None:
    """Ours beside each peer."""
    ours = middle["lanbi"]
    for name, peer in middle.items():
        if name == "lanbi":
            continue
        label = "telegraf" if name == "telegraf" else "paho-mqtt + influxdb-client"
        version = telegraf_version() if name == "telegraf" else f"{version_of('paho-mqtt')} + {version_of('influxdb-client')}"
        named = {"peer_name": label, "peer_version": version}
        for what in ("service", "broker", "store"):
            bench.add(f"CPU of the {what}, {case}", getattr(ours, what), "µs/reading", peer=getattr(peer, what), **named)
        bench.add(f"all into the database, {case}", ours.rate, "readings/s", peer=peer.rate, threads=2, higher_is_better=True, **named)


def telegraf_version() -> str:
    """As the program says it."""
    said_ = subprocess.run([str(peers.telegraf()), "version"], capture_output=True, text=True, check=True).stdout.split()
    return said_[1]


def receivers(bench: Bench, scratch: Path, per_message: int, messages: int) -> None:
    """The receiver alone: listener, journal and acknowledgement, in bulk; beside the stock way, and beside paho that only counts."""
    warm = messages // 10
    path = scratch / "receive"
    all_said = said(0, (warm + messages) * per_message, per_message)
    prepare(path, [(topic, payload) for topic, payload, _ in all_said])
    found: dict[str, list[tuple[float, float]]] = {"bulk": [], "stock": [], "paho": []}
    for turn in range(2 if bench.quick else bench.rounds):
        for kind in found if turn % 2 == 0 else reversed(found):
            found[kind].append(_received(scratch / f"{kind}-{turn}", kind, path, (warm, messages)))
    middle = {kind: [statistics.median(column) for column in zip(*runs, strict=True)] for kind, runs in found.items()}
    case = f"{per_message} a message"
    for kind, name in (("stock", "lanbi, stock loop"), ("paho", "paho-mqtt")):
        ours, peer = middle["bulk"], middle[kind]
        what = "durable" if kind == "stock" else "the peer keeps nothing"
        bench.add(f"receiver ({what}), {case}", ours[0] / per_message, "µs/reading", peer=peer[0] / per_message, peer_name=name)
        bench.add(f"received a second ({what}), {case}", ours[1] * per_message, "readings/s", peer=peer[1] * per_message, peer_name=name, higher_is_better=True)


def _received(folder: Path, kind: str, path: Path, size: tuple[int, int]) -> tuple[float, float]:
    """Microseconds of the receiver's processor a message, and messages a second with broker and generator on the same cores."""
    folder.mkdir()
    port = free(0)
    (folder / "mosquitto.conf").write_text(BROKER.format(port=port), encoding="utf-8")
    broker = Part("mosquitto", [mosquitto(), "-c", str(folder / "mosquitto.conf")], folder / "mosquitto.log", lambda: answers("127.0.0.1", port))
    broker.start()
    command = [sys.executable, "bench/parts/receivers.py", kind, str(port), str(folder / "journal"), *map(str, size)]
    one = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert one.stdout
        assert one.stdout.readline() == "ready\n"
        load = [sys.executable, "bench/parts/load.py", str(port), str(path), str(WINDOW), "0"]
        subprocess.run(load, cwd=ROOT, capture_output=True, check=True)
        result: dict[str, Any] = json.loads(one.stdout.readline())
        assert one.wait() == 0
    finally:
        one.kill()
        one.wait()
        broker.kill()
        shutil.rmtree(folder)
    return result["cpu"] / result["messages"] * MICRO, result["messages"] / result["seconds"]


def main() -> None:
    """Run all cases."""
    bench = Bench.start("ingest")
    with on_disk() as scratch:
        (scratch / "influxd").mkdir()
        try:
            for per_message, messages in ((1, 20_000), (10, 8_000)) if bench.quick else ((1, 100_000), (10, 40_000), (100, 6_000)):
                receivers(bench, scratch, per_message, messages)
            with Server(scratch / "influxd").running() as server:
                for per_message, readings in (READINGS_QUICK if bench.quick else READINGS).items():
                    whole(bench, server, scratch, per_message, readings)
        except PartMissingError as missing:
            print(missing)
            return
    if not peers.telegraf():
        print("Telegraf is not there: `make bench-peers` builds it (needs go)")
    bench.finish()


if __name__ == "__main__":
    main()
