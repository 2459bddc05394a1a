"""The campaign of registers in small, and that it would see an account that is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from analytics import counting, meters
from domain.places import Meter
from tests.faults.parts.counters import made
from tests.faults.registers import Judge, part

SEEDS = range(7_000, 7_012)


def test_meter_years_add_up_to_the_truth() -> None:
    """Twelve years of a meter with every fault, in any order: energy exact, every event told, a person asked where one must be."""
    found = part(SEEDS)

    assert ({}, []) == (dict(found.faults), found.examples)
    assert found.asked > 10 and {"exchange", "gap", "garbage", "zero", "dip", "twice", "reset"} <= set(found.planted)


def test_a_case_is_a_function_of_its_seed() -> None:
    """The logged seed gives the same readings in the same order again."""
    one, other = made(7), made(7)

    assert (one.truth, one.told, one.times.tolist(), one.units.tolist()) == (other.truth, other.told, other.times.tolist(), other.units.tolist())


def increase(meter: Meter, readings: counting.Readings, interval: int, forms: Sequence[counting.Exchange] = ()) -> meters.Account:
    """What a time-series database makes of a counter: any fall is a restart from zero."""
    units = readings.units.astype(float)
    turned = np.where(np.diff(units) < 0, units[1:], np.diff(units))
    return meters.Account([meters.Interval(0, 1, int(turned.sum()) * readings.resolution, "normal")], [])


def test_another_account_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """An account by the usual increase of a counter is wrong in every year that has a fault, and the judge says so."""
    monkeypatch.setattr(meters, "account", increase)
    found: Judge = part(SEEDS)

    assert {"energy": len(SEEDS), "asked": len(SEEDS), "told": len(SEEDS)} == dict(found.faults)


def test_an_account_that_forgets_forms_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the exchange forms the energy is another one wherever there was one."""
    real: Any = meters.account
    monkeypatch.setattr(meters, "account", lambda meter, readings, interval, forms=(): real(meter, readings, interval))
    found = part(SEEDS)

    assert found.faults["energy"] == sum("exchange" in made(seed).planted for seed in SEEDS)
