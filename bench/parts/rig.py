"""One run of a service between a Mosquitto of its own and a common influxd: started, fed, asked what of it arrived, and how much CPU it took."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import urllib3

from bench.parts import peers
from bench.store import MEDIANS, TOKEN, Server, county_text
from lanbi import influx_tables as tables
from lanbi.influx_http import Influx, Place
from lanbi.metrics import read_status
from lanbi.processes import answers, free
from lanbi.secret import Secret
from lanbi.state import StateView
from tests.faults.parts.house import Part, mosquitto

ROOT: Final = Path(__file__).resolve().parents[2]
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
WINDOW: Final = 4_000


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
    """One run: a broker and a service before the common influxd.

    Attributes
    ----------
    name : str
        Who is measured: lanbi, tutorial, or one of :data:`bench.parts.peers.TELEGRAFS`.
    many : bool
        Messages are lists of readings.
    """

    server: Server
    folder: Path
    name: str
    bucket: str
    many: bool
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
        if self.name in peers.TELEGRAFS:
            text = peers.configuration(self.name, self.port, peers.Target(self.server.url, TOKEN, "lanbi", self.bucket), many=self.many)
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

    def field(self, item: str) -> str:
        """How an item is called in the database."""
        return peers.PREFIX + item if self.name == peers.CHEAPEST else item

    def rows(self) -> tuple[int, float]:
        """Rows that stand in the database, and the sum of one of their values."""
        return standing(self._place(), TOKEN, self.field("pm25"))

    def whole(self) -> dict[tuple[str, ...], dict[str, Any]]:
        """All rows: values by site, span and time [ns]; without their revision, which only lanbi has, and with devices in place of its stations."""
        names = {self.field(item): item for item in MEDIANS}
        table = tables.READINGS["air"]._replace(floats=tuple(names), texts=())
        db = Influx(self._place(), Secret(TOKEN))
        found = db.select(table, f"SELECT {', '.join(table.columns)} FROM air")  # noqa: S608  our own names
        db.close()
        return {
            (row.tags[0].replace("b-a", "d"), row.tags[1], str(row.time)): {names[name]: value for name, value in row.fields.items() if name in names}
            for row in found
        }

    def _place(self) -> Place:
        return Place(self.server.url, "lanbi", self.bucket)

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
