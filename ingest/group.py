"""The messages between two commits: taken into the journal's group, and what is owed for them once they are durable."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from domain.message import singles
from domain.ports import Clock
from ingest.accept import NS, RETAINED, device_of, stream_of
from ingest.glance import look
from ingest.link import Health
from ingest.ports import Writer

QOS1: Final = 1
DUP: Final = 4
BACK_NS: Final = 300 * NS
KEPT: Final = 1 << 18
"""Bytes kept of a monster: enough to see that it was too large; the broker's own limit lies below."""
MANY: Final = 20_000
"""Topics that are remembered: forged ones must not eat memory."""
FLAGS: Final = [(QOS1 if low & 2 else 0) | (RETAINED if low & 1 else 0) | (DUP if low & 8 else 0) for low in range(16)]
"""The journal's flags by the low bits of a PUBLISH packet's first byte."""
_NONE: Final[tuple[int, list[tuple[int, int]]]] = (0, [])

Packet = tuple[bytes, int, int, bytes]
Numbers = defaultdict[str, list[tuple[int, int]]]
"""(run, seq) by device."""


class Owed(NamedTuple):
    """What a durable group is owed: acknowledgements by the connection that they belong to, and receipts."""

    acks: list[tuple[int, list[int]]]
    numbers: Numbers

    def of(self, connection: int) -> tuple[list[int], int]:
        """Packet ids to acknowledge on a connection, and how many belong to others: here those mean nothing, or another message."""
        mine = [mid for number, mids in self.acks if number == connection for mid in mids]
        return mine, sum(len(mids) for _, mids in self.acks) - len(mine)


class _Place(NamedTuple):
    """What a topic says: its text, its device, and whether its messages count as readings."""

    text: str
    device: str
    counted: bool


@dataclass
class Group:
    """Takes messages; :meth:`settle` tells after the commit what they are owed.

    Attributes
    ----------
    newest_ns : int
        Receive time of the last journalled message; a clock far behind it is not believed.
    messages, size : int
        Of what was taken since the last commit: how many, and bytes of payloads.
    unkept : bool
        A message could not be taken: it is not acknowledged, and only on a new connection will it come again.
    """

    writer: Writer
    clock: Clock
    health: Health
    newest_ns: int = 0
    messages: int = 0
    size: int = 0
    unkept: bool = False
    _owed: Owed = field(default_factory=lambda: Owed([], defaultdict(list)))
    _places: dict[bytes, _Place] = field(default_factory=dict)

    def take(self, connection: int, packets: Sequence[tuple[bytes, int, int, bytes]]) -> None:
        """Messages that came on a connection, as :data:`ingest.bulk.Packet`; whatever is wrong with one costs its acknowledgement alone."""
        now = self._now()
        taken = self._at_once(packets, now) or self._one_by_one(packets, now)
        self.messages, self.size = self.messages + len(taken), self.size + sum([len(payload) for _, _, _, payload in taken])
        self.health.messages += len(taken)
        mids = [mid for _, mid, first, _ in taken if first & 2]
        if mids:
            self._owed.acks.append((connection, mids))

    def _at_once(self, packets: Sequence[Packet], now: int) -> Sequence[Packet]:
        """All of the messages, if they are what nearly all are: one reading each, of topics that spoke before. Otherwise none of them."""
        payloads = [payload for _, _, _, payload in packets]
        places = [place for place in [self._places.get(topic) for topic, _, _, _ in packets] if place and place.counted]
        looks = singles(payloads) if len(places) == len(packets) and max(map(len, payloads)) <= KEPT else None
        if looks is None:
            return ()
        try:
            flags = [FLAGS[first & 15] for _, _, first, _ in packets]
            self.writer.extend([place.text for place in places], payloads, received_ns=now, flags=flags)
        except Exception:  # noqa: BLE001  one of them is at fault: which, and why, is found one by one
            return ()
        numbers = self._owed.numbers
        for (_, device, _), look_, (_, _, first, _) in zip(places, looks, packets, strict=True):
            if look_.seq is not None and device and not first & 1:
                numbers[device].append((look_.run, look_.seq))
        self.health.readings += len(packets)
        return packets

    def _one_by_one(self, packets: Sequence[Packet], now: int) -> Sequence[Packet]:
        """Those that could be taken."""
        append, places, numbers = self.writer.append, self._places, self._owed.numbers
        taken: list[Packet] = []
        for packet in packets:
            topic, _, first, payload = packet
            try:
                place = places.get(topic) or self._met(topic)
                count, said = look(payload) if place.counted else _NONE
                append(place.text, payload[:KEPT], received_ns=now, readings=count, flags=FLAGS[first & 15])
            except Exception as error:  # noqa: BLE001  not acknowledged, so the broker keeps it
                self.health.fault(error)
                self.unkept = True
                continue
            taken.append(packet)
            self.health.readings += count
            # A retained copy is refused, so its number must not be confirmed: the reading itself may never have arrived.
            if said and place.device and not first & 1:
                numbers[place.device].extend(said)
        return taken

    def settle(self) -> Owed:
        """The group is durable: what it is owed, and the next one begins."""
        owed, self._owed = self._owed, Owed([], defaultdict(list))
        self.messages = self.size = 0
        return owed

    def _met(self, topic: bytes) -> _Place:
        """What a topic says that is new here; one that is no text is kept under a question mark."""
        try:
            text = topic.decode()
        except UnicodeDecodeError:
            text = "?"
        if len(self._places) >= MANY:
            self._places.clear()
        place = self._places[topic] = _Place(text, device_of(text), stream_of(text) not in {"event", "state"})
        return place

    def _now(self) -> int:
        """Receive time; a clock that jumped back is told, and decoding waits until somebody has looked."""
        now = self.clock.now_ns()
        self.health.clock_back = now < self.newest_ns - BACK_NS
        self.newest_ns = max(self.newest_ns, now)
        return now


def first_byte(*, qos: int, retain: bool, dup: bool) -> int:
    """First byte of a PUBLISH packet as the client library told it.

    >>> hex(first_byte(qos=1, retain=False, dup=True))
    '0x3a'
    """
    return 0x30 | qos << 1 | retain | dup << 3
