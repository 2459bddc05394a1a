"""Upgrade and back: a folder that an older lanbi left, marks of newer ones, and settings written for the next release."""

from __future__ import annotations

import json
import sqlite3
import tarfile
import tomllib
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from domain.items import REALMS
from lanbi import release, state_schema, upgrading
from lanbi.cli import main
from lanbi.embedded import EmbeddedStore
from lanbi.embedded_schema import version_of
from lanbi.release import RELEASE, Release
from lanbi.settings import load
from lanbi.state import State, StateView

ROOT = Path(__file__).resolve().parents[2]
RECORDED = Path(__file__).parent / "recorded" / "state2.tar.gz"
"""Of commit 964618d (state.db of schema 2), by `python -m scripts.record_folder`."""
NEXT = Release(RELEASE.major, RELEASE.minor + 1)
AFTER = Release(RELEASE.major, RELEASE.minor + 2)


@pytest.fixture
def old(tmp_path: Path) -> tuple[Path, str]:
    """The recorded folder and settings that name it."""
    data = tmp_path / "data"
    with tarfile.open(RECORDED) as tar:
        tar.extractall(data, filter="data")
    config = tmp_path / "lanbi.toml"
    config.write_text(f'data = "{data}"\ncounty = "{data}/county.toml"\ntargets = ["{ROOT}/plans/chiping.toml"]\n')
    return data, str(config)


def held(data: Path) -> dict[str, Any]:
    """What store and account hold, as the old program said it."""
    store = EmbeddedStore(data / "store.db")
    rows = [
        [row.kind, row.source, row.span, row.time, int(row.rev), sorted(row.values.items()), sorted(row.flags.items())]
        for kind in REALMS
        for row in store.rows(kind, None, -(2**40), 2**40)
    ]
    store.close()
    view = StateView(data)
    law = view.conservation()
    view.close()
    return dict(json.loads(json.dumps({"rows": rows, "law": law})))


def expected(data: Path) -> dict[str, Any]:
    """What the old program said that it held."""
    return dict(json.loads((data / "expected.json").read_text()))


def contents(folder: Path) -> dict[str, bytes]:
    """Every file but those by which SQLite readers speak to each other."""
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file() and not path.name.endswith(("-shm", "-wal"))}


def stamp(path: Path, version: int, more: str = "") -> None:
    """Mark a database as a newer program would."""
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(f"PRAGMA user_version = {version}")
        if more:
            db.execute(more)


def test_the_recording_is_old_and_small() -> None:
    """It is of an older schema than today's, or it would show nothing."""
    with tarfile.open(RECORDED) as tar:
        names = set(tar.getnames())

    assert {"state.db", "store.db", "expected.json"} <= names
    assert any(name.startswith("journal/import/") for name in names)
    assert RECORDED.stat().st_size < 200_000


def test_a_dry_run_tells_and_changes_nothing(old: tuple[Path, str], capsys: pytest.CaptureFixture[str]) -> None:
    """Part by part: what was found, what this release writes, what becomes of it."""
    data, config = old
    before = contents(data)
    assert 0 == main(["upgrade", "--dry-run", "--json", "--config", config])
    told = {step["part"]: (step["found"], step["what"]) for step in json.loads(capsys.readouterr().out)}

    assert {"release": ("", "none"), "journal": ("1", "same"), "state.db": ("2", "raised"), "store.db": ("1", "same"), "access.db": ("", "none")} == told
    assert before == contents(data)


def test_an_old_folder_is_read_whole(old: tuple[Path, str], capsys: pytest.CaptureFixture[str]) -> None:
    """After the upgrade every row, revision and flag and every term of the account is what the old program said, and it all goes on."""
    data, config = old
    assert 0 == main(["upgrade", "--config", config])

    assert state_schema.SCHEMA.version == version_of(data / "state.db")
    assert expected(data) == held(data)
    assert 0 < expected(data)["law"]["stored"]
    csv = data.parent / "more.csv"
    csv.write_text("site,time,pm25,pm10,so2,no2,co,o3\nx1,2026-10-05T01:00:00+08:00,11,22,8,30,0.7,60\n")
    assert 0 == main(["import", "--format", "lanbi-csv", str(csv), "--config", config])
    after = held(data)
    assert expected(data)["law"]["stored"] + 1 == after["law"]["stored"]
    assert len(expected(data)["rows"]) + 1 == len(after["rows"])
    assert 0 == main(["journal", "verify", "--config", config])


def test_one_minor_version_back_loses_nothing(old: tuple[Path, str]) -> None:
    """What the next release left (its marks, a table more in each database) is gone on with, and its table stays for the next upgrade."""
    data, config = old
    assert 0 == main(["upgrade", "--config", config])
    before = held(data)
    for name in ("state.db", "store.db"):
        stamp(data / name, version_of(data / name) + 1, "CREATE TABLE of_the_next_release (a INTEGER)")
    (data / "release.json").write_text(json.dumps({"newest": str(NEXT), "last": str(NEXT)}))

    assert 0 == main(["upgrade", "--config", config])
    assert before == held(data)
    State(data).close()
    assert [state_schema.SCHEMA.version + 1] == [version_of(data / "state.db")]
    with closing(sqlite3.connect(data / "store.db")) as db:
        assert [(0,)] == db.execute("SELECT count(*) FROM of_the_next_release").fetchall()
    assert {"newest": str(NEXT), "last": str(RELEASE)} == json.loads((data / "release.json").read_text())


@pytest.mark.parametrize("command", [["upgrade", "--dry-run"], ["upgrade"], ["run"], ["ingest"], ["analyse"], ["serve"]])
def test_a_folder_of_a_later_release_is_refused(old: tuple[Path, str], command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Two minor versions ahead: exit 2, which release wrote it and what to do, and not a byte changed."""
    data, config = old
    (data / "release.json").write_text(json.dumps({"newest": str(AFTER), "last": str(AFTER)}))
    before = contents(data)

    assert 2 == main([*command, "--config", config])
    said = capsys.readouterr().err
    assert f"lanbi {AFTER}" in said and f"install lanbi {NEXT} or newer" in said
    assert before == contents(data)


def test_a_database_of_a_later_release_is_refused(old: tuple[Path, str], capsys: pytest.CaptureFixture[str]) -> None:
    """Also where the mark is missing, each file says what it is."""
    data, config = old
    stamp(data / "state.db", state_schema.SCHEMA.reads + 1)

    assert 2 == main(["upgrade", "--dry-run", "--config", config])
    assert "too new for this release: state.db" in capsys.readouterr().err
    with pytest.raises(Exception, match="made by a newer lanbi"):
        State(data)


def test_a_running_lanbi_is_not_upgraded_under(old: tuple[Path, str], capsys: pytest.CaptureFixture[str]) -> None:
    """While another works on the folder the upgrade is refused; the dry run still tells."""
    from lanbi.supervisor import sole

    data, config = old
    with sole(data):
        assert 1 == main(["upgrade", "--config", config])
        assert "another lanbi" in capsys.readouterr().err
        assert 0 == main(["upgrade", "--dry-run", "--config", config])


def test_settings_of_the_next_release_are_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Keys that it added are passed over and named; wrong values of known keys are faults as ever; without the mark an unknown key is one too."""
    file = tmp_path / "lanbi.toml"
    new = 'colour = "blue"\n[store]\nkind = "embedded"\nshards = "4"\n'
    file.write_text(f'release = "{NEXT}"\ndata = "{tmp_path}/var"\n{new}')

    assert 2 == len(load(str(file), {}).passed_over)
    assert 0 == main(["check", "--config", str(file)])
    said = capsys.readouterr().out
    assert "colour" in said and "shards" in said
    for text in (f'data = "x"\n{new}', f'release = "{RELEASE}"\n{new}', f'release = "{NEXT}"\nclock = "sundial"\n{new}', 'release = "soon"\n'):
        file.write_text(text)
        assert 2 == main(["check", "--config", str(file)])
    capsys.readouterr()
    file.write_text(f'release = "{AFTER}"\n')
    assert 2 == main(["check", "--config", str(file)])
    assert f"written for lanbi {AFTER}" in capsys.readouterr().err


def test_the_release_is_the_distributions() -> None:
    """The number in the program is that of the package."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]

    assert RELEASE == release.parsed(version)


def test_every_database_is_looked_at() -> None:
    """Each part of a data folder that has a version has a place in the upgrade."""
    assert {"journal", *upgrading.DATABASES} == {part.name for part in upgrading.PARTS} - {"backup"}
