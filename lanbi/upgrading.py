"""``lanbi upgrade``: what a data folder was written by, part by part, what this release would do with it, and doing it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from lanbi import accounts, embedded_schema, frames, state_schema
from lanbi.embedded_schema import Connections, Schema, version_of
from lanbi.journal_bytes import files, open_bytes
from lanbi.release import RELEASE, marked, written_by
from lanbi.versions import PARTS

DATABASES: Final[dict[str, Schema]] = {"state.db": state_schema.SCHEMA, "store.db": embedded_schema.SCHEMA, "access.db": accounts.SCHEMA}
SAME, RAISED, AHEAD, REFUSED, NONE = "same", "raised", "ahead", "refused", "none"
WORDS: Final = {
    SAME: ("不变", "as it is"),
    RAISED: ("升级", "is brought up to date"),
    AHEAD: ("由下一版写过或正在使用，可继续", "was written by the next release, or is in use; can be gone on with"),
    REFUSED: ("太新，拒绝", "is too new: refused"),
    NONE: ("没有", "is not there"),
}


class Step(NamedTuple):
    """One part: its name, what was found, what this release writes, and what becomes of it."""

    part: str
    found: str
    mine: str
    what: str

    def line(self) -> str:
        """For a terminal."""
        zh, en = WORDS[self.what]
        return f"{self.part:<10} {self.found or '–':>6} → {self.mine:<6} {zh} {en}"


def steps(data: Path) -> list[Step]:
    """What would be done; changes nothing."""
    found = written_by(data)
    whole = SAME if found == RELEASE else NONE if found is None else RAISED if found < RELEASE else AHEAD if RELEASE.goes_on_with(found) else REFUSED
    return [Step("release", str(found or ""), str(RELEASE), whole), *_parts(data)]


def _parts(data: Path) -> Iterator[Step]:
    for part in PARTS:
        if part.name == "backup":
            continue
        seen = _journal(data) if part.name == "journal" else version_of(data / part.name)
        what = NONE if not seen else REFUSED if seen > part.reads else AHEAD if seen > part.mine else RAISED if seen < part.mine else SAME
        yield Step(part.name, str(seen or ""), str(part.mine), what)


def _journal(data: Path) -> int:
    """Newest format that a file of the journal names; the newest files say it, for it never goes back."""
    newest = 0
    for writer in frames.DOORS:
        for path in files(data / "journal", writer)[-2:]:
            with open_bytes(path) as source:
                newest = max(newest, frames.format_of(source.pread(frames.HEADER_SIZE, 0)) or 0)
    return newest


def upgrade(data: Path, todo: list[Step]) -> None:
    """Bring everything up to date: each database in one transaction, so that a death leaves the old or the new."""
    for step in todo:
        if step.what == RAISED and step.part in DATABASES:
            Connections(data / step.part, DATABASES[step.part], what=step.part).close()
    marked(data)
