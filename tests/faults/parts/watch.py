"""What is looked at while a campaign runs: the conservation law at every look, memory, journal, latencies."""

from __future__ import annotations

import threading
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import Final

import numpy as np

from tests.faults.parts.house import House
from tests.faults.parts.judge import balanced

EVERY_S: Final = 0.25
SCRAPE_S: Final = 1.0
COUNTED: Final = ("received", "stored", "duplicate", "deadletter", "quarantined")
TERMS: Final = {f"lanbi_ingest_readings_{name}_total": name for name in COUNTED} | {"lanbi_journal_pending_readings": "pending"}
NAMED: Final = 20


@dataclass(frozen=True)
class Look:
    """One look: seconds since the campaign began, the law's terms, resident memory of ingest [bytes] (0 while it is dead)."""

    at: float
    law: dict[str, int]
    resident: int


@dataclass
class Watch:
    """Looks at a house in a thread of its own until it is closed.

    A look that finds the account unbalanced is a breach, and so is one on which a counter went back.
    """

    house: House
    every: float = EVERY_S
    looks: list[Look] = field(default_factory=list)
    breaches: list[str] = field(default_factory=list)
    scrapes: int = 0
    also: Callable[[], None] = lambda: None
    """Further questions at every look."""

    def __post_init__(self) -> None:
        self._begun = time.monotonic()
        self._stop = threading.Event()
        self._one_at_a_time = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def close(self) -> None:
        """Stop looking."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(60)

    @property
    def now(self) -> float:
        """Seconds since the campaign began."""
        return time.monotonic() - self._begun

    def look(self) -> Look:
        """Look once, now."""
        with self._one_at_a_time:
            one = Look(self.now, self.house.law(), resident(self.house.ingest.pid if self.house.ingest.alive else 0))
            self._judge(one)
            self.looks.append(one)
            return one

    def scrape(self) -> None:
        """Scrape ``/metrics`` of ingest as Prometheus would, and add it up; nothing while it does not answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.house.health_port}/metrics", timeout=20) as answer:
                law = terms(answer.read().decode())
        except (OSError, HTTPException):  # killed meanwhile, perhaps amidst its answer
            return
        self.scrapes += 1
        if not balanced(law):
            self.breaches.append(f"{self.now:.2f} s: /metrics {law}")

    def _judge(self, one: Look) -> None:
        if not balanced(one.law):
            self.breaches.append(f"{one.at:.2f} s: {one.law}")
        before = self.looks[-1].law if self.looks else dict.fromkeys(one.law, 0)
        gone = [name for name, count in one.law.items() if name != "pending" and count < before[name]]
        if gone:
            self.breaches.append(f"{one.at:.2f} s: {gone} went back: {before} {one.law}")

    def _run(self) -> None:
        scraped = 0.0
        while not self._stop.wait(self.every):
            try:
                self.look()
                self.also()
                if self.now - scraped >= SCRAPE_S:
                    scraped = self.now
                    self.scrape()
            except Exception as error:  # noqa: BLE001  a look that fails is a finding, not an end
                self.breaches.append(f"{self.now:.2f} s: {error!r}")

    def words(self) -> dict[str, object]:
        """For a report."""
        pending = [look.law["pending"] for look in self.looks]
        return {
            "looks": len(self.looks),
            "scrapes": self.scrapes,
            "breaches": len(self.breaches),
            "named": self.breaches[:NAMED],
            "most_pending": max(pending, default=0),
        }


def terms(page: str) -> dict[str, int]:
    """The law's terms from a page of metrics, summed over reasons."""
    law = dict.fromkeys(TERMS.values(), 0)
    for line in page.splitlines():
        name, _, value = line.partition(" ") if "{" not in line else (line.partition("{")[0], "", line.rpartition(" ")[2])
        if name in TERMS:
            law[TERMS[name]] += int(float(value))
    return law


def resident(pid: int) -> int:
    """Resident memory of a process [bytes]; 0 if it is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:")), 0)


def cpu_s(pid: int) -> float:
    """Seconds of processor that a process has used, its own and the system's for it."""
    words = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / 100


def slope(times: list[float], values: list[float]) -> float:
    """Least-squares slope of values over times [per second]."""
    return float(np.polyfit(times, values, 1)[0]) if len(times) > 1 else 0.0


def percentiles(seconds: list[float]) -> dict[str, float]:
    """Median, 99th percentile and greatest [ms]; empty without samples."""
    if not seconds:
        return {}
    p50, p99 = np.percentile(seconds, [50, 99])
    return {"p50_ms": round(float(p50) * 1e3, 1), "p99_ms": round(float(p99) * 1e3, 1), "max_ms": round(max(seconds) * 1e3, 1), "samples": len(seconds)}
