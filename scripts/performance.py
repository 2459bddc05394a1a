"""Writes what the benches printed into ``docs/performance.md``: ``python -m scripts.performance RESULTS.jsonl [short]``.

``make bench`` does it after a full run. The page says machine, date and load, and names every case in which a peer is faster.
"""

import json
import os
import platform
import sys
from itertools import groupby
from pathlib import Path
from typing import Any

from domain import civil
from lanbi.clock import SystemClock

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "performance.md"
HEAD = """# Performance

Written by `python -m scripts.performance` from what `make bench` measured, never by hand. Both sides run in the same process, in turn, on the
same inputs, and their results are compared for equality before anything is timed; medians; seconds of the processor, except for cases with two
threads and where the unit says otherwise. "From the cube" begins with integers in lanbi's layout, as the service holds them; "from foreign floats"
brings somebody else's numbers into it first.
"""

Line = dict[str, Any]


def machine() -> str:
    """What the figures were measured on."""
    model = next((row.partition(":")[2].strip() for row in _cpu() if row.startswith("model name")), platform.machine())
    return f"{os.cpu_count()} cores, {model}, {platform.system()}, Python {platform.python_version()}"


def _cpu() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def table(lines: list[Line]) -> str:
    """The cases of one bench."""
    rows = ["| case | lanbi | peer | unit | peer is | times better | threads |", "|---|---|---|---|---|---|---|"]
    for line in lines:
        peer = "" if line["peer"] is None else f"{line['peer']:.3g}"
        ratio = "" if line["ratio"] is None else f"{line['ratio']:.2f}"
        named = f"{line['peer_name']} {line['peer_version']}".strip()
        rows.append(f"| {line['case']} | {line['ours']:.3g} | {peer} | {line['unit']} | {named} | {ratio} | {line['threads']} |")
    return "\n".join(rows)


def slower(lines: list[Line]) -> list[str]:
    """Cases in which a library of others is faster than lanbi."""
    lost = [line for line in lines if line["peer_version"] and line["ratio"] is not None and line["ratio"] < 1]
    return [f"* {line['case']}: {line['peer_name']} {line['peer_version']} is {1 / line['ratio']:.1f} times as fast" for line in lost]


def page(lines: list[Line], where: str, *, short: bool) -> str:
    """The whole page."""
    form = "Short form (`BENCH=--quick`), fewer rounds and smaller counties." if short else "Full form."
    parts = [f"{HEAD}\n{form} {where}.", "## Where others are faster\n\n" + ("\n".join(slower(lines)) or "Nowhere in this run.")]
    parts += [f"## {name}\n\n{table(list(some))}" for name, some in groupby(lines, key=lambda line: line["bench"])]
    return "\n\n".join(parts) + "\n"


def main(path: str, *, short: bool) -> int:
    """Read what was measured and write the page."""
    lines = [json.loads(row) for row in Path(path).read_text(encoding="utf-8").splitlines() if row.strip()]
    where = f"{civil.date_of(civil.day_of(SystemClock().now_ns() // 10**9))}, {machine()}; load of the machine {os.getloadavg()[2]:.1f}"
    PAGE.write_text(page(lines, where, short=short), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], short="short" in sys.argv[2:]))
