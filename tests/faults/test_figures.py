"""The figures of the campaigns' page come from the kept reports and from nowhere else."""

from __future__ import annotations

import json
from pathlib import Path

from scripts import faults


def report(seed: int, **more: object) -> dict[str, object]:
    """A report as a campaign leaves it."""
    return {"campaign": "kills", "seed": seed, "took_s": 120.0, "machine": "2 cores", "sound": True, "figures": ["one", "two"], "quick": False, **more}


def test_page_shows_what_is_kept() -> None:
    """The table of docs/faults.md is the one that the kept reports give; otherwise run python -m scripts.faults."""
    page = faults.PAGE.read_text(encoding="utf-8")

    assert faults.written(page, faults.read(faults.KEPT)) == page


def test_newest_full_run_counts(tmp_path: Path) -> None:
    """Of several runs the last full one is shown, also if it was not sound; short ones never are."""
    path = tmp_path / "report.jsonl"
    rows = [report(1), report(2, sound=False), report(3, quick=True)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = faults.newest(faults.read(path))

    assert [2] == [row["seed"] for row in found]
    assert "| `kills` | 2 | 2 min, 2 cores | **not sound** | one; two |" in faults.table(found)


def test_every_campaign_is_on_the_page() -> None:
    """What `make faults` runs is told on the page: what happens and what must hold."""
    here = Path(__file__).parent
    campaigns = {path.stem for path in here.glob("*.py") if not path.name.startswith("test_")}
    page = faults.PAGE.read_text(encoding="utf-8")

    assert campaigns
    assert set() == {name for name in campaigns if f"| `{name}` |" not in page}
