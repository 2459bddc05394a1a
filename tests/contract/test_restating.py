"""A killed analytics process, on every store: between a restatement and its figure nothing is said twice and nothing is lost."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from msgspec.structs import replace

from domain import civil
from domain.readings import Entry
from domain.restating import ANNOUNCED, CONFIRMATION
from tests.contract.stores import Adapter
from tests.lanbi.figures_house import HISTORY, NOW, House

ROOT = Path(__file__).resolve().parents[2]
CHILD = """
import os, signal, sys
from pathlib import Path
folder = Path(sys.argv[1])
{code}
from tests.lanbi.figures_house import House
house = House(folder, store)
house.clock.now += 30
restate = store.restate
def restate_and_die(rows):
    restate(rows)
    store.put = store.put_blocks = lambda rows: os.kill(os.getpid(), signal.SIGKILL)
store.restate = restate_and_die
house.follower.start()
"""


def test_killed_between_restatement_and_figure(adapter: Adapter, tmp_path: Path) -> None:
    """A process killed after it restated and before it wrote leaves the old figure; the next one writes it, restated and announced once."""
    adapter.prepare(tmp_path)
    house = House(tmp_path, adapter.open(tmp_path))
    house.bring(HISTORY)
    house.follower.start()
    house.store.enter([Entry(CONFIRMATION, "person/1", NOW * 10**9, "Li", {"month": "2025-01", "action": "confirm", "document": "d"})])
    late = next(row for row in HISTORY if row.source == "s1" and row.time == civil.parse_time("2025-01-02T10:00:00+08:00"))
    house.bring([replace(late, values={**late.values, "pm25": 1_500.0})])
    day = civil.period_stamp(civil.parse_date("2025-01-02"))
    before = house.store.latest("pm25", "s1", "day", "HJ633-2012", day)
    house.close()

    child = subprocess.run([sys.executable, "-c", CHILD.format(code=adapter.code), str(tmp_path)], cwd=ROOT, check=False, timeout=120)

    assert -signal.SIGKILL == child.returncode
    house = House(tmp_path, adapter.open(tmp_path))
    said = house.store.restatements(0, 2**33, 10_000)
    assert before == house.store.latest("pm25", "s1", "day", "HJ633-2012", day)
    assert {NOW + 30} == {row.made for row in said}
    house.clock.now += 90
    house.follower.start()
    after = house.store.latest("pm25", "s1", "day", "HJ633-2012", day)
    again = house.store.restatements(0, 2**33, 10_000)
    told = [event for event in house.store.event_rows(0, 2**33, 100) if event.kind == ANNOUNCED]
    house.close()
    mine = [row for row in again if row.scope == "s1"]

    assert before is not None
    assert after is not None
    assert (before.value, after.value) == next((row.old, row.new) for row in mine if row.figure == "pm25" and row.period == "day")
    assert sorted(mine) == sorted(row for row in said if row.scope == "s1"), "said once, in the same words at the same instant"
    assert len(again) == len({row[:6] for row in again}), "one restatement a figure"
    assert [("s1", NOW + 30), ("c", NOW + 90)] == sorted(((event.source, event.time) for event in told), reverse=True)
