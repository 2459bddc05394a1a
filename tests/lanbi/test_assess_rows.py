"""Large tables: what repeats is looked at once, and nothing about a table changes by it."""

from __future__ import annotations

from pathlib import Path

import pytest

from lanbi.assess import rows
from lanbi.cli import main

HEAD = "section,time,temp,ph,do,codmn,nh3n,tp,tn,type\n"


def test_a_text_is_asked_once_until_too_many_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is known takes a bounded place; what was forgotten is asked anew and means the same."""
    monkeypatch.setattr(rows, "KEPT", 2)
    asked: list[str] = []
    known = rows.Known(lambda text: (asked.append(text), len(text))[1])

    assert [1, 2, 1, 3, 1] == [known[text] for text in ("a", " bb ", "a", "ccc", "a")]
    assert ["a", "bb", "ccc", "a"] == asked
    assert len(known) == 2


def test_forgetting_changes_no_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table is answered alike whether a text is remembered or not, with blanks around its cells and times written in two ways."""
    table = " a ,2024-01-01T04:00,10, 7,6.5,2,0.1,0.02,,river\nb,2024-01-01T04:00,10,7,6.5,5,0.1,0.02,, lake \na,2024-01-01 04:00:00,10,7,9,2,0.2,0.02,,river\n"
    (tmp_path / "in.csv").write_text(HEAD + table, encoding="utf-8")
    told = []
    for kept in (1 << 17, 1):
        monkeypatch.setattr(rows, "KEPT", kept)
        assert 0 == main(["assess", "water", str(tmp_path / "in.csv"), "-o", str(tmp_path / "out.csv")])
        told.append((tmp_path / "out.csv").read_text(encoding="utf-8").splitlines()[1:])

    assert [["b,2024-01-01T04:00:00+08:00,3,codmn,lake", "a,2024-01-01T04:00:00+08:00,2,nh3n,river"]] * 2 == told


def test_what_is_wrong_is_told_where_it_first_stands(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Of a wrong text that stands in many rows the first is told, with its line and column, and nothing is written."""
    good, bad = "s,2024-01-01T00:00,10,7,8,2,0.1,0.02,,river\n", "s,2024-01-02T00:00,10,7,8,2,0.1,much,,river\n"
    (tmp_path / "in.csv").write_text(HEAD + good + bad + bad + good, encoding="utf-8")

    assert 2 == main(["assess", "water", str(tmp_path / "in.csv"), "-o", str(tmp_path / "out.csv")])
    assert "in.csv, line 3, column tp" in capfd.readouterr().err
    assert not (tmp_path / "out.csv").exists()
