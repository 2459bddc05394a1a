"""Reconciliation on real journal, state and store: every hole, doubled row and altered row is found, none is invented, all are mended."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from domain.civil import iso
from domain.message import Message, encode
from domain.readings import Key, Reading
from ingest.marks import Marks
from lanbi.embedded import EmbeddedStore
from lanbi.state import State
from tests.ingest.county import NOW, TEXT
from tests.ingest.machine import Machine
from tests.ingest.replaying import HOUR, air, announced, apply, not_announced, story, wipe
from tests.ingest.test_order import SLOW, arrivals, machine

WINDOW = iso(NOW - 400 * 86_400)
Found = list[tuple[str, int, bool]]


@pytest.fixture
def one(tmp_path: Path) -> Machine:
    """A machine in an empty folder."""
    return Machine(tmp_path)


def reconciled(machine: Machine, limit: int = 5_000, **more: Any) -> tuple[Found, dict[str, int]]:
    """Findings (what, hours before now, mended), and the counts that are not zero."""
    name = machine.ask("reconcile", **{"since": WINDOW, "to": iso(NOW + 86_400), **more})
    machine.forward(limit)
    machine.law()
    job = machine.job(name)
    assert "done" == job.state, job.detail
    state = State(machine.data)
    found = state.findings(name)
    state.close()
    return sorted((one.what, (HOUR - one.key.time) // 3600, one.mended) for one in found), {name: count for name, count in job.counts.items() if count}


def spoil(machine: Machine, statement: str, *values: object) -> int:
    """Alter the store behind everybody's back; how many rows that touched."""
    store = EmbeddedStore(machine.data / "store.db")
    with store._files.write() as db:
        count = db.execute(statement, values).rowcount
    store.close()
    return count


def test_a_store_that_is_well_shows_nothing(one: Machine) -> None:
    """Corrected, late, withdrawn, conflicting, imported, raised: every row is as the journal says, whatever the slices."""
    story(one)
    for limit in (1, 3, 5_000):
        found, counts = reconciled(one, limit)
        assert ([], {"rows"}) == (found, set(counts))


SPOILS: dict[str, Callable[[Machine], int]] = {
    "missing": lambda one: spoil(one, "DELETE FROM air WHERE time IN (?, ?, ?)", HOUR - 7_200, HOUR - 21_600, HOUR - 36_000),
    "value": lambda one: spoil(one, "UPDATE air SET pm25 = 1.25 WHERE time IN (?, ?, ?)", HOUR - 7_200, HOUR - 21_600, HOUR - 36_000),
    "flag": lambda one: spoil(one, "UPDATE air SET flags = 'pm25:M' WHERE time IN (?, ?)", HOUR - 7_200, HOUR - 21_600),
    "item lost": lambda one: spoil(one, "UPDATE air SET pm25 = NULL, flags = '' WHERE time IN (?, ?)", HOUR - 7_200, HOUR - 21_600),
    "item more": lambda one: spoil(one, "UPDATE air SET so2 = 3.0 WHERE time IN (?, ?)", HOUR - 7_200, HOUR - 21_600),
    "revision up": lambda one: spoil(one, "UPDATE air SET rev = rev + 1 WHERE time IN (?, ?)", HOUR - 7_200, HOUR - 21_600),
    "revision down": lambda one: spoil(one, "UPDATE air SET rev = rev - 1 WHERE time IN (?, ?)", HOUR - 7_200, HOUR - 21_600),
    "correction": lambda one: spoil(one, "UPDATE air SET pm25 = 12.0, rev = (1 << 40) + 7 WHERE time = ?", HOUR - 7_200),
    "register": lambda one: spoil(one, "UPDATE meter SET register = 100.0 WHERE time = ?", HOUR),
}


@pytest.mark.parametrize("name", SPOILS)
@pytest.mark.parametrize("limit", [2, 5_000])
def test_what_was_spoiled_is_found_and_mended(one: Machine, name: str, limit: int) -> None:
    """Each row that was lost or altered is named once; repairing writes exactly these, announces their days, and then all is well."""
    story(one)
    before, said = one.rows(), announced(one)
    count = SPOILS[name](one)
    assert count > 0
    what = "missing" if name == "missing" else "different"

    found, counts = reconciled(one, limit)
    assert [(what, False)] * count == [(row[0], row[2]) for row in found]
    assert (count, count) == (counts[what], counts["remaining"])
    assert said == announced(one)
    spoiled = one.rows()
    found, counts = reconciled(one, limit, repair=True)
    assert ([True] * count, count) == ([row[2] for row in found], counts["repaired"])
    assert (before, True) == (one.rows(), len(said) < len(announced(one)))
    assert count == sum(spoiled.get(key) != row for key, row in before.items())
    assert [] == reconciled(one, limit)[0]


@pytest.mark.parametrize("change", [("site", "tc-a02"), ("span", 60), ("time", HOUR - 1_800)])
def test_rows_that_nobody_sent_are_found_and_taken_away_only_if_asked(one: Machine, change: tuple[str, Any]) -> None:
    """A doubled row under another site, span or time is named; repair leaves it, `remove` takes it away."""
    story(one)
    before = one.rows()
    store = EmbeddedStore(one.data / "store.db")
    (row,) = store.cells([Key("air", "tc-a01", 3600, HOUR - 7_200)]).values()
    field = {"site": "source"}.get(change[0], change[0])
    double = replace(row, **{field: change[1]})
    store.write([double])
    store.close()

    assert ["extra"] == [row[0] for row in reconciled(one, repair=True)[0]]
    assert double == one.rows()[double.key]
    found, counts = reconciled(one, remove=True)
    assert ([("extra", True)], 1) == ([(row[0], row[2]) for row in found], counts["removed"])
    assert before == one.rows()


def test_a_store_that_was_wiped_is_filled(one: Machine) -> None:
    """Everything is missing and everything comes back, in slices of any size; all of it is announced."""
    story(one)
    before = one.rows()
    for limit in (1, 7, 5_000):
        wipe(one)
        found, counts = reconciled(one, limit, repair=True)
        assert before == one.rows()
        assert (set(), "remaining" in counts) == (not_announced(one), False)
        assert len(before) <= len(found) + 2


def test_a_late_correction_of_a_row_older_than_the_window_is_missed_too(one: Machine) -> None:
    """What was received in the window is looked at whatever time it speaks of; the rows around it are none of its business."""
    one.journal([air(1, HOUR - 10 * 86_400, pm25=5.0), air(2, HOUR - 9 * 86_400, pm25=6.0)], now=NOW - 8 * 86_400)
    one.journal([air(3, HOUR - 10 * 86_400, pm25=7.0), air(4, HOUR - 8 * 86_400, pm25=8.0)], now=NOW)
    one.forward()
    assert 3 == spoil(one, "UPDATE air SET pm25 = 5.0")

    found, _ = reconciled(one, since=iso(NOW - 86_400))
    assert [("different", 24 * 8, False), ("different", 24 * 10, False)] == found
    reconciled(one, since=iso(NOW - 86_400), repair=True)
    assert [5.0, 7.0, 8.0] == sorted(row.values["pm25"] or 0.0 for row in one.rows().values())


def test_what_is_refused_is_not_missed(one: Machine) -> None:
    """A refused reading or item is not in the store, rightly; one that was replayed since must be."""
    new = (
        TEXT
        + '[[air_station]]\nid = "tc-a03"\nname = "x"\nrole = "township"\n[[device]]\nid = "air2"\nsources = ["tc-a03"]\nformat = "lanbi-json"\ninterval = 60\nstate = "accepted"\n'
    )
    one.journal([air(n, HOUR - 3600 * n, pm25=5.0, co=999.0) for n in range(3)], "lanbi/v1/air2/data")
    one.forward()
    apply(one, new, NOW + 60)
    assert [] == reconciled(one, now=NOW + 60)[0]
    one.ask("deadletters", NOW + 120)
    one.forward()
    assert 3 == len(one.rows())
    assert [] == reconciled(one, now=NOW + 180)[0]
    spoil(one, "DELETE FROM air WHERE time = ?", HOUR)

    assert [("missing", 0, False)] == reconciled(one, now=NOW + 240)[0]


def test_a_registry_that_changed_since_makes_no_row_missing_or_nobodys(one: Machine) -> None:
    """What was accepted by the registry of its day stays right where it is, also if today's would refuse it or put it elsewhere."""
    one.journal([air(n, HOUR - 3600 * n, pm25=5.0) for n in range(3)])
    one.forward()
    moved = (
        TEXT.replace('id = "air1"\nsources = ["tc-a01"]', 'id = "air1"\nsources = ["tc-a03"]')
        + '[[air_station]]\nid = "tc-a03"\nname = "x"\nrole = "township"\n'
    )
    for text in (TEXT.replace('id = "air1"\nsources = ["tc-a01"]', 'id = "air1"\nsources = []'), moved):
        apply(one, text, NOW + 60)
        assert [] == reconciled(one, now=NOW + 120)[0]
    spoil(one, "DELETE FROM air WHERE time = ?", HOUR)
    assert [("missing", 0, False)] == reconciled(one, now=NOW + 180)[0]


def test_live_readings_during_a_run_are_no_findings(one: Machine) -> None:
    """Rows that arrive, are corrected or come late between its slices are met before the run judges them."""
    one.journal([air(n, HOUR - 3600 * n, pm25=5.0) for n in range(40)])
    one.forward()
    name = one.ask("reconcile", since=WINDOW, to=iso(NOW + 86_400))
    with one.forwarder() as working:
        seq = 100
        while (job := working.state.job(name)) is None or job.open:
            one.journal([air(seq, HOUR - 3600 * (seq % 50), pm25=float(seq)), air(seq + 1, HOUR + 60, pm25=1.0)])
            seq += 2
            working.step(5)
    assert ([], "done") == (State(one.data).findings(name), job.state)
    assert seq > 110


def test_a_conflict_is_not_mended(one: Machine) -> None:
    """The first of two values of one revision stands; the second, held, does not make the row look altered."""
    one.journal([air(1, pm25=5.0)], now=NOW - 7 * 86_400 + 8_000_000)
    payload = encode([Message(HOUR, 3600, {"so2": value}, 0, 5, "tc-a01") for value in (1.0, 2.0)])
    for now in (NOW, NOW + 60):
        one.journal([payload], "lanbi/v1/~import/lanbi-csv/abc", "import", now)
        one.forward()

    for since in (WINDOW, iso(NOW), iso(NOW + 30)):
        assert [] == reconciled(one, now=NOW + 90, since=since)[0]


def test_damage_in_the_journal_calls_no_row_nobodys_for_good(one: Machine) -> None:
    """A row whose record was damaged since is not taken away, and the run says that something could not be compared."""
    one.journal([air(n, HOUR - 3600 * n, pm25=5.0) for n in range(9)])
    one.forward()
    (path,) = (one.data / "journal" / "mqtt").glob("*.lbj")
    data = bytearray(path.read_bytes())
    data[data.index(b'"seq":4') + 6] ^= 1
    path.write_bytes(data)

    found, counts = reconciled(one, remove=True)
    assert [("extra", 4, False)] == found
    assert 9 == len(one.rows())
    assert 1 == counts["remaining"]


@SLOW
@given(arrivals(), st.integers(1, 6), st.data())
def test_any_loss_is_found_and_nothing_else(arrival: tuple[list[Message], list[list[Message]]], limit: int, data: st.DataObject) -> None:
    """Whatever arrived in whatever order: a store that is well shows nothing, and whichever rows are lost or altered are named."""
    _, payloads = arrival
    with machine() as one:
        one.journal([encode(part) for part in payloads])
        one.forward(limit)
        assert [] == reconciled(one, limit)[0]
        before = one.rows()
        spoiled = [_spoiled(one, data.draw, key, row) for key, row in before.items() if data.draw(st.booleans())]

        found, counts = reconciled(one, limit, repair=True)
        assert sorted(spoiled) == [hours for _, hours, _ in sorted(found, key=lambda row: row[1])]
        assert before == one.rows()
        assert "remaining" not in counts


def _spoiled(one: Machine, draw: Callable[[Any], Any], key: Key, row: Reading) -> int:
    how = draw(st.sampled_from(["DELETE FROM air", "UPDATE air SET rev = rev + 1", "UPDATE air SET so2 = 1.0", "UPDATE air SET pm25 = 77.0, rev = 5"]))
    spoil(one, f"{how} WHERE time = ?", key.time)
    return (HOUR - key.time) // 3600


def test_marks_keep_what_they_can() -> None:
    """Bits of a second, doubtful rows, and an honest word when there is no room left."""
    marks = Marks(most=2)
    keys = [Key("air", "a", 60, time) for time in (0, 60, 3_600, 7_200)]
    for key in keys[:3]:
        bits, bit = marks.at(key)
        bits.met |= bit
    bits, bit = marks.at(keys[1])
    bits.right |= bit

    assert [keys[0], keys[2]] == list(marks.doubtful(also_missing=True))
    assert ([True, True, True, False], False) == ([marks.met(key) for key in keys], marks.full)
    marks.at(keys[3])[0].met |= 1
    assert (True, False) == (marks.full, marks.met(keys[3]))
