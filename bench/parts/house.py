"""A county-year in one influxd, and ``lanbi serve`` beside the tutorial's service as processes of their own."""

from __future__ import annotations

import contextlib
import http.client
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bench.store import TOKEN, Server
from domain.civil import day_of, period_stamp, year_days, year_of_day
from domain.indicators import Indicator
from domain.readings import Reading
from lanbi import wiring
from lanbi.cli import main as lanbi
from lanbi.plans import load as load_plan
from lanbi.processes import free
from lanbi.registry import load

ROOT: Final = Path(__file__).resolve().parents[2]
COUNTY: Final = ROOT / "plans" / "sample-county.toml"
PLAN: Final = ROOT / "plans" / "chiping.toml"
READINGS: Final = 5_000
FIGURES: Final = ("aqi", "pm25", "pm10", "so2", "no2", "co", "o3_8h", "good_day")
HOUR_S: Final = 3_600
PATIENCE_S: Final = 10.0
"""Of a board's user: what takes longer is not answered, and counted."""
ANSWER_S: Final = 120.0
"""Of the bench itself, on whatever machine it runs."""


@dataclass
class House:
    """Settings, store and the processes around it."""

    folder: Path
    server: Server
    days: int
    now: int = field(default_factory=lambda: int(time.time()))

    def prepare(self) -> None:
        """Buckets, tokens, and so many days of hours and figures; a county-year where it is not quick."""
        (self.folder / "secrets").mkdir(parents=True)
        (self.folder / "secrets" / "influx-operator").write_text(TOKEN)
        self.port = free(0)
        store = f'[store]\nkind = "influx"\nurl = "{self.server.url}"\ntoken_file = "{self.folder}/secrets/influx-write"\nread_token_file = "{self.folder}/secrets/influx-read"\n'
        text = f'data = "{self.folder}"\ncounty = "{COUNTY}"\ntargets = ["{PLAN}"]\n[http]\nlisten = "127.0.0.1:{self.port}"\n{store}'
        self.config = self.folder / "lanbi.toml"
        self.config.write_text(text, encoding="utf-8")
        with contextlib.redirect_stdout(sys.stderr):
            assert 0 == lanbi(["store", "init", "--config", str(self.config)])
        registry = load(COUNTY)
        self.stations = tuple(registry.air_stations)
        self.scope = registry.county.id
        self._fill()

    def _fill(self) -> None:
        store = wiring.store(wiring.settings(str(self.config)))
        last = self.now // HOUR_S * HOUR_S
        hours = range(last - self.days * 24 * HOUR_S, last + 1, HOUR_S)  # as they come: what is older than stored is looked up row by row
        for number, name in enumerate(self.stations):
            rows = [Reading("air", name, HOUR_S, time_, {"pm25": float(20 + (time_ // HOUR_S + number) % 90), "co": 0.9}, {}, 1) for time_ in hours]
            for first in range(0, len(rows), 5_000):
                store.write(rows[first : first + 5_000])
        today = day_of(self.now)
        judged = [target.id for target in load_plan(PLAN).targets if target.id.startswith(("air.", "water."))]
        store.put(
            [
                Indicator(name, "ytd", self.scope, rules, period_stamp(day), 40.0, target=42.0, margin=2.0, status="on-course", text='{"figure": "pm25_mean"}')
                for day in range(year_days(year_of_day(today))[0], today)
                for name in judged
                for rules in ("HJ633-2012", "HJ633-2026")
            ]
        )
        for scope in (self.scope, *self.stations):
            store.put(
                [
                    Indicator(name, "day", scope, "HJ633-2012", period_stamp(day), float(30 + day % 100), valid=24.0, expected=24.0, status="2")
                    for day in range(today - self.days, today + 1)
                    for name in FIGURES
                ]
            )
        store.close()

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """``lanbi serve`` and the tutorial."""
        self.other = free(0)
        token = (self.folder / "secrets" / "influx-read").read_text().strip()
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        commands = (
            [sys.executable, "-m", "lanbi", "serve", "--config", str(self.config)],
            [sys.executable, str(ROOT / "bench" / "parts" / "tutorial.py"), self.server.url, token, str(self.other)],
        )
        with contextlib.ExitStack() as stack:
            self.parts = [stack.enter_context(subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)) for command in commands]
            try:
                for port, path in ((self.port, "/livez"), (self.other, "/docs")):
                    until(lambda port=port, path=path: get(port, path)[0] == 200)  # type: ignore[misc]
                yield
            finally:
                for part in self.parts:
                    part.terminate()

    def megabytes(self) -> float:
        """Resident memory of ``lanbi serve``."""
        text = Path(f"/proc/{self.parts[0].pid}/status").read_text()
        return int(next(line for line in text.splitlines() if line.startswith("VmRSS")).split()[1]) / 1_000

    @contextlib.contextmanager
    def poured(self) -> Iterator[list[int]]:
        """Readings that come in meanwhile; the list says at which pace they did in the end."""
        token, told = (self.folder / "secrets" / "influx-write").read_text().strip(), list[int]()
        command = [sys.executable, str(ROOT / "bench" / "parts" / "pour.py"), self.server.url, token, str(READINGS)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as part:
            assert part.stdout
            words = part.stdout
            reader = threading.Thread(target=lambda: told.extend(int(line) for line in words), daemon=True)
            reader.start()
            try:
                yield told
            finally:
                part.terminate()


def until(happened: Callable[[], bool], patience: float = 60.0) -> None:
    """Wait for it; the run ends where it does not happen."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        with contextlib.suppress(OSError, http.client.HTTPException):
            if happened():
                return
        time.sleep(0.1)
    raise SystemExit("a process did not answer")


def get(port: int, path: str, headers: dict[str, str] | None = None, line: http.client.HTTPConnection | None = None) -> tuple[int, dict[str, str], bytes]:
    """One request, over a line that is kept if one is given."""
    own = line or http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_S)
    try:
        own.request("GET", path, headers=headers or {})
        answer = own.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    except (OSError, http.client.HTTPException):
        own.close()
        raise
    finally:
        if line is None:
            own.close()
