"""The API under a county's load, and one question beside InfluxDB's own HTTP query and the tutorial's service.

One influxd holds a county-year. ``lanbi serve`` and the tutorial are processes of their own, as they would run. While 5,000 readings/s are written
into the same influxd (as line protocol, not through broker and journal: what is measured is the API), 50 board users poll with ETag and
200 requests/s ask for latest values and aggregates, each at its own time whatever the last one did: 26 different questions in turn, as boards
ask them, then every question another, so that no answer is shared. Then the first once more with 200 half-open requests and 50 readers that
take nothing. Needs influxd (``make services``).
"""

from __future__ import annotations

import http.client
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Final
from urllib.parse import quote

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench.common import Bench
from bench.parts.boards import BOARD, HALVES, PACE, SLOW, USERS, Load, another, lingering, percentile
from bench.parts.house import ANSWER_S, House, get
from bench.store import Server
from domain.civil import day_of, iso, period_stamp

BOARD_FILES: Final = ROOT / "api" / "board"
DAYS, DAYS_QUICK = 365, 40


def _loaded(bench: Bench, house: House, what: str, seconds: float, *, unlike: bool = False) -> None:
    before = house.megabytes()
    with house.poured() as pace:
        load = Load(house, seconds, unlike)
        load.run()
    bench.add(f"{what}: p50 of {PACE} questions/s", percentile(load.taken, 0.5), "ms")
    bench.add(f"{what}: p99 of {PACE} questions/s", percentile(load.taken, 0.99), "ms")
    bench.add(f"{what}: p99 of {USERS} boards' polls", percentile(load.polls, 0.99), "ms")
    bench.add(f"{what}: questions answered a second", len(load.taken) / seconds, "1/s", higher_is_better=True)
    bench.add(f"{what}: not answered", float(load.failed), "answers")
    bench.add(f"{what}: not sent in time, behind slow ones", float(load.unsent), "questions")
    bench.add(f"{what}: readings a second meanwhile", float(pace[-1] if pace else 0), "1/s", higher_is_better=True)
    bench.add(f"{what}: memory gained", house.megabytes() - before, "MB")


def _beside(bench: Bench, house: House) -> None:
    """The same figure of a month by us, by InfluxDB itself and by the tutorial: equal first, then in turn."""
    scope, last = house.stations[0], day_of(house.now)
    days = range(last - 30, last + 1)
    first_s, last_s = period_stamp(days[0]), period_stamp(days[-1])
    ours = f"/api/v1/indicators?figure=pm25&scope={scope}&from={iso(first_s)[:10]}&to={iso(last_s)[:10]}"
    text = f"SELECT value FROM indicator WHERE figure='pm25' AND scope='{scope}' AND period='day' AND time >= {first_s}s AND time <= {last_s}s"  # noqa: S608  our own words
    token = {"Authorization": "Token " + (house.folder / "secrets" / "influx-read").read_text().strip()}
    influx_port = int(house.server.url.rpartition(":")[2])
    query = f"/query?db=lanbi-figures&q={quote(text)}"
    tutorial = f"/figures?figure=pm25&scope={scope}&start={first_s}&stop={last_s + 1}"

    def by_us() -> list[float]:
        return [row["value"] for row in json.loads(get(house.port, another(ours))[2])["items"]]

    def by_influx() -> list[float]:
        return [row[1] for row in json.loads(get(influx_port, query, token)[2])["results"][0]["series"][0]["values"]]

    def by_tutorial() -> list[float]:
        return [row["value"] for row in json.loads(get(house.other, tutorial)[2])]

    assert by_us() == by_influx() == by_tutorial() == [float(30 + day % 100) for day in days], "the three do not agree"
    sides = (by_us, by_influx, by_tutorial)
    times: tuple[list[float], ...] = ([], [], [])
    for _ in range(20 if bench.quick else 100):
        for side, own in zip(sides, times, strict=True):
            begun = time.perf_counter()
            side()
            own.append(time.perf_counter() - begun)
    for own, named in ((times[1], {"peer_name": "influxdb /query", "peer_version": _influx_version(influx_port)}), (times[2], {"peer_name": "fastapi"})):
        bench.add("a month of a figure, median", 1_000 * statistics.median(times[0]), "ms", peer=1_000 * statistics.median(own), **named)
        bench.add("a month of a figure, p99", percentile(times[0], 0.99), "ms", peer=percentile(own, 0.99), **named)


def _influx_version(port: int) -> str:
    """What influxd says of itself."""
    return {name.lower(): value for name, value in get(port, "/ping")[1].items()}["x-influxdb-version"].removeprefix("v")


def _forget(port: int) -> None:
    """Have kept answers forgotten, as whatever is entered does."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_S)
    line.request("POST", "/api/v1/targets")
    assert line.getresponse().status == 405
    line.close()


def _alone(bench: Bench, house: House) -> None:
    """What a board asks for, one at a time, made anew and without load: which page costs the store how much."""
    for path in BOARD:
        times = []
        for _ in range(bench.rounds):
            _forget(house.port)
            begun = time.perf_counter()
            assert get(house.port, f"/api/v1/{path}")[0] == 200, path
            times.append(time.perf_counter() - begun)
        bench.add(f"alone: {path.partition('?')[0]}", 1_000 * statistics.median(times), "ms")


def _page(bench: Bench, house: House) -> None:
    """The first page of the board, charts aside, made anew: all its files and figures one after the other over one line, and its bytes on it."""
    names = sorted(path.name for path in BOARD_FILES.iterdir() if path.suffix in {".js", ".css", ".svg"})
    paths = ["/", *(f"/board/{name}" for name in names), *(f"/api/v1/{path}" for path in BOARD)]
    times, size = [], 0
    for _ in range(bench.rounds):
        _forget(house.port)
        line, begun = http.client.HTTPConnection("127.0.0.1", house.port, timeout=ANSWER_S), time.perf_counter()
        size = sum(len(get(house.port, path, {"Accept-Encoding": "gzip"}, line)[2]) for path in paths)
        times.append(time.perf_counter() - begun)
        line.close()
    bench.add("first page, made anew", 1_000 * statistics.median(times), "ms")
    bench.add("first page, on the line", size / 1_000, "kB")


def main() -> None:
    """Fill, serve, ask."""
    bench = Bench.start("api")
    # In memory where that can be: what is measured is the API, and a disk that others use would be measured with it.
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108  where Linux keeps it
    with tempfile.TemporaryDirectory(prefix="lanbi-bench-api-", dir=memory) as folder, Server(Path(folder)).running() as server:
        house = House(Path(folder) / "house", server, DAYS_QUICK if bench.quick else DAYS)
        house.prepare()
        with house.running():
            _alone(bench, house)
            _page(bench, house)
            _beside(bench, house)
            seconds = 6.0 if bench.quick else 20.0
            _loaded(bench, house, "load", seconds)
            _loaded(bench, house, "load, no two questions alike", seconds, unlike=True)
            with lingering(house.port):
                _loaded(bench, house, f"load, {HALVES} halves, {SLOW} slow readers", seconds)
    bench.finish()


if __name__ == "__main__":
    main()
