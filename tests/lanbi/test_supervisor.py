"""The supervisor with real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from domain.errors import DataFolderBusy
from lanbi.clock import SystemClock
from lanbi.supervisor import INTERRUPTED, LONGEST_PAUSE_S, SILENT_S, Program, Supervisor, Watch, sole

SLEEPS = (sys.executable, "-c", "import time; time.sleep(600)")
STUBBORN = (sys.executable, "-c", "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)")


def supervisor(programs: list[Program], lines: list[str], tick: Callable[[], None] = lambda: None) -> Supervisor:
    """A supervisor that speaks into a list."""
    return Supervisor(programs, SystemClock(), lines.append, dict(os.environ), tick)


def ask(number: int) -> None:
    """Send a signal to this very process, as a terminal would."""
    os.kill(os.getpid(), number)


def wait_for(condition: Callable[[], bool]) -> bool:
    """Poll up to a minute and a half."""
    clock = SystemClock()
    end = clock.monotonic() + 90
    while not condition() and clock.monotonic() < end:
        clock.sleep(0.05)
    return condition()


def gone(pid: int) -> bool:
    """Whether a process no longer runs (a zombie does not run)."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    return state == "Z"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, INTERRUPTED), (signal.SIGTERM, 0)])
def test_signal_stops_every_program(number: int, code: int) -> None:
    """Ctrl-C and SIGTERM end all programs; the exit code tells which it was."""
    lines: list[str] = []

    ended = supervisor([Program("one", SLEEPS), Program("two", SLEEPS)], lines, lambda: ask(number)).run()

    assert code == ended
    assert [] == lines


def test_stubborn_program_is_killed(tmp_path: Path) -> None:
    """A program that ignores SIGTERM does not keep the supervisor."""
    log = tmp_path / "log"
    ready = lambda: ask(signal.SIGTERM) if log.exists() and log.read_text() else None  # noqa: E731

    ended = supervisor([Program("stubborn", STUBBORN, log=log)], [], ready).run()

    assert 0 == ended


def test_dead_program_starts_again(tmp_path: Path) -> None:
    """A program that dies is started again and the operator is told."""
    log = tmp_path / "log"
    lines: list[str] = []
    dies = (sys.executable, "-c", "print('boom', flush=True); raise SystemExit(1)")
    enough = lambda: ask(signal.SIGTERM) if len(lines) >= 2 else None  # noqa: E731

    supervisor([Program("weak", dies, log=log)], lines, enough).run()

    assert "weak" in lines[0]
    assert "boom" in lines[0]
    assert log.read_text().count("boom") >= 2


def test_refused_settings_stop_everything() -> None:
    """A program that refuses its settings would refuse them again: all stops with exit code 2."""
    refuses = (sys.executable, "-c", "raise SystemExit(2)")
    lines: list[str] = []

    ended = supervisor([Program("good", SLEEPS), Program("picky", refuses)], lines).run()

    assert 2 == ended
    assert "picky" in lines[0]


def test_why_a_program_refuses_is_told_whole(tmp_path: Path) -> None:
    """What, where and what to do of its error, whatever it said before; a program without an error is quoted by its last line."""
    log, lines = tmp_path / "log", list[str]()
    said = "print('up'); print('lanbi: 没有这个文件\\n       no such file\\n  处理 do:    请检查路径\\n              check the path')"
    refuses = (sys.executable, "-c", f"{said}; raise SystemExit(2)")

    assert 2 == supervisor([Program("one", refuses, log=log)], lines).run()
    assert ["one 拒绝了设置或参数 refused its settings: lanbi: 没有这个文件; no such file; 处理 do:    请检查路径; check the path"] == lines


def test_pause_grows_and_is_forgiven() -> None:
    """Each failure waits longer, up to a limit; a long good run clears the record."""
    watch = Watch()
    pauses = []
    for _ in range(9):
        watch.start(0.0, 0)
        pauses.append(watch.fail(1.0))

    assert [0.5, 1, 2, 4, 8, 16, LONGEST_PAUSE_S, LONGEST_PAUSE_S, LONGEST_PAUSE_S] == pauses

    watch.start(0.0, 0)

    assert 0.5 == watch.fail(1000.0)


def test_silence_is_seen_by_the_file_alone() -> None:
    """A status file that stops changing means a hang; one left by an earlier life is no sign."""
    watch = Watch()
    watch.start(0.0, stamp=7)
    watch.sign(10.0, 7)

    assert not watch.hangs(SILENT_S + 20)

    watch.sign(100.0, 8)

    assert not watch.hangs(100.0 + SILENT_S)
    assert watch.hangs(100.1 + SILENT_S)


def test_hanging_program_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program whose status file stands still is killed and started again."""
    monkeypatch.setattr("lanbi.supervisor.SILENT_S", 0.5)
    status = tmp_path / "status.json"
    beats_once = (sys.executable, "-c", f"import time; open({str(status)!r}, 'w').write('x'); time.sleep(600)")
    lines: list[str] = []
    enough = lambda: ask(signal.SIGTERM) if lines else None  # noqa: E731

    supervisor([Program("hung", beats_once, status=status)], lines, enough).run()

    assert "no sign of life" in lines[0]


PARENT = """
import os, sys
from pathlib import Path
from lanbi.clock import SystemClock
from lanbi.supervisor import Program, Supervisor, sole
with sole(Path(sys.argv[1])):
    child = Program("child", (sys.executable, "-c", "import os, time; print(os.getpid(), flush=True); time.sleep(600)"), log=Path(sys.argv[1]) / "log")
    Supervisor([child], SystemClock(), print, dict(os.environ)).run()
"""


def test_killed_supervisor_leaves_nobody_behind(tmp_path: Path) -> None:
    """A kill -9 of the supervisor ends its children too, and the data folder is free again."""
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path)])
    log = tmp_path / "log"

    assert wait_for(lambda: log.exists() and log.read_text().strip().isdigit())

    child = int(log.read_text())
    parent.kill()
    parent.wait()

    assert wait_for(lambda: gone(child))
    with sole(tmp_path):
        pass


def test_second_supervisor_is_refused(tmp_path: Path) -> None:
    """Two on one data folder would be two writers: the second is told who holds it."""
    with sole(tmp_path), pytest.raises(DataFolderBusy) as caught, sole(tmp_path):
        pass

    assert str(os.getpid()) in caught.value.what
    assert str(tmp_path) == caught.value.where


def test_programs_keep_out_of_the_terminal_group() -> None:
    """Ctrl-C in a terminal reaches the supervisor only; the programs are told in order."""
    seen: list[bool] = []
    found = threading.Event()

    def children() -> set[int]:
        return {int(pid) for pid in Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()}

    # Servers that other tests share are children too, and none of the supervisor's.
    others = children()

    def look() -> None:
        groups = {os.getpgid(pid) for pid in children() - others}
        seen.append(bool(groups) and os.getpgid(0) not in groups)
        found.set()
        ask(signal.SIGTERM)

    supervisor([Program("one", SLEEPS)], [], look).run()

    assert found.is_set()
    assert [True] == seen[:1]
