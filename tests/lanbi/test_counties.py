"""Many counties at once: on a cluster, one after another, and by the process that follows, all come to the same rows."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from distributed import LocalCluster

from domain import civil
from domain.errors import ServiceError
from domain.indicators import Indicator, Query
from domain.readings import Change, Reading
from lanbi.analyse import Follower
from lanbi.analysts import analyst_of
from lanbi.counties import At, Done, absolute, here, on_dask
from lanbi.embedded import EmbeddedStore
from lanbi.metrics import write_status
from lanbi.settings import Settings, load
from lanbi.wiring import registry

ROOT = Path(__file__).resolve().parents[2]
COUNTIES, STATIONS = 3, 2
DAYS = ("2023-12-28", "2024-01-02", "2025-01-03")
"""Stretches of two days each, in three years."""
NOW = civil.parse_time("2025-01-05T09:30:00+08:00")
ITEMS = ("pm25", "pm10", "so2", "no2", "co", "o3")


def county(folder: Path, number: int) -> Settings:
    """Settings, registry and two stations' readings of a county of its own."""
    home = folder / f"c{number}"
    home.mkdir(parents=True)
    stations = "".join(f'[[air_station]]\nid = "s{number}{n}"\nname = "s{n}"\nrole = "assessment"\n' for n in range(STATIONS))
    (home / "county.toml").write_text(f'[county]\nid = "c{number}"\nname = "县{number}"\n{stations}')
    plan = ROOT / "plans" / "chiping.toml"
    (home / "lanbi.toml").write_text(f'data = "{home / "var"}"\ncounty = "{home / "county.toml"}"\ntargets = ["{plan}"]\n')
    settings = load(str(home / "lanbi.toml"), {})
    settings.data.mkdir()
    store = EmbeddedStore(settings.data / "store.db")
    store.write(rows := list(readings(number)))
    days = sorted({civil.day_of(row.time) for row in rows})
    store.changes([Change("1", n, day, tuple(sorted({row.source for row in rows}))) for n, day in enumerate(days, 1)])
    store.close()
    return settings


def readings(number: int) -> Iterator[Reading]:
    """Hours of a county, its own."""
    chance = np.random.default_rng(number)
    for n in range(STATIONS):
        for start in (civil.day_start(civil.parse_date(day)) for day in DAYS):
            for hour in range(48):
                values = dict(zip(ITEMS, map(float, chance.integers(5, 200, 6)), strict=True)) | {"co": float(chance.integers(2, 30)) / 10}
                yield Reading("air", f"s{number}{n}", 3_600, start + 3_600 * (hour + 1), values, {}, hour)


def copied(settings: Settings, folder: Path) -> Settings:
    """The same county once more, in a folder of its own."""
    home = folder / settings.data.parent.name
    shutil.copytree(settings.data.parent, home)
    file = home / "lanbi.toml"
    file.write_text(file.read_text().replace(str(settings.data.parent), str(home)))
    return load(str(file), {})


def stored(settings: Settings) -> dict[str, Any]:
    """Every figure with everything that stands beside it, restatements and events."""
    store = EmbeddedStore(settings.data / "store.db")
    try:
        figures: list[Indicator] = list(store.series(Query(basis=None, limit=10**6)))
        return {
            "figures": figures,
            "restatements": sorted(store.restatements(0, 2**40, 10**6), key=repr),
            "events": sorted(store.event_rows(-1, 2**40, 10**6), key=repr),
        }
    finally:
        store.close()


@pytest.fixture(scope="module")
def counties(tmp_path_factory: pytest.TempPathFactory) -> list[Settings]:
    """Three counties that nobody has computed."""
    folder = tmp_path_factory.mktemp("counties")
    return [county(folder, number) for number in range(COUNTIES)]


def test_a_cluster_comes_to_the_same_rows_as_one_process(counties: list[Settings], tmp_path: Path) -> None:
    """Two workers, one process and the process that follows write the same rows to the last bit, earlier years included; a second run writes nothing new."""
    ours, theirs, followed = ([copied(one, tmp_path / way) for one in counties] for way in ("here", "dask", "follow"))
    years = (2023,)
    told = list(here(ours, years, NOW))
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        away = list(on_dask(cluster.scheduler_address, theirs, years, NOW))
        written = [stored(one) for one in theirs]
        again = list(on_dask(cluster.scheduler_address, theirs, years, NOW))
    for one in followed:
        follow(one, years)

    assert {""} == {one.fault for one in (*told, *away, *again)}
    assert {(one.county, one.written) for one in told} == {(one.county, one.written) for one in away}
    assert {0} == {one.restated for one in (*told, *away, *again)}
    assert all(one.written < 0.01 * min(first.written for first in away) for one in again)
    for mine, other, third in zip(ours, written, followed, strict=True):
        expected = stored(mine)
        assert {2023, 2024, 2025} <= {civil.year_of_day(civil.day_of(row.time)) for row in expected["figures"]}
        assert differing(expected, other) == []
        assert expected == other
        assert differing(expected, stored(third)) == []


def differing(one: dict[str, Any], other: dict[str, Any]) -> list[Any]:
    """The first figures that are not the same."""
    return [pair for pair in zip(one["figures"], other["figures"], strict=True) if pair[0] != pair[1]][:3]


def follow(settings: Settings, years: tuple[int, ...]) -> None:
    """What `lanbi analyse` does at its start."""
    from lanbi.analyse import name_registry

    store = EmbeddedStore(settings.data / "store.db")
    follower = Follower(analyst_of(settings, registry(settings), store, lambda: NOW), store, At(NOW))
    name_registry(store, follower.analyst.registry, NOW)
    follower.start(years)
    assert 0 == follower.step()
    store.close()


def test_one_county_with_a_fault_hides_no_other(counties: list[Settings], tmp_path: Path) -> None:
    """A county whose analytics runs is named and left alone; the others are computed."""
    some = [copied(one, tmp_path) for one in counties[:2]]
    write_status(some[0].data / "run" / "analyse.json", {"pid": 1, "ready": True})
    first, second = here(some, (), NOW)

    assert "`lanbi analyse` runs on this data folder" in first.fault
    assert ("", True) == (second.fault, second.written > 0)


def test_without_a_scheduler_it_says_so(counties: list[Settings]) -> None:
    """A wrong address ends with exit code 3 and what to start."""
    with pytest.raises(ServiceError, match="no Dask scheduler answers") as refused:
        list(on_dask("no-such-scheme://127.0.0.1:1", counties, (), NOW))
    assert "dask scheduler" in refused.value.todo


def test_paths_hold_on_another_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker has another working folder: every path of the settings is sent as a whole one."""
    monkeypatch.chdir(tmp_path)
    sent = absolute(load(None, {}))

    assert tmp_path / "var" == sent.data
    assert tmp_path / "var" / "secrets" / "influx-write" == sent.store.token_file
    assert all(path.is_absolute() for path in (sent.county, *sent.targets, sent.broker.folder))


def test_the_command_computes_once_and_ends(counties: list[Settings], tmp_path: Path) -> None:
    """`lanbi analyse --once FILE…` names each county with its rows; files without it are refused."""
    files = [str(copied(one, tmp_path).file) for one in counties[:2]]
    run = [sys.executable, "-m", "lanbi", "analyse"]
    done = subprocess.run([*run, "--once", "--years", "2023", *files], cwd=ROOT, capture_output=True, text=True, check=False)
    wrong = subprocess.run([*run, *files], cwd=ROOT, capture_output=True, text=True, check=False)

    assert (0, "") == (done.returncode, done.stderr)
    assert ["1/2 县0: 写入", "2/2 县1: 写入"] == [line[:10] for line in done.stdout.splitlines()]
    assert 2 == wrong.returncode
    assert "add --once" in wrong.stderr


def test_done_says_what_failed() -> None:
    """A county that failed wrote nothing that counts."""
    assert (0, 0, "x") == (Done("c", fault="x").written, Done("c", fault="x").restated, Done("c", fault="x").fault)
