"""The keeper in ingest: when it starts a round, how, and what becomes of one that fails."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from lanbi import keeping
from lanbi.journal import JournalWriter, newest_trailer
from lanbi.keeping import DROP, STATUS, Keeper
from lanbi.metrics import read_status
from lanbi.seals import seals
from lanbi.settings import load
from tests.lanbi.ingest_house import PATIENCE_S, House, until
from tests.lanbi.keeping_house import Stopped, settings
from tests.lanbi.mail_house import MailHouse, mail_house
from tests.lanbi.sealed_house import DAY_NS, NOON_NS, journalled


def test_the_keeper_starts_a_round_only_when_there_is_work(tmp_path: Path) -> None:
    """Nothing closed, nothing to do; a closed day is sealed by a child of its own, whose report it tells."""
    journalled(tmp_path / "journal", 1)
    (tmp_path / "lanbi.toml").write_text(f'data = "{tmp_path}"\n')
    chosen = replace(settings(tmp_path), file=tmp_path / "lanbi.toml")
    keeper = Keeper(chosen, Stopped(0.1))
    assert [False, False] == [keeper.work_waits() for _ in range(2)]
    JournalWriter(tmp_path / "journal", "mqtt").close()
    writer = JournalWriter(tmp_path / "journal", "mqtt")
    writer.append("t", b"next day", received_ns=NOON_NS + DAY_NS)
    writer.commit()
    assert keeper.work_waits()
    over: list[int] = []
    import threading

    thread = threading.Thread(target=keeper.run, args=(lambda: bool(over),), daemon=True)
    thread.start()
    until(lambda: read_status(tmp_path / STATUS).get("sealed") == 1 and not keeper.fault and not keeper._children, "sealed")
    over.append(1)
    thread.join()
    writer.close()

    assert (1, False) == (keeper.rounds, keeper.work_waits())
    assert 1 == len(seals(tmp_path / "journal", "mqtt"))
    assert 2 == newest_trailer(tmp_path / "journal", "mqtt").records - 5


def test_a_keeper_s_failure_is_told_and_comes_back_later(tmp_path: Path) -> None:
    """Mail that cannot go is the keeper's fault in words; it is no reason to stop, and the next try waits longer."""
    journalled(tmp_path / "journal", 2)
    (tmp_path / "lanbi.toml").write_text(f'data = "{tmp_path}"\n[journal]\nanchor_mail = ["a@example.cn"]\n[mail]\nurl = "smtp://127.0.0.1:9"\n')
    keeper = Keeper(replace(load(str(tmp_path / "lanbi.toml"), {}), file=tmp_path / "lanbi.toml"), Stopped(1.2))
    keeper._look()
    until(lambda: (keeper._look(), not keeper._children)[1], "the round is over")

    assert "seals wait" in keeper.fault
    assert keeper._due > keeper.clock.monotonic() + 30
    assert 2 == len(seals(tmp_path / "journal", "mqtt"))
    assert keeper.work_waits()


def test_a_keeper_s_child_ends_with_its_parent(tmp_path: Path) -> None:
    """It reads nothing, but when its standard input ends it does too, in the middle of whatever it does."""
    (tmp_path / "lanbi.toml").write_text(f'data = "{tmp_path}"\n')
    code = "import lanbi.keeping as k, time; k.only_idle(); k.end_with_parent(); print('up', flush=True); time.sleep(600)"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as child:
        assert child.stdin
        assert child.stdout
        assert b"up\n" == child.stdout.readline()
        assert os.SCHED_IDLE == os.sched_getscheduler(child.pid)
        child.stdin.close()
        assert 0 == child.wait(PATIENCE_S)


def test_a_full_journal_s_round_waits_for_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While nothing can be acknowledged, or soon, the child that makes room is no idle one; every other round is."""
    started: list[str] = []
    small = [False]
    monkeypatch.setattr(keeping, "short", lambda _: small[0])
    monkeypatch.setattr(Keeper, "_start", lambda _, manner: started.append(manner))
    monkeypatch.setattr(Keeper, "work_waits", lambda _: True)
    full = [False]
    keeper = Keeper(settings(tmp_path, on_full=DROP), Stopped(1.2), lambda: full[0])
    for full[0], small[0], keeper._due in ((False, False, 0.0), (True, True, 1e9), (True, False, 1e9), (False, True, 0.0)):
        keeper._urgent = 0.0
        keeper._look()

    assert ["--idle", "--child", "--child", "--child"] == started
    assert keeper._urgent > keeper.clock.monotonic()


def test_room_does_not_wait_for_a_round_at_leisure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second child makes room while the first, which a busy machine holds up, is still under way; a third is not started."""
    started: list[str] = []

    def start(keeper: Keeper, manner: str) -> None:
        started.append(manner)
        keeper._children[manner] = subprocess.Popen(["sleep", "600"], stdin=subprocess.PIPE)

    monkeypatch.setattr(Keeper, "_start", start)
    monkeypatch.setattr(Keeper, "work_waits", lambda _: True)
    full = [False]
    keeper = Keeper(settings(tmp_path, on_full=DROP), Stopped(1.2), lambda: full[0])
    for full[0] in (False, False, True, True):
        keeper._urgent = keeper._due = 0.0
        keeper._look()
    running = [child.poll() for child in keeper._children.values()]
    keeper._end()

    assert (["--idle", "--child"], [None, None], {}) == (started, running, keeper._children)


def test_ingest_keeps_by_itself(tmp_path: Path) -> None:
    """A running ingest seals what is closed, mails the seals, and tells in its status what it could not do; ready or not is no matter of it."""
    journalled(tmp_path / "journal", 3)
    house = House(tmp_path)
    with mail_house(MailHouse(refuse="b@example.cn")) as mails:
        with (tmp_path / "lanbi.toml").open("a") as file:
            file.write(f'\n[journal]\nanchor_mail = ["a@example.cn", "b@example.cn"]\n[mail]\nurl = "smtp://127.0.0.1:{mails.port}"\n')
        house.start()
        try:
            warnings = until(lambda: [word for word in house.status().get("warnings", []) if word.startswith("keeper")], "the keeper tells")
        finally:
            assert 0 == house.stop()

    assert "b@example.cn: the mail server refused: 550 no such person" in warnings[0]
    assert ["a@example.cn"] == [to for to, _ in mails.mails]
    assert 2 == len(seals(tmp_path / "journal", "mqtt"))
    assert not any("keeper" in reason for reason in house.status()["reasons"])
