"""What is asked of the API: by board users, by a steady stream of questions, and by callers that linger."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from bench.parts.house import FIGURES, PATIENCE_S, House, get
from domain.civil import iso

USERS, POLL_S, PACE = 50, 15.0, 200
HALVES, SLOW = 200, 50
BOARD: Final = (
    "targets",
    "today",
    "air/stations",
    "freshness",
    "water/sections",
    "account",
    "deadletters?newest=true&limit=8",
    "restatements?limit=6",
    "completeness",
    "county",
    "legend",
    "me",
)


@dataclass
class Load:
    """Board users and a steady stream of questions, for some seconds."""

    house: House
    seconds: float
    unlike: bool = False
    taken: list[float] = field(default_factory=list)
    polls: list[float] = field(default_factory=list)
    failed: int = 0
    unsent: int = 0

    def run(self) -> None:
        """Until the time is over."""
        self.end = time.monotonic() + self.seconds
        workers = 20
        threads = [threading.Thread(target=self._stream, args=(number, workers), daemon=True) for number in range(workers)]
        threads += [threading.Thread(target=self._board, args=(number,), daemon=True) for number in range(USERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _questions(self) -> list[str]:
        first, last = iso(self.house.now - 30 * 86_400)[:10], iso(self.house.now)[:10]
        days = [f"/api/v1/indicators?figure={name}&scope={scope}&from={first}&to={last}" for name in FIGURES[:3] for scope in self.house.stations]
        newest = [] if self.unlike else ["/api/v1/freshness", "/api/v1/air/stations"]  # these can be asked in one way only
        return [*newest, *days, *(f"/api/v1/air/stations/{name}/hours?from={last}" for name in self.house.stations)]

    def _stream(self, number: int, workers: int) -> None:
        """Every so often a question, at its time: a slow answer makes the next ones late, and that counts."""
        line, step = http.client.HTTPConnection("127.0.0.1", self.house.port, timeout=PATIENCE_S), workers / PACE
        begun = time.monotonic() + step * number / workers
        for count, path in enumerate(itertools.islice(itertools.cycle(self._questions()), number, None, 7)):
            due = begun + step * count
            if due > self.end:
                return
            if time.monotonic() > self.end:
                self.unsent += 1  # its turn was within the time, and the ones before it took all of it
                continue
            time.sleep(max(0.0, due - time.monotonic()))
            self._timed(line, another(path) if self.unlike else path, due, self.taken)

    def _board(self, number: int) -> None:
        line, tags = http.client.HTTPConnection("127.0.0.1", self.house.port, timeout=PATIENCE_S), dict[str, str]()
        time.sleep(POLL_S * number / USERS % self.seconds)
        while time.monotonic() < self.end:
            begun = time.monotonic()
            for path in BOARD:
                if time.monotonic() > self.end:
                    return
                head = {"If-None-Match": tags[path]} if path in tags else {}
                found = self._timed(line, f"/api/v1/{path}", time.monotonic(), self.polls, head)
                tags[path] = found.get("etag", tags.get(path, ""))
            line.close()  # as a browser finds it after 15 s: the server closes what is idle for 5
            time.sleep(max(0.0, min(begun + POLL_S, self.end) - time.monotonic()))

    def _timed(self, line: http.client.HTTPConnection, path: str, due: float, into: list[float], head: dict[str, str] | None = None) -> dict[str, str]:
        try:
            status, headers, _ = get(self.house.port, path, head, line)
        except (OSError, http.client.HTTPException):
            status, headers = 0, {}
        self.failed += status not in {200, 304}
        into.append(time.monotonic() - due)
        return {name.lower(): value for name, value in headers.items()}


_limits = itertools.count(1_000)


def another(path: str) -> str:
    """The same question with a limit that nobody asked with before, so that no kept answer serves it."""
    return f"{path}&limit={1_000 + next(_limits) % 9_000}"


@contextlib.contextmanager
def lingering(port: int) -> Iterator[None]:
    """Requests that never end, and readers that never read."""
    lines = []
    for number in range(HALVES + SLOW):
        one = socket.socket()
        if number >= HALVES:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        one.connect(("127.0.0.1", port))
        half = b"GET /api/v1/freshness HTTP/1.1\r\nHost: 127.0"
        one.sendall(half if number < HALVES else b"GET /api/v1/openapi.json HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 4)
        lines.append(one)
    try:
        yield
    finally:
        for one in lines:
            one.close()


def percentile(times: list[float], share: float) -> float:
    """So many of the times [s] are below it [ms]."""
    ordered = sorted(times)
    return 1_000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]
