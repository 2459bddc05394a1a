"""The forwarder's state: jobs, what they settle and find, and files of an older lanbi."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from domain.errors import StoreRefused
from domain.readings import Key, Reading
from ingest.jobs import DONE, Finding, Job
from ingest.ports import Batch
from lanbi.state import State, StateView
from lanbi.state_schema import SCHEMA
from tests.lanbi.test_state import NOON_NS, refused, version

KEY = Key("air", "a", 3_600, 1_760_000_400)


def asked(name: str, what: str = "deadletters", at: int = 0, **more: object) -> Job:
    """A job whose position is behind nothing."""
    return Job(name, what, NOON_NS + at, "li", writers=["mqtt"], writer="mqtt", upto={"mqtt": 99}, **more)  # type: ignore[arg-type]


def test_jobs_are_worked_off_in_their_order(tmp_path: Path) -> None:
    """Open ones, oldest first; a closed one is still known, and the last of a kind that came to its end."""
    state = State(tmp_path)
    jobs = [
        asked("person/10", at=2),
        asked("person/9", at=2),
        asked("person/3", "reconcile", at=1, state=DONE),
        asked("person/4", "reconcile", at=0, state=DONE),
    ]
    state.commit(Batch("", 0, 0, jobs=jobs), "1")

    assert ["person/9", "person/10"] == [job.id for job in state.open_jobs()]
    view = StateView(tmp_path)
    assert (jobs[2], jobs[2], None) == (view.job("person/3"), view.last_job("reconcile"), view.last_job("replay"))
    assert (0, 0) == view.cursor("")
    state.close()


def test_a_settled_refusal_stands_no_longer_and_is_kept(tmp_path: Path) -> None:
    """It leaves list and selection, but is found with when and by which job; a renamed one keeps its place."""
    state = State(tmp_path)
    state.commit(Batch("mqtt", 3, 3, refused=[refused(1), refused(2, "bad-schema"), refused(3)]), "1")
    job = asked("person/1")
    state.commit(Batch("", 0, 0, jobs=[job], resolved={1: "person/1"}, renamed={3: refused(3, "naive-time")}), "1")

    assert [(2, "bad-schema"), (3, "naive-time")] == [(number, row.reason) for number, row in state.refused()]
    assert 3 == len(state.refused(resolved=True))
    assert {1: (NOON_NS, "person/1")} == state.resolutions([1, 2, 3])
    assert [2, 3] == [number for number, _ in state.standing("mqtt", 1, 9)]
    assert ([2, 3], 2) == ([number for number, _ in state.selected(job, 9)], state.wanted(job))
    state.close()


@pytest.mark.parametrize(
    ("wish", "ids"),
    [({}, [1, 2, 3, 4]), ({"reason": "bad-schema"}, [2]), ({"device": "dev"}, [1, 2, 3, 4]), ({"device": "x"}, []), ({"ids": [4, 1]}, [1, 4]), ({"since_ns": NOON_NS + 1}, []), ({"to_ns": NOON_NS}, [1, 2, 3, 4]), ({"seq": 2}, [3, 4])],
)  # fmt: skip
def test_a_job_chooses_refusals_in_journal_order(tmp_path: Path, wish: dict[str, object], ids: list[int]) -> None:
    """By reason, device, id and time; only what lies behind its position."""
    state = State(tmp_path)
    state.commit(Batch("mqtt", 4, 4, refused=[refused(1), refused(2, "bad-schema"), refused(3), refused(4)]), "1")

    assert ids == [number for number, _ in state.selected(asked("person/1", **wish), 9)]
    state.close()


def test_findings_are_kept_with_both_rows(tmp_path: Path) -> None:
    """What was expected and what was found come back as they were; the same row again is one finding."""
    state = State(tmp_path)
    row = Reading(*KEY, {"pm25": 5.0, "co": None}, {"co": "W"}, 2**40 + 7)
    found = [Finding("different", KEY, row, None), Finding("extra", KEY._replace(source="b"), None, row)]
    state.commit(Batch("", 0, 0, jobs=[asked("person/1", "reconcile")], findings=found), "1")
    state.commit(Batch("", 0, 0, jobs=[asked("person/1", "reconcile")], findings=[found[0]._replace(mended=True)]), "1")

    assert [found[0]._replace(mended=True), found[1]] == StateView(tmp_path).findings("person/1")
    state.close()


def test_versions_of_a_slice_are_finished_at_once(tmp_path: Path) -> None:
    """What a replay remembers belongs to records behind the cursor: no crash undoes it."""
    state = State(tmp_path)
    state.commit(Batch("mqtt", 9, 9), "1")
    state.begin(asked("person/1", touching={5: ["a"]}), [version(4, 1)])

    assert ({KEY: [version(4, 1)]}, 0) == (state.versions([KEY]), state.unfinished("mqtt"))
    assert [{5: ["a"]}] == [job.touching for job in state.open_jobs()]
    state.close()


def test_a_file_of_an_older_lanbi_is_brought_up_to_date_by_ingest_only(tmp_path: Path) -> None:
    """Who only reads says what to do; who writes adds what is new and keeps what was there."""
    state = State(tmp_path)
    state.commit(Batch("mqtt", 1, 1, totals={("stored", ""): 1}, refused=[refused(1)]), "1")
    state.close()
    with sqlite3.connect(tmp_path / "state.db") as db:
        for table in ("resolved", "job", "finding"):
            db.execute(f"DROP TABLE {table}")
        db.execute("PRAGMA user_version = 1")
    db.close()

    with pytest.raises(StoreRefused, match="older lanbi"):
        StateView(tmp_path).refused()
    State(tmp_path).close()
    view = StateView(tmp_path)
    assert ([(1, refused(1))], {("stored", ""): 1}, []) == (view.refused(), view.totals(), view.open_jobs())
    assert SCHEMA.version > 1
