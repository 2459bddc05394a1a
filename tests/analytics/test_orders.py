"""Orders by the hour: baseline, its uncertainty, and what cannot be told."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.energy import orders
from analytics.energy.orders import Loads
from domain import civil
from domain.civil import DAY_S, HOUR_S
from domain.clues import Electricity

START = civil.parse_time("2025-03-03T00:00:00+08:00")
BEGIN = START + 30 * DAY_S
"""A Wednesday."""
RULES = Electricity()


def loads(during: float, days: int = 32) -> Loads:
    """A month at 80 to 120 kWh an hour, on Sundays a quarter, then an order of two days."""
    chance = np.random.default_rng(3)
    load = chance.uniform(80, 120, 24 * days)
    hours = START + HOUR_S * np.arange(24 * days)
    load[(hours + 28_800) // DAY_S % 7 == 3] /= 4
    load[24 * 30 :] = during
    return Loads(START, load, hours >= BEGIN)


def states(known: Loads, share: float, begin: int = BEGIN, hours: int = 24) -> set[tuple[str, str]]:
    """State and reason of each hour."""
    return {(one.state, one.why) for one in orders.judge(known, begin, begin + HOUR_S * hours, share, RULES)}


@pytest.mark.parametrize(
    ("during", "share", "expected"),
    [(40.0, 0.5, ("obeyed", "")), (100.0, 0.5, ("not-obeyed", "")), (57.0, 0.5, ("cannot-tell", "within-uncertainty")), (3.0, 0.0, ("obeyed", "")), (50.0, 0.0, ("not-obeyed", ""))],
)  # fmt: skip
def test_load_against_what_was_usual(during: float, share: float, expected: tuple[str, str]) -> None:
    """Below the allowed share of the median it is kept, above that of the top of the spread it is not; standby is no breach of a stop."""
    assert {expected} == states(loads(during), share)


def test_what_is_not_known_is_not_judged() -> None:
    """An hour without data, and an order before a usual week is known."""
    missing = loads(40.0)
    missing.load[24 * 30] = np.nan

    assert {("cannot-tell", "no-data"), ("obeyed", "")} == states(missing, 0.5, hours=2)
    assert {("cannot-tell", "no-baseline")} == states(loads(40.0), 0.5, START + 5 * DAY_S)


def test_hours_under_an_order_are_no_baseline() -> None:
    """What an earlier order had cut does not become usual."""
    known = loads(100.0)
    known.load[24 * 10 : 24 * 29] = 1.0
    known.ordered[24 * 10 : 24 * 29] = True

    assert 90 < orders.baseline(known, 24 * 30 + 9, BEGIN)[1] < 110
    known.ordered[: 24 * 30] = False
    assert 1 == orders.baseline(known, 24 * 30 + 9, BEGIN)[1]


def test_sundays_are_held_against_sundays() -> None:
    """Four Sundays with the hours beside are enough."""
    sunday = START + 34 * DAY_S
    low, usual, high = orders.baseline(loads(25.0, 36), 24 * 34 + 12, sunday)

    assert 20 <= low < usual < high <= 30


def test_hours_that_have_not_ended_are_not_told() -> None:
    """Only as far as load is known to have ended."""
    assert 24 * 2 == len(list(orders.judge(loads(40.0), BEGIN, BEGIN + 5 * DAY_S, 0.5, RULES)))
