"""What lanbi says to devices: receipts, coalesced, and words about refusals. Pure; the listener publishes them."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from domain.civil import iso
from ingest.deadletters import Answer
from ingest.receipts import Receipts

RECEIPT_S: Final = 0.2
"""Between two receipts for one device: a few a second say as much as one a message."""
MOST_ANSWERS: Final = 10_000
AT_ONCE: Final = 1_000
TOPIC: Final = "lanbi/v1"


class Word(NamedTuple):
    """One message to a device."""

    topic: str
    text: str


@dataclass
class Outbox:
    """Receipts and refusals that still have to be said; what cannot be said is counted, and the device asks again by re-sending.

    Attributes
    ----------
    dropped : int
        Words about refusals that gave way to newer ones, because no broker took them.
    """

    receipts: Receipts = field(default_factory=Receipts)
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

    def due(self, now: float, time: int) -> Iterator[Word]:
        """What to say now: monotonic ``now`` [s] paces, ``time`` [s] stands in the receipts."""
        if now - self._said >= RECEIPT_S:
            self._said = now
            for receipt in self.receipts.due():
                yield _word(receipt.device, "receipt", {"run": receipt.run, "ranges": receipt.ranges, "time": iso(time)})
        for _ in range(min(len(self._answers), AT_ONCE)):
            answer = self._answers.popleft()
            yield _word(answer.device, "error", answer.body)


def _word(device: str, kind: str, body: object) -> Word:
    return Word(f"{TOPIC}/{device}/{kind}", json.dumps(body, ensure_ascii=False))
