"""Drain campaign: eight hours of a county's readings wait in the journal; ingest starts, and the living notice nothing.

4.0 million readings, ten a message, as devices send them when they catch up, are journalled and not forwarded. Ingest starts before a real influxd
while live readings come at 140 a second. Measured: how long until the store is up to date, how long live readings wait for ingest's
PUBACK (by a relay between it and Mosquitto), and how far the API's freshness lags behind what was said.
Run it alone with ``python -m tests.faults.drain --backlog 4000000``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from bench.parts.load import prepare
from bench.store import county_text, said
from domain.civil import DAY_S, parse_time
from lanbi.journal import JournalWriter
from tests.faults.parts.house import ROOT, House, until
from tests.faults.parts.report import Asked, Finding, main
from tests.faults.parts.tap import Tap
from tests.faults.parts.watch import percentiles

STATIONS: Final = 200
RATE: Final = 140.0
DRAINED_S: Final = 120.0
ACK_MS: Final = 100.0
FRESH_S: Final = 2.0
PATIENCE_S: Final = 900.0
LIVE_S: Final = 150


@dataclass(frozen=True)
class Size:
    """Readings that wait, and for how long live ones are prepared at least [s]."""

    backlog: int
    live: int
    timed: bool = True
    """Whether seconds are judged: on whatever machine runs the short form only loss is."""


FULL: Final = Size(4_000_000, LIVE_S)
QUICK: Final = Size(100_000, 20, timed=False)


@dataclass
class Gaze:
    """What the API says about freshness, look by look: when, and the newest time of each source."""

    house: House
    looks: list[tuple[float, dict[str, int]]] = field(default_factory=list)
    silent: int = 0

    def __post_init__(self) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="gaze", daemon=True)

    def start(self) -> None:
        """Ask twice a second."""
        self._thread.start()

    def close(self) -> None:
        """Ask no more."""
        self._stop.set()
        self._thread.join(30)

    def _run(self) -> None:
        while not self._stop.wait(0.5):
            answer = self.house.get("/api/v1/freshness", 10)
            if isinstance(answer, dict):
                self.looks.append((time.time(), {row["source"]: parse_time(row["last"]) for row in answer["items"] if row["last"]}))
            else:
                self.silent += 1

    def lags(self, begun: float, times: list[tuple[str, int]]) -> list[float]:
        """Seconds by which what is shown of the live readings lags behind what was said, look by look; the worst source counts."""
        found = []
        for at, seen in self.looks:
            spoken = min(len(times), int((at - begun) * RATE))
            if 0 < spoken < len(times):
                newest: dict[str, int] = {}
                for place, (source, when) in enumerate(times[:spoken]):
                    if seen.get(source, 0) < when:
                        newest.setdefault(source, place)
                found.append((spoken - min(newest.values(), default=spoken)) / RATE)
        return found


def campaign(asked: Asked) -> Finding:
    """The campaign that the command line asks for."""
    return drain(asked.folder, QUICK if asked.quick else Size(asked.more.backlog, LIVE_S))


def drain(folder: Path, size: Size) -> Finding:
    """Fill the journal, start, speak, wait, judge."""
    first = int(time.time()) // DAY_S * DAY_S - 300 * DAY_S
    per_station = -(-size.backlog // STATIONS // 10) * 10
    live = said(first + 60 * per_station, int(RATE * size.live), 1, STATIONS)
    prepare(folder / "live", [(topic, payload) for topic, payload, _ in live])
    with House(folder / "house", county_text(STATIONS), serve=True, direct=True, ingest_more='receive = "bulk"') as house:
        house.ingest.stop()
        waiting = _filled(house.data, first, per_station)
        tap, gaze = Tap(house.broker_port), Gaze(house)
        os.environ["LANBI_BROKER_URL"] = f"mqtt://127.0.0.1:{tap.port}"
        tap.start()
        with closing(tap), closing(gaze):
            house.ingest.start()
            found = _course(house, gaze, folder, (waiting, len(live)))
        del os.environ["LANBI_BROKER_URL"]
        law = house.law()
        found |= {"law": law, "exit_code": house.ingest.stop(), "backlog": waiting}
    lags = gaze.lags(found.pop("live_begun"), [(f"b-a{int(topic[10:13]):03d}", when) for topic, _, when in live])
    found |= {"ack": percentiles(tap.waits), "lag": percentiles(lags), "silent": gaze.silent}
    bars = {
        "nothing lost": law["stored"] == law["received"] == waiting + len(live) and law["duplicate"] == 0 and found["exit_code"] == 0,
        "drained within two minutes": found["drained_s"] <= DRAINED_S,
        "acknowledged within 100 ms (p99)": found["ack"]["p99_ms"] <= ACK_MS,
        "newest values within 2 s (p99)": bool(lags) and found["lag"]["p99_ms"] <= FRESH_S * 1e3 and not gaze.silent,
    }
    judged = bars.values() if size.timed else [bars["nothing lost"]]
    return {"sound": all(judged), "figures": _figures(found), "bars": bars, **found}


def _course(house: House, gaze: Gaze, folder: Path, size: tuple[int, int]) -> dict[str, Any]:
    """Live readings from the start on, until nothing waits and all have been said; so many wait, and so many are said."""
    waiting, living = size
    command = [sys.executable, "bench/parts/load.py", str(house.broker_port), str(folder / "live"), "4000", str(RATE)]
    speaker = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    gaze.start()
    begun = time.monotonic()
    until(lambda: _pending(house) < 3 * RATE, "the backlog is drained", PATIENCE_S)
    took = time.monotonic() - begun
    assert speaker.stdout
    told = json.loads(speaker.stdout.readline())
    # The broker has all of them by now. What is still on its way to ingest waits in no journal yet.
    until(lambda: _pending(house) == 0 and house.law()["received"] >= waiting + living, "all is stored", PATIENCE_S)
    assert speaker.wait() == 0
    return {"drained_s": round(took, 1), "readings_s": round(waiting / took), "live_begun": told["begun"]}


def _pending(house: House) -> int:
    time.sleep(0.3)
    return house.law()["pending"]


def _filled(data: Path, first: int, per_station: int) -> int:
    """Journal the backlog, a day of stations at a time; how many readings."""
    writer = JournalWriter(data / "journal", "mqtt")
    step = 500
    for done in range(0, per_station, step):
        part = min(step, per_station - done)
        block = said(first + 60 * done, part * STATIONS, 10, STATIONS)
        for number, (topic, payload, _) in enumerate(block):
            # Their numbers begin anew in each block: to the account of gaps that is nothing, and to this campaign neither.
            writer.append(topic, payload, received_ns=time.time_ns(), readings=10, flags=1)
            if number % 500 == 0:
                writer.commit()
        writer.commit()
    readings = writer.committed.readings
    writer.close()
    return readings


def _figures(found: dict[str, Any]) -> list[str]:
    ack, lag = found["ack"], found["lag"]
    return [
        f"{found['backlog']:,} readings that waited were in influxd after {found['drained_s']} s, {found['readings_s']:,}/s, beside {RATE:.0f} live ones a second",
        f"live readings acknowledged by ingest after p50 {ack.get('p50_ms', 0):.0f} ms, p99 {ack.get('p99_ms', 0):.0f} ms",
        f"newest values over the API behind what was said p50 {lag.get('p50_ms', 0) / 1e3:.1f} s, p99 {lag.get('p99_ms', 0) / 1e3:.1f} s",
    ]


if __name__ == "__main__":
    arguments = (("--backlog", int, FULL.backlog, "readings that wait"),)
    sys.exit(main("drain", __doc__.splitlines()[0], campaign, arguments))
