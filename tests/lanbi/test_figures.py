"""The public module: the standards' golden values, the field's meter cases, and refusals that say where."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from domain.errors import InputError
from domain.water import Measured, manual
from lanbi import figures
from lanbi.figures import FLAGS, MeterFacts, air_quality, meter_intervals, water_classes
from tests.analytics.test_golden_air import AVERAGES, GUANGDONG, HOURLY, IAQI
from tests.analytics.test_meters import VECTORS, at

NAN = np.nan
CLEAN = {"do": 8.0, "codmn": 1.5, "nh3n": 0.1, "tp": 0.01}


@pytest.mark.parametrize("average", AVERAGES)
@pytest.mark.parametrize(("place", "rules"), [(3, "HJ633-2012"), (4, "HJ633-2026")])
def test_golden_sub_indices(place: int, rules: str, average: str) -> None:
    """Every written concentration of the standards' tables, all rows at once; None is -1."""
    some = [row for row in IAQI if row[1] == average]
    table = np.full((len(some), 6), NAN)
    columns = [figures.ITEMS_OF_AIR.index(row[0]) for row in some]
    table[np.arange(len(some)), columns] = [float(row[2]) for row in some]
    found = air_quality(table, rules, average=average).iaqi[np.arange(len(some)), columns]

    assert len(some) > 2
    assert [-1 if row[place] is None else row[place] for row in some] == found.tolist()


def test_published_gas_days() -> None:
    """The largest sub-index of the four gases; neither rule set publishes a day's AQI without particulates."""
    table = [[NAN, NAN, so2, no2, float(co), o3] for _, so2, no2, co, o3, _, _ in GUANGDONG]
    for rules in figures.RULE_SETS:
        found = air_quality(table, rules)

        assert [row[5] for row in GUANGDONG] == found.iaqi.max(axis=1).tolist()
        assert {-1} == set(found.aqi.tolist()) == set(found.level.tolist())


def test_published_hours() -> None:
    """AQI and primary pollutants of hours as they were published."""
    table = [[NAN if value is None else float(value) for value in row[1:7]] for row in HOURLY]
    found = air_quality(table, "HJ633-2012", average="hour")
    names = ["+".join(name for name, is_ in zip(figures.ITEMS_OF_AIR, row, strict=True) if is_) for row in found.primary]

    assert [row[7] for row in HOURLY] == found.aqi.tolist()
    assert [row[8] for row in HOURLY] == names


def test_new_rules_withhold_an_incomplete_index() -> None:
    """HJ 633-2026 5.3.1: with a gap only above 100; level and primary go with it."""
    found = air_quality([[58, NAN, 8, 30, 0.6, 90], [76, NAN, 8, 30, 0.6, 90], [0, 0, 0, 0, 0, 0]], "HJ633-2026")

    assert [-1, 115, 1] == found.aqi.tolist()
    assert [-1, 3, 1] == found.level.tolist()
    assert [[], [0], []] == [np.flatnonzero(row).tolist() for row in found.primary]


WATER = {
    "A": ({"ph": 7.8, "do": 8.1, "codmn": 4.6, "nh3n": 0.32, "tp": 0.12, "tn": 3.41}, "river", 3, ["codmn", "tp"]),
    "B": ({"ph": 8.9, "do": 4.4, "codmn": 5.9, "nh3n": 0.99, "tp": 0.20}, "river", 4, ["do"]),
    "C": ({"ph": 7.2, "do": 7.5, "codmn": 2.0, "nh3n": 0.15, "tp": 0.02}, "river", 1, ["ph", "do", "codmn", "nh3n", "tp"]),
    "D": ({**CLEAN, "ph": 9.1}, "river", 6, ["ph"]),
    "E": ({"do": 6.9, "temp": 28}, "river", 2, ["do"]),
    "E, saturated": ({"do": 7.1, "temp": 28}, "river", 1, ["do"]),
    "F": ({"cod": 26, "nh3n": 1.2, "tp": 0.31, "codmn": 7}, "river", 5, ["tp"]),
    "G, lake": ({**CLEAN, "tp": 0.06}, "lake", 4, ["tp"]),
    "G, river": ({**CLEAN, "tp": 0.06}, "river", 2, ["tp"]),
}


@pytest.mark.parametrize("name", WATER)
def test_golden_water(name: str) -> None:
    """The sections of the standard's examples by 21 items; three of them by the four items too."""
    record, body, wanted, at_ = WATER[name]
    found = water_classes({item: [value] for item, value in record.items()}, body, method="manual")
    auto = water_classes({item: [value] for item, value in record.items()}, body)

    assert (wanted, sorted(at_)) == (int(found.number[0]), sorted(item for item, is_ in zip(found.items, found.deciding[0], strict=True) if is_))
    whole = set(CLEAN) <= set(record) and name != "D"
    assert (wanted if whole else 1 if name == "D" else -1) == int(auto.number[0])


def test_water_rows_stand_for_themselves() -> None:
    """Two records side by side, the second without phosphorus; 6.012 of CODMn is displayed as 6.0 and stays class III."""
    found = water_classes({"do": [5.0, 8], "codmn": [6.012, 3], "nh3n": [0.53, 0.1], "tp": [0.118, NAN]}, "river")

    assert [3, -1] == found.number.tolist()
    assert [[True] * 4, [False] * 4] == found.deciding.tolist()


def test_below_the_detection_limit() -> None:
    """A mask marks what was not detected, and the answer is that of the rule itself."""
    found = water_classes({"hg": [0.00004, 0.0002]}, "river", method="manual", below={"hg": [True, False]})

    assert [manual({"hg": Measured(Decimal(text), below)}, "river")[0] for text, below in (("0.00004", True), ("0.0002", False))] == found.number.tolist()
    assert [1, 4] == found.number.tolist()


@pytest.mark.parametrize("name", VECTORS)
def test_meter_cases_of_the_field(name: str) -> None:
    """Each case gives its energies exactly and its events, in the same words as the service."""
    of, rows, wanted, events = VECTORS[name]
    interval = 86_400 if len(rows) == 5 else 900 if rows[0][0] == 23.75 else 3_600
    found = meter_intervals(
        [at(hour) for hour, _ in rows], [float(text) for _, text in rows],
        MeterFacts(of.resolution, "1", of.modulus, of.max_power, None, of.reset), interval=interval,
    )  # fmt: skip

    assert [Decimal(text) for text in wanted] == [amount * found.unit for amount in found.amount.tolist()]
    assert events == [(kind, (time - at(0)) / 3600) for kind, time, _ in found.events]
    held = [amount * found.unit for amount, flag in zip(found.amount.tolist(), found.flag.tolist(), strict=True) if FLAGS[flag] == "held"]
    assert found.energy == sum(map(Decimal, wanted), Decimal(0)) - sum(held, Decimal(0))


def test_exchange_and_multiplier_steps() -> None:
    """The old meter's rest and the new one's beginning; a transformer changed on its day."""
    moved = meter_intervals([at(8), at(9)], [5000.0, 10.0], MeterFacts("0.1", max_power="100"), interval=3600, exchanges=[(at(8.5), "5012.5", "3.0")])
    changed = meter_intervals([at(23), at(24), at(25)], [100, 110, 120], MeterFacts(multiplier=[("1970-01-01", "40"), ("1970-01-02", "60")]), interval=3600)

    assert (Decimal("19.5"), ["exchange"]) == (moved.energy, [FLAGS[flag] for flag in moved.flag])
    assert [400, 600] == changed.amount.tolist()


def test_nothing_gives_nothing() -> None:
    """No row is no fault; NaN and negative registers are no readings."""
    assert 0 == len(air_quality(np.zeros((0, 6)), "HJ633-2026").aqi) == len(water_classes({}, "lake").number)
    assert Decimal(0) == meter_intervals([], [], MeterFacts(), interval=60).energy
    assert Decimal(2) == meter_intervals([0, 60, 120, 180], [1, NAN, -1, 3], MeterFacts(), interval=60).energy


AIR = [[35.0, 50, 8, 30, 0.6, 90]]


@pytest.mark.parametrize(
    ("call", "where", "what"),
    [
        (lambda: air_quality(AIR, "2012"), "rules", "HJ633-2012"),
        (lambda: air_quality(AIR, "HJ633-2012", average="year"), "average", "day, hour"),
        (lambda: air_quality([[1.0, 2.0]], "HJ633-2012"), "values", "(n, 6)"),
        (lambda: air_quality([[np.inf, *AIR[0][1:]]], "HJ633-2012"), "values", "infinite"),
        (lambda: air_quality([*AIR, [-999, *AIR[0][1:]]], "HJ633-2012"), "values, column pm25, row 1", "-999"),
        (lambda: air_quality([["many"] * 6], "HJ633-2012"), "values", "numbers are needed"),
        (lambda: water_classes({"tp": [0.1]}, "sea"), "body", "river, lake"),
        (lambda: water_classes({"p": [0.1]}, "river"), "values", "'p'"),
        (lambda: water_classes({"tp": [0.1], "do": [8, 9]}, "river"), "do", "one length"),
        (lambda: water_classes({"tp": [0.1]}, "river", method="manual", below={"hg": [True]}), "below", "'hg'"),
        (lambda: water_classes({"ph": [15]}, "river"), "ph, row 0", "15"),
        (lambda: meter_intervals([0, 0], [1, 2], MeterFacts(), interval=60), "times", "ascend"),
        (lambda: meter_intervals([0.5], [1], MeterFacts(), interval=60), "times", "whole seconds"),
        (lambda: meter_intervals([0, 1], [1], MeterFacts(), interval=60), "times, registers", "(2,)"),
        (lambda: meter_intervals([0], [1], MeterFacts(), interval=0), "interval", "≥ 1"),
        (lambda: meter_intervals([0], [1], MeterFacts(modulus="0"), interval=60), "modulus", "above 0"),
        (lambda: meter_intervals([0], [1], MeterFacts(reset="noon"), interval=60), "reset", "noon"),
        (lambda: meter_intervals([0], [1], MeterFacts(multiplier=[("2026-02-30", "1")]), interval=60), "multiplier", "dates grow"),
        (lambda: meter_intervals([0], [1], MeterFacts(), interval=60, exchanges=[(0, "-1", "0")]), "exchanges", "no register"),
    ],
)
def test_refusals_say_where(call: Any, where: str, what: str) -> None:
    """Nothing is guessed: each wrong argument is named."""
    with pytest.raises(InputError) as caught:
        call()

    assert where == caught.value.where
    assert what in caught.value.what


def test_the_input_is_not_changed() -> None:
    """Arrays of the caller stay as they were."""
    table, shown = np.array(AIR), np.array([1.0, NAN, 3.0])
    air_quality(table, "HJ633-2012")
    meter_intervals([0, 60, 120], shown, MeterFacts(), interval=60)

    assert AIR == table.tolist()
    assert [1.0, 3.0] == shown[[0, 2]].tolist() and np.isnan(shown[1])
