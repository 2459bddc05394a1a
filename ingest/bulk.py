"""Bulk receive: many packets a system call, and their acknowledgements in one.

Why this file reaches into the client library. paho-mqtt reads each packet by itself, in five calls of ``recv`` (the type, the length
byte by byte, the body), makes a message with a lock of it, and sends each acknowledgement alone: 41 µs a message, several times what
it costs to make that message durable. Here one ``recv`` takes all that the socket has. Only what nearly every packet is goes the short
way: a sound PUBLISH of QoS 0 or 1 that stands whole in what was read. Every other packet, also one that the end of the read cut, is
put where paho keeps a packet that it is just reading, and takes paho's own way from there; so nothing of the protocol is done here
twice, nothing is remembered over a reconnect, and a packet as long as its header dares to claim costs no more than with paho.

It holds for MQTT 3.1.1 over plain TCP and the version of paho that it was tested with: else, and over TLS or WebSocket, whose sockets
are other objects, paho's own loop reads.
"""

from __future__ import annotations

import re
import socket
import struct
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import paho.mqtt.client as mqtt
from paho.mqtt import __version__ as installed
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

TESTED: Final = "2.2.0"
NAMES: Final = (
    "_sock",
    "_in_packet",
    "_out_messages",
    "_packet_read",
    "_packet_queue",
    "_loop_rc_handle",
    "_last_bytes_received",
    "_msgtime_mutex",
    "_easy_log",
)
"""What this file touches of paho beyond its promised names."""
MOST: Final = 1 << 18
"""Bytes of one read at most: what is not read bounds our memory, and the broker keeps it."""
PUBLISH: Final = 0x30
PUBACK: Final = 0x40
QOS1: Final = 1
SPOKEN: Final = 0x7FFF
"""Packet ids above this are those of :meth:`BulkClient.say`; paho counts its own from 1."""

PLAIN: Final = re.compile(r"[A-Za-z0-9_/-]{1,60}")
"""Topics that need no look: a broker ends the connection on which it is told a bad one."""
HEADS: Final = 20_000
"""Topics that are remembered: forged ones must not eat memory."""
OPENINGS: Final = [b"\x32" + (bytes((size,)) if size < 128 else bytes((size & 127 | 128, size >> 7))) for size in range(1 << 14)]
"""How a PUBLISH of QoS 1 begins, by the length of what follows."""
_HEAD: Final = struct.Struct(">BBBH").unpack_from
"""How a packet begins: its first byte, a length in two bytes, and that of its topic; where the former has one byte all shift by one."""
ACKNOWLEDGED: Final = re.compile(rb"(?:\x40\x02..)+", re.DOTALL)

Packet = tuple[bytes, int, int, bytes]
"""Topic, packet id (0 at QoS 0), first byte of the packet (its low bits: 1 retained, 2 QoS 1, 8 duplicate), payload."""


def publishes(data: bytes, at: int) -> tuple[list[Packet], int]:
    """Sound PUBLISH packets of QoS 0 and 1 that stand whole in a row from ``at`` on, and the offset of what comes behind them.

    Packets of 16 kB and more end the row: their length takes three bytes, and what paho's way costs does not matter to them.

    >>> publishes(bytes.fromhex("3005 0001 74 4142 3206 0001 74 0007 43 d000"), 0)
    ([(b't', 0, 48, b'AB'), (b't', 7, 50, b'C')], 15)
    """
    found: list[Packet] = []
    end, unpack = len(data), _HEAD
    while end - at > 4:
        first, size, more, length = unpack(data, at)
        if size > 127:
            begin, stop = at + 5, at + 3 + size + ((more - 1) << 7)
            if more > 127:
                break
        else:
            begin, stop, length = at + 4, at + 2 + size, more << 8 | length >> 8
        topic_end = behind = begin + length
        mid = 0
        if first & 2:
            behind += 2
            mid = data[topic_end] << 8 | data[topic_end + 1] if behind <= stop <= end else 0
        if first & 0xF4 != PUBLISH or not length or not behind <= stop <= end or (first & 2 and not mid):
            break
        found.append((data[begin:topic_end], mid, first, data[behind:stop]))
        at = stop
    return found, at


def unfit() -> str:
    """Why the bulk way does not hold for the client library that is installed; empty if it does."""
    if installed != TESTED:
        return f"paho-mqtt {installed} is installed, tested is {TESTED}"
    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    missing = [name for name in NAMES if not hasattr(client, name)]
    return f"paho-mqtt {installed} has no {missing[0]}" if missing else ""


class BulkClient(mqtt.Client):
    """A client of which :meth:`loop_read` takes whatever has come.

    Attributes
    ----------
    take : callable
        Gets the messages of a read, in order, instead of ``on_message``; what paho read itself still comes there.
    came : int
        Bytes of the last read.
    heads : dict
        Topics as they stand in packets, of what was said lately.
    """

    take: Callable[[Sequence[Packet]], None]
    came: int = 0
    _spoken: int = 0

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.heads: dict[str, bytes] = {}
        self._room = memoryview(bytearray(MOST))  # a quarter of a megabyte asked for at each read costs more than the read itself

    def loop_read(self, max_packets: int = 1) -> MQTTErrorCode:
        """Read once, as paho's does, but all that is there."""
        link = self._sock
        if type(link) is not socket.socket or self._in_packet["command"]:
            return super().loop_read(max_packets)
        try:
            self.came = link.recv_into(self._room)
        except BlockingIOError:
            return MQTTErrorCode.MQTT_ERR_SUCCESS
        except OSError as error:
            self._easy_log(mqtt.MQTT_LOG_ERR, "failed to receive on socket: %s", error)
            self.came = 0
        if not self.came:
            return self._loop_rc_handle(MQTTErrorCode.MQTT_ERR_CONN_LOST)
        with self._msgtime_mutex:
            self._last_bytes_received = mqtt.time_func()  # the age that paho's own keep-alive looks at
        return self._hand_out(bytes(self._room[: self.came]))

    def acknowledge(self, mids: Sequence[int]) -> None:
        """Confirm messages, in one send; at least one."""
        packets = struct.pack(f">{len(mids)}I", *[PUBACK << 24 | 2 << 16 | mid for mid in mids])
        self._packet_queue(PUBACK, packets, mids[-1], QOS1)

    def say(self, words: Iterable[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
        """Publish (topic, payload) at QoS 1 in one send, and remember nothing of it: for what is said again anyway, below 16 kB.

        Returns
        -------
        list
            Those whose topics need a closer look.
        """
        parts: list[bytes] = []
        others: list[tuple[str, bytes]] = []
        heads, spoken = self.heads, self._spoken
        for topic, payload in words:
            head = heads.get(topic) or self._head(topic)
            if not head:
                others.append((topic, payload))
                continue
            spoken = spoken % SPOKEN + 1
            parts += OPENINGS[2 + len(head) + len(payload)], head, (SPOKEN + spoken).to_bytes(2, "big"), payload
        self._spoken = spoken
        if parts:
            self._packet_queue(PUBACK, b"".join(parts), 0, QOS1)
        return others

    def _head(self, topic: str) -> bytes:
        """A topic as it stands in a packet, and remembered, for few are new; nothing if it is no plain one."""
        if not PLAIN.fullmatch(topic):
            return b""
        name = topic.encode()
        if len(self.heads) >= HEADS:
            self.heads.clear()
        head = self.heads[topic] = len(name).to_bytes(2, "big") + name
        return head

    def _hand_out(self, data: bytes) -> MQTTErrorCode:
        at = 0
        while at < len(data):
            found, at = publishes(data, at)
            if found:
                self.take(found)
            behind = self._answers(data, at)
            if behind == at < len(data):
                rc, behind = self._as_if_read(data, at)
                if rc > 0:
                    return self._loop_rc_handle(rc)
                if self._sock is None:
                    return MQTTErrorCode.MQTT_ERR_NO_CONN
            at = behind
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    def _answers(self, data: bytes, at: int) -> int:
        """Offset behind the broker's acknowledgements from ``at`` on of what :meth:`say` said: to paho they would mean nothing."""
        if not self._out_messages:
            found = ACKNOWLEDGED.match(data, at)
            return found.end() if found else at
        while data[at : at + 2] == b"\x40\x02" and at + 4 <= len(data) and (data[at + 2] << 8 | data[at + 3]) not in self._out_messages:
            at += 4
        return at

    def _as_if_read(self, data: bytes, at: int) -> tuple[MQTTErrorCode, int]:
        """Let paho have the packet at an offset, as if it had read these bytes itself: what is whole it handles, what is cut it reads on."""
        packet, at = self._in_packet, at + 1
        packet["command"] = data[at - 1]
        if not packet["command"]:
            return MQTTErrorCode.MQTT_ERR_PROTOCOL, at
        while at < len(data) and not packet["have_remaining"]:
            byte, at = data[at], at + 1
            packet["remaining_count"].append(byte)
            if len(packet["remaining_count"]) > 4:
                return MQTTErrorCode.MQTT_ERR_PROTOCOL, at
            packet["remaining_length"] += (byte & 127) * packet["remaining_mult"]
            packet["remaining_mult"] *= 128
            packet["have_remaining"] = int(byte < 128)
        stop = min(len(data), at + packet["remaining_length"]) if packet["have_remaining"] else at
        packet["packet"] += data[at:stop]
        packet["to_process"] = packet["remaining_length"] - (stop - at)
        try:
            return self._packet_read(), stop
        except struct.error:  # paho's parser met lengths that do not fit; it would meet them again at every read
            return MQTTErrorCode.MQTT_ERR_PROTOCOL, stop
