"""Every golden row of air: published hours, days, ratios and indices, and the standards' own examples."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from analytics import rolling, tables
from analytics.air import days, hours, years
from domain import air, fixed
from domain.civil import day_number
from domain.fixed import MISSING
from domain.items import AIR
from tests import reference

Cells = npt.NDArray[np.int32]
NONE = None
LAWS = {2012: 0, 2026: 1}
AVERAGES = {"day": True, "hour": False}
FIRST = day_number(date(2025, 1, 1))


def thousandths(values: Any) -> Cells:
    """Written decimals as one row of cells; None = missing."""
    return np.array([[MISSING if value is None else fixed.from_text(str(value)) for value in values]], np.int32)


def judged(law: int, average: str, values: Any) -> hours.Judged:
    """Verdict of six written concentrations, rounded first."""
    return hours.judge(hours.shown(thousandths(values)), np.full(1, LAWS[law], np.uint8), daily=AVERAGES[average])


def one(item: str, average: str, value: str) -> list[int | None]:
    """IAQI of one item alone, in 2012 and in 2026; None where the rule set gives none."""
    place = AIR.index(item)
    row = [value if index == place else None for index in range(6)]
    found = [int(judged(law, average, row).iaqi[0, place]) for law in LAWS]
    return [None if answer < 0 else answer for answer in found]


IAQI = [
    ("pm25", "day", "35", 50, 50), ("pm25", "day", "36", 52, 52), ("pm25", "day", "60", 82, 100), ("pm25", "day", "61", 83, 101),
    ("pm25", "day", "75", 100, 114), ("pm25", "day", "76", 102, 115), ("pm25", "day", "115", 150, 150), ("pm25", "day", "150", 200, 200),
    ("pm25", "day", "151", 201, 201), ("pm25", "day", "500", 500, 500), ("pm25", "day", "612", 500, 500),
    ("pm10", "day", "50", 50, 50), ("pm10", "day", "51", 51, 51), ("pm10", "day", "120", 85, 100), ("pm10", "day", "121", 86, 101),
    ("pm10", "day", "150", 100, 112), ("pm10", "day", "151", 101, 112), ("pm10", "day", "350", 200, 200), ("pm10", "day", "351", 202, 202),
    ("pm10", "day", "600", 500, 500), ("so2", "day", "151", 101, 101), ("so2", "hour", "801", NONE, 200),
    ("o3", "day", "158", 99, 99), ("o3", "day", "160", 100, 100), ("o3", "day", "161", 101, 101), ("o3", "day", "266", 201, 201),
    ("o3", "day", "801", NONE, 300), ("no2", "day", "41", 52, 52), ("no2", "day", "81", 101, 101),
    ("co", "day", "2.1", 53, 53), ("co", "day", "2.2", 55, 55), ("co", "day", "4.0", 100, 100), ("co", "day", "4.1", 101, 101),
    ("co", "hour", "10.1", 101, 101), ("co", "hour", "65.4", 218, 218),
    # Rounded first (HJ 633-2026 4.2.2), half to even; the unrounded 75.4 of 2012 would be 101.
    ("pm25", "day", "60.4", 82, 100), ("pm25", "day", "60.5", 82, 100), ("pm25", "day", "60.6", 83, 101), ("pm25", "day", "61.5", 84, 102),
    ("pm25", "day", "75.4", 100, 114), ("pm25", "day", "36.5", 52, 52), ("pm25", "day", "35.4", 50, 50),
]  # fmt: skip


@pytest.mark.parametrize(("item", "average", "value", "old", "new"), IAQI)
def test_golden_iaqi(item: str, average: str, value: str, old: int | None, new: int | None) -> None:
    """A written concentration has the sub-index of the standards' tables in both rule sets, through rounding and answer table."""
    assert [old, new] == one(item, average, value)


CO_1H = {
    "65.4": 218, "66.9": 223, "68.4": 228, "69.9": 233, "71.4": 238, "72.9": 243, "74.4": 248, "75.9": 253, "129.3": 431, "130.8": 436, "132.3": 441,
    "133.8": 446, "135.3": 451, "136.8": 456, "138.3": 461, "139.8": 466, "141.3": 471, "142.8": 476, "144.3": 481, "145.8": 486, "147.3": 491, "148.8": 496,
}  # fmt: skip


@pytest.mark.parametrize(("value", "wanted"), CO_1H.items())
def test_carbon_monoxide_is_not_one_too_high(value: str, wanted: int) -> None:
    """The 22 hourly CO values whose index a float ceiling puts one too high are exact."""
    assert [wanted, wanted] == one("co", "hour", value)


TOPS = {
    ("so2", "day"): 2_620, ("so2", "hour"): 800, ("no2", "day"): 940, ("no2", "hour"): 3_840, ("co", "day"): 600, ("co", "hour"): 1_500,
    ("o3", "day"): 800, ("o3", "hour"): 1_200, ("pm10", "day"): 600, ("pm25", "day"): 500,
}  # fmt: skip


@pytest.mark.parametrize("law", LAWS)
def test_every_reportable_concentration_is_exact(law: int) -> None:
    """All 13,410 reportable concentrations of a rule set, and the one above each table, have the index that fractions give."""
    count, wrong = 0, []
    for (item, average), top in TOPS.items():
        place = AIR.index(item)
        values = np.full((top + 2, 6), -1, np.int32)
        values[:, place] = np.arange(top + 2)
        found = hours.judge(values, np.full(top + 2, LAWS[law], np.uint8), daily=AVERAGES[average]).iaqi[:, place].tolist()
        scale = 10 if item == "co" else 1
        wanted = [reference.iaqi(law, item, average, Fraction(units, scale)) for units in range(top + 2)]
        wrong += [(item, average, units) for units in range(top + 2) if found[units] != (-1 if wanted[units] is None else wanted[units])]
        count += top + 1

    assert 13_410 == count
    assert [] == wrong


@pytest.mark.parametrize("law", LAWS)
def test_the_pass_over_hours_answers_like_the_table(law: int) -> None:
    """The one-pass hourly AQI agrees with fractions for every concentration of every item, written with a fraction that rounds away."""
    for item in AIR:
        place, scale = AIR.index(item), 10 if item == "co" else 1
        top = TOPS.get((item, "hour"), TOPS[item, "day"]) + 2
        values = np.full((top, 6), MISSING, np.int32)
        values[:, place] = np.arange(top) * (1_000 // scale) + (1_000 // scale) // 2 - (np.arange(top) % 2)
        found = hours.real_time(values, LAWS[law]).aqi.tolist()
        for units in range(top):
            shown = reference.shown(item, Fraction(int(values[units, place]), 1_000))
            row = [shown if name == item else None for name in reference.ITEMS]
            aqi, _ = reference.judge(law, "hour", row)

            assert (-1 if aqi is None else aqi) == found[units], (item, units)


GUANGDONG = [
    ("广州 2025-04-13", 6, 25, "0.4", 87, 44, 1), ("广州 2025-04-14", 8, 51, "0.6", 158, 99, 2), ("广州 2025-04-16", 6, 40, "0.5", 185, 123, 3),
    ("广州 2025-04-18", 5, 32, "0.6", 43, 40, 1), ("深圳 2025-04-14", 9, 56, "0.7", 159, 100, 2), ("深圳 2025-04-15", 8, 44, "0.7", 178, 117, 3),
    ("珠海 2025-04-15", 9, 30, "0.5", 244, 179, 4), ("珠海 2025-04-17", 6, 11, "0.4", 103, 53, 2), ("湛江 2025-04-16", 8, 11, "0.6", 214, 150, 3),
    ("惠州 2025-04-14", 10, 39, "0.6", 161, 101, 3), ("汕尾 2025-04-17", 6, 6, "0.6", 99, 50, 1), ("中山 2025-04-17", 4, 9, "0.4", 100, 50, 1),
]  # fmt: skip


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize(("day", "so2", "no2", "co", "o3", "aqi", "level"), GUANGDONG, ids=[row[0] for row in GUANGDONG])
def test_published_gas_days(law: int, day: str, so2: int, no2: int, co: str, o3: int, aqi: int, level: int) -> None:
    """Published days whose particulates are excluded by decision have the largest index of their four gases."""
    found = judged(law, "day", (None, None, so2, no2, co, o3)).iaqi[0]

    assert (aqi, level) == (int(found.max()), air.level_of(int(found.max())))


HOURLY = [
    ("1003A", 108, 109, 2, 30, "1.5", 97, 142, "pm25"), ("1004A", 71, 151, 3, 36, "1.5", 58, 101, "pm10"), ("1001A", 87, 99, 2, 17, "1.1", 178, 115, "pm25"),
    ("1326A", 38, 57, 7, 25, "0.8", 87, 54, "pm25+pm10"), ("1357A", 52, 80, 6, 18, "0.8", 177, 72, "pm25+o3"),
    ("3208A", 63, 100, 11, 14, "1.1", 188, 85, "pm25+o3"), ("1031A", 42, 80, 6, 12, "0.7", 170, 65, "pm10"), ("1625A", 33, 85, 12, 11, "0.8", 182, 78, "o3"),
    ("1002A", 5, 0, 3, 6, "0.9", 187, 84, "o3"), ("1077A", NONE, 78, 6, 17, "1.3", 189, 87, "o3"), ("2504A", 43, NONE, 13, 31, "8.5", 17, 85, "co"),
    ("1770A", 26, 39, 154, 38, "0.7", 41, 51, "so2"), ("1414A", NONE, 0, NONE, NONE, NONE, NONE, 0, ""),
    ("德州市 09", 479, 781, 49, 34, "2.6", 13, 500, "pm10"), ("德州市 10", 501, 780, 48, 37, "2.6", 17, 500, "pm25+pm10"),
]  # fmt: skip


@pytest.mark.parametrize(("site", "pm25", "pm10", "so2", "no2", "co", "o3", "aqi", "primary"), HOURLY, ids=[row[0] for row in HOURLY])
def test_published_hours(site: str, pm25: Any, pm10: Any, so2: Any, no2: Any, co: Any, o3: Any, aqi: int, primary: str) -> None:
    """Published hours have their AQI and all their primary pollutants, ties after the ceiling included."""
    found = judged(2012, "hour", (pm25, pm10, so2, no2, co, o3))
    quick = hours.real_time(thousandths((pm25, pm10, so2, no2, co, o3)), 0)

    assert (aqi, primary) == (int(found.aqi[0]), tables.primaries(daily=False)[found.primary[0]])
    assert (aqi, primary) == (int(quick.aqi[0]), tables.primaries(daily=False)[quick.primary[0]])


OZONE = [
    (1, (69,), 69), (2, (69, 59), 64), (3, (69, 59, 62), 63), (2, (7, 8), 8), (2, (48, 49), 48), (2, (28, 21), 24), (2, (59, 52), 56),
    (17, (39, 41, 46, 48, 41, 51, 71, 83), 52), (23, (140, 159, 151, 145, 118, 79, 95, 69), 120), (15, (39, 56, 62, 77, 91, 109, 119, 123), 84),
]  # fmt: skip


@pytest.mark.parametrize(("label", "window", "wanted"), OZONE)
def test_published_ozone_windows(label: int, window: tuple[int, ...], wanted: int) -> None:
    """Published 8 h means begin with their day and are rounded half to even."""
    cells = np.full((24, 1, 6), MISSING, np.int32)
    cells[label - len(window) : label, 0, tables.OZONE] = np.array(window) * 1_000

    assert wanted == rolling.displayed(cells, np.zeros(1, bool))[label - 1, 0, tables.OZONE]


JINAN = [
    ("2016-01-01", 110, 172, 49, 40, "1.2", 81, 144, "pm25"), ("2016-01-02", 200, 290, 92, 102, "2.9", 72, 250, "pm25"),
    ("2016-01-03", 380, 536, 104, 114, "5.3", 12, 436, "pm10"), ("2016-04-30", 71, 138, 29, 20, "0.8", 160, 100, "o3_8h"),
    ("2016-07-01", 36, 65, 17, 33, "0.9", 154, 95, "o3_8h"), ("2016-10-15", 48, 87, 15, 61, "1.3", 67, 77, "no2"),
    ("2016-12-20", 386, 618, 58, 111, "6.8", 8, 500, "pm10"), ("2018-05-28", 0, 0, 18, 33, "0.6", 238, NONE, ""),
    ("2017-05-05", 0, 0, 12, 43, "0.7", 110, NONE, ""),
]  # fmt: skip


@pytest.mark.parametrize(("day", "pm25", "pm10", "so2", "no2", "co", "o3", "aqi", "primary"), JINAN, ids=[row[0] for row in JINAN])
def test_published_days(day: str, pm25: int, pm10: int, so2: int, no2: int, co: str, o3: int, aqi: int | None, primary: str) -> None:
    """Published days have their AQI from their integers; a day with PM of 0 has none, and so is neither good nor heavy."""
    found = days.published(thousandths((pm25, pm10, so2, no2, co, o3))).judged(np.zeros(1, np.uint8))

    assert (-1 if aqi is None else aqi, primary) == (int(found.aqi[0]), tables.primaries(daily=True)[found.primary[0]])


def test_the_gases_of_a_deducted_day() -> None:
    """济南 2017-05-05: PM is deducted, and the gases that are left reach 59, not the published 222."""
    assert 59 == int(judged(2012, "day", (None, None, 12, 43, "0.7", 110)).iaqi[0].max())


def counted(good: int, light: int, heavy: int, gaps: int) -> years.Running:
    """A stretch of days with these AQIs: good, light, heavy, none."""
    aqi = np.array([100] * good + [150] * light + [201] * heavy + [-1] * gaps, np.int16)
    return years.running(days.none(len(aqi), 6), aqi, FIRST)


RATIOS = [(27, 2, 0, 1, "93.1"), (28, 2, 0, 0, "93.3"), (86, 2, 3, 0, "94.5"), (28, 0, 0, 0, "100.0"), (238, 127, 0, 0, "65.2"), (239, 126, 0, 0, "65.5")]
RATIOS += [(239, 127, 0, 0, "65.3"), (235, 125, 0, 5, "65.3")]


@pytest.mark.parametrize(("good", "light", "heavy", "gaps", "wanted"), RATIOS)
def test_published_good_day_ratios(good: int, light: int, heavy: int, gaps: int, wanted: str) -> None:
    """Good days are divided by valid days and shown with one decimal."""
    running = counted(good, light, heavy, gaps)
    ratio = running.ratio()

    assert ratio is not None
    assert (Fraction(wanted), heavy) == (fixed.rounded(ratio, 1), int(running.counts[-1][2]))


COMPOSITES = [
    ("婺源 2023-09", 11, 16, 40, 16, "0.6", 139, "2.63", "2.631"), ("淄博 2023-05", 12, 27, 65, 29, "0.8", 191, "4.03", "4.026"),
    ("奈曼大镇 Q1", 9, 14, 77, 23, "1.1", 96, "3.14", "3.132"), ("河源 2022-02", 3, 13, 16, 13, "0.9", 87, "1.73", "1.744"),
]  # fmt: skip


@pytest.mark.parametrize(("place", "so2", "no2", "pm10", "pm25", "co", "o3", "shown", "plain"), COMPOSITES, ids=[row[0] for row in COMPOSITES])
def test_published_composite_indices(place: str, so2: int, no2: int, pm10: int, pm25: int, co: str, o3: int, shown: str, plain: str) -> None:
    """Published indices come out with each part rounded half to even to two decimals; the plain sum stands beside."""
    found = days.published(np.repeat(thousandths((pm25, pm10, so2, no2, co, o3)), 10, axis=0))
    composite = years.running(found, found.judged(np.zeros(10, np.uint8)).aqi, FIRST).composite()

    assert composite is not None
    assert Fraction(shown) == composite[0]
    assert Fraction(plain) == fixed.rounded(composite[1], 3)


MDA8 = (30, 28, 25, 22, 20, 19, 22, 30, 45, 66, 88, 110, 132, 150, 161, 168, 170, 165, 150, 128, 100, 82, 70, 60)
WINDOWS = ["24.5", "26.375", "31.125", "39", "50", "64", "80.375", "97.75", "115", "130.625", "143", "150.75", "153.0", "149", "140.5", "129.125", "115.625"]


def test_the_golden_ozone_day() -> None:
    """17 windows end with hour 8…24; the largest, 153.0, is the day's value and has index 95."""
    cells = np.full((24, 1, 6), MISSING, np.int32)
    cells[:, 0, tables.OZONE] = np.array(MDA8) * 1_000
    found = days.from_hours(cells)

    assert [Fraction(text) for text in WINDOWS] == [Fraction(sum(MDA8[end - 8 : end]), 8) for end in range(8, 25)]
    assert Fraction(153) == Fraction(int(found.exact[0, 0, tables.OZONE]), 1_000 * tables.COMMON)
    assert 95 == found.judged(np.zeros(1, np.uint8)).iaqi[0, tables.OZONE]


@pytest.mark.parametrize(("top", "wanted"), [(153, -1), (161, 161)])
def test_thirteen_windows_stand_only_above_the_limit(top: int, wanted: int) -> None:
    """With 13 of 17 windows a maximum of 153 is no day, one of 161 is (HJ 663-2013 6.1.2)."""
    cells = np.full((24, 1, 6), MISSING, np.int32)
    cells[6:, 0, tables.OZONE] = top * 1_000
    column = [None if cell == MISSING else Fraction(int(cell), 1_000) for cell in cells[:, 0, tables.OZONE]]

    assert 13 == sum(reference.mean(column[end - 8 : end], 6) is not None for end in range(8, 25))
    assert wanted == days.from_hours(cells).shown[0, 0, tables.OZONE]


MEANS = [
    ("3.4", "44.2", 42), ("5.3", "62.9", 60), ("4.2", "78.6", 76), ("7.4", "120.2", 116), ("3.3", "36.9", 36), ("0", "0.0", 0), ("1020", "0", 42),
    ("1044", "0", 44),
]  # fmt: skip


@pytest.mark.parametrize(("first", "rest", "wanted"), MEANS)
def test_means_that_decide_an_integer(first: str, rest: str, wanted: int) -> None:
    """Daily means on a tie are rounded exactly, also where a float sum falls on the other side."""
    cells = np.full((24, 1, 6), MISSING, np.int32)
    cells[:, 0, 0] = [fixed.from_text(value) for value in [first] + [rest] * 23]

    assert wanted == days.from_hours(cells).shown[0, 0, 0]


def test_half_of_a_small_mean_is_even() -> None:
    """Twelve hours of 0.1 and twelve of 0.9 have the mean 0.5, shown as 0."""
    cells = np.full((24, 1, 6), MISSING, np.int32)
    cells[:, 0, 0] = [100] * 12 + [900] * 12

    assert 0 == days.from_hours(cells).shown[0, 0, 0]


def test_a_year_of_unrounded_days() -> None:
    """Days of 24, 23 and 20 hours with means 42, 42 and 42.5 have the year mean 42 + 1/6, exactly."""
    cells = np.full((72, 1, 6), MISSING, np.int32)
    for day, (count, total) in enumerate([(24, 1_008_000), (23, 966_000), (20, 850_000)]):
        cells[24 * day : 24 * day + count, 0, 0] = total // count
    found = days.from_hours(cells).scope(0)

    assert 26_883_780_000 == int(found.exact[:, 0].sum())
    assert Fraction(253, 6) == years.running(found, np.full(3, -1, np.int16), FIRST).mean("pm25")


@pytest.mark.parametrize(
    ("text", "digits", "wanted"),
    [
        ("42.45", 1, "42.4"), ("42.55", 1, "42.6"), ("42.5", 0, "42"), ("43.5", 0, "44"), ("0.125", 2, "0.12"), ("0.835", 2, "0.84"), ("2.675", 2, "2.68"),
        ("1.35", 1, "1.4"), ("0.45", 1, "0.4"), ("0.675", 2, "0.68"), ("0.225", 2, "0.22"),
    ],
)  # fmt: skip
def test_golden_roundings(text: str, digits: int, wanted: str) -> None:
    """GB/T 8170 rounds half to even, from decimal text."""
    value = Fraction(text)

    assert wanted == fixed.text(fixed.from_text(text), digits)
    assert Fraction(wanted) == fixed.rounded(value, digits)
