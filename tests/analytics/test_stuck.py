"""Standing sensors are told; what rests by nature is not."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from analytics import stuck

HOURS = np.arange(24 * 60, dtype=np.int64) * 3_600
Floats = npt.NDArray[np.float64]


def moving(seed: int, low: float = 20, high: float = 90) -> Floats:
    """Sixty days of an item that changes from hour to hour."""
    return np.round(np.random.default_rng(seed).uniform(low, high, len(HOURS)))


def found(items: dict[str, Floats]) -> list[tuple[str, int, float, float]]:
    """Item, first hour, hours and value of each standing stretch."""
    return [(run.item, run.begin // 3_600, run.seconds / 3_600, run.value) for run in stuck.find(HOURS, items)]


def test_one_item_that_stands_above_its_floor() -> None:
    """Thirty hours at one value above the floor are told, twelve are not."""
    values = moving(1)
    values[100:130] = 47
    values[600:612] = 51

    assert [("pm25", 100, 30, 47)] == found({"pm25": values})


def test_resting_at_the_floor_is_nature() -> None:
    """Gas at its lowest value and a detection limit stand for days, and nobody is told."""
    gas = moving(2, 3, 12)
    gas[200:310] = 2
    limit = np.full(len(HOURS), 0.025)
    limit[::50] = 0.031

    assert [] == found({"so2": gas, "nh3n": limit})


def test_zero_that_never_was_before() -> None:
    """Oxygen at exactly zero for four days is a fault, though zero is its floor."""
    values = moving(3, 6, 11)
    values[300:400] = 0

    assert [("do", 300, 100, 0)] == found({"do": values})


@pytest.mark.parametrize(("hours", "told"), [(5, 0), (9, 3)])
def test_all_items_at_once(hours: int, told: int) -> None:
    """A place whose items all stand at once is frozen after six hours, wherever the values lie."""
    items = {name: moving(number) for number, name in enumerate(("pm25", "no2", "o3"))}
    for values in items.values():
        values[500 : 500 + hours] = values[500]

    assert told == len(found(items))
    assert {(500, float(hours))} >= {row[1:3] for row in found(items)}


def test_gaps_neither_end_a_run_nor_prove_one() -> None:
    """A run goes on over a gap, but only its readings count: ten of them over two days are no proof."""
    values = moving(4)
    values[700:750] = np.nan
    values[700:750:5] = 33
    still = moving(5)
    still[700:740] = 33
    still[720:725] = np.nan

    assert [] == found({"pm25": values})
    assert [("pm25", 700, 35, 33)] == found({"pm25": still})


def test_a_series_that_shows_one_value_only() -> None:
    """A frozen name has nothing to compare with, and is told; short or empty series are not."""
    assert [("pm25", 0, 24.0 * 60, 311)] == found({"pm25": np.full(len(HOURS), 311.0)})
    assert [] == found({"pm25": np.full(len(HOURS), np.nan)})
    assert [] == [run.item for run in stuck.find(HOURS[:40], {"pm25": np.full(40, 311.0)})]


def test_equally_long_rests_explain_each_other() -> None:
    """A series that stands for thirty hours twice does so by nature; three times as long as its next rest is told."""
    values = moving(9)
    values[100:130] = 47
    values[600:630] = 51
    twice = found({"pm25": values})
    values[900:990] = 60

    assert [] == twice
    assert [("pm25", 900, 90, 60)] == found({"pm25": values})
