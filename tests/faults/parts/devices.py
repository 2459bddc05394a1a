"""A fleet of test devices on one connection: it speaks a county's truth, keeps all until receipted, and writes down every id.

The log is the evidence: ``+ device low high`` when numbers were first said, ``- device low high`` when a receipt named them. Now
and then a message is said twice or held back for a while, as real devices and brokers do.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass, field
from heapq import heappop, heappush
from pathlib import Path
from typing import IO, Final

import msgspec
import numpy as np
import numpy.typing as npt

from tests.faults.parts.truth import County, Plan
from tests.faults.parts.wire import Wire, WireError

WINDOW: Final = 4_000
"""Messages without a PUBACK at most."""
BLOCK: Final = 40
"""Messages of a device that are made at once."""
LATE_S: Final = 4.0
LONGEST_S: Final = 60.0
SLOT_S: Final = 0.005


@dataclass(slots=True)
class Held:
    """A message that no receipt has named yet: numbers (last one included), bytes, when it was first sent and is to be said again."""

    low: int
    high: int
    payload: bytes
    first: float
    due: float
    wait: float


@dataclass(frozen=True)
class Pace:
    """How the fleet speaks."""

    rate: float = 1_000.0
    """Readings a second, all devices together."""
    per_message: int = 10
    again_s: float = 10.0
    """A message without a receipt is said again after so long, then after twice as long, and so on up to a minute."""
    twice: int = 100
    """One message in so many is said twice; 0 = none."""
    late: int = 60
    """One message in so many is held back for a while; 0 = none."""


@dataclass
class Fleet:
    """The fleet and its thread."""

    county: County
    port: int
    log: Path
    size: int
    """Numbers that a device may need at most."""
    pace: Pace = field(default_factory=Pace)
    login: tuple[str, str] | None = None
    said: int = 0
    """Readings said for the first time."""
    receipted: int = 0
    repeated: int = 0
    errors: int = 0
    bytes: int = 0
    """Of payloads, said for the first time."""
    faults: list[str] = field(default_factory=list)
    receipt_s: list[float] = field(default_factory=list)
    """Seconds from first saying to receipt, of each message."""

    def __post_init__(self) -> None:
        self.plans: list[Plan] = [self.county.plan(number, self.size) for number in range(self.county.count)]
        self.next = [0] * self.county.count
        """Next number of each device."""
        self.held: list[dict[int, Held]] = [{} for _ in range(self.county.count)]
        self.wire = Wire(self.port, "fleet", ("lanbi/v1/+/receipt", "lanbi/v1/+/error"), self._heard, self.login)
        self._ready: list[deque[tuple[int, int, bytes]]] = [deque() for _ in range(self.county.count)]
        self._late: list[tuple[float, int, int]] = []
        self._chance = np.random.default_rng(self.county.seed)
        self._speaking = threading.Event()
        self._stop = threading.Event()
        self._limit = self._most = (self.size - self.pace.per_message) * self.county.count
        self._turn = 0
        self._owed = 0.0
        self._file: IO[str] = self.log.open("w", encoding="utf-8")
        self._thread = threading.Thread(target=self._run, name="fleet", daemon=True)

    def start(self) -> None:
        """Begin to speak."""
        self._speaking.set()
        self._thread.start()

    def prepare(self, readings: int) -> None:
        """Make so many readings (all devices together) before the start: what is measured shall not pay for the making."""
        for number in range(self.county.count):
            made = 0
            while made < min(readings // self.county.count, self.size):
                made = self._make(number, made)

    def pause(self) -> None:
        """Say nothing new; what is held is still said again."""
        self._speaking.clear()

    def resume(self) -> None:
        """Go on."""
        self._speaking.set()

    def speak(self, readings: int) -> None:
        """Stop by itself after so many readings in all."""
        self._limit = min(self._most, readings)

    @property
    def open(self) -> int:
        """Readings said and not receipted."""
        return self.said - self.receipted

    @property
    def done(self) -> bool:
        """Whether the readings asked for, or all that were planned, are said."""
        return self.said >= self._limit

    def settle(self, patience: float) -> bool:
        """Say nothing new and wait until everything is receipted; the log is whole then."""
        self.pause()
        now = time.monotonic()
        for held in [one for mine in self.held for one in list(mine.values())]:
            held.wait, held.due = self.pace.again_s, min(held.due, now + self.pace.again_s)
        end = now + patience
        while self.open and time.monotonic() < end:
            time.sleep(0.05)
        self._file.flush()
        return not self.open

    def close(self) -> None:
        """End the thread and the log."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(60)
        self.wire.close()
        self._file.close()

    def take_latencies(self) -> tuple[list[float], list[float]]:
        """Seconds to PUBACK and to receipt since the last call."""
        acks, self.wire.acks = self.wire.acks, []
        receipts, self.receipt_s = self.receipt_s, []
        return acks, receipts

    def _run(self) -> None:
        looked = before = time.monotonic()
        while not self._stop.is_set():
            try:
                if self.wire.socket is None:
                    self.wire.connect()
                self.wire.turn(SLOT_S)
                now = time.monotonic()
                if self._speaking.is_set():
                    self._speak(now, now - before)
                self._overdue(now)
                if now - looked > 0.5:
                    looked = now
                    self._again(now)
                before = now
            except WireError as error:
                self.faults.append(str(error))
                self._stop.wait(0.3)
                before = time.monotonic()

    def _speak(self, now: float, passed: float) -> None:
        # What could not be said while the broker was away is not made up for all at once.
        self._owed = min(self._owed + passed * self.pace.rate, self.pace.rate)
        while self._owed >= self.pace.per_message and self.wire.unacknowledged < WINDOW and not self.wire.full and not self.done:
            self._owed -= self.pace.per_message
            self._say(now)

    def _say(self, now: float) -> None:
        number = self._turn
        self._turn = (number + 1) % self.county.count
        low, high, payload = self._message(number)
        self.held[number][low] = Held(low, high, payload, now, now + self.pace.again_s, self.pace.again_s)
        self.said += high - low + 1
        self.bytes += len(payload)
        self._file.write(f"+ {self.county.device(number)} {low} {high}\n")
        if self._one_in(self.pace.late):
            heappush(self._late, (now + float(self._chance.uniform(0.0, LATE_S)), number, low))
        else:
            self._send(number, payload)
            if self._one_in(self.pace.twice):
                self.repeated += 1
                self._send(number, payload)

    def _one_in(self, many: int) -> bool:
        return bool(many) and int(self._chance.integers(many)) == 0

    def _message(self, number: int) -> tuple[int, int, bytes]:
        ready = self._ready[number]
        if not ready:
            self._make(number, self.next[number])
        found = ready.popleft()
        self.next[number] = found[1] + 1
        return found

    def _make(self, number: int, low: int) -> int:
        """Make a block of messages from a number on; returns the number behind it."""
        each = self.pace.per_message
        messages = self.county.messages(number, self.plans[number], low, min(low + BLOCK * each, self.size))
        for at in range(0, len(messages), each):
            part = messages[at : at + each]
            self._ready[number].append((low + at, low + at + len(part) - 1, msgspec.json.encode(part[0] if each == 1 else part)))
        return low + len(messages)

    def _send(self, number: int, payload: bytes) -> None:
        self.wire.publish(f"lanbi/v1/{self.county.device(number)}/data", payload)

    def _overdue(self, now: float) -> None:
        while self._late and self._late[0][0] <= now:
            _, number, low = heappop(self._late)
            held = self.held[number].get(low)
            if held:
                held.first, held.due = now, now + held.wait
                self._send(number, held.payload)

    def _again(self, now: float) -> None:
        for number, mine in enumerate(self.held):
            for held in mine.values():
                if now < held.due:
                    continue
                if self.wire.unacknowledged >= WINDOW or self.wire.full:
                    return
                held.wait = min(2 * held.wait, LONGEST_S)
                held.due = now + held.wait
                self.repeated += 1
                self._send(number, held.payload)

    def _heard(self, topic: str, payload: bytes) -> None:
        if topic.endswith("/error"):
            self.errors += 1
            return
        receipt = msgspec.json.decode(payload)
        number = self.county.number(topic.split("/")[2])
        now = time.monotonic()
        held = self.held[number]
        named = [one for one in held.values() if any(low <= one.low and one.high <= high for low, high in receipt["ranges"])]
        for one in named:
            del held[one.low]
            self.receipted += one.high - one.low + 1
            self.receipt_s.append(now - one.first)
            self._file.write(f"- {self.county.device(number)} {one.low} {one.high}\n")


@dataclass
class Ids:
    """A log read back: numbers said (0 … said − 1, always dense) and which of them were receipted, by device."""

    said: dict[str, int] = field(default_factory=dict)
    receipted: dict[str, npt.NDArray[np.bool_]] = field(default_factory=dict)

    @classmethod
    def of(cls, log: Path) -> Ids:
        """Read a log.

        Raises
        ------
        ValueError
            Numbers were skipped or said anew, or a receipt names what was never said: the fleet itself is broken.
        """
        ids, named = cls(), []
        with log.open(encoding="utf-8") as lines:
            for line in lines:
                mark, device, low, high = line.split()
                if mark == "-":
                    named.append((device, int(low), int(high) + 1))
                elif ids.said.get(device, 0) == int(low):
                    ids.said[device] = int(high) + 1
                else:
                    raise ValueError(line)
        ids.receipted = {device: np.zeros(size, np.bool_) for device, size in ids.said.items()}
        for device, low, high in named:
            if high > ids.said.get(device, 0):
                raise ValueError(f"{device} {low} {high}")
            ids.receipted[device][low:high] = True
        return ids
