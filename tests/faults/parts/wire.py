"""A small MQTT 3.1.1 client on a plain socket: publish at QoS 1, hear at QoS 0, and time every PUBACK.

A library's queues and re-sendings would stand between the campaign and what it counts; this costs some microseconds a message.
"""

from __future__ import annotations

import select
import socket
import struct
import time
from collections.abc import Callable
from typing import Final

CONNECT_S: Final = 20.0
KEEPALIVE_S: Final = 60
LIMIT: Final = 1 << 22
"""Bytes that may wait for the broker; more are not taken."""


class WireError(Exception):
    """The connection is gone; the words say why."""


class Wire:
    """One connection; used by one thread. After a :class:`WireError` call :meth:`connect` again."""

    def __init__(self, port: int, client_id: str, topics: tuple[str, ...], heard: Callable[[str, bytes], None], login: tuple[str, str] | None = None) -> None:
        self.port = port
        self.client_id = client_id
        self.topics = topics
        self.heard = heard
        self.login = login
        self.socket: socket.socket | None = None
        self.connections = 0
        self.acks: list[float] = []
        """Seconds from publish to PUBACK, since somebody took them away."""
        self._out = bytearray()
        self._in = bytearray()
        self._waiting: dict[int, float] = {}
        self._next = 0
        self._pinged = 0.0

    @property
    def unacknowledged(self) -> int:
        """Published on this connection and not acknowledged by the broker."""
        return len(self._waiting)

    @property
    def full(self) -> bool:
        """Whether the broker takes too little."""
        return len(self._out) > LIMIT

    def connect(self) -> None:
        """Connect anew, with a clean session, and subscribe."""
        self.close()
        try:
            self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=CONNECT_S)
            self.socket.sendall(_packet(0x10, self._hello()))
            if self._exactly(4)[3]:
                raise WireError("the broker refuses the login")
            body = b"".join(_text(topic) + b"\0" for topic in self.topics)
            self.socket.sendall(_packet(0x82, b"\0\1" + body))
        except OSError as error:
            self.close()
            raise WireError(str(error)) from error
        self.socket.setblocking(False)
        self.connections += 1
        self._pinged = time.monotonic()

    def close(self) -> None:
        """Drop the connection and what was on its way."""
        if self.socket:
            self.socket.close()
        self.socket = None
        self._out.clear()
        self._in.clear()
        self._waiting.clear()

    def publish(self, topic: str, payload: bytes) -> None:
        """Put a message at QoS 1 into the way out."""
        while True:
            self._next = self._next % 65_535 + 1
            if self._next not in self._waiting:
                break
        self._waiting[self._next] = time.monotonic()
        self._out += _packet(0x32, _text(topic) + struct.pack(">H", self._next) + payload)

    def turn(self, wait: float) -> None:
        """Send what waits and take what came; about ``wait`` seconds at most."""
        if self.socket is None:
            raise WireError("not connected")
        now = time.monotonic()
        if now - self._pinged > KEEPALIVE_S / 3:
            self._pinged = now
            self._out += b"\xc0\0"
        try:
            readable, writable, _ = select.select([self.socket], [self.socket] if self._out else [], [], wait)
            if writable:
                del self._out[: self.socket.send(memoryview(self._out)[: 1 << 18].tobytes())]
            if readable:
                self._receive(self.socket)
        except OSError as error:
            self.close()
            raise WireError(str(error)) from error

    def _receive(self, broker: socket.socket) -> None:
        data = broker.recv(1 << 18)
        if not data:
            raise ConnectionResetError("the broker closed the connection")
        self._in += data
        self._take()

    def _take(self) -> None:
        data, at, now = bytes(self._in), 0, time.monotonic()
        while (head := _head(data, at)) is not None:
            start, end = head
            if end > len(data):
                break
            kind = data[at]
            if kind >> 4 == 4:
                since = self._waiting.pop(int.from_bytes(data[start : start + 2], "big"), None)
                if since is not None:
                    self.acks.append(now - since)
            elif kind >> 4 == 3:
                size = int.from_bytes(data[start : start + 2], "big")
                self.heard(data[start + 2 : start + 2 + size].decode(), data[start + 2 + size : end])
            at = end
        del self._in[:at]

    def _hello(self) -> bytes:
        flags = 0x02 | (0xC0 if self.login else 0)
        words = b"".join(_text(word) for word in (self.client_id, *(self.login or ())))
        return _text("MQTT") + bytes((4, flags)) + struct.pack(">H", KEEPALIVE_S) + words

    def _exactly(self, size: int) -> bytes:
        assert self.socket
        data = b""
        while len(data) < size:
            more = self.socket.recv(size - len(data))
            if not more:
                raise WireError("the broker closed the connection")
            data += more
        return data


def _text(word: str) -> bytes:
    data = word.encode()
    return struct.pack(">H", len(data)) + data


def _packet(kind: int, body: bytes) -> bytes:
    size, head = len(body), bytearray((kind,))
    while True:
        size, digit = size >> 7, size & 0x7F
        head.append(digit | (0x80 if size else 0))
        if not size:
            return bytes(head) + body


def _head(data: bytes, at: int) -> tuple[int, int] | None:
    """Where a packet's body begins and ends; None while its head is not whole."""
    size = shift = 0
    for place in range(at + 1, min(at + 5, len(data))):
        size |= (data[place] & 0x7F) << shift
        shift += 7
        if not data[place] & 0x80:
            return place + 1, place + 1 + size
    return None
