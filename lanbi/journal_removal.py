"""Removing sealed days: what goes is what nobody needs any more, its seal stays, and that it went is a record of the journal.

A full disk may leave no room for a record, so the data go first and the record follows as soon as there is room. Until then
the seal without data and without a reference in its ``.gone`` file is the reminder; :func:`document` looks for such seals.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

from domain.civil import DAY_S, day_end, iso
from domain.errors import JournalError
from domain.ports import Clock
from lanbi.frames import DOORS
from lanbi.journal import JournalWriter
from lanbi.journal_bytes import SUFFIX, files, parity_path, sealed_path
from lanbi.journal_files import day_of_file, sync_folder
from lanbi.seals import Seal, read_seal, seals
from lanbi.state import StateView

NS: Final = 1_000_000_000
FLOOR_DAYS: Final = 4
"""96 hours: a store's yes is not believed before."""
GONE_SUFFIX: Final = ".gone"
PERSON: Final = "person"
TOPIC: Final = "lanbi/v1/~person/journal"


class Sealed(NamedTuple):
    """A sealed file and its seal."""

    path: Path
    seal: Seal


class Cause(NamedTuple):
    """Why a day is removed, and who answers for it."""

    why: str
    user: str


def removable(data: Path, clock: Clock, days: int) -> list[Sealed]:
    """Sealed files that are wholly forwarded, older than so many days, and not a writer's newest; oldest first."""
    view = StateView(data)
    try:
        cursors = {writer: view.cursor(writer)[0] for writer in DOORS}
    finally:
        view.close()
    until = clock.now_ns() // NS - max(days, FLOOR_DAYS) * DAY_S
    found = [one for writer in DOORS for one in _sealed(data / "journal", writer) if one.seal.last <= cursors[writer]]
    return sorted((one for one in found if day_end(day_of_file(one.path)) <= until), key=lambda one: (day_of_file(one.path), one.path))


def _sealed(folder: Path, writer: str) -> Iterator[Sealed]:
    for path in files(folder, writer)[:-1]:
        seal = None if path.exists() else read_seal(path)
        if seal and sealed_path(path).exists():
            yield Sealed(path, seal)


def remove(one: Sealed, cause: Cause) -> int:
    """Remove the data of a sealed file; returns the bytes that came free on the journal's disk. :func:`document` follows.

    Raises
    ------
    JournalError
        It cannot be removed.
    """
    try:
        with suppress(OSError):  # no room: the cause is then told without
            _note(one.path, cause, "")
        freed = sum(part.lstat().st_size for part in (sealed_path(one.path), parity_path(one.path)) if part.exists())
        for part in (sealed_path(one.path), parity_path(one.path)):
            if part.is_symlink():
                part.readlink().unlink(missing_ok=True)
            part.unlink(missing_ok=True)
        sync_folder(one.path.parent)
    except OSError as error:
        raise JournalError(f"it cannot be removed: {error.strerror}", str(one.path), "check the permissions of the folder") from error
    return freed


def undocumented(data: Path) -> list[Sealed]:
    """Seals whose data are gone without a record that says so."""
    found = []
    for writer in DOORS:
        for seal in seals(data / "journal", writer):
            path = data / "journal" / writer / f"{seal.name}{SUFFIX}"
            there = path.exists() or sealed_path(path).is_symlink() or sealed_path(path).exists()
            if not there and not gone(path).get("record"):
                found.append(Sealed(path, seal))
    return found


def document(data: Path, clock: Clock) -> int:
    """Journal every removal that has no record yet; returns how many.

    Raises
    ------
    DataFolderBusy
        Somebody enters something at this moment: call again.
    JournalError
        There is no room for the record.
    """
    rest = undocumented(data)
    if not rest:
        return 0
    writer = JournalWriter(data / "journal", PERSON)
    try:
        for one in rest:
            noted = gone(one.path)
            cause = Cause(str(noted.get("why") or "found gone"), str(noted.get("user") or "unknown"))
            now_ns = clock.now_ns()
            seq = writer.append(TOPIC, json.dumps(_body(one, cause, now_ns), ensure_ascii=False).encode(), received_ns=now_ns, readings=0)
            writer.commit()
            _note(one.path, cause, f"{PERSON}/{seq}")
    except OSError as error:
        raise JournalError(f"the removal cannot be noted: {error.strerror}", str(data / "journal"), "free space; it is noted later") from error
    finally:
        writer.close()
    return len(rest)


def _body(one: Sealed, cause: Cause, now_ns: int) -> dict[str, Any]:
    seal = one.seal
    counts = {"first": seal.first, "last": seal.last, "records": seal.records, "readings": seal.readings}
    return {"user": cause.user, "time": iso(now_ns // NS), "action": "removed", "why": cause.why, "file": seal.reference, "seal": seal.digest, **counts}


def gone(path: Path) -> dict[str, Any]:
    """What was noted of a removal: why, user, record; empty if nothing was."""
    try:
        found = json.loads(path.with_suffix(GONE_SUFFIX).read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _note(path: Path, cause: Cause, record: str) -> None:
    target = path.with_suffix(GONE_SUFFIX)
    draft = target.with_name(f"{target.name}.new")
    draft.write_text(json.dumps({"why": cause.why, "user": cause.user, "record": record}, ensure_ascii=False), encoding="utf-8")
    draft.replace(target)
    sync_folder(path.parent)
