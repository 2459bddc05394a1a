"""The whole as an operator installs it: `lanbi init`, real Mosquitto, real InfluxDB, `lanbi run`, and a green `lanbi check --live`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from lanbi.processes import free
from lanbi.state import StateView
from tests.contract.conftest import running
from tests.lanbi.real_broker import MOSQUITTO, real
from tests.system.demo_family import wait_for

pytestmark = [pytest.mark.timeout(900), *real]


def lanbi(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """One command, as typed."""
    return subprocess.run([sys.executable, "-m", "lanbi", *map(str, words)], capture_output=True, text=True, check=False, timeout=120)


@contextmanager
def started(*command: str | Path, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A program that runs until the test is over."""
    with log.open("wb") as out, subprocess.Popen(list(map(str, command)), stdout=out, stderr=out) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(120)


def checked(config: Path) -> dict[str, list[dict[str, str]]]:
    """`lanbi check --live --json`."""
    return dict(json.loads(lanbi("check", "--live", "--json", "--config", config).stdout))


def test_an_installation_is_green_and_tells_what_is_opened(tmp_path: Path) -> None:
    """From nothing to a check without a fault; a device's message is stored; then the broker is opened, and the check says so."""
    etc, config = tmp_path / "etc", tmp_path / "etc" / "lanbi.toml"
    port, http = free(), free()
    words = ["--county-id", "cp", "--county-name", "某区", "--store", "influx", "--mosquitto", "own", "--broker-port", port, "--http", f"127.0.0.1:{http}"]
    with ExitStack() as stack:
        url, _ = stack.enter_context(running(tmp_path))
        assert 0 == lanbi("init", "--to", etc, *map(str, words), "--store-url", url).returncode
        broker = stack.enter_context(started(str(MOSQUITTO), "-c", etc / "mosquitto.conf", log=tmp_path / "mosquitto.out"))
        assert 0 == lanbi("store", "init", "--config", config).returncode
        stack.enter_context(started(sys.executable, "-m", "lanbi", "run", "--config", config, log=tmp_path / "run.out"))
        assert wait_for(lambda: up(config), 300), checked(config)

        reading = {"seq": 1, "time": int(time.time()) // 3_600 * 3_600, "span": 3_600, "source": "cp-a01", "values": {"pm25": 35}}
        publish(port, "cp-d01", (etc / "var" / "secrets" / "devices" / "cp-d01").read_text().strip(), reading)
        assert wait_for(lambda: stored(etc / "var") == 1, 120), (tmp_path / "run.out").read_text()
        found = checked(config)
        assert [] == [one for one in found["live"] if one["state"] == "fault"]
        parts = {one["part"] for one in found["live"]}
        assert {"safety", "machine", "processes", "broker", "store", "journal", "account"} <= parts
        oks = " ".join(one["en"] for one in found["live"] if one["state"] == "ok")
        for words_ in (
            "anonymous login is refused",
            "publishing as another device is refused",
            "least rights (write",
            "adds up",
            "access list is the registry's",
        ):
            assert words_ in oks

        (etc / "var" / "secrets" / "influx-read").write_text((etc / "var" / "secrets" / "influx-operator").read_text())
        acl = etc / "var" / "broker" / "acl"
        acl.write_text(acl.read_text().replace("topic readwrite lanbi/v1/lanbi-ingest-probe/probe", "topic readwrite lanbi/v1/#"))
        os.kill(broker.pid, signal.SIGHUP)
        assert wait_for(lambda: "may publish as another device" in str(faults(config)), 120)
        assert "the access list on disk is not what the registry gives" in str(faults(config))
        assert "the token may more than it must (read" in str(faults(config))


def faults(config: Path) -> list[dict[str, str]]:
    """Faults of the live check, or of the files."""
    found = checked(config)
    return [*(found.get("faults") or []), *(one for one in found.get("live", []) if one["state"] == "fault")]


def up(config: Path) -> bool:
    """Whether all three processes are ready and nothing is at fault; a process that never ran is only a note."""
    ready = [one for one in checked(config).get("live", []) if one["part"] == "processes" and one["state"] == "ok"]
    return len(ready) == 3 and not faults(config)


def stored(data: Path) -> int:
    """Readings that the store has."""
    view = StateView(data)
    try:
        return view.conservation()["stored"]
    finally:
        view.close()


def publish(port: int, name: str, password: str, reading: dict[str, object]) -> None:
    """One message of a device, acknowledged by the broker."""
    import paho.mqtt.publish as once

    once.single(
        f"lanbi/v1/{name}/data", json.dumps(reading), qos=1, hostname="127.0.0.1", port=port, client_id=name, auth={"username": name, "password": password}
    )
