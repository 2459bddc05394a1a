"""A running demo as a test sees it: start it, ask its board, know its processes, weigh them, kill them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from lanbi.clock import SystemClock
from lanbi.processes import free

CLOCK = SystemClock()
ANSWER_S = 30
STOP_S = 120
"""For what takes a second where nothing else runs."""


def wait_for(condition: Callable[[], bool], seconds: float, every: float = 0.1) -> bool:
    """Poll until it is true or the time is up."""
    end = CLOCK.monotonic() + seconds
    while CLOCK.monotonic() < end:
        if condition():
            return True
        CLOCK.sleep(every)
    return condition()


def children(pid: int) -> list[int]:
    """All descendants of a process that still run."""
    direct = [int(word) for task in Path(f"/proc/{pid}/task").glob("*/children") for word in _read(task).split()]
    return direct + [deeper for child in direct for deeper in children(child)]


def _read(path: Path) -> str:
    """A file of ``/proc``; empty once its process has ended."""
    try:
        return path.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def pss_mb(pids: list[int]) -> float:
    """Proportional memory of processes [MB]: a page shared by two counts half in each."""
    lines = [line for pid in pids for line in _read(Path(f"/proc/{pid}/smaps_rollup")).splitlines()]
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


@dataclass
class Demo:
    """One `lanbi demo` on a folder; ``start`` may be called again after it ended."""

    data: Path
    http: str = field(default_factory=lambda: f"127.0.0.1:{free()}")
    options: tuple[str, ...] = ()
    process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start it; its own words go to ``demo.log`` beside the data folder."""
        command = [sys.executable, "-m", "lanbi", "demo", "--http", self.http, "--data", str(self.data), *self.options]
        with self.data.with_suffix(".log").open("a") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, text=True, start_new_session=True)

    @property
    def pid(self) -> int:
        """The supervisor."""
        assert self.process
        return self.process.pid

    def pids(self) -> dict[str, int]:
        """Process id of each program by name, as they are right now."""
        found = {}
        for pid in children(self.pid):
            words = _words(pid)
            name = next((name for name in ("ingest", "analyse", "serve", "simulate", "broker") if name in words or f"lanbi.{name}" in words), None)
            if name and name not in found:
                found[name] = pid
        return found

    def get(self, path: str) -> object:
        """JSON of the board's API, or None while it does not answer."""
        try:
            with urllib.request.urlopen(f"http://{self.http}{path}", timeout=ANSWER_S) as answer:
                return json.load(answer)
        except (OSError, urllib.error.URLError, ValueError):
            return None

    def pm25(self) -> object:
        """The PM2.5 figure that the board's targets show, or None."""
        answer = self.get("/api/v1/targets")
        items = answer.get("items", []) if isinstance(answer, dict) else []
        return next((row["value"] for row in items if "pm25" in str(row) and row.get("value") is not None), None)

    def totals(self) -> dict[str, float]:
        """The conservation law's terms, from the metrics page."""
        try:
            with urllib.request.urlopen(f"http://{self.http}/metrics", timeout=ANSWER_S) as answer:
                lines = answer.read().decode().splitlines()
        except OSError:
            return {}
        sums: dict[str, float] = {}
        for line in lines:
            if line.startswith(("lanbi_ingest_readings_", "lanbi_journal_pending")):
                name = line.split("{")[0].split(" ")[0]
                sums[name] = sums.get(name, 0) + float(line.rsplit(" ", 1)[1])
        return sums

    def status(self, name: str) -> dict[str, object]:
        """Status file of a program."""
        try:
            found = json.loads((self.data / "run" / f"{name}.json").read_bytes())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def stop(self, number: int = signal.SIGINT) -> int:
        """Signal the supervisor and wait for it."""
        assert self.process
        self.process.send_signal(number)
        return self.process.wait(STOP_S)

    def kill(self) -> list[int]:
        """Kill -9 the supervisor; its children must follow. Returns who was running."""
        family = children(self.pid)
        os.kill(self.pid, signal.SIGKILL)
        assert self.process
        self.process.wait()
        return family


def _words(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return []
