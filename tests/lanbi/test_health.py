"""Health of a separate ingest: what it says, to whom, and that it costs the listener nothing."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lanbi.cli import main
from lanbi.health import Health, server
from lanbi.metrics import write_status
from lanbi.processes import answers, family
from lanbi.settings import Settings, load
from tests.lanbi.ingest_house import PATIENCE_S, House, iotcore_broker, until

WELL: dict[str, Any] = {"ready": True, "reasons": [], "store": "ok"}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A house whose process does not outlive the test."""
    one = House(tmp_path)
    yield one
    if one.process and one.process.poll() is None:
        one.kill()


def get(port: int, path: str, method: str = "GET") -> tuple[int, str]:
    """Status and body."""
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    link.request(method, path)
    answer = link.getresponse()
    found = answer.status, answer.read().decode()
    link.close()
    return found


def settings(house: House) -> Settings:
    """Of a house."""
    return load(str(house.data / "lanbi.toml"), {})


@pytest.mark.parametrize(
    ("status", "code", "parts", "store"),
    [
        (WELL, 200, {}, "ok"),
        (WELL | {"store": "down: nobody listens"}, 200, {}, "down: nobody listens"),
        (WELL | {"store": "refused: 401"}, 200, {}, "refused: 401"),
        (WELL | {"ready": False, "reasons": ["broker: x: login refused"]}, 503, {"broker": "x: login refused"}, "ok"),
        (WELL | {"ready": False, "reasons": ["journal: full", "threads: a", "threads: b"]}, 503, {"journal": "full", "threads": "a; b"}, "ok"),
        (WELL | {"ready": False, "reasons": ["stopped"]}, 503, {"process": "stopped"}, "ok"),
    ],
)
def test_readiness_names_each_part_and_the_store_makes_nothing_unready(
    house: House, status: dict[str, Any], code: int, parts: dict[str, str], store: str
) -> None:
    """The body says what is well and what is not, and why."""
    write_status(house.data / "run" / "ingest.json", status)
    answer = Health(settings(house), "ingest").readyz()
    body = json.loads(answer.body)

    assert (code, status["ready"], store) == (answer.status, body["ready"], body["store"])
    assert dict.fromkeys(("broker", "journal", "clock", "threads"), "ok") | parts == body["parts"]
    assert status["reasons"] == body["reasons"]


def test_a_silent_process_is_neither_alive_nor_ready(house: House) -> None:
    """No status, or an old one: 503 with the reason, and nothing is called well."""
    health = Health(settings(house), "ingest")
    assert (503, "未启动 not started\n") == health.livez()[::2]
    path = house.data / "run" / "ingest.json"
    write_status(path, WELL)
    assert (200, 200) == (health.livez().status, health.readyz().status)
    os.utime(path, (1, 1))

    assert [503, 503] == [health.livez().status, health.readyz().status]
    assert "no sign for" in health.livez().body
    assert {"unknown"} == {words for part, words in json.loads(health.readyz().body)["parts"].items() if part != "process"}


def test_a_separate_ingest_answers_on_its_health_address(house: House) -> None:
    """Alive, ready and counted over HTTP, by a process that ends with ingest, also when that is killed."""
    with iotcore_broker(house.port, house.data):
        house.start()
        until(lambda: answers("127.0.0.1", house.health) and get(house.health, "/readyz")[0] == 200, "ready")
        assert (200, "ok\n") == get(house.health, "/livez")
        assert "ok" == json.loads(get(house.health, "/readyz")[1])["store"]
        scraped = get(house.health, "/metrics")[1]
        assert "lanbi_ingest_readings_received_total 0\n" in scraped
        assert 'lanbi_process_ready{process="ingest"} 1\n' in scraped
        assert (404, 200, 501) == (get(house.health, "/secrets")[0], get(house.health, "/livez", "HEAD")[0], get(house.health, "/livez", "POST")[0])
        house.kill()
        until(lambda: not answers("127.0.0.1", house.health), "nobody answers for the dead")
        house.start()
        until(lambda: answers("127.0.0.1", house.health), "and again")
        assert 0 == house.stop()
        until(lambda: not answers("127.0.0.1", house.health), "gone with it")


def test_slow_callers_keep_nobody_out(house: House) -> None:
    """Half a request, many times: others are answered meanwhile, and the slow ones are cut off."""
    write_status(house.data / "run" / "ingest.json", WELL)
    serving = server(settings(house), "ingest")
    thread = threading.Thread(target=serving.serve_forever, daemon=True)
    thread.start()
    slow = [socket.create_connection(("127.0.0.1", house.health)) for _ in range(12)]
    for one in slow:
        one.sendall(b"GET /livez HT")

    assert (200, "ok\n") == get(house.health, "/livez")
    for one in slow:
        one.settimeout(PATIENCE_S)
        assert b"" == one.recv(1)
        one.close()
    serving.shutdown()
    serving.server_close()
    thread.join()


def test_a_taken_health_address_is_refused_before_anything_starts(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 1 with the key; nothing listens half."""
    with socket.create_server(("127.0.0.1", house.health)):
        assert 1 == main(["ingest", "--config", str(house.data / "lanbi.toml")])
    said = capsys.readouterr().err
    assert f"ingest.health = 127.0.0.1:{house.health}" in said


def test_a_dead_health_process_is_told_and_started_again(house: House) -> None:
    """It is no fault of ingest, which stays ready."""
    with iotcore_broker(house.port, house.data):
        house.start()
        until(lambda: answers("127.0.0.1", house.health) and house.status().get("ready"), "ready")
        assert house.process
        (child,) = [int(pid) for pid in Path(f"/proc/{house.process.pid}/task/{house.process.pid}/children").read_text().split()]
        os.kill(child, 9)
        until(lambda: "health" in str(house.status().get("health")), "told")
        assert house.status()["ready"]
        until(lambda: answers("127.0.0.1", house.health), "again")
        until(lambda: not house.status().get("health"), "and no more told")


def test_under_lanbi_run_only_the_api_answers(tmp_path: Path) -> None:
    """The family's ingest and analytics open no address of their own."""
    words = {one.name: one.command for one in family(tmp_path, None, log=None, broker=False)}

    assert [True, True, False] == ["--no-health" in words[name] for name in ("ingest", "analyse", "serve")]


def test_analytics_answer_too(house: House) -> None:
    """A separate `lanbi analyse` has a health address of its own; here the small process alone."""
    write_status(house.data / "run" / "analyse.json", {"ready": False, "reasons": ["computing"]})
    config = house.data / "lanbi.toml"
    config.write_text(config.read_text() + f'\n[analyse]\nhealth = "127.0.0.1:{house.health}"\n')
    command = [sys.executable, "-m", "lanbi.health", "analyse", "--config", str(config)]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        until(lambda: answers("127.0.0.1", house.health), "listens")
        assert (503, {"process": "computing"}) == ((found := get(house.health, "/readyz"))[0], json.loads(found[1])["parts"])
        assert 'lanbi_process_ready{process="analyse"} 0\n' in get(house.health, "/metrics")[1]
        assert process.stdin
        process.stdin.close()
        assert 0 == process.wait(PATIENCE_S)
