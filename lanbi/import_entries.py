"""What an import says beside readings: published indices and statements that people answer for, each entered once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from domain import marks, statements
from domain.civil import DAY_S, HOUR_S, date_of, day_of
from domain.places import Registry
from lanbi.formats.rows import Row, Said
from lanbi.formats.survey import FileSurvey

LEVEL: Final = "/~entries/"
"""What a topic of entries holds in front of their kind."""
SUBJECTS: Final = ("target", "scope", "site", "meter", "enterprise")
"""Columns that say what a statement is about, the first that there is."""
PER_RECORD: Final = 100
LARGEST: Final = 60_000
"""Bytes of a record, below what any message may have, unless what it holds cannot be divided."""
OPEN: Final = 2_000
"""Reviewed site-days that are collected at once: a file that goes by the hour has one of each place open."""
Body = Mapping[str, Any]
_Group = tuple[str, str, int, str]


class Note(NamedTuple):
    """An entry before it is journalled, and how many rows of the file it is."""

    kind: str
    body: Body
    rows: int = 1

    @property
    def words(self) -> bytes:
        """What it says, whatever file said it: an entry with the same words is the same."""
        said = sorted((name, value) for name, value in self.body.items() if name != "file")
        return self.kind.encode() + msgspec.json.encode(said)


def published(row: Row, scope: str, file: FileSurvey) -> Note:
    """The AQI that a source published for a day, with its level."""
    aqi, level = row.published or (0.0, "")
    body = {"user": "import", "scope": scope, "figure": "aqi", "period": "day", "date": date_of(day_of(row.time)).isoformat(), "value": aqi}
    return Note(marks.PUBLISHED, {**body, "level": level, "file": _name(file)})


def _name(file: FileSurvey) -> str:
    return f"{Path(file.name).name} {file.digest}"


def subject(said: Said) -> str:
    """What a statement is about: a target, a scope or a site."""
    return next((said.body[column] for column in SUBJECTS if column in said.body), "")


def registered(said: Said, registry: Registry) -> str | None:
    """Registered id of the air place or county that a statement is about; None where no such place is known."""
    name = subject(said)
    known = registry.by_code.get(name, name)
    if known == registry.county.id:
        return None if said.kind == marks.REVIEWED else known
    return known if marks.places(known, registry) else None


def stranger(said: Said, registry: Registry) -> str | None:
    """What a statement about meters or enterprises names that is not registered, or does not belong together; None if all is well."""
    body = said.body
    owner, meter, line = body.get("enterprise", ""), body.get("meter", ""), body.get("line", "")
    if meter and meter not in registry.meters:
        return f"no such meter: '{meter}'"
    if owner and owner not in registry.enterprises:
        return f"no such enterprise: '{owner}'"
    if line and (line not in registry.lines or registry.lines[line].enterprise != owner):
        return f"line '{line}' is none of enterprise '{owner}'"
    foreign = [name for name in body.get("meters", "").split() if name not in registry.meters or registry.meters[name].enterprise != owner]
    return f"meter '{foreign[0]}' is none of enterprise '{owner}'" if foreign else None


@dataclass
class Statements:
    """Statements of one file become entries; the cells of a reviewed site-day become one.

    Attributes
    ----------
    file : FileSurvey
    registry : Registry
    """

    file: FileSurvey
    registry: Registry
    _open: dict[_Group, list[list[Any]]] = field(default_factory=dict)

    def take(self, said: Said) -> Iterator[Note]:
        """Entries that are complete with this statement."""
        if said.kind != marks.REVIEWED:
            yield self._single(said)
            return
        body = said.body
        key = (registered(said, self.registry) or body["site"], body["day"], HOUR_S if "time" in body else DAY_S, body["document"])
        self._open.setdefault(key, []).append([int(body["hour"]), body["item"], body["value"] or None, body["flag"]])
        if len(self._open) > OPEN:
            yield self._closed(next(iter(self._open)))

    def rest(self) -> Iterator[Note]:
        """What is still open at the end of the file."""
        for key in list(self._open):
            yield self._closed(key)

    def _single(self, said: Said) -> Note:
        body = dict(said.body)
        if said.kind == statements.REPORTED:
            user = body.pop("person")
            return Note(statements.REPORTED, {"user": user, **body, "file": _name(self.file)})
        if said.kind in statements.KINDS:
            return Note(said.kind, {"user": "import", **body, "file": _name(self.file)})
        return Note(said.kind, {"user": "import", **body, "scope": registered(said, self.registry) or body["scope"], "file": _name(self.file)})

    def _closed(self, key: _Group) -> Note:
        cells = self._open.pop(key)
        site, day, width, document = key
        # The same row twice in a file is one cell; the file's order says nothing.
        unique = sorted({tuple(cell) for cell in cells}, key=lambda cell: (cell[0], cell[1], str(cell[2]), cell[3]))
        body = {"user": "import", "site": site, "date": day, "span": width, "document": document, "cells": [list(cell) for cell in unique]}
        return Note(marks.REVIEWED, {**body, "file": _name(self.file)}, len(cells))


class EntryBook:
    """Entries known from before, and the new ones of this import."""

    def __init__(self) -> None:
        self.published = 0
        self.contradicting = 0
        """Rows of readings that contradict an earlier one of their file."""
        self.stored = 0
        self.known = 0
        """Rows of statements that were entered before, or stand twice in the files."""
        self._words: set[bytes] = set()
        self._waiting: dict[str, list[Body]] = {}

    def remember(self, topic: str, payload: bytes) -> None:
        """Take note of a journalled record of entries."""
        kind = topic.rpartition("/")[2]
        self._words.update(Note(kind, body).words for body in msgspec.json.decode(payload))

    def add(self, *notes: Note) -> None:
        """Take entries, as far as they are new."""
        for note in notes:
            words = note.words
            counts = note.rows * (note.kind != marks.PUBLISHED)
            if words in self._words:
                self.known += counts
                continue
            self._words.add(words)
            self._waiting.setdefault(note.kind, []).append(note.body)
            self.stored += counts
            self.published += note.kind == marks.PUBLISHED

    def take(self) -> Iterator[tuple[str, bytes]]:
        """Payloads of what waits, each with its kind."""
        for kind, bodies in self._waiting.items():
            record: list[bytes] = []
            size = 0
            for body in bodies:
                one = msgspec.json.encode(body)
                if record and (len(record) == PER_RECORD or size + len(one) > LARGEST):
                    yield kind, b"[" + b",".join(record) + b"]"
                    record, size = [], 0
                record.append(one)
                size += len(one) + 1
            if record:
                yield kind, b"[" + b",".join(record) + b"]"
        self._waiting = {}
