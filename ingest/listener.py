"""The listener: MQTT → journal → acknowledgement, in this order and in one thread.

What must never change: bytes are read, the whole group is on disk, only then is the broker told (PUBACK) and after it the
device (receipt). Nothing raises out of a callback, for the client library would lose the thread or the message; and an
acknowledgement is sent only on the connection on which its message came, because packet ids mean nothing on another.
"""

from __future__ import annotations

import json
import select
import ssl
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple
from zlib import crc32

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from domain.civil import iso
from domain.errors import JournalError
from domain.message import scan
from domain.ports import Clock
from ingest.accept import NS, RETAINED, device_of, stream_of
from ingest.deadletters import Answer
from ingest.ports import Writer
from ingest.receipts import Receipts

QOS1: Final = 1
DUP: Final = 4
TOPICS: Final = ("lanbi/v1/+/data", "lanbi/v1/+/event", "lanbi/v1/+/state")
KEEPALIVE_S: Final = 60
GROUP: Final = 1_000
"""Messages of one commit at most."""
WAIT_S: Final = 0.05
RETRY_S: Final = 1.0
RECONNECT_S: Final = (0.5, 30.0)
CONNECT_S: Final = 2.0
RECEIPT_S: Final = 0.2
BACK_NS: Final = 300 * NS
KEPT: Final = 1 << 18
"""Bytes kept of a monster: enough to see that it was too large; the broker's own limit lies below."""


@dataclass(frozen=True, slots=True)
class Broker:
    """Where to connect and as whom; the session outlives the connection."""

    host: str
    port: int
    client_id: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: bool = False
    ca_file: Path | None = None


class _Ack(NamedTuple):
    connection: int
    mid: int


@dataclass
class Health:
    """What the listener says of itself; read by other threads."""

    connected: bool = False
    cause: str = "未连接 not connected yet"
    journal_fault: str = ""
    clock_back: bool = False
    last_packet: float = 0.0
    messages: int = 0
    readings: int = 0
    stale_acks: int = 0
    faults: int = 0
    unsaid: int = 0
    reconnects: int = 0

    def reasons(self) -> list[str]:
        """Why it is not ready; empty if it is."""
        found = [] if self.connected else [f"broker: {self.cause}"]
        if self.journal_fault:
            found.append(f"journal: {self.journal_fault}")
        if self.clock_back:
            found.append("clock: 系统时钟倒退超过5分钟 the clock went back by more than 5 minutes; readings wait in the journal")
        return found


@dataclass
class Listener:
    """Subscribes, journals, acknowledges; :meth:`run` is its thread.

    Attributes
    ----------
    writer : Writer
        The journal of this door; this thread is its only user.
    topics : sequence of str
        Filters, subscribed at QoS 1 (QoS 2 would hold messages in memory before they are durable).
    newest_ns : int
        Receive time of the last journalled message; a clock far behind it is not believed.
    """

    broker: Broker
    writer: Writer
    clock: Clock
    topics: Sequence[str] = TOPICS
    newest_ns: int = 0
    health: Health = field(default_factory=Health)
    receipts: Receipts = field(default_factory=Receipts)
    connection: int = 0
    _acks: list[_Ack] = field(default_factory=list)
    _durable: list[tuple[str, list[tuple[int, int]]]] = field(default_factory=list)
    _group: int = 0
    _outbox: deque[Answer] = field(default_factory=lambda: deque(maxlen=10_000))
    _failures: int = 0
    _refused: str = ""
    _due: float = 0.0
    _retry: float = 0.0
    _told: float = 0.0

    def __post_init__(self) -> None:
        self._client = self._make()

    def tell(self, answers: Sequence[Answer]) -> None:
        """Words for devices, from any thread; the oldest go if nobody can take them."""
        self._outbox.extend(answers)

    def run(self, stop: Callable[[], bool]) -> None:
        """Listen until told to stop; what was read by then is committed and acknowledged."""
        while not stop():
            try:
                self._round()
            except Exception as error:  # noqa: BLE001  the thread must outlive any fault of ours or of the library
                self._fault(error)
                self.clock.sleep(RETRY_S)
        self._commit()
        self._client.disconnect()

    def _round(self) -> None:
        now = self.clock.monotonic()
        if self.health.journal_fault:
            # Nothing more is read while nothing can be kept: the broker holds it, and knows that we have not got it.
            self._again(now)
        elif self._client.socket() is None:
            self._dial(now)
        else:
            self._read()
            self._commit()
            self._say(now)
        self._client.loop_misc()

    def _read(self) -> None:
        """Take what the socket has, up to a group."""
        wait = WAIT_S
        while self._group < GROUP:
            socket = self._client.socket()
            if socket is None or not self._readable(socket, wait):
                break
            wait = 0.0
            self.health.last_packet = self.clock.monotonic()
            self._client.loop_read()
        if self._client.want_write():
            self._client.loop_write()

    @staticmethod
    def _readable(socket: Any, wait: float) -> bool:
        # TLS may hold decrypted bytes for which select would wait in vain.
        if isinstance(socket, ssl.SSLSocket) and socket.pending():
            return True
        return bool(select.select([socket], [], [], wait)[0])

    def _commit(self) -> None:
        """One fdatasync for the group, then its acknowledgements, then its receipts."""
        if not self._group:
            return
        try:
            self.writer.commit()
        except JournalError as error:
            self.health.journal_fault = str(error)
            self._retry = self.clock.monotonic() + RETRY_S
            return
        self.health.journal_fault = ""
        for device, numbers in self._durable:
            self.receipts.durable(device, numbers)
        acks, self._acks, self._durable, self._group = self._acks, [], [], 0
        for ack in acks:
            if ack.connection == self.connection and self.health.connected:
                self._client.ack(ack.mid, QOS1)
            else:
                self.health.stale_acks += 1

    def _again(self, now: float) -> None:
        """The journal could not be written: try the same group again, so that nothing of it needs to come twice."""
        if now < self._retry:
            self.clock.sleep(min(WAIT_S, self._retry - now))
            return
        self._commit()
        if self.health.journal_fault and self._client.socket() is None:
            self.health.connected = False

    def _say(self, now: float) -> None:
        """Receipts, several times a second at most, and words about refusals."""
        if not self.health.connected:
            return
        if now - self._told >= RECEIPT_S:
            self._told = now
            for receipt in self.receipts.due():
                body = {"run": receipt.run, "ranges": receipt.ranges, "time": iso(self.clock.now_ns() // NS)}
                self._publish(f"lanbi/v1/{receipt.device}/receipt", body)
        for _ in range(min(len(self._outbox), GROUP)):
            answer = self._outbox.popleft()
            self._publish(f"lanbi/v1/{answer.device}/error", answer.body)

    def _publish(self, topic: str, body: object) -> None:
        try:
            done = self._client.publish(topic, json.dumps(body, ensure_ascii=False), qos=QOS1)
            self.health.unsaid += done.rc != mqtt.MQTT_ERR_SUCCESS
        except ValueError:  # a device id that makes no topic
            self.health.unsaid += 1

    def _dial(self, now: float) -> None:
        if now < self._due:
            self.clock.sleep(min(WAIT_S, self._due - now))
            return
        self._due = now + CONNECT_S
        try:
            self._client.connect(self.broker.host, self.broker.port, KEEPALIVE_S)
        except (OSError, ValueError) as error:
            self._away(f"{self.broker.host}:{self.broker.port}: {error}")

    def _away(self, cause: str) -> None:
        low, high = RECONNECT_S
        share = crc32(f"{self.broker.client_id}/{self.health.reconnects}/{self._failures}".encode()) % 1_000 / 1_000
        self.health.connected = False
        self.health.cause = cause
        self._due = self.clock.monotonic() + min(high, low * 2.0**self._failures) * (0.5 + share)
        self._failures = min(self._failures + 1, 10)

    def _make(self) -> mqtt.Client:
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=self.broker.client_id,
            clean_session=False,
            manual_ack=True,
            reconnect_on_failure=False,
        )
        client.username_pw_set(self.broker.username, self.broker.password)
        client.connect_timeout = CONNECT_S
        client.max_queued_messages_set(50_000)
        if self.broker.tls:
            client.tls_set(str(self.broker.ca_file) if self.broker.ca_file else None)
        client.on_socket_open = lambda *_: self._opened()
        client.on_connect = lambda _c, _u, _f, reason, _p: self._connected(reason)
        client.on_disconnect = lambda _c, _u, _f, reason, _p: self._disconnected(reason)
        client.on_message = lambda _c, _u, message: self._heard(message)
        return client

    def _opened(self) -> None:
        self.connection += 1

    def _connected(self, reason: Any) -> None:
        if reason.is_failure:
            self._refused = self.health.cause = f"{self.broker.host}:{self.broker.port}: 拒绝登录 login refused: {reason}"
            self._failures = max(self._failures, 3)
            return
        self._failures, self._refused = 0, ""
        self.health.connected, self.health.cause = True, ""
        self._client.subscribe([(topic, QOS1) for topic in self.topics])

    def _disconnected(self, reason: Any) -> None:
        self.health.reconnects += 1
        self._away(self._refused or f"{self.broker.host}:{self.broker.port}: {reason}")

    def _heard(self, message: mqtt.MQTTMessage) -> None:
        """Into the group; whatever goes wrong here costs this message's acknowledgement, never the thread."""
        try:
            self._append(message)
            if message.qos == QOS1:
                self._acks.append(_Ack(self.connection, message.mid))
        except Exception as error:  # noqa: BLE001  not acknowledged, so the broker keeps it
            self._fault(error)

    def _append(self, message: mqtt.MQTTMessage) -> None:
        topic = _topic(message)
        payload = bytes(message.payload)
        count, numbers = _look(payload) if stream_of(topic) not in {"event", "state"} else (0, [])
        flags = (QOS1 if message.qos == QOS1 else 0) | (RETAINED if message.retain else 0) | (DUP if message.dup else 0)
        self.writer.append(topic, payload[:KEPT], received_ns=self._now(), readings=count, flags=flags)
        self._group += 1
        self.health.messages += 1
        self.health.readings += count
        device = device_of(topic)
        # A retained copy is refused, so its number must not be confirmed: the reading itself may never have arrived.
        if numbers and device and not message.retain:
            self._durable.append((device, numbers))

    def _now(self) -> int:
        """Receive time; a clock that jumped back is told, and decoding waits until somebody has looked."""
        now = self.clock.now_ns()
        self.health.clock_back = now < self.newest_ns - BACK_NS
        self.newest_ns = max(self.newest_ns, now)
        return now

    def _fault(self, error: Exception) -> None:
        self.health.faults += 1
        self.health.cause = repr(error)[:200] if not self.health.connected else self.health.cause


def _topic(message: mqtt.MQTTMessage) -> str:
    try:
        return message.topic
    except UnicodeDecodeError:
        return "?"


def _look(payload: bytes) -> tuple[int, list[tuple[int, int]]]:
    """Number of readings and their (run, seq); the bytes are kept even if looking at them fails."""
    try:
        return scan(payload)
    except Exception:  # noqa: BLE001  decoding happens behind the journal, where it can be repaired
        return 1, []
