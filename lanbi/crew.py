"""The threads of a process: each lives and gives signs, or the process says so and ends, for a supervisor starts it again.

A thread that hangs is worse than one that died: its connection stays open and looks well. So what counts is when it last came
round, not whether it is there.
"""

from __future__ import annotations

import faulthandler
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO, Final, NamedTuple

from domain.ports import Clock

STOP_S: Final = 2.0
WARN: Final = 0.5
"""Share of a member's patience after which its silence makes the process unready."""


class Member(NamedTuple):
    """One thread: its work, when it last gave a sign (monotonic; 0 = not yet), and how long it may be silent [s]."""

    work: Callable[[], None]
    sign: Callable[[], float]
    patience: float


@dataclass
class Crew:
    """Starts members, watches them, waits for their end."""

    members: Mapping[str, Member]
    clock: Clock
    _threads: dict[str, threading.Thread] = field(default_factory=dict)
    _began: float = 0.0

    def start(self) -> None:
        """Start every member's thread."""
        self._began = self.clock.monotonic()
        for name, member in self.members.items():
            self._threads[name] = threading.Thread(target=member.work, name=name, daemon=True)
            self._threads[name].start()

    def join(self) -> None:
        """Wait a short while for all of them; they were told to stop."""
        until = self.clock.monotonic() + STOP_S
        for thread in self._threads.values():
            thread.join(max(0.0, until - self.clock.monotonic()))

    def ended(self) -> list[str]:
        """Members whose thread is gone."""
        return [name for name, thread in self._threads.items() if not thread.is_alive()]

    def reasons(self) -> list[str]:
        """Why the process is not ready because of its threads."""
        gone = [f"threads: {name} 线程已结束 its thread ended" for name in self.ended()]
        return gone + [f"threads: {name} 线程 {age:.0f} 秒没有动静 no sign of its thread for {age:.0f} s" for name, age in self._silent(WARN)]

    def hung(self) -> str:
        """The cause to end the process for, or nothing: a thread that is gone, or silent beyond its patience."""
        found = [
            *(f"threads: {name} 线程已结束 its thread ended" for name in self.ended()),
            *(
                f"threads: {name} 线程 {age:.0f} 秒没有动静 its thread was silent for {age:.0f} s: ended, to be started again"
                for name, age in self._silent(1.0)
            ),
        ]
        return "; ".join(found)

    def _silent(self, share: float) -> Iterator[tuple[str, float]]:
        now = self.clock.monotonic()
        for name, member in self.members.items():
            age = now - max(member.sign(), self._began)
            if age > share * member.patience:
                yield name, age


def where(log: IO[str]) -> None:
    """Write where every thread stands: what a hanging thread waits for is the only cause that can be known."""
    faulthandler.dump_traceback(file=log, all_threads=True)
