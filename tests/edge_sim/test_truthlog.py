"""The folder of a truth log: one scene, begun once, gone on with; what lanbi answered stands in it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from domain.civil import iso, parse_time
from domain.errors import InputError, WorkError
from edge_sim import scenario_files
from edge_sim.truthlog import TruthLog, read
from lanbi.playing import Play, staged
from tests.clocks import At
from tests.edge_sim.small_county import registry

START = parse_time("2025-03-01T00:00:00+08:00")


def wish(folder: Path, seed: int = 4, lines: int = 0) -> Play:
    """The last four days, with a gap, at full speed."""
    path = folder.parent / "own.toml"
    path.write_text('begin = "last"\ndays = 4\n[[fault]]\nkind = "gap"\ntarget = "air#0"\nat = "1d"\n', encoding="utf-8")
    return Play(str(path), seed, 0.0, None, folder, lines)


def test_error_replies_stand_in_the_log(tmp_path: Path) -> None:
    """What lanbi refused is kept word by word, beside what it was about."""
    truth = TruthLog(tmp_path, scenario_files.load("quiet-year").on(registry(), 1, START), {})
    truth.error("d-a-1", {"seq": 3, "reason": "retained"})
    truth.flush()
    truth.error("d-a-2", {"seq": 4, "reason": "oversize"})
    truth.close()

    assert [("d-a-1", '{"seq": 3, "reason": "retained"}'), ("d-a-2", '{"seq": 4, "reason": "oversize"}')] == [
        (row["device"], row["answer"]) for row in read(tmp_path, "errors").to_pylist()
    ]


def test_a_scene_goes_on_from_its_own_begin(tmp_path: Path) -> None:
    """A scenario of the last days that is started again after midnight is still the same scene."""
    first = staged(registry(), At("2026-03-05T23:00:00+08:00"), wish(tmp_path))
    TruthLog(tmp_path, first, {})
    again = staged(registry(), At("2026-03-06T09:00:00+08:00"), wish(tmp_path))
    TruthLog(tmp_path, again, {})

    assert "2026-03-01T00:00:00+08:00" == iso(first.begin) == iso(again.begin)
    assert first.faults == again.faults


def test_another_scene_is_refused(tmp_path: Path) -> None:
    """Readings of two seeds, begins or registries in one log would be no truth; nothing of the first is overwritten."""
    scene = staged(registry(), At("2026-03-05T23:00:00+08:00"), wish(tmp_path))
    TruthLog(tmp_path, scene, {})
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    others = [
        staged(registry(), At("2026-03-05T23:00:00+08:00"), wish(tmp_path, seed=5)),
        replace(scene, begin=scene.begin - 86_400),
        replace(scene, faults=scene.faults[1:]),
    ]
    for other in others:
        with pytest.raises(InputError, match="another scene") as told:
            TruthLog(tmp_path, other, {})
        assert str(tmp_path) == told.value.where

    assert before == {path.name: path.read_bytes() for path in tmp_path.iterdir()}


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """A file in its place: one message with the place."""
    (tmp_path / "taken").write_text("")
    with pytest.raises(WorkError, match="cannot be written") as told:
        TruthLog(tmp_path / "taken", staged(registry(), At("2026-03-05T23:00:00+08:00"), wish(tmp_path)), {})

    assert str(tmp_path / "taken") == told.value.where


def test_fewer_than_no_connections_are_refused(tmp_path: Path) -> None:
    """A negative number of shared connections is no number of devices."""
    with pytest.raises(InputError, match="-3 connections"):
        staged(registry(), At("2026-03-05T23:00:00+08:00"), wish(tmp_path, lines=-3))
