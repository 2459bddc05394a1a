"""A small journal whose records say who they are."""

from __future__ import annotations

from pathlib import Path

from lanbi.journal import JournalWriter, Record, read
from tests.lanbi.sealed_house import NOON_NS, TOPIC


def fill(folder: Path, groups: tuple[int, ...] = (2, 1, 3)) -> list[Record]:
    """A small journal with groups of these sizes; record n holds n readings."""
    writer = JournalWriter(folder, "mqtt")
    number = 0
    for size in groups:
        for _ in range(size):
            number += 1
            writer.append(TOPIC, f"payload {number}".encode(), received_ns=NOON_NS + number, readings=number)
        writer.commit()
    writer.close()
    return read(folder, "mqtt", 0, 10**9)
