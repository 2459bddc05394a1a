"""The demo's simulated time."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.civil import parse_time
from domain.errors import WorkError
from lanbi.clock import Anchor, SimClock, SystemClock, begin, reserve

START_NS = parse_time("2025-10-01T00:00:00+08:00") * 10**9
DAY_NS = 86_400 * 10**9


def test_first_start_begins_at_the_given_time(tmp_path: Path) -> None:
    """A new clock starts at the asked-for instant."""
    clock = begin(tmp_path / "clock.json", START_NS, 60)

    assert START_NS <= clock.now_ns() < START_NS + DAY_NS
    assert 60 == clock.speed


def test_restart_continues_behind_everything_acted_on(tmp_path: Path) -> None:
    """A restart never sees a time that an earlier process could have seen already."""
    path = tmp_path / "clock.json"
    first = begin(path, START_NS, 3600)
    reserve(path, first)
    seen = first.now_ns()

    second = begin(path, 0, 60)

    assert seen < second.now_ns() < seen + DAY_NS


def test_simulated_time_never_passes_real_time(tmp_path: Path) -> None:
    """However fast it runs, the simulated clock stops at the real one."""
    real = SystemClock()
    path = tmp_path / "clock.json"
    clock = begin(path, real.now_ns() - 1, 1e9)
    reserve(path, clock)

    assert clock.now_ns() <= real.now_ns()
    assert Anchor.read(path).reserved_ns <= real.now_ns()


def test_all_processes_see_the_same_time(tmp_path: Path) -> None:
    """Two clocks on one file agree."""
    path = tmp_path / "clock.json"
    mine = begin(path, START_NS, 0.001)
    other = SimClock(path)

    assert abs(mine.now_ns() - other.now_ns()) < 10**9


@pytest.mark.parametrize("content", [None, "", "{}", '{"sim_ns": 1, "other": 2}', "[1]"])
def test_broken_clock_file_is_explained(tmp_path: Path, content: str | None) -> None:
    """A missing or damaged clock file is one clear error that names the file."""
    path = tmp_path / "clock.json"
    if content is not None:
        path.write_text(content)

    with pytest.raises(WorkError) as caught:
        SimClock(path)

    assert str(path) == caught.value.where
