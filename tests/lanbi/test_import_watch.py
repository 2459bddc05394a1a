"""`lanbi import --watch`: files dropped into a folder are imported, each once it is whole."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from domain.errors import StoreAway
from lanbi.clock import SystemClock
from lanbi.drop_folder import DropFolder
from tests.lanbi.import_house import HOURLY, ROOT, House, build

AT = "2020-01-01T01:00:00+08:00"
GOOD = HOURLY + "s1,2020-01-01 01:00,35,51\n"


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> House:
    """A house with one city and one station, and a folder for drops."""
    (tmp_path / "drop").mkdir()
    return build(tmp_path, monkeypatch, capsys)


class Told(SystemClock):
    """A clock by which waiting costs nothing, and that ends the watch after some waits."""

    def __init__(self, looks: int, between: Callable[[int], None] = lambda _: None) -> None:
        self.looks, self.between, self.now = looks, between, 0.0
        self.waits = 0

    def monotonic(self) -> float:
        """Seconds of this clock."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Go on at once."""
        del seconds
        self.now += 100.0
        self.waits += 1
        self.between(self.waits)
        if self.waits == self.looks:
            raise KeyboardInterrupt


def watch(folder: Path, take: Callable[[str], None], clock: Told) -> None:
    """Look at a folder until the clock ends it."""
    one = DropFolder(folder, take, clock, lambda: None)
    one.prepare()
    with pytest.raises(KeyboardInterrupt):
        one.run()


def names(folder: Path) -> list[str]:
    """Everything below a folder."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_file_is_taken_when_it_no_longer_changes(tmp_path: Path) -> None:
    """One that still grows, that is empty, hidden or marked as unfinished is left alone; what was taken is moved."""
    for name in (".hidden.csv", "big.csv.part", "empty.csv", "whole.csv", "grows.csv"):
        (tmp_path / name).write_text("" if name == "empty.csv" else "x")
    taken: list[str] = []
    watch(tmp_path, lambda name: taken.append(Path(name).name), Told(3, lambda wait: (tmp_path / "grows.csv").write_text("x" * (wait + 1)) and None))

    assert ["whole.csv"] == taken
    assert [".hidden.csv", "big.csv.part", "done/whole.csv", "empty.csv", "grows.csv"] == names(tmp_path)


def test_files_of_one_name_are_all_kept(tmp_path: Path) -> None:
    """The second gets a number; nothing is written over."""

    def drop(wait: int) -> None:
        if wait in {1, 4}:
            (tmp_path / "a.csv").write_text(str(wait))

    watch(tmp_path, lambda _: None, Told(8, drop))

    assert ["done/a-2.csv", "done/a.csv"] == names(tmp_path)
    assert ("1", "4") == ((tmp_path / "done/a.csv").read_text(), (tmp_path / "done/a-2.csv").read_text())


def test_what_a_service_was_missing_for_waits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The file stays, the cause is told once, and it is taken when the service is back."""
    (tmp_path / "a.csv").write_text("x")
    tries: list[str] = []

    def take(name: str) -> None:
        tries.append(name)
        if len(tries) < 3:
            raise StoreAway("the store does not answer", "http://127.0.0.1:8086", "start it")

    watch(tmp_path, take, Told(6))

    assert 3 == len(tries)
    assert ["done/a.csv"] == names(tmp_path)
    assert 1 == capsys.readouterr().err.count("where")


def test_the_program_takes_refuses_and_ends(house: House) -> None:
    """A good file is stored and moved, a bad one is moved with its reason, SIGTERM is an orderly end."""
    drop = house.folder / "drop"
    (drop / "bad.csv").write_text(HOURLY + "s1,2020-01-01 01:00,abc,51\n")
    (drop / "good.csv").write_text(GOOD)
    environment = {**os.environ, **house.env, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "lanbi", "import", "--json", "--watch", str(drop)]
    process = subprocess.Popen(command, env=environment, cwd=house.folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout
    account = json.loads(process.stdout.readline())
    while not (drop / "done" / "good.csv").exists() or not (drop / "refused" / "bad.csv.txt").exists():
        SystemClock().sleep(0.05)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)

    assert 0 == process.returncode, err
    assert (1, 1) == (account["read"], account["stored"])
    assert ["done/good.csv", "refused/bad.csv", "refused/bad.csv.txt"] == names(drop)
    assert "line 2, column pm25" in (drop / "refused" / "bad.csv.txt").read_text(encoding="utf-8")
    assert "line 2, column pm25" in err
    assert {"pm25": 35.0, "o3": 51.0} == house.values("s1", AT)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ((), "no files"),
        (("--watch", "drop", "in.csv"), "no files, or files and a folder"),
        (("--watch", "nowhere"), "there is no such folder"),
        (("--watch", "drop", "--propose", "x.toml"), "--watch only imports"),
        (("--watch", "drop", "--replace", "--person", "a", "--document", "b"), "--watch only imports"),
    ],
)
def test_what_does_not_go_together_is_wrong_input(house: House, words: tuple[str, ...], why: str) -> None:
    """Exit code 2 at once, instead of waiting for nothing."""
    code, _, err = house.run(*words)

    assert 2 == code
    assert why in err
