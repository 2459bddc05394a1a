"""What all benches share: the two arguments, fair timing, a table and one JSON line a case.

Both sides run in the same process run, alternating, on the same inputs; medians of at least five rounds; results are compared
for equality before anything is timed. A bench fixes the number of threads before it imports what it measures.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

ROUNDS: Final = 7
ROUNDS_QUICK: Final = 5
THREAD_VARIABLES: Final = ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS")


def fix_threads(number: int) -> None:
    """Bind every library to a number of threads; only before they are imported."""
    for name in THREAD_VARIABLES:
        os.environ[name] = str(number)


def version_of(distribution: str) -> str:
    """Installed version, or an empty text."""
    if not distribution:
        return ""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return ""


@contextmanager
def on_disk() -> Iterator[Path]:
    """A folder on a disk, not in memory: a journal is fsynced before each PUBACK, and that shall cost what it costs. ``TMPDIR`` has the last word."""
    place = Path(os.environ.get("TMPDIR") or Path(__file__).resolve().parent.parent / ".services")
    place.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=place) as folder:
        yield Path(folder)


@dataclass
class Line:
    """One case: our figure beside a peer's in the same unit; ``ratio`` says how many times better ours is."""

    bench: str
    case: str
    ours: float
    peer: float | None
    peer_name: str
    peer_version: str
    unit: str
    ratio: float | None
    threads: int


@dataclass
class Bench:
    """A bench under way."""

    name: str
    quick: bool
    json: Path | None
    lines: list[Line] = field(default_factory=list)

    @classmethod
    def start(cls, name: str, arguments: list[str] | None = None) -> Bench:
        """Read ``--quick`` and ``--json FILE``."""
        parser = argparse.ArgumentParser(description=f"bench {name}")
        parser.add_argument("--quick", action="store_true", help="at most 50 s")
        parser.add_argument("--json", type=Path, metavar="FILE", help="append one JSON line a case")
        args = parser.parse_args(arguments)
        return cls(name, args.quick, args.json)

    @property
    def rounds(self) -> int:
        """Rounds of each side."""
        return ROUNDS_QUICK if self.quick else ROUNDS

    def race(self, *sides: Callable[[], Any], clock: Callable[[], float] = time.process_time) -> list[float]:
        """Median seconds of each side, in turn, after one warm-up each.

        Processor time by default, so that what else runs on the machine falls on no side; give ``time.perf_counter`` where
        several threads are to gain time.
        """
        for side in sides:
            side()
        gc.collect()
        times: list[list[float]] = [[] for _ in sides]
        for _ in range(self.rounds):
            for side, own in zip(sides, times, strict=True):
                own.append(_once(side, clock))
        return [statistics.median(own) for own in times]

    def add(
        self,
        case: str,
        ours: float,
        unit: str,
        *,
        peer: float | None = None,
        peer_name: str = "",
        peer_version: str = "",
        threads: int = 1,
        higher_is_better: bool = False,
    ) -> None:
        """Note a case; the peer's version need be told only where it is no distribution of that name."""
        above, below = (ours, peer) if higher_is_better else (peer, ours)
        ratio = above / below if above is not None and below else None
        self.lines.append(Line(self.name, case, ours, peer, peer_name, peer_version or version_of(peer_name), unit, ratio, threads))

    def finish(self) -> None:
        """Print the table and append the JSON lines."""
        rows = [_cells(line) for line in self.lines]
        head = ("case", "ours", "peer", "unit", "peer is", "ratio", "threads")
        widths = [max(len(row[place]) for row in [head, *rows]) for place in range(len(head))]
        for row in [head, *rows]:
            print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
        if self.json is not None:
            with self.json.open("a", encoding="utf-8") as file:
                file.writelines(json.dumps(asdict(line)) + "\n" for line in self.lines)


def _once(side: Callable[[], Any], clock: Callable[[], float] = time.perf_counter) -> float:
    # Collected before the race, not before each run: walking through what the peers imported empties the caches.
    gc.disable()
    begun = clock()
    side()
    taken = clock() - begun
    gc.enable()
    return taken


def _cells(line: Line) -> tuple[str, ...]:
    peer = "" if line.peer is None else f"{line.peer:.3g}"
    ratio = "" if line.ratio is None else f"{line.ratio:.2f}"
    return line.case, f"{line.ours:.3g}", peer, line.unit, f"{line.peer_name} {line.peer_version}".strip(), ratio, str(line.threads)
