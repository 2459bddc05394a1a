"""The repair clock of a meter's data: three working days, over weekends and holidays, and how it went."""

from __future__ import annotations

import json
from decimal import Decimal

import numpy as np

from analytics.energy.meteryear import MeterDays
from analytics.jobs import repairs
from domain import civil
from domain.indicators import Indicator
from domain.workdays import Calendar

FIRST = civil.parse_date("2025-01-01")
PLAIN = Calendar()


def days(missing: dict[int, int], count: int = 31) -> MeterDays:
    """January with a reading each quarter hour, but for some days that have so many."""
    full = np.full(count, 96, np.int64)
    came = full.copy()
    for day, number in missing.items():
        came[day - 1] = number
    return MeterDays(FIRST, Decimal(1), full, 900 * came, np.zeros(count, np.uint8), came, full, 0 * full)


def told(own: MeterDays, now: str, before: dict[int, Indicator] | None = None, calendar: Calendar = PLAIN) -> list[tuple[str, float | None, str, str]]:
    """Date, value, status and last day of each row."""
    found = repairs.rows("m", own, before or {}, calendar, civil.parse_time(f"{now}T06:00:00+08:00"))
    return [(civil.date_of(civil.day_of(row.time + 1)).isoformat(), row.value, row.status, json.loads(row.text)["until"]) for row in found]


def test_the_clock_runs_by_working_days() -> None:
    """Friday's gap: Saturday and Sunday do not count; behind Wednesday it is overdue."""
    own = days({10: 80})

    assert [("2025-01-10", 0.0, "running", "2025-01-15")] == told(own, "2025-01-12")
    assert [("2025-01-10", 2.0, "running", "2025-01-15")] == told(own, "2025-01-14")
    assert [("2025-01-10", 4.0, "overdue", "2025-01-15")] == told(own, "2025-01-16")


def test_ninety_percent_is_enough_and_today_is_not_over() -> None:
    """87 of 96 readings are 90.6 %, 86 are 89.6 %; the running day has no clock."""
    assert ["2025-01-09"] == [row[0] for row in told(days({8: 87, 9: 86, 14: 3}), "2025-01-14")]


def test_holidays_and_worked_weekends_are_those_of_the_registry() -> None:
    """Spring festival 2025: off from 28 January to 4 February, worked on the 26th and on 8 February."""
    calendar = Calendar(
        frozenset(range(civil.parse_date("2025-01-28"), civil.parse_date("2025-02-05"))), frozenset({civil.parse_date("2025-01-26"), civil.parse_date("2025-02-08")})
    )  # fmt: skip

    assert [("2025-01-24", 3.0, "running", "2025-02-05")] == told(days({24: 0}, 36), "2025-02-05", calendar=calendar)


def test_a_mended_day_stays_in_the_record() -> None:
    """Mended in time or late, as at the first look behind; the verdict does not move afterwards."""
    broken, whole = days({10: 80}), days({})
    at = {civil.period_stamp(FIRST + 9): next(repairs.rows("m", broken, {}, PLAIN, civil.parse_time("2025-01-12T06:00:00+08:00")))}
    mended = {civil.period_stamp(FIRST + 9): next(repairs.rows("m", whole, at, PLAIN, civil.parse_time("2025-01-15T06:00:00+08:00")))}

    assert [("2025-01-10", 0.0, "mended", "2025-01-15")] == told(whole, "2025-01-15", at)
    assert [("2025-01-10", 0.0, "mended-late", "2025-01-15")] == told(whole, "2025-01-16", at)
    assert [("2025-01-10", 0.0, "mended", "2025-01-15")] == told(whole, "2025-01-20", mended)
    assert [] == told(whole, "2025-01-20")


def test_days_before_a_meter_began_are_none_of_its_days() -> None:
    """A meter that was hung up on the fifth owes nothing of the four days before."""
    own = days(dict.fromkeys(range(1, 5), 0))
    assert [] == told(own, "2025-01-20")
