"""Disaster drill: data folder and store are gone, `lanbi restore` gives a backup back, and the store is what it was, bit by bit.

Two backups: one while devices speak, so that its parts are of different moments, and one at rest, which adds only what is new. From
the first everything up to its moment comes back and nothing is doubled, invented or altered; from the second everything.
Run it alone with ``python -m tests.faults.disaster --readings 1000000``.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.faults.parts.devices import Fleet, Pace
from tests.faults.parts.house import House, until
from tests.faults.parts.judge import Verdict
from tests.faults.parts.report import Asked, Finding, main
from tests.faults.parts.truth import County
from tests.faults.restore import DAY_S, SHARE, Drill, equal, timed

FULL: Final = 1_000_000
QUICK: Final = 6_000
GONE: Final = {"lost", "missing", "unrefused"}
"""All that may be wrong after the first backup: what came behind it went with the machine, refusals too."""


@dataclass
class Disaster:
    """One house, and what its people kept elsewhere: backups, secrets, settings."""

    drill: Drill
    elsewhere: Path

    def backup(self) -> dict[str, float]:
        """`lanbi backup`, as typed."""
        told: dict[str, float] = json.loads(self.drill.house.lanbi("backup", "--to", str(self.elsewhere / "vault"), "--json").stdout)
        return told

    def strike(self) -> None:
        """The machine is gone; secrets were kept elsewhere."""
        house = self.drill.house
        house.ingest.kill()
        house.influx.kill()
        if (house.data / "secrets").exists():
            shutil.copytree(house.data / "secrets", self.elsewhere / "secrets", dirs_exist_ok=True)
        shutil.rmtree(house.data)
        shutil.rmtree(house.folder / "influxd", ignore_errors=True)

    def give(self, name: str) -> Verdict:
        """`lanbi restore` into an empty folder, start, and wait until what waits behind the cursor is forwarded again."""
        house, vault = self.drill.house, str(self.elsewhere / "vault")
        server: list[str] = []
        if house.store == "influx":
            house.influx.start()
            server = ["--store-url", f"http://127.0.0.1:{house.influx_port}", "--operator-token-file", str(self.elsewhere / "secrets" / "influx-operator")]
        house.bare("restore", "--from", vault, "--to", str(house.data), "--name", name, *server)
        for kept in ("lanbi.toml", "county.toml"):
            shutil.copy(house.data / "settings" / kept, house.data / kept)
        if (self.elsewhere / "secrets").exists():
            shutil.copytree(self.elsewhere / "secrets", house.data / "secrets")
        house.ingest.start()
        until(lambda: house.law()["pending"] == 0, "what waited is forwarded", 3_600)
        return self.drill.verdict(house.law())


def campaign(asked: Asked) -> Finding:
    """Both stores."""
    readings = QUICK if asked.quick else asked.more.readings
    found = {
        store: struck(asked.folder / store, asked.seed, store, readings if store == "influx" else min(readings, 100_000)) for store in ("influx", "embedded")
    }
    return {"sound": all(one["sound"] for one in found.values()), "figures": [one.pop("figure") for one in found.values()], **found}


def struck(folder: Path, seed: int, store: str, readings: int) -> Finding:
    """Fill, back up under load, fill, back up at rest; strike and restore from each."""
    devices = 100 if readings > 100_000 else 30
    county = County(seed, devices, int(time.time()) // DAY_S * DAY_S - 200 * DAY_S)
    took: dict[str, float] = {}
    (folder / "elsewhere").mkdir(parents=True)
    with House(folder / "house", county.registry(), store=store) as house:
        log = folder / "devices.log"
        fleet = Fleet(county, house.broker_port, log, readings // devices + 2_000, Pace(min(20_000.0, readings / 5)))
        one = Disaster(Drill(house, county, fleet, log, folder / "unused"), folder / "elsewhere")
        with closing(fleet):
            fleet.start()
            one.drill.fill(int(readings * SHARE))
            fleet.speak(readings)
            loaded = timed(took, "backup_under_load_s", one.backup)
            one.drill.fill(readings)
            one.drill.quiet()
            before = one.drill.verdict(house.law())
            rested = timed(took, "backup_at_rest_s", one.backup)
        one.strike()
        first = timed(took, "restore_first_s", lambda: one.give(str(loaded["name"])))
        one.strike()
        second = timed(took, "restore_s", lambda: one.give(str(rested["name"])))
    wrong = {kind: count for kind, count in first.counts.items() if kind not in GONE}
    kept = set(first.counts) <= GONE and first.balanced and first.readings > 0
    figure = (
        f"{store}: {second.readings:,} readings, backup {rested['size'] / 1e6:.1f} MB in {took['backup_at_rest_s']} s (new to the one before {rested['fresh'] / 1e6:.1f} MB), "
        f"restored and forwarded in {took['restore_s']} s, digest {'equal' if equal(before, second) else 'DIFFERENT'}; "
        f"from the backup under load {sum(first.counts.values()) - sum(wrong.values()):,} readings behind it gone, doubled, invented or altered: {sum(wrong.values())}"
    )
    return {
        "sound": before.sound and equal(before, second) and kept,
        "figure": figure,
        "took": took,
        "first": first.counts,
        "after": second.counts,
        "digest_before": before.digest,
        "digest": second.digest,
        "totals": second.totals,
    }


if __name__ == "__main__":
    sys.exit(main("disaster", __doc__ or "", campaign, [("--readings", int, FULL, "readings in all, on InfluxDB")]))
