"""Data folders that cannot be used are told in plain words."""

from __future__ import annotations

import os
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from domain.errors import FileError, InputError, WorkError
from lanbi import cli, folders
from lanbi.assess.files import read
from lanbi.folders import stands
from lanbi.supervisor import sole


def test_a_file_in_the_folder_s_place_is_told(tmp_path: Path) -> None:
    """No traceback: what, where, what to do."""
    taken = tmp_path / "var"
    taken.write_text("", encoding="utf-8")

    with pytest.raises(WorkError, match="cannot be made"):
        folders.made(taken / "x")
    with pytest.raises(WorkError, match="cannot be made"), sole(taken):
        pass
    assert "is a file" in folders.fault(taken)
    assert folders.fault(tmp_path / "new" / "deep") == ""


def test_a_mistyped_data_folder_does_not_read_as_nothing_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Listing the dead letters of a folder that is not there is wrong input."""
    monkeypatch.setenv("LANBI_DATA", str(tmp_path / "none"))

    assert InputError.exit_code == cli.main(["deadletters", "list"])


def test_an_unusable_data_folder_fails_the_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """``lanbi check`` says so before anything is started."""
    (tmp_path / "var").write_text("", encoding="utf-8")
    monkeypatch.setenv("LANBI_DATA", str(tmp_path / "var"))

    assert cli.main(["check"]) == InputError.exit_code
    said = capsys.readouterr()
    assert "is a file" in said.out + said.err


def test_a_damaged_archive_is_told(tmp_path: Path) -> None:
    """Flipped bytes inside a gzip file end in one message."""
    packed = bytearray(b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03" + zlib.compress(b"site,time\n" * 200)[2:-4])
    packed[12:20] = b"\xff" * 8
    path = tmp_path / "in.csv.gz"
    path.write_bytes(packed)

    with pytest.raises(FileError, match="cannot be read"):
        read(str(path))


def test_a_pipe_is_written_into_and_stays(tmp_path: Path) -> None:
    """What stands in the place of an output and is no file keeps its place: root would replace /dev/null otherwise."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    (tmp_path / "in.csv").write_text("site,time,pm25,pm10,so2,no2,co,o3\na,2025-01-01 01:00,35,50,5,20,0.8,60\n")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    command = [sys.executable, "-m", "lanbi", "assess", "air-hourly", "in.csv", "-o", "pipe"]
    process = subprocess.Popen(command, cwd=tmp_path, env=environment)
    text = pipe.read_text(encoding="utf-8")

    assert (0, 2) == (process.wait(), len(text.splitlines()))
    assert pipe.is_fifo()
    assert ["in.csv", "pipe"] == sorted(path.name for path in tmp_path.iterdir())


def test_what_stands_is_told_from_files_and_folders(tmp_path: Path) -> None:
    """A file is replaced, a folder is refused, a link to a device is the device."""
    (tmp_path / "null").symlink_to("/dev/null")
    (tmp_path / "file").write_text("")

    assert [True, False, False, False] == [stands(tmp_path / name) for name in ("null", "file", "", "nothing")]


@pytest.mark.parametrize("words", [("assess", "air-hourly", "in.csv"), ("check", "--explain")])
def test_an_output_that_takes_nothing_is_told(tmp_path: Path, words: tuple[str, ...]) -> None:
    """A full disk behind standard output is exit code 1 and a sentence, no traceback."""
    (tmp_path / "in.csv").write_text("site,time,pm25,pm10,so2,no2,co,o3\na,2025-01-01 01:00,35,50,5,20,0.8,60\n")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "lanbi", *words], cwd=tmp_path, env=environment, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )

    assert 1 == done.returncode
    assert "the output cannot be written: No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_closed_output_is_told(tmp_path: Path) -> None:
    """Nobody listens at all: exit code 1 and a sentence."""
    (tmp_path / "in.csv").write_text("site,time,pm25,pm10,so2,no2,co,o3\n")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    command = f"{sys.executable} -m lanbi assess air-hourly in.csv >&-"
    done = subprocess.run(["sh", "-c", command], cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True, check=False)

    assert 1 == done.returncode
    assert "standard output is closed" in done.stderr
