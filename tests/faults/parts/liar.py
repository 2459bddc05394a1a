"""A store that says yes and does something else: it passes everything on to a real influxd but the lines that it has chosen.

It answers 204 and has swallowed a whole body, a single row, a correction alone; it has changed a digit; it has written a row twice,
the second time at a moment of which nobody spoke.
"""

from __future__ import annotations

import http.client
import re
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

import numpy as np

from lanbi.processes import free

WRITE: Final = "/api/v2/write"
TABLES: Final = (b"air,", b"water,", b"point,", b"meter,")
NUMBER: Final = re.compile(rb"(,[a-z0-9]+=)(-?[0-9]+)(\.[0-9]+)")
HOP: Final = frozenset({"transfer-encoding", "content-length", "connection"})
"""Headers of one connection, which are not passed on."""
BESIDE_NS: Final = 7 * 10**9
"""Where a doubled row stands: between the slots of the devices."""


@dataclass(frozen=True)
class Lies:
    """One in so many: bodies swallowed; rows swallowed, altered, doubled; corrections swallowed. 0 = none."""

    body: int = 0
    row: int = 0
    altered: int = 0
    doubled: int = 0
    correction: int = 0


HONEST: Final = Lies()


@dataclass
class Liar:
    """The proxy and its threads."""

    target: int
    seed: int
    lies: Lies = HONEST
    port: int = field(default_factory=free)
    told: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._chance = np.random.default_rng(self.seed)
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), type("Handler", (_Handler,), {"liar": self}))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="liar", daemon=True)

    def start(self) -> None:
        """Listen."""
        self._thread.start()

    def close(self) -> None:
        """Stop."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join(5)
        self._server.server_close()

    def lie(self, body: bytes) -> bytes | None:
        """What is passed on of a body of line protocol; None = nothing."""
        with self._lock:
            if self.lies == HONEST or not body.startswith(TABLES):
                return body
            if self._one_in("body", self.lies.body):
                return None
            return b"\n".join(self._lines(body)) or None

    def _lines(self, body: bytes) -> Iterator[bytes]:
        for line in body.split(b"\n"):
            # All flags are said where a row may be there already: that is how a correction looks on the wire.
            if (b'_f="N"' in line and self._one_in("correction", self.lies.correction)) or self._one_in("row", self.lies.row):
                continue
            if self._one_in("altered", self.lies.altered):
                yield NUMBER.sub(lambda found: found[1] + str(int(found[2]) + 1).encode() + found[3], line, count=1)
                continue
            yield line
            if self._one_in("doubled", self.lies.doubled):
                head, _, time = line.rpartition(b" ")
                yield head + b" " + str(int(time) + BESIDE_NS).encode()

    def _one_in(self, what: str, many: int) -> bool:
        found = bool(many) and int(self._chance.integers(many)) == 0
        self.told[what] += found
        return found


class _Handler(BaseHTTPRequestHandler):
    """One request passed on; :attr:`liar` is set on a class of each liar's own."""

    protocol_version = "HTTP/1.1"
    liar: Liar

    def do_GET(self) -> None:
        self._pass(b"")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        kept = self.liar.lie(body) if self.path.startswith(WRITE) else body
        if kept is None:
            self._answer(204, [], b"")
        else:
            self._pass(kept)

    def _pass(self, body: bytes) -> None:
        there = http.client.HTTPConnection("127.0.0.1", self.liar.target, timeout=60)
        try:
            head = {name: value for name, value in self.headers.items() if name.lower() not in {"host", *HOP}}
            there.request(self.command, self.path, body, head)
            answer = there.getresponse()
            data = answer.read()
        except OSError:
            self.close_connection = True
            return
        finally:
            there.close()
        self._answer(answer.status, answer.getheaders(), data)

    def _answer(self, status: int, head: list[tuple[str, str]], data: bytes) -> None:
        self.send_response(status)
        for name, value in head:
            if name.lower() not in HOP:
                self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Say nothing."""
