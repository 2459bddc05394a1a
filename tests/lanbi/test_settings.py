"""Settings: validated whole, nothing secret held."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.errors import SettingsError
from lanbi.settings import KEYS, load, variable


def write(folder: Path, text: str) -> str:
    """A settings file."""
    path = folder / "lanbi.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_without_a_file_the_defaults_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No file and no environment give the documented defaults, on the loopback only."""
    monkeypatch.chdir(tmp_path)

    settings = load(None, {})

    assert Path("var") == settings.data
    assert all(value.startswith("127.0.0.1:") for value in (settings.http.listen, settings.ingest.health, settings.analyse.health))


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    """A LANBI_ variable replaces the key of the file; lists are separated by colons."""
    path = write(tmp_path, 'data = "a"\n[store]\nurl = "http://x:1"\n')

    settings = load(path, {"LANBI_DATA": "b", "LANBI_TARGETS": "p.toml:q.toml", "LANBI_REQUIRE_SERVICES": "1", "LANBI_GRAFANA_URL": "free"})

    assert (Path("b"), "http://x:1") == (settings.data, settings.store.url)
    assert (Path("p.toml"), Path("q.toml")) == settings.targets


def test_all_faults_are_told_at_once_with_their_lines(tmp_path: Path) -> None:
    """Unknown keys name the nearest known one; wrong values say what is needed."""
    path = write(tmp_path, 'dat = "x"\n[http]\nlisten = "everywhere"\n[store]\nkind = "oracle"\nbuckt = "b"\n[broker]\nurl = "mqtt://u:secret@h"\n')

    with pytest.raises(SettingsError) as error:
        load(path, {"LANBI_HTTP_LISTN": "x"})

    said = str(error.value)
    expected = [f"{path}:1", "'data'", f"{path}:3", f"{path}:5", f"{path}:6", "'bucket'", f"{path}:8", "LANBI_HTTP_LISTN", "LANBI_HTTP_LISTEN"]
    assert [] == [part for part in expected if part not in said]
    assert "secret" not in said


def test_a_missing_or_broken_file_is_told(tmp_path: Path) -> None:
    """A named file must exist and be TOML."""
    with pytest.raises(SettingsError, match="no such file"):
        load(str(tmp_path / "none.toml"), {})
    with pytest.raises(SettingsError, match="not TOML") as error:
        load(write(tmp_path, "data = \n"), {})
    assert error.value.where.endswith(":1")


def test_settings_hold_paths_of_secrets_never_a_secret(tmp_path: Path) -> None:
    """The rendered settings do not contain what stands in a password file."""
    secret = tmp_path / "broker"
    secret.write_text("hunter2", encoding="utf-8")
    settings = load(write(tmp_path, f'[broker]\npassword_file = "{secret}"\n'), {})

    assert secret == settings.broker.password_file
    assert "hunter2" not in repr(settings)


def test_every_key_has_a_variable_of_its_own() -> None:
    """No two keys share a name in the environment."""
    assert len(KEYS) == len({variable(key) for key in KEYS})
