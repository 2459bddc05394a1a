"""Slow twins: the law in plain Python and fractions, written from the standards and not from the kernels.

Values are Fractions in the reporting unit, None = missing. Tables are typed here a second time, on purpose.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import ceil, floor

POINTS = [0, 50, 100, 150, 200, 300, 400, 500]
PM25 = {2012: [0, 35, 75, 115, 150, 250, 350, 500], 2026: [0, 35, 60, 115, 150, 250, 350, 500]}
PM10 = {2012: [0, 50, 150, 250, 350, 420, 500, 600], 2026: [0, 50, 120, 250, 350, 420, 500, 600]}
GASES = {
    ("so2", "day"): [0, 50, 150, 475, 800, 1600, 2100, 2620],
    ("so2", "hour"): [0, 150, 500, 650, 800],
    ("no2", "day"): [0, 40, 80, 180, 280, 565, 750, 940],
    ("no2", "hour"): [0, 100, 200, 700, 1200, 2340, 3090, 3840],
    ("co", "day"): [0, 2, 4, 14, 24, 36, 48, 60],
    ("co", "hour"): [0, 5, 10, 35, 60, 90, 120, 150],
    ("o3", "hour"): [0, 160, 200, 300, 400, 800, 1000, 1200],
    ("o3", "day"): [0, 100, 160, 215, 265, 800],
}
ITEMS = ("pm25", "pm10", "so2", "no2", "co", "o3")
Value = Fraction | None


def half_even(value: Fraction, decimals: int = 0) -> Fraction:
    """Round half to even (GB/T 8170)."""
    return Fraction(round(value * 10**decimals), 10**decimals)


def shown(item: str, value: Value) -> Value:
    """Displayed value: integers, CO one decimal."""
    return None if value is None else half_even(value, 1 if item == "co" else 0)


def table(law: int, item: str, average: str) -> list[int]:
    """Breakpoints of HJ 633."""
    if item == "pm25":
        return PM25[law]
    return PM10[law] if item == "pm10" else GASES[item, average]


def iaqi(law: int, item: str, average: str, value: Fraction) -> int | None:
    """IAQI of a displayed value, rounded up; None where the law gives none."""
    points = table(law, item, average)
    if value > points[-1]:
        if len(points) == 8:
            return 500
        return None if law == 2012 else {"so2": 200, "o3": 300}[item]
    for place in range(1, len(points)):
        low, high = points[place - 1], points[place]
        if value <= high:
            return ceil(POINTS[place - 1] + Fraction(POINTS[place] - POINTS[place - 1]) * (value - low) / (high - low))
    raise AssertionError(value)


def judge(law: int, average: str, values: Sequence[Value]) -> tuple[int | None, str]:
    """AQI and primary pollutants of six displayed values."""
    known = {item: value for item, value in zip(ITEMS, values, strict=True) if value is not None}
    found = {item: answer for item, value in known.items() if (answer := iaqi(law, item, average, value)) is not None}
    if not found or (average == "day" and "pm25" not in known and "pm10" not in known):
        return None, ""
    aqi = max(found.values())
    if law == 2026 and len(known) < 6 and aqi <= 100:
        return None, ""
    if law == 2026:
        aqi = max(aqi, 1)
    names = ["o3_8h" if item == "o3" and average == "day" else item for item, answer in found.items() if answer == aqi and aqi > 50]
    return aqi, "+".join(names)


def mean(values: Sequence[Value], least: int) -> Value:
    """Mean of the valid values if there are enough."""
    valid = [value for value in values if value is not None]
    return sum(valid, Fraction()) / len(valid) if valid and len(valid) >= least else None


def rolling(values: Sequence[Value], window: int, least: int) -> list[Value]:
    """Mean of the last ``window`` values, value by value."""
    return [mean(values[max(0, place - window + 1) : place + 1], least) for place in range(len(values))]


def ozone_hours(day: Sequence[Value]) -> list[Value]:
    """8 h means of a day, bounded by it; three quarters of the hours before hour 8, then 6 of 8."""
    return [mean(day[max(0, hour - 8) : hour], 6 if hour >= 8 else ceil(Fraction(3 * hour, 4))) for hour in range(1, 25)]


def ozone_day(day: Sequence[Value]) -> Value:
    """Daily maximum 8 h: windows that end with hour 8…24; 14 of them, or a displayed maximum above 160."""
    windows = [one for hour in range(8, 25) if (one := mean(day[hour - 8 : hour], 6)) is not None]
    if not windows:
        return None
    top = max(windows)
    return top if len(windows) >= 14 or half_even(top) > 160 else None


def day(hours: Sequence[Sequence[Value]]) -> list[Value]:
    """Unrounded daily values of six items from 24 rows of hours."""
    columns = list(zip(*hours, strict=True))
    return [*(mean(column, 20) for column in columns[:5]), ozone_day(columns[5])]


def city(stations: Sequence[Value]) -> Value:
    """Mean of the stations if 75 % of them are valid (50 % of fewer than four)."""
    share = Fraction(3, 4) if len(stations) >= 4 else Fraction(1, 2)
    return mean(stations, max(1, ceil(share * len(stations))))


def percentile(values: Sequence[Fraction], share: Fraction) -> Fraction:
    """X(s) + (X(s+1) - X(s))·(k - s) with k = 1 + (n - 1)·p (HJ 663)."""
    ordered = sorted(values)
    place = (len(ordered) - 1) * share
    low = floor(place)
    return ordered[low] + (ordered[min(low + 1, len(ordered) - 1)] - ordered[low]) * (place - low)
