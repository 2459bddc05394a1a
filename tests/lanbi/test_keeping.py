"""Keeping: what is closed is sealed and mailed by itself, room is made only where that is allowed, and each removal is a record."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from domain.errors import DataFolderBusy, JournalError
from ingest.ports import Batch
from lanbi import journal_removal, keeping
from lanbi.journal import JournalWriter, files
from lanbi.journal_bytes import parity_path, sealed_path
from lanbi.journal_files import hold
from lanbi.journal_removal import Cause, document, gone, removable, remove, undocumented
from lanbi.journal_space import Room
from lanbi.journal_verify import verify
from lanbi.keeping import DROP, STATUS, keep, round_of, short
from lanbi.metrics import read_status
from lanbi.seals import seals
from lanbi.state import State
from tests.lanbi.keeping_house import Stopped, settings
from tests.lanbi.mail_house import MailHouse, mail_house
from tests.lanbi.sealed_house import everything, journalled, seal_all


def forwarded(data: Path, upto: int, writer: str = "mqtt") -> None:
    """The forwarder's cursor behind a record."""
    state = State(data)
    state.commit(Batch(writer, upto, upto), "1")
    state.close()


@pytest.fixture
def tight(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Room that is short until so many sealed files are gone."""
    wanted = SimpleNamespace(files=0)

    def room(data: Path, quota: int | None) -> Room:
        left = len(list((data / "journal").glob("*/*.gz")))
        return Room(100, quota, 0 if left > wanted.files else 50, 1_000)

    monkeypatch.setattr(keeping, "room", room)

    def until_left(files: int) -> None:
        wanted.files = files

    return until_left


def test_a_round_seals_mails_and_says_so(tmp_path: Path) -> None:
    """Closed days of every writer, also the last day of one that is idle; the open day of the busy one stays open."""
    made = journalled(tmp_path / "journal", 3)
    journalled(tmp_path / "journal", 1, writer="person")
    busy = JournalWriter(tmp_path / "journal", "mqtt")
    with mail_house(MailHouse()) as house:
        chosen = settings(tmp_path, anchor_mail=("a@example.cn",))
        chosen = replace(chosen, mail=replace(chosen.mail, url=f"smtp://127.0.0.1:{house.port}"))
        told = round_of(chosen, Stopped(2.1))
    busy.close()

    assert (3, []) == (told["sealed"], told["faults"])
    assert 1 == len(house.mails)
    assert [2, 1] == [len(seals(tmp_path / "journal", writer)) for writer in ("mqtt", "person")]
    assert files(tmp_path / "journal", "mqtt")[2].exists()
    assert made == everything(tmp_path / "journal")


def test_two_rounds_do_not_meet(tmp_path: Path) -> None:
    """A second process that would seal is refused."""
    (tmp_path / "journal").mkdir()
    lock = hold(tmp_path / "journal" / "keeper.lock", "x")
    with pytest.raises(DataFolderBusy, match="seals this journal"):
        round_of(settings(tmp_path), Stopped(1))
    os.close(lock)


def test_what_fails_is_told_and_stops_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that cannot be sealed holds up the later ones of its writer only; mail that cannot go holds up nothing."""
    for writer in ("mqtt", "hj212"):
        journalled(tmp_path / "journal", 3, writer=writer)
    original = keeping.seal

    def failing(folder: Path, writer: str, path: Path, *more: Any) -> object:
        if writer == "mqtt":
            raise JournalError("bad sector", str(path))
        return original(folder, writer, path, *more)

    monkeypatch.setattr(keeping, "seal", failing)
    chosen = settings(tmp_path, anchor_mail=("a@example.cn",))
    told = round_of(replace(chosen, mail=replace(chosen.mail, url="smtp://127.0.0.1:9")), Stopped(2))

    assert 2 == told["sealed"]
    assert ["bad sector", "seals wait"] == [next(words for words in ("bad sector", "seals wait") if words in fault) for fault in told["faults"]]
    assert [0, 2] == [len(seals(tmp_path / "journal", writer)) for writer in ("mqtt", "hj212")]


def test_only_old_forwarded_sealed_days_can_go(tmp_path: Path) -> None:
    """Not the newest, not what the forwarder has not passed, not what is younger than 96 hours, however few days are asked for."""
    journalled(tmp_path / "journal", 9)
    seal_all(tmp_path / "journal")
    forwarded(tmp_path, 20)

    def numbers(days: float, keep_days: int) -> list[int]:
        return [one.seal.first for one in removable(tmp_path, Stopped(days), keep_days)]

    assert [1, 7, 13] == numbers(100, 4)
    assert [1, 7] == numbers(5.5, 4)
    assert [1, 7] == numbers(5.5, 0)
    assert [] == numbers(4.2, 0)
    assert [1] == numbers(11.2, 10)
    forwarded(tmp_path, 10**6)
    assert 8 == len(numbers(100, 4))


def test_a_removed_day_leaves_its_seal_and_a_record(tmp_path: Path) -> None:
    """Readers begin behind it, verify knows it by its seal, and the journal says who removed what and why, once."""
    made = journalled(tmp_path / "journal", 3)
    seal_all(tmp_path / "journal")
    forwarded(tmp_path, 18)
    one = removable(tmp_path, Stopped(50), 4)[0]
    freed = remove(one, Cause("too old", "王芳"))

    assert freed > 0
    assert made[6:] == everything(tmp_path / "journal")
    assert [one] == undocumented(tmp_path)
    assert [1, 0] == [document(tmp_path, Stopped(50)) for _ in range(2)]
    (record,) = everything(tmp_path / "journal", "person")
    body = json.loads(record.payload)
    assert ("lanbi/v1/~person/journal", 0) == (record.topic, record.readings)
    assert ("王芳", "removed", "too old", "mqtt/2025-10-09-000000000001", one.seal.digest, 1, 6) == tuple(
        body[name] for name in ("user", "action", "why", "file", "seal", "first", "last")
    )
    assert {"why": "too old", "user": "王芳", "record": "person/1"} == gone(one.path)
    verdict = verify(tmp_path / "journal", "mqtt", seals(tmp_path / "journal", "mqtt"))
    assert (True, [False, True, True]) == (verdict.sound, [stretch.there for stretch in verdict.stretches])


@pytest.mark.parametrize("step", ["note", "data", "record"])
def test_a_removal_cut_off_is_documented_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """A death behind any step of it: either the day is there, or the next round journals that it is gone."""
    journalled(tmp_path / "journal", 3)
    seal_all(tmp_path / "journal")
    forwarded(tmp_path, 18)
    one = removable(tmp_path, Stopped(50), 4)[0]
    if step == "note":
        journal_removal._note(one.path, Cause("w", "u"), "")
    else:
        remove(one, Cause("w", "u"))
    if step == "record":
        monkeypatch.setattr(journal_removal, "_note", lambda *_: None)
        document(tmp_path, Stopped(50))
        monkeypatch.undo()
    told = round_of(settings(tmp_path), Stopped(2))

    assert [] == told["faults"]
    records = everything(tmp_path / "journal", "person")
    assert {"note": 0, "data": 1, "record": 2}[step] == len(records)
    assert sealed_path(one.path).exists() == (step == "note")
    assert [] == undocumented(tmp_path)


def test_room_is_made_only_where_it_is_allowed(tmp_path: Path, tight: Callable[[int], None]) -> None:
    """`stop` removes nothing; `drop-oldest-forwarded` removes the oldest until there is room, each with a record, and no more."""
    journalled(tmp_path / "journal", 9)
    seal_all(tmp_path / "journal")
    forwarded(tmp_path, 10**6)
    tight(5)
    assert 0 == round_of(settings(tmp_path), Stopped(50))["dropped"]
    told = round_of(settings(tmp_path, on_full=DROP), Stopped(50))

    assert (4, []) == (told["dropped"], told["faults"])
    assert [25, 31, 37, 43] == [one.seal.first for one in removable(tmp_path, Stopped(50), 4)]
    bodies = [json.loads(one.payload) for one in everything(tmp_path / "journal", "person")]
    assert [1, 7, 13, 19] == [body["first"] for body in bodies]
    assert {("lanbi", True)} == {(body["user"], DROP in body["why"]) for body in bodies}


def test_room_is_made_beside_a_round_that_is_held_up(tmp_path: Path, tight: Callable[[int], None]) -> None:
    """Where somebody seals already a round is turned away; where room is short and may be made, it is made all the same."""
    journalled(tmp_path / "journal", 9)
    seal_all(tmp_path / "journal")
    forwarded(tmp_path, 10**6)
    tight(5)
    lock = hold(tmp_path / "journal" / "keeper.lock", "held by the test")
    with pytest.raises(DataFolderBusy):
        round_of(settings(tmp_path), Stopped(50))
    told = round_of(settings(tmp_path, on_full=DROP), Stopped(50))
    os.close(lock)

    assert (3, 0, []) == (told["dropped"], told["sealed"], told["faults"])
    assert 3 == len(everything(tmp_path / "journal", "person"))


def test_a_day_that_is_needed_is_not_dropped_for_room(tmp_path: Path, tight: Callable[[int], None]) -> None:
    """Nothing forwarded, or nothing old enough: everything stays, and that is told."""
    journalled(tmp_path / "journal", 4)
    seal_all(tmp_path / "journal")
    tight(0)
    for cursor, days in ((0, 50), (10**6, 3.5)):
        if cursor:
            forwarded(tmp_path, cursor)
        told = round_of(settings(tmp_path, on_full=DROP), Stopped(days))
        assert (0, True) == (told["dropped"], "room is short" in told["faults"][0])
    assert 24 == len(everything(tmp_path / "journal"))


def test_short_is_a_fiftieth_of_the_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of quota or disk, and a gigabyte at most."""
    for now, expected in ((Room(990, 1_000, 9_000, 9_000), True), (Room(970, 1_000, 9_000, 9_000), False), (Room(10**13, None, 10**9, 10**14), True)):
        monkeypatch.setattr(keeping, "room", lambda *_, now=now: now)
        assert expected == short(settings(tmp_path))


def test_keeping_reports_to_the_status_file(tmp_path: Path) -> None:
    """What the command and the metrics read."""
    journalled(tmp_path / "journal", 2)
    said: list[str] = []
    assert [] == keep(settings(tmp_path), said.append)
    told = read_status(tmp_path / STATUS)

    assert (2, 0, []) == (told["sealed"], told["dropped"], told["faults"])
    assert all("lanbi-seal 1 mqtt/" in line for line in said)
    assert not parity_path(files(tmp_path / "journal", "mqtt")[0]).stat().st_mode & 0o222


def test_kill_9_of_the_sealing_process_costs_nothing(tmp_path: Path) -> None:
    """Killed at any moment, again and again, each record is there once; in the end everything is sealed."""
    made = journalled(tmp_path / "journal", 4, groups=(60,) * 3, size=20_000)
    (tmp_path / "lanbi.toml").write_text(f'data = "{tmp_path}"\n')
    command = [sys.executable, "-m", "lanbi", "journal", "keep", "--json", "--config", str(tmp_path / "lanbi.toml")]
    kills = 0
    for pause in (0.3, 0.35, 0.4, 0.5, 0.6, 0.8, 1.1, 100.0):
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=Path(__file__).parents[2]) as child:
            try:
                child.wait(pause)
            except subprocess.TimeoutExpired:
                child.kill()
                kills += 1
        assert made == everything(tmp_path / "journal")

    assert 4 == len(seals(tmp_path / "journal", "mqtt"))
    assert verify(tmp_path / "journal", "mqtt", seals(tmp_path / "journal", "mqtt")).sound
    assert kills
    assert not list((tmp_path / "journal" / "mqtt").glob("*.new"))
