"""Days become figures of months, quarters and years: means, percentiles, compliance, minimum of data."""

from __future__ import annotations

import math
from datetime import date
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics import tables
from analytics.air import compliance, days, displayed, periods, years
from analytics.air.days import Days
from analytics.jobs import periods as job
from analytics.jobs import stations
from domain import air, civil
from domain.civil import day_number
from domain.fixed import MISSING
from domain.items import AIR
from tests import reference

FIRST = day_number(date(2025, 1, 1))
LIMITS = {
    "HJ633-2012": {"so2": 150, "no2": 80, "pm10": 150, "pm25": 75, "co": 4, "o3": 160},
    "HJ633-2026": {"so2": 150, "no2": 80, "pm10": 120, "pm25": 60, "co": 4, "o3": 160},
}
PERCENT = {"so2": 98, "no2": 98, "pm10": 95, "pm25": 95, "co": 95, "o3": 90}


def columns(found: Days, rules: air.RuleSet, closed: int = 365, first: int = FIRST) -> dict[tuple[str, str, str], dict[int, Any]]:
    """Stored rows by figure and period: time → (value, valid, expected, status, text)."""
    aqi = found.judged(np.full(len(found.shown), air.RULE_SETS.index(rules), np.uint8)).aqi
    running = years.running(found, aqi, first)
    figures = displayed.of((running,), np.ascontiguousarray(found.shown.T), (rules,), closed)
    made = job.sheets("a", (rules.name,), figures, stations.Span(first, closed, closed, 24 * closed))
    rows = [column.row(place, 0.0) for sheet in made for column in sheet.columns() for place in range(len(column.time)) if column.valid[place]]
    out: dict[tuple[str, str, str], dict[int, Any]] = {}
    for row in rows:
        out.setdefault((row.figure, row.period, row.status), {})[row.time] = row
    return out


def one(found: dict[tuple[str, str, str], dict[int, Any]], figure: str, period: str, day: date) -> Any:
    """The row of a figure whose period ends on a date."""
    stamp = civil.period_stamp(day_number(day))
    rows = [row for (name, kind, _), many in found.items() for time, row in many.items() if (name, kind, time) == (figure, period, stamp)]
    return rows[0] if rows else None


def shown(value: Fraction | None, digits: int) -> float | None:
    """A fraction as it is stored."""
    return None if value is None else float(reference.half_even(value, digits))


def year(seed: int, gaps: float, *, hours: bool) -> tuple[Days, list[list[Fraction | None]]]:
    """A year of random days with gaps, from hours or as published, with its unrounded values as fractions."""
    generator = np.random.default_rng(seed)
    if hours:
        cells = generator.integers(0, 250_000, (365 * 24, 1, 6)).astype(np.int32)
        cells[generator.random(cells.shape) < gaps] = MISSING
        found = days.from_hours(cells).scope(0)
    else:
        cells = (generator.integers(1, 300, (365, 6)) * 1_000).astype(np.int32)
        cells[:, 4] //= 50
        cells[generator.random(cells.shape) < gaps] = MISSING
        found = days.published(cells)
    exact = [[None if value < 0 else Fraction(value, 1_000 * tables.COMMON) for value in row] for row in found.exact.tolist()]
    return found, exact


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.0, 0.05, 0.13]), st.booleans(), st.sampled_from(air.RULE_SETS))
def test_periods_equal_fractions(seed: int, gaps: float, hours: bool, rules: air.RuleSet) -> None:  # noqa: FBT001  drawn
    """Every month's, quarter's and year's mean, percentile, rate and count is that of plain fractions over its own days."""
    found, exact = year(seed, gaps, hours=hours)
    stored = columns(found, rules)
    law = int(rules.name[-4:])
    displayed = [[reference.shown(item, value) for item, value in zip(reference.ITEMS, row, strict=True)] for row in exact]
    aqis = [reference.judge(law, "day", row)[0] for row in displayed]
    spans = [("month", month, month) for month in range(1, 13)] + [("quarter", q, q + 2) for q in (1, 4, 7, 10)] + [("year", 1, 12)]
    for kind, begin, end in spans:
        start = day_number(date(2025, begin, 1)) - FIRST
        stop = (day_number(date(2025, end + 1, 1)) if end < 12 else day_number(date(2026, 1, 1))) - FIRST
        last = civil.date_of(FIRST + stop - 1)
        for place, item in enumerate(reference.ITEMS):
            values = [row[place] for row in displayed[start:stop] if row[place] is not None]
            if item in years.MEANS:
                wanted = shown(reference.mean([row[place] for row in exact[start:stop]], 1), 1)
                assert wanted == value_of(one(stored, f"{item}_mean", kind, last)), (item, kind, last)
            kept = sum(value <= LIMITS[rules.name][item] for value in values)
            assert (shown(Fraction(100 * kept, len(values)), 1) if values else None) == value_of(one(stored, f"{item}_rate", kind, last))
            if kind == "year" or item in {"co", "o3"}:
                top = reference.percentile(values, Fraction(PERCENT[item], 100)) if values else None
                assert shown(top, 2 if item == "co" else 1) == value_of(one(stored, f"{item}_p{PERCENT[item]}", kind, last))
        known = [aqi for aqi in aqis[start:stop] if aqi is not None]
        wanted_counts = [len(known), sum(aqi <= 100 for aqi in known), sum(aqi > 200 for aqi in known)] if known else [None] * 3
        assert wanted_counts == [value_of(one(stored, name, kind, last)) for name in ("valid_days", "good_days", "heavy_days")]


def value_of(row: Any) -> float | None:
    """Value of a row that may be absent."""
    return None if row is None or row.value is None or math.isnan(row.value) else row.value


@pytest.mark.parametrize(
    ("gap", "month", "status"), [((0, 4), 1, ""), ((0, 5), 1, "incomplete"), ((31, 34), 2, ""), ((31, 35), 2, "incomplete"), ((90, 94), 4, "incomplete")]
)
def test_a_month_needs_27_days(gap: tuple[int, int], month: int, status: str) -> None:
    """A month with fewer than 27 daily values is marked incomplete, February with fewer than 25; its quarter and year with it."""
    cells = np.full((365, 6), 40_000, np.int32)
    cells[gap[0] : gap[1], 0] = MISSING
    stored = columns(days.published(cells), air.RULES_2012)
    last = {1: date(2025, 1, 31), 2: date(2025, 2, 28), 4: date(2025, 4, 30)}[month]
    quarter = date(2025, 6, 30) if month == 4 else date(2025, 3, 31)

    assert [status] * 3 == [one(stored, "pm25_mean", kind, day).status for kind, day in (("month", last), ("quarter", quarter), ("year", date(2025, 12, 31)))]
    assert "" == one(stored, "so2_mean", "month", last).status, "another item has its days"


def test_only_closed_periods_have_rows() -> None:
    """At the end of the 119th day January to March and the first quarter stand, April and the year do not."""
    stored = columns(days.published(np.full((119, 6), 40_000, np.int32)), air.RULES_2012, 119)

    assert [31, 28, 31] == [one(stored, "valid_days", "month", date(2025, month, last)).value for month, last in ((1, 31), (2, 28), (3, 31))]
    assert 90 == one(stored, "valid_days", "quarter", date(2025, 3, 31)).expected
    assert {"month", "quarter"} == {kind for _, kind, _ in stored}
    assert 3 == len([row for (name, kind, _), rows in stored.items() if (name, kind) == ("pm25_mean", "month") for row in rows])


@pytest.mark.parametrize(
    ("pm25", "rules", "value", "status", "items"),
    [(35, air.RULES_2012, 0.0, "met", ""), (36, air.RULES_2012, 0.03, "missed", "pm25"), (35, air.RULES_2026, 0.17, "missed", "pm25")],
)
def test_a_year_is_held_against_its_limits(pm25: int, rules: air.RuleSet, value: float, status: str, items: str) -> None:
    """The year's compliance names the items that exceed and the largest multiple; 35 attains in 2012 and not in 2026."""
    row = one(
        columns(days.published(np.tile(np.array([[pm25, 50, 10, 20, 1, 90]], np.int32) * 1_000, (365, 1))), rules), "standard", "year", date(2025, 12, 31)
    )

    assert (value, status, items) == (row.value, row.status, row.text)


def test_a_percentile_alone_can_exceed() -> None:
    """Means within their limits do not attain if the 95th percentile of PM2.5 is above the daily limit; both multiples are exact."""
    cells = np.tile(np.array([[20, 50, 10, 20, 1, 90]], np.int32) * 1_000, (365, 1))
    cells[:40, 0] = 90_000
    found = days.published(cells)
    running = years.running(found, found.judged(np.zeros(365, np.uint8)).aqi, FIRST)
    figures = periods.figures(found, running, air.RULES_2012, periods.closed(FIRST, 365))
    verdicts = {verdict.item: verdict for verdict in compliance.verdicts(figures, len(figures.periods) - 1, air.RULES_2012)}

    assert [("mean", None), ("percentile", Fraction(15, 75))] == [(one.kind, one.multiple) for one in verdicts["pm25"].measures]
    assert [False, True] == [verdicts["pm25"].attained, verdicts["co"].attained]
    assert False is compliance.overall(tuple(verdicts.values()))


@pytest.mark.parametrize(
    ("day", "name", "year_limit", "day_limit"),
    [("2025-06-01", "HJ633-2026", 30, 60), ("2031-06-01", "HJ633-2026", 25, 50), ("2031-06-01", "HJ633-2012", 35, 75)],
)
def test_limits_follow_rule_set_and_day(day: str, name: str, year_limit: int, day_limit: int) -> None:
    """The 2026 set has transition limits to 2030 and final ones from 2031; the 2012 set keeps its own."""
    limits = air.limits_under(air.BY_NAME[name], civil.parse_date(day))["pm25"]

    assert (year_limit, day_limit) == (limits.year, limits.day)
    assert 6 == len(periods.limits(air.BY_NAME[name], civil.parse_date(day)))


def test_a_city_period_divides_by_each_days_stations() -> None:
    """A month whose days have four or three valid stations has the mean of its unrounded days."""
    hours = np.full((31 * 24, 4, 6), 10_000, np.int32)
    hours[:, 1] = 20_000
    hours[24:, 3] = MISSING
    grid: npt.NDArray[np.bool_] = np.ones((31, 4), bool)
    found = days.city(days.from_hours(hours), grid)
    stored = columns(found, air.RULES_2012, 31)

    assert shown((Fraction(50, 4) + 30 * Fraction(40, 3)) / 31, 1) == one(stored, "pm25_mean", "month", date(2025, 1, 31)).value
    assert AIR[0] == "pm25"
