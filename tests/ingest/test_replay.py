"""Replay on real journal, state and store: what is good now is stored, what is lost comes back, the rest stays where it is."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from domain.civil import day_of, iso
from domain.errors import StoreAway
from domain.message import Message, encode
from domain.places import Registry
from domain.readings import Entry, Key
from lanbi.embedded import EmbeddedStore
from lanbi.registry import loads
from lanbi.state import State
from tests.ingest.county import NOW, TEXT
from tests.ingest.machine import Fuse, Machine

HOUR = NOW // 3600 * 3600
NEW_DEVICE = f"""{TEXT}
[[air_station]]
id = "tc-a03"
name = "三号站"
role = "township"
[[device]]
id = "air2"
sources = ["tc-a03"]
format = "lanbi-json"
interval = 3600
state = "accepted"
"""


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
    assert ("done", "", job.wanted) == (job.state, job.detail, job.records)
    return {name: count for name, count in job.counts.items() if count}


def test_a_registered_device_gets_its_readings_back(one: Machine) -> None:
    """After the registry was corrected a replay of the dead letters stores them, and they no longer stand."""
    one.journal([air(n, HOUR - 3600 * n, pm25=5.0 + n) for n in range(4)], "lanbi/v1/air2/data")
    assert {"received": 4, "deadletter": 4} == outcomes(one)
    apply(one, NEW_DEVICE)

    assert {"read": 4, "stored": 4, "resolved": 4} == done(one, "deadletters", reason="unknown-device")
    assert {"received": 8, "deadletter": 4, "stored": 4} == outcomes(one)
    assert {HOUR - 3600 * n: 5.0 + n for n in range(4)} == {key.time: row.values["pm25"] for key, row in one.rows().items()}
    assert [] == one.refused()
    assert 4 == len(one.refused(resolved=True))
    assert {} == done(one, "deadletters")


def test_what_is_still_refused_is_not_entered_again(one: Machine) -> None:
    """A refusal stands once, however often it is replayed; with another reason it is the same one, renamed."""
    one.journal([air(1, pm25=9_999.0), air(2, pm25=9_999.0, co=0.5)])
    one.journal([air(1, source="tc-a03", pm25=9_999.0)], "lanbi/v1/air2/data")
    one.forward()
    assert {"read": 3, "duplicate": 3} == done(one, "deadletters")
    assert {"read": 3, "duplicate": 3} == done(one, "replay")
    apply(one, NEW_DEVICE)

    # The message is no longer refused as a whole, its item is.
    assert {"read": 3, "duplicate": 2, "deadletter": 1, "resolved": 1} == done(one, "deadletters")
    assert [("value-out-of-range", "pm25", 1), ("value-out-of-range", "pm25", 2), ("value-out-of-range", "pm25", 3)] == one.refused()
    apply(one, TEXT.replace('id = "air1"\nsources = ["tc-a01"]', 'id = "air1"\nsources = []'))
    assert {"read": 3, "duplicate": 3} == done(one, "deadletters", reason="value-out-of-range")


def test_each_element_of_a_message_that_was_refused_whole_is_judged(one: Machine) -> None:
    """Of a list from an unknown device the good elements are stored and the bad one is refused for its own reason."""
    parts = [Message(HOUR - 3600 * n, 3600, {"pm25": 9_999.0 if n == 1 else 5.0, "co": 0.5 if n else 999.0}, 0, n) for n in range(3)]
    one.journal([encode(parts)], "lanbi/v1/air2/data")
    assert {"received": 3, "deadletter": 3} == outcomes(one)
    apply(one, NEW_DEVICE)

    assert {"read": 3, "stored": 3, "resolved": 1} == done(one, "deadletters")
    assert [("value-out-of-range", "co", 1), ("value-out-of-range", "pm25", 1)] == one.refused()
    assert {"read": 3, "duplicate": 3} == done(one, "replay")


def test_events_that_were_refused_are_entered_and_their_lost_numbers_are_gaps(one: Machine) -> None:
    """After the device was registered, what it reported counts: an entry of its own, and numbers that it gave up, once."""
    one.journal([b'{"type": "lost", "run": 0, "from": 3, "to": 5}', b'{"type": "maintenance"}'], "lanbi/v1/air2/event")
    one.forward()
    assert ([("unknown-device", None, 1), ("unknown-device", None, 2)], []) == (one.refused(), entries_of(one))
    apply(one, NEW_DEVICE)

    assert {"resolved": 2} == done(one, "deadletters")
    done(one, "replay")
    assert ["lost", "maintenance"] == [entry.body["type"] for entry in entries_of(one)]
    assert (3, []) == (one.totals()["gaps", ""], one.refused())


def test_only_what_is_asked_for_is_replayed(one: Machine) -> None:
    """Reason, device, id and time choose dead letters; the others stand and are not counted."""
    one.journal([air(1, HOUR - 10_800, pm25=9_999.0)], now=NOW - 7_200)
    one.journal([air(1, pm25=5.0), b"rubbish"], "lanbi/v1/air2/data")
    one.forward()
    apply(one, NEW_DEVICE)

    assert {} == done(one, "deadletters", device="air3")
    assert {"read": 1, "duplicate": 1} == done(one, "deadletters", to=iso(NOW - 3_600))
    assert {"read": 1, "duplicate": 1} == done(one, "deadletters", ids=[1])
    assert {"read": 1, "deadletter": 1, "resolved": 1} == done(one, "deadletters", ids=[3])
    assert {"read": 1, "stored": 1, "resolved": 1} == done(one, "deadletters", since=iso(NOW - 60), reason="unknown-device")
    assert [("value-out-of-range", "pm25", 1), ("bad-json", None, 3)] == one.refused()


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
