"""A real InfluxDB, prepared by `lanbi store init` and filled through journal, forwarder and analytics by a simulated county."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from msgspec.structs import replace as anew

from domain import civil
from domain.places import Registry
from domain.readings import Change, Entry, Reading
from domain.restating import CONFIRMATION
from lanbi import simulated_history, wiring
from lanbi.analyse import Follower
from lanbi.analyst import Analyst
from lanbi.influx_setup import GRAFANA, Wish, prepare
from lanbi.metrics import write_status
from lanbi.settings import Settings, load
from lanbi.simulated_history import Past
from lanbi.watching import Watch
from tests.contract.conftest import ROOT, running
from tests.lanbi.figures_house import Hand

NOW = civil.parse_time("2025-04-20T10:05:00+08:00")
DAYS = 415
"""More than 300 days of the year before: a forecast needs an earlier year."""
CORRECTED_S = 40 * civil.DAY_S
"""How long ago the hour lies that is corrected after its month was confirmed."""

TOLD = ("energy.total", "energy.intensity", "carbon.total", "carbon.intensity", "water.use.total", "water.use.intensity")
"""Targets that are judged on reports; the county's plan sets no value for them, and here one is set."""

EPISODE_S = 12 * civil.DAY_S
EPISODE_HOURS = 100
"""A heavy episode that meets the conditions of a warning, twelve days ago."""


@dataclass
class Filled:
    """A store with what the read-only token of Grafana needs."""

    url: str
    bucket: str
    token: str
    registry: Registry
    settings: Settings
    store: Any
    follower: Follower
    clock: Hand
    first: int
    """When the history begins."""
    planted: int
    """Before it nothing is wrong."""

    @property
    def head(self) -> dict[str, str]:
        """As the data source authorizes itself."""
        return {"Authorization": f"Token {self.token}"}


def settings_in(folder: Path, url: str, year: int) -> Settings:
    """Settings of a lanbi whose store is this server, and whose plan ends in that year."""
    plan = (ROOT / "plans" / "chiping.toml").read_text().replace("year = 2025", f"year = {year}").replace("horizon = 2025", f"horizon = {year}")
    for name in TOLD:
        plan = plan.replace(f'id = "{name}"\n', f'id = "{name}"\nvalues = [{{year = {year}, value = 1000, document = "市文"}}]\n')
    (folder / "plan.toml").write_text(plan)
    text = f'data = "{folder}"\ntargets = ["{folder}/plan.toml"]\n[store]\nkind = "influx"\nurl = "{url}"\ntoken_file = "{folder}/secrets/influx-write"\nread_token_file = "{folder}/secrets/influx-read"\n'
    (folder / "lanbi.toml").write_text(text)
    return load(str(folder / "lanbi.toml"), {})


def small(registry: Registry, assessment: int = 1) -> Registry:
    """The county with few assessment stations, its township station, one section, point and enterprise, and its wells, for the tests' time."""
    stations = list(registry.air_stations.values())
    kept = [one for one in stations if one.role.newest == "assessment"][:assessment] + [one for one in stations if one.role.newest == "township"]
    firm = next(iter(registry.enterprises))
    meters = {name: one for name, one in registry.meters.items() if one.enterprise == firm}
    points = dict(list(registry.points.items())[:1])
    names = {one.id for one in kept} | set(list(registry.water_sections)[:1]) | set(meters) | set(points) | set(registry.wells)
    devices = {name: one for name, one in registry.devices.items() if set(one.sources.newest) & names}
    water = tuple(name for name, one in meters.items() if one.medium == "water")
    lines = {
        name: replace(one, water_quota="1", baseline="1000", meters=(*one.meters, *water)) for name, one in registry.lines.items() if one.enterprise == firm
    }
    return replace(
        registry, air_stations={one.id: one for one in kept}, water_sections={name: one for name, one in registry.water_sections.items() if name in names},
        enterprises={firm: replace(registry.enterprises[firm], loss_low="-1", loss_high="10")}, meters=meters, lines=lines, points=points, devices=devices,
    )  # fmt: skip


Air = Callable[[Reading], float]
"""Share of the simulated particulates in a scenario."""


def clean(row: Reading) -> float:
    """A county where nothing is wrong."""
    return 0.3


def bad_winter(row: Reading) -> float:
    """A county that is about to miss its plan: heavy from November to February."""
    return 1.7 if civil.date_of(civil.day_of(row.time)).month in {11, 12, 1, 2} else 1.0


@contextmanager
def filled(folder: Path, registry: Registry, now: int = NOW, days: int = DAYS, air: Air = clean, hours: int = 1) -> Iterator[Filled]:
    """A county's history until ``now``, with a silent station, a confirmed month and a correction of it."""
    (folder / "influx").mkdir()
    (folder / "data").mkdir()
    with running(folder / "influx") as (url, _):
        settings = settings_in(folder / "data", url, civil.year_of_day(civil.day_of(now)))
        list(prepare(settings, Wish(days=0)))
        clock, first = Hand(now), civil.day_start(civil.day_of(now) - days)
        simulated_history.write(settings, registry, clock, Past(7, now, days))
        store = wiring.store(settings)
        smother(store, registry, now, air)
        garble(store, registry, now)
        overload(store, registry, now)
        flood(store, registry, now)
        leak(store, registry, now)
        follower = Follower(Analyst(store, store, registry, wiring.plans(settings)), store, clock)
        follower.start()
        correct(store, registry, follower, now)
        while follower.analyst.watch.idle(now):
            pass
        command(store, registry, follower, now)
        watch(settings, registry, store, clock, hours)
        token = (settings.store.token_file.parent / GRAFANA).read_text().strip()
        try:
            yield Filled(url, settings.store.bucket + "-figures", token, registry, settings, store, follower, clock, first, now - CORRECTED_S)
        finally:
            store.close()


def smother(store: Any, registry: Registry, now: int, air: Air) -> None:
    """The scenario's air, then a heavy episode, before anything is computed."""
    for name in registry.air_stations:
        rows = [row for row in store.rows("air", [name], 0, now) if row.span == civil.HOUR_S]
        store.write([anew(row, values={**row.values, **_changed(row, air(row))}, rev=2**40) for row in rows])
    hours = range(now // civil.HOUR_S * civil.HOUR_S - EPISODE_S, now, civil.HOUR_S)[:EPISODE_HOURS]
    site = next(iter(registry.air_stations))
    store.write([Reading("air", site, civil.HOUR_S, hour, {"pm25": 400.0, "pm10": 500.0}, {}, 2**41) for hour in hours])


def garble(store: Any, registry: Registry, now: int) -> None:
    """One register of one meter that cannot be: the counter engine makes an event of it."""
    for name in list(registry.meters)[:1]:
        rows = [row for row in store.rows("meter", [name], now - EPISODE_S, now - EPISODE_S + civil.DAY_S) if "register" in row.values]
        store.write([anew(rows[0], values={**rows[0].values, "register": 429_496.0}, rev=2**41)])


def overload(store: Any, registry: Registry, now: int) -> None:
    """A day of a permit point far above its limit, and a pH probe whose level shifts for good: what the watches are there for."""
    begin = civil.day_start(civil.day_of(now) - EPISODE_S // civil.DAY_S)
    for name in registry.points:
        rows = store.rows("point", [name], begin, begin + civil.DAY_S)
        store.write([anew(row, values=dict.fromkeys(row.values, 900.0), rev=2**41) for row in rows])
    for name in registry.water_sections:
        rows = [row for row in store.rows("water", [name], begin, now) if row.values.get("ph") is not None]
        store.write([anew(row, values={**row.values, "ph": round(row.values["ph"] - 1.2, 2)}, rev=2**41) for row in rows])


def flood(store: Any, registry: Registry, now: int) -> None:
    """Since the day before yesterday the river stands above the line that is guaranteed."""
    for name, section in registry.water_sections.items():
        if "guarantee" in section.levels:
            rows = store.rows("water", [name], now - 2 * civil.DAY_S, now)
            store.write([anew(row, values={**row.values, "level": float(section.levels["guarantee"]) + 0.2}, rev=2**42) for row in rows])


def leak(store: Any, registry: Registry, now: int) -> None:
    """For six days the main meter counts fifteen parts in a hundred too much, and no meter behind it does."""
    for name in [one.id for one in registry.meters.values() if one.role.newest == "main" and one.medium == "electricity"]:
        rows = [row for row in store.rows("meter", [name], now - 6 * civil.DAY_S, now) if row.values.get("register") is not None]
        first = rows[0].values["register"]
        store.write([anew(row, values={**row.values, "register": round(first + 1.15 * (row.values["register"] - first), 2)}, rev=2**42) for row in rows])


def _changed(row: Reading, share: float) -> dict[str, float]:
    return {item: float(share * value // 1) for item in ("pm25", "pm10") if (value := row.values.get(item)) is not None}


def correct(store: Any, registry: Registry, follower: Follower, now: int) -> None:
    """Confirm a month, then correct an hour of it and a water record: restatements and an announcement."""
    hour = (now - CORRECTED_S) // civil.HOUR_S * civil.HOUR_S
    month = f"{civil.date_of(civil.day_of(hour)):%Y-%m}"
    store.enter([Entry(CONFIRMATION, "person/1", (now - civil.DAY_S) * 10**9, "Li", {"month": month, "action": "confirm", "document": "d"})])
    site = next(iter(registry.air_stations))
    store.write([Reading("air", site, civil.HOUR_S, hour, {"pm25": 900.0}, {}, 2**41)])
    day = civil.day_of(hour)
    record = next(row for row in store.rows("water", list(registry.water_sections), hour, now))
    store.write([anew(record, values={**record.values, "codmn": 19.0}, rev=2**41)])
    store.changes([Change("correction", 1, day, (site,)), Change("correction", 2, civil.day_of(record.time), (record.source,))])
    follower.step()


def command(store: Any, registry: Registry, follower: Follower, now: int) -> None:
    """An order of two days that the enterprise did not keep and has not confirmed, what its line made lately, and what the authority reported."""
    meter = next(one for one in registry.meters.values() if one.role.newest == "production")
    begin = civil.day_start(civil.day_of(now) - 10)
    row = {"enterprise": meter.enterprise, "grade": "C", "level": "orange", "line": "", "measure": "停产", "share": "10", "meters": meter.id, "file": "f"}
    given = {"level": "orange", "from": civil.iso(begin), "to": civil.iso(begin + 2 * civil.DAY_S), "document": "d"}
    month = f"{civil.date_of(civil.day_of(now - CORRECTED_S)):%Y-%m}"
    made = [
        {
            "enterprise": one.enterprise,
            "line": one.id,
            "month": month,
            "product": one.product,
            "quantity": "900",
            "unit": "t",
            "value_added": "5",
            "document": "d",
        }
        for one in registry.lines.values()
    ]
    said = (("reduction-list", row), ("orders", given), *(("output", one) for one in made), *(("reported", one) for one in reports(month)))
    store.enter([Entry(kind, f"person/{number}", (begin - 60) * 10**9, "Li", {"user": "Li", **body}) for number, (kind, body) in enumerate(said, 11)])
    store.changes([Change("correction", 3, civil.day_of(begin), ("~orders", "~output", "~reduction-list", "~reported"))])
    follower.step()
    while follower.analyst.watch.queue or follower.analyst.clues.queue:
        follower.step()


def reports(month: str) -> Iterator[dict[str, str]]:
    """What the authority said of each month until one: within the budget of 1,000, and in the last one too much energy."""
    year, last = month.split("-")
    for name in TOLD:
        for number in range(1, int(last) + 1):
            value = "120" if (name, number) == (TOLD[0], int(last)) else "80"
            yield {"target": name, "period": f"{year}-{number:02}", "value": value, "document": "d", "person": "Li"}


def watch(settings: Settings, registry: Registry, store: Any, clock: Hand, hours: int = 1) -> None:
    """What the service says about itself, until now; in the last hour ingest is gone."""
    now = clock.now
    one = Watch(settings.data, registry, store, clock)
    for hour in range(hours, -1, -1):
        clock.now = now - hour * civil.HOUR_S
        clock.slept += 60
        if hour:
            write_status(settings.data / "run" / "ingest.json", {"connected": True, "packet_age_s": 1.0, "store": "ok"})
        else:
            (settings.data / "run" / "ingest.json").unlink()
        one.look()
