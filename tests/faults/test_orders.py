"""The order campaign in small, and that it would see the faults that it is there to see."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ingest import revisions
from lanbi.analyst import Analyst
from tests.faults.orders import Judge, one_history
from tests.faults.parts.histories import history

SEED = 20_261


def found(folder: Path, seeds: range) -> Judge:
    """What the campaign finds in some histories."""
    judge = Judge()
    for place, seed in enumerate(seeds):
        (folder / str(seed)).mkdir()
        one_history(seed, folder / str(seed), judge, bare=place > 1)
    return judge


def test_histories_end_in_the_state_of_a_computation_on_everything(tmp_path: Path) -> None:
    """Ten histories, with repetitions, corrections, late ones, marks and restarts: no fault, and something was superseded."""
    judge = found(tmp_path, range(SEED, SEED + 10))

    assert ({}, []) == (dict(judge.faults), judge.examples)
    assert judge.superseded > 0 and judge.days > 30 and judge.figures > 1_000


def test_a_history_is_a_function_of_its_seed() -> None:
    """The logged seed gives the same history and the same arrival again."""
    assert history(5) == history(5)
    assert history(5) != history(6)


def last_arrival_wins(new: Any, old: Any, name: str) -> str:
    """A wrong rule: what comes later stands."""
    return "duplicate" if (new.value, new.flag) == (old.value, old.flag) else "replace"


def keeps_cube(self: Analyst, book: Any, one: Any) -> list[Any]:
    """A wrong analyst: touched days are not read again."""
    return []


FAULTS: list[tuple[str, Any, str, Callable[..., Any], set[str]]] = [
    ("revision", revisions, "_fate", last_arrival_wins, {"rows", "twin"}),
    ("cube", Analyst, "_reread", keeps_cube, {"cubes", "figures"}),
]


@pytest.mark.parametrize(("name", "owner", "part", "wrong", "kinds"), FAULTS, ids=[row[0] for row in FAULTS])
def test_a_planted_fault_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, owner: Any, part: str, wrong: Callable[..., Any], kinds: set[str]
) -> None:
    """A rule of arrival instead of revision, and a touched day that is not read again, are named within a few histories."""
    monkeypatch.setattr(owner, part, wrong)
    judge = found(tmp_path, range(SEED, SEED + 6))

    assert kinds <= set(judge.faults), dict(judge.faults)


def test_lost_versions_are_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A state that remembers no superseded value is named."""
    monkeypatch.setattr("tests.faults.orders.State.versions", lambda self, keys: {})
    judge = found(tmp_path, range(SEED, SEED + 2))

    assert judge.faults["superseded"] > 0


def test_marks_are_part_of_it() -> None:
    """Histories have entries of every kind that figures are made of, values on the limits, and hour 24 of New Year's Eve."""
    made = [history(seed) for seed in range(40)]
    topics = {entry.topic.rpartition("/")[2] for one in made for entry in one.entered}
    labels = {message.time for one in made for said in one.said.values() for message in said}

    assert {"dust", "mark", "reviewed", "official"} == topics
    assert 1_735_660_800 in labels, "2025-01-01T00:00+08:00"
    assert any(message.values.get("o3") == 160.0 for one in made for said in one.said.values() for message in said)
    assert 0 < np.mean([one.bad for one in made])
