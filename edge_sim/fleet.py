"""A fleet on the wire: one MQTT connection a device, one thread for all, QoS 1, last will, receipts, re-sending.

The broker's PUBACK proves nothing (it may forget); a message leaves the spool only when lanbi's receipt names it. Time comes
from a clock: simulated for what is measured, monotonic for when to try again.
"""

from __future__ import annotations

import json
import selectors
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final
from zlib import crc32

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from domain.ports import Clock
from domain.reasons import MAX_MESSAGE
from edge_sim.devices import SimulatedDevice, payloads
from edge_sim.record import Record
from edge_sim.spool import Held, Number, Spool

KEEPALIVE_S: Final = 60
FIRST_RETRY_S: Final = 20.0
"""Wait for a receipt before the first re-sending; doubled each time, so that five tries outlast a quarter of an hour."""
WINDOW: Final = 500
"""Unconfirmed readings a device has on the way at most."""
LAG_S: Final = 90
"""A device reports up to so many simulated seconds after its slot ended, always the same for one device."""
LOOK_S: Final = 0.05
RECONNECT_S: Final = (1.0, 30.0)
TOPIC: Final = "lanbi/v1"


@dataclass(frozen=True, slots=True)
class Address:
    """Where the broker is, each device's password (absent: the broker asks for none), and how to trust it (None: no TLS)."""

    host: str
    port: int
    passwords: Mapping[str, str]
    tls: ssl.SSLContext | None = None


@dataclass
class Link:
    """One device's connection and what it has to say."""

    device: SimulatedDevice
    client: mqtt.Client
    lag: int
    up: bool = False
    due: float = 0.0
    failures: int = 0

    @property
    def id(self) -> str:
        """Client id."""
        return self.device.id


@dataclass
class Fleet:
    """Publishes devices until told to stop.

    Attributes
    ----------
    devices : sequence of SimulatedDevice
        Their counts and last slots are set from the spool, ``start`` [s] for new ones.
    """

    devices: Sequence[SimulatedDevice]
    address: Address
    clock: Clock
    spool: Spool
    record: Record
    start: int
    links: dict[str, Link] = field(default_factory=dict)
    errors: int = 0
    _selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)

    def __post_init__(self) -> None:
        for device in self.devices:
            book = self.spool.book(device.id)
            device.seq, device.run, device.said = book.seq, book.run, book.said or self.start
            self.links[device.id] = self._link(device)

    def run(self, stop: Callable[[], bool], tick: Callable[[Fleet], None]) -> None:
        """Measure, send and listen; ``tick`` is called once a second."""
        ticked = 0.0
        while not stop():
            now = self.clock.monotonic()
            second = now - ticked >= 1
            for link in self.links.values():
                self._step(link, now, second=second)
            if second:
                ticked = now
                tick(self)
            self._listen()
        self.close()

    def close(self) -> None:
        """Say goodbye on every connection, without the last will."""
        for link in self.links.values():
            if link.up:
                link.client.publish(f"{TOPIC}/{link.id}/state", _state(online=False), qos=1, retain=True)
            link.client.disconnect()
            link.client.loop_write()
        self.spool.close()
        self.record.close()

    def connected(self) -> int:
        """Devices with a session."""
        return sum(link.up for link in self.links.values())

    def _link(self, device: SimulatedDevice) -> Link:
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=device.id, reconnect_on_failure=False)
        client.username_pw_set(device.id, self.address.passwords.get(device.id))
        client.will_set(f"{TOPIC}/{device.id}/state", _state(online=False), qos=1, retain=True)
        client.connect_timeout = 5.0
        if self.address.tls:
            client.tls_set_context(self.address.tls)
        link = Link(device, client, crc32(device.id.encode()) % LAG_S)
        link.due = self.clock.monotonic() + link.lag % 20 * 0.05
        client.on_connect = lambda _c, _u, _f, reason, _p: self._connected(link, failed=reason.is_failure)
        client.on_disconnect = lambda *_: self._away(link)
        client.on_message = lambda _c, _u, message: self._heard(link, message.topic, bytes(message.payload))
        client.on_socket_open = lambda _c, _u, socket: self._watch(link, socket)
        client.on_socket_close = lambda _c, _u, socket: self._forget(socket)
        return link

    def _watch(self, link: Link, socket: Any) -> None:
        self._selector.register(socket, selectors.EVENT_READ, link)

    def _forget(self, socket: Any) -> None:
        self._selector.unregister(socket)

    def _connected(self, link: Link, *, failed: bool) -> None:
        if failed:
            return
        link.up, link.failures = True, 0
        link.client.subscribe([(f"{TOPIC}/{link.id}/receipt", 1), (f"{TOPIC}/{link.id}/error", 1)])
        link.client.publish(f"{TOPIC}/{link.id}/state", _state(online=True), qos=1, retain=True)
        for held in self.spool.book(link.id).held.values():
            held.due = 0.0

    def _away(self, link: Link) -> None:
        now = self.clock.monotonic()
        for held in self.spool.book(link.id).held.values() if link.up else ():
            held.cut(now)
        link.up = False
        low, high = RECONNECT_S
        pause = min(high, low * 2**link.failures) * (0.5 + link.lag / LAG_S)
        link.failures += 1
        link.due = now + pause

    def _step(self, link: Link, now: float, *, second: bool) -> None:
        self._measure(link)
        if link.up:
            self._send(link, now)
        elif now >= link.due and not link.client.is_connected() and link.client.socket() is None:
            self._dial(link, now)
        if second:
            link.client.loop_misc()
        if link.client.want_write():
            link.client.loop_write()

    def _dial(self, link: Link, now: float) -> None:
        link.due = now + RECONNECT_S[1]
        try:
            link.client.connect(self.address.host, self.address.port, KEEPALIVE_S)
        except OSError:
            self._away(link)

    def _measure(self, link: Link) -> None:
        device = link.device
        now = self.clock.now_ns() // 10**9 - link.lag
        if now < device.next_slot():
            return
        messages = device.measure(now)
        self.record.sent(device.id, messages)
        self._give_up(link, self.spool.add(device.id, messages, device.said))

    def _send(self, link: Link, now: float) -> None:
        held = list(islice(self.spool.book(link.id).held.items(), WINDOW))
        ready = [(number, one) for number, one in held if one.due <= now]
        worn = [number for number, one in ready if one.hopeless]
        if worn:
            self._give_up(link, self.spool.drop(link.id, worn))
        fresh = [one for _, one in ready if not one.hopeless]
        for payload, part in payloads([one.message for one in fresh]):
            if len(payload) > MAX_MESSAGE:
                # The broker would cut the connection off, and after the next one again.
                self._give_up(link, self.spool.drop(link.id, [(one.run, one.seq or 0) for one in part]))
            else:
                link.client.publish(f"{TOPIC}/{link.id}/data", payload, qos=1)
            _tried(fresh[: len(part)], now)
            fresh = fresh[len(part) :]

    def _give_up(self, link: Link, numbers: list[Number]) -> None:
        for run, low, high in _runs(numbers):
            event = {"type": "lost", "run": run, "from": low, "to": high}
            link.client.publish(f"{TOPIC}/{link.id}/event", json.dumps(event), qos=1)
            self.record.lost(link.id, run, low, high)

    def _heard(self, link: Link, topic: str, payload: bytes) -> None:
        try:
            answer = json.loads(payload)
            if topic.endswith("/error"):
                self.errors += 1
                self.record.error(link.id, answer)
                return
            run, ranges = int(answer["run"]), [(int(low), int(high)) for low, high in answer["ranges"]]
        except (ValueError, KeyError, TypeError):
            self.errors += 1
            return
        numbers = self.spool.covered(link.id, run, ranges)
        self.record.receipt(link.id, numbers)
        self.spool.drop(link.id, numbers)

    def _listen(self) -> None:
        for key, _ in self._selector.select(LOOK_S):
            link: Link = key.data
            link.client.loop_read()


def _tried(part: Sequence[Held], now: float) -> None:
    for one in part:
        one.due = now + FIRST_RETRY_S * 2**one.tries
        one.tries += 1


def _runs(numbers: Sequence[Number]) -> list[tuple[int, int, int]]:
    """Neighbouring numbers of one run joined: (run, first, last)."""
    out: list[tuple[int, int, int]] = []
    for run, seq in sorted(numbers):
        if out and out[-1][0] == run and out[-1][2] == seq - 1:
            out[-1] = (run, out[-1][1], seq)
        else:
            out.append((run, seq, seq))
    return out


def _state(*, online: bool) -> str:
    return json.dumps({"online": online, "firmware": "edge_sim"})
