"""Comparisons with last year, the month before and the other townships, on displayed figures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from analytics.jobs import compared
from analytics.jobs.columns import Column, Tag, column
from domain import civil


def made(figure: str, period: str, dates: list[str], values: list[float], valid: float | list[float] = 24, scope: str = "s") -> Column:
    """A column of days or periods."""
    time = np.array([civil.period_stamp(civil.parse_date(date)) for date in dates], np.int64)
    return column(Tag(figure, period, scope, "HJ633-2012"), time, np.array(values, float), (valid, 365))


def rows(one: Column) -> list[tuple[str, float | None, float | None, float | None, str]]:
    """Date, change, last year's value, percent and status of the rows that are written."""
    found = [one.row(place, 0.0) for place in range(len(one.time)) if one.valid[place] > 0]
    return [(civil.date_of(civil.day_of(row.time + 1)).isoformat(), row.value, row.target, row.margin, row.status) for row in found]


def beside(now: Column, last: Column) -> list[tuple[str, float | None, float | None, float | None, str]]:
    """What stands beside last year's figures."""
    (found,) = compared.with_last_year([now], {now.tag: last})
    assert f"{now.tag.figure}_yoy" == found.tag.figure
    return rows(found)


def test_a_day_is_compared_with_the_same_day() -> None:
    """Change and percent come from displayed values; a day that last year lacks has no row, one without a value has no change."""
    now = made("pm25", "day", ["2025-01-01", "2025-01-02", "2025-01-03"], [35, 50, np.nan], [24, 24, 12])
    last = made("pm25", "day", ["2024-01-01", "2024-01-03"], [40, 30])

    assert [("2025-01-01", -5.0, 40.0, -12.5, ""), ("2025-01-03", None, 30.0, None, "incomplete")] == beside(now, last)


def test_decimals_are_subtracted_as_decimals() -> None:
    """42.1 - 45.4 is -3.3 (as floats -3.2999…), which is -7.3 %: -7.268… rounded half to even."""
    now, last = (made("pm25_mean", "ytd", [f"{year}-10-14"], [value], 280) for year, value in ((2025, 42.1), (2024, 45.4)))
    now, last = (replace(one, expected=np.array([287], np.float32)) for one in (now, last))

    assert [("2025-10-14", -3.3, 45.4, -7.3, "")] == beside(now, last)


@pytest.mark.parametrize(("last", "now", "percent"), [(0.0, 5.0, None), (8.0, 8.2, 2.5), (8.0, 7.8, -2.5), (0.8, 0.9, 12.5)])
def test_percent_of_nothing_is_none(last: float, now: float, percent: float | None) -> None:
    """A change on zero has no percent; ties of the tenth round to the even digit, up and down alike."""
    found = beside(made("co", "day", ["2025-05-05"], [now]), made("co", "day", ["2024-05-05"], [last]))

    assert percent == found[0][3]


def test_february_29() -> None:
    """The leap day has no last year; a running year that ends on it is compared with 28 February, and a leap February with a plain one."""
    assert [] == beside(made("pm25", "day", ["2024-02-29"], [35]), made("pm25", "day", ["2023-02-28", "2023-03-01"], [40, 41]))
    ytd = beside(
        made("good_days", "ytd", ["2024-02-28", "2024-02-29", "2024-03-01"], [50, 51, 52], 365),
        made("good_days", "ytd", ["2023-02-28", "2023-03-01"], [40, 41], 365),
    )
    assert [("2024-02-28", 10.0), ("2024-02-29", 11.0), ("2024-03-01", 11.0)] == [row[:2] for row in ytd]
    assert [("2024-02-29", 2.0)] == [
        row[:2] for row in beside(made("pm25_mean", "month", ["2024-02-29"], [42]), made("pm25_mean", "month", ["2023-02-28"], [40]))
    ]
    assert [("2025-02-28", 2.0)] == [
        row[:2] for row in beside(made("pm25_mean", "month", ["2025-02-28"], [42]), made("pm25_mean", "month", ["2024-02-29"], [40]))
    ]


def test_validity_of_both_is_told() -> None:
    """A running year with less than 324/365 of its days is incomplete; which of the two is, stands in the status."""

    def year(number: int, valid: int) -> Column:
        return replace(made("pm25_mean", "ytd", [f"{number}-12-31"], [40], valid), expected=np.array([365], np.float32))

    assert ["", "incomplete", "last-incomplete", "both-incomplete"] == [
        beside(year(2025, now), year(2023 + 1, last))[0][4] for now, last in ((324, 324), (323, 324), (324, 323), (323, 323))
    ]


def test_a_month_is_compared_with_the_one_before() -> None:
    """February stands beside January, January beside last year's December; a marked month is incomplete."""
    status = {"status": np.array([0, 1], np.uint8), "statuses": ("", "incomplete")}
    now = replace(made("pm25_mean", "month", ["2025-01-31", "2025-02-28"], [60, 45], 28), **status)
    (found,) = compared.with_month_before([now], {now.tag: made("pm25_mean", "month", ["2024-11-30", "2024-12-31"], [50, 80], 30)})

    assert [("2025-01-31", -20.0, 80.0, -25.0, ""), ("2025-02-28", -15.0, 60.0, -25.0, "incomplete")] == rows(found)
    (alone,) = compared.with_month_before([now], {})
    assert ["2025-02-28"] == [row[0] for row in rows(alone)]


def test_equal_values_share_a_rank() -> None:
    """The cleanest is first, equals share, a place without a value or out of the role has no rank; more good days are better."""
    towns = (("a", [40, 40]), ("b", [35, np.nan]), ("c", [40, 50]), ("d", [41, 1]))
    columns = [made("pm25", "day", ["2025-01-01", "2025-01-02"], values, scope=scope) for scope, values in towns]
    member = np.array([[True, True, True, True], [True, True, True, False]])
    found = compared.ranks(columns, member)
    table = {one.tag.scope: [(row.value, row.valid, row.expected) for row in (one.row(place, 0.0) for place in range(2))] for one in found}

    assert {
        "a": [(2.0, 4.0, 4.0), (1.0, 2.0, 3.0)],
        "b": [(1.0, 4.0, 4.0), (None, 0.0, 3.0)],
        "c": [(2.0, 4.0, 4.0), (2.0, 2.0, 3.0)],
        "d": [(4.0, 4.0, 4.0), (None, 0.0, 3.0)],
    } == table
    good = [made("good_ratio", "ytd", ["2025-01-01"], [value], scope=scope) for scope, value in (("a", 60.0), ("b", 70.0))]
    assert [2.0, 1.0] == [one.row(0, 0.0).value for one in compared.ranks(good, np.ones((1, 2), bool))]


def test_rows_are_found_by_their_time() -> None:
    """A place that has not begun the day yet has no value at its time."""
    one = made("pm25", "day", ["2025-01-01", "2025-01-03"], [40, 41])
    times = np.array([civil.period_stamp(civil.parse_date(date)) for date in ("2025-01-01", "2025-01-02", "2025-01-03", "2025-01-04")], np.int64)

    assert [40.0, None, 41.0, None] == [compared.at(one, times).row(place, 0.0).value for place in range(4)]
    assert [None] * 4 == [compared.at(one.take(np.zeros(0, int)), times).row(place, 0.0).value for place in range(4)]


def test_what_is_not_compared() -> None:
    """Hours, counts of valid days, other bases' copies and unknown figures have no comparison."""
    tags = [
        Tag("aqi", "hour", "s", ""),
        Tag("valid_days", "ytd", "s", ""),
        Tag("aqi", "day", "s", "", "published"),
        Tag("air.pm25.annual_mean", "ytd", "s", ""),
    ]

    assert [False] * 4 == [compared.comparable(tag) for tag in tags]
    assert compared.comparable(Tag("pm25", "day", "s", "", "dust-excluded"))
