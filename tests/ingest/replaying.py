"""Jobs on a machine: a story with readings of every fate, what a job counts, and what the store has afterwards."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from domain.civil import day_of
from domain.message import Message, encode
from domain.places import Registry
from domain.readings import Entry, Key
from lanbi.embedded import EmbeddedStore
from lanbi.registry import loads
from tests.ingest.county import NOW
from tests.ingest.machine import Machine

HOUR = NOW // 3600 * 3600


def reload(entry: Entry) -> Registry:
    """As the ingest process does."""
    return loads(str(entry.body["text"]), entry.id)


@pytest.fixture
def one(tmp_path: Path) -> Machine:
    """A machine in an empty folder."""
    return Machine(tmp_path, reload=reload)


def air(seq: int, time: int = HOUR, *, source: str | None = None, **values: float | None) -> bytes:
    """A message of an air device."""
    return encode(Message(time, 3600, values, 0, seq, source))


def apply(machine: Machine, text: str, now: int = NOW) -> None:
    """Put a registry in force by the person's journal."""
    machine.journal([json.dumps({"user": "li", "text": text}).encode()], "lanbi/v1/~person/registry", "person", now)
    machine.registry = loads(text, "applied")


def wipe(machine: Machine) -> None:
    """The store loses everything."""
    for path in machine.data.glob("store.db*"):
        path.unlink()


def outcomes(machine: Machine) -> dict[str, int]:
    """Terms of the law that are not zero, once everything is forwarded and every job done."""
    machine.forward()
    return {name: count for name, count in machine.law().items() if count}


def done(machine: Machine, what: str, **more: Any) -> dict[str, int]:
    """Have a job done; its account without zeros."""
    name = machine.ask(what, **more)
    machine.forward()
    machine.law()
    job = machine.job(name)
    assert ("done", "", job.wanted) == (job.state, job.detail, job.records), job
    return {name: count for name, count in job.counts.items() if count}


def story(machine: Machine) -> None:
    """Readings of every fate: corrected, late, withdrawn, conflicting, imported, refused; registers; events and entries."""
    machine.journal([air(n, HOUR - 3600 * (9 - n), pm25=5.0 + n, co=0.5) for n in range(8)])
    machine.forward()
    machine.journal([air(11, HOUR - 7_200, pm25=7.0), air(10, HOUR - 7_200, pm25=6.0), air(12, HOUR - 10_800, pm25=None)])
    machine.journal([air(11, HOUR - 7_200, pm25=8.0), air(13, HOUR - 14_400, pm25=9_999.0, no2=4.0)])
    machine.journal([air(14, HOUR - 18_000, pm25=9.0, co=0.5)])  # the same value of a later revision
    meter = [
        Message(HOUR, 0, {"register": value}, 0, seq, "tc-m01", {}, corrects)
        for seq, value, corrects in ((1, 100.0, False), (2, 110.0, False), (4, 120.0, True), (3, 115.0, False))
    ]
    machine.journal([encode(message) for message in meter], "lanbi/v1/gate/data")
    imported = [Message(HOUR - 3600 * n, 3600, {"pm25": 50.0, "o3": 60.0}, 0, 100 + n, "9001A") for n in range(12)]
    machine.journal([encode(imported), encode(imported)], "lanbi/v1/~import/lanbi-csv/abc", "import")
    machine.journal([b'{"type": "maintenance", "note": "lens"}', b"\xff"], "lanbi/v1/air1/event")
    machine.journal([b'{"user": "li", "target": "a", "value": "1", "period": "2025", "document": "x"}'], "lanbi/v1/~person/reported", "person")
    machine.forward()


def entries_of(machine: Machine) -> list[Entry]:
    """What was entered, but the requests of this test."""
    store = EmbeddedStore(machine.data / "store.db")
    found = [entry for kind in ("event", "reported") for entry in store.entered(kind)]
    store.close()
    return found


def changes_of(machine: Machine) -> list[tuple[int, tuple[str, ...]]]:
    """Numbers of all changes, and whom they name."""
    store = EmbeddedStore(machine.data / "store.db")
    found = [(row.n, row.sites) for row in store.changes_after({})]
    store.close()
    return found


def announced(machine: Machine) -> set[int]:
    """Numbers of all changes."""
    return {number for number, _ in changes_of(machine)}


def not_announced(machine: Machine) -> set[Key]:
    """Rows on whose day no change names their site."""
    store = EmbeddedStore(machine.data / "store.db")
    days = {(site, row.day) for row in store.changes_after({}) for site in row.sites}
    store.close()
    return {key for key in machine.rows() if (key.source, day_of(key.time)) not in days}
