"""What the listener asks the broker for: subscriptions in packets that a careful broker takes, and which of them it has confirmed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

QOS1: Final = 1
PACKET: Final = 32_768
"""Bytes of topics in one packet: the shipped broker cuts off whoever sends more than a message may have."""
AROUND: Final = 3
"""Bytes beside a topic's own."""


@dataclass
class Asking:
    """One connection's subscriptions.

    Attributes
    ----------
    forgo : sequence of str
        Filters of the session that belong to another ingest by now: they are given up beside the others until the broker has said so.
    asked : sequence of str
        What was asked for last.
    """

    forgo: Sequence[str] = ()
    asked: Sequence[str] = ()
    _open: set[int] = field(default_factory=set)

    def ask(self, client: Any, topics: Sequence[str]) -> None:
        """Ask for these filters at QoS 1 (QoS 2 would hold messages in memory before they are durable)."""
        self.asked = topics
        self._open.clear()
        for part in packets(topics):
            self._open.add(client.subscribe([(topic, QOS1) for topic in part])[1])
        for part in packets(self.forgo):
            self._open.add(client.unsubscribe(list(part))[1])

    def answered(self, mid: int) -> bool:
        """Note the broker's answer to a packet; whether all are answered now."""
        self._open.discard(mid)
        if not self._open:
            self.forgo = ()
        return not self._open


def packets(topics: Sequence[str]) -> Iterator[Sequence[str]]:
    """Topics in packets of bounded size.

    >>> [len(part) for part in packets(["x" * 10_000] * 7)]
    [3, 3, 1]
    """
    start = size = 0
    for place, topic in enumerate(topics):
        more = len(topic.encode()) + AROUND
        if size + more > PACKET and place > start:
            yield topics[start:place]
            start, size = place, 0
        size += more
    if topics[start:]:
        yield topics[start:]
