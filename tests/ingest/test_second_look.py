"""A second look at what may have been on its way to the store: late writes are put right, the rest is left alone."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from msgspec.structs import replace

from domain.errors import StoreAway
from domain.message import Message, encode
from domain.readings import Key, Reading
from ingest.jobs import Job
from lanbi.embedded import EmbeddedStore
from tests.ingest.county import NOW
from tests.ingest.machine import Fuse, Machine

NS = 10**9
HOUR = NOW // 3600 * 3600
LINGER = 120


@pytest.fixture
def one(tmp_path: Path) -> Machine:
    """A machine in an empty folder."""
    return Machine(tmp_path)


def air(seq: int, time: int = HOUR, **values: float | None) -> bytes:
    """A message of the air device."""
    return encode(Message(time, 3600, values, 0, seq))


def key(time: int = HOUR) -> Key:
    """Its row."""
    return Key("air", "tc-a01", 3600, time)


def put(one: Machine, *rows: Reading) -> None:
    """What a late write does: rows as they were once."""
    store = EmbeddedStore(one.data / "store.db")
    store.write(rows)
    store.close()


def late(one: Machine, *after: bytes, doubtful: int = 1, times: tuple[int, ...] = (HOUR,)) -> tuple[dict[Key, Reading], dict[Key, Reading]]:
    """Journalled messages are in doubt, ``after`` come and all is stored; then their first rows arrive late. Rows before and after that."""
    with one.forwarder() as working:
        working.doubt(NOW * NS, LINGER * NS, doubtful)
        working.step(now_ns=NOW * NS)
        first = [one.rows()[key(time)] for time in times]
        one.journal(after, now=NOW + 5)
        while working.step(now_ns=(NOW + LINGER - 1) * NS) or working.idle():
            pass
    before = one.rows()
    put(one, *first)
    return before, one.rows()


def look(one: Machine, now: int = NOW + LINGER) -> None:
    """Time passes; the second look is done."""
    with one.forwarder() as working:
        while working.step(now_ns=now * NS):
            pass


def changes(one: Machine) -> int:
    """How many changes were announced."""
    store = EmbeddedStore(one.data / "store.db")
    found = len(store.changes_after({}))
    store.close()
    return found


def jobs(one: Machine) -> list[Job]:
    """Second looks that are still to come."""
    with one.forwarder() as working:
        return working.state.open_jobs()


def test_old_row_over_a_newer_one_is_put_right(one: Machine) -> None:
    """After the time set the corrected row stands again, counted and announced, and the look is over."""
    one.journal([air(1, pm25=5.0)])
    before, after = late(one, air(2, pm25=6.0))
    look(one, NOW + LINGER - 1)
    early = one.rows()
    announced = changes(one)
    look(one)

    assert before != after == early
    assert (before, 1, []) == (one.rows(), one.totals()["mended", ""], jobs(one))
    assert announced + 1 == changes(one)


def test_withdrawn_value_that_came_back_goes_again(one: Machine) -> None:
    """A row whose withdrawn item has its old value again loses it."""
    one.journal([air(1, pm25=5.0, co=0.9)])
    before, _ = late(one, air(2, pm25=5.0, co=None))
    look(one)

    assert before == one.rows()
    assert {"pm25": 5.0, "co": None} == dict(one.rows()[key()].values)


def test_a_withdrawal_is_looked_at_again_without_any_failure(one: Machine) -> None:
    """A value that the store gave back after it was deleted is taken away, once the time set has passed; nothing else is read again."""
    one.journal([air(1, pm25=5.0, co=0.9), air(2, HOUR - 3600, pm25=1.0), air(3, pm25=5.0, co=None), air(4, HOUR - 7200, pm25=2.0)])
    with one.forwarder() as working:
        working.linger_ns = LINGER * NS
        while working.step(1, NOW * NS):
            pass
    before, planned = one.rows(), jobs(one)
    put(one, replace(before[key()], values={"pm25": 5.0, "co": 0.9}, flags={"co": "W"}))
    back = one.rows()
    look(one, NOW + LINGER - 1)
    early = one.rows()
    look(one)

    assert [(NOW + LINGER, "recheck/mqtt/3/withdrawn")] == [(job.after_ns // NS, job.id) for job in planned]
    assert before != back == early
    assert (before, 1, []) == (one.rows(), one.totals()["mended", ""], jobs(one))


def test_a_withdrawal_costs_no_second_look_at_its_neighbours(one: Machine) -> None:
    """Of a batch only the rows of withdrawn values are looked at again: a neighbour is left as it stands."""
    one.journal([air(1, HOUR - 3600, pm25=1.0), air(2, pm25=5.0, co=0.9), air(3, pm25=5.0, co=None), air(4, HOUR - 7200, pm25=2.0)])
    with one.forwarder() as working:
        working.linger_ns = LINGER * NS
        while working.step(10, NOW * NS):
            pass
    before, planned = one.rows(), jobs(one)
    strange = replace(before[key(HOUR - 3600)], values={"pm25": 9.0})
    put(one, replace(before[key()], values={"pm25": 5.0, "co": 0.9}, flags={"co": "W"}), strange)
    look(one)

    assert [[3]] == [job.only for job in planned]
    assert {**before, strange.key: strange} == one.rows()


def test_row_that_was_lost_is_written_again(one: Machine) -> None:
    """A row written once is there again, and rows that are as they should be cost no write."""
    one.journal([air(1, HOUR - 3600, pm25=5.0), air(2, HOUR, pm25=6.0)])
    before, _ = late(one, doubtful=2, times=())
    store = EmbeddedStore(one.data / "store.db")
    store.remove([key()])
    store.close()
    look(one)

    assert (before, 1) == (one.rows(), one.totals()["mended", ""])


def test_nothing_late_changes_nothing(one: Machine) -> None:
    """Where every row is as it should be the look counts nothing, stored and duplicates included."""
    one.journal([air(1, HOUR - 3600, pm25=5.0), air(2, HOUR, pm25=6.0)])
    late(one, air(3, pm25=7.0), doubtful=2, times=())
    before, rows = one.totals(), one.rows()
    look(one)

    assert (before, rows) == (one.totals(), one.rows())


def test_it_looks_at_the_doubtful_records_only(one: Machine) -> None:
    """The look ends with the records that may have been under way; what came later is not read again."""
    one.journal([air(1, HOUR - 7200, pm25=5.0), air(2, HOUR - 3600, pm25=6.0)])
    late(one, *(air(3 + n, HOUR - 3600 * (3 + n), pm25=1.0) for n in range(20)), doubtful=2, times=())
    name = jobs(one)[0].id
    look(one)

    with one.forwarder() as working:
        job = working.state.job(name)
    assert job
    assert ("done", 2, 2) == (job.state, job.counts["rows"], job.records)


def test_it_does_not_walk_through_what_came_before(one: Machine) -> None:
    """Of a withdrawal late in the day's journal its own record is read, and no other."""
    one.journal([*(air(n, HOUR - 3600 * n, pm25=1.0) for n in range(20, 0, -1)), air(30, pm25=5.0, co=0.9), air(31, pm25=5.0, co=None)])
    with one.forwarder() as working:
        working.linger_ns = LINGER * NS
        while working.step(1, NOW * NS):
            pass
    name = jobs(one)[0].id
    look(one)
    with one.forwarder() as working:
        job = working.state.job(name)

    assert job
    assert ("done", 1, 1) == (job.state, job.records, job.wanted)


def test_failing_again_postpones_it(one: Machine) -> None:
    """While the same batch keeps failing there is one look to come, at the time set after the last failure."""
    one.journal([air(1, pm25=5.0)])
    with one.forwarder() as working:
        for second in (0, 10, 40):
            working.doubt((NOW + second) * NS, LINGER * NS)
        planned = working.state.open_jobs()
        nothing = one.rows()

    assert [NOW + 40 + LINGER] == [job.after_ns // NS for job in planned]
    assert {} == nothing


def test_without_anything_under_way_there_is_no_doubt(one: Machine) -> None:
    """If all records are behind the cursors nothing can arrive late."""
    one.journal([air(1, pm25=5.0)])
    one.forward()
    with one.forwarder() as working:
        working.doubt(NOW * NS, LINGER * NS)

    assert [] == jobs(one)


@pytest.mark.parametrize("left", range(1, 6))
@pytest.mark.parametrize("after", [False, True])
def test_a_kill_within_the_look_changes_nothing(one: Machine, left: int, *, after: bool) -> None:
    """Killed before or after any write of state or store, the look is done again and comes to the same."""
    one.journal([air(1, pm25=5.0)])
    before, _ = late(one, air(2, pm25=6.0))
    with suppress(StoreAway):
        one.forward(fuse=Fuse(left, after=after))
    look(one)

    assert (before, []) == (one.rows(), jobs(one))
