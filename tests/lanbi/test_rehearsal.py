"""What an entry would change: exactly what it changes when it is entered, and nothing before."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.civil import DAY_S, HOUR_S, day_of, parse_time
from domain.indicators import Query
from domain.readings import Entry, Reading
from lanbi import rehearsal, wiring
from lanbi.analyse import Follower
from lanbi.analysts import analyst_of
from lanbi.clock import SystemClock
from lanbi.desks import Touched
from lanbi.settings import Settings

PLANS = Path(__file__).resolve().parents[2] / "plans"
DAY = parse_time("2025-06-03T00:00:00+08:00")
SIX = {"pm25": 50.0, "pm10": 61.0, "so2": 7.0, "no2": 22.0, "co": 0.5, "o3": 80.0}
MARK = {"user": "wang", "source": "sc-a01", "from": "2025-06-03", "to": "2025-06-03", "flag": "R", "reason": "x", "document": "y"}
NS = 10**9


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Three days of a station, brought up to date."""
    file = tmp_path / "lanbi.toml"
    file.write_text(f'data = "{tmp_path / "var"}"\ncounty = "{PLANS / "sample-county.toml"}"\ntargets = ["{PLANS / "chiping.toml"}"]\n', encoding="utf-8")
    found = wiring.settings(str(file))
    store = wiring.store(found)
    store.write([Reading("air", "sc-a01", HOUR_S, DAY + hour * HOUR_S, {**SIX, "pm25": 50.0 + hour // 25}, {}, hour) for hour in range(1, 73)])
    store.close()
    follower, _ = following(found)
    follower.analyst.refresh({Touched("sc-a01", day_of(DAY + 1) + day) for day in range(3)}, follower.now())
    return found


def following(settings: Settings) -> tuple[Follower, rehearsal.Lent]:
    """Analytics that has the year in memory."""
    clock, lent = wiring.clock(settings), rehearsal.Lent(wiring.store(settings))
    analyst = analyst_of(settings, wiring.registry(settings), lent, lambda: clock.now_ns() // NS)
    analyst.load(2025, clock.now_ns() // NS, "")
    return Follower(analyst, lent, clock), lent


def rehearsed(settings: Settings, body: dict[str, str]) -> list[rehearsal.Change]:
    """What its copy says; here it may keep what it tried."""
    follower, lent = following(settings)
    told = rehearsal.rehearse(settings, (follower.analyst, follower.clock), lent, {"kind": "mark", "body": body})
    found = told["changes"]
    assert isinstance(found, list)
    assert len(found) == told["count"]
    return [rehearsal.Change(**row) for row in found]


def stored(settings: Settings) -> dict[tuple[object, ...], tuple[float | None, str]]:
    """Days, months and years of the station and the county."""
    store = wiring.store(settings, write=False)
    rows = [row for scope in ("sc-a01", "sc") for row in store.series(Query(None, scope, None, basis=None, start=DAY - DAY_S))]
    store.close()
    return {row.key: (row.value, row.status) for row in rows if row.period != "hour"}


def test_the_preview_is_what_happens(settings: Settings) -> None:
    """Old values are the stored ones, nothing is written, and after entering the mark the store holds the new ones."""
    before = stored(settings)
    told = rehearsed(settings, MARK)
    assert before == stored(settings)
    follower, store = following(settings)
    store.enter([Entry("mark", "person/1", SystemClock().now_ns(), "wang", MARK)])
    follower.analyst.refresh({Touched("sc-a01", day_of(DAY + 1)), Touched("~mark", day_of(DAY + 1))}, follower.now())
    after = stored(settings)
    days = {
        row.figure: (row.old, row.new)
        for row in told
        if (row.period, row.scope, row.rule_set[:5]) == ("day", "sc-a01", "HJ633") and row.time.startswith("2025-06-03")
    }

    assert (50.0, None) == days["pm25"]
    keyed = {(row.figure, row.period, row.scope, row.rule_set, row.basis, parse_time(row.time)): row for row in told if row.scope in {"sc-a01", "sc"}}
    assert keyed
    assert {key: (row.new, row.new_status) for key, row in keyed.items()} == {key: after.get(key, (None, "")) for key in keyed}
    assert {key: (row.old, row.old_status) for key, row in keyed.items()} == {key: before.get(key, (None, "")) for key in keyed}
    changed = {
        key for key in after if before.get(key) != after[key] and key[1] in {"day", "month", "year"} and not str(key[0]).endswith(("_yoy", "_mom", "_rank"))
    }
    assert set() == {key for key in changed if key not in keyed and not str(key[0]).startswith("lost_")}


def test_a_mark_that_changes_nothing_says_so(settings: Settings) -> None:
    """To take back a mark that nobody made changes no figure."""
    assert [] == rehearsed(settings, {**MARK, "flag": "N"})


def test_closed_figures_are_called_restated(settings: Settings) -> None:
    """A day that is over would be restated."""
    told = rehearsed(settings, MARK)

    assert {True} == {row.restated for row in told if row.period == "day" and row.figure == "pm25" and row.old is not None}
