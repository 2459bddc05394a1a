"""The process behind the TCP door for HJ 212 loggers: ``python -m lanbi.hj212_door HOST:PORT``.

A process of its own, because a thousand connections would take the descriptors and the interpreter of the MQTT listener. It ends
with whoever started it, follows the registry that is put in force, and says once a second how it is.
"""

from __future__ import annotations

import argparse
import os
import resource
import socket
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from domain.errors import DataFolderBusy, LanbiError, PortTaken
from domain.places import Registry
from domain.ports import Clock
from domain.sayings import both
from ingest.door import MOST, Door
from lanbi import logs, wiring
from lanbi.health_child import DOOR
from lanbi.journal import JournalWriter
from lanbi.metrics import write_status
from lanbi.processes import address, say
from lanbi.registry_change import in_force
from lanbi.settings import Settings

LOOK_S: Final = 2.0
STATUS_S: Final = 1.0
PATIENCE_S: Final = 5.0
"""So long a predecessor that was killed may still hold the journal."""
BACKLOG: Final = 256
SPARE: Final = 64
"""Descriptors that are no connections: the journal and its next day, registry, keys, status."""


@dataclass
class Following:
    """The registry in force; a file that was changed is read again, and one that cannot be read changes nothing."""

    settings: Settings
    clock: Clock
    fault: str = ""
    _stamp: tuple[int, int] = (0, 0)
    _due: float = 0.0
    _registry: Registry | None = field(default=None, repr=False)

    def __call__(self) -> Registry:
        """The registry of now."""
        now = self.clock.monotonic()
        if self._registry is None or now >= self._due:
            self._due = now + LOOK_S
            stamp = self._seen()
            if self._registry is None or stamp != self._stamp:
                self._load(stamp)
        assert self._registry is not None  # noqa: S101  the first load raises or succeeds
        return self._registry

    def _seen(self) -> tuple[int, int]:
        try:
            status = in_force(self.settings).stat()
        except OSError:
            return self._stamp
        return status.st_mtime_ns, status.st_size

    def _load(self, stamp: tuple[int, int]) -> None:
        try:
            self._registry, self._stamp, self.fault = wiring.registry(self.settings), stamp, ""
        except LanbiError as error:
            if self._registry is None:
                raise
            self.fault = str(error)


def bound(listen: str) -> socket.socket:
    """A socket that listens.

    Raises
    ------
    PortTaken
        Somebody else listens there.
    """
    host, port = address(listen, "ingest.hj212")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    one = socket.socket(family, socket.SOCK_STREAM)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        one.bind((host, port))
    except OSError as error:
        one.close()
        raise PortTaken(f"cannot listen here: {error.strerror}", f"ingest.hj212 = {listen}", "stop what uses it, or set another address") from error
    one.listen(BACKLOG)
    return one


def room() -> int:
    """How many connections the system allows at once; where it may be asked for more descriptors, it is.

    Without one to spare a connection could neither be taken nor refused, and the journal could not begin a new day.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST + SPARE
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return MOST if soft == resource.RLIM_INFINITY else max(1, min(MOST, soft - SPARE))


def writer_of(settings: Settings, clock: Clock) -> JournalWriter:
    """The journal of this door, once a predecessor has let it go."""
    until = clock.monotonic() + PATIENCE_S
    while True:
        try:
            return JournalWriter(settings.data / "journal", DOOR, settings.journal.quota)
        except DataFolderBusy:
            if clock.monotonic() > until:
                raise
            clock.sleep(0.1)


def serve(settings: Settings, listen: str, stop: Callable[[], bool]) -> None:
    """Serve until told to stop."""
    clock = wiring.clock(settings)
    registry = Following(settings, clock)
    registry()
    writer = writer_of(settings, clock)
    door, path, due = Door(bound(listen), writer, clock, registry, room()), settings.data / "run" / f"{DOOR}.json", 0.0

    def told() -> bool:
        nonlocal due
        now = clock.monotonic()
        if now >= due:
            due = now + STATUS_S
            _say(path, door, registry.fault)
        return stop()

    door.run(told)
    writer.close()


def _say(path: Path, door: Door, fault: str) -> None:
    """How the door is; each connection is counted, none is named."""
    write_status(path, {"pid": os.getpid(), "connections": len(door.links), "fault": door.fault or fault, **door.counts})


def main() -> int:
    """Serve until standard input ends, or a signal comes."""
    from lanbi.processes import until_told  # noqa: PLC0415  signals only where a process of its own is

    parser = argparse.ArgumentParser(prog="python -m lanbi.hj212_door", description="HJ 212 over TCP")
    parser.add_argument("listen", metavar="HOST:PORT")
    parser.add_argument("--config", metavar="FILE")
    args = parser.parse_args()
    ended = threading.Event()
    threading.Thread(target=_watch, args=(ended,), daemon=True).start()
    try:
        settings = wiring.settings(args.config)
        with logs.speaking(settings.log, DOOR), until_told() as told:
            serve(settings, args.listen, lambda: told() or ended.is_set())
    except LanbiError as error:
        if not error.told:
            say(f"hj212: {both(str(error))}")
        return error.exit_code
    return 0


def _watch(ended: threading.Event) -> None:
    """Our parent holds the other end of standard input, and lets go of it when it ends, however it ends."""
    while os.read(0, 4096):
        pass
    ended.set()


if __name__ == "__main__":
    sys.exit(main())
