"""Finding a place in a journal file: right wherever it is, and cheap close behind the end, where it is asked for twice a second."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lanbi.frames import Trailer
from lanbi.journal import JournalReader, JournalWriter
from lanbi.journal_bytes import PlainBytes
from lanbi.journal_files import durable_end, read_tip, salt_of, seek

NOW = 1_760_000_000 * 10**9


def written(folder: Path, commits: list[tuple[int, int]]) -> Path:
    """A journal with commits of so many records of so many bytes, in one file."""
    writer = JournalWriter(folder, "mqtt")
    for records, size in commits:
        for _ in range(records):
            writer.append("t", bytes(size), received_ns=NOW, readings=1)
        writer.commit()
    writer.close()
    (path,) = (folder / "mqtt").glob("*.lbj")
    return path


@pytest.mark.parametrize("seed", range(4))
def test_every_place_is_found(tmp_path: Path, seed: int) -> None:
    """Behind each record the trailer is the last one that covers no later record, whatever sizes the commits have."""
    chance = np.random.default_rng(seed)
    commits = [(int(chance.integers(1, 6)), int(chance.choice([10, 3_000, 60_000]))) for _ in range(60)]
    path = written(tmp_path, commits)
    end, salt = durable_end(path, read_tip(tmp_path, "mqtt")), salt_of(path)
    assert salt is not None
    edges = np.cumsum([records for records, _ in commits]).tolist()
    for after in range(edges[-1] + 1):
        _, found = seek(path, salt, after, end)

        assert max([edge for edge in edges if edge <= after], default=None) == (found.last_seq if found else None)
        assert [after + 1][: edges[-1] - after] == [record.seq for record in JournalReader(tmp_path, "mqtt", after).read(1)]


def test_close_behind_the_end_little_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However large the commits before are: a day in which a backlog arrived must not make each later look dear."""
    path = written(tmp_path, [(16, 250_000)] * 12 + [(1, 200)] * 40)
    end, salt, read = durable_end(path, read_tip(tmp_path, "mqtt")), salt_of(path), []
    inner = PlainBytes.pread

    def pread(source: PlainBytes, size: int, offset: int) -> bytes:
        found = inner(source, size, offset)
        read.append(len(found))
        return found

    monkeypatch.setattr(PlainBytes, "pread", pread)
    assert salt is not None
    _, found = seek(path, salt, 16 * 12 + 30, end)

    assert isinstance(found, Trailer)
    assert 16 * 12 + 30 == found.last_seq
    assert end > 48_000_000
    assert sum(read) < 500_000, read
