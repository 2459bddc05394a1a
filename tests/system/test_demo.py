"""The demo end to end, with its real processes: from nothing to a board, and back after anything."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lanbi import wiring
from lanbi.state import StateView
from tests.system.demo_family import Demo, children, pss_mb, wait_for

SHORT = ("--history", "20", "--speed", "600")
NAMES = {"ingest", "analyse", "serve", "simulate"}
CLIENT = Path(__file__).resolve().parents[2] / "examples" / "client" / "client.py"
PATIENCE_S = 120
BACK_S = 300
"""For what takes seconds where nothing else runs: an event, and a whole start."""
pytestmark = pytest.mark.timeout(900)


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    """A demo with twenty days of history, stopped at the end."""
    chosen = Demo(tmp_path / "demo", options=SHORT)
    chosen.start()
    yield chosen
    if chosen.process and chosen.process.poll() is None:
        chosen.kill()


def _board(demo: Demo) -> None:
    shown = wait_for(lambda: demo.pm25() is not None, BACK_S)
    log = demo.data.with_suffix(".log").read_text()

    assert shown, log


def totals(demo: Demo) -> dict[str, float]:
    """A whole scrape."""
    found: dict[str, float] = {}
    assert wait_for(lambda: bool(found.update(demo.totals()) or found), PATIENCE_S)
    return found


def test_demo_comes_up_and_lives(demo: Demo) -> None:
    """The board shows a PM2.5 figure, live readings arrive on top of the history, and the account adds up at a scrape."""
    _board(demo)
    before = totals(demo)["lanbi_ingest_readings_stored_total"]

    assert wait_for(lambda: demo.totals().get("lanbi_ingest_readings_stored_total", 0) > before + 50, PATIENCE_S)

    example = subprocess.run([sys.executable, str(CLIENT), f"http://{demo.http}"], capture_output=True, text=True, check=False)

    assert (0, "") == (example.returncode, example.stderr)
    assert {"air.pm25.annual_mean", "µg/m³"} <= {word for line in example.stdout.splitlines() for word in line.split("\t")}

    now = totals(demo)
    parts = ("stored", "duplicate", "deadletter", "quarantined")
    rest = sum(now.get(f"lanbi_ingest_readings_{name}_total", 0) for name in parts) + now["lanbi_journal_pending_readings"]

    assert now["lanbi_ingest_readings_received_total"] == rest
    assert 0 == now.get("lanbi_ingest_readings_deadletter_total", 0)
    assert set(demo.pids()) >= NAMES
    assert pss_mb([demo.pid, *children(demo.pid)]) < 500


def test_interrupt_ends_everything(demo: Demo) -> None:
    """Ctrl-C ends every process, exit 130, and SIGTERM on the next start exit 0."""
    _board(demo)
    family = children(demo.pid)

    assert 130 == demo.stop(signal.SIGINT)
    # Whoever adopts a grandchild takes note of its end a moment later.
    assert wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in family), PATIENCE_S), family

    demo.start()
    _board(demo)

    assert 0 == demo.stop(signal.SIGTERM)


def test_killed_demo_comes_back(demo: Demo) -> None:
    """After kill -9 of everything a new start shows at least what was stored before, and time goes on."""
    _board(demo)
    wait_for(lambda: int(str(demo.status("simulate").get("unconfirmed", 99))) < 40, PATIENCE_S)
    settings = wiring.settings(str(demo.data / "lanbi.toml"))
    stored = StateView(settings.data).conservation()["stored"]
    seen = wiring.clock(settings).now_ns()
    family = demo.kill()

    assert wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in family), PATIENCE_S)

    demo.start()
    _board(demo)

    assert stored <= StateView(settings.data).conservation()["stored"]
    assert seen < wiring.clock(settings).now_ns()
    assert 130 == demo.stop()


def test_dead_process_is_replaced(demo: Demo) -> None:
    """A killed ingest comes back by itself and goes on storing."""
    _board(demo)
    old = demo.pids()["ingest"]
    before = totals(demo)["lanbi_ingest_readings_stored_total"]
    import os

    os.kill(old, signal.SIGKILL)

    assert wait_for(lambda: demo.pids().get("ingest", old) != old, PATIENCE_S)
    assert wait_for(lambda: demo.totals().get("lanbi_ingest_readings_stored_total", 0) > before + 20, PATIENCE_S)


def test_second_demo_is_turned_away(demo: Demo) -> None:
    """A second demo on the folder ends with exit 1 and one message without traceback; the first one lives on."""
    _board(demo)
    second = Demo(demo.data, options=SHORT)
    second.start()
    assert second.process

    assert 1 == second.process.wait(PATIENCE_S)

    said = demo.data.with_suffix(".log").read_text()

    assert "another lanbi works on this data folder" in said
    assert "Traceback" not in said
    assert demo.pm25() is not None
