"""A truth log that is none, or damaged, is told with its place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from domain.errors import FileError
from lanbi.score.truth import load
from tests.edge_sim.small_county import registry

WHOLE = {"county": registry().county.id, "begin": 1, "end": 2, "until": 2}


@pytest.mark.parametrize("text", ["", "{", "[]", "5", json.dumps({**WHOLE, "begin": None}), json.dumps({"county": WHOLE["county"]})])
def test_an_unfinished_log_is_told(tmp_path: Path, text: str) -> None:
    """Half a file, another file, or one without its times: no traceback, and what to do."""
    (tmp_path / "scene.json").write_text(text)
    with pytest.raises(FileError, match="no finished truth log") as told:
        load(tmp_path, registry())

    assert str(tmp_path / "scene.json") == told.value.where and told.value.todo


def test_a_damaged_part_is_told(tmp_path: Path) -> None:
    """A part that is no Parquet file names the folder."""
    (tmp_path / "scene.json").write_text(json.dumps(WHOLE))
    (tmp_path / "numbers-00001.parquet").write_bytes(b"PAR1 nothing")
    with pytest.raises(FileError, match="a damaged truth log") as told:
        load(tmp_path, registry())

    assert str(tmp_path) == told.value.where
