"""What is taken from memory is what stands on the disk: a reader cannot tell, whatever the writer and it do in between."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import JournalError
from lanbi import journal as module
from lanbi.journal import JournalReader, JournalWriter
from lanbi.journal_recent import Recent
from lanbi.journal_walk import Walk

DAY_NS = 86_400 * 10**9
NOW_NS = 1_795_392_000 * 10**9
SAY = st.tuples(st.just("say"), st.integers(0, 3), st.integers(1, 4))
STEPS = st.lists(
    SAY | SAY | st.sampled_from([("commit",), ("commit",), ("fail",), ("read", 1), ("read", 5_000), ("day",), ("again",), ("restart",)]),
    min_size=1, max_size=40,
)  # fmt: skip


class Pair:
    """A writer, and two readers that follow it: one takes from its memory, the other reads the disk."""

    def __init__(self, folder: Path, most: int) -> None:
        self.folder, self.recent, self.now = folder, Recent(most), NOW_NS
        self.restart()
        self.again(0)

    def say(self, many: int, size: int) -> None:
        """Append some messages."""
        for number in range(many):
            self.writer.append(f"t/{number}", b"x" * (40 * size), received_ns=self.now + number, readings=size)

    def commit(self) -> None:
        """Make them durable."""
        self.writer.commit()

    def fail(self) -> None:
        """The disk does not take them."""
        if self.writer.pending:
            with patch.object(module.os, "fdatasync", side_effect=OSError(5, "no")), pytest.raises(JournalError):
                self.writer.commit()

    def read(self, limit: int) -> None:
        """Both give and know the same."""
        one, other = ([reader.read(limit), reader.after, reader.readings, reader.take_losses()] for reader in self.readers)
        assert one == other

    def day(self) -> None:
        """The next commit opens another file."""
        self.now += DAY_NS

    def again(self, after: int | None = None) -> None:
        """Readers begin where they were."""
        after = self.readers[0].after if after is None else after
        self.readers = [JournalReader(self.folder, "mqtt", after, recent) for recent in (self.recent, None)]

    def restart(self) -> None:
        """The writer begins where it was."""
        if hasattr(self, "writer"):
            self.writer.close()
        self.writer = JournalWriter(self.folder, "mqtt", recent=self.recent)


@settings(deadline=None)
@given(STEPS, st.sampled_from([0, 300, 1 << 20]))
def test_memory_and_disk_give_the_same(steps: list[tuple[Any, ...]], most: int) -> None:
    """Commits of every size, failed ones, new days, readers that begin again and writers that do, with much, little and no memory."""
    with tempfile.TemporaryDirectory() as folder:
        pair = Pair(Path(folder), most)
        for step, *more in [*steps, ("commit",), ("read", 1_000_000)]:
            getattr(pair, step)(*more)
        pair.writer.close()


def test_a_follower_reads_nothing_from_the_disk(tmp_path: Path) -> None:
    """Once it has come to the end it finds all further commits in memory, and behind them nothing."""
    recent = Recent()
    writer = JournalWriter(tmp_path, "mqtt", recent=recent)
    writer.append("t", b"1", received_ns=NOW_NS)
    writer.commit()
    reader = JournalReader(tmp_path, "mqtt", 0, recent)
    assert [b"1"] == [record.payload for record in reader.read()]
    with patch.object(Walk, "groups", side_effect=AssertionError("the disk is read")):
        for number in range(2, 5):
            writer.append("t", b"%d" % number, received_ns=NOW_NS)
            writer.commit()
            assert [b"%d" % number] == [record.payload for record in reader.read()]
            assert [] == reader.read()
    writer.close()


def test_memory_is_bounded(tmp_path: Path) -> None:
    """A reader that does not come, as in an outage of the store, costs no more than was agreed."""
    recent = Recent(10_000)
    writer = JournalWriter(tmp_path, "mqtt", recent=recent)
    for number in range(100):
        writer.append("t", bytes(500), received_ns=NOW_NS + number)
        writer.commit()
        held = sum(len(record.payload) for commit in recent._commits.values() for record in commit.records)
        assert min(number, 10) * 500 <= held <= 10_000
    writer.close()
    assert 100 == len(JournalReader(tmp_path, "mqtt", 0, recent).read())
