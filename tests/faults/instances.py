"""Three ingests share the devices: one of them is killed at random, their number changes, a standby takes over, and nothing is lost.

One fleet, one Mosquitto, one influxd, an ingest a third of the devices, each with its own journal and client id. While the fleet
speaks, one of the three is killed with -9 again and again. Then all stop in the middle of the stream, ``lanbi instances change``
hands the devices over to two, and the fleet goes on: late and corrected readings of before the change come behind it. In the end a
standby that waits on a folder takes over from its killed owner.

The store must be what the fleet's log says, and what one ingest alone makes of the same log in buckets of its own.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np

from lanbi.state import StateView
from tests.faults.parts.devices import Fleet, Ids, Pace
from tests.faults.parts.house import House, until
from tests.faults.parts.judge import FromInflux, Refused, Verdict, balanced, judge, refusals
from tests.faults.parts.report import Asked, Finding, main
from tests.faults.parts.several import Several
from tests.faults.parts.truth import County

T = TypeVar("T")
DAY_S: Final = 86_400
QUEUED_S: Final = 2.0
FIRST, SECOND = 3, 2
"""Ingests before and after the change of their number."""


@dataclass(frozen=True)
class Size:
    """How much of it: kills, readings in all (half of them before the change), readings a second, devices."""

    kills: int
    readings: int
    rate: float
    devices: int = 100


FULL: Final = Size(kills=20, readings=1_000_000, rate=4_000.0)
QUICK: Final = Size(kills=3, readings=12_000, rate=800.0, devices=30)


@dataclass
class Kills:
    """Kills one ingest of several at random; the killed one is started again at once."""

    several: Several
    most: int
    chance: np.random.Generator
    done: Counter[str] = field(default_factory=Counter)
    pace_s: float = 3.0

    def __post_init__(self) -> None:
        self._next = time.monotonic() + 1.0

    @property
    def over(self) -> bool:
        """Whether all kills are done."""
        return self.done.total() >= self.most

    def turn(self) -> None:
        """Kill if it is time; only who listens, so that each kill hits one at work."""
        ready = [part for part in self.several.parts if part.ready()]
        if self.over or time.monotonic() < self._next or not ready:
            return
        self._next = time.monotonic() + float(self.chance.uniform(0.3, 2 * self.pace_s))
        part = ready[int(self.chance.integers(len(ready)))]
        part.kill()
        self.done[part.name] += 1
        part.start(wait=False)


def campaign(asked: Asked) -> Finding:
    """The campaign that the command line asks for."""
    size = QUICK if asked.quick else Size(asked.more.kills, asked.more.readings, asked.more.rate)
    county = County(asked.seed, size.devices, int(time.time()) // DAY_S * DAY_S - 120 * DAY_S)
    log = asked.folder / "devices.log"
    with House(asked.folder / "house", county.registry(), listens=False) as house:
        told = _shared(house, county, log, asked.seed, size)
        alone = _alone(house, county, Ids.of(log))
    shared = told.pop("verdict")
    same = shared.digest == alone.digest
    kills = told["kills"]
    sound = shared.sound and alone.sound and same and sum(kills.values()) == size.kills and not told["breaches"] and told["all_receipted"]
    return {
        "sound": sound,
        "figures": [
            f"{shared.readings:,} readings by {FIRST} ingests, then {SECOND}; {sum(kills.values())} kills of one of them, {told['devices_moved']} of {size.devices} devices changed theirs, a standby took over after {told['standby_s']:.1f} s",
            f"faults {sum(shared.counts.values())}, digest {'equal' if shared.digest == shared.digest_expected else 'DIFFERENT'} to what was said, {'equal' if same else 'DIFFERENT'} to one ingest's",
            f"stored {shared.totals['stored']:,} of {shared.stored_expected:,} usable, {len(told['breaches'])} breaches in {told['looks']:,} looks",
        ],
        **told,
        "shared": shared.words(),
        "alone": alone.words(),
    }


def _shared(house: House, county: County, log: Path, seed: int, size: Size) -> dict[str, Any]:
    """The fleet and several ingests; what came of it."""
    fleet = Fleet(county, house.broker_port, log, 60_000, Pace(size.rate, again_s=20.0))
    looks = Looks()
    with ExitStack() as ends:
        ends.enter_context(closing(fleet))
        three = ends.enter_context(Several(house, "shared", FIRST))
        kills = Kills(three, size.kills, np.random.default_rng(seed))
        fleet.start()
        _until_said(fleet, size.readings // 2, three, looks, kills)
        three.stop()
        time.sleep(QUEUED_S)  # what is said now waits at the broker, in the sessions of three
        fleet.pause()
        two = ends.enter_context(Several(house, "shared", SECOND, change=three))
        fleet.resume()
        _until_said(fleet, size.readings, two, looks)
        standby_s = two.take_over()
        settled = fleet.settle(300)
        everyone = [*two.datas, *three.datas[SECOND:]]
        until(lambda: not any(_law(data)["pending"] for data in everyone), "the backlogs are empty", 600)
        until(lambda: not any(map(_open_jobs, two.datas)), "second looks are done", 600)
        looks.look(everyone)
        verdict = judge(county, Ids.of(log), _read(house, "shared"), _refused(everyone), _sum(everyone))
        two.stop()
    return {
        "verdict": verdict, "kills": dict(kills.done), "all_receipted": settled, "devices_moved": two.moved, "standby_s": standby_s,
        "breaches": looks.breaches, "looks": looks.count, "resent_messages": fleet.repeated,
    }  # fmt: skip


def _until_said(fleet: Fleet, readings: int, several: Several, looks: Looks, kills: Kills | None = None) -> None:
    while fleet.said < readings or (kills and not kills.over):
        if kills:
            kills.turn()
        looks.look(several.datas)
        for part in several.parts:
            assert part.alive, f"{part.name} ended by itself: {part.log.read_text(encoding='utf-8')[-2000:]}"
        time.sleep(0.05)


def _alone(house: House, county: County, ids: Ids) -> Verdict:
    """One ingest, a store of its own, and the same numbers of the same devices."""
    log = house.folder / "again.log"
    fleet = Fleet(county, house.broker_port, log, 60_000, Pace(20_000.0, again_s=20.0))
    fleet.speak(sum(ids.said.values()))
    with closing(fleet), Several(house, "alone", 1) as one:
        fleet.start()
        until(lambda: fleet.done, "everything is said again", 1_800)
        fleet.settle(120)
        until(lambda: _law(one.datas[0])["pending"] == 0, "the backlog is empty", 1_800)
        verdict = judge(county, Ids.of(log), _read(house, "alone"), _refused(one.datas), _sum(one.datas))
        one.stop()
    assert ids.said == Ids.of(log).said, "the second fleet said something else: nothing can be compared"
    return verdict


@dataclass
class Looks:
    """The conservation law of every ingest at every look."""

    count: int = 0
    breaches: list[str] = field(default_factory=list)

    def look(self, datas: Sequence[Path]) -> None:
        """Look once."""
        for data in datas:
            law = _law(data)
            self.count += 1
            if not balanced(law):
                self.breaches.append(f"{data.name}: {law}")


def _law(data: Path) -> dict[str, int]:
    return _asked(data, StateView.conservation)


def _open_jobs(data: Path) -> list[str]:
    return _asked(data, lambda view: [job.id for job in view.open_jobs()])


def _asked(data: Path, question: Callable[[StateView], T]) -> T:
    view = StateView(data)
    try:
        return question(view)
    finally:
        view.close()


def _sum(datas: Sequence[Path]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for data in datas:
        total.update(_law(data))
    return dict(total)


def _refused(datas: Sequence[Path]) -> dict[str, Refused]:
    found: dict[str, Refused] = {}
    for data in datas:
        for device, some in refusals(data).items():
            found.setdefault(device, set()).update(some)
    return found


def _read(house: House, prefix: str) -> FromInflux:
    return FromInflux(f"http://127.0.0.1:{house.influx_port}", house.secret(f"{prefix}-write").read_text().strip(), prefix)


if __name__ == "__main__":
    arguments = (
        ("--kills", int, FULL.kills, "how often one of the ingests is killed"),
        ("--readings", int, FULL.readings, "how many readings"),
        ("--rate", float, FULL.rate, "readings a second"),
    )
    sys.exit(main("instances", __doc__.splitlines()[0], campaign, arguments))
