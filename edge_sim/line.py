"""One MQTT connection: the only file of the simulator that speaks paho. Its socket is watched by whoever owns the selector."""

from __future__ import annotations

import selectors
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

KEEPALIVE_S: Final = 60
ON_THE_WAY: Final = 100
"""Messages whose PUBACK is awaited at once."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where the broker is, each device's password (absent: the broker asks for none), and how to trust it (None: no TLS)."""

    host: str
    port: int
    passwords: Mapping[str, str]
    tls: ssl.SSLContext | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """Who connects: client id, login, and what the broker says when it is gone."""

    client: str
    user: str
    will: tuple[str, str] | None = None


@dataclass(slots=True)
class Ears:
    """Whom a connection tells; each may be replaced."""

    up: Callable[[], None]
    down: Callable[[], None]
    heard: Callable[[str, bytes], None]
    taken: Callable[[int], None] | None = None
    """A message with this id has its PUBACK."""
    refused: Callable[[str], None] | None = None
    """The broker refuses the login, in its words."""


class Line:
    """A connection that dials when told to and never by itself."""

    def __init__(self, address: Address, person: Person, ears: Ears, selector: selectors.BaseSelector) -> None:
        self.address, self.person, self.ears, self._selector = address, person, ears, selector
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=person.client, reconnect_on_failure=False)
        client.username_pw_set(person.user, address.passwords.get(person.user))
        if person.will:
            client.will_set(*person.will, qos=1, retain=True)
        client.connect_timeout = 5.0
        client.max_inflight_messages_set(ON_THE_WAY)
        if address.tls:
            client.tls_set_context(address.tls)
        client.on_connect = lambda _c, _u, _f, reason, _p: self._answered(str(reason), failed=reason.is_failure)
        client.on_disconnect = lambda *_: ears.down()
        client.on_message = lambda _c, _u, message: ears.heard(message.topic, bytes(message.payload))
        if (taken := ears.taken) is not None:
            client.on_publish = lambda _c, _u, mid, *_: taken(mid)
        client.on_socket_open = lambda _c, _u, socket: self._watch(socket)
        client.on_socket_close = lambda _c, _u, socket: self._forget(socket)
        self._client = client

    @property
    def idle(self) -> bool:
        """Whether nothing is connected or being connected."""
        return not self._client.is_connected() and self._client.socket() is None

    def dial(self) -> bool:
        """Connect; False if nobody listens there."""
        try:
            self._client.connect(self.address.host, self.address.port, KEEPALIVE_S)
        except OSError:
            return False
        return True

    def subscribe(self, topics: Sequence[str]) -> None:
        """Listen, at QoS 1."""
        self._client.subscribe([(topic, 1) for topic in topics])

    def publish(self, topic: str, payload: bytes | str, *, qos: int = 1, retain: bool = False) -> int:
        """Say; returns the message's id."""
        return self._client.publish(topic, payload, qos=qos, retain=retain).mid

    def hang_up(self) -> None:
        """Leave, without the last will."""
        self._client.disconnect()
        self.flush()

    def flush(self) -> None:
        """Write what waits, as far as the socket takes it."""
        if self._client.want_write():
            self._client.loop_write()

    def read(self) -> None:
        """Take in what has arrived."""
        self._client.loop_read()

    def misc(self) -> None:
        """Keep-alive; once a second."""
        self._client.loop_misc()

    def _answered(self, words: str, *, failed: bool) -> None:
        if not failed:
            self.ears.up()
        elif self.ears.refused is not None:
            self.ears.refused(words)

    def _watch(self, socket: Any) -> None:
        self._selector.register(socket, selectors.EVENT_READ, self)

    def _forget(self, socket: Any) -> None:
        self._selector.unregister(socket)
