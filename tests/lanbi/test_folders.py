"""Data folders that cannot be used are told in plain words."""

from __future__ import annotations

import zlib
from pathlib import Path

import pytest

from domain.errors import FileError, InputError, WorkError
from lanbi import cli, folders
from lanbi.assess.files import read
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
