"""Late readings in a running service: how long from a device's acknowledgement to the changed year figure and its restatement.

Mosquitto, ingest and analytics run as they do in a county of 100 stations with this year's hours in the embedded store. One device
after the other sends an hour that was missing weeks ago; watched from outside is when its station's year figure, the restatement of
it and the county's target stand changed in the store.
Run it alone with ``python -m tests.faults.late``.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from domain import civil
from domain.readings import Reading
from lanbi.embedded import EmbeddedStore
from lanbi.machine_code import edition
from lanbi.metrics import read_status
from tests.faults.parts.house import House, Part, until
from tests.faults.parts.report import Asked, Finding, main
from tests.faults.parts.watch import percentiles
from tests.faults.parts.wire import Wire

GOAL_S: Final = 1.0
"""From the acknowledgement to the last of the three."""
ASSESSED: Final = 4
ITEMS: Final = ("pm25", "pm10", "so2", "no2", "co", "o3")
MEDIANS: Final = (42, 80, 12, 32, 0.8, 60)
HOLE: Final = 10
"""Hour of the day that was missing, in the days of the late readings."""
HIGH: Final = 1_990.0
RULES: Final = "HJ633-2012"
TARGET: Final = "air.pm25.annual_mean"
START_S: Final = 1_800.0


@dataclass(frozen=True)
class Size:
    """How much of it."""

    stations: int
    days: int
    late: int


FULL: Final = Size(stations=100, days=330, late=30)
QUICK: Final = Size(stations=10, days=45, late=20)


def registry(stations: int) -> str:
    """A county of air stations, each with its device."""
    parts = ['[county]\nid = "late"\nname = "late"\n']
    for number in range(stations):
        role = "assessment" if number < ASSESSED else "township"
        parts.append(f'[[air_station]]\nid = "{name(number)}"\nname = "{name(number)}"\nrole = "{role}"\ntown = "t{number}"\n')
        parts.append(f'[[device]]\nid = "d-{name(number)}"\nsources = ["{name(number)}"]\nformat = "lanbi-json"\ninterval = 3600\nstate = "accepted"\n')
    return "\n".join(parts)


def plan(year: int) -> str:
    """A plan that sets this year's target."""
    value = f'values = [{{year = {year}, value = 42, document = "late"}}]'
    head = f'[plan]\nid = "late"\nname_zh = "late"\nname_en = "late"\nhorizon = {year}\n\n[[target]]\nid = "{TARGET}"\nitem = "1"\n'
    return f'{head}name_zh = "PM2.5"\nname_en = "PM2.5"\nop = "<="\nunit = "ug/m3"\nkind = "annual"\nsource = "sensor"\n{value}\n'


def judged(house: House, year: int) -> None:
    """Let the house judge by the plan of this year."""
    file = house.data / "plan.toml"
    file.write_text(plan(year), encoding="utf-8")
    lines = house.config.read_text(encoding="utf-8").splitlines()
    house.config.write_text("\n".join(f'targets = ["{file}"]' if line.startswith("targets") else line for line in lines) + "\n", encoding="utf-8")


def name(number: int) -> str:
    """Id of a station."""
    return f"a{number:03d}"


def days_of(size: Size, today: int) -> range:
    """The days of the history: this year's, at most; while it has too few, last year's alone, for a late reading changes the figures of its own year."""
    year = civil.year_days(civil.year_of_day(today))[0]
    first = max(today - size.days, year)
    return range(first, today) if today - first > size.late + 2 else range(year - size.days, year)


def holes(size: Size, days: range) -> list[tuple[int, int]]:
    """Station and day of each late reading: one a day, so that each changes another day."""
    return [(number % ASSESSED, days[len(days) // 2 - size.late // 2 + number]) for number in range(size.late)]


def history(size: Size, days: range, seed: int) -> Iterator[list[Reading]]:
    """Each station's hours, without the ones that will come late."""
    generator = np.random.default_rng(seed)
    missing = {(station, civil.day_start(day) + HOLE * civil.HOUR_S) for station, day in holes(size, days)}
    for station in range(size.stations):
        values = np.round(generator.lognormal(np.log(MEDIANS), 0.4, (24 * len(days), len(ITEMS))), 1)
        labels = civil.day_start(days[0]) + civil.HOUR_S * np.arange(1, len(values) + 1)
        rows = zip(labels.tolist(), values.tolist(), strict=True)
        yield [
            Reading("air", name(station), civil.HOUR_S, label, dict(zip(ITEMS, row, strict=True)), {}, place)
            for place, (label, row) in enumerate(rows, 1)
            if (station, label) not in missing
        ]


class Watched:
    """What the store says of one station's year, of its restatement, and of the county's target."""

    def __init__(self, store: EmbeddedStore, now: int) -> None:
        self.store, self.now = store, now

    def figure(self, scope: str) -> tuple[float | None, float]:
        """The station's PM2.5 mean of the year so far, and its version."""
        row = self.store.latest("pm25_mean", scope, "ytd", RULES, self.now)
        return (row.value, row.version) if row else (None, 0.0)

    def target(self) -> float | None:
        """The county's margin to the target."""
        row = self.store.latest(TARGET, "late", "ytd", RULES, self.now)
        return row.value if row is None else row.margin

    def restated(self, scope: str, since: int) -> bool:
        """Whether a restatement of the station's running mean was made."""
        rows = self.store.restatements(since - 1, since + 3_600, 1_000)
        return any(row.figure == "pm25_mean" and row.scope == scope and row.period == "ytd" for row in rows)


@dataclass
class Device:
    """One device on the wire; it notes when ingest's receipt came."""

    wire: Wire
    receipts: int = 0
    received: float = 0.0

    @classmethod
    def of(cls, port: int, station: str) -> Device:
        """Connected and listening for its receipts."""
        device = f"d-{station}"
        one = cls(Wire(port, device, (f"lanbi/v1/{device}/receipt",), lambda *_: one.heard()))
        one.wire.connect()
        return one

    def heard(self) -> None:
        """A receipt came."""
        self.receipts += 1
        self.received = time.monotonic()


def late(device: Device, station: str, day: int, seq: int) -> tuple[float, float]:
    """Send the missing hour; when the broker acknowledged it, and when ingest receipted it as durable."""
    time_text = civil.iso(civil.day_start(day) + HOLE * civil.HOUR_S)
    body = {"run": 1, "seq": seq, "time": time_text, "span": 3_600, "source": station, "values": {"pm25": HIGH, "o3": 60.0}}
    before = device.receipts
    device.wire.publish(f"lanbi/v1/d-{station}/data", json.dumps(body).encode())
    acknowledged = 0.0
    while device.receipts == before:
        device.wire.turn(0.002)
        if not acknowledged and not device.wire.unacknowledged:
            acknowledged = time.monotonic()
    return acknowledged or device.received, device.received


def campaign(asked: Asked) -> Finding:
    """Prepare the county, start the service, send late readings one by one."""
    size = QUICK if asked.quick else FULL
    os.environ.setdefault("NUMBA_CACHE_DIR", str(Path(tempfile.gettempdir()) / "lanbi-faults-numba" / edition()))
    house = House(asked.folder, registry(size.stations), store="embedded")
    store = EmbeddedStore(house.data / "store.db")
    today = civil.day_of(time.time_ns() // 10**9)
    days = days_of(size, today)
    judged(house, civil.year_of_day(days[-1]))
    for rows in history(size, days, asked.seed):
        store.write(rows)
    analyse = Part(
        "analyse", [sys.executable, "-m", "lanbi", "analyse", "--config", str(house.config)], asked.folder / "analyse.log", lambda: _ready(house.data)
    )
    with house:
        begun = time.monotonic()
        try:
            analyse.start(wait=False)
            until(analyse.ready, "analytics is ready", START_S)
            started = time.monotonic() - begun
            times = [_one(house, store, hole, seq) for seq, hole in enumerate(holes(size, days), 1)]
        finally:
            analyse.kill()
    store.close()
    last = [max(one["figure_s"], one["restatement_s"], one["target_s"]) for one in times]
    steps = {key: percentiles([one[key] for one in times]) for key in ("receipt_s", "figure_s", "restatement_s", "target_s")} | {"all_s": percentiles(last)}
    words = [
        f"{size.stations} stations, {len(days)} days of hours; first figures after {started:.0f} s",
        f"{len(times)} late readings, each changed figure, restatement and target; {sum(one > GOAL_S for one in last)} took longer than {GOAL_S:.0f} s",
        *(f"{key.removesuffix('_s')}: median {step['p50_ms']:,.0f} ms, at most {step['max_ms']:,.0f} ms" for key, step in steps.items()),
    ]
    # The short form says that everything arrives; how soon is a figure of a machine that does nothing else.
    return {"sound": asked.quick or max(last) <= GOAL_S, "figures": words, "stations": size.stations, "days": len(days), "goal_s": GOAL_S, **steps}


def _ready(data: Path) -> bool:
    return bool(read_status(data / "run" / "analyse.json").get("ready"))


def _one(house: House, store: EmbeddedStore, hole: tuple[int, int], seq: int) -> dict[str, float]:
    """One late reading, watched; seconds since the broker's acknowledgement."""
    station, now = name(hole[0]), time.time_ns() // 10**9
    watched = Watched(store, now)
    before, margin = watched.figure(station), watched.target()
    device = Device.of(house.broker_port, station)
    acknowledged, received = late(device, station, hole[1], seq)
    seen: dict[str, float] = {"receipt_s": received - acknowledged}
    looks: dict[str, Any] = {
        "restatement_s": lambda: watched.restated(station, now),
        "figure_s": lambda: watched.figure(station) != before,
        "target_s": lambda: watched.target() != margin,
    }
    while len(seen) <= len(looks):
        for key, look in looks.items():
            if key not in seen and look():
                seen[key] = time.monotonic() - acknowledged
        time.sleep(0.005)
        assert time.monotonic() - acknowledged < 120, f"the figures of {station} never changed: {seen}"
    device.wire.close()
    time.sleep(0.3)
    return seen


if __name__ == "__main__":
    sys.exit(main("late", __doc__.partition("\n")[0], campaign))
