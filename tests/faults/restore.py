"""Restore drill: the store is wiped, a backup is given back, the journal is replayed, and the store is what it was, bit by bit.

The backup is taken while devices go on speaking, as at night; what came after it is only in the journal. Between backup and wipe
readings are corrected that the backup holds in their old form.
Run it alone with ``python -m tests.faults.restore --readings 1000000``.
"""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from domain.civil import iso
from lanbi.state import StateView
from lanbi.waiting import oldest_ns
from tests.faults.parts.backup import InfluxBackup, copy_sqlite
from tests.faults.parts.devices import Fleet, Ids, Pace
from tests.faults.parts.house import House, until
from tests.faults.parts.judge import FromEmbedded, FromInflux, Verdict, judge, refusals
from tests.faults.parts.report import Asked, Finding, main
from tests.faults.parts.truth import County
from tests.faults.parts.watch import Watch

DAY_S: Final = 86_400
FULL: Final = 10_000_000
QUICK: Final = 12_000
SHARE: Final = 0.7
"""Of the readings, before the backup."""
BESIDE: Final = 0.15
"""Of the readings, while it is taken; the rest comes behind it, however long it takes, so that the wipe costs something."""
REBUILT: Final = 100_000
"""Up to so many readings the store is also made from the journal alone."""
PENDING: Final = 200_000
"""The fleet waits while so many readings wait: the drill needs a full store, not a backlog."""


@dataclass
class Drill:
    """One drill on one house."""

    house: House
    county: County
    fleet: Fleet
    log: Path
    backup: Path

    def verdict(self, law: dict[str, int]) -> Verdict:
        """Compare the store with what was said."""
        return judge(self.county, Ids.of(self.log), self._reader(), refusals(self.house.data), law)

    def _reader(self) -> Callable[[str, str], Any]:
        if self.house.store == "embedded":
            return FromEmbedded(self.house.data / "store.db")
        return FromInflux(self._url, self.house.secret("influx-write").read_text().strip())

    @property
    def _url(self) -> str:
        return f"http://127.0.0.1:{self.house.influx_port}"

    def fill(self, readings: int) -> None:
        """Let the fleet say so many readings in all, as fast as they are stored."""
        self.fleet.speak(readings)
        while not self.fleet.done:
            (self.fleet.pause if self.house.law()["pending"] > PENDING else self.fleet.resume)()
            time.sleep(0.2)
        self.fleet.resume()

    def quiet(self) -> None:
        """Everything receipted and stored."""
        assert self.fleet.settle(300), "receipts for everything"
        until(lambda: self.house.law()["pending"] == 0, "the backlog is empty", 3_600)

    def take(self) -> int:
        """Take the backup; its size [bytes]."""
        if self.house.store == "embedded":
            return copy_sqlite(self.house.data / "store.db", self.backup)
        return InfluxBackup(self._url, self.house.secret("influx-operator").read_text().strip()).take(self.backup)

    def wipe(self) -> None:
        """The store is gone, files and all."""
        if self.house.store == "embedded":
            self.house.ingest.stop()
            for path in self.house.data.glob("store.db*"):
                path.unlink()
            return
        self.house.influx.kill()
        shutil.rmtree(self.house.folder / "influxd")

    def begin_anew(self) -> None:
        """A fresh store without a backup."""
        if self.house.store == "embedded":
            self.house.ingest.start()
            return
        self.house.influx.start()
        self.house.init_store()

    def give(self) -> None:
        """A fresh store gets the backup."""
        if self.house.store == "embedded":
            shutil.copy(self.backup, self.house.data / "store.db")
            self.house.ingest.start()
            return
        self.house.influx.start()
        InfluxBackup(self._url, self.house.secret("influx-operator").read_text().strip()).give(self.backup)


def campaign(asked: Asked) -> Finding:
    """Both stores; the server's with the readings asked for, the embedded one always small, as it is meant to be."""
    readings = QUICK if asked.quick else asked.more.readings
    influx = drill(asked.folder / "influx", asked.seed, "influx", readings)
    embedded = drill(asked.folder / "embedded", asked.seed, "embedded", min(readings, 100_000) if not asked.quick else QUICK // 2)
    figures = [_figures("InfluxDB", influx), _figures("embedded", embedded)]
    return {"sound": influx["sound"] and embedded["sound"], "figures": figures, "influx": influx, "embedded": embedded}


def _figures(name: str, found: Finding) -> str:
    took, lost = found["took"], sum(found["lost_by_the_wipe"].values())
    alone = f", from the journal alone {took['rebuild_s']} s" if found["rebuilt_from_the_journal_alone"] else ""
    equals = "equal" if found["digest"] == found["digest_before"] else "DIFFERENT"
    return (
        f"{name}: {found['readings']:,} readings, backup {found['backup_mb']} MB in {took['backup_s']} s, restored in {took['restore_s']} s, "
        f"{lost:,} missing then, replayed in {took['replay_s']} s{alone}, digest {equals}"
    )


def drill(folder: Path, seed: int, store: str, readings: int) -> Finding:
    """Fill, back up while devices speak, go on, wipe, restore, judge what is lost, replay, judge."""
    devices = 100 if readings > 100_000 else 30
    county = County(seed, devices, int(time.time()) // DAY_S * DAY_S - 200 * DAY_S)
    took: dict[str, float] = {}
    with House(folder / "house", county.registry(), store=store) as house:
        log = folder / "devices.log"
        fleet, watch = Fleet(county, house.broker_port, log, readings // devices + 2_000, Pace(min(20_000.0, readings / 5))), Watch(house)
        one = Drill(house, county, fleet, log, folder / "backup")
        with closing(fleet), closing(watch):
            watch.start()
            since, size = _backed_up(one, readings, took)
            before = one.verdict(watch.look().law)
            one.wipe()
            timed(took, "restore_s", one.give)
            restored = one.verdict(house.law())
            timed(took, "replay_s", lambda: _replay(house, since))
            after = one.verdict(watch.look().law)
            rebuilt = _rebuilt(one, took) if readings <= REBUILT else after
    return {
        "sound": before.sound and equal(before, after) and equal(before, rebuilt) and bool(restored.counts) and not watch.breaches,
        "readings": after.readings,
        "rows": after.rows,
        "backup_mb": round(size / 1e6, 1),
        "took": took,
        "lost_by_the_wipe": restored.counts,
        "faults_after_replay": after.counts,
        "rebuilt_from_the_journal_alone": readings <= REBUILT and equal(before, rebuilt),
        "names": after.names,
        "digest": after.digest,
        "digest_before": before.digest,
        "totals": after.totals,
        "watch": watch.words(),
        "replayed_since": iso(since),
    }


def _backed_up(one: Drill, readings: int, took: dict[str, float]) -> tuple[int, int]:
    """Fill the store, back it up while devices speak, fill the rest; from when on the journal must be replayed, and the backup's size."""
    one.fleet.start()
    timed(took, "fill_s", lambda: one.fill(int(readings * SHARE)))
    until(lambda: one.house.law()["pending"] < readings * SHARE / 4, "most of it is stored", 3_600)
    one.fleet.speak(int(readings * (SHARE + BESIDE)))
    since = oldest(one.house)
    size = timed(took, "backup_s", one.take)
    timed(took, "fill_more_s", lambda: one.fill(readings))
    one.quiet()
    return since, size


def equal(before: Verdict, after: Verdict) -> bool:
    """The store after the drill is the store before it, and the account adds up."""
    return before.digest == after.digest and not after.counts and after.balanced


def _rebuilt(one: Drill, took: dict[str, float]) -> Verdict:
    """Wiped once more, and this time there is no backup."""
    one.wipe()
    one.begin_anew()
    timed(took, "rebuild_s", lambda: _replay(one.house, 0))
    return one.verdict(one.house.law())


def oldest(house: House) -> int:
    """Receive time [s] from which a backup begun now may lack readings: of the oldest that still waits, with a margin."""
    view = StateView(house.data)
    waiting = oldest_ns(house.data, view) // 10**9
    view.close()
    return (waiting or int(time.time())) - 10


def _replay(house: House, since: int) -> None:
    house.lanbi("replay", "--since", iso(since))
    until(lambda: house.law()["pending"] == 0, "the replay is done", 3_600)


def timed(took: dict[str, float], name: str, work: Callable[[], Any]) -> Any:
    """Do it, and note how long it took [s]."""
    begun = time.monotonic()
    found = work()
    took[name] = round(time.monotonic() - begun, 1)
    return found


if __name__ == "__main__":
    sys.exit(main("restore", __doc__.splitlines()[0], campaign, (("--readings", int, FULL, "readings in the server's store"),)))
