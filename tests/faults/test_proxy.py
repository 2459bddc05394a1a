"""The fault proxy does what each of its modes says, and what passed before it was told."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import urllib3

from tests.faults.parts.proxy import ANSWER, CUT_ANSWER, CUT_REQUEST, DELAY, HANG, PATIENCE_S, REFUSE, Mode, Proxy
from tests.lanbi.ingest_house import until

TAKEN: list[tuple[str, int]] = []
"""Requests that arrived whole: path, size of the body."""


class Store(BaseHTTPRequestHandler):
    """Takes everything and says 204."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Read the body, remember it, agree."""
        size = int(self.headers["Content-Length"])
        body = self.rfile.read(size)
        if len(body) == size:
            TAKEN.append((self.path, size))
            self.send_response(204)
            self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    """A proxy before a small server."""
    TAKEN.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Store) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        one = Proxy(server.server_address[1])
        one.start()
        yield one
        one.stop()
        server.shutdown()
        thread.join()


def post(proxy: Proxy, path: str = "/api/v2/write", size: int = 20_000, timeout: float = PATIENCE_S) -> tuple[int, float]:
    """Status of one request (0 if it failed) and how long it took [s]."""
    begun = time.monotonic()
    with urllib3.PoolManager(retries=False) as http:
        try:
            status = http.request("POST", f"http://127.0.0.1:{proxy.port}{path}", body=b"x" * size, timeout=timeout).status
        except urllib3.exceptions.HTTPError:
            status = 0
    return status, time.monotonic() - begun


def test_it_passes(proxy: Proxy) -> None:
    """Usually everything passes; after a fault it passes again."""
    proxy.set(Mode(REFUSE))
    proxy.set(Mode())

    assert 204 == post(proxy)[0]
    assert [("/api/v2/write", 20_000)] == TAKEN


@pytest.mark.parametrize(("mode", "arrived"), [(Mode(REFUSE), 0), (Mode(HANG), 0), (Mode(CUT_REQUEST, size=9_000), 0), (Mode(CUT_ANSWER), 1)])
def test_it_fails(proxy: Proxy, mode: Mode, arrived: int) -> None:
    """Refused, silent and half-way requests never arrive; with the answer cut off the request has arrived and nobody says so."""
    proxy.set(mode)
    status, _ = post(proxy, timeout=2.0 if mode.kind == HANG else PATIENCE_S)

    assert (0, arrived) == (status, len(TAKEN))


def test_it_delays(proxy: Proxy) -> None:
    """The answer comes, later."""
    proxy.set(Mode(DELAY, seconds=0.6))
    status, took = post(proxy)

    assert status == 204
    assert took >= 0.6


def test_it_answers_in_the_name_of_the_store(proxy: Proxy) -> None:
    """Only the path it was told is answered, with status, headers and body of choice; nothing of it arrives. Others pass."""
    proxy.set(Mode(ANSWER, status=429, headers=(("Retry-After", "7"),), path="/api/v2/write"))
    with urllib3.PoolManager(retries=False) as http:
        answer = http.request("POST", f"http://127.0.0.1:{proxy.port}/api/v2/write", body=b"x" * 100_000)

    assert (429, "7") == (answer.status, answer.headers["Retry-After"])
    assert 204 == post(proxy, "/query", 10)[0]
    assert [("/query", 10)] == TAKEN
    assert 1 == proxy.counts["429"]


def test_open_connections_are_cut(proxy: Proxy) -> None:
    """A change of mode cuts connections that wait, so that it holds at once."""
    proxy.set(Mode(HANG))
    told: list[tuple[int, float]] = []
    waiting = threading.Thread(target=lambda: told.append(post(proxy, timeout=2 * PATIENCE_S)))
    waiting.start()
    until(lambda: proxy.counts[HANG], "it waits")
    proxy.set(Mode())
    waiting.join(PATIENCE_S)

    assert [0] == [status for status, _ in told]
