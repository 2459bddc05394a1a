"""What stands beside figures in the running analyst: last year, the month before, ranks, and today's allowance."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from msgspec.structs import replace as reread

from domain import civil
from domain.indicators import Indicator, Query
from domain.places import Registry
from domain.readings import Reading
from tests.lanbi.figures_house import House, registry

NOW = civil.parse_time("2025-02-02T12:10:00+08:00")
TOWNS = ("s3", "s4")
SITES = ("s1", "s2", *TOWNS)
RULES = "HJ633-2012"


def hours(site: str, date: str, value: float, count: int = 24) -> list[Reading]:
    """The first hours of a day, all items alike."""
    start = civil.day_start(civil.parse_date(date))
    items = ("pm25", "pm10", "so2", "no2", "co", "o3")
    return [Reading("air", site, 3_600, start + 3_600 * hour, dict.fromkeys(items, value) | {"co": 0.5}, {}, hour) for hour in range(1, count + 1)]


def days(site: str, first: str, last: str, value: float) -> list[Reading]:
    """Whole days of one value."""
    found = range(civil.parse_date(first), civil.parse_date(last) + 1)
    return [row for day in found for row in hours(site, civil.date_of(day).isoformat(), value)]


def history() -> list[Reading]:
    """Two winters: last year at 80 and its January at 60, this year's January at 50, the towns a little apart; today 12 h at 190."""
    rows = []
    for number, site in enumerate(SITES):
        rows += days(site, "2023-12-01", "2023-12-31", 80.0 + number)
        rows += days(site, "2024-01-01", "2024-02-03", 60.0 + number)
        rows += days(site, "2024-12-01", "2024-12-31", 70.0 + number)
        rows += days(site, "2025-01-01", "2025-02-01", 50.0 + number)
        rows += hours(site, "2025-02-02", 190.0, 12)
    return rows


HISTORY = history()


class Town(House):
    """Two assessment stations and two townships."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.clock.now = NOW
        self.registry = self.two_towns()
        self.follower = self.open()

    @staticmethod
    def two_towns() -> Registry:
        """s3 and s4 are townships."""
        return registry(TOWNS)


@pytest.fixture(scope="module")
def computed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with the history and all its figures."""
    folder = tmp_path_factory.mktemp("computed")
    one = Town(folder)
    one.bring(HISTORY)
    one.follower.start()
    one.store.checkpoint()
    one.close()
    return folder / "store.db"


@pytest.fixture
def town(tmp_path: Path, computed: Path) -> Iterator[Town]:
    """A running county whose history is computed."""
    shutil.copy(computed, tmp_path / "store.db")
    one = Town(tmp_path)
    one.batch = 10_000
    one.follower.position.seen["i"] = one.batch
    one.follower.start()
    yield one
    one.close()


def row(house: House, figure: str, scope: str, period: str, date: str) -> Indicator | None:
    """A stored figure under the 2012 set."""
    stamp = civil.period_stamp(civil.parse_date(date))
    return next(iter(house.store.series(Query(figure, scope, period, RULES, "raw", stamp - 1, stamp))), None)


def change(house: House, figure: str, scope: str, period: str, date: str) -> tuple[float | None, float | None, float | None]:
    """Change, other value, percent."""
    found = row(house, figure, scope, period, date)
    assert found is not None
    return found.value, found.target, found.margin


def test_days_months_and_running_years_stand_beside_last_year(town: Town) -> None:
    """Each is compared with the same calendar period last year, a month also with the month before, at stations and in the county."""
    assert (-10.0, 60.0, -16.7) == change(town, "pm25_yoy", "s1", "day", "2025-01-15")
    assert (-10.0, 60.5, -16.5) == change(town, "pm25_mean_yoy", "c", "month", "2025-01-31")
    assert (-10.0, 60.5, -16.5) == change(town, "pm25_mean_yoy", "c", "ytd", "2025-02-01")
    assert (-20.0, 70.0, -28.6) == change(town, "pm25_mean_mom", "s1", "month", "2025-01-31")
    assert (-20.0, 80.0, -25.0) == change(town, "pm25_mean_mom", "s1", "month", "2024-01-31"), "its December lies in a year that was never loaded"


def test_a_correction_of_last_year_moves_this_years_comparison(town: Town) -> None:
    """A corrected day of last year changes what this year's day, month and running year are compared with."""
    town.bring(days("s1", "2024-01-15", "2024-01-15", 91.0))
    town.follower.step()

    assert (-41.0, 91.0, -45.1) == change(town, "pm25_yoy", "s1", "day", "2025-01-15")
    assert (-11.0, 61.0, -18.0) == change(town, "pm25_mean_yoy", "s1", "month", "2025-01-31")


def test_a_year_that_is_folded_away_still_names_its_readings(town: Town) -> None:
    """A correction of last year says which reading it was, although only its folded cube is in memory; this year's lies open."""
    late = hours("s1", "2024-01-10", 95.0, 1)[0]
    town.bring([reread(late, rev=99)])
    town.follower.step()
    said = [row.cause for row in town.store.restatements(0, 2**40, 10_000) if (row.figure, row.scope, row.period) == ("pm25", "s1", "day")]

    assert ["correction: s1 pm25 2024-01-10T01:00"] == list(dict.fromkeys(said))
    assert ([], ["s1"]) == tuple(sorted(set(book.sites._open) & {"s1"}) for year, book in sorted(town.follower.analyst.books.items()))


def test_december_stands_behind_january(town: Town) -> None:
    """A corrected December changes next January's comparison with the month before."""
    town.bring(days("s1", "2024-12-01", "2024-12-31", 100.0))
    town.follower.step()

    assert (-50.0, 100.0, -50.0) == change(town, "pm25_mean_mom", "s1", "month", "2025-01-31")


def test_townships_are_ranked(town: Town) -> None:
    """The cleaner township is first; a correction at one changes the other's rank too; assessment stations have none."""
    before = [row(town, "pm25_mean_rank", name, "month", "2025-01-31") for name in SITES]
    town.bring(days("s3", "2025-01-01", "2025-01-31", 99.0))
    town.follower.step()
    after = [row(town, "pm25_mean_rank", name, "month", "2025-01-31") for name in TOWNS]

    assert [None, None, (1.0, 2.0), (2.0, 2.0)] == [found and (found.value, found.expected) for found in before]
    assert [2.0, 1.0] == [found.value for found in after if found]


def test_any_order_gives_the_same_comparisons(tmp_path: Path) -> None:
    """Years brought in the wrong order, with a restart between, end in the comparisons of one batch."""
    chosen = {civil.parse_date(date) for date in ("2023-12-31", "2024-01-01", "2024-01-15", "2024-12-31", "2025-01-01", "2025-01-15")}
    rows = [one for one in HISTORY if civil.day_of(one.time) in chosen]
    late = [one for one in rows if civil.year_of_day(civil.day_of(one.time)) < 2025]
    batch, other = Town(tmp_path / "batch"), Town(tmp_path / "other")
    batch.bring(rows)
    batch.follower.start()
    other.bring([one for one in rows if one not in late])
    other.follower.start()
    other.bring(late[::-1][: len(late) // 2])
    other.follower.step()
    other.bring(late)
    other.follower = other.open()
    other.follower.start()
    expected, found = batch.figures(), other.figures()
    batch.close()
    other.close()

    assert {"pm25_yoy", "pm25_mean_yoy", "pm25_mean_mom", "pm25_mean_rank"} <= {key[0] for key in expected}
    assert expected == found


def test_a_crash_before_the_comparisons_is_made_good(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the figures were written and the process died before their comparisons, the next start writes them."""
    town.bring(days("s1", "2025-01-15", "2025-01-15", 91.0))
    with monkeypatch.context() as broken:
        broken.setattr(town.follower.analyst.settler, "derived_blocks", lambda rows: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            town.follower.step()
    stale = change(town, "pm25_yoy", "s1", "day", "2025-01-15")
    town.follower = town.open()
    town.follower.start()

    assert (-10.0, 60.0, -16.7) == stale
    assert (31.0, 60.0, 51.7) == change(town, "pm25_yoy", "s1", "day", "2025-01-15")


def test_beside_nothing_stands_nothing(tmp_path: Path) -> None:
    """A first start writes no comparison of a day that last year does not have; one that loses its last year says so."""
    one = Town(tmp_path)
    one.bring([*days("s1", "2024-01-10", "2024-01-10", 60.0), *days("s1", "2025-01-10", "2025-01-11", 50.0)])
    one.follower.start()
    query = Query("pm25_yoy", "s1", "day", RULES)
    first = [(row.value, row.valid) for row in one.store.series(query)]
    one.bring([reread(row, values=dict.fromkeys(row.values), rev=row.rev + 100) for row in days("s1", "2024-01-10", "2024-01-10", 60.0)])
    one.follower.step()
    second = [(row.value, row.valid) for row in one.store.series(query)]
    one.close()

    assert [(-10.0, 24.0)] == first
    assert [(None, 0.0)] == second


def test_a_year_without_anything_has_no_figures(tmp_path: Path) -> None:
    """A county that began this year has no figures and no ledger of last year; its first late value brings them."""
    one = Town(tmp_path)
    one.bring(days("s1", "2025-01-10", "2025-01-11", 50.0))
    one.follower.start()
    last = Query(basis=None, end=civil.parse_time("2024-12-31T12:00:00+08:00"))
    before = one.store.series(last)
    one.bring(days("s1", "2024-03-01", "2024-03-01", 60.0))
    one.follower.step()
    after = {(row.figure, row.period, row.value) for row in one.store.series(last) if row.scope == "s1" and row.rule_set != "HJ633-2026"}
    one.close()

    assert [] == before
    assert {("pm25", "day", 60.0), ("lost_hours", "day", 0.0), ("pm25_mean", "ytd", 60.0)} <= after


def test_comparisons_are_not_restated(town: Town) -> None:
    """A correction restates the figures, and no comparison besides."""
    town.bring(days("s1", "2025-01-15", "2025-01-15", 91.0))
    town.follower.step()
    said = {one.figure for one in town.store.restatements(0, 2**40, 10_000)}

    assert {"pm25", "pm25_mean"} <= said
    assert not [figure for figure in said if figure.endswith(("_yoy", "_mom", "_rank"))]


def test_todays_allowance_moves_with_each_hour(town: Town) -> None:
    """After 12 h at 190 the rest may have 111.0 for AQI 200, at the station and in the county; an hour later less is left."""
    at_noon = {scope: row(town, "pm25_allowance_200", scope, "day", "2025-02-02") for scope in ("s1", "c")}
    town.clock.now += 3_600
    town.bring([one for one in hours("s1", "2025-02-02", 190.0, 13) if one.time > NOW - 3_600])
    town.follower.step()
    later = row(town, "pm25_allowance_200", "s1", "day", "2025-02-02")
    lost = row(town, "pm25_allowance_100", "s1", "day", "2025-02-02")

    for found in at_noon.values():
        assert found is not None
        assert (111.0, 150.0, "open", {"hours_left": 12}) == (found.value, found.target, found.status, json.loads(found.text))
    assert later is not None
    assert lost is not None
    assert (103.8, 13.0, {"hours_left": 11}) == (later.value, later.valid, json.loads(later.text))
    assert (None, "lost", 75.0) == (lost.value, lost.status, lost.target)


def test_allowances_of_two_rule_sets(town: Town) -> None:
    """The 2026 set has its own limit for AQI 100."""
    stamp = civil.period_stamp(civil.parse_date("2025-02-02"))
    found = {one.rule_set: one.target for one in town.store.series(Query("pm25_allowance_100", "c", "day", None, "raw", stamp - 1, stamp))}

    assert {"HJ633-2012": 75.0, "HJ633-2026": 60.0} == found


def test_what_the_day_had_stays_when_it_is_over(town: Town) -> None:
    """A late hour of yesterday changes no allowance: they are of the running day."""
    town.clock.now = civil.parse_time("2025-02-03T00:40:00+08:00")
    town.follower.step()
    before = row(town, "pm25_allowance_200", "s1", "day", "2025-02-02")
    town.bring(hours("s1", "2025-02-02", 20.0, 20)[12:])
    town.follower.step()

    assert before is not None
    assert before == row(town, "pm25_allowance_200", "s1", "day", "2025-02-02")
    assert replace(before, time=0) != row(town, "pm25_allowance_200", "s1", "day", "2025-02-03")
