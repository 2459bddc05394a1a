"""Release notes: every fragment once, in order, in the changelog's form; nothing is lost when something is wrong."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from scripts import release_notes
from scripts.release_notes import ROOT, main, notes, points, write


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A project of version 0.2.0 with two fragments."""
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "0.2.0"\n', encoding="utf-8")
    (tmp_path / "changelog.d").mkdir()
    for name, text in {
        "README": "# About",
        "water": "- 断面 sections\n- a table\n",
        "air": "Days are exact\nto the last digit ([air](../docs/air.md)).\n",
    }.items():
        (tmp_path / "changelog.d" / f"{name}.md").write_text(text, encoding="utf-8")
    return tmp_path


WANTED = """## 蓝碧 0.2.0 版更新说明

lanbi 0.2.0: what users can do now, or must do differently, by subject.

* **air**: Days are exact to the last digit ([air](docs/air.md)).
* **water**: 断面 sections
* **water**: a table
"""


def test_fragments_are_joined_in_order(house: Path) -> None:
    """Lists and paragraphs become points; links lead from the root; the page about fragments is none."""
    assert WANTED == notes("0.2.0", house)


def test_written_above_what_was_there(house: Path) -> None:
    """The newest release stands first, the fragments are gone, and a second time nothing is written."""
    (house / "CHANGELOG.md").write_text("# 更新记录 · Changelog\n\n## 蓝碧 0.1.0 版更新说明\n\nold\n", encoding="utf-8")
    text = write("0.2.0", house).read_text(encoding="utf-8")

    assert f"# 更新记录 · Changelog\n\n{WANTED}\n## 蓝碧 0.1.0 版更新说明\n\nold\n" == text
    assert ["README.md"] == [path.name for path in (house / "changelog.d").iterdir()]
    (house / "changelog.d" / "late.md").write_text("late\n", encoding="utf-8")
    with pytest.raises(ValueError, match="already"):
        write("0.2.0", house)
    assert text == (house / "CHANGELOG.md").read_text(encoding="utf-8")
    assert (house / "changelog.d" / "late.md").exists()


@pytest.mark.parametrize(("version", "words"), [("0.2", "no version"), ("0.3.0", "pyproject.toml says 0.2.0")])
def test_a_wrong_version_is_refused(house: Path, version: str, words: str) -> None:
    """Neither half a number, nor another than the wheel's."""
    with pytest.raises(ValueError, match=words):
        notes(version, house)


def test_nothing_to_tell_is_a_fault(house: Path) -> None:
    """An empty fragment is named and nothing changes; none at all is told."""
    (house / "changelog.d" / "void.md").write_text(" \n", encoding="utf-8")
    with pytest.raises(ValueError, match="void"):
        write("0.2.0", house)
    assert (house / "changelog.d" / "air.md").exists() and not (house / "CHANGELOG.md").exists()
    for name in ("void", "air", "water"):
        (house / "changelog.d" / f"{name}.md").unlink()
    with pytest.raises(ValueError, match="no fragment"):
        notes("0.2.0", house)


def test_our_own_fragments(capsys: pytest.CaptureFixture[str]) -> None:
    """The command prints a point of every fragment of this project, and says what is wrong with another version."""
    assert 2 == main(["9.9.9"])
    assert "pyproject.toml says" in capsys.readouterr().err
    assert 2 == main([])
    capsys.readouterr()
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    known = [path.stem for path in (ROOT / "changelog.d").glob("*.md") if path.name != release_notes.ABOUT]
    assert (0 if known else 2) == main([version])
    said = capsys.readouterr().out
    assert [] == [name for name in known if f"* **{name}**: " not in said]


def test_points_of_a_list_that_goes_on() -> None:
    """An indented line belongs to its point, also where it looks like one."""
    assert ["one - two", "three"] == points("* one\n  - two\n\nthree\n")
