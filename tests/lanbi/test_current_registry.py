"""An applied registry is taken without a restart; a broken one leaves the old one standing."""

from __future__ import annotations

from pathlib import Path

import pytest

from lanbi import wiring
from lanbi.current_registry import CurrentRegistry
from lanbi.plans import folder
from lanbi.settings import Settings

OTHER = (folder() / "sample-county-b.toml").read_text(encoding="utf-8")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """The sample county, with nothing applied yet."""
    path = tmp_path / "lanbi.toml"
    path.write_text(f'data = "{tmp_path / "data"}"\ncounty = "{folder() / "sample-county.toml"}"\n', encoding="utf-8")
    (tmp_path / "data" / "registry").mkdir(parents=True)
    return wiring.settings(str(path))


def test_another_registry_is_noticed_once(settings: Settings) -> None:
    """Whoever asks whether it changed hears so once, and not of a file that cannot be read."""
    current = CurrentRegistry(settings)
    applied = settings.data / "registry" / "current.toml"
    before = current.changed()
    applied.write_text(OTHER, encoding="utf-8")
    changed, again = current.changed(), current.changed()
    applied.write_text("[county", encoding="utf-8")

    assert (False, True, False, False) == (before, changed, again, current.changed())


def test_whoever_asks_for_it_has_the_newest_that_can_be_read(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    """The file that the settings name, then the applied one; of a broken one the fault is told once, with its place."""
    current = CurrentRegistry(settings)
    applied = settings.data / "registry" / "current.toml"
    first = current()
    applied.write_text(OTHER, encoding="utf-8")
    second = current()
    applied.write_text("broken =", encoding="utf-8")
    third, fourth = current(), current()
    told = capsys.readouterr().err

    assert first.version != second.version
    assert third is fourth is second
    assert 1 == told.count(str(applied))
    applied.write_text(settings.county.read_text(encoding="utf-8").replace('name = "示例区"', 'name = "新区"'), encoding="utf-8")
    assert "新区" == current().county.name
