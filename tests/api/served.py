"""An application behind a real server on a free port, and a small client: what a browser on this machine would see."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any
from urllib.parse import quote

import uvicorn
from fastapi import FastAPI

from lanbi.clock import SystemClock
from lanbi.serving import config

PATIENCE_S = 60
"""For a server in a thread beside: on a busy machine it waits for its turn."""


@dataclass(frozen=True)
class Reply:
    """An answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Its content."""
        return json.loads(self.body)

    @property
    def text(self) -> str:
        """Its content as text."""
        return self.body.decode()


@dataclass(frozen=True)
class Client:
    """Asks one server; header names in answers are lower case."""

    port: int

    def get(self, path: str, *, method: str = "GET", body: bytes | None = None, **headers: str) -> Reply:
        """One request; underscores in header names stand for hyphens."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, quote(path, safe="/?&=%:+,{}[]|#"), body, named)
            answer = connection.getresponse()
            return Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
        finally:
            connection.close()


@contextmanager
def served(app: FastAPI) -> Iterator[Client]:
    """Serve an application until the block ends."""
    server = uvicorn.Server(config(app))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        clock = SystemClock()
        until = clock.monotonic() + PATIENCE_S
        while not server.started:
            assert thread.is_alive() and clock.monotonic() < until
            clock.sleep(0.01)
        try:
            yield Client(listening.getsockname()[1])
        finally:
            server.should_exit = True
            thread.join(PATIENCE_S)
            # One that goes on would answer, and read its stores, amidst the tests that follow.
            assert not thread.is_alive()
