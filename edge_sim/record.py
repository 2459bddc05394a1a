"""The truth log of a fleet: what was said under which number, and what of it was seen confirmed. One JSON line an entry.

Whoever wants to prove that nothing confirmed is missing compares this file with the store.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO

from domain.message import Message


class Record:
    """Writes the log, or nothing if there is no path. Each call is flushed, so a killed fleet has said what it knew."""

    def __init__(self, path: Path | None = None) -> None:
        self._file: IO[str] | None = None
        if path:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("a", encoding="utf-8")

    def sent(self, device: str, messages: Sequence[Message]) -> None:
        """Messages that were measured and will be published."""
        self._write(
            {
                "said": device,
                "run": one.run,
                "seq": one.seq,
                "source": one.source,
                "span": one.span,
                "time": one.time,
                "values": one.values,
            }
            for one in messages
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
