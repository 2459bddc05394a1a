"""The processes that make up a running lanbi, and the addresses they listen on."""

from __future__ import annotations

import gc
import secrets
import signal
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Final

from domain.errors import InputError, PortTaken
from lanbi.supervisor import INTERRUPTED, Program

SWITCH_S: Final = 0.0005
GARBAGE: Final = (500_000, 20, 20)
QUIET_PORTS: Final = range(10_000, 32_768)
"""Below what Linux (32,768) and everybody else (49,152) give to connections that ask for no port of their own."""
THREE: Final = ("ingest", "analyse", "serve")
_GIVEN: Final[set[int]] = set()
"""Ports that :func:`free` has named in this process: whoever got one may not listen on it yet, so nobody else gets it."""


def family(data: Path, config: str | None, *, log: Path | None, broker: bool) -> list[Program]:
    """Ingest, analytics and API, behind the embedded broker if asked for."""
    embedded = [Program("broker", (sys.executable, "-m", "lanbi.broker", *_config(config)), log=_log(log, "broker"))]
    # The API answers for all of them, so the others need no health address of their own.
    words = {"ingest": ["ingest", "--no-health"], "analyse": ["analyse", "--no-health"], "serve": ["serve"]}
    return [*(embedded if broker else []), *(program(name, words[name], data, config, log) for name in THREE)]


def program(name: str, words: Sequence[str], data: Path, config: str | None, log: Path | None) -> Program:
    """One of our programs; its status file is ``run/<name>.json`` in the data folder."""
    command = (sys.executable, "-m", "lanbi", *words, *_config(config))
    return Program(name, command, data / "run" / f"{name}.json", _log(log, name))


class Told:
    """Whether SIGTERM or SIGINT came; called as a question."""

    def __init__(self) -> None:
        self.number = 0

    def __call__(self) -> bool:
        """Whether to stop."""
        return bool(self.number)

    @property
    def exit_code(self) -> int:
        """130 after an interruption, 0 after an orderly stop."""
        return INTERRUPTED if self.number == signal.SIGINT else 0


@contextmanager
def until_told() -> Iterator[Told]:
    """For a long-running program: both signals become an answer to the question whether to stop."""
    told = Told()

    def note(number: int, frame: FrameType | None) -> None:
        del frame
        told.number = number

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield told
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def share_interpreter() -> None:
    """For a process in which one thread works hard and another must answer at once.

    A thread that waits for the interpreter is given it after 5 ms, unless told otherwise; the listener waits after each system
    call, so several times a message. And the collector of cycles would walk through the readings of each batch several times,
    though they have none.
    """
    sys.setswitchinterval(SWITCH_S)
    collect_seldom()


def collect_seldom() -> None:
    """For a process that makes many rows at a time: the collector of cycles looks at them seldom, and never again at what is loaded now."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE)


def say(line: str) -> None:
    """Tell the operator, beside the answer that goes to standard output."""
    with suppress(OSError):  # a log on a full disk must not end who writes it
        sys.stderr.write(line + "\n")
        sys.stderr.flush()


def _config(config: str | None) -> tuple[str, ...]:
    return ("--config", config) if config else ()


def _log(folder: Path | None, name: str) -> Path | None:
    return folder / f"{name}.log" if folder else None


def address(text: str, where: str = "--http") -> tuple[str, int]:
    """Host and port of ``HOST:PORT``; ``where`` it was written, for whoever wrote it wrongly."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65_536:
        what = f"not an address: {text!r}"
        raise InputError(what, where, "write HOST:PORT, for example 127.0.0.1:8080")
    return host.strip("[]"), int(port)


def free_port(host: str, port: int) -> None:
    """Make sure that an address can be listened on, before anything is started."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            what = f"cannot listen here: {error.strerror}"
            raise PortTaken(what, f"{host}:{port}", "stop what uses it, or choose another with --http HOST:PORT") from error


def free(wanted: int = 0) -> int:
    """The wanted port of the loopback if it is free, else one that the system never gives to a connection by itself.

    A port that a connection got stays taken as long as it lasts, so one that is listened on only some seconds
    after it was found free must not come from the range of the connections.
    """
    others = (port for port in secrets.SystemRandom().sample(QUIET_PORTS, 1_000) if port not in _GIVEN)
    for port in (*[wanted] * bool(wanted), *others):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            _GIVEN.add(port)
            return port
    message = "no free port on 127.0.0.1"
    raise PortTaken(message, "127.0.0.1", "close some programs")


def answers(host: str, port: int) -> bool:
    """Whether somebody listens there."""
    try:
        socket.create_connection((host, port), timeout=0.2).close()
    except OSError:
        return False
    return True
