"""Health of a separate ``lanbi ingest`` or ``lanbi analyse`` over HTTP, from a small process of its own.

HTTP in a thread of the listener's interpreter took the 99th percentile of its acknowledgements from 24 to 783 ms, so it never
happens there. This process reads what the other says in ``run/<name>.json`` and the durable totals, and nothing else; it ends
with whoever started it, because its standard input then ends.
"""

from __future__ import annotations

import argparse
import ipaddress
import json
import os
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final, NamedTuple

from domain.errors import InputError, LanbiError
from domain.sayings import both
from lanbi import metrics, wiring
from lanbi.clock import SystemClock
from lanbi.processes import address
from lanbi.question import MOST as MOST_BYTES
from lanbi.question import ask
from lanbi.settings import Settings
from lanbi.signs import metrics_of, sign_of

PARTS: Final[Mapping[str, tuple[str, ...]]] = {"ingest": ("broker", "journal", "clock", "threads"), "analyse": ()}
"""What a process's reasons name before their colon; the body of /readyz names each."""
SLOW_S: Final = 5.0
"""A caller that takes longer over its request is cut off."""
MOST: Final = 16
"""Callers at once; a further one waits in the kernel's queue or is refused by it."""
NO_STORE: Final = ("Cache-Control", "no-store")
TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"
JSON: Final = "application/json"


class Answer(NamedTuple):
    """Status, content type and body of an HTTP answer."""

    status: int
    kind: str
    body: str


class Health:
    """The answers, without any HTTP."""

    def __init__(self, settings: Settings, name: str) -> None:
        self.data, self.name = settings.data, name
        self.clock = wiring.clock(settings)

    def answer(self, path: str) -> Answer:
        """What a path says."""
        told: dict[str, Callable[[], Answer]] = {"/livez": self.livez, "/readyz": self.readyz, "/metrics": self.metrics}
        tell = told.get(path.partition("?")[0])
        return tell() if tell else Answer(404, TEXT, "只有 there are only /livez /readyz /metrics\n")

    def livez(self) -> Answer:
        """200 while the process gives signs."""
        sign = sign_of(self.data, self.name)
        return Answer(200, TEXT, "ok\n") if sign.alive else Answer(503, TEXT, "; ".join(map(both, sign.reasons)) + "\n")

    def readyz(self) -> Answer:
        """200 while every part is well; the store is told, and never makes it unready, because readings wait in the journal."""
        sign = sign_of(self.data, self.name)
        parts = dict.fromkeys(PARTS[self.name], "ok" if sign.alive else "unknown")
        for reason in sign.reasons:
            part, colon, words = reason.partition(": ")
            if not colon or " " in part:
                part, words = "process", reason
            parts[part] = f"{parts[part]}; {words}" if parts.get(part, "ok") not in {"ok", "unknown"} else words
        store = str(sign.status.get("store") or "unknown") if sign.alive else "unknown"
        body = {"ready": sign.ready, "reasons": list(sign.reasons), "parts": parts, "store": store}
        return Answer(200 if sign.ready else 503, JSON, json.dumps(body, ensure_ascii=False) + "\n")

    def question(self, body: bytes) -> Answer:
        """What analytics answers to a question, or 503 with the cause."""
        try:
            asked = json.loads(body)
            told = ask(self.data, asked if isinstance(asked, dict) else {}, SystemClock())
        except (ValueError, InputError) as error:
            return Answer(422, JSON, json.dumps({"error": str(error)}, ensure_ascii=False) + "\n")
        except LanbiError as error:
            return Answer(503, JSON, json.dumps({"error": str(error)}, ensure_ascii=False) + "\n")
        return Answer(200, JSON, json.dumps(told, ensure_ascii=False) + "\n")

    def metrics(self) -> Answer:
        """Metrics in Prometheus' text form."""
        try:
            own = metrics.collect(self.data, self.clock) if self.name == "ingest" else []
        except LanbiError as error:
            return Answer(503, TEXT, f"{both(str(error))}\n")
        return Answer(200, TEXT, metrics.text([*own, *metrics_of(self.data)]))


class _Handler(BaseHTTPRequestHandler):
    """One request a connection."""

    timeout = SLOW_S
    health: Health
    protocol_version = "HTTP/1.0"
    server_version, sys_version = "lanbi", ""

    def do_GET(self) -> None:
        self._say(self.health.answer(self.path))

    def do_POST(self) -> None:
        """A question to analytics; from this machine only, for it says what is entered nowhere else."""
        size = self.headers.get("Content-Length", "")
        if self.health.name != "analyse" or self.path != "/question":
            self.send_error(501, "only lanbi analyse takes POST, at /question")
        elif not ipaddress.ip_address(self.client_address[0].partition("%")[0]).is_loopback:
            self._say(Answer(403, TEXT, "只许本机 this machine only\n"))
        elif not size.isdigit() or int(size[:9]) > MOST_BYTES:
            self._say(Answer(413, TEXT, f"正文最多 {MOST_BYTES} 字节 bytes at most\n"))
        else:
            self._say(self.health.question(self.rfile.read(int(size))))

    def _say(self, answer: Answer) -> None:
        body = answer.body.encode()
        self.send_response(answer.status)
        for name, value in (("Content-Type", answer.kind), ("Content-Length", str(len(body))), NO_STORE):
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_HEAD = do_GET  # noqa: N815  the names of the standard library

    def log_message(self, *_words: object) -> None:
        """A probe a second is not worth a line."""


class _Server(ThreadingHTTPServer):
    """Few callers at a time, whatever they do."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, host: str, port: int, handler: type[_Handler]) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._room = threading.BoundedSemaphore(MOST)
        super().__init__((host, port), handler)

    def process_request(self, request: object, client_address: object) -> None:
        self._room.acquire()
        super().process_request(request, client_address)  # type: ignore[arg-type]

    def process_request_thread(self, request: object, client_address: object) -> None:
        try:
            super().process_request_thread(request, client_address)  # type: ignore[arg-type]
        finally:
            self._room.release()

    def handle_error(self, *_where: object) -> None:
        """A caller that went away, or was too slow, is no news."""


def server(settings: Settings, name: str) -> ThreadingHTTPServer:
    """A server that listens where the settings say, not serving yet."""
    host, port = address(settings.ingest.health if name == "ingest" else settings.analyse.health)
    handler = type("Handler", (_Handler,), {"health": Health(settings, name)})
    return _Server(host, port, handler)


def main() -> int:
    """Serve until standard input ends."""
    parser = argparse.ArgumentParser(prog="python -m lanbi.health", description="health of a process over HTTP")
    parser.add_argument("name", choices=sorted(PARTS))
    parser.add_argument("--config", metavar="FILE")
    args = parser.parse_args()
    try:
        serving = server(wiring.settings(args.config), args.name)
    except (LanbiError, OSError) as error:
        sys.stderr.write(f"health: {both(str(error))}\n")
        return error.exit_code if isinstance(error, LanbiError) else 1
    threading.Thread(target=_end_with_parent, daemon=True).start()
    serving.serve_forever(poll_interval=0.5)
    return 0


def _end_with_parent() -> None:
    while os.read(0, 4096):
        pass
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
