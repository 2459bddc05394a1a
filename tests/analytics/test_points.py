"""Permit points: hours and days against limits, on values as sent; what is marked with a reason never exceeds."""

from __future__ import annotations

from fractions import Fraction

import pytest

from analytics import points
from analytics.points import NAMES, PointDay
from domain import civil, permit
from domain.marks import Span
from domain.places import Point, PointLimit
from domain.readings import Reading
from tests.columns import columns

DAY = civil.parse_date("2025-04-09")
HOURLY, DAILY = PointLimit("cod", "50", "hour", 0), PointLimit("cod", "40", "day", 0)


def hour(number: int, value: float, flag: str = "", span: int = 3_600, **more: float) -> Reading:
    """What a point said about the hour, or a shorter span, that ends ``number`` hours into the day."""
    return Reading("point", "o", span, civil.day_start(DAY) + 3_600 * number, {"cod": value, **more}, {"cod": flag} if flag else {}, 1)


def day_of(rows: list[Reading], *limits: PointLimit, marks: tuple[Span, ...] = ()) -> PointDay:
    """The day of some rows against some limits."""
    return points.judged(points.hours(columns(rows), 3_600, marks), limits, DAY, 24)


def steady(value: float = 30.0, hours: range = range(1, 25)) -> list[Reading]:
    """The same value every hour."""
    return [hour(number, value) for number in hours]


def test_an_hour_at_its_limit_is_within_and_a_hair_above_it_exceeds() -> None:
    """50 of 50 is within; 50.0001 exceeds by two millionths; the multiple is (C − S) ÷ S on the decimals that were sent."""
    within = day_of([*steady(hours=range(1, 24)), hour(24, 50.0)], HOURLY)
    over = day_of([*steady(hours=range(1, 24)), hour(24, 50.0001)], HOURLY)

    assert (0, Fraction(0), "within") == (within.over_hours, within.multiple, within.state)
    assert (1, Fraction(1, 500_000), "over") == (over.over_hours, over.multiple, over.state)


def test_exceeding_hours_are_counted_with_the_worst() -> None:
    """Two hours over: the first gives the time, the larger the multiple."""
    (over,) = day_of([*steady(hours=range(1, 20)), hour(20, 60.5), hour(21, 75.0)], HOURLY).over

    assert (2, 75.0, Fraction(1, 2)) == (over.hours, over.worst, over.multiple)
    assert (hour(20, 0).time, hour(21, 0).time) == (over.time, over.worst_time)


@pytest.mark.parametrize("letter", sorted(permit.EXCUSED - {"H", "R"}))
def test_what_the_enterprise_marked_invalid_never_exceeds_and_is_told(letter: str) -> None:
    """However high: a marked hour is no exceedance, and counts as told, with its reason."""
    day = day_of([*steady(hours=range(1, 24)), hour(24, 5_000.0, letter)], HOURLY)

    assert ((), 0, 24, 1, {letter: 1}) == (day.over, day.over_hours, day.told, day.marked, day.reasons)


def test_an_hour_entered_by_hand_waits_for_a_person() -> None:
    """S without anybody's judgement neither exceeds nor is told."""
    day = day_of([*steady(hours=range(1, 24)), hour(24, 5_000.0, "S")], HOURLY)

    assert ((), 23, 0) == (day.over, day.told, day.marked)


def test_a_persons_mark_takes_hours_out_and_n_gives_them_back() -> None:
    """Hours held with a reason do not exceed; the later N makes them count again."""
    rows = [*steady(hours=range(1, 23)), hour(23, 90.0), hour(24, 90.0)]
    held = Span(("o",), hour(22, 0).time, hour(24, 0).time, ("cod",), "H")

    assert (0, 2) == (day_of(rows, HOURLY, marks=(held,)).over_hours, day_of(rows, HOURLY, marks=(held,)).marked)
    assert 1 == day_of(rows, HOURLY, marks=(held, held._replace(start=hour(23, 0).time, flag="N"))).over_hours


def test_a_days_mean_is_exact_and_needs_eighteen_hours() -> None:
    """Twelve hours of 39.9 and twelve of 40.1 are 40, within; one tenth more in one hour exceeds; 17 hours decide nothing."""
    halves = [*steady(39.9, range(1, 13)), *steady(40.1, range(13, 24))]

    assert not day_of([*halves, hour(24, 40.1)], DAILY).over_day
    assert day_of([*halves, hour(24, 40.2)], DAILY).over_day
    assert not day_of(steady(400.0, range(1, 18)), DAILY).over_day
    assert day_of(steady(400.0, range(1, 19)), DAILY).over_day


def test_marked_hours_stay_out_of_the_days_mean() -> None:
    """Six hours of 4,000 under calibration: the mean of the other eighteen decides."""
    rows = [*steady(hours=range(1, 19)), *(hour(number, 4_000.0, "C") for number in range(19, 25))]

    assert not day_of(rows, DAILY).over_day
    assert 24 == day_of(rows, DAILY).told


def test_the_limit_in_force_on_the_day_decides() -> None:
    """Of two limits of one item and average the one that began last, and none that begins tomorrow."""
    place = Point("o", "", "e", "outfall", (HOURLY, PointLimit("cod", "80", "hour", DAY), PointLimit("cod", "20", "hour", DAY + 1)))

    assert ["80"] == [limit.value for limit in points.limits_on(place, DAY)]
    assert ["20"] == [limit.value for limit in points.limits_on(place, DAY + 1)]


def test_hours_are_built_of_shorter_spans_that_cover_45_minutes() -> None:
    """Ten-minute values: five of them make the hour's exact mean, four none; a sent hour goes before what was built."""
    begin = civil.day_start(DAY)
    tens = [Reading("point", "o", 600, begin + 600 * number, {"cod": 10.1 * number}, {}, 1) for number in range(1, 6)]

    assert [30.3] == points.hours(columns(tens), 3_600).values[:, NAMES.index("cod")].tolist()
    assert 0 == len(points.hours(columns(tens[:4]), 3_600).time)
    assert [7.0] == points.hours(columns([*tens, hour(1, 7.0)]), 3_600).values[:, NAMES.index("cod")].tolist()


def test_an_hour_of_marked_shorter_spans_is_marked() -> None:
    """Four of six ten-minute values under maintenance: the hour is marked with that reason, and has no value."""
    begin = civil.day_start(DAY)
    tens = [Reading("point", "o", 600, begin + 600 * number, {"cod": 99.0}, {"cod": "M"} if number < 5 else {}, 1) for number in range(1, 7)]

    assert (1, {"M": 1}, ()) == ((day := day_of(tens, HOURLY)).marked, day.reasons, day.over)


def test_an_hour_without_one_of_its_limited_items_is_not_complete() -> None:
    """Two items are limited and one came: nothing is told, the other still exceeds."""
    day = day_of(steady(60.0), HOURLY, PointLimit("nh3n", "8", "hour", 0))

    assert (0, 24) == (day.told, day.over_hours)


def test_nothing_at_all_is_silence() -> None:
    """A day without rows is silent; hours of 24 are due."""
    assert ("silent", 24) == ((day := day_of([], HOURLY)).state, day.due)
