"""Channels of other packages: told once of what is new, in threads of their own, and whatever they do the duty log stands."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from api.desk import Alert
from lanbi import notifying
from lanbi.clock import SystemClock
from lanbi.duty import DutyFile
from lanbi.notifying import Channels
from tests.lanbi.ingest_house import ROOT, until

PLUGIN = ROOT / "examples" / "plugin"


def alert(name: str, starts: str = "2026-11-23T09:00:00+08:00", status: str = "firing") -> Alert:
    """An alert as it was delivered."""
    return Alert(name, starts, status, name, "high", "water", f"{name} 超标", "", {})


def test_each_new_line_is_told_once_to_every_channel(tmp_path: Path) -> None:
    """Grafana delivers again and again; its repetition is counted in the log and told nobody."""
    heard: dict[str, list[str]] = {"one": [], "two": []}
    channels = Channels({name: lambda some, name=name: heard[name].extend(one.name + one.status for one in some) for name in heard})  # type: ignore[misc]
    duty = DutyFile(tmp_path, SystemClock(), tell=channels)

    assert [2, 0, 1, 1] == [
        duty.take(some) for some in ([alert("a"), alert("b"), alert("a")], [alert("b")], [alert("b"), alert("c")], [alert("a", status="resolved")])
    ]
    channels.close()
    duty.close()
    assert {name: ["afiring", "bfiring", "cfiring", "aresolved"] for name in heard} == heard


def test_a_channel_that_fails_costs_no_other(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """It is tried again; what it never took is said and counted, and stands in the duty log."""
    monkeypatch.setattr(notifying, "AGAIN_S", (0.0, 0.0))
    tries: list[int] = []
    heard: list[str] = []

    def broken(_some: Sequence[Alert]) -> None:
        tries.append(1)
        raise OSError("no line")

    channels = Channels({"broken": broken, "good": lambda some: heard.extend(one.name for one in some)})
    duty = DutyFile(tmp_path, SystemClock(), tell=channels)
    duty.take([alert("a")])
    until(lambda: channels.counts["broken: lost"] and heard, "both have tried")
    channels.close()

    assert (3, ["a"]) == (len(tries), heard)
    assert {"broken: failed": 3, "broken: lost": 1, "good: told": 1} == channels.counts
    assert 1 == len(duty.lines(0, 10, waiting=False))
    assert "stands in the duty log only: a" in "".join(capsys.readouterr())
    duty.close()


def test_a_stuck_channel_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Taking never waits; what has no room is counted."""
    monkeypatch.setattr(notifying, "MOST", 2)
    go = threading.Event()
    channels = Channels({"stuck": lambda _: (go.wait(20), None)[1]})
    for number in range(5):
        channels([alert(str(number))])
    lost = channels.counts["stuck: lost"]
    go.set()
    channels.close()

    assert 2 <= lost <= 3


PROGRAM = """
import sys
from pathlib import Path
from lanbi.clock import SystemClock
from lanbi.duty import DutyFile
from lanbi.notifying import Channels, notifiers
from tests.lanbi.test_notifying import alert
found = notifiers()
channels = Channels(found)
duty = DutyFile(Path(sys.argv[1]), SystemClock(), tell=channels)
duty.take([alert("a")])
channels.close()
print(sorted(found), dict(channels.counts))
"""


def test_the_example_is_found_and_rings(tmp_path: Path) -> None:
    """As an installer leaves it beside lanbi, against a real web server; another package that is broken is said and passed over."""
    heard: list[object] = []

    class Bell(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    code = (PLUGIN / "lanbi_acme_bell.py").read_text(encoding="utf-8")
    (tmp_path / "lanbi_acme_bell.py").write_text(code, encoding="utf-8")
    info = tmp_path / "lanbi_acme-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: lanbi-acme\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[lanbi.notifiers]\nacme-bell = lanbi_acme_bell:ring\nbroken = nowhere:nothing\n")
    with HTTPServer(("127.0.0.1", 0), Bell) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        where = {"PYTHONPATH": f"{ROOT}:{tmp_path}", "PATH": "", "ACME_BELL": f"http://127.0.0.1:{server.server_port}/"}
        answer = subprocess.run([sys.executable, "-c", PROGRAM, str(tmp_path)], capture_output=True, text=True, check=False, cwd=tmp_path, env=where)
        server.shutdown()

    assert 0 == answer.returncode, answer.stderr
    assert "['acme-bell'] {'acme-bell: told': 1}" in answer.stdout
    assert "broken: 无法加载" in answer.stdout + answer.stderr
    assert [[{"name": "a", "status": "firing", "severity": "high", "summary": "a 超标"}]] == heard
    assert len(code.splitlines()) <= 30
    assert 'acme-bell = "lanbi_acme_bell:ring"' in (PLUGIN / "pyproject.toml").read_text(encoding="utf-8")
