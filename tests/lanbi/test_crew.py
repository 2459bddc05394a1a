"""Threads that die or fall silent: the process says so, and ends itself with the cause."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from domain.civil import iso
from ingest.causes import SILENT
from lanbi.clock import SystemClock
from lanbi.crew import Crew, Member
from lanbi.ingesting import Told
from lanbi.metrics import read_status
from tests.lanbi.ingest_house import ROOT, House, iotcore_broker


class Ticked(SystemClock):
    """A clock that a test moves."""

    now = 1_000.0

    def monotonic(self) -> float:
        """The test's time."""
        return self.now


def crew(work: dict[str, threading.Event], signs: dict[str, float], clock: Ticked) -> Crew:
    """Members that live until their event is set, patient for 60 s."""
    one = Crew({name: Member(event.wait, lambda name=name: signs[name], 60.0) for name, event in work.items()}, clock)
    one.start()
    return one


def test_silence_is_told_at_half_and_ended_at_the_whole_patience() -> None:
    """Counted from the start before the first sign, and from the last one afterwards; the other member is not blamed."""
    clock, over = Ticked(), threading.Event()
    signs = {"one": 0.0, "two": 0.0}
    watched = crew({"one": over, "two": over}, signs, clock)
    told, ended = [], []
    for age in (29, 31, 59, 61):
        clock.now = 1_000.0 + age
        signs["two"] = clock.now
        told.append([reason.split()[1] for reason in watched.reasons()])
        ended.append(bool(watched.hung()))
    signs["one"] = clock.now

    assert [[], ["one"], ["one"], ["one"]] == told
    assert [False, False, False, True] == ended
    assert ([], "") == (watched.reasons(), watched.hung())
    over.set()
    watched.join()


def test_an_ended_thread_is_a_cause() -> None:
    """Whatever ended it, also what no handler of exceptions sees."""
    clock, first, second = Ticked(), threading.Event(), threading.Event()
    watched = crew({"one": first, "two": second}, {"one": 0.0, "two": 0.0}, clock)
    assert "" == watched.hung()
    first.set()
    watched._threads["one"].join()

    assert "threads: one" in watched.hung()
    assert ["one"] == watched.ended()
    second.set()
    watched.join()


HANGING = """
import sys, time
from lanbi import ingesting
from lanbi.forwarding import Forwarding

def waits_for_ever(self, stop):
    while True:
        time.sleep(3600)

def ends(self, stop):
    raise SystemExit("a panic that no handler of exceptions sees")

Forwarding.run = {"hang": waits_for_ever, "end": ends}[sys.argv.pop(1)]
ingesting.PATIENCE_S["forwarder"] = 3.0
from lanbi.cli import main
sys.exit(main())
"""


@pytest.mark.parametrize(("fault", "words"), [("hang", "its thread was silent"), ("end", "its thread ended")])
def test_a_thread_that_hangs_ends_the_process_with_the_cause_in_the_log(tmp_path: Path, fault: str, words: str) -> None:
    """Exit code 1 for the supervisor; the log says which thread, and for a hanging one where it stands."""
    house = House(tmp_path)
    with iotcore_broker(house.port, tmp_path):
        done = subprocess.run(
            [sys.executable, "-c", HANGING, fault, "ingest", "--config", str(tmp_path / "lanbi.toml")],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
        )

    assert 1 == done.returncode, done.stderr
    assert words in done.stderr
    assert "forwarder" in done.stderr
    assert fault != "hang" or "waits_for_ever" in done.stderr
    status = read_status(tmp_path / "run" / "ingest.json")
    assert (False, True) == (status["ready"], words in str(status["reasons"]))


def test_the_log_tells_a_change_once(capsys: pytest.CaptureFixture[str]) -> None:
    """Ready and not ready with the cause, with the time; a cause whose figures grow is no news."""
    clock = Ticked()
    days = [iso(clock.now_ns() // 10**9)[:10]]
    told = Told(clock)
    silent, longer = (f"broker: {SILENT.format(seconds=seconds)}" for seconds in (61, 62))
    for reasons in ([silent], [longer], [], [], ["journal: full"]):
        told.say(reasons)
    lines = capsys.readouterr().err.splitlines()

    assert [f"not ready: {silent}", "就绪 ready", "not ready: journal: full"] == [line.partition("未就绪 ")[2] or line.partition(": ")[2] for line in lines]
    days.append(iso(clock.now_ns() // 10**9)[:10])
    assert all(line[:10] in days for line in lines)
