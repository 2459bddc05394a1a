"""AQI tables against golden values of the standards."""

from __future__ import annotations

from fractions import Fraction
from math import ceil

import pytest

from domain import air
from domain.civil import parse_time

BOTH = [
    ("pm25", "24h", 35, 50, 50), ("pm25", "24h", 36, 52, 52), ("pm25", "24h", 60, 82, 100), ("pm25", "24h", 61, 83, 101),
    ("pm25", "24h", 75, 100, 114), ("pm25", "24h", 76, 102, 115), ("pm25", "24h", 115, 150, 150), ("pm25", "24h", 151, 201, 201),
    ("pm25", "24h", 612, 500, 500), ("pm10", "24h", 51, 51, 51), ("pm10", "24h", 120, 85, 100), ("pm10", "24h", 121, 86, 101),
    ("pm10", "24h", 150, 100, 112), ("pm10", "24h", 151, 101, 112), ("pm10", "24h", 351, 202, 202), ("pm10", "24h", 600, 500, 500),
    ("so2", "24h", 151, 101, 101), ("o3_8h", "8h", 158, 99, 99), ("o3_8h", "8h", 161, 101, 101), ("o3_8h", "8h", 266, 201, 201),
    ("o3_8h", "8h", 801, None, 300), ("so2", "1h", 801, None, 200), ("no2", "24h", 41, 52, 52), ("no2", "24h", 81, 101, 101),
    ("co", "24h", 21, 53, 53), ("co", "24h", 22, 55, 55), ("co", "24h", 40, 100, 100), ("co", "24h", 41, 101, 101),
    ("co", "1h", 101, 101, 101), ("co", "1h", 654, 218, 218), ("co", "1h", 1293, 431, 431), ("pm25", "1h", 0, 0, 0),
]  # fmt: skip


@pytest.mark.parametrize(("item", "average", "value", "old", "new"), BOTH)
def test_golden_iaqi_of_both_rule_sets(item: str, average: str, value: int, old: int | None, new: int | None) -> None:
    """Published and derived IAQI values come out to the last digit."""
    assert old == air.iaqi(air.RULES_2012, item, average, value)
    assert new == air.iaqi(air.RULES_2026, item, average, value)


@pytest.mark.parametrize("rules", air.RULE_SETS, ids=lambda rules: rules.name)
def test_every_concentration_equals_rational_interpolation(rules: air.RuleSet) -> None:
    """Over every reportable concentration the integer form equals the formula of the standard in fractions."""
    for (item, average), points in rules.breakpoints.items():
        for value in range(1, points[-1] + 1):
            upper = next(place for place in range(1, len(points)) if value <= points[place])
            heads = air.IAQI_POINTS
            slope = Fraction(heads[upper] - heads[upper - 1], points[upper] - points[upper - 1])
            assert ceil(slope * (value - points[upper - 1]) + heads[upper - 1]) == air.iaqi(rules, item, average, value)


def test_the_rules_change_with_the_civil_day() -> None:
    """2026-03-01T00:00 belongs to 02-28 and so to the old set."""
    from domain.civil import day_of

    assert "HJ633-2012" == air.rule_set_on(day_of(parse_time("2026-03-01T00:00:00+08:00"))).name
    assert "HJ633-2026" == air.rule_set_on(day_of(parse_time("2026-03-01T01:00:00+08:00"))).name


@pytest.mark.parametrize(("aqi", "level"), [(0, 1), (50, 1), (51, 2), (100, 2), (101, 3), (150, 3), (151, 4), (201, 5), (300, 5), (301, 6), (500, 6)])
def test_levels_change_where_the_standard_says(aqi: int, level: int) -> None:
    """Class limits belong to the better class."""
    assert level == air.level_of(aqi)


def test_limits_change_with_the_day() -> None:
    """Annual PM2.5 of class 2 is 35, then 30, then 25."""
    from domain.civil import parse_date

    days = [parse_date(text) for text in ("2026-02-28", "2026-03-01", "2031-01-01")]

    assert [35, 30, 25] == [air.limits_on(day)["pm25"].year for day in days]
