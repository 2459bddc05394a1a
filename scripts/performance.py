"""Writes what the benches printed into ``docs/performance.md`` and the README: ``python -m scripts.performance RESULTS.jsonl [short]``.

``make bench`` does it after a full run. Of each bench the newest run is kept in ``docs/performance.jsonl``, with machine, date and
load; page and README are made from that file alone. The page names every case in which a peer is faster.
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
from scripts import sizing

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "performance.md"
KEPT = ROOT / "docs" / "performance.jsonl"
READMES = (ROOT / "README.md", ROOT / "README.zh.md")
BEGIN, END = "<!-- performance: python -m scripts.performance -->\n", "<!-- end of performance -->"
HEADLINES = (
    ("ingest", "CPU of the service"),
    ("ingest", "receiver"),
    ("ingest", "all into the database"),
    ("analytics", "running 24 h mean, "),
    ("analytics", "hourly AQI, from the cube (peer: 3000"),
    ("analytics", "hours to days to year figures, ours"),
)
"""What the READMEs show: bench, and how its cases begin."""
HEAD = """# Performance

Written by `python -m scripts.performance` from what `make bench` measured, never by hand. Both sides run in the same process run, in turn, on the
same inputs, and their results are compared for equality before anything is timed; medians; seconds of the processor, except for cases with two
threads and where the unit says otherwise. "From the cube" begins with integers in lanbi's layout, as the service holds them; "from foreign floats"
brings somebody else's numbers into it first.
"""

Line = dict[str, Any]
Run = dict[str, Any]
"""A run of one bench: ``bench``, ``where`` (date, machine, load), ``short``, ``lines``."""


def machine() -> str:
    """What the figures were measured on."""
    model = next((row.partition(":")[2].strip() for row in _cpu() if row.startswith("model name")), platform.machine())
    return f"{os.cpu_count()} cores, {model}, {platform.system()}, Python {platform.python_version()}"


def _cpu() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def cells(line: Line) -> str:
    """A case as a row of a table."""
    peer = "" if line["peer"] is None else f"{line['peer']:.3g}"
    ratio = "" if line["ratio"] is None else f"{line['ratio']:.2f}"
    named = f"{line['peer_name']} {line['peer_version']}".strip()
    return f"| {line['case']} | {line['ours']:.3g} | {peer} | {line['unit']} | {named} | {ratio} | {line['threads']} |"


def table(lines: list[Line]) -> str:
    """Cases below their head."""
    return "\n".join(["| case | lanbi | peer | unit | peer is | times better | threads |", "|---|---|---|---|---|---|---|", *map(cells, lines)])


def slower(lines: list[Line]) -> list[str]:
    """Cases in which a library or tool of others is better than lanbi."""
    lost = [line for line in lines if line["peer_version"] and line["ratio"] is not None and line["ratio"] < 1]
    return [f"* {line['case']}: {line['peer_name']} {line['peer_version']} is {1 / line['ratio']:.1f} times as good" for line in lost]


def runs_of(lines: list[Line], where: str, *, short: bool) -> list[Run]:
    """Runs of benches, out of their lines."""
    return [{"bench": name, "where": where, "short": short, "lines": list(some)} for name, some in groupby(lines, key=lambda line: line["bench"])]


def newest(*lists: list[Run]) -> list[Run]:
    """The last run of each bench, by name."""
    found = {run["bench"]: run for runs in lists for run in runs}
    return [found[name] for name in sorted(found)]


def _told(run: Run) -> str:
    return f"{'Short form (`BENCH=--quick`), fewer rounds and smaller counties.' if run['short'] else 'Full form.'} {run['where']}."


def page(runs: list[Run]) -> str:
    """The whole page."""
    lost = [row for run in runs for row in slower(run["lines"])]
    parts = [HEAD.rstrip("\n"), "## Where others are better\n\n" + ("\n".join(lost) or "Nowhere in these runs.")]
    parts += [f"## {run['bench']}\n\n{_told(run)}\n\n{table(run['lines'])}" for run in runs]
    return "\n\n".join(parts) + "\n"


def headlines(runs: list[Run]) -> str:
    """What a README shows: chosen cases against peers, when and where, and what is not in lanbi's favour."""
    parts = []
    for run in runs:
        wanted = tuple(begin for bench, begin in HEADLINES if bench == run["bench"])
        lines = [line for line in run["lines"] if wanted and line["peer_version"] and line["case"].startswith(wanted)]
        if lines:
            lost = slower(run["lines"])
            worse = "Where a peer is better:\n\n" + "\n".join(lost) if lost else "No peer is better in a case of this bench."
            parts.append(f"`bench/{run['bench']}.py`: {_told(run)}\n\n{table(lines)}\n\n{worse}\n")
    return "\n".join(parts)


def placed(text: str, told: str) -> str:
    """A README with the headlines between its marks."""
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}{told}{END}{tail}"


def read(path: Path) -> list[Any]:
    """Rows of a file of JSON lines; none if there is no file."""
    return [json.loads(row) for row in path.read_text(encoding="utf-8").splitlines() if row.strip()] if path.exists() else []


def main(path: str, *, short: bool) -> int:
    """Read what was measured, keep it, and write page and READMEs."""
    where = f"{civil.date_of(civil.day_of(SystemClock().now_ns() // 10**9))}, {machine()}; load of the machine {os.getloadavg()[2]:.1f}"
    runs = newest(read(KEPT), runs_of(read(Path(path)), where, short=short))
    KEPT.write_text("".join(json.dumps(run, ensure_ascii=False) + "\n" for run in runs), encoding="utf-8")
    PAGE.write_text(page(runs), encoding="utf-8")
    for readme in READMES:
        readme.write_text(placed(readme.read_text(encoding="utf-8"), headlines(runs)), encoding="utf-8")
    sizing.main()  # what follows from these figures
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], short="short" in sys.argv[2:]))
