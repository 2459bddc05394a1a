"""A small supervisor: starts programs, restarts what dies or falls silent, and stops everything within five seconds.

Its promises, each with a test: one supervisor a data folder; a child that dies or whose status file stands still for a
minute is started again, later each time; when the supervisor itself is killed, however hard, no child survives it.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Final

from domain.errors import DataFolderBusy
from domain.ports import Clock
from lanbi.folders import made

SILENT_S: Final = 60.0
"""A program writes its status every second; so long without a new one means that it hangs."""
FIRST_SIGN_S: Final = 180.0
"""Until its first status: kernels may have to be compiled."""
WELL_AFTER_S: Final = 60.0
"""Having run so long, a program's earlier failures are forgotten."""
LONGEST_PAUSE_S: Final = 30.0
LONGEST_LOG: Final = 1 << 20
"""A longer log is set aside when its program starts again; a program that fails for ever must not fill the disk."""
TERM_S: Final = 3.5
"""After SIGTERM a program has so long until SIGKILL; everything together stays under five seconds."""
LOOK_S: Final = 0.2
WRONG_INPUT: Final = 2
INTERRUPTED: Final = 130
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Program:
    """What to run: its name, command, status file (None: it has none) and log file (None: our own stderr)."""

    name: str
    command: tuple[str, ...]
    status: Path | None = None
    log: Path | None = None


@dataclass
class Watch:
    """Pure memory of one program: when it began, when it last gave a sign, when it may start again."""

    failures: int = 0
    began: float = 0.0
    stamp: int = 0
    signed: float = 0.0
    due: float = 0.0

    def start(self, now: float, stamp: int) -> None:
        """The program was started; a status file of an earlier life is no sign of this one."""
        self.began, self.signed, self.stamp = now, 0.0, stamp

    def sign(self, now: float, stamp: int) -> None:
        """Look at the status file's stamp: only a change counts, so no clock of the program is trusted."""
        if stamp != self.stamp:
            self.stamp, self.signed = stamp, now

    def hangs(self, now: float) -> bool:
        """Whether it has been silent for too long."""
        return now - self.signed > SILENT_S if self.signed else now - self.began > FIRST_SIGN_S

    def fail(self, now: float) -> float:
        """The program died or was killed for hanging: seconds until the next start (0.5, 1, 2 … 30)."""
        self.failures = 1 if now - self.began > WELL_AFTER_S else self.failures + 1
        pause = min(LONGEST_PAUSE_S, 0.5 * 2.0 ** (self.failures - 1))
        self.due = now + pause
        return pause


@dataclass
class _Child:
    program: Program
    watch: Watch = field(default_factory=Watch)
    process: subprocess.Popen[bytes] | None = None

    def stamp(self) -> int:
        try:
            return self.program.status.stat().st_mtime_ns if self.program.status else 0
        except FileNotFoundError:
            return 0


@dataclass
class Supervisor:
    """Runs programs until told to stop.

    Attributes
    ----------
    say : callable
        Takes a line for the operator.
    tick : callable
        Called about once a second while everything runs.
    environment : mapping
        Environment of the children.
    """

    programs: Sequence[Program]
    clock: Clock
    say: Callable[[str], None]
    environment: Mapping[str, str]
    tick: Callable[[], None] = lambda: None
    _asked: list[int] = field(default_factory=list)
    _hopeless: int | None = None

    def run(self) -> int:
        """Start everything, watch it, and stop it in order.

        Returns
        -------
        int
            130 after SIGINT, 0 after SIGTERM; 2 if a program refused its settings.
        """
        children = [_Child(program) for program in self.programs]
        with self._signals():
            try:
                self._watch(children)
            finally:
                self._stop(children)
        if self._hopeless is not None:
            return self._hopeless
        return INTERRUPTED if self._asked[0] == signal.SIGINT else 0

    def _watch(self, children: list[_Child]) -> None:
        ticked = 0.0
        while not self._asked and self._hopeless is None:
            now = self.clock.monotonic()
            for child in children:
                self._look(child, now)
            if now - ticked >= 1:
                ticked = now
                self.tick()
            self.clock.sleep(LOOK_S)

    def _look(self, child: _Child, now: float) -> None:
        if child.process is None:
            if now >= child.watch.due:
                self._start(child, now)
            return
        code = child.process.poll()
        if code is not None:
            self._ended(child, now, code)
            return
        if child.program.status is None:
            return
        child.watch.sign(now, child.stamp())
        if child.watch.hangs(now):
            child.process.kill()
            child.process.wait()
            self._again(child, now, "没有响应 no sign of life")

    def _start(self, child: _Child, now: float) -> None:
        child.watch.start(now, child.stamp())
        child.process = spawn(child.program, self.environment)

    def _ended(self, child: _Child, now: float, code: int) -> None:
        if code == WRONG_INPUT:
            self._hopeless = WRONG_INPUT
            self.say(f"{child.program.name} 拒绝了设置或参数 refused its settings: {_last_words(child.program)}")
            return
        self._again(child, now, f"已退出 ended ({code}) {_last_words(child.program)}".rstrip())

    def _again(self, child: _Child, now: float, why: str) -> None:
        child.process = None
        pause = child.watch.fail(now)
        self.say(f"{child.program.name} {why}; {pause:g} s 后重启 restart")

    def _stop(self, children: list[_Child]) -> None:
        running = [child.process for child in children if child.process and child.process.poll() is None]
        for process in running:
            process.terminate()
        deadline = self.clock.monotonic() + TERM_S
        while self.clock.monotonic() < deadline and len(self._asked) < 2:  # a second Ctrl-C means now
            if all(process.poll() is not None for process in running):
                break
            self.clock.sleep(0.05)
        for process in running:
            process.kill()
            process.wait()

    @contextmanager
    def _signals(self) -> Iterator[None]:
        def note(number: int, frame: FrameType | None) -> None:
            del frame
            self._asked.append(number)

        before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def spawn(program: Program, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own, so that a terminal's Ctrl-C reaches only the supervisor, bound to our life."""
    with _log(program) as log:
        return subprocess.Popen(
            program.command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=dict(environment),
            start_new_session=True,
            preexec_fn=_bound_to(os.getpid()),  # noqa: PLW1509  single-threaded, and nothing else can set the death signal
        )


@contextmanager
def _log(program: Program) -> Iterator[int | None]:
    if program.log is None:
        yield None
        return
    program.log.parent.mkdir(parents=True, exist_ok=True)
    if program.log.exists() and program.log.stat().st_size > LONGEST_LOG:
        program.log.replace(program.log.with_suffix(".old"))
    with program.log.open("ab") as log:
        yield log.fileno()


def _bound_to(parent: int) -> Callable[[], None] | None:
    """For the new child: die when the supervisor dies.

    By SIGKILL, for a half-dead family would hold ports and locks; every program of ours survives it without loss.
    """
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None, use_errno=True)

    def bind() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return bind


def _last_words(program: Program) -> str:
    """The error at the end of a program's log, else its last line, so that the operator need not look for it."""
    try:
        text = program.log.read_bytes()[-2000:].decode(errors="replace") if program.log else ""
    except FileNotFoundError:
        return ""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    told = next((at for at in range(len(lines) - 1, -1, -1) if lines[at].startswith("lanbi: ")), len(lines) - 1)
    return "; ".join(lines[told:])


@contextmanager
def sole(folder: Path) -> Iterator[None]:
    """Hold a data folder; a second supervisor on it is refused.

    Raises
    ------
    DataFolderBusy
        Another one holds it.
    """
    path = made(folder) / "lanbi.lock"
    with path.open("a+", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            what = f"another lanbi works on this data folder (process {lock.read().strip() or 'unknown'})"
            raise DataFolderBusy(what, str(folder), "stop it first (systemctl stop lanbi); a demo beside it takes --data FOLDER") from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield


def lean(environment: Mapping[str, str]) -> dict[str, str]:
    """Environment of children that share a small machine: few heaps, no hidden thread pools, unbuffered logs."""
    small = {"MALLOC_ARENA_MAX": "2", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    return {**environment, **small}
