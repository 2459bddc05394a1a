"""Listener and a real Mosquitto: TLS, logins, and every way in which the two can miss each other, in plain words."""

from __future__ import annotations

import json
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from domain.errors import SettingsError
from ingest.link import Broker
from ingest.listener import Listener
from lanbi.broker_access import broker_of
from lanbi.clock import SystemClock
from lanbi.journal import JournalReader, JournalWriter
from lanbi.processes import free
from lanbi.settings import Settings, load
from tests.lanbi.ingest_house import until
from tests.lanbi.real_broker import OPENSSL, PASSWD, Mosquitto, authority, certificate, real

pytestmark = [
    *real,
    pytest.mark.skipif(OPENSSL is None, reason="no openssl: make services"),
    pytest.mark.skipif(PASSWD is None, reason="no mosquitto_passwd: make services"),
]
# The client library leaves a socket whose handshake failed to the garbage collector.
handshake = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore:unclosed:ResourceWarning")
DYNSEC = Path("/usr/lib/x86_64-linux-gnu/mosquitto_dynamic_security.so")
MESSAGE = b'{"seq": 1, "time": 1795392000, "span": 3600, "values": {"pm25": 5}}'


@pytest.fixture(scope="module")
def paper(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of certificates: of two authorities, for the right host, for another, expired, and of a client."""
    folder = tmp_path_factory.mktemp("paper")
    ours, _other = authority(folder, "ca"), authority(folder, "other")
    certificate(ours, "server")
    certificate(ours, "elsewhere", host="DNS:elsewhere.example")
    certificate(ours, "expired", days=-1)
    certificate(ours, "client")
    return folder


def settings(tmp_path: Path, url: str, **more: str | int) -> Settings:
    """Settings of a broker."""
    path = tmp_path / "lanbi.toml"
    words = {"url": url, "username": "lanbi-ingest", "password_file": str(tmp_path / "password"), **more}
    path.write_text(f'data = "{tmp_path / "var"}"\n[broker]\n' + "\n".join(f"{key} = {value!r}" for key, value in words.items()))
    (tmp_path / "password").write_text("right horse\n")
    return load(str(path), {})


@contextmanager
def listening(chosen: Settings, broker: Broker | None = None) -> Iterator[Listener]:
    """A listener as the settings want it, or with another login, in a thread."""
    writer = JournalWriter(chosen.data / "journal", "mqtt")
    listener = Listener(broker or broker_of(chosen), writer, SystemClock())
    over = threading.Event()
    thread = threading.Thread(target=listener.run, args=(over.is_set,), daemon=True)
    thread.start()
    try:
        yield listener
    finally:
        over.set()
        thread.join()
        writer.close()


def passwords(folder: Path) -> Path:
    """Mosquitto's own password file for our login."""
    path = folder / "passwords"
    subprocess.run([str(PASSWD), "-b", "-c", str(path), "lanbi-ingest", "right horse"], check=True, capture_output=True)
    return path


def tls(paper: Path, server: str = "server", *more: str) -> list[str]:
    """A listener that speaks TLS with one of the certificates."""
    return ["listener {port} 127.0.0.1", "allow_anonymous true", f"certfile {paper / server}.pem", f"keyfile {paper / server}.key", *more]


def test_readings_travel_over_tls_with_both_sides_proven(paper: Path, tmp_path: Path) -> None:
    """With the right authority and a client certificate the listener is ready, and a message is in the journal."""
    with Mosquitto(tmp_path / "broker", tls(paper, "server", f"cafile {paper / 'ca.pem'}", "require_certificate true")) as broker:
        own = {"cert_file": str(paper / "client.pem"), "key_file": str(paper / "client.key"), "ca_file": str(paper / "ca.pem")}
        chosen = settings(tmp_path, f"mqtts://127.0.0.1:{broker.port}", **own)
        with listening(chosen) as listener:
            until(lambda: not listener.health.reasons(), f"ready: {listener.health}")
            listener._client.publish("lanbi/v1/air1/data", MESSAGE, qos=1)
            until(lambda: listener.health.messages == 1, "it came back")
    assert [MESSAGE] == [record.payload for record in JournalReader(chosen.data / "journal", "mqtt").read()]


CASES = {
    "unknown authority": ("server", {}, "not in broker.ca_file"),
    "another authority": ("server", {"ca_file": "other.pem"}, "not in broker.ca_file"),
    "another host": ("elsewhere", {"ca_file": "ca.pem"}, "for another address"),
    "expired": ("expired", {"ca_file": "ca.pem"}, "has expired"),
}


@handshake
@pytest.mark.parametrize("case", CASES)
def test_a_certificate_that_proves_nothing_is_refused(paper: Path, tmp_path: Path, case: str) -> None:
    """Unready with the cause; nothing is sent to whoever it is, the password least of all."""
    server, files, words = CASES[case]
    with Mosquitto(tmp_path / "broker", tls(paper, server)) as broker:
        chosen = settings(tmp_path, f"mqtts://127.0.0.1:{broker.port}", **{key: str(paper / name) for key, name in files.items()})
        with listening(chosen) as listener:
            until(lambda: words in listener.health.reasons()[0], f"{words}: {listener.health.cause}")
        assert "lanbi-ingest" not in broker.log()


def test_a_client_certificate_that_the_broker_wants_is_asked_for(paper: Path, tmp_path: Path) -> None:
    """The broker cuts the connection behind the handshake; the cause names the setting."""
    with Mosquitto(tmp_path / "broker", tls(paper, "server", f"cafile {paper / 'ca.pem'}", "require_certificate true")) as broker:
        chosen = settings(tmp_path, f"mqtts://127.0.0.1:{broker.port}", ca_file=str(paper / "ca.pem"))
        with listening(chosen) as listener:
            until(lambda: "broker.cert_file" in listener.health.reasons()[0], f"the cause: {listener.health.cause}")


@handshake
def test_plain_and_tls_ports_are_told_apart(paper: Path, tmp_path: Path) -> None:
    """mqtts:// on a plain port, and mqtt:// on a TLS port."""
    with (
        Mosquitto(tmp_path / "plain", ["listener {port} 127.0.0.1", "allow_anonymous true"]) as plain,
        listening(settings(tmp_path, f"mqtts://127.0.0.1:{plain.port}")) as listener,
    ):
        until(lambda: "plain port" in listener.health.reasons()[0], f"no TLS there: {listener.health.cause}")
    with Mosquitto(tmp_path / "tls", tls(paper)) as broker, listening(settings(tmp_path, f"mqtt://127.0.0.1:{broker.port}")) as listener:
        until(lambda: "TLS port" in listener.health.reasons()[0], f"TLS there: {listener.health.cause}")


def test_a_wrong_password_is_said_and_put_right_without_a_restart(tmp_path: Path) -> None:
    """Login refused, in plain words; when the broker is told the right password it is ready by itself."""
    known = passwords(tmp_path)
    with Mosquitto(tmp_path / "broker", ["listener {port} 127.0.0.1", f"password_file {known}"]) as broker:
        subprocess.run([str(PASSWD), "-b", str(known), "lanbi-ingest", "another"], check=True, capture_output=True)
        broker.hup()
        with listening(settings(tmp_path, f"mqtt://127.0.0.1:{broker.port}")) as listener:
            until(lambda: "拒绝登录 login refused" in listener.health.reasons()[0], "the cause")
            assert "broker.password_file" in listener.health.cause
            assert "right horse" not in repr(listener) + listener.health.cause
            passwords(tmp_path)
            broker.hup()
            until(lambda: not listener.health.reasons(), f"ready: {listener.health.cause}")


@pytest.mark.skipif(not DYNSEC.exists(), reason="no dynamic security plugin beside mosquitto")
def test_a_refused_subscription_is_no_readiness(tmp_path: Path) -> None:
    """A broker that does not let us subscribe leaves us connected and deaf: that is said. (An access list of Mosquitto 2.0 grants each subscription.)"""
    rules = {"defaultACLAccess": {"publishClientSend": True, "publishClientReceive": True, "subscribe": False, "unsubscribe": True}}
    (tmp_path / "rules.json").write_text(json.dumps(rules))
    lines = ["listener {port} 127.0.0.1", "allow_anonymous true", f"plugin {DYNSEC}", f"plugin_opt_config_file {tmp_path / 'rules.json'}"]
    with Mosquitto(tmp_path / "broker", lines) as broker:
        nobody = Broker("127.0.0.1", broker.port, "lanbi-ingest")
        with listening(settings(tmp_path, f"mqtt://127.0.0.1:{broker.port}"), nobody) as listener:
            until(lambda: "refused the subscription" in str(listener.health.reasons()), f"the cause: {listener.health.cause}")


def test_a_port_that_says_nothing_is_told(tmp_path: Path) -> None:
    """Something takes the connection and never answers the login."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"mqtt://127.0.0.1:{silent.getsockname()[1]}"
        with listening(settings(tmp_path, url, keepalive=5)) as listener:
            until(lambda: "answers no MQTT login" in listener.health.reasons()[0], f"the cause: {listener.health.cause}")


def test_nobody_there_is_told(tmp_path: Path) -> None:
    """A wrong port, and a host name that does not exist."""
    with listening(settings(tmp_path, f"mqtt://127.0.0.1:{free()}")) as listener:
        until(lambda: "nobody listens" in listener.health.reasons()[0], "the cause")
    with listening(settings(tmp_path, "mqtt://broker.invalid:1883")) as listener:
        until(lambda: "no such host" in listener.health.reasons()[0], f"the cause: {listener.health.cause}")


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"ca_file": "none.pem"}, "cannot be read"),
        ({"ca_file": "ca.key"}, "cannot be used"),
        ({"ca_file": "index.txt"}, "no PEM"),
        ({"ca_file": "ca.pem", "cert_file": "client.pem", "key_file": "server.key"}, "cannot be used"),
        ({"ca_file": "ca.pem", "cert_file": "client.pem"}, "cannot be used"),
        ({"ca_file": "ca.pem", "cert_file": "client.key", "key_file": "client.key"}, "cannot be used"),
    ],
)
def test_files_that_are_no_certificates_are_refused_before_anything_starts(paper: Path, tmp_path: Path, files: dict[str, str], words: str) -> None:
    """With the settings key and the path."""
    chosen = settings(tmp_path, "mqtts://127.0.0.1", **{key: str(paper / name) for key, name in files.items()})

    with pytest.raises(SettingsError, match=words) as caught:
        broker_of(chosen)
    assert "broker.c" in caught.value.where
