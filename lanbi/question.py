"""Questions to the running analytics: what would an entry change? Answered by a copy of that process, which then ends.

Analytics has the year in memory. A copy of the process (fork) shares it page by page, takes the entry as if it had come in, notes what it
would write, says so and is gone: nothing half-computed can stand anywhere, and the process itself goes on. The door is a socket file in
the data folder, so only its owner can knock; the health address of a separate ``lanbi analyse`` passes ``POST /question`` on to it.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, NoReturn

from domain.errors import InputError, ServiceError
from domain.ports import Clock
from lanbi.signs import sign_of

DOOR: Final = "question.sock"
PATIENCE_S: Final = 2.0
"""What a person before a screen waits for, and no longer (interfaces, HTTP)."""
LOOK_S: Final = 0.1
END_S: Final = 0.25
"""So long a copy may still be on its way out when the next question comes."""
GLANCE_S: Final = 0.02
"""Between two looks whether somebody calls."""
MOST: Final = 65_536
TODO: Final = "enter it without a preview, or ask again in a moment"


@contextmanager
def _address(data: Path) -> Iterator[str]:
    """The door's address: through an open folder, because a socket's path may have 107 bytes only."""
    folder = os.open(data / "run", os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{DOOR}"
    finally:
        os.close(folder)


def ask(data: Path, question: Mapping[str, object], clock: Clock) -> dict[str, Any]:
    """What analytics answers within :data:`PATIENCE_S`.

    Raises
    ------
    ServiceError
        It does not run, is busy, or fails, and why.
    InputError
        It is no question.
    """
    until = clock.monotonic() + PATIENCE_S
    try:
        with _address(data) as address, socket.socket(socket.AF_UNIX) as line:
            line.settimeout(PATIENCE_S)
            line.connect(address)
            line.sendall(json.dumps(question).encode())
            line.shutdown(socket.SHUT_WR)
            told = json.loads(_all(line, lambda: until - clock.monotonic()))
    except (OSError, ValueError) as error:
        reasons = "; ".join(sign_of(data, "analyse").reasons) or "busy"
        raise ServiceError(f"analytics did not answer within {PATIENCE_S:g} s: {reasons}", "preview", TODO) from error
    assert isinstance(told, dict)  # noqa: S101  our own process said it
    if "fault" in told:
        raise InputError(str(told["fault"]), "question", 'ask {"kind": "mark", "body": {…}}')
    if "error" in told:
        raise ServiceError(str(told["error"]), "preview", TODO)
    return told


def _all(line: socket.socket, left: Callable[[], float], most: int = 1 << 24) -> bytes:
    """What comes until the other side is done.

    Raises
    ------
    TimeoutError
        It takes longer.
    ValueError
        It is too much.
    """
    parts: list[bytes] = []
    size = 0
    while True:
        line.settimeout(max(0.001, left()))
        part = line.recv(65_536)
        if not part:
            return b"".join(parts)
        parts.append(part)
        size += len(part)
        if size > most:
            raise ValueError("too long")


class Ear:
    """Where questions to the analytics of a data folder come in; one is answered at a time.

    Parameters
    ----------
    answer : callable
        The answer to a question; called in the copy, where whatever it changes is forgotten.
    """

    def __init__(self, data: Path, clock: Clock, answer: Callable[[Any], Mapping[str, object]]) -> None:
        self._data, self._clock, self._answer = data, clock, answer
        self._copy = 0
        (data / "run").mkdir(parents=True, exist_ok=True)
        self._door = socket.socket(socket.AF_UNIX)
        with _address(data) as address:
            with suppress(FileNotFoundError):
                Path(address).unlink()
            self._door.bind(address)
            Path(address).chmod(0o600)
        self._door.listen(8)

    def wait(self, seconds: float, called: Callable[[], bool] = lambda: False) -> None:
        """Let time pass, until ``called`` at most; who asks meanwhile is answered."""
        until = self._clock.monotonic() + seconds
        while (left := until - self._clock.monotonic()) > 0 and not called():
            if select.select([self._door], [], [], min(left, GLANCE_S))[0]:
                self._take()
        self._gone()

    def _take(self) -> None:
        line, _ = self._door.accept()
        with line:
            if not self._ending():
                with suppress(OSError, ValueError):  # read first: unread, it would cut the answer off
                    _all(line, lambda: 0.05, MOST)
                line.sendall(json.dumps({"error": "another question is being answered"}).encode())
                return
            self._copy = os.fork()
            if not self._copy:
                self._in_copy(line)

    def _in_copy(self, line: socket.socket) -> NoReturn:
        """Nothing of the parent's may be closed or continued here: whatever happens, this ends by itself and at once."""
        try:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            self._end_with(line)
            gc.disable()
            told = self._answer(json.loads(_all(line, lambda: PATIENCE_S, MOST)))
            line.sendall(json.dumps(told).encode())
        finally:
            os._exit(0)

    @staticmethod
    def _end_with(line: socket.socket) -> None:
        """Who asked and went away gets no answer, and the next one need not wait for it."""
        hung_up = select.poll()
        hung_up.register(line, 0)
        signal.signal(signal.SIGALRM, lambda *_: os._exit(0) if hung_up.poll(0) else None)
        signal.setitimer(signal.ITIMER_REAL, LOOK_S, LOOK_S)

    def _ending(self) -> bool:
        """Whether no copy is at work, or the last one ends in a moment: it has answered, and who heard it asks again at once."""
        until = self._clock.monotonic() + END_S
        while not self._gone() and self._clock.monotonic() < until:
            self._clock.sleep(END_S / 50)
        return self._gone()

    def _gone(self) -> bool:
        """Whether no copy is at work."""
        if self._copy and os.waitpid(self._copy, os.WNOHANG)[0]:
            self._copy = 0
        return not self._copy

    def close(self) -> None:
        """Shut the door."""
        self._door.close()
        with _address(self._data) as address, suppress(FileNotFoundError):
            Path(address).unlink()
