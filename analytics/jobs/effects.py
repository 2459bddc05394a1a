"""What a finding does to figures: the mean of its last day and of that day's year, as they are and as they would be without it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from domain import civil

Floats = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]


def effect(time: Longs, values: Floats, right: Floats, least: int = 1) -> dict[str, float | None]:
    """Means with and without a finding; the year's is the mean of its days. None where a mean has too little.

    Parameters
    ----------
    time : (n,) int64 [s]
        End labels, ascending.
    values, right : (n,) float64
        As they are, and as they would be; NaN = missing. They differ where the finding is.
    least : int
        Values that a day's mean needs.

    >>> effect(np.array([90_000, 93_600]), np.array([4.0, 6.0]), np.array([4.0, np.nan]))
    {'day': 5.0, 'day_without': 4.0, 'year': 5.0, 'year_without': 4.0}
    """
    touched = np.flatnonzero(~((values == right) | (np.isnan(values) & np.isnan(right))))
    if not len(touched):
        return dict.fromkeys(("day", "day_without", "year", "year_without"))
    day = civil.day_of(int(time[touched[-1]]))
    first, last = civil.year_days(civil.year_of_day(day))
    rows = slice(*time.searchsorted([civil.day_start(first), civil.day_end(last)], side="right").tolist())
    found: dict[str, float | None] = {}
    for name, some in (("", values[rows]), ("_without", right[rows])):
        means = _days(civil.day_of_array(time[rows]).astype(np.int64) - first, some, last - first + 1, least)
        found |= {f"day{name}": _shown(float(means[day - first])), f"year{name}": _shown(_mean(means))}
    return {name: found[name] for name in ("day", "day_without", "year", "year_without")}


def _days(place: npt.NDArray[np.int64], values: Floats, days: int, least: int) -> Floats:
    there = ~np.isnan(values)
    count = np.bincount(place[there], minlength=days)
    total = np.bincount(place[there], weights=values[there], minlength=days)
    return np.where(count >= least, total / np.maximum(count, 1), np.nan)


def _mean(days: Floats) -> float:
    there = days[~np.isnan(days)]
    return float(there.mean()) if len(there) else np.nan


def _shown(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 4)
