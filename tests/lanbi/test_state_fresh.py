"""What was seen last, kept as a log over rows: the same at every moment, whatever fails, and rows alone for programs that know of no log."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import StoreAway, StoreRefused
from ingest.newest import Newest
from ingest.ports import Batch, Latest
from lanbi import state_fresh
from lanbi.embedded_schema import Connections, version_of
from lanbi.state import State, StateView
from lanbi.state_schema import SCHEMA
from tests.lanbi.dying import killed

OLDER = SCHEMA._replace(held=0)
"""Of a program from before the log."""


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few entries are many already."""
    monkeypatch.setattr(state_fresh, "LEAST", 3)
    monkeypatch.setattr(state_fresh, "TIMES", 1)


def newest(source: str, time: int) -> Newest:
    """A reading: one value, one withdrawn, one flagged."""
    return Newest(source, 60, "air", time, time + 1, time * 10**9, f"d-{source}", {"pm25": time / 10, "co": None, "no2": float(time)}, {"co": "W", "no2": "M"})


def shown(source: str, time: int) -> Latest:
    """The same as people see it."""
    return Latest(source, 60, "air", time, time + 1, time * 10**9, f"d-{source}", {"pm25": (time / 10, "N"), "co": (None, "W"), "no2": (float(time), "M")})


def batch(number: int, sources: Iterator[str] | set[str]) -> Batch:
    """A batch that brings these places a reading each."""
    some = sorted(sources)
    latest = {(source, 60): newest(source, number) for source in some}
    return Batch("mqtt", number, number, latest=latest, sequences={(f"d-{source}", 0): number for source in some})


def rows_of(data: Path) -> tuple[dict[str, int], dict[str, int]]:
    """Times and numbers as the tables alone have them."""
    with closing(sqlite3.connect(f"file:{data / 'state.db'}?mode=ro", uri=True)) as db:
        return dict(db.execute("SELECT source, time FROM latest")), dict(db.execute("SELECT device, seq FROM sequence"))


SOURCES = st.sets(st.sampled_from("abcdefg"), min_size=1)
STEPS = st.lists(
    st.one_of(SOURCES.map(lambda some: ("commit", some)), st.sampled_from([("fail", {"a", "b"}), ("crash", set()), ("close", set())])), max_size=25
)


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_rows_and_records_say_what_was_committed(steps: list[tuple[str, set[str]]]) -> None:
    """After any commits, failures, crashes and orderly ends the newest readings and numbers are those of the last batch that had them."""
    with TemporaryDirectory() as folder:
        data, state = Path(folder) / "0", State(Path(folder) / "0")
        followed = state.newest()
        times: dict[str, int] = {}
        for number, (what, sources) in enumerate(steps, 1):
            if what == "commit":
                state.commit(batch(number, sources), "1")
                times |= dict.fromkeys(sources, number)
            elif what == "fail":
                bad = batch(number, sources)
                bad.totals["stored", ""] = 2**70
                with pytest.raises(OverflowError):
                    state.commit(bad, "1")
            elif what == "crash":
                after = Path(folder) / str(number)
                shutil.copytree(data, after)  # as a machine leaves it whose power was cut
                state.close()
                data, state = after, State(after)
                followed = state.newest()
            else:
                state.close()
                assert rows_of(data) == (times, {f"d-{source}": time for source, time in times.items()})
                assert SCHEMA.version == version_of(data / "state.db")
                state = State(data)
                followed = state.newest()
            assert {(source, 60): time for source, time in times.items()} == {series: one.time for series, one in followed.items()}
            if what == "fail":
                followed = state.newest()  # as the forwarder does after a failure
            view = StateView(data)
            for one in (state, view):
                assert [shown(source, times[source]) for source in sorted(times)] == one.latest()
                assert {(f"d-{source}", 0): time for source, time in times.items()} == one.sequences()
            view.close()
        state.close()


def records(data: Path) -> int:
    """How many records the file holds."""
    with closing(sqlite3.connect(data / "state.db")) as db:
        return int(db.execute("SELECT count(*) FROM fresh WHERE n > 0").fetchone()[0])


def test_records_do_not_pile_up(tmp_path: Path) -> None:
    """A record goes once later ones have all that it holds, while rows wait for an orderly end."""
    state = State(tmp_path)
    held = []
    for number in range(1, 30):
        state.commit(batch(number, {"a", "b"} if number % 2 else {"c"}), "1")
        held.append(records(tmp_path))
    assert max(held) == 2
    assert ({}, {}) == rows_of(tmp_path)
    assert {"a": 29, "b": 29, "c": 28} == {one.source: one.time for one in state.latest()}
    state.close()
    assert ({"a": 29, "b": 29, "c": 28}, {"d-a": 29, "d-b": 29, "d-c": 28}) == rows_of(tmp_path)


def test_who_fell_silent_moves_on(tmp_path: Path) -> None:
    """Of hundreds who spoke once the last word stays known, however often others speak, and records stay few."""
    many = {f"s{number:03d}" for number in range(300)}
    state = State(tmp_path)
    state.commit(batch(1, many), "1")
    held = []
    for number in range(2, 700):
        state.commit(batch(number, {f"t{number % 3}"}), "1")
        held.append(records(tmp_path))
    assert max(held) < 310
    assert {"t0": 699, "t1": 697, "t2": 698} | dict.fromkeys(many, 1) == {one.source: one.time for one in state.latest()}
    assert {"d-t0": 699, "d-t1": 697, "d-t2": 698} | {f"d-{one}": 1 for one in many} == {device: seq for (device, _), seq in state.sequences().items()}
    state.close()


def test_values_in_the_text_that_they_came_in_are_shown_as_numbers(tmp_path: Path) -> None:
    """From a record, from one into which they moved, and from rows."""
    state = State(tmp_path)
    said = newest("a", 1)._replace(values=b'"pm25": 5e1,"no2":7', flags={"no2": "M"})
    state.commit(Batch("mqtt", 1, 1, latest={("a", 60): said}, sequences={("d-a", 0): 1}), "1")
    expected = shown("a", 1)._replace(items={"pm25": (50.0, "N"), "no2": (7.0, "M")})
    assert [expected] == state.latest()
    for number in range(2, 9):
        state.commit(batch(number, {"b"}), "1")
    assert [expected, shown("b", 8)] == state.latest()
    state.close()
    state = State(tmp_path)
    assert [expected, shown("b", 8)] == state.latest()
    state.close()


def test_a_batch_without_readings_leaves_no_record(tmp_path: Path) -> None:
    """Nor does the file then keep older programs away."""
    state = State(tmp_path)
    state.commit(Batch("mqtt", 1, 1, totals={("deadletter", "bad-json"): 1}), "1")
    assert (SCHEMA.version, []) == (version_of(tmp_path / "state.db"), state.latest())
    state.close()


def test_an_older_program_reads_rows_or_is_kept_away(tmp_path: Path) -> None:
    """While records hold what rows do not, it refuses the file with what to do; after an orderly end it finds all in rows."""
    state = State(tmp_path)
    state.commit(batch(1, {"a"}), "1")
    with pytest.raises(StoreRefused, match="made by a newer lanbi") as refused:
        Connections(tmp_path / "state.db", OLDER, what="state")
    assert "use the newer lanbi" in refused.value.todo
    state.close()

    older = Connections(tmp_path / "state.db", OLDER, what="state")
    assert [("a", 1)] == older.all("SELECT source, time FROM latest")
    with older.write() as db:
        db.execute("UPDATE latest SET time = 7")
    older.close()
    state = State(tmp_path)
    assert [7] == [one.time for one in state.latest()]
    state.close()


def test_the_version_of_the_next_release_comes_back(tmp_path: Path) -> None:
    """It is not ours to lower."""
    State(tmp_path).close()
    with closing(sqlite3.connect(tmp_path / "state.db")) as db:
        db.execute(f"PRAGMA user_version = {SCHEMA.version + 1}")
    state = State(tmp_path)
    state.commit(batch(1, {"a"}), "1")
    state.close()
    assert SCHEMA.version + 1 == version_of(tmp_path / "state.db")
    assert ({"a": 1}, {"d-a": 1}) == rows_of(tmp_path)


def test_an_end_without_room_loses_nothing(tmp_path: Path) -> None:
    """Rows cannot be written any more: the records stay, and whoever opens the file next finds them."""
    many = {f"s{number:04d}" for number in range(400)}
    state = State(tmp_path)
    state.commit(batch(1, many), "1")
    db = state._files.db
    db.execute(f"PRAGMA max_page_count = {db.execute('PRAGMA page_count').fetchone()[0]}")
    with pytest.raises(StoreAway, match="full"):
        state.settle()
    state.close()
    assert ({}, {}) == rows_of(tmp_path)

    state = State(tmp_path)
    assert [shown(source, 1) for source in sorted(many)] == state.latest()
    state.close()
    assert 400 == len(rows_of(tmp_path)[0])


def test_a_kill_leaves_cursor_and_numbers_of_one_batch(tmp_path: Path) -> None:
    """After kill -9 in the middle of commits, the newest reading and number of every place are those of the batch at the cursor."""
    code = """
import sys
from pathlib import Path
from ingest.ports import Batch, Newest
from lanbi import state_fresh
from lanbi.state import State
state_fresh.LEAST, state_fresh.TIMES = 20, 1
state = State(Path(sys.argv[1]))
number = state.cursor("mqtt")[0]
while True:
    number += 1
    latest = {(name, 60): Newest(name, 60, "air", number, 1, 1, "d", {"pm25": 1.0}, {}) for name in "abcdefghij"}
    state.commit(Batch("mqtt", number, number, latest=latest, sequences={(name, 0): number for name in "abcdefghij"}), "1")
    print(number, flush=True)
"""
    for stop in (3, 50, 200):
        done = killed(code, tmp_path, stop)
        view = StateView(tmp_path)
        seq, _ = view.cursor("mqtt")
        assert done <= seq
        assert {(name, 0): seq for name in "abcdefghij"} == view.sequences()
        assert {seq} == {one.time for one in view.latest()}
        view.close()
