"""What an import says beside readings: published indices and reported values, each entered once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from domain.civil import date_of, day_of
from lanbi.formats.rows import Row, Said
from lanbi.formats.survey import FileSurvey

LEVEL: Final = "/~entries/"
"""What a topic of entries holds in front of their kind."""
PUBLISHED: Final = "published"
REPORTED: Final = "reported"
PER_RECORD: Final = 100
Body = Mapping[str, Any]


class Note(NamedTuple):
    """An entry before it is journalled."""

    kind: str
    body: Body

    @property
    def words(self) -> bytes:
        """What it says, whatever file said it: an entry with the same words is the same."""
        said = sorted((name, value) for name, value in self.body.items() if name != "file")
        return self.kind.encode() + msgspec.json.encode(said)


def published(row: Row, scope: str, file: FileSurvey) -> Note:
    """The AQI that a source published for a day, with its level."""
    aqi, level = row.published or (0.0, "")
    body = {"user": "import", "scope": scope, "figure": "aqi", "period": "day", "date": date_of(day_of(row.time)).isoformat(), "value": aqi}
    return Note(PUBLISHED, {**body, "level": level, "file": f"{Path(file.name).name} {file.digest}"})


def reported(said: Said, file: FileSurvey) -> Note:
    """A reported value, with the person who answers for it."""
    body = {"user": said.body["person"], **{name: said.body[name] for name in ("target", "period", "value", "document")}}
    return Note(said.kind, {**body, "file": f"{Path(file.name).name} {file.digest}"})


class EntryBook:
    """Entries known from before, and the new ones of this import."""

    def __init__(self) -> None:
        self.published = 0
        self.stored = 0
        self.known = 0
        """Reported values that were entered before, or stand twice in the files."""
        self._words: set[bytes] = set()
        self._waiting: dict[str, list[Body]] = {}

    def remember(self, topic: str, payload: bytes) -> None:
        """Take note of a journalled record of entries."""
        kind = topic.rpartition("/")[2]
        self._words.update(Note(kind, body).words for body in msgspec.json.decode(payload))

    def add(self, note: Note) -> None:
        """Take an entry, if it is new."""
        words = note.words
        if words in self._words:
            self.known += note.kind == REPORTED
            return
        self._words.add(words)
        self._waiting.setdefault(note.kind, []).append(note.body)
        self.stored += note.kind == REPORTED
        self.published += note.kind == PUBLISHED

    def take(self) -> Iterator[tuple[str, bytes]]:
        """Payloads of what waits, each with its kind."""
        for kind, bodies in self._waiting.items():
            for start in range(0, len(bodies), PER_RECORD):
                yield kind, msgspec.json.encode(bodies[start : start + PER_RECORD])
        self._waiting = {}
