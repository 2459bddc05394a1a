"""Why hours and days are lost, and whether they can still be had."""

from __future__ import annotations

import json
from collections.abc import Iterable

import numpy as np
import pytest

from analytics import cube, filling, ledger
from analytics.jobs import ledgers
from analytics.ledger import Loss
from domain import civil
from domain.ledger import Refused
from domain.readings import Reading
from tests.columns import columns

DAY = civil.parse_date("2025-03-10")
START = civil.day_start(DAY)
AIR = ("pm25", "pm10", "so2", "no2", "co", "o3")
LATER = START + 30 * 86_400


def row(hour: int, day: int = DAY, flags: dict[str, str] | None = None, without: Iterable[str] = (), span: int = 3_600) -> Reading:
    """An hour with all six items, less some."""
    values: dict[str, float | None] = {item: 40.0 for item in AIR if item not in without}
    return Reading("air", "s", span, civil.day_start(day) + 3_600 * hour, values, flags or {}, hour)


def found(rows: list[Reading], now: int = LATER, refused: Iterable[Refused] = ()) -> ledger.Hours:
    """Ledger of the day."""
    year = cube.empty(2025)
    filling.fill(year, columns(rows), lambda _: 60)
    return ledger.hours(year, (DAY, DAY), now, refused)


def test_every_lost_hour_has_its_reason() -> None:
    """Flags, withdrawal, silence, a missing item and too few minutes are told apart; the rest of the day counts."""
    rows = [row(hour) for hour in range(1, 11)]
    rows += [row(11, flags={"pm25": "M", "o3": "H"}), row(12, without=("so2",))]
    rows += [Reading("air", "s", 3_600, START + 3_600 * 13, dict.fromkeys(AIR), {}, 1)]
    rows += [Reading("air", "s", 60, START + 3_600 * 13 + 60 * minute, dict.fromkeys(AIR, 40.0), {}, 1) for minute in range(1, 31)]
    losses = ledger.losses(found(rows), DAY)

    assert [
        Loss(("pm25",), 11, 11, "flag", "M"),
        Loss(("o3",), 11, 11, "review", "H"),
        Loss(("so2",), 12, 12, "item", ""),
        Loss(AIR, 13, 13, "withdrawn", ""),
        Loss(AIR, 14, 14, "short", ""),
        Loss(AIR, 15, 24, "silent", "2025-03-10T14:00:00+08:00"),
    ] == losses


def test_silence_is_dated_from_the_last_word() -> None:
    """A station that fell silent days before says since when, also in the middle of the night; one never heard says nothing."""
    assert "2025-03-08T05:00:00+08:00" == ledger.losses(found([row(5, DAY - 2)]), DAY)[0].detail
    assert "" == ledger.losses(found([]), DAY)[0].detail


def test_a_refusal_explains_what_nothing_else_does() -> None:
    """A refused reading or item is the reason where nothing was stored; what is held for a person is told apart; a stored hour needs none."""
    rows = [row(hour) for hour in range(1, 24) if hour not in {3, 4}]
    rows[-1] = row(23, without=("pm10",))
    refused = [
        Refused(START + 3 * 3_600, None, "bad-schema", held=False),
        Refused(START + 4 * 3_600, None, "future-time", held=True),
        Refused(START + 23 * 3_600, "pm10", "value-out-of-range", held=False),
        Refused(START + 5 * 3_600, None, "conflict", held=True),
    ]

    assert [
        Loss(AIR, 3, 3, "refused", "bad-schema"),
        Loss(AIR, 4, 4, "held", "future-time"),
        Loss(("pm10",), 23, 23, "refused", "value-out-of-range"),
        Loss(AIR, 24, 24, "silent", "2025-03-10T23:00:00+08:00"),
    ] == ledger.losses(found(rows, refused=refused), DAY)


def test_the_hour_that_just_ended_is_pending() -> None:
    """Within an hour of its end an unheard hour may still come, and hours to come are not lost."""
    losses = ledger.losses(found([row(hour) for hour in range(1, 10)], now=START + 10 * 3_600 + 1_800), DAY)

    assert [Loss(AIR, 10, 10, "pending", "")] == losses


@pytest.mark.parametrize(
    ("rows", "hour", "chance"),
    [
        ([row(hour) for hour in range(5, 13)], 12, "yes"),
        ([row(hour) for hour in range(6, 13)], 12, "late"),
        ([row(hour) for hour in range(1, 20)], 24, "late"),
        ([row(hour, flags={"pm25": "M"}) if hour < 6 else row(hour) for hour in range(1, 25)], 24, "no"),
        ([row(hour, flags={"pm25": "M"}) if hour < 5 else row(hour) for hour in range(5, 20)], 24, "late"),
    ],
)
def test_whether_a_day_can_still_become_valid(rows: list[Reading], hour: int, chance: str) -> None:
    """With twenty hours in reach it can; with five silent ones only late data help; with five flagged ones nothing does."""
    reach = ledger.reach(found(rows, now=START + hour * 3_600 + (3_601 if hour == 24 else 0)))

    assert chance == reach.chance(0, 0)


def test_ozone_needs_fourteen_windows() -> None:
    """Ozone with hours 1…6 lost for good keeps 17 - 5 = 12 full windows and cannot become valid, PM2.5 with six lost hours neither."""
    flags = {"o3": "D", "pm25": "D"}
    hours = [row(hour, flags=flags) if hour <= 12 else row(hour) for hour in range(1, 25)]
    some = [row(hour, flags=flags) if hour <= 4 else row(hour) for hour in range(1, 25)]

    assert ("no", "no") == tuple(ledger.reach(found(hours)).chance(0, column) for column in (0, 5))
    assert ("late", "late") == tuple(ledger.reach(found(some)).chance(0, column) for column in (0, 5)), "enough as it is"


def month(lost: dict[int, list[Reading]], now: int, begun: int) -> ledgers.Scope:
    """A year of full days from January on, some of them otherwise."""
    year = cube.empty(2025)
    first = civil.parse_date("2025-01-01")
    for day in range(first, first + begun):
        filling.fill(year, columns(lost.get(day - first, [row(hour, day) for hour in range(1, 25)])), lambda _: 60)
    hours = ledger.hours(year, (first, first + begun - 1), now)
    shown = np.full((begun, 6), 40, np.int32)
    for place in lost:
        shown[place] = -1
    scope = ledgers.station("s", hours, shown)
    return scope


def period(scope: ledgers.Scope, months: set[int], lost: dict[int, list[Reading]], now: int) -> dict[str, tuple[str, dict[str, object]]]:
    """Status and body of the rows of months and year."""
    reasons = ["silent" if place in lost else "" for place in range(len(scope.shown))]
    return {
        f"{one.period} {civil.date_of(civil.day_of(one.time + 1))}": (one.status, json.loads(one.text)) for one in ledgers.period_rows(scope, reasons, months)
    }


def test_a_month_with_26_days_is_invalid_until_late_data_come() -> None:
    """January with five silent days has 26 of 27: invalid, but late data could mend it; the year is still open."""
    lost: dict[int, list[Reading]] = {place: [] for place in (3, 4, 10, 11, 12)}
    now = civil.parse_time("2025-03-01T12:00:00+08:00")
    rows = period(month(lost, now, 60), {1}, lost, now)
    status, body = rows["month 2025-01-31"]

    assert "invalid" == status
    assert dict.fromkeys(AIR, "late") == body["chances"]
    assert [("2025-01-04", "2025-01-05", 2, "silent"), ("2025-01-11", "2025-01-13", 3, "silent")] == [
        (run["from"], run["to"], run["days"], run["reason"])
        for run in body["lost"]  # type: ignore[attr-defined]
    ]
    assert {"valid": 26, "needed": 27, "to_come": 0} == body["items"]["pm25"]  # type: ignore[index]
    assert ("open", dict.fromkeys(AIR, "late")) == (rows["year 2025-12-31"][0], rows["year 2025-12-31"][1]["chances"])


def test_a_running_month_can_still_become_valid() -> None:
    """On the tenth of a month with three lost days all 27 are within reach; with five lost ones only late data help."""
    now = civil.parse_time("2025-01-10T12:00:00+08:00")
    few: dict[int, list[Reading]] = {place: [] for place in (1, 2, 3)}
    many: dict[int, list[Reading]] = {place: [] for place in (1, 2, 3, 4, 5)}
    answers = [period(month(lost, now, 10), {1}, lost, now)["month 2025-01-31"] for lost in (few, many)]

    assert [("open", "yes"), ("open", "late")] == [(status, body["chances"]["pm25"]) for status, body in answers]  # type: ignore[index]


def test_a_day_of_the_county_names_its_stations() -> None:
    """Without its quorum the county's day is not valid; the stations that lack it are named, with their reason."""
    now = civil.parse_time("2025-01-04T12:00:00+08:00")
    good, bad = month({}, now, 3), month({1: []}, now, 3)
    member = np.ones((3, 4), bool)
    shown = np.full((3, 6), 40, np.int32)
    shown[1] = -1
    quorum = np.array([0, 1, 1, 2, 3], np.int32)
    members = [one._replace(name=name) for name, one in zip("abcd", (good, good, bad, bad), strict=True)]
    whole = ledgers.city("c", members, member, shown, quorum)
    reasons = [["", "silent", ""]] * 4
    (made,) = ledgers.city_rows(whole, members, reasons, member, [civil.parse_date("2025-01-02")])
    body = json.loads(made.text)

    assert ("lost_hours", "day", "invalid", 2.0, 4.0) == (made.figure, made.period, made.status, made.value, made.expected)
    assert [("c", "silent"), ("d", "silent")] == [(one["station"], one["reason"]) for one in body["lost"]]
    assert dict.fromkeys(AIR, "late") == body["chances"]
