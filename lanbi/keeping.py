"""Keeping: closed days are sealed, seals are mailed, and room is made where that is allowed, in short-lived processes beside ingest.

Compressing and examining a day takes a core for a minute. In a thread that would slow the listener, for Python threads share
one interpreter; so a thread only looks whether something is to be done, and has :func:`round_of` done by a child that runs
when nothing else wants the processor, or at once while the journal is full and may make room: nothing is acknowledged then.
The child ends with its parent, and may be killed at any moment.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from domain.civil import day_of, iso
from domain.errors import DataFolderBusy, LanbiError
from domain.ports import Clock
from domain.sayings import both
from lanbi import logs, wiring
from lanbi.anchoring import anchor, waiting
from lanbi.frames import DOORS
from lanbi.journal_bytes import files, is_closed
from lanbi.journal_files import day_of_file, hold
from lanbi.journal_removal import FLOOR_DAYS, Cause, document, removable, remove, undocumented
from lanbi.journal_space import Room, room
from lanbi.metrics import read_status, write_status
from lanbi.progress import Progress
from lanbi.sealing import close_idle, seal, sealable, tidy
from lanbi.settings import Settings

NS: Final = 1_000_000_000
LOOK_S: Final = 60.0
URGENT_S: Final = 2.0
"""While the journal is full, room is looked for so often."""
AGAIN_S: Final = (60.0, 900.0)
"""After a failure the next try comes later each time."""
IDLE_S: Final = 0.2
STOP_S: Final = 2.0
DROP: Final = "drop-oldest-forwarded"
IDLE: Final = "--idle"
CHILD: Final = "--child"
"""How a round is started: when nothing else wants the processor; or at once, because devices wait for room."""
MARGIN: Final = 1 << 30
SHARE: Final = 50
"""With ``drop-oldest-forwarded`` a fiftieth of the room is kept free, a gigabyte at most."""
STATUS: Final = Path("run") / "keeper.json"


# ---- one round


def round_of(settings: Settings, clock: Clock, say: Callable[[str], None] = lambda _: None, *, bars: bool = False) -> dict[str, Any]:
    """Do whatever is to be done now; returns what the status file says then. Nothing that goes wrong stops the rest.

    Parameters
    ----------
    say : callable
        Told what was sealed and removed.
    bars : bool
        Whether somebody looks on: sealing a large day takes a minute.

    Raises
    ------
    DataFolderBusy
        Another round is under way, and there is room enough to wait for it.
    """
    folder = settings.data / "journal"
    folder.mkdir(parents=True, exist_ok=True)
    faults: list[str] = []
    try:
        lock = hold(folder / "keeper.lock", "another process seals this journal")
    except DataFolderBusy:
        if settings.journal.on_full != DROP or not short(settings):
            raise
        # Removing what is sealed harms nobody who seals, and twice removed is removed.
        return _told(settings, clock, 0, _make_room(settings, clock, faults, say), faults)
    try:
        sealed = sum(_seal_writer(folder, writer, clock, faults, Watched(say, clock, bars=bars)) for writer in DOORS)
        dropped = _make_room(settings, clock, faults, say)
        _try(lambda: document(settings.data, clock), faults)
        faults += anchor(settings, clock)
    finally:
        os.close(lock)
    return _told(settings, clock, sealed, dropped, faults)


def _told(settings: Settings, clock: Clock, sealed: int, dropped: int, faults: list[str]) -> dict[str, Any]:
    """What the status file says after a round."""
    rest = {seal.digest for some in waiting(settings.data / "journal", settings.journal.anchor_mail).values() for seal in some}
    now = iso(clock.now_ns() // NS)
    return {"time": now, "sealed": sealed, "dropped": dropped, "unanchored": len(rest), "faults": faults, "quota": settings.journal.quota}


@dataclass(frozen=True)
class Watched:
    """Who looks on while files are sealed."""

    say: Callable[[str], None]
    clock: Clock
    bars: bool

    def sealed(self, folder: Path, writer: str, path: Path) -> None:
        """Seal a file, with a bar if somebody looks on, and say what it was."""
        bar = Progress(f"封存 seal {writer}/{path.stem}", path.stat().st_size, self.clock) if self.bars else None
        made = seal(folder, writer, path, bar.at if bar else lambda _: None)
        if bar:
            bar.close()
        self.say(f"已封存 sealed {made.line}")


def _seal_writer(folder: Path, writer: str, clock: Clock, faults: list[str], watched: Watched) -> int:
    """Seal a writer's closed files, oldest first; behind one that fails nothing is sealed, or the chain of seals would have a hole."""
    done = 0
    try:
        tidy(folder, writer)
        close_idle(folder, writer, day_of(clock.now_ns() // NS))
        for path in sealable(folder, writer):
            watched.sealed(folder, writer, path)
            done += 1
    except LanbiError as error:
        faults.append(str(error))
    except OSError as error:
        faults.append(f"{folder / writer}: {error}")
    return done


def _make_room(settings: Settings, clock: Clock, faults: list[str], say: Callable[[str], None]) -> int:
    """Drop the oldest sealed days while room is short, if the settings allow it."""
    dropped = 0
    if settings.journal.on_full != DROP or not short(settings):
        return 0
    cause = Cause(f"on_full = {DROP}: {_words(room(settings.data, settings.journal.quota))}", "lanbi")
    for one in removable(settings.data, clock, FLOOR_DAYS):
        if not short(settings):
            break
        try:
            remove(one, cause)
        except LanbiError as error:
            faults.append(str(error))
            break
        dropped += 1
        say(f"已删除 removed {one.seal.line}")
        _try(lambda: document(settings.data, clock), faults)
    if short(settings):
        faults.append("空间不足，没有可删除的日志 room is short, and no sealed day is forwarded and older than 96 hours")
    return dropped


def short(settings: Settings) -> bool:
    """Whether less room is left than ``drop-oldest-forwarded`` keeps free."""
    now = room(settings.data, settings.journal.quota)
    return now.free < min(MARGIN, now.limit // SHARE)


def _words(now: Room) -> str:
    return f"{now.used} bytes used, {now.free} free"


def _try(work: Callable[[], object], faults: list[str]) -> None:
    try:
        work()
    except LanbiError as error:
        faults.append(str(error))


# ---- the thread in ingest


@dataclass
class Keeper:
    """Looks once a minute whether there is work, and starts a child for it.

    Attributes
    ----------
    full : callable
        Whether the journal cannot be written at this moment.
    fault : str
        Why the last round did not succeed; empty if it did.
    """

    settings: Settings
    clock: Clock
    full: Callable[[], bool] = lambda: False
    fault: str = ""
    rounds: int = 0
    _failures: int = 0
    _due: float = 0.0
    _urgent: float = 0.0
    _names: list[int] = field(default_factory=list, repr=False)
    _children: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict, repr=False)
    """By manner, one each: who makes room does not wait for a round at leisure, which a busy machine may hold up for minutes."""

    def run(self, stop: Callable[[], bool]) -> None:
        """Keep until told to stop; a round that is under way then is ended, and done again another time."""
        while not stop():
            try:
                self._look()
            except Exception as error:  # noqa: BLE001  keeping must never end ingest
                self._failed(repr(error)[:300])
            self.clock.sleep(IDLE_S)
        self._end()

    def warnings(self) -> list[str]:
        """What did not succeed, for the status; it makes nothing unready."""
        return [f"keeper: {self.fault}"] if self.fault else []

    def _look(self) -> None:
        now = self.clock.monotonic()
        for manner, child in list(self._children.items()):
            self._mind(manner, child)
        urgent = now >= self._urgent and self._wants_room()
        if CHILD in self._children or (self._children and not urgent):
            return
        if now >= self._due or urgent:
            self._due, self._urgent = now + LOOK_S, now + URGENT_S
            if self.work_waits():
                self._start(CHILD if urgent or self._room_is_short() else IDLE)

    def work_waits(self) -> bool:
        """Whether a round would find something to do; cheap enough for a thread beside the listener."""
        folder, today = self.settings.data / "journal", day_of(self.clock.now_ns() // NS)
        if any(sealable(folder, writer) for writer in DOORS) or any(_idle(folder, writer, today) for writer in DOORS if writer != "mqtt"):
            return True
        if self._room_is_short() and removable(self.settings.data, self.clock, FLOOR_DAYS):
            return True
        # Reading five years of seals takes a tenth of a second, so it is done only after a name in the folders has changed.
        names = [path.stat().st_mtime_ns for path in (folder, *(folder / writer for writer in DOORS)) if path.exists()]
        if names == self._names:
            return False
        waits = bool(waiting(folder, self.settings.journal.anchor_mail) or undocumented(self.settings.data))
        self._names = [] if waits else names
        return waits

    def _room_is_short(self) -> bool:
        return self.settings.journal.on_full == DROP and short(self.settings)

    def _wants_room(self) -> bool:
        return self.settings.journal.on_full == DROP and self.full()

    def _start(self, manner: str) -> None:
        config = ("--config", str(self.settings.file)) if self.settings.file else ()
        command = [sys.executable, "-m", "lanbi", "journal", "keep", manner, *config]
        self.rounds += 1
        # It ends when its standard input does: threads run here, so nothing may happen between fork and exec but exec.
        self._children[manner] = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)

    def _mind(self, manner: str, child: subprocess.Popen[bytes]) -> None:
        if child.poll() is None:
            return
        self._forget(manner)
        from_status = _faults(self.settings.data)
        if child.returncode == 0 and not from_status:
            self.fault, self._failures = "", 0
        else:
            self._failed("; ".join(from_status) or f"the keeper's process ended with {child.returncode}")

    def _failed(self, words: str) -> None:
        self.fault = words
        logs.tell("journal.unkept", both(words))
        low, high = AGAIN_S
        self._due = self.clock.monotonic() + min(high, low * 2.0**self._failures)
        self._failures = min(self._failures + 1, 10)

    def _end(self) -> None:
        for manner, child in list(self._children.items()):
            child.kill()
            child.wait(STOP_S)
            self._forget(manner)

    def _forget(self, manner: str) -> None:
        child = self._children.pop(manner)
        if child.stdin:
            child.stdin.close()


def _idle(folder: Path, writer: str, today: int) -> bool:
    newest = files(folder, writer)[-1:]
    return bool(newest) and day_of_file(newest[0]) < today and not is_closed(newest[0])


def _faults(data: Path) -> list[str]:
    return [str(fault) for fault in read_status(data / STATUS).get("faults", [])]


# ---- the child


def keep(settings: Settings, say: Callable[[str], None], *, bars: bool = False) -> list[str]:
    """One round, with its status file; returns what went wrong.

    Raises
    ------
    DataFolderBusy
        Another round is under way.
    """
    clock = wiring.clock(settings)
    told = round_of(settings, clock, say, bars=bars)
    write_status(settings.data / STATUS, told)
    return list(told["faults"])


def only_idle() -> None:
    """Run when nothing else wants the processor."""
    with suppress(OSError):  # a kernel or container that does not allow it: the niceness stays
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    os.nice(19)


def end_with_parent() -> None:
    """End with whoever started us: standard input ends then."""
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()


def _end_with_parent() -> None:
    while os.read(0, 4_096):
        pass
    os._exit(0)  # whatever is half done is done again another time
