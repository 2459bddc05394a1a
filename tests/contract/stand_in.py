"""A small HTTP server that answers like an InfluxDB 2.x in one of its dialects; it keeps what it is sent, and counts."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

LINE = re.compile(r"^(\w+),(\S+) (.+) (-?\d+)$")
PROOF = "name,tags,name\ndatabases,,lanbi\n"
Fields = dict[str, str]
DIALECTS = ("400", "400-mute", "422", "422-mute", "500", "500-mute")
"""By status; nothing is kept under 400, the rest is kept under 422 and 500. A mute one names neither line nor number of lines."""


class Line(NamedTuple):
    """A line of a body, taken apart."""

    text: str
    table: str
    site: str
    span: str
    time: int
    fields: Fields


def _parsed(text: str) -> Line:
    found = LINE.match(text)
    assert found, text
    table, series, rest, stamp = found.groups()
    tags, fields = (dict(part.split("=", 1) for part in parts.split(",")) for parts in (series, rest))
    return Line(text, table, tags.get("site", ""), tags.get("span", ""), int(stamp) // 10**9, fields)


@dataclass
class StandIn:
    """State of the server.

    Attributes
    ----------
    bad : callable
        Name of the field of a line (table, site, time [s], fields) that is in conflict; empty if none is.
    statuses : list of (status, headers)
        Answers to the next writes, whatever they hold.
    largest : int
        Bytes of a body; a larger one is answered 413.
    oldest : int
        Lines before this instant [s] are out of retention.
    """

    dialect: str = "422"
    bad: Callable[[str, str, int, Fields], str] = lambda *_: ""
    statuses: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    largest: int = 1 << 30
    oldest: int = 0
    retention_s: int = 0
    token: str = ""
    """The one that it accepts; empty: any."""
    buckets: bool = True
    url: str = ""
    writes: int = 0
    rows: dict[tuple[str, str, str, int], Fields] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)

    def write(self, body: str) -> tuple[int, dict[str, str], str]:
        """Status, headers and body of the answer to a write."""
        self.writes += 1
        if not self.buckets:
            return 404, {}, '{"code":"not found","message":"bucket \\"p\\" not found"}'
        if self.statuses:
            return *self.statuses.pop(0), '{"message":"not now"}'
        if len(body) > self.largest:
            return 413, {}, '{"code":"request too large","message":"unable to read data: request too large"}'
        return self._take([_parsed(line) for line in body.split("\n")])

    def _take(self, lines: list[Line]) -> tuple[int, dict[str, str], str]:
        old = [line for line in lines if line.time < self.oldest]
        faults = [(line.text, line.table, name) for line in lines if (name := self.bad(line.table, line.site, line.time, line.fields))]
        named = {text for text, _, _ in faults}
        if not faults or not self.dialect.startswith("400"):
            for line in lines:
                if line.text not in named and line.time >= self.oldest:
                    self.rows.setdefault((line.table, line.site, line.span, line.time), {}).update(line.fields)
        return self._answer(faults, len(old))

    def _answer(self, faults: list[tuple[str, str, str]], old: int) -> tuple[int, dict[str, str], str]:
        status, _, mute = self.dialect.partition("-")
        if not faults:
            said = f"partial write: dropped {old} points outside retention policy of duration 720h0m0s - oldest point air,site=x at 1970-01-01T00:00:00Z "
            said += f"dropped because it violates a Retention Policy Lower Bound at {_iso(self.oldest)}.000000001Z dropped={old}"
            return (422, {}, json.dumps({"message": said})) if old else (204, {}, "")
        line, table, name = faults[0]
        if status == "400":
            said = "malformed" if mute else f"unable to parse '{line}': invalid number"
            return 400, {}, json.dumps({"code": "invalid", "message": said})
        said = f'partial write: field type conflict: input field "{name}" on measurement "{table}" is type float, already exists as type string'
        said += "" if mute else f" dropped={len(faults)}"
        return int(status), {}, json.dumps({"message": f"failure writing points to database: {said}"})


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16
    stand_in: StandIn

    def do_POST(self) -> None:
        server = self.stand_in
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        if server.token and self.headers["Authorization"] != f"Token {server.token}":
            self.say(401, {}, '{"code":"unauthorized","message":"unauthorized access"}')
        elif self.path.startswith("/query"):
            # Nothing is ever found here: the rows that come are newer than any.
            statement = parse_qs(body)["q"][0]
            self.say(200, {}, PROOF if "SHOW DATABASES" in statement else "")
        else:
            with server.lock:
                answer = server.write(body)
            self.say(*answer)

    def do_GET(self) -> None:
        name = parse_qs(urlsplit(self.path).query)["name"][0]
        self.say(200, {}, json.dumps({"buckets": [{"name": name, "retentionRules": [{"everySeconds": self.stand_in.retention_s}]}]}))

    def say(self, status: int, headers: dict[str, str], body: str) -> None:
        data = body.encode()
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@contextmanager
def standing_in(server: StandIn) -> Iterator[StandIn]:
    """Run a stand-in on 127.0.0.1."""
    handler = type("Handler", (_Handler,), {"stand_in": server})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        http.daemon_threads = True
        thread = Thread(target=http.serve_forever, daemon=True)
        thread.start()
        server.url = f"http://127.0.0.1:{http.server_port}"
        try:
            yield server
        finally:
            http.shutdown()
            thread.join()
