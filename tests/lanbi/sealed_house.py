"""Journals with sealed files, made small and deterministic, for the tests of sealing, verifying and keeping."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lanbi.journal import JournalReader, JournalWriter, Record
from lanbi.sealing import seal, sealable
from lanbi.seals import Seal

DAY_NS = 86_400 * 10**9
NOON_NS = 1_760_000_000 * 10**9
TOPIC = "lanbi/v1/dev/data"


def journalled(folder: Path, days: int, *, groups: tuple[int, ...] = (2, 1, 3), size: int = 40, seed: int = 1, writer: str = "mqtt") -> list[Record]:
    """A journal of some days with these commits each day; random payloads do not compress, so blocks stay large."""
    chance = np.random.default_rng(seed)
    one = JournalWriter(folder, writer)
    made: list[Record] = []
    for day in range(days):
        for group in groups:
            for _ in range(group):
                payload = chance.bytes(size)
                when = NOON_NS + day * DAY_NS + len(made)
                seq = one.append(TOPIC, payload, received_ns=when, readings=len(made) % 3 + 1, flags=1)
                made.append(Record(writer, seq, when, 1, len(made) % 3 + 1, TOPIC, payload))
            one.commit()
    one.close()
    return made


def seal_all(folder: Path, writer: str = "mqtt") -> list[Seal]:
    """Seal whatever is closed."""
    return [seal(folder, writer, path) for path in sealable(folder, writer)]


def everything(folder: Path, writer: str = "mqtt") -> list[Record]:
    """All records that a reader finds."""
    reader = JournalReader(folder, writer)
    found: list[Record] = []
    while some := reader.read(1_000):
        found += some
    return found


def flip(path: Path, offset: int, bits: int = 0x55) -> None:
    """Damage one byte of a file, whatever its mode."""
    data = bytearray(path.read_bytes())
    data[offset] ^= bits
    path.chmod(0o640)
    path.write_bytes(data)
