"""Release notes from the fragments of ``changelog.d``: ``python -m scripts.release_notes VERSION`` prints them as Markdown.

``--write`` puts them at the head of ``CHANGELOG.md`` and removes the fragments; nothing is changed unless all of them are good.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
TITLE: Final = "# 更新记录 · Changelog\n"
ABOUT: Final = "README.md"
_VERSION: Final = re.compile(r"\d+\.\d+\.\d+")
_POINT: Final = re.compile(r"[*-] ")
_LINK: Final = re.compile(r"\]\(\.\./")


def points(text: str) -> list[str]:
    r"""Points of one fragment: its list, or each of its paragraphs; a line that goes on belongs to the one before it.

    >>> points("* one\n* two,\n  more\n\nthree")
    ['one', 'two, more', 'three']
    """
    found: list[str] = []
    fresh = True
    for line in text.splitlines():
        words = line.strip()
        if not words:
            fresh = True
            continue
        if fresh or _POINT.match(line):
            found.append(_POINT.sub("", words, count=1) if _POINT.match(words) else words)
        else:
            found[-1] += f" {words}"
        fresh = False
    return [_LINK.sub("](", one) for one in found]


def notes(version: str, root: Path = ROOT) -> str:
    """Notes of a version, fragments in order of their names; ValueError says what is wrong."""
    if not _VERSION.fullmatch(version):
        raise ValueError(f"{version!r} is no version such as 0.2.0")
    said = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    if version != said:
        raise ValueError(f"pyproject.toml says {said}, not {version}: the wheel and its notes must say the same; set the version first")
    fragments = _fragments(root)
    if not fragments:
        raise ValueError("changelog.d holds no fragment: nothing changed since the last release")
    told = {path.stem: points(path.read_text(encoding="utf-8")) for path in fragments}
    empty = [name for name, found in told.items() if not found]
    if empty:
        raise ValueError(f"empty fragments: {', '.join(empty)}; write what users can do now, or remove them")
    rows = [f"* **{name}**: {point}" for name, found in told.items() for point in found]
    return "\n".join([f"## 蓝碧 {version} 版更新说明", "", f"lanbi {version}: what users can do now, or must do differently, by subject.", "", *rows]) + "\n"


def write(version: str, root: Path = ROOT) -> Path:
    """Notes go to the head of the changelog, then the fragments go."""
    text, page = notes(version, root), root / "CHANGELOG.md"
    before = page.read_text(encoding="utf-8").removeprefix(TITLE).lstrip("\n") if page.exists() else ""
    if f"## 蓝碧 {version} " in before:
        raise ValueError(f"CHANGELOG.md has {version} already")
    fresh = page.with_suffix(".new")
    fresh.write_text(f"{TITLE}\n{text}" + (f"\n{before}" if before else ""), encoding="utf-8")
    fresh.replace(page)
    for path in _fragments(root):
        path.unlink()
    return page


def _fragments(root: Path) -> list[Path]:
    return sorted(path for path in (root / "changelog.d").glob("*.md") if path.name != ABOUT)


def main(words: list[str]) -> int:
    """Print or write; 2 with a message if something is wrong."""
    versions = [word for word in words if word != "--write"]
    if len(versions) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        print(write(versions[0]) if "--write" in words else notes(versions[0]), end="")
    except ValueError as error:
        print(f"release_notes: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
