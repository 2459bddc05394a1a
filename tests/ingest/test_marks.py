"""Entries that figures are made of: what cannot be used is a dead letter, the rest announces what it touches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from domain.civil import parse_date
from lanbi.embedded import EmbeddedStore
from tests.ingest.machine import Machine

MARK = {"user": "李工", "source": "tc-a01", "from": "2026-11-20T08:00:00+08:00", "to": "2026-11-21T02:00:00+08:00", "flag": "H", "reason": "校准气"}


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A forwarder on a folder."""
    return Machine(tmp_path)


def enter(machine: Machine, kind: str, *bodies: dict[str, Any]) -> None:
    """Journal what a person entered, and forward it."""
    machine.journal([msgspec.json.encode(list(bodies) if len(bodies) > 1 else bodies[0])], f"lanbi/v1/~person/{kind}", "person")
    machine.forward()


def seen(machine: Machine, kind: str) -> tuple[list[Any], list[Any]]:
    """Entries of a kind, and the changes."""
    store = EmbeddedStore(machine.data / "store.db")
    try:
        return store.entered(kind), store.changes_after({})
    finally:
        store.close()


def test_a_mark_announces_its_days(machine: Machine) -> None:
    """A person's mark is kept word by word and names the site and every day it touches, without a reading."""
    enter(machine, "mark", MARK)
    entries, changes = seen(machine, "mark")

    assert [("李工", MARK)] == [(one.user, one.body) for one in entries]
    assert [(parse_date("2026-11-20"), ("tc-a01", "~mark")), (parse_date("2026-11-21"), ("tc-a01", "~mark"))] == [(c.day, c.sites) for c in changes]
    assert 0 == machine.law()["received"]


def test_a_mark_that_cannot_be_meant_is_a_dead_letter_and_its_neighbour_stands(machine: Machine) -> None:
    """One unusable mark is refused with its reason and announces nothing; the other of the same message is entered."""
    enter(machine, "mark", {**MARK, "flag": "Q"}, MARK)
    entries, changes = seen(machine, "mark")

    assert (1, 2) == (len(entries), len(changes))
    assert 0 == machine.totals()["deadletter", "bad-schema"], "it counts no reading"


def test_other_entries_announce_nothing(machine: Machine) -> None:
    """The confirmation of a month changes no day."""
    enter(machine, "confirmation", {"user": "李工", "month": "2026-01", "action": "confirm", "document": "d"})

    assert (1, []) == (len(seen(machine, "confirmation")[0]), seen(machine, "confirmation")[1])


def test_a_reported_value_announces_its_period(machine: Machine) -> None:
    """Whoever judges targets by what is reported reads it again; no place is touched."""
    enter(machine, "reported", {"user": "李工", "target": "x", "period": "2026", "value": "1", "document": "d"})

    assert [("~reported",)] == [one.sites for one in seen(machine, "reported")[1]]
