"""Files that are attached: durable once, whoever sends them at the same moment."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from domain.errors import JournalError
from lanbi.attachments import FOLDER, keep, read

CONTENT = b"%PDF" + bytes(range(256)) * 100


def test_two_who_send_the_same_file_at_once_are_both_answered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second comes while the first is between its bytes and their name; nothing of either is left behind."""
    real, nested, told = os.fsync, threading.Event(), list[str]()

    def fsync(handle: int) -> None:
        if not nested.is_set():
            nested.set()
            other = threading.Thread(target=lambda: told.append(keep(tmp_path, CONTENT)))
            other.start()
            other.join()
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    told.append(keep(tmp_path, CONTENT))

    assert 2 == len(told)
    assert 1 == len({*told})
    assert CONTENT == read(tmp_path, told[0])
    assert [told[0]] == [path.name for path in (tmp_path / FOLDER).rglob("*") if path.is_file()]


def test_a_file_that_cannot_be_kept_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk is told, and half a file does not stay."""

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(JournalError, match="No space"):
        keep(tmp_path, CONTENT)

    assert [] == [path for path in (tmp_path / FOLDER).rglob("*") if path.is_file()]
