"""The publisher of the examples, against a real broker and a real ingest, killed again and again: nothing lost, nothing twice."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest

from domain.civil import iso
from lanbi.processes import answers, free
from tests.lanbi.ingest_house import ROOT, House, iotcore_broker, until

PROGRAM = ROOT / "examples" / "publisher" / "publisher.py"
HOURS = 300


def config(folder: Path, port: int) -> Path:
    """Settings of a publisher that follows a CSV file."""
    lines = ['device = "air1"', 'host = "127.0.0.1"', f"port = {port}", f"spool = {json.dumps(str(folder / 'spool.db'))}", "[[feed]]", 'kind = "csv"']
    lines += [f"path = {json.dumps(str(folder / 'station.csv'))}", "span = 3600", "every = 0"]
    (folder / "publisher.toml").write_text("\n".join(lines), encoding="utf-8")
    return folder / "publisher.toml"


def started(path: Path, *words: str) -> subprocess.Popen[bytes]:
    """A publisher."""
    return subprocess.Popen([sys.executable, str(PROGRAM), "--config", str(path), *words], stderr=subprocess.DEVNULL)


def test_killed_again_and_again_it_loses_nothing(tmp_path: Path) -> None:
    """300 hours are appended while it is killed six times: each hour is stored once, with the value that was written."""
    house = House(tmp_path)
    path = config(tmp_path, house.port)
    last = int(time.time()) // 3600 * 3600
    csv = tmp_path / "station.csv"
    csv.write_text("time,pm25,co\n", encoding="utf-8")
    with iotcore_broker(house.port, tmp_path):
        house.listen()
        for part in range(6):
            with csv.open("a", encoding="utf-8") as file:
                for number in range(part * 50, part * 50 + 50):
                    file.write(f"{iso(last - 3600 * (HOURS - number))},{number % 90 + 10},{'' if number % 7 else 0.5}\n")
            one = started(path)
            time.sleep(0.5 + 0.15 * part)
            one.kill()
            one.wait()
        with started(path, "--once") as one:
            assert 0 == one.wait(90)
        # A row is there before it is counted.
        until(lambda: len(house.rows()) >= HOURS and house.law()["pending"] == 0, f"all hours are stored: {len(house.rows())}")
        law = house.law()
        house.stop()
    rows = {row.time: dict(row.values) for row in house.rows().values()}
    expected = {last - 3600 * (HOURS - number): {"pm25": float(number % 90 + 10), **({} if number % 7 else {"co": 0.5})} for number in range(HOURS)}

    assert expected == rows
    assert (HOURS, 0, 0) == (law["stored"], law["deadletter"], law["quarantined"])


def test_examples_beside_it_are_whole() -> None:
    """At most 300 lines; settings and flows can be read by their programs."""
    folder = PROGRAM.parent

    assert len(PROGRAM.read_text(encoding="utf-8").splitlines()) <= 300
    assert {"device", "host", "password_file", "ca_file", "spool", "feed"} == set(tomllib.loads((folder / "publisher.toml").read_text(encoding="utf-8")))
    assert {"inject", "function", "mqtt out", "mqtt-broker"} == {node["type"] for node in json.loads((folder / "node-red.json").read_text(encoding="utf-8"))}


@pytest.mark.parametrize("words", [["--help"], ["--config", "/nowhere"]])
def test_it_starts_with_words(words: list[str]) -> None:
    """Help is help; a missing file is named."""
    answer = subprocess.run([sys.executable, str(PROGRAM), *words], capture_output=True, text=True, check=False)

    assert ("--once" in answer.stdout) if words == ["--help"] else ("/nowhere" in answer.stderr and answer.returncode)


METER = """
import sys, time
from dlt645 import MeterServerService
meter = MeterServerService.new_tcp_server("127.0.0.1", int(sys.argv[1]), 3000)
meter.set_address("123456781012")
meter.set_00(0x00000000, 5715.7)
meter.set_02(0x02010100, 229.4)
meter.server.start()
time.sleep(60)
"""


def test_a_meter_of_dlt645_is_read() -> None:
    """Register and voltage of another implementation's meter; one that does not answer is an error that the loop tells and tries again."""
    name = importlib.util.spec_from_file_location("publisher", PROGRAM)
    assert name and name.loader
    publisher = importlib.util.module_from_spec(name)
    name.loader.exec_module(publisher)
    port = free()
    feed = {"host": "127.0.0.1", "port": port, "address": "123456781012", "source": "m1", "items": {"register": "00000000", "voltage": "02010100"}}
    with subprocess.Popen([sys.executable, "-c", METER, str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as meter:
        try:
            until(lambda: answers("127.0.0.1", port), "the meter listens")
            source = publisher.dlt645_tcp(feed, None)
            ((reading,), marks) = next(source)
            source.close()
        finally:
            meter.kill()

    assert ({"register": 5715.7, "voltage": 229.4}, "m1", 0, {}) == (reading["values"], reading["source"], reading["span"], marks)
    with pytest.raises(ConnectionError, match="does not answer"):
        next(publisher.dlt645_tcp({**feed, "port": free()}, None))
