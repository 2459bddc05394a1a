"""Whatever tells people to type a command names one that is there: pages, messages, boards, units."""

import argparse
import re
from functools import cache
from pathlib import Path

import pytest

from lanbi import cli

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("domain", "ingest", "analytics", "api", "dashboards", "edge_sim", "lanbi", "docs", "deploy", "examples", "scripts", "changelog.d")
SAID = frozenset({".md", ".py", ".js", ".toml", ".sh", ".service", ".timer", ".json", ".yaml"})
FILES = sorted([*ROOT.glob("*.md"), *(path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.suffix in SAID)])
COMMAND = re.compile(r"(?<![\w./-])lanbi (?:--config \S+ )?([a-z]+)((?: [^`\n|;&#)。，；\"'）]+)?)")
VERB = re.compile(r"[a-z][a-z-]*")
FLAG = re.compile(r"--[a-z][a-z0-9-]*")
PROSE = {"domain/sayings/tables.toml": {"and"}}
"""Words that stand behind a program's name without being a verb of it."""


def verbs(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """Parsers of the verbs of a program; none where it has none."""
    return next((dict(one.choices) for one in parser._actions if isinstance(one, argparse._SubParsersAction)), {})


@cache
def program(name: str) -> argparse.ArgumentParser:
    """The parser of a program."""
    whole = cli._parser()
    cli._configure(whole, name)
    return verbs(whole)[name]


def wrong(name: str, rest: str) -> list[str]:
    """What of a command is not there: its verb, or flags that neither it nor a verb of its knows."""
    parser, words = program(name), rest.split()
    while words and (choices := verbs(parser)) and VERB.fullmatch(words[0]):
        if words[0] not in choices:
            return [words[0]]
        parser = choices[words.pop(0)]
    known = {flag for one in (parser, *verbs(parser).values()) for flag in one._option_string_actions}
    return [flag for word in words for flag in FLAG.findall(word)[:1] if word.startswith("--") and flag not in known]


@pytest.mark.parametrize("path", [path.relative_to(ROOT).as_posix() for path in FILES if "lanbi " in path.read_text(encoding="utf-8")])
def test_commands_are_there(path: str) -> None:
    """Each program, verb and flag that a file of ours names is one of the command line."""
    said = [found for found in COMMAND.findall((ROOT / path).read_text(encoding="utf-8")) if found[0] in cli.PROGRAMS]

    assert [] == [(*one, bad) for one in said for bad in wrong(*one) if bad not in PROSE.get(path, ())]


def test_a_wrong_verb_and_a_wrong_flag_are_seen() -> None:
    """The yardstick itself."""
    assert (["check"], ["--hour"], []) == (wrong("device", " check 设备号"), wrong("device", " test ID --hour 3"), wrong("device", " test ID --hours 3"))
