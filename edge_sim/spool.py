"""What a device has measured and nobody has confirmed yet: kept on disk until the receipt, not until the broker's PUBACK.

One append-only text file a fleet. A line is written before the message goes out and another when its receipt came, so a fleet
that was killed knows what to send again, and under which numbers to go on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

from edge_sim.devices import encode
from edge_sim.wire import Word

MAX_HELD: Final = 200_000
"""Readings a fleet holds at most (about 40 MB); beyond it the oldest are declared lost, as a full device does."""
COMPACT_AFTER: Final = 50_000
"""Dead lines after which the file is rewritten."""
MAX_TRIES: Final = 5
MAX_CUTS: Final = 100

Number = tuple[int, int]
"""(run, seq)."""


@dataclass(slots=True)
class Held:
    """One unconfirmed message.

    Attributes
    ----------
    at : int [s]
        True time from which on it may go out.
    due : float [monotonic s]
        When it may be sent again.
    tries, cuts : int
        How often it was sent, and how often the link broke meanwhile.
    """

    body: bytes
    at: int = 0
    retain: bool = False
    tries: int = 0
    due: float = 0.0
    cuts: int = 0

    @property
    def hopeless(self) -> bool:
        """Whether it was tried often enough. A try that a lost connection cut short is none, unless that happens for ever: it may be the cause."""
        return self.tries >= MAX_TRIES or self.cuts >= MAX_CUTS

    def cut(self, now: float) -> None:
        """The connection was lost."""
        if self.tries and self.due > now:
            self.tries -= 1
            self.cuts += 1


@dataclass(slots=True)
class Book:
    """One device's part: what is held, in order of number, and where its count and its measuring stand."""

    held: dict[Number, Held] = field(default_factory=dict)
    run: int = 0
    seq: int = 0
    said: int = 0


class Spool:
    """All books of a fleet, in one file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.books: dict[str, Book] = {}
        self._dead = 0
        self._size = 0
        if path.exists():
            self._load(path.read_bytes())
        path.parent.mkdir(parents=True, exist_ok=True)
        self._compact()
        self._file: IO[bytes] = path.open("ab")

    def book(self, device: str) -> Book:
        """The device's book, empty if it is new."""
        return self.books.setdefault(device, Book())

    def __len__(self) -> int:
        return self._size

    def add(self, device: str, words: Iterable[Word], said: int) -> list[Number]:
        """Hold new words; returns the numbers given up because the spool is full.

        Parameters
        ----------
        said : int [s]
            Up to when everything is measured, so that nothing is measured twice.
        """
        book, name = self.book(device), device.encode()
        lines = []
        for word in words:
            number = word.number
            body = word.body or encode(word.row)
            book.held[number] = Held(body, word.at, word.retain)
            book.run, book.seq = number[0], number[1] + 1
            lines.append(_line(name, number, book.held[number]))
        self._size += len(lines)
        book.said = said
        lines.append(_counter(device, book))
        self._file.write(b"".join(lines))
        self._file.flush()
        return self.drop(device, list(book.held)[: self._size - MAX_HELD]) if self._size > MAX_HELD else []

    def drop(self, device: str, numbers: Iterable[Number]) -> list[Number]:
        """Forget messages: confirmed or given up; returns those that were held."""
        book, name = self.book(device), device.encode()
        gone = [number for number in numbers if book.held.pop(number, None)]
        self._size -= len(gone)
        self._dead += 2 * len(gone)
        self._file.write(b"".join(b"- %s %d %d\n" % (name, run, seq) for run, seq in gone))  # not flushed: what a kill forgets here is sent once more
        if self._dead > COMPACT_AFTER:
            self._file.close()
            self._compact()
            self._file = self.path.open("ab")
        return gone

    def covered(self, device: str, run: int, ranges: Sequence[tuple[int, int]]) -> list[Number]:
        """Held numbers of a run that lie in a receipt's ranges (both ends included)."""
        held = self.book(device).held
        if sum(high - low + 1 for low, high in ranges) <= 2 * len(held):
            return [(run, seq) for low, high in ranges for seq in range(low, high + 1) if (run, seq) in held]
        return [(own, seq) for own, seq in held if own == run and any(low <= seq <= high for low, high in ranges)]

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _load(self, content: bytes) -> None:
        for line in content.split(b"\n")[:-1]:
            kind, device, rest = line.split(b" ", 2)
            book = self.book(device.decode())
            if kind == b"-":
                run, seq = rest.split()
                book.held.pop((int(run), int(seq)), None)
            elif kind == b"@":
                book.run, book.seq, book.said = (int(word) for word in rest.split())
            else:
                _hold(book, rest)
        self._size = sum(len(book.held) for book in self.books.values())

    def _compact(self) -> None:
        draft = self.path.with_suffix(".new")
        with draft.open("wb") as out:
            for device, book in self.books.items():
                out.writelines(_line(device.encode(), number, held) for number, held in book.held.items())
                out.write(_counter(device, book))
        draft.replace(self.path)
        self._dead = 0


def _line(device: bytes, number: Number, held: Held) -> bytes:
    return b"+ %s %d %d %d %d %s\n" % (device, *number, held.at, held.retain, held.body)


def _counter(device: str, book: Book) -> bytes:
    """Closes what one measurement added: without it (a torn write) the slot is measured again, under new numbers."""
    return b"@ %s %d %d %d\n" % (device.encode(), book.run, book.seq, book.said)


def _hold(book: Book, rest: bytes) -> None:
    run, seq, at, retain, body = rest.split(b" ", 4)
    book.held[int(run), int(seq)] = Held(body, int(at), retain == b"1")
    book.run, book.seq = int(run), int(seq) + 1
