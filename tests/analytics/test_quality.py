"""Rules of quality: each flags what it is about and nothing beside it, and deletes nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics import quality
from bench.quality import plain
from domain.fixed import MISSING
from domain.items import AIR
from domain.quality import RULES

HOURS = 96


def day_after_day(**items: list[float] | float) -> quality.Ints:
    """Hours that move a little, with some items given (values from the first hour on, or one value throughout)."""
    base = {"pm25": 40, "pm10": 80, "so2": 12, "no2": 30, "co": 0.8, "o3": 70}
    table = np.array([[1_000 * base[item] + (100 if item == "co" else 1_000) * (hour % 7) for item in AIR] for hour in range(HOURS)], np.int32)
    for item, some in items.items():
        values = some if isinstance(some, list) else [some] * HOURS
        table[: len(values), AIR.index(item)] = [MISSING if value is None else round(1_000 * value) for value in values]
    return table


def flagged(hours: quality.Ints, **others: quality.Ints) -> dict[tuple[str, str], list[int]]:
    """Flagged hours by rule and item."""
    bits = quality.flags(hours, others)
    return {
        (rule.name, item): rows for rule in RULES.values() for place, item in enumerate(AIR) if (rows := np.flatnonzero(bits[:, place] & rule.bit).tolist())
    }


def test_ordinary_hours_are_not_flagged() -> None:
    """Neither are real extremes that build up over hours."""
    assert {} == flagged(day_after_day())
    assert {} == flagged(day_after_day(pm10=[100, 250, 480, 700, 950, 700, 480, 250], pm25=[60, 120, 230, 350, 480, 350, 220, 120]))


def test_a_lone_spike_is_one_and_a_jump_that_stays_is_another() -> None:
    """One hour of 500 is a spike; 40 to 400 for good is a change too fast, at its first hour."""
    assert {("spike", "no2"): [3]} == flagged(day_after_day(no2=[30, 31, 32, 390, 33, 34]))
    assert {("rate", "o3"): [2]} == flagged(day_after_day(o3=[40, 41, 400, *(400 + hour % 3 for hour in range(HOURS - 3))]))


def test_values_beyond_what_the_item_reaches_are_flagged() -> None:
    """A CO of 16 mg/m³ that rose slowly is out of its range and nothing else."""
    assert {("range", "co"): [4]} == flagged(day_after_day(co=[5, 8, 11, 14, 16, 13, 10, 7, 4]))


def test_standing_counts_from_its_first_hour_and_over_gaps() -> None:
    """Twelve equal hours of PM2.5 with a gap among them are flagged from the first on; eleven are not; rest at the floor never is."""
    run = [33.0] * 6 + [None] + [33.0] * 6
    assert {("stuck", "pm25"): [0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12]} == flagged(day_after_day(pm25=run))
    assert {} == flagged(day_after_day(pm25=[33.0] * 11))
    assert {} == flagged(day_after_day(so2=2.0))


def test_a_part_above_its_whole_is_flagged_at_both() -> None:
    """PM2.5 of 70 beside PM10 of 50 cannot be; 52 beside 50 is noise."""
    assert {("relation", "pm25"): [1], ("relation", "pm10"): [1]} == flagged(day_after_day(pm25=[52, 70, 40], pm10=[50, 50, 80]))


def test_a_copied_neighbour_is_flagged_only_where_it_is_one() -> None:
    """Twelve hours equal in all items are a copy; eleven, or an item that differs, are chance."""
    own = day_after_day()
    other = own + 1_000
    other[10:22] = own[10:22]
    assert {("copy", item): list(range(10, 22)) for item in AIR} == flagged(own, b=other)
    other[15, 2] += 1_000
    assert {} == flagged(own, b=other)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_kernel_flags_what_the_rules_say(seed: int) -> None:
    """On wild data the compiled pass and a plain statement of the rules agree in every bit."""
    chance = np.random.default_rng(seed)
    own = (chance.integers(0, 9, (60, 6)) ** chance.integers(1, 4, (60, 6)) * 1_000 * chance.integers(1, 3)).astype(np.int32)
    own[chance.random(own.shape) < 0.15] = MISSING
    own[20:45] = np.where(chance.random(6) < 0.4, own[20], own[20:45])
    other = np.where(chance.random((60, 1)) < 0.9, own, own + 1_000).astype(np.int32)

    assert np.array_equal(plain(own, {"b": other}), quality.flags(own, {"b": other}))


def test_a_finding_tells_numbers_and_effect_and_leaves_the_values() -> None:
    """A spike of 390 among 30: the day's mean with and without it, the year's too; the hours are as they were."""
    hours = day_after_day(no2=[30.0, 30.0, 390.0, 30.0, *([30.0, 31.0] * 46)])
    before = hours.copy()
    (one,) = quality.findings(hours, quality.flags(hours, {}), 0, 0)

    assert ("spike", "no2", 0, 1, {"rate": 120.0, "share": 0.6}) == (one.rule, one.item, one.day, one.hours, one.numbers)
    assert (45.417, 30.435) == (one.effect.day, one.effect.day_without)
    assert (one.effect.year or 0) > (one.effect.year_without or 0)
    assert np.array_equal(before, hours)


@pytest.mark.parametrize(("days", "wanted"), [([74.0] * 8, (8, 0)), ([74.0] * 7, None), ([74.0] * 11 + [76.0] * 3, None), ([60.0] * 30, None)])
def test_days_that_crowd_below_a_limit(days: list[float], wanted: tuple[int, int] | None) -> None:
    """Eight days in the last twentieth below the limit, and not a quarter as many above, are suspicious."""
    assert wanted == quality.hugging(np.array(days), 75.0)
