"""What lanbi says to devices: receipts, coalesced, words about refusals, and requests for births. Pure; the listener publishes them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import msgspec

from domain.civil import iso
from ingest.deadletters import Answer
from ingest.rebirths import Rebirths
from ingest.receipts import Receipts

RECEIPT_S: Final = 0.2
"""Between two receipts for one device: a few a second say as much as one a message."""
MOST_ANSWERS: Final = 10_000
AT_ONCE: Final = 1_000
TOPIC: Final = "lanbi/v1"
_ENCODER: Final = msgspec.json.Encoder()


class Word(NamedTuple):
    """One message to a device."""

    topic: str
    text: bytes
    qos: int = 1


@dataclass
class Outbox:
    """Receipts and refusals that still have to be said; what cannot be said is counted, and the device asks again by re-sending.

    Attributes
    ----------
    dropped : int
        Words about refusals that gave way to newer ones, because no broker took them.
    """

    receipts: Receipts = field(default_factory=Receipts)
    rebirths: Rebirths = field(default_factory=Rebirths)
    dropped: int = 0
    _answers: deque[Answer] = field(default_factory=deque)
    _said: float = 0.0

    def durable(self, groups: Iterable[tuple[str, Iterable[tuple[int, int]]]]) -> None:
        """These (run, seq) of these devices are on disk."""
        for device, numbers in groups:
            self.receipts.durable(device, numbers)

    def tell(self, answers: Sequence[Answer]) -> None:
        """Words about refusals, from any thread; the oldest give way."""
        self._answers.extend(answers)
        while len(self._answers) > MOST_ANSWERS:
            self._answers.popleft()
            self.dropped += 1

    def confirmations(self, now: float, time: int) -> list[tuple[str, bytes]]:
        """Topics and texts of the receipts to say now; each may get lost, for a later one says the same again.

        Monotonic ``now`` [s] paces, ``time`` [s] stands in them.
        """
        if now - self._said < RECEIPT_S:
            return []
        self._said, when = now, iso(time)
        usual = b'{"run":%%d,"ranges":[[%%d,%%d]],"time":"%b"}' % when.encode()
        said: list[tuple[str, bytes]] = []
        for device, run, ranges in self.receipts.due():
            text = usual % (run, *ranges[0]) if len(ranges) == 1 else _ENCODER.encode({"run": run, "ranges": ranges, "time": when})
            said.append((f"{TOPIC}/{device}/receipt", text))
        return said

    def due(self, now: float, time: int) -> Iterator[Word]:
        """What else to say now: monotonic ``now`` [s] paces, ``time`` [s] stands in it."""
        for topic, text in self.rebirths.due(now, time):
            yield Word(topic, text, qos=0)  # as Sparkplug wants it
        for _ in range(min(len(self._answers), AT_ONCE)):
            answer = self._answers.popleft()
            yield Word(f"{TOPIC}/{answer.device}/error", _ENCODER.encode(answer.body))
