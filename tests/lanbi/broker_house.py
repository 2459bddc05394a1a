"""The shipped Mosquitto configuration on a test's folder and port, with files that `lanbi broker` generates there."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from lanbi.cli import main
from lanbi.settings import Settings, load
from tests.lanbi.ingest_house import ROOT, leave, rest, until
from tests.lanbi.real_broker import Mosquitto

SHIPPED = ROOT / "deploy" / "mosquitto"


def shipped(folder: Path, *names: str) -> list[str]:
    """Lines of the shipped files, with their folders and ports made the test's own."""
    lines = [line for name in names for line in (SHIPPED / name).read_text(encoding="utf-8").splitlines() if line.strip() and not line.startswith("#")]
    ours = {
        "/var/lib/lanbi-broker": f"{folder}/broker",
        "/var/lib/mosquitto/": f"{folder}/mosquitto/",
        "/run/mosquitto/mosquitto.pid": f"{folder}/mosquitto.pid",
        "/etc/mosquitto/certs": f"{folder}/certs",
        "listener 1883 127.0.0.1": "listener {port} 127.0.0.1",
    }
    out = []
    for line in lines:
        for theirs, own in ours.items():
            line = line.replace(theirs, own)  # noqa: PLW2901  one line after another
        # Another user could not read a test's folder, its log is read by the test, and nothing else is included.
        if not line.startswith(("user ", "log_dest", "include_dir")):
            out.append(line)
    return [*out, "log_dest stderr"]


@dataclass
class Yard:
    """A folder with settings, generated files and a Mosquitto that reads them."""

    folder: Path
    county: str

    def __post_init__(self) -> None:
        (self.folder / "mosquitto").mkdir(parents=True, exist_ok=True)
        self.broker = Mosquitto(self.folder / "etc", shipped(self.folder, "mosquitto.conf"))
        (self.folder / "county.toml").write_text(self.county, encoding="utf-8")
        self.config = self.folder / "lanbi.toml"
        words = {"url": f"mqtt://127.0.0.1:{self.broker.port}", "folder": str(self.folder / "broker"), "pid_file": str(self.folder / "mosquitto.pid")}
        words["password_file"] = str(self.folder / "var" / "secrets" / "broker")
        lines = [f"data = {json.dumps(str(self.folder / 'var'))}", f"county = {json.dumps(str(self.folder / 'county.toml'))}"]
        lines += [
            f"targets = [{json.dumps(str(ROOT / 'plans' / 'chiping.toml'))}]",
            "[broker]",
            *(f"{key} = {json.dumps(value)}" for key, value in words.items()),
        ]
        self.config.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def lanbi(self, *words: str) -> int:
        """Run a command; its exit code."""
        return main([*words, "--config", str(self.config)])

    def prepare(self) -> None:
        """Logins for lanbi and for every device, and the access list."""
        assert 0 == self.lanbi("broker", "passwd", "--ingest", "--no-reload")
        assert 0 == self.lanbi("broker", "passwd", "--all", "--no-reload")

    @property
    def settings(self) -> Settings:
        """As the file says."""
        return load(str(self.config), {})

    def password(self, name: str) -> str:
        """The clear text that was kept."""
        own = {"lanbi-ingest": "broker", "lanbi-ingest-probe": "broker-probe"}
        return (self.folder / "var" / "secrets" / (own.get(name) or f"devices/{name}")).read_text(encoding="utf-8").strip()

    def client(self, name: str, *, client_id: str | None = None, password: str | None = None) -> Client:
        """A login, connected."""
        return Client(self.broker.port, name, password or self.password(name), client_id or name)


class Client:
    """A login on the wire that speaks MQTT 5, for its reason codes, and remembers everything."""

    def __init__(self, port: int, name: str | None, password: str | None, client_id: str, *, keep: bool = False) -> None:
        self.name = name
        self.code: int | None = None
        self.codes: dict[int, int] = {}
        self.heard: list[tuple[str, bytes]] = []
        self.ended = 0
        self.mqtt = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=mqtt.MQTTv5, reconnect_on_failure=False)
        if name is not None:
            self.mqtt.username_pw_set(name, password)
        self.mqtt.on_connect = lambda _c, _u, _f, reason, _p: setattr(self, "code", reason.value)
        self.mqtt.on_disconnect = self._gone
        self.mqtt.on_publish = lambda _c, _u, mid, reason, _p: self.codes.__setitem__(mid, reason.value)
        self.mqtt.on_subscribe = lambda _c, _u, mid, reasons, _p: self.codes.__setitem__(mid, max(one.value for one in reasons))
        self.mqtt.on_message = lambda _c, _u, message: self.heard.append((message.topic, bytes(message.payload)))
        session = Properties(PacketTypes.CONNECT)
        session.SessionExpiryInterval = 0xFFFF_FFFF if keep else 0
        self.mqtt.connect("127.0.0.1", port, clean_start=not keep, properties=session)
        self.mqtt.loop_start()
        until(self._answered, f"{name} is answered")

    def _answered(self) -> bool:
        if self.code is None and self.ended:
            # While the broker still takes leave of the same id it may cut the newcomer off without a word.
            self.ended = 0
            rest(self.mqtt)
            self.mqtt.reconnect()
            self.mqtt.loop_start()
        return self.code is not None

    def _gone(self, *_: Any) -> None:
        self.ended += 1

    def publish(self, topic: str, payload: bytes = b"x", *, retain: bool = False) -> int:
        """Reason code of a publish at QoS 1."""
        mid = self.mqtt.publish(topic, payload, qos=1, retain=retain).mid
        until(lambda: mid in self.codes, f"{topic} is answered")
        return self.codes[mid]

    def subscribe(self, *topics: str) -> int:
        """Greatest reason code of a subscription."""
        _, mid = self.mqtt.subscribe([(topic, 1) for topic in topics])
        until(lambda: mid in self.codes, "subscribed")
        return self.codes[mid or 0]

    def close(self) -> None:
        """Leave, and give the sockets back at once.

        paho closes its wake-up pair when the client is freed, and its callbacks hold the client: hundreds of logins would wait for
        the collector with two descriptors each, and ``select`` cannot wait on numbers beyond 1,023.
        """
        leave(self.mqtt)
        del self.mqtt
