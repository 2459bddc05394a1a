"""What of a device's words goes out when: the first time, again, later, or once without a receipt."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count, islice

from domain.reasons import MAX_MESSAGE
from edge_sim.devices import MAX_LIST, SimulatedDevice, joined
from edge_sim.line import Line
from edge_sim.spool import Book, Number
from edge_sim.wire import Word


@dataclass
class Out:
    """One device's words on their way out.

    ``book`` holds what a receipt is expected for; a number is fresh until it has gone out once.
    """

    book: Book
    _fresh: deque[Number] = field(default_factory=deque)
    _late: list[tuple[int, int, Number]] = field(default_factory=list)
    _loose: list[tuple[int, int, Word]] = field(default_factory=list)
    _count: Iterator[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        for number, held in self.book.held.items():
            heappush(self._late, (held.at, next(self._count), number))

    @property
    def ready(self) -> bool:
        """Whether anything may go out that has not."""
        return bool(self._fresh or self._late or self._loose)

    waits = ready

    def take(self, words: Sequence[Word], lag: int) -> None:
        """New words; what the wire delays waits for its time."""
        for word in words:
            if not word.held:
                heappush(self._loose, (word.at, next(self._count), word))
            elif word.at - word.tick > lag:
                heappush(self._late, (word.at, next(self._count), word.number))
            else:
                self._fresh.append(word.number)

    def again(self) -> None:
        """A new connection: nothing that was on the way counts as arrived."""
        for held in self.book.held.values():
            held.due = 0.0

    def cut(self, now: float) -> None:
        """The connection was lost."""
        for held in self.book.held.values():
            held.cut(now)

    def worn(self, now: float, window: int) -> list[Number]:
        """Numbers that were tried often enough."""
        return [number for number, one in islice(self.book.held.items(), window) if one.tries and one.due <= now and one.hopeless]

    def repeated(self, now: float, window: int) -> Iterator[tuple[bytes, list[Number]]]:
        """Payloads of what no receipt has named in time."""
        tried = ((number, one) for number, one in islice(self.book.held.items(), window) if (one.tries or one.cuts) and one.due <= now)
        return self._payloads([number for number, _ in tried], merge=True)

    def first(self, true: int, window: int, *, merge: bool) -> Iterator[tuple[bytes, list[Number]]]:
        """Payloads of what goes out for the first time, as far as the window reaches.

        Parameters
        ----------
        true : int [s]
            True time: what the wire delays beyond it waits.
        merge : bool
            Whether readings of several slots may share a list, as they do when a device catches up.
        """
        while self._late and self._late[0][0] <= true:
            self._fresh.append(heappop(self._late)[2])
        room = window - (len(self.book.held) - len(self._fresh) - len(self._late))
        chosen: list[Number] = []
        while self._fresh and room > len(chosen):
            number = self._fresh.popleft()
            if number in self.book.held:
                chosen.append(number)
        return self._payloads(chosen, merge=merge)

    def _payloads(self, numbers: Sequence[Number], *, merge: bool) -> Iterator[tuple[bytes, list[Number]]]:
        part: list[Number] = []
        bodies: list[bytes] = []
        size, key = 0, (0, False)
        for number in numbers:
            held = self.book.held[number]
            mine = (0 if merge else held.at, held.retain)
            if part and (mine != key or held.retain or len(part) == MAX_LIST or size + len(held.body) + 2 > MAX_MESSAGE):
                yield joined(bodies), part
                part, bodies, size = [], [], 0
            part.append(number)
            bodies.append(held.body)
            size, key = size + len(held.body) + 1, mine
        if part:
            yield joined(bodies), part

    def retained(self, number: Number) -> bool:
        """Whether the device publishes it retained, by mistake."""
        held = self.book.held.get(number)
        return bool(held and held.retain)

    def tried(self, numbers: Sequence[Number], now: float, first_wait: float) -> None:
        """They went out; each time the wait for the receipt doubles."""
        for number in numbers:
            held = self.book.held[number]
            held.due = now + first_wait * 2**held.tries
            held.tries += 1

    def loose(self, true: int) -> list[Word]:
        """Words without a receipt whose time has come."""
        found = []
        while self._loose and self._loose[0][0] <= true:
            found.append(heappop(self._loose)[2])
        return found


class Bundle:
    """One connection and the devices that share it."""

    line: Line

    def __init__(self, due: float) -> None:
        self.links: list[Link] = []
        self.up = False
        self.due = due
        self.failures = 0
        self._untaken: dict[int, Callable[[], None]] = {}

    def retry(self, now: float, pauses: tuple[float, float], share: float) -> None:
        """Set the next attempt to connect: later after each failure, and not all devices at once."""
        low, high = pauses
        self.due = now + min(high, low * 2**self.failures) * (0.5 + share)
        self.failures += 1

    def await_taking(self, mid: int, then: Callable[[], None]) -> None:
        """What to do when the broker has taken a message."""
        self._untaken[mid] = then

    def taken(self, mid: int) -> None:
        """The broker has taken it."""
        self._untaken.pop(mid, lambda: None)()


@dataclass
class Link:
    """One device's part of a connection, and what it has to say."""

    device: SimulatedDevice
    bundle: Bundle
    lag: int
    out: Out

    @property
    def id(self) -> str:
        """The device."""
        return self.device.id

    @property
    def up(self) -> bool:
        """Whether its connection stands."""
        return self.bundle.up
