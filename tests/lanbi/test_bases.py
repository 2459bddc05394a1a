"""What people and files enter becomes figures of its own basis, at once, after a restart, and in any order."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from domain import civil
from domain.indicators import Indicator, Query
from domain.readings import Change, Entry
from ingest.entries import announce
from tests.lanbi.figures_house import HISTORY, House

DUST = ("dust", {"scope": "c", "from": "2025-01-02", "to": "2025-01-03", "document": "总站函1号"})
MORE_DUST = ("dust", {"scope": "s2", "from": "2025-01-04T08:00:00+08:00", "to": "2025-01-04T20:00:00+08:00", "document": "总站函2号"})
HELD = ("mark", {"source": "s1", "from": "2025-01-02", "to": "2025-01-02", "flag": "H", "items": ["pm25"], "reason": "校准气"})
REVIEW = ("reviewed", {"site": "s3", "date": "2025-01-05", "span": 3600, "document": "审1", "cells": [[hour, "pm25", "75", "N"] for hour in range(1, 25)]})
OFFICIAL = ("official", {"scope": "c", "period": "2025-01", "item": "pm25", "value": "41.7", "rank": "3", "document": "通报1"})
PUBLISHED = ("published", {"scope": "s1", "figure": "aqi", "period": "day", "date": "2025-01-02", "value": 144.0, "level": "轻度污染"})
ALL = (DUST, MORE_DUST, HELD, REVIEW, OFFICIAL, PUBLISHED)

Said = tuple[str, dict[str, Any]]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """An empty store with an analyst."""
    one = House(tmp_path)
    yield one
    one.close()


def enter(house: House, *said: Said) -> None:
    """Enter and announce, as the forwarder does; an entry's place in the list of all is its receipt."""
    rows = [Entry(kind, f"person/{ALL.index((kind, body)) + 1}", ALL.index((kind, body)) + 1, "x", body) for kind, body in said]
    house.store.enter(rows)
    days: dict[int, set[str]] = {}
    announce(rows, house.registry, days)
    changes = [Change("i", house.batch + place, day, tuple(sorted(sites))) for place, (day, sites) in enumerate(sorted(days.items()), 1)]
    house.batch += len(changes)
    house.store.changes(changes)


def value(house: House, figure: str, scope: str, basis: str, day: str, period: str = "day") -> float | None:
    """A stored figure under the 2012 set."""
    stamp = civil.period_stamp(civil.parse_date(day))
    rows = house.store.series(Query(figure, scope, period, "HJ633-2012", basis, stamp - 1, stamp))
    return rows[0].value if rows else None


def raw(house: House) -> dict[tuple[object, ...], Indicator]:
    """Everything on the raw basis."""
    return {key: row for key, row in house.figures().items() if row.basis == "raw"}


def test_a_dust_list_makes_a_second_figure_and_changes_no_raw_one(house: House) -> None:
    """Raw figures stay to the bit; without dust the days have no PM, and county and stations have both ratios and targets."""
    house.bring(HISTORY)
    house.follower.start()
    before = raw(house)
    enter(house, DUST)
    house.follower.step()

    assert before == raw(house)
    assert None is value(house, "pm25", "s1", "dust-excluded", "2025-01-02")
    assert value(house, "pm25", "s1", "raw", "2025-01-04") == value(house, "pm25", "s1", "dust-excluded", "2025-01-04")
    for figure in ("good_ratio", "heavy_days", "pm25_mean", "air.pm25.annual_mean"):
        assert None not in [value(house, figure, "c", basis, "2025-01-05", "ytd") for basis in ("raw", "dust-excluded")], figure


def test_a_later_list_restates_what_it_changes(house: House) -> None:
    """A second list changes closed dust-excluded figures: each is restated once, with the document as its cause, and no raw one is."""
    house.bring(HISTORY)
    house.follower.start()
    enter(house, DUST)
    house.follower.step()
    enter(house, MORE_DUST)
    house.follower.step()
    said = house.store.restatements(0, 2**40, 10_000)

    assert {"dust-excluded"} == {row.basis for row in said}
    assert {"dust: 总站函2号"} == {row.cause for row in said}
    assert {"s2", "c"} == {row.scope for row in said if row.period == "ytd"}


def test_a_held_day_leaves_the_raw_figures(house: House) -> None:
    """H takes the day's PM2.5 out of the station's figures and is named as a review in the restatement; the reading stays."""
    house.bring(HISTORY)
    house.follower.start()
    before = list(house.store.rows("air", ["s1"], 0, 2**40))
    enter(house, HELD)
    house.follower.step()
    said = [row for row in house.store.restatements(0, 2**40, 10_000) if (row.scope, row.figure, row.period) == ("s1", "pm25", "day")]

    assert None is value(house, "pm25", "s1", "raw", "2025-01-02")
    assert before == list(house.store.rows("air", ["s1"], 0, 2**40))
    assert 2 == len(said) and all(row.cause.startswith("review: 校准气") for row in said)


def test_reviewed_values_are_a_basis_beside_raw(house: House) -> None:
    """The reviewed day stands on its own basis, for the station and the county; other stations have no reviewed figures."""
    house.bring(HISTORY)
    house.follower.start()
    before = raw(house)
    enter(house, REVIEW)
    house.follower.step()
    county = [value(house, "pm25", "c", basis, "2025-01-05") for basis in ("raw", "reviewed")]

    assert before == raw(house)
    assert 75.0 == value(house, "pm25", "s3", "reviewed", "2025-01-05")
    assert None not in county and county[0] != county[1]
    assert {"s3", "c"} == {row.scope for row in house.figures().values() if row.basis == "reviewed"}


def test_official_and_published_figures_are_kept_as_such(house: House) -> None:
    """An official month and a published AQI stand on their own bases with document and rank, and are never mixed with ours."""
    house.bring(HISTORY)
    house.follower.start()
    enter(house, OFFICIAL, PUBLISHED)
    house.follower.step()
    month = house.store.series(Query("pm25_mean", "c", "month", None, "official"))[0]

    assert (41.7, '{"document": "通报1", "rank": "3"}') == (month.value, month.text)
    assert 144.0 == value(house, "aqi", "s1", "published", "2025-01-02")
    again = house.open()
    again.start()
    assert 0 == again.analyst.settler.written, "a restart writes nothing"


@pytest.mark.parametrize("seed", range(3))
def test_order_of_entries_and_readings_is_not_seen(tmp_path: Path, seed: int) -> None:
    """Entries and readings in any order, with restarts between, end in the figures of a start on everything."""
    generator = np.random.default_rng(seed)
    rows = [HISTORY[place] for place in generator.permutation(len(HISTORY))]
    cut = sorted(generator.integers(0, len(rows), 3).tolist())
    said = [ALL[place] for place in generator.permutation(len(ALL))]
    (tmp_path / "batch").mkdir()
    whole, one = House(tmp_path / "batch"), House(tmp_path)
    whole.bring(HISTORY)
    enter(whole, *ALL)
    whole.follower.start()
    one.follower.start()
    for place, (begin, end) in enumerate(zip([0, *cut], [*cut, len(rows)], strict=True)):
        one.bring(rows[begin:end])
        enter(one, *said[2 * place : 2 * place + 2])
        if generator.random() < 0.5:
            one.follower = one.open()
            one.follower.start()
        one.follower.step()
    found, wanted = one.figures(), whole.figures()
    one.close()
    whole.close()

    assert wanted == found
    assert {"raw", "reviewed", "dust-excluded"} == {row.basis for row in found.values()}
