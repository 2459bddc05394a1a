"""A program that works on a data folder, prints the number of each piece of work once it is done, and is killed in the middle of the next."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def killed(code: str, folder: Path, stop: int) -> int:
    """Run it until it has printed at least ``stop``, then ``kill -9``; the last number that was read."""
    with subprocess.Popen([sys.executable, "-c", code, str(folder)], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout
        done = next(int(line) for line in child.stdout if int(line) >= stop)
        child.kill()
    return done
