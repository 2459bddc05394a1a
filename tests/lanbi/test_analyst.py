"""The analyst: incremental figures equal those of a batch, and changes of closed ones are said."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from domain import civil
from domain.indicators import Indicator, Query
from domain.readings import Change, Reading
from lanbi.analyse import Position
from tests.lanbi.figures_house import HISTORY, House, at_once


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """An empty store with an analyst."""
    one = House(tmp_path)
    yield one
    one.close()


@pytest.fixture(scope="module")
def batch(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[object, ...], Indicator]:
    """Figures of the whole history computed at once."""
    return at_once(House(tmp_path_factory.mktemp("batch")), HISTORY)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_order_of_arrival_gives_the_same_figures(
    batch: dict[tuple[object, ...], Indicator], tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Readings in any order and batching, with earlier wrong values, repeats and restarts between, end in the batch's figures."""
    rows = list(HISTORY)
    np.random.default_rng(data.draw(st.integers(0, 2**32 - 1), "order")).shuffle(rows)  # type: ignore[arg-type]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(rows)), max_size=4), "batches"))
    one = House(tmp_path_factory.mktemp("order"))
    wrong = [replace(row, values={**row.values, "pm25": 999.0, "o3": None}) for row in rows[:: data.draw(st.integers(50, 300), "wrong")]]
    one.bring(wrong)
    one.follower.start()
    for begin, end in zip([0, *cuts], [*cuts, len(rows)], strict=True):
        one.bring(rows[begin:end])
        if data.draw(st.booleans(), "restart"):
            one.follower = one.open()
            one.follower.start()
        one.follower.step()
    one.bring(rows[:20])
    one.follower.step()
    found = one.figures()
    one.close()

    assert batch == found


def test_a_second_look_writes_nothing(house: House) -> None:
    """What is stored already is not written again, neither by the running process nor after a restart."""
    house.bring(HISTORY)
    house.follower.start()
    again = house.open()
    again.start()

    assert 0 == house.follower.step()
    assert (0, 0) == (again.analyst.settler.written, again.analyst.settler.restated)


def test_a_late_correction_of_a_closed_day_is_restated(house: House) -> None:
    """A changed closed day is said with its old and new value; hours and running periods are not."""
    house.bring(HISTORY)
    house.follower.start()
    late = next(row for row in HISTORY if row.source == "s2" and row.time == civil.parse_time("2025-01-02T10:00:00+08:00"))
    house.bring([replace(late, values={**late.values, "pm25": 1_900.0})])
    house.follower.step()
    said = house.store.restatements(0, 2**40, 1_000)
    days = [row for row in said if row.period == "day" and row.figure == "pm25" and row.scope == "s2"]

    assert {"HJ633-2012", "HJ633-2026"} == {row.rule_set for row in days}
    assert all(row.new > row.old and row.version == 2 for row in days)
    assert "hour" not in {row.period for row in said}
    assert len(said) == len({(row.figure, row.period, row.scope, row.rule_set) for row in said}), "one row a run of running figures"


def test_the_background_site_is_not_in_the_county(house: House) -> None:
    """A correction at the control site moves its own figures and no county figure."""
    house.bring(HISTORY)
    house.follower.start()
    before = {key: row for key, row in house.figures().items() if row.scope == "c"}
    house.bring([replace(row, values={"pm25": 1_000.0}) for row in HISTORY if row.source == "back"])
    house.follower.step()

    assert before == {key: row for key, row in house.figures().items() if row.scope == "c"}


def test_a_day_closes_with_time(house: House) -> None:
    """Running figures of a day appear when the day is over, without any reading."""
    house.bring(HISTORY)
    house.follower.start()
    closed = house.store.latest("valid_days", "c", "ytd", "HJ633-2012", 2**40)
    house.clock.now += 86_400
    house.follower.step()
    later = house.store.latest("valid_days", "c", "ytd", "HJ633-2012", 2**40)

    assert (civil.parse_time("2025-01-05T00:00:00+08:00"), 5.0) == (closed.time, closed.value)
    assert (civil.parse_time("2025-01-06T00:00:00+08:00"), 6.0) == (later.time, later.expected)


def test_attainment_is_stored_with_its_details(house: House) -> None:
    """The target's row carries value, target, margin, status and the required rest."""
    house.bring(HISTORY)
    house.follower.start()
    row = house.store.latest("air.pm25.annual_mean", "c", "ytd", "HJ633-2012", 2**40)

    assert (42.0, "undecidable") == (row.target, row.status)
    assert '"required_rest": ' in row.text


def test_a_change_below_the_displayed_digit_reaches_the_targets(house: House, tmp_path: Path) -> None:
    """A correction that changes no displayed year figure still changes the margin, to what a batch has."""
    house.bring(HISTORY)
    house.follower.start()
    late = next(row for row in HISTORY if row.source == "s2" and row.time == civil.parse_time("2025-01-02T10:00:00+08:00"))
    slight = replace(late, values={**late.values, "pm25": (late.values["pm25"] or 0.0) + 0.5})
    before = house.store.latest("air.pm25.annual_mean", "c", "ytd", "HJ633-2012", 2**40)
    house.bring([slight])
    house.follower.step()
    after = house.store.latest("air.pm25.annual_mean", "c", "ytd", "HJ633-2012", 2**40)
    other = House(tmp_path / "other")
    other.bring([slight if row is late else row for row in HISTORY])
    other.follower.start()
    expected = other.figures()
    other.close()

    assert before is not None
    assert after is not None
    assert (before.value, True) == (after.value, before.margin != after.margin)
    assert expected == house.figures()


def test_one_bad_series_changes_no_other(house: House) -> None:
    """A station full of nonsense leaves every other station's figures as they were."""
    house.bring(HISTORY)
    house.follower.start()
    before = {key: row for key, row in house.figures().items() if row.scope == "s1"}
    house.bring([replace(row, values={"pm25": float("inf"), "co": -1.0, "o3": None}, flags={"pm25": "T"}) for row in HISTORY if row.source == "s4"])
    house.follower.step()

    assert before == {key: row for key, row in house.figures().items() if row.scope == "s1"}


def test_a_gap_in_the_changes_is_waited_for() -> None:
    """Numbers behind a gap are worked in once, and the position stays before it until the gap is given up."""
    position = Position({})
    early = position.fresh([Change("i", 1, 0, ()), Change("i", 3, 0, ())], 0.0)
    again = position.fresh([Change("i", 3, 0, ())], 10.0)

    assert ([1, 3], []) == ([change.n for change in early], again)
    assert {"i": 1} == position.seen
    assert not position.stuck(59.0)
    assert position.stuck(61.0)
    assert {"i": 3} == position.seen


@pytest.mark.parametrize("restart", [False, True])
def test_a_built_hour_that_came_as_an_hour_leaves_no_row(house: House, restart: bool) -> None:  # noqa: FBT001  parametrised
    """The only hour that was made of shorter spans is sent as an hour after all: its built row is taken back, also by a new process."""
    time = civil.parse_time("2025-01-02T10:00:00+08:00")
    house.bring([Reading("air", "s1", 600, time - 600 * part, {"pm25": 40.0}, {}, part) for part in range(6)])
    house.follower.start()
    rows = [Query("pm25", "s1", "hour", None, "raw", time - 1, time)]
    assert [(40.0, "built", 1.0)] == [(row.value, row.status, row.valid) for row in house.store.series(rows[0])]
    house.bring([Reading("air", "s1", 3_600, time, {"pm25": 50.0}, {}, 9)])
    follower = house.open() if restart else house.follower
    follower.start()
    follower.step()

    assert [(None, 0.0)] == [(row.value, row.valid) for row in house.store.series(rows[0])]
