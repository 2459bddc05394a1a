"""Machine code of the kernels: what the installation has compiled goes to a new data folder, and nothing else is touched."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from lanbi import machine_code
from lanbi.assess.calculators import CALCULATORS
from lanbi.assess.warming import runs


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Code of an installation."""
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "prefix"))
    code = machine_code.installed() / "kernels_0" / "aqi.nbi"
    code.parent.mkdir(parents=True)
    code.write_bytes(b"code")
    return code


def test_a_new_data_folder_gets_the_installations_code(tmp_path: Path, installed: Path) -> None:
    """The first use of a data folder copies the code; a second leaves alone what stands there."""
    data = tmp_path / "data"
    found = machine_code.prepared(data)

    assert machine_code.folder(data) == found
    assert installed.read_bytes() == (found / "kernels_0" / "aqi.nbi").read_bytes()
    (found / "kernels_0" / "aqi.nbi").write_bytes(b"newer")
    machine_code.prepared(data)
    assert b"newer" == (found / "kernels_0" / "aqi.nbi").read_bytes()
    assert [found] == list(found.parent.iterdir())


def test_who_uses_the_calculator_gets_it_too(tmp_path: Path, installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first table does not wait for a compiler: the user's own folder is filled like a data folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    found = machine_code.prepared()

    assert machine_code.personal() == found
    assert installed.read_bytes() == (found / "kernels_0" / "aqi.nbi").read_bytes()


def test_every_calculator_is_warmed() -> None:
    """One that is not would make the first table wait."""
    assert set(CALCULATORS) == {kind for kind, _, _ in runs()}


def test_without_it_each_data_folder_compiles_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation that compiled nothing gives the folder and no file."""
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "prefix"))

    assert not machine_code.prepared(tmp_path / "data").exists()


def test_other_sources_have_other_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Code of before a change is not even looked at; of the same sources it is found again."""
    monkeypatch.setattr(machine_code, "SOURCES", tmp_path / "analytics")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    source = tmp_path / "analytics" / "kernels" / "aqi.py"
    source.parent.mkdir(parents=True)
    seen = []
    for text in ("old", "new", "old"):
        source.write_text(text)
        machine_code.edition.cache_clear()
        seen.append((machine_code.folder(tmp_path), machine_code.installed(), machine_code.personal()))
    machine_code.edition.cache_clear()

    assert seen[0] == seen[2]
    assert not set(seen[0]) & set(seen[1])
