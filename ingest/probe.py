"""Is the broker safe? Asked by a stranger and by a login without rights, who try what must not be possible.

MQTT 3.1.1 acknowledges a forged publish as success, so MQTT 5 asks: its reason codes tell. Nothing here uses the session of the
listener, and nothing is published where a safe broker would let it through; only a broker that refused everywhere else and
lets a stranger write a device's data gets one message, which says what it is and ends in the dead letters.
"""

from __future__ import annotations

import select
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Self

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from domain.errors import BrokerAway
from domain.ports import Clock
from ingest import causes
from ingest.link import Broker

PATIENCE_S: Final = 5.0
SLICE_S: Final = 0.05
STRANGER: Final = "lanbi-selftest"
"""Client id without login, and a device that no registry may have."""
FORGED: Final = b'{"selftest": "lanbi tries whether a stranger may publish this"}'
DROPPED: Final = "$SYS/broker/publish/messages/dropped"
REFUSED_LOGIN: Final = frozenset({0x86, 0x87, 0x8A})
NOT_AUTHORISED: Final = 0x87


class Login(NamedTuple):
    """Whom to try it as."""

    username: str
    password: str


class Look(NamedTuple):
    """One thing that was tried; ``safe`` is None where it could not be told."""

    check: str
    safe: bool | None
    zh: str
    en: str


@dataclass
class _Session:
    """One MQTT 5 connection, driven by whoever asks; every wait has an end."""

    broker: Broker
    client_id: str
    login: Login | None
    clock: Clock
    code: int | None = None
    """Reason code of the login; None while it is not answered."""
    ended: bool = False
    heard: list[tuple[str, bytes]] = field(default_factory=list)
    answers: dict[int, int] = field(default_factory=dict)

    def __enter__(self) -> Self:
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=self.client_id, protocol=mqtt.MQTTv5, reconnect_on_failure=False)
        if self.login:
            client.username_pw_set(self.login.username, self.login.password)
        if self.broker.tls:
            client.tls_set_context(self.broker.tls)
        client.connect_timeout = PATIENCE_S
        client.on_connect = lambda _c, _u, _f, reason, _p: setattr(self, "code", reason.value)
        client.on_disconnect = lambda *_: setattr(self, "ended", True)
        client.on_message = lambda _c, _u, message: self.heard.append((message.topic, bytes(message.payload)))
        client.on_publish = lambda _c, _u, mid, reason, _p: self.answers.__setitem__(mid, reason.value)
        client.on_subscribe = lambda _c, _u, mid, reasons, _p: self.answers.__setitem__(mid, max(reason.value for reason in reasons))
        self.client = client
        try:
            client.connect(self.broker.host, self.broker.port, self.broker.keepalive, clean_start=True)
        except (OSError, ValueError) as error:
            raise BrokerAway(causes.of_error(error, tls=self.broker.tls is not None), self.broker.address, "look at broker.url and at the broker") from error
        self.wait(lambda: self.code is not None)
        return self

    def __exit__(self, *_: object) -> None:
        self.client.disconnect()
        self.client.loop_write()

    @property
    def admitted(self) -> bool:
        """Whether the login was accepted and the connection stands."""
        return self.code == 0 and not self.ended

    def wait(self, happened: Callable[[], bool], patience: float = PATIENCE_S) -> bool:
        """Serve the connection until something happened, the connection ended, or patience did."""
        until = self.clock.monotonic() + patience
        while not happened() and not self.ended and self.clock.monotonic() < until:
            self._turn()
        return happened()

    def _turn(self) -> None:
        link: Any = self.client.socket()
        if link is None:
            self.ended = True
            return
        if (isinstance(link, ssl.SSLSocket) and link.pending()) or select.select([link], [], [], SLICE_S)[0]:
            self.client.loop_read()
        if self.client.want_write():
            self.client.loop_write()
        self.client.loop_misc()

    def publish(self, topic: str, payload: bytes) -> int | None:
        """Reason code of a publish; None if there was no answer."""
        mid = self.client.publish(topic, payload, qos=1).mid
        self.wait(lambda: mid in self.answers)
        return self.answers.get(mid)

    def subscribe(self, topic: str) -> int | None:
        """Reason code of a subscription; None if there was no answer."""
        mid = self.client.subscribe(topic, 0)[1]
        if mid is None:
            return None
        self.wait(lambda: mid in self.answers)
        return self.answers.get(mid)


@dataclass(frozen=True)
class Probe:
    """Tries what must not be possible.

    Attributes
    ----------
    login : Login or None
        A login without rights but its own topic; None: only a stranger tries.
    """

    broker: Broker
    login: Login | None
    clock: Clock

    def look(self) -> list[Look]:
        """What was tried, and how it ended.

        Raises
        ------
        BrokerAway
            Nobody answers; nothing can be told.
        """
        return [*self._stranger(), *(self._guest() if self.login else [_no_login()])]

    def dropped(self) -> int | None:
        """Messages that the broker dropped since it started, as it says itself; None if it does not say."""
        with self._session("a", self.login) as one:
            if not one.admitted or one.subscribe(DROPPED) is None:
                return None
            one.wait(lambda: bool(one.heard), PATIENCE_S / 2)
            number = one.heard[0][1] if one.heard else b""
            return int(number) if number.isdigit() else None

    def refused(self) -> bool | None:
        """Whether the login is refused; None if the broker did not say."""
        with self._session("a", self.login) as one:
            return None if one.code is None else one.code in REFUSED_LOGIN

    def _session(self, name: str, login: Login | None) -> _Session:
        return _Session(self.broker, f"{login.username if login else STRANGER}-{name}", login, self.clock)

    def _stranger(self) -> Iterator[Look]:
        with self._session("a", None) as one:
            if one.code is None:
                yield Look("anonymous", None, "未应答匿名登录", "an anonymous login was not answered: no MQTT 5 broker?")
            elif one.code:
                yield Look("anonymous", True, "拒绝匿名登录", "an anonymous login is refused")
            else:
                yield Look("anonymous", False, "允许匿名登录", "anybody may log in: set allow_anonymous false")
                yield self._forging(None, "anonymous publish", "匿名者")

    def _guest(self) -> Iterator[Look]:
        assert self.login  # noqa: S101  the caller looked
        own = f"lanbi/v1/{self.login.username}/probe"
        with self._session("a", self.login) as one:
            if not one.admitted:
                yield Look("login", None, "自检账号无法登录", f"the self-test's login is refused ({one.code}): lanbi broker passwd --ingest")
                return
            if one.publish(own, b"1") not in {0, 0x10}:
                yield Look("login", None, "自检账号无权写自己的主题", "the self-test may not write its own topic: lanbi broker acl")
                return
            yield self._reading(one, own)
            yield self._binding(one, own)
        yield self._forging(self.login, "cross-device publish", "一台设备")

    def _reading(self, one: _Session, own: str) -> Look:
        """Whatever the broker sends before our own message comes back is something that we may not read."""
        code = one.subscribe("#")
        one.publish(own, b"2")
        back = code is not None and code < 0x80 and one.wait(lambda: (own, b"2") in one.heard)
        others = [topic for topic, _ in one.heard if topic != own]
        if others:
            return Look(
                "cross-device read", False, f"可读他人的消息（{others[0]}）", f"a login reads what others send ({others[0]}): use the generated access list"
            )
        told = back or (code is not None and code >= 0x80)
        words = "of what others left at the broker nothing can be read" if told else "its own message did not come back"
        return Look("cross-device read", True if told else None, "读不到他人留存的消息" if told else "未收到自己的消息", words)

    def _binding(self, one: _Session, own: str) -> Look:
        """Two client ids under one user name: a broker that binds them knows only one client, and ends the first connection."""
        with self._session("b", self.login) as two:
            if not two.admitted:
                return Look("client id", None, "未能检验客户端标识", f"a second login was not admitted ({two.code})")
            alive = one.publish(own, b"3") is not None
        if alive:
            return Look(
                "client id",
                False,
                "客户端标识可任意选择，可冒名顶替",
                "a client id may be chosen at will, and so taken over: set use_username_as_clientid true",
            )
        return Look("client id", True, "客户端标识与用户名绑定", "the client id is bound to the user name")

    def _forging(self, login: Login | None, check: str, who: str) -> Look:
        """Write where nobody may; only if that is refused, write as a device that does not exist.

        Each on a connection of its own: Mosquitto 2.0 with an unbounded queue refuses, and then cuts the connection.
        """
        for stream in ("selftest", "data"):
            with self._session("a", login) as one:
                code = one.publish(f"lanbi/v1/{STRANGER}/{stream}", FORGED) if one.admitted else None
            if code is None:
                return Look(check, None, "未应答", "a forged publish was not answered")
            if code != NOT_AUTHORISED:
                return Look(
                    check, False, f"{who}可冒充其他设备发布", "somebody may publish as another device: use the generated access list (lanbi broker acl)"
                )
        return Look(check, True, f"{who}不能冒充其他设备", "publishing as another device is refused")


def _no_login() -> Look:
    return Look(
        "login",
        None,
        "没有自检账号，未检验设备之间的隔离",
        "no login for the self-test, so whether devices are kept apart was not tried: lanbi broker passwd --ingest",
    )
