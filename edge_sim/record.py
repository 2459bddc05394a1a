"""The running log of a fleet: what was said under which number, and what of it was seen confirmed. One JSON line an entry.

Each call is flushed, so a killed fleet has said what it knew: whoever wants to prove that nothing confirmed is missing compares
this file with the store. The truth behind the readings stands in the columnar log (``truthlog``).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO, Protocol

from edge_sim.wire import Word


class Log(Protocol):
    """Who is told what a fleet does."""

    def sent(self, words: Sequence[Word]) -> None:
        """Words that were measured and will be published."""

    def receipt(self, device: str, numbers: Iterable[tuple[int, int]]) -> None:
        """Numbers that were confirmed for the first time."""

    def lost(self, device: str, run: int, low: int, high: int) -> None:
        """Numbers that the device gave up."""

    def error(self, device: str, answer: object) -> None:
        """An error reply."""

    def close(self) -> None:
        """Everything is said."""


class Record:
    """Writes the log, or nothing if there is no path."""

    def __init__(self, path: Path | None = None) -> None:
        self._file: IO[str] | None = None
        if path:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("a", encoding="utf-8")

    def sent(self, words: Sequence[Word]) -> None:
        """Words that were measured and will be published; events and what has no number are not logged."""
        self._write(
            {
                "said": one.device,
                "run": one.number[0],
                "seq": one.number[1],
                "source": one.source,
                "span": one.row["span"],
                "time": one.slot,
                "values": one.row["values"],
            }
            for one in words
            if one.held
        )

    def receipt(self, device: str, numbers: Iterable[tuple[int, int]]) -> None:
        """Numbers that a receipt confirmed for the first time."""
        self._write({"confirmed": device, "run": run, "seq": seq} for run, seq in numbers)

    def lost(self, device: str, run: int, low: int, high: int) -> None:
        """Numbers that the device gave up."""
        self._write([{"lost": device, "run": run, "from": low, "to": high}])

    def error(self, device: str, answer: object) -> None:
        """An error reply."""
        self._write([{"error": device, "answer": answer}])

    def close(self) -> None:
        """Let go of the file."""
        if self._file:
            self._file.close()

    def _write(self, rows: Iterable[dict[str, object]]) -> None:
        if self._file:
            self._file.writelines(json.dumps(row) + "\n" for row in rows)
            self._file.flush()


def runs(numbers: Iterable[tuple[int, int]]) -> list[tuple[int, int, int]]:
    """Neighbouring numbers of one run joined: (run, first, last)."""
    out: list[tuple[int, int, int]] = []
    for run, seq in sorted(numbers):
        if out and out[-1][0] == run and out[-1][2] == seq - 1:
            out[-1] = (run, out[-1][1], seq)
        else:
            out.append((run, seq, seq))
    return out
