"""The analytics process: its status, its way through a store that comes late, and a registry that changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from domain import civil
from domain.errors import StoreAway
from domain.readings import Change, Reading
from lanbi import analyse, wiring
from lanbi.embedded import EmbeddedStore
from lanbi.metrics import read_status
from lanbi.plans import folder
from lanbi.registry import load


@pytest.fixture
def config(tmp_path: Path) -> str:
    """Settings of the sample county on an empty data folder."""
    text = (
        f'data = "{tmp_path / "data"}"\ncounty = "{folder() / "sample-county.toml"}"\ntargets = ["{folder() / "chiping.toml"}"]\n[store]\nkind = "embedded"\n'
    )
    path = tmp_path / "lanbi.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def looks(number: int) -> Any:
    """A question that is answered with no so many times."""
    left = iter([False] * number)
    return lambda: next(left, True)


def test_the_process_computes_says_so_and_stops(config: str) -> None:
    """What is in the store when it starts becomes figures; the status file says ready, and at the end stopped."""
    settings = wiring.settings(config)
    now = wiring.clock(settings).now_ns() // 10**9
    day = civil.day_of(now) - 3
    store = EmbeddedStore(settings.data / "store.db")
    store.write([Reading("air", "sc-a01", 3_600, civil.day_start(day) + 3_600 * hour, {"pm25": 42.0, "co": 0.5}, {}, hour) for hour in range(1, 25)])
    store.changes([Change("i", 1, day, ("sc-a01",))])
    seen: list[bool] = []
    path = settings.data / "run" / "analyse.json"
    stop = looks(2)
    analyse.run(settings, lambda: seen.append(read_status(path)["ready"]) or stop())

    figure = store.latest("pm25", "sc-a01", "day", "HJ633-2012", now)
    store.close()
    assert figure is not None
    assert (42.0, 24.0) == (figure.value, figure.valid)
    assert [False, True, True] == seen
    assert ["stopped"] == read_status(path)["reasons"]


def test_a_store_that_is_away_is_waited_for(config: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that fails while the year is read is told as a reason; the next look starts anew."""
    settings = wiring.settings(config)
    monkeypatch.setattr(analyse, "RETRY_S", 0.0)
    fails = iter([True])
    whole = EmbeddedStore.changes_after

    def sometimes(self: EmbeddedStore, seen: dict[str, int]) -> list[Change]:
        if next(fails, False):
            raise StoreAway("away")
        return whole(self, seen)

    monkeypatch.setattr(EmbeddedStore, "changes_after", sometimes)
    told: list[tuple[bool, list[str]]] = []
    path = settings.data / "run" / "analyse.json"
    stop = looks(2)

    def look() -> bool:
        status = read_status(path)
        told.append((status["ready"], status["reasons"]))
        return bool(stop())

    analyse.run(settings, look)

    assert [(False, ["starting"]), (False, ["away"]), (True, [])] == told


def test_the_registry_behind_the_figures_is_named_once(config: str) -> None:
    """From each change on, an event says which registry's version figures are computed with."""
    settings = wiring.settings(config)
    store = EmbeddedStore(settings.data / "store.db")
    old = wiring.registry(settings)
    new = load(folder() / "sample-county-b.toml")
    for registry, now in ((old, 100), (old, 200), (new, 300)):
        analyse.name_registry(store, registry, now)
    said = [(event.time, event.text) for event in store.event_rows(0, 1_000, 10)]
    store.close()

    assert [(300, new.version), (100, old.version)] == said


def test_another_registry_is_taken_without_restart(config: str) -> None:
    """An applied registry is noticed; a broken one leaves the old one standing."""
    settings = wiring.settings(config)
    current = analyse.CurrentRegistry(settings)
    first = current.load()
    applied = settings.data / "registry" / "current.toml"
    applied.parent.mkdir(parents=True)
    before = current.changed()
    applied.write_text((folder() / "sample-county-b.toml").read_text(encoding="utf-8"), encoding="utf-8")
    changed, again = current.changed(), current.changed()
    applied.write_text("[county", encoding="utf-8")

    assert (False, True, False, False) == (before, changed, again, current.changed())
    applied.write_text((folder() / "sample-county-b.toml").read_text(encoding="utf-8"), encoding="utf-8")
    assert first.version != current.load().version
