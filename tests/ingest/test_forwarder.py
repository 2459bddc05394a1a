"""The forwarder on real journal, state and store: what counts as what, and what people and devices enter besides readings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from domain.message import Message, encode
from domain.places import Registry
from domain.readings import Entry, Key
from ingest import entries
from lanbi.embedded import EmbeddedStore
from lanbi.registry import loads
from lanbi.state import State
from tests.ingest.county import NOW, TEXT
from tests.ingest.machine import Machine

HOUR = NOW // 3600 * 3600
METER = "lanbi/v1/gate/data"
LATE = HOUR - 7200


@pytest.fixture
def one(tmp_path: Path) -> Machine:
    """A machine in an empty folder."""
    return Machine(tmp_path)


def air(seq: int, time: int = HOUR, **values: float | None) -> bytes:
    """A message of the air device."""
    return encode(Message(time, 3600, values, 0, seq))


def register(seq: int, value: float, *, corrects: bool = False) -> bytes:
    """A message of the gateway's meter."""
    return encode(Message(HOUR, 0, {"register": value}, 0, seq, "tc-m01", {}, corrects))


def outcomes(machine: Machine) -> dict[str, int]:
    """Terms of the law that are not zero, once nothing is pending."""
    machine.forward()
    return {name: count for name, count in machine.law().items() if count and name != "received"}


def test_what_comes_twice_is_a_duplicate(one: Machine) -> None:
    """The same message again, newest or late, stores nothing and announces no change."""
    one.journal([air(1, LATE, pm25=5.0), air(2, pm25=6.0)])
    assert {"stored": 2} == outcomes(one)
    changes = changes_of(one)
    one.journal([air(1, LATE, pm25=5.0), air(2, pm25=6.0)])

    assert {"stored": 2, "duplicate": 2} == outcomes(one)
    assert changes == changes_of(one)


def changes_of(machine: Machine) -> list[tuple[int, tuple[str, ...]]]:
    """Change rows: number and sites."""
    store = EmbeddedStore(machine.data / "store.db")
    found = [(row.n, row.sites) for row in store.changes_after({})]
    store.close()
    return found


def test_changes_are_dense_and_name_day_and_site(one: Machine) -> None:
    """Each batch announces one change a civil day touched, numbered without a hole."""
    one.journal([air(1, HOUR - 86_400, pm25=5.0), air(2, pm25=6.0)])
    one.forward()
    one.journal([air(3, pm25=7.0)])
    one.forward()

    assert [(1, ("tc-a01",)), (2, ("tc-a01",)), (3, ("tc-a01",))] == changes_of(one)


def test_the_same_revision_with_another_value_is_held(one: Machine) -> None:
    """A conflict is quarantined item by item; what stands stays, and the device hears of it."""
    one.journal([air(1, pm25=5.0), air(1, pm25=9.0, co=0.5), air(1, pm25=9.0)])

    assert {"stored": 2, "quarantined": 1} == outcomes(one)
    assert [{"pm25": 5.0, "co": 0.5}] == [dict(row.values) for row in one.rows().values()]
    assert ["conflict", "conflict"] == [answer.body["reason"] for answer in one.told]


def test_a_register_is_replaced_only_by_a_correction(one: Machine) -> None:
    """A second value of a register is held, unless it says that it corrects; then the corrected one is history, also if it comes late."""
    one.journal([register(1, 100.0), register(2, 110.0)], METER)
    assert {"stored": 1, "quarantined": 1} == outcomes(one)
    one.journal([register(4, 120.0, corrects=True), register(3, 115.0)], METER)

    assert {"stored": 3, "quarantined": 1} == outcomes(one)
    assert [120.0] == [row.values["register"] for row in one.rows().values()]


def test_a_correction_that_comes_first_makes_the_corrected_value_history(one: Machine) -> None:
    """That a register's value corrects another one is remembered before the other arrives."""
    one.journal([register(4, 120.0, corrects=True)], METER)
    one.forward()
    one.journal([register(3, 100.0)], METER)

    assert {"stored": 2} == outcomes(one)
    assert [120.0] == [row.values["register"] for row in one.rows().values()]


def test_replaced_values_stay_readable(one: Machine) -> None:
    """Every version of a cell that was written more than once is kept with its journal reference."""
    one.journal([air(1, pm25=5.0), air(3, pm25=7.0), air(2, pm25=6.0)])
    one.forward()
    state = State(one.data)
    versions = state.versions([Key("air", "tc-a01", 3600, HOUR)])
    state.close()

    (found,) = versions.values()
    assert [(5.0, 1), (6.0, 3), (7.0, 2)] == sorted((version.value, version.seq) for version in found)


def test_a_withdrawn_item_stays_withdrawn(one: Machine) -> None:
    """Null takes a value back: the row keeps the item with flag W and no value."""
    one.journal([air(1, pm25=5.0, co=0.5), air(2, pm25=None)])
    one.forward()

    (row,) = one.rows().values()
    assert {"pm25": None, "co": 0.5} == dict(row.values)
    assert {"pm25": "W"} == dict(row.flags)


def test_a_refused_item_is_a_dead_letter_of_its_own(one: Machine) -> None:
    """The other items are stored, the reading counts as stored, the item is named to the device."""
    one.journal([air(1, pm25=5_000.0, co=0.5)])

    assert {"stored": 1} == outcomes(one)
    assert 1 == one.totals()["items_refused", "value-out-of-range"]
    (answer,) = one.told
    assert ("air1", {"seq": 1, "run": 0, "reason": "value-out-of-range", "item": "pm25", "detail": "5000 is outside 0 … 2000"}) == (answer.device, answer.body)


def test_poison_costs_only_itself(one: Machine) -> None:
    """Sixty readings with a text for a number among good ones: all good ones are stored, sixty wait in the dead letters."""
    bad = b'{"seq": %d, "time": %d, "span": 3600, "values": {"pm25": "broken"}}'
    one.journal([air(n, HOUR - 3600 * n, pm25=5.0) if n % 7 else bad % (n, HOUR) for n in range(1, 427)])

    assert {"stored": 366, "deadletter": 60} == outcomes(one)


def test_an_import_repeated_changes_nothing(one: Machine) -> None:
    """The same file again is duplicates only: stored readings, refused readings and refused items alike."""
    good = [Message(HOUR - 3600 * n, 3600, {"pm25": 5.0 + n, "co": 0.5 if n else 999.0}, source="tc-a01") for n in range(3)]
    payload = encode([*good, Message(HOUR, 3600, {"pm25": 5.0}, source="nowhere"), Message(HOUR, 3600, {"pm25": 9_999.0}, source="tc-a02")])
    one.journal([payload], "lanbi/v1/~import/lanbi-csv/abc", "import")
    assert {"stored": 3, "deadletter": 2} == outcomes(one)
    one.journal([payload], "lanbi/v1/~import/lanbi-csv/abc", "import", NOW + 60)

    assert {"stored": 3, "deadletter": 2, "duplicate": 5} == outcomes(one)
    assert 2 == one.totals()["items_refused", "value-out-of-range"]


def test_sequence_numbers_that_were_skipped_are_gaps(one: Machine) -> None:
    """A hole in a device's count is a gap at first sight; numbers declared lost are not counted twice."""
    one.journal([air(1, pm25=5.0), air(5, pm25=5.0)])
    one.forward()
    assert 3 == one.totals()["gaps", ""]
    lost = [{"type": "lost", "run": 0, "from": 2, "to": 4}, {"type": "lost", "run": 0, "from": 6, "to": 9}]
    one.journal([json.dumps(body).encode() for body in lost], "lanbi/v1/air1/event")
    one.forward()
    one.journal([air(10, pm25=5.0)])
    one.forward()

    assert 3 + 4 == one.totals()["gaps", ""]


def test_events_are_entries_and_bad_ones_are_refused_without_counting(one: Machine) -> None:
    """What a device reports besides readings is kept with its journal reference; it is no reading."""
    one.journal([b'{"type": "maintenance", "note": "lens"}', b'{"type": "party"}', b"\xff"], "lanbi/v1/air1/event")

    assert {} == outcomes(one)
    store = EmbeddedStore(one.data / "store.db")
    assert [("mqtt/1", "air1", "lens")] == [(entry.id, entry.user, entry.body["note"]) for entry in store.entered("event")]
    store.close()
    assert {"bad-schema", "bad-encoding"} == {answer.body["reason"] for answer in one.told}


@pytest.mark.parametrize("kind", [{}, [], ["lost"], {"lost": 1}, 7, None, True])
def test_an_event_whose_type_is_no_text_is_refused(one: Machine, kind: object) -> None:
    """Such a type can be no key of a table either: the message is told to be of a bad schema, and the next one is taken."""
    one.journal([json.dumps({"type": kind}).encode(), b'{"type": "maintenance"}'], "lanbi/v1/air1/event")
    one.forward()

    assert [("bad-schema", 1)] == [(row[0], row[2]) for row in one.refused()]
    store = EmbeddedStore(one.data / "store.db")
    assert ["mqtt/2"] == [entry.id for entry in store.entered("event")]
    store.close()


def test_a_fault_of_ours_in_an_entry_costs_this_entry_only(one: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever breaks while an event is read, it is a dead letter with the cause, and readings behind it are stored."""

    def broken(*_: object) -> None:
        raise ZeroDivisionError("of ours")

    monkeypatch.setattr(entries, "_event", broken)
    one.journal([b'{"type": "maintenance"}'], "lanbi/v1/air1/event")
    one.journal([air(1, pm25=1.0)])

    assert {"stored": 1} == outcomes(one)
    assert [("internal", "ZeroDivisionError('of ours')")] == [(answer.body["reason"], answer.body["detail"]) for answer in one.told]


def test_what_people_enter_is_kept_with_its_user(one: Machine) -> None:
    """A person's record becomes entries of its kind, a list several of them."""
    rest = {"period": "2025", "document": "x"}
    body = [{"user": "li", "target": "a", "value": "1", **rest}, {"user": "wang", "target": "b", "value": "2", **rest}]
    one.journal([json.dumps(body).encode()], "lanbi/v1/~person/reported", "person")
    one.journal([json.dumps(body[:1]).encode()], "lanbi/v1/~import/reported/abc/~entries/reported", "import")
    one.forward()

    store = EmbeddedStore(one.data / "store.db")
    assert {("person/1#0", "li"), ("person/1#1", "wang"), ("import/1", "li")} == {(entry.id, entry.user) for entry in store.entered("reported")}
    store.close()
    assert {} == outcomes(one)


def test_a_new_registry_judges_what_comes_after_it(one: Machine) -> None:
    """A registry record takes force without a restart."""

    def reload(entry: Entry) -> Registry:
        return loads(str(entry.body["text"]), entry.id)

    one.reload = reload
    body = {"user": "li", "text": TEXT.replace('id = "air1"', 'id = "air2"')}
    one.journal([json.dumps(body).encode()], "lanbi/v1/~person/registry", "person")
    one.journal([air(1, pm25=5.0)], "lanbi/v1/air2/data")

    assert {"stored": 1} == outcomes(one)


def test_damage_in_the_journal_is_counted_and_named(one: Machine) -> None:
    """A flipped byte costs its record; the account still adds up, and the loss is a dead letter."""
    one.journal([air(n, HOUR - 3600 * n, pm25=5.0) for n in range(9)])
    (path,) = (one.data / "journal" / "mqtt").glob("*.lbj")
    data = bytearray(path.read_bytes())
    data[data.index(b'"seq":4') + 6] ^= 1
    path.write_bytes(data)

    assert {"stored": 8, "deadletter": 1} == outcomes(one)
    assert 1 == one.totals()["deadletter", "internal"]


def test_latest_is_what_the_store_holds(one: Machine) -> None:
    """The newest reading of a source is known with device and receipt, also after a late one and a correction."""
    one.journal([air(1, pm25=5.0), air(2, LATE, pm25=1.0), air(3, pm25=7.0, co=0.5)])
    one.forward()
    state = State(one.data)
    (latest,) = state.latest()
    state.close()

    assert (HOUR, "air1", {"pm25": [7.0, "N"], "co": [0.5, "N"]}) == (latest.time, latest.device, {name: list(cell) for name, cell in latest.items.items()})
