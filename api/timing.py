"""How long answers take, and the headers that every answer carries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.access import SAFE
from domain.civil import iso
from domain.ports import Clock

BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
NAME: Final = "lanbi_api_request_seconds"
# The chart script writes style elements; nothing else may come from outside or from text.
HEADERS: Final = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
}


class Histogram:
    """Seconds an answer took, in Prometheus' buckets."""

    def __init__(self) -> None:
        self.counts = [0] * len(BUCKETS)
        self.total = 0.0
        self.number = 0

    def add(self, seconds: float) -> None:
        """Count one answer."""
        self.total += seconds
        self.number += 1
        for place, edge in enumerate(BUCKETS):
            self.counts[place] += seconds <= edge

    def text(self) -> str:
        """Prometheus' text form."""
        rows = [f'{NAME}_bucket{{le="{edge:g}"}} {count}' for edge, count in zip(BUCKETS, self.counts, strict=True)]
        head = [f"# HELP {NAME} seconds an answer of the API took", f"# TYPE {NAME} histogram"]
        tail = [f'{NAME}_bucket{{le="+Inf"}} {self.number}', f"{NAME}_sum {self.total:.6f}", f"{NAME}_count {self.number}"]
        return "\n".join([*head, *rows, *tail]) + "\n"


class Edge:
    """Around every request: times it, and adds security headers and the county's time.

    The time is a header and not a field, so that an answer without news stays the same answer (304).
    """

    def __init__(self, app: ASGIApp, clock: Clock, histogram: Histogram, entered: Callable[[], None]) -> None:
        self.app = app
        self.entered = entered
        self.clock = clock
        self.histogram = histogram

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun = self.clock.monotonic()
        try:
            await self.app(scope, receive, self._marked(send))
        finally:
            self.histogram.add(self.clock.monotonic() - begun)
            if scope["method"] not in SAFE:
                self.entered()

    def _marked(self, send: Send) -> Send:
        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update({**HEADERS, "X-Lanbi-Time": iso(self.clock.now_ns() // 1_000_000_000)})
            await send(message)

        return marked
