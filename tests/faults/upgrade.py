"""Upgrade under load and back: an older program, this one, the older one again, while devices speak; every reading is judged.

The older program runs out of a worktree of its commit. Between two programs ingest is stopped and the devices go on, as in an
upgrade by hand. Run it alone with ``python -m tests.faults.upgrade --old COMMIT --readings 300000``.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from tests.faults.parts.devices import Fleet, Pace
from tests.faults.parts.house import ROOT, House
from tests.faults.parts.report import Asked, Finding, main
from tests.faults.parts.truth import County
from tests.faults.parts.watch import Watch
from tests.faults.restore import DAY_S, Drill

OLD: Final = "f343cd3"
"""The commit before data folders were marked with their release."""
FULL: Final = 300_000
QUICK: Final = 6_000


@contextmanager
def program(commit: str, folder: Path) -> Iterator[list[str]]:
    """The command of an older ingest, out of a worktree that is removed afterwards."""
    subprocess.run(["git", "worktree", "add", "--detach", "--quiet", str(folder), commit], check=True, cwd=ROOT)
    try:
        words = "import sys; sys.path.insert(0, {!r}); from lanbi.cli import main; sys.exit(main(['ingest', *sys.argv[1:]]))"
        yield ["-c", words.format(str(folder))]
    finally:
        subprocess.run(["git", "worktree", "remove", "--force", str(folder)], check=True, cwd=ROOT)


def campaign(asked: Asked) -> Finding:
    """Both stores."""
    commit = asked.more.old
    known = subprocess.run(["git", "cat-file", "-e", f"{commit}^{{commit}}"], check=False, capture_output=True, cwd=ROOT).returncode == 0
    if not known:
        return {"sound": True, "figures": [], "skipped": f"commit {commit} is not in this clone"}
    readings = QUICK if asked.quick else asked.more.readings
    stores = ("embedded",) if asked.quick else ("influx", "embedded")
    found = {store: upgraded(asked.folder / store, asked.seed, store, readings, commit) for store in stores}
    return {"sound": all(one["sound"] for one in found.values()), "figures": [one.pop("figure") for one in found.values()], **found}


def upgraded(folder: Path, seed: int, store: str, readings: int, commit: str) -> Finding:
    """A third of the readings by each program."""
    devices = 100 if readings > 100_000 else 30
    county = County(seed, devices, int(time.time()) // DAY_S * DAY_S - 200 * DAY_S)
    folder.mkdir(parents=True)
    stood: list[float] = []
    with program(commit, folder / "old") as older, House(folder / "house", county.registry(), store=store, ingest_command=older) as house:
        log = folder / "devices.log"
        fleet, watch = Fleet(county, house.broker_port, log, readings // devices + 2_000, Pace(min(5_000.0, readings / 20))), Watch(house)
        one = Drill(house, county, fleet, log, folder / "unused")
        newer, before = [sys.executable, "-m", "lanbi", "ingest", "--config", str(house.config)], list(house.ingest.command)
        with closing(fleet), closing(watch):
            watch.start()
            fleet.start()
            one.fill(readings // 3)
            fleet.speak(readings)
            for command in (newer, before):
                begun = time.monotonic()
                house.ingest.stop()
                if command is newer:
                    house.lanbi("upgrade", "--dry-run")
                    house.lanbi("upgrade")
                house.ingest.command = command
                house.ingest.start()
                stood.append(round(time.monotonic() - begun, 1))
                target = house.law()["received"] + readings // 4
                while not fleet.done and house.law()["received"] < target:
                    time.sleep(0.2)
            one.fill(readings)
            one.quiet()
        verdict = one.verdict(house.law())
    figure = (
        f"{store}: {verdict.readings:,} readings, {commit} → now → {commit} under load, stood still {stood[0]} s and {stood[1]} s, lost {verdict.counts.get('lost', 0)}, "
        f"all faults {sum(verdict.counts.values())}, digest {'equal to the truth' if verdict.digest == verdict.digest_expected else 'DIFFERENT'}, {len(watch.breaches)} breaches in {len(watch.looks)} looks"
    )
    return {"sound": verdict.sound and not watch.breaches, "figure": figure, "stood_still_s": stood, "faults": verdict.counts, "totals": verdict.totals}


if __name__ == "__main__":
    sys.exit(main("upgrade", __doc__ or "", campaign, [("--old", str, OLD, "commit of the older program"), ("--readings", int, FULL, "readings in all")]))
