"""What lanbi says in English, in Chinese: one catalogue of sentences for every place that shows an error or a cause to people.

Errors are raised in English beside the code that knows why; the ``*.toml`` files here give each sentence its Chinese. An entry is
``"English with {} where something is put in" = "中文，同样的 {}"``; a Chinese form in another order numbers them (``{2}``), and ``{*}``
takes a word of ``words.toml`` there. What is put in is looked up in its turn, so that a system's own "No such file or directory"
inside a sentence is Chinese as well (``foreign.toml``).

``tests/test_sayings.py`` reads the sources and fails for a sentence without its Chinese, and for one that nobody says any more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from itertools import count
from typing import Final, NamedTuple

HOLE: Final = "{}"
WORDS: Final = "words.toml"
_FEW: Final = (6, 8)
"""Letters of a loose sentence: one that begins with them, and one that begins with what is put in."""
LONGEST: Final = 1_000
"""Characters of a line that is looked at: what is longer holds somebody's data, not a sentence of ours."""
MOST: Final = 8
"""Places at which a line is cut; more of them are data."""
_SLOT: Final = re.compile(r"\{(\d*)(\*?)\}")
_HAN: Final = re.compile(r"[\u4e00-\u9fff]")
_ENGLISH: Final = re.compile(r"[A-Za-z]{2,} [A-Za-z]{2,}")
_PLACE: Final = re.compile(r"(.*?), (?:line|row) (\d+)(?:, column (.+?)(?: \((\d+)\))?)?")
_TODO: Final = " — "
_ANY: Final = ".*?"
_COMPACT: Final = r"\S*?|[\[{('\"].*?"
_NAME: Final = r"'[^']*'|[\w./-]*"
"""Between two that stand side by side the first is a name, or it would be nothing."""
_BREAKS: Final = ((_TODO, "——"), ("; ", "；"), (": ", "："))
"""Where sentences are put together, the loosest first."""


class Saying(NamedTuple):
    """A sentence: its English literals, between which something is put in, and the Chinese form."""

    literals: tuple[str, ...]
    zh: str

    @property
    def length(self) -> int:
        """Characters that are the sentence's own."""
        return sum(map(len, self.literals))

    @property
    def loose(self) -> bool:
        """Whether it has so little of its own (``write {}``) that it is asked last."""
        return len(self.literals) > 1 and sum(one.isalpha() for one in "".join(self.literals)) <= _FEW[not self.literals[0]]


def chinese(text: str) -> str | None:
    """A sentence of ours in Chinese, or what of it can be; None where nothing can.

    Lines, a place before the sentence (``file:3: …``) and sentences joined by a semicolon are looked at part by part.

    >>> chinese("column missing: site, pm10")
    '缺少列：site, pm10'
    >>> chinese("a.csv, line 1: column missing: site"), chinese("nobody ever said this")
    ('a.csv 第 1 行：缺少列：site', None)
    """
    try:
        return _chinese(text)
    except OSError:  # no file can be opened any more: just then the error itself must be told
        return None


@lru_cache(maxsize=256)
def _chinese(text: str) -> str | None:
    if "\n" in text:
        lines = text.split("\n")
        found = [_chinese(line.strip()) for line in lines]
        return "\n".join(_kept(line, one) for line, one in zip(lines, found, strict=True)) if any(found) else None
    if not text or len(text) > LONGEST:
        return None
    return _whole(text) or _joined(text) or _loosely(text)


def placed(where: str) -> str:
    """A place in a file, in Chinese; any other as it is.

    >>> placed("a.csv, line 3, column pm25"), placed("a.csv, line 3, column pm25 (4)"), placed("a.xlsx, row 2"), placed("--since")
    ('a.csv 第 3 行 pm25 列', 'a.csv 第 3 行 pm25 列（第 4 列）', 'a.xlsx 第 2 行', '--since')
    """
    found = _PLACE.fullmatch(where)
    if not found:
        return where
    name = found[3] or ""
    column = f" 第 {name} 列" if name.isdigit() else f" {name} 列" if name else ""
    return f"{found[1]} 第 {found[2]} 行{column}" + (f"（第 {found[4]} 列）" if found[4] else "")


def both(text: str, joint: str = " ") -> str:
    """The Chinese before the text, line by line; the text alone where there is none, or where it says Chinese already.

    >>> both("no such file"), both("没有 nothing")
    ('没有这个文件 no such file', '没有 nothing')
    """
    if "\n" in text:
        lines = (line.partition(line.strip() or " ") for line in text.split("\n"))
        return "\n".join(space + both(line, joint) for space, line, _ in lines)
    found = None if _bilingual(text) else chinese(text)
    return f"{found}{joint}{text}" if found else text


def catalogue() -> Iterator[tuple[str, str, str]]:
    """Every entry: file, English, Chinese."""
    # Here, for every start of lanbi would pay for them, and only an error needs them.
    import tomllib  # noqa: PLC0415
    from importlib.resources import files  # noqa: PLC0415

    for one in sorted(files(__package__).iterdir(), key=lambda one: one.name):
        if one.name.endswith(".toml"):
            yield from ((one.name, en, zh) for en, zh in tomllib.loads(one.read_text("utf-8")).items())


@cache
def _sayings() -> tuple[Saying, ...]:
    """The sentences, the one with the longest text of its own first: ``column missing: an item`` before ``column missing: {}``."""
    found = [Saying(tuple(en.split(HOLE)), zh) for file, en, zh in catalogue() if file != WORDS]
    return tuple(sorted(found, key=lambda one: -one.length))


@cache
def _words() -> dict[str, str]:
    return {en: zh for file, en, zh in catalogue() if file == WORDS}


@cache
def _pattern(saying: Saying) -> re.Pattern[str]:
    """A loose sentence takes words, and what stands in quotes or brackets, but no other sentence before it."""
    first, *rest = saying.literals
    text = re.escape(first)
    for number, literal in enumerate(rest):
        hole = _COMPACT if saying.loose and not first and not number else _ANY if literal or number + 1 == len(rest) else _NAME
        text += f"({hole}){re.escape(literal)}"
    return re.compile(text)


def _whole(text: str) -> str | None:
    """The text as one sentence; what a sentence begins with is no place with another sentence behind it."""
    for saying in _sayings():
        if saying.loose or not (text.startswith(saying.literals[0]) and text.endswith(saying.literals[-1])):
            continue
        found = _pattern(saying).fullmatch(text)
        if found and (saying.literals[0] or ": " not in found[1] or _chinese(found[1])):
            return _filled(saying.zh, found.groups(""))
    return None


def _loosely(text: str) -> str | None:
    """The text as a sentence that has little of its own."""
    for saying in _sayings():
        if saying.loose and text.startswith(saying.literals[0]) and (found := _pattern(saying).fullmatch(text)):
            return _filled(saying.zh, found.groups(""))
    return None


def _filled(zh: str, holes: tuple[str, ...]) -> str:
    at = count()

    def slot(found: re.Match[str]) -> str:
        hole = holes[int(found[1]) - 1 if found[1] else next(at)]
        word = _words().get(hole) if found[2] else None
        return word or _chinese(hole) or hole

    return _SLOT.sub(slot, zh)


def _joined(text: str) -> str | None:
    """Parts of a text that is no sentence as a whole; one part at least must be one."""
    for between, zh in _BREAKS:
        cuts = [found.start() for found in re.finditer(re.escape(between), text) if not _open(text[: found.start()])]
        if len(cuts) <= MOST and (said := _before(text, cuts, between, zh) or _behind(text, cuts, between, zh)):
            return said
    return None


def _before(text: str, cuts: list[int], between: str, zh: str) -> str | None:
    """A sentence at the beginning, as long as it can be, and what follows."""
    for cut in reversed(cuts):
        if said := _whole(text[:cut]):
            tail = text[cut + len(between) :]
            return f"{said}{zh}{_chinese(tail) or tail}"
    return None


def _behind(text: str, cuts: list[int], between: str, zh: str) -> str | None:
    """A sentence at the end, as long as it can be, behind a place or another word."""
    for cut in cuts:
        head, tail = text[:cut], text[cut + len(between) :]
        if between != _TODO and _bilingual(head):
            continue
        # Some sentences begin with what joins them to others: "; did you mean 'x'?"
        whole = _whole(between + tail)
        if said := whole or _chinese(tail):
            return f"{_chinese(head) or placed(head)}{'' if whole else zh}{said}"
    return None


def _open(head: str) -> bool:
    """Whether a bracket is open where a text would be cut: somebody's data goes on there."""
    return any(head.count(first) > head.count(last) for first, last in ("{}", "[]", "()"))


def _bilingual(text: str) -> bool:
    return bool(_HAN.search(text) and _ENGLISH.search(text))


def _kept(line: str, found: str | None) -> str:
    """A line's Chinese where it stood, indented alike."""
    return line if found is None else line[: len(line) - len(line.lstrip())] + found
