"""The TCP door for HJ 212 loggers: frame → journal → answer, in this order, in one thread for all connections.

A logger is known by three things at once: the address that it comes from (``peers`` in the registry), its MN (``names``) and, if one
is registered, its password. An answer (9014) is sent only after the packet is durable, so that a logger that hears nothing sends
again, which is safe. Nothing that a stranger sends grows: buffers are bounded by a frame, connections by number and by time.
"""

from __future__ import annotations

import re
import selectors
import socket
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final

from domain.civil import day_of
from domain.errors import JournalError, NotUnderstood
from domain.places import Device, Registry
from domain.ports import Clock
from domain.rules import HJ212
from domain.speaking import rule_of
from ingest.accept import ID, NS
from ingest.decoders.hj212 import MAX_FRAME, STRICT, Bad, Dialect, Packet, reply, take, unopened
from ingest.decoders.hj212_read import count
from ingest.ports import Writer

ONCE: Final = 4_096
"""Bytes that are read of one connection before all others have had their turn."""
MOST: Final = 2_000
"""Connections at once, where the system gives so many descriptors."""
WAIT_S: Final = 0.2
RETRY_S: Final = 1.0
PARTIAL_S: Final = 30.0
"""So long the rest of a frame may take; the standard's own time-out is 10 s on wireless links (HJ 212-2017 §6.7)."""
STRANGER_S: Final = 120.0
"""So long a connection may be open without a packet of a registered logger."""
IDLE_S: Final = 7_200.0
"""Hour data come once an hour; a link that is silent for two is dead."""
NOISE: Final = 1 << 16
"""Bytes that are no packet, after which a connection is cut."""
UNSENT: Final = 4_096
STRANGERS: Final = 20
"""Packets of unknown loggers, after which a connection is cut."""
AGAIN_S: Final = 600.0
"""An unknown MN becomes a dead letter so often at most: enough to register it, too little to fill a disk."""
MNS: Final = 1_000
"""Unknown MNs that become dead letters within :data:`AGAIN_S`."""
_MN: Final = re.compile(rb"[;#\d]MN=([^;&]{1,40});")


@dataclass(eq=False, slots=True)
class Link:
    """One connection; ``since`` is when the frame that is not whole yet began (0: none)."""

    socket: socket.socket
    peer: str
    opened: float
    heard: float
    buffer: bytearray = field(default_factory=bytearray)
    unsent: bytearray = field(default_factory=bytearray)
    device: str = ""
    since: float = 0.0
    noise: int = 0
    strangers: int = 0


@dataclass
class Door:
    """Listens on a bound socket; :meth:`run` is its thread.

    Attributes
    ----------
    writer : Writer
        The journal of this door; this thread is its only user.
    registry : callable
        The one in force now.
    most : int
        Connections at once: each takes a descriptor, and the journal must never lack one.
    counts : Counter
        ``packets``, ``bad``, ``noise_bytes``, ``unknown``, ``refused`` (connections), ``cut``, ``answers``.
    fault : str
        Why nothing is taken at the moment; empty while all is well.
    """

    listener: socket.socket
    writer: Writer
    clock: Clock
    registry: Callable[[], Registry]
    most: int = MOST
    counts: Counter[str] = field(default_factory=Counter)
    fault: str = ""
    links: dict[socket.socket, Link] = field(default_factory=dict)
    _answers: list[tuple[Link, bytes]] = field(default_factory=list)
    _told: dict[str, float] = field(default_factory=dict)
    _dirty: bool = False
    _swept: float = 0.0

    def __post_init__(self) -> None:
        self.listener.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self.listener, selectors.EVENT_READ)

    def run(self, stop: Callable[[], bool]) -> None:
        """Serve until told to stop; what was read by then is durable and answered."""
        while not stop():
            self.turn(stop)
        for link in list(self.links.values()):
            self._close(link)
        self._selector.close()
        self.listener.close()

    def turn(self, stop: Callable[[], bool]) -> None:
        """One round: a piece of every connection that has something, one commit, the answers, and a look at the clock."""
        for key, events in self._selector.select(WAIT_S):
            link = self.links.get(key.fileobj)  # type: ignore[call-overload]
            if link is None:
                self._welcome()
            else:
                self._serve(link, events)
        self._commit(stop)
        now = self.clock.monotonic()
        if now - self._swept >= 1.0:
            self._swept = now
            for link in [one for one in self.links.values() if self._late(one, now)]:
                self._end(link)
            self._commit(stop)

    # ---- connections

    def _welcome(self) -> None:
        try:
            connection, (peer, *_) = self.listener.accept()
        except OSError:
            return  # it left before it was let in, or no descriptor is free
        if len(self.links) >= self.most or not self._admitted(peer):
            self.counts["refused"] += 1
            connection.close()
            return
        connection.setblocking(False)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        now = self.clock.monotonic()
        self.links[connection] = Link(connection, peer, now, now)
        self._selector.register(connection, selectors.EVENT_READ)

    def _admitted(self, peer: str) -> bool:
        """Whether any logger is registered at this address: nobody else is listened to."""
        return any(within(peer, device) for device in self.registry().devices.values() if device.peers)

    def _serve(self, link: Link, events: int) -> None:
        if events & selectors.EVENT_WRITE:
            self._flush(link)
        if not events & selectors.EVENT_READ or link.socket not in self.links:
            return
        try:
            data = link.socket.recv(ONCE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._end(link)
            return
        link.buffer += data
        self._read(link)
        if link.noise > NOISE or link.strangers > STRANGERS:
            self._end(link)

    def _late(self, link: Link, now: float) -> bool:
        stranger = not link.device and now - link.opened > STRANGER_S
        return stranger or now - link.heard > IDLE_S or bool(link.since and now - link.since > PARTIAL_S)

    def _end(self, link: Link) -> None:
        """Cut a connection; the half frame that it leaves is told like any other bytes that are no packet."""
        self.counts["cut"] += 1
        if link.buffer:
            self._bad(link, Bad("length", "连接结束时帧不完整 the connection ended inside a frame", bytes(link.buffer)))
        self._close(link)

    def _close(self, link: Link) -> None:
        if self.links.pop(link.socket, None):
            self._selector.unregister(link.socket)
            link.socket.close()

    # ---- frames

    def _read(self, link: Link) -> None:
        data, at = bytes(link.buffer), 0
        while at < len(data):
            found, end = take(data, at, self._dialect(link, data, at))
            if found is None:
                break
            if isinstance(found, Packet):
                self._packet(link, found, data[at:end])
            elif (sealed := unopened(found)) and not self._keyed(link, sealed):
                self._packet(link, sealed, data[at:end])  # its bytes wait for the key in the journal, so the logger is told that they are there
            else:
                self._bad(link, found)
            at = end
        del link.buffer[:at]
        if at or not link.buffer:
            link.since = self.clock.monotonic() if link.buffer else 0.0
        elif not link.since:
            link.since = self.clock.monotonic()

    def _dialect(self, link: Link, data: bytes, at: int) -> Dialect:
        """How the next frame is to be read: by the logger that it names, for CRC and form are settings of each."""
        named = _MN.search(data, at, at + MAX_FRAME)
        device = self._owner(named[1].decode("ascii", "replace"), link.peer) if named else None
        if device is None:
            return STRICT
        return Dialect(device.crc, rule_of(self.registry(), device, self._today()).tolerant, self.registry().keyring(device.id))

    def _keyed(self, link: Link, sealed: Packet) -> bool:
        """Whether keys of a logger are there, so that a packet that none of them opens is a broken one."""
        device = self._owner(sealed.header.get("MN", ""), link.peer)
        try:
            return device is not None and any(self.registry().keyring(device.id)(""))
        except NotUnderstood:
            return False

    def _packet(self, link: Link, packet: Packet, raw: bytes) -> None:
        number = packet.header.get("MN", "")
        device = self._owner(number, link.peer)
        if device is None or device.pw not in {None, packet.header.get("PW")}:
            self._stranger(link, number, raw)
            return
        link.device, link.heard = device.id, self.clock.monotonic()
        self.counts["packets"] += 1
        self._keep(device.id, raw, count(raw))
        answer = reply(packet, device.crc)
        if answer:
            self._answers.append((link, answer))

    def _stranger(self, link: Link, number: str, raw: bytes) -> None:
        """A packet of nobody's: a dead letter now and then, so that it can be registered; never an answer."""
        self.counts["unknown"] += 1
        link.strangers += 1
        now = self.clock.monotonic()
        if now - self._told.get(number, -AGAIN_S) < AGAIN_S or not ID.fullmatch(number):
            return
        if len(self._told) >= MNS:
            self._told = {name: at for name, at in self._told.items() if now - at < AGAIN_S}
        if len(self._told) >= MNS:
            return  # whoever invents them would fill the disk; they are counted
        self._told[number] = now
        self._keep(f"~{number}"[:32], raw, count(raw))

    def _bad(self, link: Link, bad: Bad) -> None:
        """Bytes that are no packet: of a known logger a dead letter, of a stranger a count."""
        link.noise += len(bad.raw)
        self.counts["bad"] += 1
        self.counts["noise_bytes"] += len(bad.raw)
        if link.device and bad.raw.strip():
            self._keep(link.device, bad.raw, 1)

    def _owner(self, number: str, peer: str) -> Device | None:
        """The logger that bears an MN and may come from this address."""
        registry, day = self.registry(), self._today()
        devices = (registry.devices[name] for name in registry.by_name.get(number, ()))
        fit = [one for one in devices if within(peer, one) and rule_of(registry, one, day).format == HJ212]
        return fit[0] if len(fit) == 1 else None

    def _today(self) -> int:
        return day_of(self.clock.now_ns() // NS)

    # ---- durable, then answered

    def _keep(self, device: str, raw: bytes, readings: int) -> None:
        self.writer.append(f"lanbi/v1/{device}/data", raw, received_ns=self.clock.now_ns(), readings=readings, flags=1)
        self._dirty = True

    def _commit(self, stop: Callable[[], bool]) -> None:
        """Make the round durable, as often as it takes: meanwhile nothing is read, and loggers wait in their own buffers."""
        while self._dirty:
            try:
                self.writer.commit()
            except JournalError as error:
                self.fault = str(error)
                if stop():
                    return
                self.clock.sleep(RETRY_S)
                continue
            self._dirty, self.fault = False, ""
        answers, self._answers = self._answers, []
        for link, answer in answers:
            link.unsent += answer
            self.counts["answers"] += 1
        for link in {id(link): link for link, _ in answers}.values():
            self._flush(link)

    def _flush(self, link: Link) -> None:
        if link.socket not in self.links:
            return
        try:
            sent = link.socket.send(link.unsent)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._end(link)
            return
        del link.unsent[:sent]
        if len(link.unsent) > UNSENT:
            self._end(link)  # who does not read its answers would otherwise fill our memory
            return
        self._selector.modify(link.socket, selectors.EVENT_READ | (selectors.EVENT_WRITE if link.unsent else 0))


def within(peer: str, device: Device) -> bool:
    """Whether an address is one of those from which a device may speak."""
    try:
        address = ip_address(peer.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None) or address
    return any(mapped in _network(one) for one in device.peers)


@lru_cache(10_000)
def _network(text: str) -> IPv4Network | IPv6Network:
    return ip_network(text, strict=False)
