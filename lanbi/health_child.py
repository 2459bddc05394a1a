"""Whoever has a health address, or a door for loggers, starts the small process that serves it, keeps it alive, and lets it go."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from domain.errors import PortTaken
from domain.ports import Clock
from lanbi.processes import address, free_port

PATIENCE_S: Final = 3.0
"""So long a predecessor that was killed may still hold the port."""
AGAIN_S: Final = 5.0
DOOR: Final = "hj212"
"""Name of the process behind the TCP door."""


@dataclass
class HealthChild:
    """The process that serves the health of ``name`` (ingest or analyse).

    Attributes
    ----------
    listen : str
        HOST:PORT.
    config : Path or None
        The settings file; the environment is passed on.
    fault : str
        Why it does not serve; empty while it does. It never makes the process itself unready.
    """

    name: str
    listen: str
    config: Path | None
    clock: Clock
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    fault: str = ""
    module: str = "lanbi.health"
    """What serves: called with ``name``, a door with its address."""
    _process: subprocess.Popen[bytes] | None = None
    _due: float = 0.0

    def start(self) -> None:
        """Start it.

        Raises
        ------
        PortTaken
            Somebody else listens there.
        """
        until = self.clock.monotonic() + PATIENCE_S
        while True:
            try:
                free_port(*address(self.listen))
                break
            except PortTaken as taken:
                if self.clock.monotonic() > until:
                    raise PortTaken(taken.what, f"{self._key} = {self.listen}", f"stop what uses it, or set another {self._key}") from taken
                self.clock.sleep(0.1)
        self._spawn()

    def mind(self) -> str:
        """Start it again if it died; called about once a second. Returns the fault."""
        if self._process is None or self._process.poll() is None:
            return self.fault
        now = self.clock.monotonic()
        if not self.fault:
            self.fault = f"{self._key}: 端口进程已退出 the process behind {self.listen} ended ({self._process.returncode})"
            self._due = now + AGAIN_S
        elif now >= self._due:
            self._spawn()
        return self.fault

    def stop(self) -> None:
        """Let it go."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._close()
            self._process = None

    def _spawn(self) -> None:
        # A pipe and no death signal: threads run here by now, and nothing may happen between fork and exec but exec.
        command = [sys.executable, "-m", self.module, self.listen if self.name == DOOR else self.name, *(("--config", str(self.config)) if self.config else ())]
        self._close()
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env=dict(self.environment))
        self.fault = ""

    @property
    def _key(self) -> str:
        return "ingest.hj212" if self.name == DOOR else f"{self.name}.health"

    def _close(self) -> None:
        if self._process and self._process.stdin:
            self._process.stdin.close()


@contextmanager
def kept(child: HealthChild, *, wanted: bool) -> Iterator[HealthChild]:
    """The child while a process works, if it is wanted.

    Raises
    ------
    PortTaken
        Somebody else listens there.
    """
    if wanted:
        child.start()
    try:
        yield child
    finally:
        child.stop()
