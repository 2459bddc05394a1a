"""The serve process: its wiring, its signals, and what it must not import."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from domain.errors import PortTaken
from lanbi import metrics, serving, wiring
from lanbi.clock import SystemClock
from lanbi.processes import Told, free
from tests.api.served import PATIENCE_S, Client

ROOT = Path(__file__).resolve().parents[2]
CLOCK = SystemClock()


def settings_file(folder: Path, port: int) -> Path:
    """Settings of a county without any data."""
    path = folder / "lanbi.toml"
    lines = [
        f'data = "{folder / "var"}"',
        f'county = "{ROOT / "plans/sample-county.toml"}"',
        f'targets = ["{ROOT / "plans/chiping.toml"}"]',
        "[http]",
        f'listen = "127.0.0.1:{port}"',
    ]
    path.write_text("\n".join(lines))
    return path


def until(condition: object, seconds: float = PATIENCE_S) -> None:
    """Wait for something of another process."""
    end = CLOCK.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert CLOCK.monotonic() < end
        CLOCK.sleep(0.1)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_program_serves_and_stops(tmp_path: Path, number: int, code: int) -> None:
    """`lanbi serve` shows an empty county, writes its status, and ends with the promised code when told to."""
    port = free()
    command = [sys.executable, "-m", "lanbi", "serve", "--config", str(settings_file(tmp_path, port))]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LANBI_")}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE) as process:
        status = tmp_path / "var" / "run" / "serve.json"
        until(lambda: metrics.read_status(status).get("ready"))
        client = Client(port)
        targets = client.get("/api/v1/targets").json()["items"]
        ready = client.get("/readyz")
        process.send_signal(number)
        said = process.communicate(timeout=PATIENCE_S)[1]

    assert (code, b"") == (process.returncode, said if code == 0 else b"")
    assert {"no-target"} == {row["status"] for row in targets}
    assert targets[0]["note_en"].endswith("; last: 42 (2025)")
    assert (503, ["not started"]) == (ready.status, ready.json()["processes"]["ingest"]["reasons"])
    assert metrics.read_status(status)["ready"] is False


def test_no_numba_in_the_serve_process(tmp_path: Path) -> None:
    """Everything that serving needs is loaded without numba, pandas or plotly's Python: they would cost memory and seconds."""
    script = (
        "import sys; from lanbi import serving, wiring; from api.app import create_app;"
        f"create_app(serving.sources(wiring.settings({str(settings_file(tmp_path, 8080))!r})));"
        "print(sorted({'numba', 'pandas', 'plotly', 'paho', 'analytics'} & set(sys.modules)))"
    )
    answer = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)

    assert "[]" == answer.stdout.strip()


def test_taken_port_is_told(tmp_path: Path) -> None:
    """A port in use is an error of its own, before anything is served."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        chosen = wiring.settings(str(settings_file(tmp_path, other.getsockname()[1])))
        with pytest.raises(PortTaken):
            serving.run(chosen, Told())


def test_health_by_status_files(tmp_path: Path) -> None:
    """A process is well while its status file is fresh and says so."""
    metrics.write_status(tmp_path / "run" / "ingest.json", {"ready": True})
    metrics.write_status(tmp_path / "run" / "analyse.json", {"ready": False, "reasons": ["stopped"]})
    fresh = serving.health(tmp_path)
    os.utime(tmp_path / "run" / "ingest.json", (0, 0))
    old = serving.health(tmp_path)

    assert (True, (False, ("stopped",))) == (fresh["ingest"].ready, (fresh["analyse"].ready, fresh["analyse"].reasons))
    assert not old["ingest"].ready
    assert old["ingest"].reasons[0].startswith("no sign for ")
