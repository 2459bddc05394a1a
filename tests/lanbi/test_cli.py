"""The command line's manners."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import pytest

from domain.errors import FileError
from lanbi import cli
from lanbi.journal import JournalReader
from lanbi.saying import said


def test_help_needs_no_heavy_library() -> None:
    """``lanbi --help`` imports neither numba nor pandas nor fastapi."""
    code = "import sys; from lanbi.cli import main; main(['--help']); print(sorted({'numba', 'pandas', 'fastapi', 'numpy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "[]" == done.stdout.splitlines()[-1]
    assert all(name in done.stdout for name in cli.PROGRAMS)


@pytest.mark.parametrize("name", sorted(cli.PROGRAMS))
def test_every_program_has_help_with_an_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each program explains itself and shows one example of its use."""
    with pytest.raises(SystemExit) as stop:
        cli.main([name, "--help"])

    assert 0 == stop.value.code
    assert f"lanbi {name}" in capsys.readouterr().out.split("usage", 1)[1].split("\n", 1)[1]


def test_an_unknown_program_is_wrong_input() -> None:
    """A word that is no program ends with exit code 2."""
    with pytest.raises(SystemExit) as stop:
        cli.main(["fly"])

    assert 2 == stop.value.code


def test_no_word_at_all_is_wrong_input(capsys: pytest.CaptureFixture[str]) -> None:
    """What can be said goes to standard error then, for nobody asked; asked for, it is the answer."""
    assert 2 == cli.main([])
    said = capsys.readouterr()
    assert ("", True) == (said.out, "usage: lanbi" in said.err)
    assert 0 == cli.main(["--help"])
    assert "usage: lanbi" in capsys.readouterr().out


def test_an_error_is_what_where_and_what_to_do(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Each in Chinese, its English below; no traceback; the error's exit code."""

    def fail(args: argparse.Namespace) -> int:
        what, where, todo = "not a number: 'x'\n  in.csv:4: an empty cell", "in.csv, line 3, column pm25", "mend this line"
        raise FileError(what, where, todo)

    monkeypatch.setattr(cli, "_configure", lambda parser, name: parser.set_defaults(run=fail))

    assert 2 == cli.main(["check"])
    assert capsys.readouterr().err.splitlines() == [
        "lanbi: 不是数字：'x'",
        "       not a number: 'x'",
        "  in.csv:4：单元格为空",
        "       in.csv:4: an empty cell",
        "  位置 where: in.csv 第 3 行 pm25 列",
        "              in.csv, line 3, column pm25",
        "  处理 do:    请改正该行",
        "              mend this line",
    ]


def test_a_sentence_without_chinese_stands_alone() -> None:
    """What another program says, and what is in both languages already, is not said twice."""
    found = [said(FileError(words)) for words in ("whatever the system says", "日志已满 the journal is full")]

    assert ["lanbi: whatever the system says\n", "lanbi: 日志已满 the journal is full\n"] == found


def test_an_interrupt_is_130(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C ends with the shell's code for it."""

    def stop(args: argparse.Namespace) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "_configure", lambda parser, name: parser.set_defaults(run=stop))

    assert 130 == cli.main(["check"])


@pytest.mark.parametrize("words", [("registry", "diff", "x.toml"), ("alarms", "list"), ("clues", "list"), ("broker", "acl"), ("check",)])
def test_settings_are_named_behind_the_verb_too(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    """As every page types it; the named file is looked for, and no argument is unknown."""
    assert 2 == cli.main([*words, "--config", "none-such.toml"])
    assert "none-such.toml" in capsys.readouterr().err


def test_an_argument_that_is_no_text_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Bytes of another encoding, as a terminal may send them: exit code 2, no traceback, and nothing is journalled."""
    (tmp_path / "lanbi.toml").write_text(f'data = "{tmp_path / "data"}"\n', encoding="utf-8")
    (tmp_path / "data").mkdir()
    settings = str(tmp_path / "lanbi.toml")

    assert 2 == cli.main(["replay", "--since", "7d", "--person", "\udccd\udcf5", "--config", settings])
    assert "UTF-8" in capsys.readouterr().err
    assert [] == JournalReader(tmp_path / "data" / "journal", "person").read()
