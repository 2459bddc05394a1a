"""Waiting for an ingest: as long as it gets on with anything, and a minute longer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from domain.errors import WorkError
from ingest.jobs import RECHECK, Job
from ingest.ports import Batch
from lanbi.forwarding import STALLED_S, Patience
from lanbi.state import State


@dataclass
class Hand:
    """A clock that a test moves; sleeping costs no time."""

    now: float = 0.0

    def monotonic(self) -> float:
        """Its time [s]."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Nothing."""

    def now_ns(self) -> int:
        """Nobody asks."""
        raise NotImplementedError


def test_any_progress_counts_and_none_is_told(tmp_path: Path) -> None:
    """Live batches, and slices of other jobs that stand before ours, are progress; a minute without any ends the waiting with what to do."""
    clock, state = Hand(), State(tmp_path)
    patience = Patience(tmp_path, clock, "look at it")
    job = Job("recheck/mqtt/1/withdrawn", RECHECK, 0, "lanbi")
    for step, batch in enumerate((Batch("mqtt", 5, 5), Batch("mqtt", 9, 9), Batch("", 0, 0, jobs=[job]))):
        state.commit(batch, "1")
        clock.now = step * STALLED_S
        patience.wait()
    for slices in (1, 2):
        job.slices = slices
        state.commit(Batch("", 0, 0, jobs=[job]), "1")
        clock.now += STALLED_S + 1
        patience.wait()
    clock.now += STALLED_S
    patience.wait()
    clock.now += 1
    with pytest.raises(WorkError, match="forwarded nothing for a minute") as told:
        patience.wait()
    state.close()

    assert "look at it" == told.value.todo
