"""Balance of an enterprise's meters: each part once, in whole numbers, within the registered band."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from analytics.energy import balance
from analytics.energy.meteryear import MeterDays
from domain import civil
from domain.places import Dated, Enterprise, Meter

FIRST = civil.day_number(civil.date_of(20_089))
DAYS = 40
ALWAYS = Dated.always
WORKS = Enterprise("e", "厂", loss_low="-1", loss_high="8")
ELAPSED = np.full(DAYS, 86_400)


def meter(name: str, role: str, **more: str) -> Meter:
    """A meter of electricity in kWh."""
    return replace(Meter(name, "e", "electricity", ALWAYS(role), "kWh", ALWAYS("1")), **more)  # type: ignore[arg-type]


def days(amount: int, unit: str = "0.01", hours: int = 24) -> MeterDays:
    """The same on every day."""
    full = np.full(DAYS, 1, np.int64)
    return MeterDays(FIRST, Decimal(unit), amount * full, hours * 3_600 * full, np.zeros(DAYS, np.uint8), 96 * full, 96 * full, 0 * full)


MAIN, LINE, FAN = meter("main", "main"), meter("line", "production", flow="internal"), meter("fan", "treatment", flow="internal", treats="line")
SUB = meter("sub", "sub", flow="internal", behind="line")


def rows(meters: list[Meter], known: dict[str, MeterDays], owner: Enterprise = WORKS) -> dict[tuple[str, str], list[tuple[float | None, str]]]:
    """Value and status of every row, by figure with scope and period."""
    found: dict[tuple[str, str], list[tuple[float | None, str]]] = {}
    for one in balance.balances("e", meters):
        for row in balance.rows(one, owner, known, ELAPSED, 2025):
            found.setdefault((f"{row.figure} {row.scope}", row.period), []).append((row.value, row.status))
    return found


def test_what_the_parts_lack_is_lost() -> None:
    """Of 100 kWh 95 are behind: 5 % by day, month and year; a meter behind a part is in that part's balance only."""
    found = rows([MAIN, LINE, FAN, SUB], {"main": days(10_000), "line": days(8_000), "fan": days(1_500), "sub": days(7_900)})

    assert {("electricity_loss e", "day"): DAYS, ("electricity_loss e", "month"): 2, ("electricity_loss e", "year"): 1} == {
        key: len(some) for key, some in found.items() if "meter" not in key[0]
    }
    assert {(5.0, "within")} == {one for key, some in found.items() if key[0] == "electricity_loss e" for one in some}
    assert {(1.2, "within")} == set(found["meter_loss line", "year"])


@pytest.mark.parametrize(("behind", "expected"), [(9_000, (10.0, "above")), (10_200, (-2.0, "below")), (9_200, (8.0, "within")), (10_100, (-1.0, "within"))])
def test_the_band_is_the_registered_one(behind: int, expected: tuple[float, str]) -> None:
    """Its edges belong to it; judged on exact sums."""
    assert {expected} == set(rows([MAIN, LINE], {"main": days(10_000), "line": days(behind)})["electricity_loss e", "day"])


def test_without_a_band_nothing_is_judged() -> None:
    """The difference is shown all the same."""
    assert {(50.0, "")} == set(rows([MAIN, LINE], {"main": days(2), "line": days(1)}, Enterprise("e", "厂"))["electricity_loss e", "day"])


@pytest.mark.parametrize(("behind", "room"), [(9_000, -2.0), (10_200, -1.0), (9_200, 0.0), (9_600, 4.0), (10_000, 1.0)])
def test_the_room_to_the_band_is_stored(behind: int, room: float) -> None:
    """What an alert judges: per cent to the nearer edge, below zero outside; none where the day is not known or no band is registered."""
    known = {"main": days(10_000), "line": days(behind)}
    (one,) = balance.balances("e", [MAIN, LINE])

    assert {room} == {row.margin for row in balance.rows(one, WORKS, known, ELAPSED, 2025)}
    assert {None} == {row.margin for row in balance.rows(one, Enterprise("e", "厂"), known, ELAPSED, 2025)}
    assert {None} == {row.margin for row in balance.rows(one, WORKS, {"main": known["main"]}, ELAPSED, 2025)}


def test_sold_power_is_taken_off_and_own_power_added() -> None:
    """What stands on the main side is what came in."""
    own, sold = meter("own", "main", flow="own"), meter("sold", "main", flow="sold")
    found = rows([MAIN, own, sold, LINE], {"main": days(10_000), "own": days(2_000), "sold": days(4_000), "line": days(7_600)})

    assert {(5.0, "within")} == set(found["electricity_loss e", "day"])


def test_a_day_that_is_not_known_is_incomplete() -> None:
    """A meter that was silent, or that has no register at all."""
    assert {(5.0, "incomplete")} == set(rows([MAIN, LINE], {"main": days(100), "line": days(95, hours=20)})["electricity_loss e", "day"])
    assert {(100.0, "incomplete")} == set(rows([MAIN, LINE], {"main": days(100)})["electricity_loss e", "day"])


def test_nothing_came_in() -> None:
    """Of nothing no share can be lost."""
    assert {(None, "")} == set(rows([MAIN, LINE], {"main": days(0), "line": days(0)})["electricity_loss e", "day"])


def test_units_are_brought_together_exactly() -> None:
    """A main meter in MWh and a part in kWh of another resolution."""
    big = meter("main", "main", unit="MWh")
    (one,) = balance.balances("e", [big, LINE])
    row = next(balance.rows(one, WORKS, {"main": days(3, "0.001"), "line": days(29_999, "0.0001")}, ELAPSED, 2025))

    assert {"main": 3.0, "parts": 2.9999, "low": "-1", "high": "8"} == json.loads(row.text)
    assert 0.0 == row.value
