"""History into the journal: complete, resumable, and once."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from domain.civil import parse_time
from lanbi.clock import SystemClock
from lanbi.journal import JournalReader
from lanbi.progress import Progress
from lanbi.simulated_history import Past, append, expected, journalled
from tests.edge_sim.small_county import registry

PAST = Past(seed=1, until=parse_time("2025-10-01T00:00:00+08:00"), days=20)


class StopError(Exception):
    """The operator pressed Ctrl-C."""


def content(folder: Path) -> list[bytes]:
    """All payloads of the import journal."""
    reader, found = JournalReader(folder, "import"), []
    while records := reader.read():
        found.extend(record.payload for record in records)
    return found


def test_interrupted_history_is_the_same_history(tmp_path: Path) -> None:
    """Stopped after the first commit and begun again, the journal holds what an undisturbed run writes."""

    def stop(_: int) -> None:
        raise StopError

    whole = append(tmp_path / "a", registry(), PAST, 1, lambda _: None)
    with pytest.raises(StopError):
        append(tmp_path / "b", registry(), PAST, 1, stop)
    resumed = append(tmp_path / "b", registry(), PAST, 1, lambda _: None)

    assert whole == resumed
    assert content(tmp_path / "a") == content(tmp_path / "b")


def test_history_is_written_once(tmp_path: Path) -> None:
    """A second run adds nothing; another seed is another history."""
    append(tmp_path, registry(), PAST, 1, lambda _: None)
    before = len(content(tmp_path))
    append(tmp_path, registry(), PAST, 1, lambda _: None)

    assert before == len(content(tmp_path)) == journalled(tmp_path, PAST.topic)
    assert 0 == journalled(tmp_path, Past(2, PAST.until, PAST.days).topic)


def test_progress_reaches_the_end(tmp_path: Path) -> None:
    """The told progress only grows and ends near what was expected."""
    told: list[int] = []
    total = append(tmp_path, registry(), PAST, 1, told.append)

    assert sorted(told) == told
    assert 0.97 * expected(registry(), PAST) < total <= expected(registry(), PAST)


def test_no_bar_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a terminal nothing is drawn."""
    bar = Progress("x", 10, SystemClock(), sys.stderr)
    bar.at(5)
    bar.close()

    assert "" == capsys.readouterr().err
