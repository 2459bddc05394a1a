"""Everything that lanbi says to a person has its Chinese, and nothing else has."""

import errno
import os
import re
import sqlite3
import tomllib
from collections import Counter
from datetime import datetime
from pathlib import Path

import msgspec
import pytest

from domain import sayings
from domain.sayings import HOLE, WORDS, both, catalogue, chinese
from tests.sentences import HAN, ROOT, english, sentences

FOREIGN = "foreign.toml"
"""What the system, Python and SQLite say; no source of ours has it."""
SLOT = re.compile(r"\{(\d*)\*?\}")
LINES = 350


@pytest.fixture(scope="module")
def said() -> dict[str, list[str]]:
    """What the sources say, and where."""
    return sentences()


@pytest.fixture(scope="module")
def known() -> dict[str, str]:
    """English to Chinese."""
    return {en: zh for file, en, zh in catalogue() if file != WORDS}


def test_every_sentence_has_its_chinese(said: dict[str, list[str]], known: dict[str, str]) -> None:
    """A new sentence comes with a line in domain/sayings/."""
    lacking = [f"{at[0]}: {text}" for text, at in said.items() if english(text) and text not in known]

    assert 600 < len([text for text in said if text in known]), "the reader of the sources finds less than it should"
    assert [] == sorted(lacking)


def test_nothing_is_said_twice_or_never(said: dict[str, list[str]]) -> None:
    """An entry that no source says any more, and one that stands in two files, is taken out."""
    entries = [(file, en) for file, en, _ in catalogue() if file not in {FOREIGN, WORDS}]
    twice = [en for en, count in Counter(en for _, en in entries).items() if count > 1]

    assert [] == twice
    assert [] == [f"{file}: {en}" for file, en in entries if en not in said]


def test_the_chinese_is_chinese_and_keeps_what_is_put_in() -> None:
    """Every hole once, in the same order or by its number, and a Chinese character at least."""
    wrong = []
    for file, en, zh in catalogue():
        slots = SLOT.findall(zh)
        numbers = [int(slot or at) for at, slot in enumerate(slots, 1)]
        rest = HOLE not in SLOT.sub("", zh).replace(HOLE, "")
        whole = sorted(numbers) == list(range(1, en.count(HOLE) + 1)) and len({bool(slot) for slot in slots}) <= 1
        needed = numbers == [2, 3] and "does not fit" in en  # the article before it has no Chinese
        if not (rest and (whole or needed) and (HAN.search(zh) or SLOT.fullmatch(zh))):
            wrong.append(f"{file}: {en} = {zh}")

    assert [] == wrong


def test_every_sentence_is_found_by_what_is_said(known: dict[str, str]) -> None:
    """Each template, filled, leads to its own Chinese and not to that of a sentence beside it."""
    wrong = []
    for en, zh in known.items():
        filled = en.replace(HOLE, "x7").strip()
        found = chinese(filled)
        expected = SLOT.sub("x7", zh)
        if found != expected and en.strip() == en:
            wrong.append((filled, found, expected))

    assert [] == wrong


@pytest.mark.parametrize(
    ("text", "zh"),
    [
        ("column missing: site, pm10", "缺少列：site, pm10"),
        ("column missing: an item", "缺少列：没有任何项目"),
        ("a.csv, line 3: 3 cells under 5 columns", "a.csv 第 3 行：该行有 3 格，表头有 5 列"),
        ("write µg/m³ (only CO is in mg/m³); nothing was imported", "请换算为 µg/m³（只有 CO 用 mg/m³）；未导入任何内容"),
        ("unknown key 'a'; did you mean 'b'?\n  x.toml:3: multiplier: a number above 0 is needed, not 0",
         "未知的键 'a'；是否想写 'b'？\n  x.toml:3：multiplier：须为大于 0 的数字，而不是 0"),
        ("the file cannot be read: [Errno 2] No such file or directory: 'x'", "文件无法读取：没有这个文件或文件夹：'x'（错误 2）"),
        ("down: a.db: the embedded store does not answer: database is locked — see disk and permissions; readings wait in the journal",
         "不可用：a.db：内置存储无应答：数据库被占用——请检查磁盘和权限；读数在日志中等待"),
        ("a line's quantity is in tonnes, not in 'kg'; units are t", "生产线产量的单位须为 t，而不是 'kg'"),
        ("the disk has many problems", None),
        ("日志 the journal: no such file", None),
        ("", None),
    ],
)  # fmt: skip
def test_examples(text: str, zh: str | None) -> None:
    """Whole sentences, places before them, lists of them, lines, and what the system says inside."""
    assert zh == chinese(text)


def test_both_languages() -> None:
    """Chinese first; a text that is in both languages, or in none of ours, stays."""
    assert "没有这个文件 no such file" == both("no such file")
    assert "没有这个文件\nno such file" == both("no such file", "\n")
    assert ["找不到 not found there", "whatever"] == [both("找不到 not found there"), both("whatever")]


def test_much_data_in_a_text_costs_nothing() -> None:
    """Somebody's data in an error neither takes long nor is taken for sentences."""
    assert [None] * 3 == [chinese(text) for text in ("a: " * 300, "x" * 100_000, '{"a": 1, "b": "no such file: x", ' * 20)]


def test_an_error_is_told_without_the_catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    """When no file can be opened any more, what is said is said in English, and in Chinese again later."""

    def full() -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as now:
        now.setattr(sayings, "_sayings", full)
        assert "no such user: nemo" == both("no such user: nemo")
    assert "没有这个用户：nemo no such user: nemo" == both("no such user: nemo")


def provoked() -> set[str]:
    """What Python and the system say when it is done to them."""
    told = {os.strerror(number) for number in range(1, 140)} | {"timed out", "Name or service not known", "Temporary failure in name resolution"}
    for text in ("x", "2026-13-01", "2026-02-30", "2026-01-01T25:00", "2026-01-01T00:61", "2026-01-01T00:00:61"):
        with pytest.raises(ValueError, match=r".+") as error:
            datetime.fromisoformat(text)
        told.add(str(error.value).partition(", not")[0])
    with pytest.raises(msgspec.DecodeError) as cut:
        msgspec.json.decode(b'{"a"')
    return told | {str(cut.value)}


def test_foreign_sentences_are_the_systems() -> None:
    """What stands for system and Python is what they say; SQLite's stand in its sources."""
    sqlite = {"database is locked", "database disk image is malformed", "file is not a database", "unable to open database file"}
    sqlite |= {"attempt to write a readonly database", "disk I/O error", "database or disk is full"}
    own = {en for file, en, _ in catalogue() if file == FOREIGN and HOLE not in en} - sqlite

    assert sqlite3.sqlite_version_info > (3,)
    assert set() == own - provoked()


def test_files_are_small_and_sorted_by_what_they_are_about() -> None:
    """Each file is TOML of a page or two, read only when the first error is told."""
    files = sorted((ROOT / "domain" / "sayings").glob("*.toml"))

    assert all(len(path.read_text("utf-8").splitlines()) <= LINES for path in files)
    assert all(all(isinstance(zh, str) for zh in tomllib.loads(path.read_text("utf-8")).values()) for path in files)
    assert Path(sayings.__file__).parent == files[0].parent
