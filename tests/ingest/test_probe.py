"""The self-test of the broker: on a real Mosquitto each unsafe setting is seen, and a safe one is called safe."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from domain.errors import BrokerAway
from ingest.link import Broker
from ingest.probe import FORGED, STRANGER, Login, Look, Probe
from lanbi.clock import SystemClock
from lanbi.mosquitto import Logins, access_list, hashed, password_file
from lanbi.processes import free
from tests.lanbi.broker_house import Client
from tests.lanbi.ingest_house import iotcore_broker, until
from tests.lanbi.real_broker import Mosquitto, real

OURS = Logins(("lanbi-ingest",), "lanbi-ingest-probe")
GUEST = Login("lanbi-ingest-probe", "lanbi-ingest-probe")
ALL = {"anonymous": True, "cross-device publish": True, "cross-device read": True, "client id": True}
Lines = Callable[[Path], list[str]]


class Slow(SystemClock):
    """A tenth as fast, so that a busy machine's answers come within the self-test's patience, which is made for people."""

    def monotonic(self) -> float:
        """Seconds, ten of them long."""
        return super().monotonic() / 10


CLOCK = Slow()


def safe(folder: Path) -> list[str]:
    """Generated files, whose passwords are the names."""
    (folder / "passwd").write_text(password_file({name: hashed(name, os.urandom(12)) for name in ("lanbi-ingest", "lanbi-ingest-probe", "d1", "d2")}))
    (folder / "acl").write_text(access_list(OURS, ["d1", "d2"], "v"))
    return [
        "listener {port} 127.0.0.1",
        "use_username_as_clientid true",
        f"password_file {folder / 'passwd'}",
        f"acl_file {folder / 'acl'}",
        "max_queued_messages 0",
    ]


def without(word: str) -> Lines:
    """The same but for one line."""
    return lambda folder: [line for line in safe(folder) if not line.startswith(word)]


def anonymous(folder: Path) -> list[str]:
    """Strangers may come in, and have no rights."""
    return ["allow_anonymous true" if line.startswith("use_username") else line for line in safe(folder)]


def loose(rule: str) -> Lines:
    """One rule too many in the access list."""

    def lines(folder: Path) -> list[str]:
        found = safe(folder)
        (folder / "acl").write_text((folder / "acl").read_text() + rule + "\n")
        return found

    return lines


def looked(lines: list[str], folder: Path, login: Login | None = GUEST) -> dict[str, Look]:
    """What the self-test finds at a broker where d2 left something."""
    with Mosquitto(folder / "broker", lines) as broker:
        other = Client(broker.port, "d2", "d2", "d2")
        other.publish("lanbi/v1/d2/state", b"{}", retain=True)
        found = Probe(Broker("127.0.0.1", broker.port, "x"), login, CLOCK).look()
        other.close()
    return {one.check: one for one in found}


@pytest.mark.parametrize(
    ("lines", "unsafe"),
    [
        (safe, set()),
        (without("use_username"), {"client id"}),
        (without("acl_file"), {"cross-device publish", "cross-device read"}),
        (loose("pattern write lanbi/v1/+/data"), {"cross-device publish"}),
        (loose("pattern read #"), {"cross-device read"}),
        (anonymous, {"anonymous", "client id"}),
    ],
    ids=["safe", "client id free", "no access list", "others' data writable", "others readable", "anonymous"],
)
@pytest.mark.services
@pytest.mark.skipif(real[1].args[0], reason="no mosquitto: make services")
def test_each_hole_is_seen_and_no_other(tmp_path: Path, lines: Lines, unsafe: set[str]) -> None:
    """What is tried and how it ended, in both languages."""
    found = looked(lines(tmp_path), tmp_path)

    assert {name: name not in unsafe for name in ALL} == {name: one.safe for name, one in found.items() if name in ALL}
    assert all(one.zh and one.en for one in found.values())
    assert ("anonymous" in unsafe) == ("anonymous publish" in found)


@pytest.mark.services
@pytest.mark.skipif(real[1].args[0], reason="no mosquitto: make services")
def test_an_open_broker_gets_no_forged_reading(tmp_path: Path) -> None:
    """Where anything goes, trying it on a topic that nobody listens to is proof enough: ingest's journal stays clean."""
    with Mosquitto(tmp_path, ["listener {port} 127.0.0.1", "allow_anonymous true"]) as broker:
        ear = Client(broker.port, None, None, "ear")
        ear.subscribe("#")
        found = Probe(Broker("127.0.0.1", broker.port, "x"), None, CLOCK).look()
        until(lambda: ear.heard, "what was tried")
        ear.close()

    assert [(f"lanbi/v1/{STRANGER}/selftest", FORGED)] == ear.heard
    assert [("anonymous", False), ("anonymous publish", False), ("login", None)] == [(one.check, one.safe) for one in found]


@pytest.mark.services
@pytest.mark.skipif(real[1].args[0], reason="no mosquitto: make services")
def test_a_login_that_is_refused_tells_nothing_of_the_devices(tmp_path: Path) -> None:
    """It is said, and what could not be tried is not called safe."""
    found = looked(safe(tmp_path), tmp_path, Login("lanbi-ingest-probe", "wrong"))

    assert {"anonymous": True, "login": None} == {name: one.safe for name, one in found.items()}


@pytest.mark.services
@pytest.mark.skipif(real[1].args[0], reason="no mosquitto: make services")
def test_dropped_messages_are_asked_for(tmp_path: Path) -> None:
    """The broker's own count, through the self-test's login."""
    lines = [*safe(tmp_path), "max_queued_messages 10", "sys_interval 1", "max_inflight_messages 10"]
    lines.remove("max_queued_messages 0")
    with Mosquitto(tmp_path / "broker", lines) as broker:
        probe = Probe(Broker("127.0.0.1", broker.port, "x"), GUEST, CLOCK)
        assert 0 == probe.dropped()
        ear = Client(broker.port, "lanbi-ingest", "lanbi-ingest", "lanbi-ingest", keep=True)
        ear.subscribe("lanbi/v1/+/data")
        ear.close()
        device = Client(broker.port, "d1", "d1", "d1")
        for _ in range(100):
            device.publish("lanbi/v1/d1/data")
        until(lambda: (probe.dropped() or 0) >= 80, "counted")
        device.close()


def test_a_broker_that_is_away_is_an_error(tmp_path: Path) -> None:
    """Nothing can be told, so nothing is."""
    with pytest.raises(BrokerAway, match="nobody listens"):
        Probe(Broker("127.0.0.1", free(), "x"), None, SystemClock()).look()


def test_a_broker_that_speaks_no_mqtt_5_is_not_called_safe(tmp_path: Path) -> None:
    """The demo's own cuts such a client off."""
    port = free()
    with iotcore_broker(port, tmp_path):
        found = Probe(Broker("127.0.0.1", port, "x"), None, SystemClock()).look()

    assert [None, None] == [one.safe for one in found]
