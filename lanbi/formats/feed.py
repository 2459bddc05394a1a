"""The raw XML of the national real-time feed as texts: its undefined entity, and nothing that XML could do behind our back.

No DTD is accepted at all, so there are no entities to expand and nothing to load from elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.entities import html5
from typing import Final
from xml.parsers import expat

from domain.errors import FileError
from lanbi.formats.rows import trimmed
from lanbi.formats.sheet import Cells, Sheet

RECORD: Final = "AQIDataPublishLive"
COLUMNS: Final = (
    "StationCode", "TimePoint", "Area", "PositionName", "AQI", "Quality", "PM2_5", "PM10", "SO2", "NO2", "CO", "O3", "O3_24h",
)  # fmt: skip
_OWN: Final = frozenset({"amp", "lt", "gt", "quot", "apos"})
_ENTITY: Final = re.compile(r"&([A-Za-z][A-Za-z0-9]*);")
_CHUNK: Final = 1 << 16


def open_feed(name: str, text: str, digest: str, notices: list[str]) -> Sheet:
    """Records of the feed, one row each, with the line on which each begins."""
    return Sheet(name, "xml", digest, list(COLUMNS), _Feed(name).rows(_without_entities(text)), notices)


def _without_entities(text: str) -> str:
    """HTML's names for characters become the characters: the feed writes ``&mdash;`` for missing without declaring it."""
    return _ENTITY.sub(lambda found: found[0] if found[1] in _OWN else html5.get(f"{found[1]};", found[0]), text)


class _Feed:
    """One pass of the parser over one file."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._found: list[tuple[int, Cells]] = []
        self._record: dict[str, str] | None = None
        self._path: list[str] = []
        self._depth = 0
        self._line = 0
        self._count = 0
        self._parser = expat.ParserCreate(namespace_separator="}")
        self._parser.buffer_text = True
        self._parser.StartDoctypeDeclHandler = self._refuse
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text

    def rows(self, text: str) -> Iterator[tuple[int, Cells]]:
        for start in range(0, len(text), _CHUNK):
            self._parse(text[start : start + _CHUNK], last=False)
            yield from self._found
            self._found.clear()
        self._parse("", last=True)
        if not self._count:
            raise FileError(f"no {RECORD} record in it", self.name, "give the XML of GetAQIDataPublishLives")

    def _parse(self, text: str, *, last: bool) -> None:
        try:
            self._parser.Parse(text, last)
        except expat.ExpatError as error:
            words = expat.ErrorString(error.code)
            raise FileError(f"not XML: {words}", f"{self.name}, line {error.lineno}", "fetch the file again: it is cut or damaged") from None

    def _refuse(self, *_: object) -> None:
        where = f"{self.name}, line {self._parser.CurrentLineNumber}"
        raise FileError("a document type (DTD) is refused: the feed has none, and entities could load or blow up anything", where, "remove it")

    def _start(self, tag: str, _: object) -> None:
        local = tag.rpartition("}")[2]
        self._path.append(local)
        if local == RECORD and self._record is None:
            self._record, self._depth, self._line = {}, len(self._path), self._parser.CurrentLineNumber

    def _text(self, text: str) -> None:
        if self._record is not None and len(self._path) == self._depth + 1:
            self._record[self._path[-1]] = self._record.get(self._path[-1], "") + text

    def _end(self, _: str) -> None:
        if self._record is not None and len(self._path) == self._depth:
            self._found.append((self._line, [trimmed(self._record.get(column, "")) for column in COLUMNS]))
            self._record = None
            self._count += 1
        self._path.pop()
