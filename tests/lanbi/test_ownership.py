"""Root types a command, lanbi's user goes on with what it left."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from lanbi import ownership
from lanbi.cli import main

OWNER = 64_001
"""Nobody on this machine: a user of a container."""
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to another user")


@pytest.fixture
def etc(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An installation of another user, where that user can come to it; pytest's own folders are closed to others."""
    # The Python that runs the tests may lie in root's home: everything is imported before the rights are given up.
    monkeypatch.setattr(ownership, "NEEDED", ())
    folder = Path(tempfile.mkdtemp(prefix="lanbi-owner-"))
    folder.chmod(0o755)
    assert 0 == main(["init", "--to", str(folder / "etc"), "--county-id", "cp", "--county-name", "某区", "--mosquitto", "own"])
    for path in (folder / "etc", *(folder / "etc").rglob("*")):
        os.chown(path, OWNER, OWNER)
    yield folder / "etc"
    shutil.rmtree(folder)


def typed(etc: Path, *words: str) -> int:
    """A command in a process of its own, so that this one stays who it is; its exit code."""
    assert 0 == main(["check", "--config", _roots_own(etc)])
    if child := os.fork():
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    code = 99
    try:
        code = main([*words, "--config", str(etc / "lanbi.toml")])
    finally:
        os._exit(code)


def _roots_own(etc: Path) -> str:
    """Settings whose data folder is root's: nothing changes hands."""
    path = etc.parent / "root.toml"
    path.write_text(f'data = "{etc.parent / "root"}"\n', encoding="utf-8")
    (etc.parent / "root").mkdir(exist_ok=True)
    return str(path)


def test_what_root_makes_belongs_to_the_owner_of_the_data_folder(etc: Path) -> None:
    """A new password, the files for Mosquitto, an entry of the journal: not one file of root's is left in its folders."""
    assert 0 == typed(etc, "broker", "passwd", "--ingest", "--renew", "--no-reload")
    assert 0 == typed(etc, "registry", "apply", str(etc / "county.toml"), "--person", "王工")

    assert (etc / "var" / "registry" / "current.toml").exists()
    assert [] == [str(path) for path in etc.rglob("*") if (path.stat().st_uid, path.stat().st_gid) != (OWNER, OWNER)]
    assert 0 == os.geteuid()


def test_a_check_by_root_sees_what_the_owner_may_read(etc: Path) -> None:
    """A settings file that only root can read is a fault, before the service meets it."""
    assert 0 == typed(etc, "check")
    os.chown(etc / "plan.toml", 0, 0)
    (etc / "plan.toml").chmod(stat.S_IRUSR)

    assert 2 == typed(etc, "check")


def test_an_installation_that_its_user_cannot_read_is_refused(etc: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    """In words, before half of a command is done."""
    (etc.parent / "closed").mkdir(mode=0o700)
    monkeypatch.setattr(ownership, "NEEDED", (str(etc.parent / "closed" / "lanbi.py"),))

    assert 2 == typed(etc, "broker", "passwd", "--all", "--no-reload")
    assert "may not read lanbi's files" in capfd.readouterr().err


def test_root_is_root_again_for_a_moment_only(etc: Path) -> None:
    """For the signal to Mosquitto, which is another user's process."""
    if not (child := os.fork()):
        code = 99
        try:
            ownership.as_owner(etc / "var")
            before = os.geteuid()
            with ownership.root_again():
                within = os.geteuid()
            code = 0 if (before, within, os.geteuid(), os.getuid()) == (OWNER, 0, OWNER, OWNER) else 1
        finally:
            os._exit(code)
    assert 0 == os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
