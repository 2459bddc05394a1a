"""The listener: MQTT → journal → acknowledgement, in this order and in one thread.

What must never change: bytes are read, the whole group is on disk, only then is the broker told (PUBACK) and after it the
device (receipt). Nothing raises out of a callback, for the client library would lose the thread or the message; and an
acknowledgement is sent only on the connection on which its message came, because packet ids mean nothing on another.
"""

from __future__ import annotations

import select
import socket
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from domain.errors import JournalError
from domain.ports import Clock
from ingest import causes
from ingest.accept import NS
from ingest.asking import Asking
from ingest.bulk import BulkClient, unfit
from ingest.deadletters import Answer
from ingest.group import QOS1, Group, Owed, first_byte
from ingest.intake import Intake
from ingest.link import LONGEST_S, Broker, Health, Pulse, Redial, Wish
from ingest.outbox import Outbox, Word
from ingest.ports import Writer

TOPICS: Final = ("lanbi/v1/+/data", "lanbi/v1/+/event", "lanbi/v1/+/state")
GROUP: Final = 1_000
"""Messages of one commit at most."""
GROUP_BYTES: Final = 1 << 23
"""Bytes of one commit at most. Mosquitto 2.0 sends on beyond its window, so only what is not read bounds our memory."""
WAIT_S: Final = 0.05
GATHER_S: Final = 0.04
FEW: Final = 16
"""So many messages, or those of such a moment, make a commit: one for each would double the journal and wear the disk. And nobody
waits for a confirmation longer than a tenth of a second."""
LITTLE: Final = 1 << 16
COALESCE_S: Final = 0.005
"""After a bulk read of so little the next one waits so long: a broker sends message by message, and waking up for each costs ten times the taking."""
PILE_S: Final = 0.002
PILING_S: Final = 0.02
"""And so long between reads of one group, until it is so old: a read costs as much as taking ten messages does."""
SAID: Final = 4_000
"""Words on their way to the broker at most: with the library's 20, receipts would wait for its answer hundreds of times."""
RETRY_S: Final = 1.0
CONNECT_S: Final = 5.0


@dataclass
class Listener:
    """Subscribes, journals, acknowledges; :meth:`run` is its thread.

    Attributes
    ----------
    writer : Writer
        The journal of this door; this thread is its only user.
    topics : sequence of str
        Filters of this ingest.
    leave : callable
        Whether a topic's message is left to the broker, unread and unacknowledged: while devices change their ingest.
    newest_ns : int
        Receive time of the last journalled message; a clock far behind it is not believed.
    bulk : bool
        Whether many packets are read at once (:mod:`ingest.bulk`), where that holds.
    """

    broker: Broker
    writer: Writer
    clock: Clock
    topics: Sequence[str] = TOPICS
    newest_ns: int = 0
    health: Health = field(default_factory=Health)
    outbox: Outbox = field(default_factory=Outbox)
    asking: Asking = field(default_factory=Asking)
    leave: Callable[[str], bool] | None = None
    connection: int = 0
    bulk: bool = False
    _open: bool = False
    _since: float = 0.0
    _why: str = ""
    _retry: float = 0.0

    def __post_init__(self) -> None:
        self._pulse = Pulse(self.broker.keepalive)
        self._redial = Redial(self.broker.client_id, min(LONGEST_S, self.broker.keepalive))
        self._intake = Intake(self.broker.queue_bytes)
        self._group = Group(self.writer, self.clock, self.health, self.newest_ns)
        self._client = self._make()

    def tell(self, answers: Sequence[Answer]) -> None:
        """Words about refusals, from any thread."""
        self.outbox.tell(answers)

    def follow(self, topics: Sequence[str]) -> None:
        """Subscribe these from now on, from any thread: a registry in force may give a device foreign topics."""
        if tuple(topics) != tuple(self.topics):
            self.topics = topics

    def run(self, stop: Callable[[], bool]) -> None:
        """Listen until told to stop; what was read by then is committed and acknowledged."""
        while not stop():
            try:
                self._round()
            except Exception as error:  # noqa: BLE001  the thread must outlive any fault of ours or of the library
                self.health.fault(error)
                # The library would hand out the packet that it failed on for ever: only a new connection gets past it.
                self._drop(f"{self.broker.address}: {error!r}"[:200])
                self.clock.sleep(RETRY_S)
        self._commit()
        self._client.disconnect()

    def _round(self) -> None:
        now = self.health.beat = self.clock.monotonic()
        if self.health.journal_fault:
            # Nothing more is read while nothing can be kept: the broker holds it, and knows that we have not got it.
            self._again(now)
        elif self._client.socket() is None:
            self._dial(now)
        else:
            self._read()
            self._commit()
            self._say(now)
            self._mind(self.clock.monotonic())
        self._client.loop_misc()

    def _read(self) -> None:
        """Take what the socket has, up to a group; of a quiet stream, what comes within a moment."""
        if isinstance(self._client, BulkClient) and 0 < self._client.came < LITTLE:
            self._client.came = 0
            self.clock.sleep(COALESCE_S)
        wait, until = WAIT_S, 0.0
        while self._group.messages < GROUP and self._group.size < GROUP_BYTES:
            link = self._client.socket()
            if link is None or not self._readable(link, wait):
                break
            if self._client.loop_read() == mqtt.MQTT_ERR_SUCCESS:
                self.health.last_packet = self.clock.monotonic()
                self._pulse.packet(self.health.last_packet)
            until = until or self.clock.monotonic() + GATHER_S
            if self._group.messages >= FEW and self.clock.monotonic() < until - GATHER_S + PILING_S:
                self._pile()
            wait = max(0.0, until - self.clock.monotonic()) if 0 < self._group.messages < FEW else 0.0
        if self._client.want_write():
            self._client.loop_write()

    def _pile(self) -> None:
        """After a small bulk read, let some messages come before the next."""
        if isinstance(self._client, BulkClient) and 0 < self._client.came < LITTLE:
            self.clock.sleep(PILE_S)

    def _mind(self, now: float) -> None:
        """Ask a silent broker whether it is there, and drop a dead link; a message that was not taken is asked for again."""
        if self._client.socket() is None:
            return
        if self._group.unkept:
            self._group.unkept = False
            self._drop(f"{self.broker.address}: {causes.UNKEPT}: {self.health.last_fault}")
            return
        if self.health.subscribed and self.asking.asked is not self.topics:
            self.asking.ask(self._client, self.topics)
        wish = self._pulse.wish(now)
        if wish is Wish.PING:
            self._client._send_pingreq()  # noqa: SLF001  the library's own ping comes so late that twice the keep-alive would pass
        elif wish is Wish.DROP:
            silent = causes.SILENT.format(seconds=now - self._pulse.heard)
            self._drop(f"{self.broker.address}: {silent if self.health.connected else causes.DEAF}")

    def _drop(self, why: str) -> None:
        """Cut the connection, in both directions, without asking the other side; the next look at the socket finds it ended."""
        self._why = why
        link: Any = self._client.socket()
        if link is not None:
            with suppress(OSError):  # ended already
                link.shutdown(socket.SHUT_RDWR)

    @staticmethod
    def _readable(link: Any, wait: float) -> bool:
        # TLS may hold decrypted bytes for which select would wait in vain.
        if isinstance(link, ssl.SSLSocket) and link.pending():
            return True
        return bool(select.select([link], [], [], wait)[0])

    def _commit(self) -> None:
        """One fdatasync for the group, then its acknowledgements, then its receipts."""
        if not self._group.messages:
            return
        try:
            self.writer.commit()
        except Exception as error:  # noqa: BLE001  whatever the fault: nothing of the group is durable, so nothing of it is acknowledged
            now = self.clock.monotonic()
            self.health.journal_rest = self._intake.stopped(now)
            self.health.journal_fault = str(error) if isinstance(error, JournalError) else repr(error)
            self._retry = now + RETRY_S
            return
        self._intake.took(self.clock.monotonic(), self._group.size)
        self.health.journal_fault = ""
        owed = self._group.settle()
        self.outbox.durable(owed.numbers.items())
        self._acknowledge(owed)

    def _acknowledge(self, owed: Owed) -> None:
        mids, stale = owed.of(self.connection if self.health.connected else -1)
        self.health.stale_acks += stale
        if mids and isinstance(self._client, BulkClient):
            self._client.acknowledge(mids)
        else:
            for mid in mids:
                self._client.ack(mid, QOS1)

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
        time = self.clock.now_ns() // NS
        receipts = self.outbox.confirmations(now, time)
        if isinstance(self._client, BulkClient):
            receipts = self._client.say(receipts)
        for topic, text in receipts:
            self._publish(Word(topic, text))
        for word in self.outbox.due(now, time):
            self._publish(word)

    def _publish(self, word: Word) -> None:
        try:
            done = self._client.publish(word.topic, word.text, qos=word.qos)
            self.health.unsaid += done.rc != mqtt.MQTT_ERR_SUCCESS
        except Exception as error:  # noqa: BLE001  an id that makes no topic, or anything else: the device hears nothing and sends again
            self.health.unsaid += 1
            self.health.fault(error)

    def _dial(self, now: float) -> None:
        if now < self._redial.due:
            self.clock.sleep(min(WAIT_S, self._redial.due - now))
            return
        self._why = ""
        # Some failures, such as a client certificate that the broker wants, are told by the library's log only.
        self._client.on_log = lambda _client, _user, level, text: self._noted(level, text)
        try:
            self._client.connect(self.broker.host, self.broker.port, self.broker.keepalive)
        except (OSError, ValueError) as error:
            self._away(f"{self.broker.address}: {causes.of_error(error, tls=self.broker.tls is not None)}")
            self._redial.failed(self.clock.monotonic())

    def _noted(self, level: int, text: str) -> None:
        if level == mqtt.MQTT_LOG_ERR and not self._why and (words := causes.of_text(text)):
            self._why = f"{self.broker.address}: {words}"

    def _away(self, cause: str) -> None:
        self.health.connected = self.health.subscribed = False
        self.health.cause = cause

    def _make(self) -> mqtt.Client:
        why = ("TLS" if self.broker.tls else unfit()) if self.bulk else "as set"
        self.health.receive = f"stock: {why}" if why else "bulk"
        client = (mqtt.Client if why else BulkClient)(
            CallbackAPIVersion.VERSION2,
            client_id=self.broker.client_id,
            clean_session=False,
            manual_ack=True,
            reconnect_on_failure=False,
        )
        client.username_pw_set(self.broker.username, self.broker.password)
        client.connect_timeout = CONNECT_S
        client.max_queued_messages_set(50_000)
        client.max_inflight_messages_set(SAID)
        if self.broker.tls:
            client.tls_set_context(self.broker.tls)
        client.on_socket_open = lambda *_: self._opened()
        client.on_connect = lambda _c, _u, flags, reason, _p: self._connected(reason, known=flags.session_present)
        client.on_disconnect = lambda _c, _u, _f, reason, _p: self._disconnected(reason)
        client.on_subscribe = lambda _c, _u, mid, reasons, _p: self._subscribed(mid, reasons)
        client.on_unsubscribe = lambda _c, _u, mid, _r, _p: self._subscribed(mid, ())
        client.on_message = lambda _c, _u, message: self._heard(message)
        if isinstance(client, BulkClient):
            client.take = lambda packets: self._group.take(self.connection, packets)
        return client

    def _opened(self) -> None:
        self.connection += 1
        self._open = True
        self._since = self.clock.monotonic()
        self._pulse.opened(self._since)

    def _connected(self, reason: Any, *, known: bool) -> None:
        if reason.is_failure:
            self._why = f"{self.broker.address}: {causes.of_refusal(reason.value, str(reason))}"
            return
        self._client.on_log = None  # it would be asked for every message
        self._why = ""
        self._pulse.login = True
        self.health.sessions_lost += not known and self.health.reconnects > 0
        self.health.connected, self.health.cause = True, "订阅未确认 the subscription is not confirmed yet"
        self.asking.ask(self._client, self.topics)

    def _subscribed(self, mid: int, reasons: Sequence[Any]) -> None:
        """Without a subscription a connection is deaf, however well it looks."""
        if any(reason.is_failure for reason in reasons):
            self.health.subscribed, self.health.cause = False, f"{self.broker.address}: {causes.SUBSCRIBE}"
            self._drop(self.health.cause)
        elif self.asking.answered(mid):
            self.health.subscribed, self.health.cause = True, ""

    def _disconnected(self, reason: Any) -> None:
        if not self._open:  # the library tells one end twice where the link was dead
            return
        self._open = False
        now = self.clock.monotonic()
        why = self._why or f"{self.broker.address}: {self._ended(reason)}"
        if self.health.connected:
            self.health.reconnects += 1
            self._redial.lost(now, now - self._since)
        else:
            self._redial.failed(now, refused=bool(self._why))
        self._away(why)

    def _ended(self, reason: Any) -> str:
        """Why a connection ended that neither side gave a reason for."""
        if self.health.journal_fault:
            return causes.PAUSED
        if not self.health.connected:
            return causes.EARLY
        return causes.TWIN if self._redial.twin else f"连接中断 connection lost: {reason}"

    def _heard(self, message: mqtt.MQTTMessage) -> None:
        """Into the group, what the client library read itself; nothing is raised here."""
        if self.leave and self.leave(message._topic.decode(errors="replace")):  # noqa: SLF001  as it came: it may be no text
            return
        first = first_byte(qos=message.qos, retain=message.retain, dup=message.dup)
        self._group.take(self.connection, [(message._topic, message.mid, first, bytes(message.payload))])  # noqa: SLF001  as it came: it may be no text
