"""A relay between broker and ingest that times acknowledgements: from a PUBLISH on its way to ingest to the PUBACK that comes back."""

from __future__ import annotations

import select
import socket
import threading
import time
from dataclasses import dataclass, field

CHUNK = 1 << 16


@dataclass
class Tap:
    """Listens at :attr:`port`, speaks to a broker's port; for one connection at a time.

    Attributes
    ----------
    waits : list of float
        Seconds of each acknowledgement so far.
    """

    broker: int
    waits: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._door.getsockname()[1]
        self._stop = threading.Event()
        self._sent: dict[int, float] = {}
        self._thread = threading.Thread(target=self._run, name="tap", daemon=True)

    def start(self) -> None:
        """Relay from now on."""
        self._thread.start()

    def close(self) -> None:
        """Relay no more."""
        self._stop.set()
        self._thread.join(10)
        self._door.close()

    def _run(self) -> None:
        while not self._stop.is_set():
            if select.select([self._door], [], [], 0.2)[0]:
                ours, _ = self._door.accept()
                with ours, socket.create_connection(("127.0.0.1", self.broker)) as theirs:
                    self._sent.clear()
                    self._relay(ours, theirs)

    def _relay(self, ours: socket.socket, theirs: socket.socket) -> None:
        rest = {ours: b"", theirs: b""}
        while not self._stop.is_set():
            for end in select.select([ours, theirs], [], [], 0.2)[0]:
                data = end.recv(CHUNK)
                if not data:
                    return
                # Noted before it is passed on: the answer must not overtake the note.
                rest[end] = self._noted(rest[end] + data, from_broker=end is theirs)
                (ours if end is theirs else theirs).sendall(data)

    def _noted(self, data: bytes, *, from_broker: bool) -> bytes:
        """Take note of whole packets; what is left of a cut one."""
        at, now = 0, time.monotonic()
        while (found := _packet(data, at)) is not None:
            body, end = found
            kind = data[at]
            if from_broker and kind & 0xF6 == 0x32:
                topic = int.from_bytes(data[body : body + 2], "big")
                self._sent[int.from_bytes(data[body + 2 + topic : body + 4 + topic], "big")] = now
            elif not from_broker and kind == 0x40:
                sent = self._sent.pop(int.from_bytes(data[body : body + 2], "big"), None)
                if sent is not None:
                    self.waits.append(now - sent)
            at = end
        return data[at:]


def _packet(data: bytes, at: int) -> tuple[int, int] | None:
    """Where the body of the packet at an offset begins and ends; None if it is not whole."""
    size = shift = 0
    for place in range(at + 1, min(at + 5, len(data))):
        size |= (data[place] & 127) << shift
        shift += 7
        if data[place] < 128:
            end = place + 1 + size
            return (place + 1, end) if end <= len(data) else None
    return None
