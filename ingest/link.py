"""The link to a broker: where and as whom, when it is dead, when to dial again, and what is said of it. Pure bookkeeping."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from enum import Enum
from typing import Final
from zlib import crc32

FIRST_S: Final = 0.5
LONGEST_S: Final = 30.0
REFUSED_AFTER: Final = 3
"""A refused login is tried again as after so many failures: it will not be right in a second."""
STEADY_S: Final = 5.0
"""A connection that lasted so long was a good one: the next loss is dialled at once again."""
TWINS: Final = 3
"""So many short connections in a row mean that somebody takes our place."""
CLOCK_BACK: Final = "clock: 系统时钟倒退超过5分钟 the clock went back by more than 5 minutes; readings wait in the journal"
LOGIN_S: Final = 10.0
"""After so long without an answer to the login the link is dropped."""


@dataclass(frozen=True, slots=True)
class Broker:
    """Where to connect and as whom; the session outlives the connection.

    Attributes
    ----------
    tls : ssl.SSLContext or None
        How to trust and be trusted; None: no TLS.
    keepalive : int [s]
        A dead link is noticed within it and dialled again within twice it.
    queue_bytes : int or None
        What the broker holds for us while we take nothing; None: not known.
    """

    host: str
    port: int
    client_id: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: ssl.SSLContext | None = None
    keepalive: int = 60
    queue_bytes: int | None = None

    @property
    def address(self) -> str:
        """Host and port, for people."""
        return f"{self.host}:{self.port}"


class Wish(Enum):
    """What the pulse asks for."""

    NOTHING = 0
    PING = 1
    DROP = 2


@dataclass
class Pulse:
    """Whether the other side still speaks, by the age of its last packet; whether a socket is open says nothing about that.

    A ping goes out at half the keep-alive without a packet, and at the whole of it the link is dead.
    """

    keepalive: float
    heard: float = 0.0
    login: bool = False
    _pinged: bool = False

    def opened(self, now: float) -> None:
        """A new connection, whose login is not answered yet."""
        self.heard, self.login, self._pinged = now, False, False

    def packet(self, now: float) -> None:
        """Something came."""
        self.heard, self._pinged = now, False

    def wish(self, now: float) -> Wish:
        """What to do now, after everything that had arrived was read."""
        age = now - self.heard
        if age >= (self.keepalive if self.login else min(LOGIN_S, self.keepalive)):
            return Wish.DROP
        if self.login and age >= self.keepalive / 2 and not self._pinged:
            self._pinged = True
            return Wish.PING
        return Wish.NOTHING


@dataclass
class Redial:
    """When to dial again: later each time, never later than a keep-alive, and no two clients in step."""

    name: str
    longest: float = LONGEST_S
    due: float = 0.0
    failures: int = 0
    short: int = 0
    _number: int = 0

    def failed(self, now: float, *, refused: bool = False) -> None:
        """The broker could not be reached, or does not want us."""
        if refused:
            self.failures = max(self.failures, REFUSED_AFTER)
        self._number += 1
        # Half of the pause is chance, drawn from the name: a fleet whose broker restarts comes back spread out.
        share = crc32(f"{self.name}/{self._number}".encode()) % 1_000 / 1_000
        self.due = now + min(self.longest, FIRST_S * 2.0**self.failures) * (0.5 + 0.5 * share)
        self.failures = min(self.failures + 1, 10)

    def lost(self, now: float, lasted: float) -> None:
        """A connection ended that had been accepted; one that had lasted is dialled again at once."""
        if lasted >= STEADY_S:
            self.failures = self.short = 0
        else:
            self.short += 1
        self.failed(now)

    @property
    def twin(self) -> bool:
        """Whether somebody seems to take our place again and again."""
        return self.short >= TWINS


@dataclass
class Health:
    """What the listener says of itself; read by other threads.

    Attributes
    ----------
    beat : float [s]
        Monotonic time of the thread's last sign.
    sessions_lost : int
        Connections on which the broker had forgotten our session: what it held for us then is gone, and devices send it again.
    """

    connected: bool = False
    subscribed: bool = False
    receive: str = ""
    """How packets are read: bulk or stock, and why stock where bulk was asked for."""
    cause: str = "未连接 not connected yet"
    journal_fault: str = ""
    journal_rest: str = ""
    """How long the broker can hold what the journal cannot take."""
    clock_back: bool = False
    beat: float = 0.0
    last_packet: float = 0.0
    messages: int = 0
    readings: int = 0
    stale_acks: int = 0
    faults: int = 0
    last_fault: str = ""
    unsaid: int = 0
    reconnects: int = 0
    sessions_lost: int = 0

    def fault(self, error: Exception) -> None:
        """Something was raised where nothing should be."""
        self.faults += 1
        self.last_fault = repr(error)[:200]

    def reasons(self) -> list[str]:
        """Why it is not ready; empty if it is."""
        found = [] if self.connected and self.subscribed else [f"broker: {self.cause}"]
        if self.journal_fault:
            found.append(f"journal: {self.journal_fault}; {self.journal_rest}")
        if self.clock_back:
            found.append(CLOCK_BACK)
        return found
