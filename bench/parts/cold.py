"""One cold start of analytics in a process of its own: ``python -m bench.parts.cold STATIONS [STORE]`` prints what it took as JSON.

Without a store, hours come out of a generator and figures go nowhere: what is left is the memory of analytics.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np

from domain import civil
from domain.items import AIR, BY_REALM
from domain.places import AirStation, County, Dated, Device, Registry
from domain.readings import Series

FIRST: Final = civil.parse_date("2025-01-01")
DAYS: Final = 364
NOW: Final = civil.day_start(FIRST + DAYS - 1) + 12 * civil.HOUR_S
ASSESSED: Final = 4
PLAN: Final = "chiping.toml"
MEDIANS: Final = (42, 80, 12, 32, 0.8, 60)
READ: Final = frozenset({"columns", "blocks", "holds", "series", "event_rows", "changes_after", "restatements", "entered"})
WRITE: Final = frozenset({"put", "put_blocks", "restate", "events"})


def name(number: int) -> str:
    """Id of a station."""
    return f"s{number:03d}"


def registry(stations: int) -> Registry:
    """Four assessment stations, the others of townships, a device each."""
    always = Dated.always
    places = {name(n): AirStation(name(n), name(n), always("assessment" if n < ASSESSED else "township")) for n in range(stations)}
    devices = {
        f"d{n}": Device(f"d{n}", always((name(n),)), always("lanbi-json"), always("accepted"), 60, always(None), always("end"), always("s"))
        for n in range(stations)
    }
    empty: dict[str, Any] = {}
    return Registry(County("c", "c"), empty, places, empty, empty, empty, empty, empty, empty, devices, "v1")


class Generated:
    """A store that makes up hours and keeps nothing."""

    def columns(self, kind: str, source: str, start: int, end: int) -> Iterator[Series]:
        """Every hour of a station, values to a tenth; no other realm has any."""
        if kind == "air":
            time_ = np.arange(start + civil.HOUR_S, min(end, NOW) + 1, civil.HOUR_S, dtype=np.int64)
            chance = np.random.default_rng([int(source[1:]), len(time_)])
            whole = np.full((len(time_), len(BY_REALM["air"])), np.nan)
            whole[:, [BY_REALM["air"].index(item) for item in AIR]] = np.round(chance.lognormal(np.log(MEDIANS), 0.4, (len(time_), len(AIR))), 1)
            yield Series(civil.HOUR_S, time_, whole, np.where(np.isnan(whole), 0, ord("N")).astype(np.uint8))

    def __getattr__(self, method: str) -> Callable[..., list[Any]]:
        if method not in READ | WRITE:
            raise AttributeError(method)
        return lambda *_: []


class Timed:
    """A store whose reading and writing is timed by the processor [s]."""

    def __init__(self, store: Any) -> None:
        self.store = store
        self.read, self.write, self.rows = 0.0, 0.0, 0

    def __getattr__(self, method: str) -> Any:
        inner = getattr(self.store, method)
        if method not in READ | WRITE:
            return inner

        def called(*given: Any) -> Any:
            begun = time.process_time()
            found = inner(*given)
            answer = iter(list(found)) if isinstance(found, Iterator) else found
            taken = time.process_time() - begun
            if method in READ:
                self.read += taken
            else:
                self.write += taken
                self.rows += sum(len(one.time) for one in given[0]) if method == "put_blocks" else len(given[0])
            return answer

        return called


class Standing:
    """A clock at the end of the year."""

    def now_ns(self) -> int:
        """Always the same instant."""
        return NOW * 10**9

    def monotonic(self) -> float:
        """No second passes."""
        return 0.0

    def sleep(self, seconds: float) -> None:
        """Nothing to wait for."""


def main(stations: int, path: str | None) -> dict[str, float]:
    """Start once; seconds of processor, rows written, and the largest memory [MB]."""
    from analytics.jobs.warm import warm

    warm()
    from lanbi import plans
    from lanbi.analyse import Follower
    from lanbi.analyst import Analyst
    from lanbi.embedded import EmbeddedStore
    from lanbi.processes import collect_seldom

    collect_seldom()
    started, clock = time.process_time(), time.perf_counter()
    store = Timed(EmbeddedStore(Path(path)) if path else Generated())
    plan = plans.load(plans.folder() / PLAN)
    follower = Follower(Analyst(store, store, registry(stations), (plan,)), store, Standing())  # type: ignore[arg-type]
    follower.start()
    taken = time.process_time() - started
    told = {"start": started, "read": store.read, "compute": taken - store.read - store.write, "write": store.write}
    return {**told, "rows": store.rows, "wall": time.perf_counter() - clock, "peak": _largest(), "now": _resident()}


def _largest() -> float:
    """Of this program alone: what ``getrusage`` says begins with the size of the process that started it."""
    known = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines())
    return int(known["VmHWM"].split()[0]) / 1024


def _resident() -> float:
    words = Path("/proc/self/statm").read_text(encoding="ascii").split()
    return int(words[1]) * resource.getpagesize() / 2**20


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None)))
