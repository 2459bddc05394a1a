"""A broker, an ingest process on a folder of its own, and devices: real parts for the tests of the ingest process."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from domain.readings import Key, Reading
from lanbi.broker import embedded
from lanbi.embedded import EmbeddedStore
from lanbi.metrics import read_status
from lanbi.processes import free
from lanbi.state import StateView
from tests.ingest.county import TEXT

ROOT = Path(__file__).resolve().parent.parent.parent
MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
PATIENCE_S = 100
"""For whatever takes a second where nothing else runs."""


def until(happened: Callable[[], Any], what: str, patience_s: float = PATIENCE_S) -> Any:
    """Wait for something, and say what it was if it never comes."""
    end = time.monotonic() + patience_s
    while time.monotonic() < end:
        found = happened()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"never happened: {what}")


def rest(client: mqtt.Client) -> None:
    """Stop a client's thread, and close the pair of sockets that wakes it.

    paho closes them only when the client is freed, and a collector that comes by may find them before it.
    """
    client.loop_stop()
    client._reset_sockets(sockpair_only=True)


def leave(client: mqtt.Client) -> None:
    """Log off, and keep nothing open."""
    client.disconnect()
    rest(client)


@contextmanager
def iotcore_broker(port: int, _folder: Path) -> Iterator[None]:
    """The demo's broker."""
    with embedded(port):
        yield


@contextmanager
def mosquitto_broker(port: int, folder: Path, *, anonymous: bool = True) -> Iterator[None]:
    """A real Mosquitto with an unbounded queue."""
    config = folder / "mosquitto.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous {str(anonymous).lower()}\nmax_queued_messages 0\nmax_inflight_messages 1000\n")
    process = subprocess.Popen([str(MOSQUITTO), "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until(lambda: listens(port), "mosquitto listens")
        yield
    finally:
        process.terminate()
        process.wait()


def listens(port: int) -> bool:
    """Whether somebody listens on a port of the loopback."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@dataclass
class House:
    """A data folder, the port of its broker, and the ingest process while it runs."""

    data: Path
    port: int = field(default_factory=free)
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        (self.data / "county.toml").write_text(TEXT)
        lines = [f"data = {json.dumps(str(self.data))}", f"county = {json.dumps(str(self.data / 'county.toml'))}"]
        # Of its own too: at the usual one a stranger may listen, whom the live check would ask for the account.
        self.health, self.http = free(), free()
        lines += [f"targets = [{json.dumps(str(ROOT / 'plans' / 'chiping.toml'))}]", "[broker]", f'url = "mqtt://127.0.0.1:{self.port}"']
        lines += ["[ingest]", f'health = "127.0.0.1:{self.health}"', "[http]", f'listen = "127.0.0.1:{self.http}"']
        (self.data / "lanbi.toml").write_text("\n".join(lines))

    def influx(self, url: str) -> None:
        """Use an InfluxDB at this address; ``none``: one whose token file is missing."""
        token = self.data / "token"
        token.write_text("a token of nobody")
        token.chmod(0o600)
        lines = ["", "[store]", 'kind = "influx"', f"url = {json.dumps(url if url != 'none' else 'http://127.0.0.1:9')}"]
        lines.append(f"token_file = {json.dumps(str(token if url != 'none' else self.data / 'nowhere'))}")
        with (self.data / "lanbi.toml").open("a") as settings:
            settings.write("\n".join(lines))

    def start(self, *, fresh: bool = True) -> None:
        """Start ingest; wait for its first sign. On a full disk the status file can only be written over: not ``fresh``."""
        if fresh:
            (self.data / "run" / "ingest.json").unlink(missing_ok=True)
        with (self.data / "ingest.log").open("ab") as log:
            command = [sys.executable, "-m", "lanbi", "ingest", "--config", str(self.data / "lanbi.toml")]
            self.process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
        pid = self.process.pid
        until(lambda: self.status().get("pid") == pid, f"ingest says how it is: {(self.data / 'ingest.log').read_text(errors='replace')}")

    def listen(self) -> None:
        """Start it and wait until it hears: a broker that knows no session of it keeps nothing for it until then."""
        self.start()
        until(lambda: self.status().get("subscribed"), "ingest has subscribed")

    def kill(self) -> None:
        """End it as hard as possible."""
        assert self.process
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """Ask it to end; its exit code."""
        assert self.process
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_S)

    def status(self) -> dict[str, Any]:
        """What the process says of itself."""
        return read_status(self.data / "run" / "ingest.json")

    def law(self) -> dict[str, int]:
        """The terms of the conservation law; they must add up whenever they are read."""
        view = StateView(self.data)
        law = view.conservation()
        view.close()
        assert law["received"] == sum(count for name, count in law.items() if name != "received"), law
        return law

    def rows(self) -> dict[Key, Reading]:
        """Rows of the air table."""
        store = EmbeddedStore(self.data / "store.db")
        found = {row.key: row for row in store.rows("air", None, -(2**62), 2**62)}
        store.close()
        return found


class Gadget:
    """A device on the wire that remembers what it was told."""

    def __init__(self, name: str, port: int) -> None:
        self.name = name
        self.receipts: list[dict[str, Any]] = []
        self.errors: list[dict[str, Any]] = []
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=name)
        self.client.max_inflight_messages_set(200)
        self.client.on_message = self._heard
        self.client.on_connect = lambda client, *_: client.subscribe([(f"lanbi/v1/{name}/receipt", 1), (f"lanbi/v1/{name}/error", 1)])
        # Connected alone it might speak before it hears, and a receipt is said once.
        hears = threading.Event()
        self.client.on_subscribe = lambda *_: hears.set()
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        until(hears.is_set, "device hears")

    def say(self, payload: bytes, *, stream: str = "data", retain: bool = False) -> mqtt.MQTTMessageInfo:
        """Publish at QoS 1."""
        return self.client.publish(f"lanbi/v1/{self.name}/{stream}", payload, qos=1, retain=retain)

    def durable(self) -> set[int]:
        """Numbers of run 0 that receipts named."""
        ranges = [tuple(one) for receipt in self.receipts for one in receipt["ranges"] if receipt["run"] == 0]
        return {number for low, high in set(ranges) for number in range(low, high + 1)}

    def close(self) -> None:
        """Leave."""
        leave(self.client)

    def _heard(self, _client: mqtt.Client, _user: object, message: mqtt.MQTTMessage) -> None:
        (self.receipts if message.topic.endswith("receipt") else self.errors).append(json.loads(message.payload))
