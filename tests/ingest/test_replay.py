"""Replay on real journal, state and store: what is lost or altered comes back, the rest stays where it is."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest

from domain.civil import iso
from domain.errors import StoreAway
from domain.message import Message, encode
from domain.readings import Key
from lanbi.embedded import EmbeddedStore
from lanbi.state import State
from tests.ingest.county import NOW, TEXT
from tests.ingest.machine import Fuse, Machine
from tests.ingest.replaying import HOUR, air, announced, apply, changes_of, done, entries_of, not_announced, one, outcomes, story, wipe

__all__ = ["one"]


def test_a_replay_changes_nothing_in_a_store_that_is_well(one: Machine) -> None:
    """No row is written, nothing refused anew, and only what a person entered is announced again; a register that a correction explains since is history."""
    story(one)
    before, law, said = one.rows(), one.law(), announced(one)

    assert {"read": 42, "duplicate": 41, "stored": 1, "resolved": 1} == done(one, "replay")
    refused = one.refused()
    assert {"read": 42, "duplicate": 42} == done(one, "replay")
    assert (before, refused) == (one.rows(), one.refused())
    assert [("~reported",)] * 2 == [sites for number, sites in changes_of(one) if number not in said]
    assert law["stored"] + 1 == one.law()["stored"]


def test_a_store_that_lost_everything_is_filled_again(one: Machine) -> None:
    """The rows are the same as before, also where corrections, withdrawals, imports and conflicts met; so are the entries."""
    story(one)
    before, entered = one.rows(), entries_of(one)
    assert len(entered) == 2
    wipe(one)
    counts = done(one, "replay")

    assert before == one.rows()
    assert entered == entries_of(one)
    assert counts["read"] == counts["stored"] + counts["duplicate"]


@pytest.mark.parametrize("change", ["lost", "value", "flag", "item", "rev"])
def test_rows_that_look_otherwise_are_written_again(one: Machine, change: str) -> None:
    """A row that lost or altered an item is mended from its record, and the day is announced."""
    story(one)
    before = one.rows()
    altered(one, change)
    assert before != one.rows()
    done(one, "replay")

    assert before == one.rows()


def altered(machine: Machine, change: str) -> None:
    """Alter rows behind everybody's back: one that was written once, one that was corrected."""
    store = EmbeddedStore(machine.data / "store.db")
    statement = {
        "lost": "DELETE FROM air",
        "value": "UPDATE air SET pm25 = 1.25",
        "flag": "UPDATE air SET flags = 'pm25:M'",
        "item": "UPDATE air SET co = NULL, flags = ''",
        "rev": "UPDATE air SET rev = rev - 1",
    }
    for time in (HOUR - 7_200, HOUR - 21_600):
        with store._files.write() as db:
            db.execute(f"{statement[change]} WHERE time = ?", (time,))
    store.close()


def test_a_conflict_does_not_slip_in_where_the_store_lost_the_other_value(one: Machine) -> None:
    """A value held for a person stays held, also when what it conflicts with is not in the store."""
    one.journal([air(1, pm25=5.0)], now=NOW)
    one.journal([air(1, pm25=9.0)], now=NOW + 100)
    one.forward()
    wipe(one)

    assert {"read": 1, "duplicate": 1} == done(one, "replay", since=iso(NOW + 50))
    assert {} == one.rows()
    assert {"read": 2, "stored": 1, "duplicate": 1} == done(one, "replay")
    assert [5.0] == [row.values["pm25"] for row in one.rows().values()]


def test_the_registry_of_the_time_of_receipt_can_be_asked_for(one: Machine) -> None:
    """By default the newest registry judges, and what it would refuse is left as it is; `then` restores what was accepted then."""
    one.journal([air(1, pm25=5.0)], now=NOW)
    one.forward()
    apply(one, TEXT.replace('id = "air1"\nsources = ["tc-a01"]', 'id = "air1"\nsources = []'), NOW + 50)
    one.forward()
    wipe(one)

    assert {"read": 1, "duplicate": 1, "left": 1} == done(one, "replay")
    assert ([], {}) == (one.refused(), one.rows())
    assert {"read": 1, "stored": 1} == done(one, "replay", registry="then")
    assert 1 == len(one.rows())


def test_a_window_and_a_source_limit_a_replay(one: Machine) -> None:
    """Only what was received in the window, and only readings of the source, are judged and counted."""
    one.journal([air(n, HOUR + 3600 * n, pm25=5.0) for n in range(3)], now=NOW)
    one.journal([air(9, HOUR + 60 * n, pm25=6.0) for n in range(1)], now=NOW + 1_000)
    one.journal([encode(Message(HOUR, 0, {"register": 5.0}, 0, 1, "tc-m01"))], "lanbi/v1/gate/data", now=NOW + 1_000)
    one.forward()

    assert {"read": 2, "duplicate": 2} == {**done(one, "replay", since=iso(NOW + 1_000))}
    assert 3 == done(one, "replay", to=iso(NOW + 10))["read"]
    assert {"read": 1, "duplicate": 1} == done(one, "replay", source="tc-m01")
    assert {} == done(one, "replay", writers=["import", "hj212"])


def test_readings_of_a_damaged_record_cannot_be_replayed_and_are_named(one: Machine) -> None:
    """Damage that came later costs the replay its record: told, and not received again."""
    one.journal([air(n, HOUR - 3600 * n, pm25=5.0) for n in range(9)])
    one.forward()
    (path,) = (one.data / "journal" / "mqtt").glob("*.lbj")
    data = bytearray(path.read_bytes())
    data[data.index(b'"seq":4') + 6] ^= 1
    path.write_bytes(data)

    assert {"read": 8, "duplicate": 8, "unreadable": 1} == done(one, "replay")


@pytest.mark.parametrize(
    "body", [{"what": "everything"}, {"what": "replay", "since": "yesterday"}, {"what": "replay", "extra": 1}, {"what": "replay", "writers": ["root"]}]
)
def test_a_request_that_cannot_be_understood_has_failed(one: Machine, body: dict[str, Any]) -> None:
    """It says why, does nothing, and holds nobody up."""
    what = body.pop("what")
    name = one.ask(what, **body)
    one.journal([air(1, pm25=5.0)])

    assert {"received": 1, "stored": 1} == outcomes(one)
    job = one.job(name)
    assert "failed" == job.state
    assert job.detail.startswith("not understood: ")


def test_a_rebuilt_state_does_not_repeat_old_replays(one: Machine) -> None:
    """Where everything is forwarded anew from the journal, a request of earlier days has nothing left to do."""
    one.journal([air(1, pm25=5.0)])
    one.forward()
    done(one, "replay", behind={"mqtt": 1})
    for path in one.data.glob("state.db*"):
        path.unlink()

    assert {"received": 1, "stored": 1} == outcomes(one)
    assert "rebuilt" in one.job("person/1").detail


def test_live_readings_do_not_wait_for_a_replay(one: Machine) -> None:
    """A replay of many records goes on in slices; what arrives meanwhile is stored after the next one."""
    one.journal([air(n, HOUR - 3600 * n, pm25=5.0) for n in range(1, 101)])
    one.forward()
    name = one.ask("replay")
    with one.forwarder() as working:
        working.step(10)
        one.journal([air(200, pm25=6.0)])
        working.step(10)
        job = State.job(working.state, name)  # type: ignore[arg-type]

        assert job and job.open and 0 < job.records < 100
        assert Key("air", "tc-a01", 3600, HOUR) in one.rows()


@pytest.mark.parametrize("left", range(1, 9))
@pytest.mark.parametrize("after", [False, True])
def test_a_kill_within_a_slice_is_mended_by_the_next_start(one: Machine, left: int, after: bool) -> None:  # noqa: FBT001
    """Killed before or after any write, the replay ends with the same rows, all of them announced, and a balanced account."""
    one.journal([air(n, HOUR - 86_400 * n, pm25=5.0) for n in range(3)])
    one.forward()
    before = one.rows()
    wipe(one)
    name = one.ask("replay")
    with suppress(StoreAway):
        one.forward(1, Fuse(left, after=after))
    one.law()
    one.forward(1)

    assert before == one.rows()
    assert "done" == one.job(name).state
    assert set() == not_announced(one)
    one.law()
