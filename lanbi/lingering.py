"""A server's protocol that lets nobody linger: slow heads, slow bodies and slow readers are cut off, and one address holds a bounded number of lines.

uvicorn itself closes a line that is idle between two requests, and no other: two hundred half-open requests would hold two hundred lines
for ever, and its limit of lines would then refuse everybody else.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

LOOK_S: Final = 2.0
LIMITS_S: Final[Mapping[str, float]] = MappingProxyType({"head": 10.0, "body": 30.0, "write": 30.0})
"""How long a caller may take over the head of a request, its whole body, or to take what is sent without any progress."""
EACH: Final = 100
"""Lines of one address; of this machine itself, whose proxy speaks for many, the total is the bound."""
TOTAL: Final = 1_000
"""Lines at once; beyond it uvicorn answers 503."""
UNSENT: Final = 65_536
"""Bytes that the kernel takes of an answer beyond what is on its way to the reader. On the loopback it would take two and a half megabytes a line, and
four answers in a row would be made and copied for a reader that takes none."""
HERE: Final = ("127.", "::1")


class Watched(H11Protocol):
    """One line, looked at every :data:`LOOK_S` seconds."""

    limits: Mapping[str, float] = LIMITS_S
    look_s: float = LOOK_S
    each: int = EACH
    _phase: tuple[str, int] = ("", 0)
    _since: float = 0.0
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to watch; an address with too many lines is cut off at once."""
        super().connection_made(transport)
        # Head and body leave one after the other: with Nagle's delay the body would wait 40 ms for the caller to confirm the head. asyncio
        # switches it off only for sockets that were made with TCP by name.
        line = transport.get_extra_info("socket")
        if line is not None and line.family in {socket.AF_INET, socket.AF_INET6}:
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT)
        address = self.client[0] if self.client else ""
        if not address.startswith(HERE) and self._lines_of(address) > self.each:
            transport.abort()
            return
        self._since = self.loop.time()
        self._timer = self.loop.call_later(self.look_s, self._look)

    def _lines_of(self, address: str) -> int:
        return sum(1 for one in self.connections if isinstance(one, Watched) and one.client and one.client[0] == address)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop watching."""
        if self._timer:
            self._timer.cancel()
        super().connection_lost(exc)

    def _look(self) -> None:
        now, phase = self.loop.time(), self._now()
        if phase != self._phase:
            self._phase, self._since = phase, now
        if now - self._since >= self.limits.get(phase[0], float("inf")):
            self.transport.abort()
            return
        self._timer = self.loop.call_later(self.look_s, self._look)

    def _now(self) -> tuple[str, int]:
        """What the caller is at, and of which request, or how much is still to be taken."""
        cycle: Any = self.cycle
        request = id(cycle)
        if self.conn.their_state is h11.SEND_BODY:
            return "body", request
        if self.flow.write_paused:
            # Progress is what leaves the buffer: who takes a little now and then is slow, not gone.
            return "write", self.transport.get_write_buffer_size()
        return ("head" if cycle is None or cycle.response_complete else "work"), request
