"""The national section page as texts: one row a section, with the original value where the page gives one.

City, river and original values stand in the cells' tool tips. The page holds no year and no time of download: the file's name
tells it (``…20251118T193233…``), else the time of its last change.
"""

from __future__ import annotations

import re
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Final

from domain.civil import SHANGHAI
from domain.errors import FileError
from lanbi.formats.rows import trimmed
from lanbi.formats.sheet import GRID, Cells, Sheet

SHOWN: Final = ("temp", "ph", "do", "cond", "turb", "codmn", "nh3n", "tp", "tn", "chla", "algae")
"""Items in the order of the page's columns."""
COLUMNS: Final = ("snap", "province", "basin", "city", "river", "station", "obs", "wclass", *SHOWN, "status", *(f"{item}_raw" for item in SHOWN))
CELLS: Final = 17
_STAMP: Final = re.compile(r"(?<!\d)(20\d{6})[T_-]?(\d{6})(?!\d)")
_CITY: Final = re.compile(r"所在地市\s*[:：]\s*([^\r\n<]*)")
_RIVER: Final = re.compile(r"所属河流\s*[:：]\s*([^\r\n<]*)")
_RAW: Final = re.compile(r"原始值\s*[:：]\s*(.*)", re.DOTALL)


def open_page(name: str, text: str, digest: str, notices: list[str]) -> Sheet:
    """Rows of the page, with the line on which each begins.

    Raises
    ------
    FileError
        No section on it, or a row with another number of cells: the page has changed.
    """
    page = _Page()
    page.feed(text)
    page.close()
    if not page.found:
        raise FileError(f"no section in the list '{GRID}'", name, "save the whole page of real-time data after it has loaded")
    snap, told = _snap(name)
    if told:
        notices.append(told)
    rows = [(line, _row(name, line, cells, snap)) for line, cells in page.found]
    return Sheet(name, "html", digest, list(COLUMNS), iter(rows), notices)


def _snap(name: str) -> tuple[str, str]:
    """Time of download, and what to say about it."""
    stamp = _STAMP.search(Path(name).name)
    if stamp:
        return f"{stamp[1]}T{stamp[2]}", ""
    changed = datetime.fromtimestamp(Path(name).stat().st_mtime, SHANGHAI)
    words = f"{name}: 文件名无下载时间，按文件修改时间 no time of download in the file's name, taken as that of its last change: {changed:%Y-%m-%d %H:%M:%S}"
    return f"{changed:%Y%m%dT%H%M%S}", words


class _Page(HTMLParser):
    """One pass over the page: cells of the list's items, each with its text and its tool tip."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[int, list[tuple[str, str]]]] = []
        self._depth = 0
        self._cells: list[tuple[str, str]] | None = None
        self._open = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "ul":
            self._depth = self._depth + 1 if self._depth else int(given.get("id") == GRID)
        if not self._depth:
            return
        if tag == "li" and self._depth == 1:
            self._cells = []
            self.found.append((self.getpos()[0], self._cells))
        elif tag == "td" and self._cells is not None:
            self._cells.append(("", ""))
            self._open = True
        tip = given.get("data-original-title") or given.get("title")
        if tip and self._open and self._cells:
            self._cells[-1] = self._cells[-1][0], tip

    def handle_endtag(self, tag: str) -> None:
        if tag == "ul" and self._depth:
            self._depth -= 1
        elif tag == "td":
            self._open = False

    def handle_data(self, data: str) -> None:
        if self._open and self._cells:
            text, tip = self._cells[-1]
            self._cells[-1] = text + data, tip


def _row(name: str, line: int, cells: list[tuple[str, str]], snap: str) -> Cells:
    if len(cells) != CELLS:
        raise FileError(f"a section with {len(cells)} cells where the page has {CELLS}", f"{name}, line {line}", "the page has changed: report it")
    texts = [trimmed(text) for text, _ in cells]
    province, basin, station, obs, wclass = texts[:5]
    tip = cells[2][1]
    city, river = (trimmed(found[1]) if (found := pattern.search(tip)) else "" for pattern in (_CITY, _RIVER))
    raw = [trimmed(found[1]) if (found := _RAW.search(tip)) else "" for _, tip in cells[5 : 5 + len(SHOWN)]]
    return [snap, province, basin, city, river, station, obs, wclass, *texts[5 : 5 + len(SHOWN)], texts[-1], *raw]
