"""Writes what campaigns measured into ``docs/faults.md``: ``python -m scripts.faults REPORT.jsonl``.

REPORT.jsonl is what ``make faults FAULTS="--json REPORT.jsonl"`` left. Of each campaign the newest full run is kept in
``docs/faults.jsonl``, sound or not; the table is made from that file alone.
"""

import json
import sys
from pathlib import Path
from typing import Any

from scripts import sizing

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "faults.md"
KEPT = ROOT / "docs" / "faults.jsonl"
BEGIN, END = "<!-- figures: python -m scripts.faults -->\n", "<!-- end of figures -->"
NEEDED = ("campaign", "seed", "took_s", "machine", "sound", "figures")

Report = dict[str, Any]


def read(path: Path) -> list[Report]:
    """Reports of a file that tell their figures; others have a page of their own."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    return [{name: row[name] for name in NEEDED} for row in rows if set(NEEDED) <= row.keys() and not row.get("quick")]


def newest(*lists: list[Report]) -> list[Report]:
    """The last report of each campaign, by name."""
    found = {row["campaign"]: row for rows in lists for row in rows}
    return [found[name] for name in sorted(found)]


def table(rows: list[Report]) -> str:
    """The table of the page."""
    lines = ["| campaign | seed | took | verdict | what was measured |", "|---|---|---|---|---|"]
    for row in rows:
        verdict = "sound" if row["sound"] else "**not sound**"
        lines.append(f"| `{row['campaign']}` | {row['seed']} | {row['took_s'] / 60:.0f} min, {row['machine']} | {verdict} | {'; '.join(row['figures'])} |")
    return "\n".join(lines) + "\n"


def written(page: str, rows: list[Report]) -> str:
    """The page with the table between its marks."""
    head, _, rest = page.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}{table(rows)}{END}{tail}"


def main(paths: list[str]) -> int:
    """Take reports in and refresh the page."""
    rows = newest(read(KEPT) if KEPT.exists() else [], *(read(Path(path)) for path in paths))
    KEPT.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), rows), encoding="utf-8")
    sizing.main()  # what follows from these figures
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
