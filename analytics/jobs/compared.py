"""Figures beside those of the same calendar period last year, of the month before, and of the other townships.

What is compared is what is displayed, as integers of the last digit: whoever subtracts two published figures finds the same change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from analytics.jobs.columns import Column, Tag, column
from analytics.jobs.rounding import half_even
from domain import air, civil
from domain.indicators import FIGURES, PERIODS

STATES: Final = ("", "incomplete", "last-incomplete", "both-incomplete")
"""Validity of both: this figure or the other one has too few data."""
PERIODS_COMPARED: Final = tuple(period for period in PERIODS if period != "hour")
ALONE: Final = frozenset({"valid_days", "data_capture", "standard"})
"""Figures that say how much there is, not how it is."""
RANKED: Final[Mapping[str, frozenset[str]]] = {
    "day": frozenset({"aqi", "pm25", "pm10", "o3_8h"}),
    **dict.fromkeys(("month", "quarter", "ytd", "year"), frozenset({"pm25_mean", "pm10_mean", "o3_p90", "good_ratio", "heavy_days", "composite"})),
}
"""Figures by which townships are ranked, the cleanest first."""
MORE_IS_BETTER: Final = frozenset({"good_ratio"})
_TENTHS: Final = 1_000
"""Tenths of a percent in one."""
Times = npt.NDArray[np.int64]


def comparable(tag: Tag) -> bool:
    """Whether figures of a tag are compared with last year's."""
    return tag.period in PERIODS_COMPARED and tag.figure in FIGURES and tag.figure not in ALONE and tag.basis not in {"published", "official"}


def with_last_year(now: Iterable[Column], past: Mapping[Tag, Column]) -> list[Column]:
    """Change, percent and last year's value of every figure that has one.

    Parameters
    ----------
    now : iterable of Column
        Of one year.
    past : mapping of Tag to Column
        Of the year before.

    Returns
    -------
    list of Column
        Figure ``…_yoy``: value = change, target = last year's value, margin = change in percent; no row where last year has none.
    """
    return [_beside(one, "yoy", *_shifted(past[one.tag], last_year(one))) for one in now if comparable(one.tag) and one.tag in past]


def with_month_before(now: Iterable[Column], past: Mapping[Tag, Column]) -> list[Column]:
    """The same for months and the month before, which for January is last year's December."""
    found = []
    for one in now:
        if one.tag.period == "month" and comparable(one.tag) and len(one.time):
            december = past.get(one.tag)
            whole = one if december is None or not len(december.time) else _join(december, one)
            found.append(_beside(one, "mom", *_shifted(whole, _month_before(one.time))))
    return found


def at(one: Column, times: Times) -> Column:
    """The rows of a column at some times, in that order; absent rows have no value and nothing valid."""
    value, there, _ = _shifted(one, times)
    place = np.minimum(np.searchsorted(one.time, times), max(len(one.time) - 1, 0))
    valid, expected = (np.where(there, kept[place], 0) if len(one.time) else np.zeros(len(times)) for kept in (one.valid, one.expected))
    return column(one.tag, times, value, (valid, expected))


def ranks(columns: Sequence[Column], member: npt.NDArray[np.bool_]) -> list[Column]:
    """Rank of places by one figure, row by row; equal displayed values share a rank.

    Parameters
    ----------
    columns : sequence of Column
        The same figure of several places, with the same times.
    member : (n, p) bool
        Whether a place is ranked at the time of a row.

    Returns
    -------
    list of Column
        Figure ``…_rank``: value = rank from 1, valid = how many places are ranked, expected = how many there are.
    """
    values = np.stack([one.value for one in columns], axis=1)
    there = member & ~np.isnan(values)
    ordered = np.where(there, -values if columns[0].tag.figure in MORE_IS_BETTER else values, np.inf)
    rank = 1 + (ordered[:, None, :] < ordered[:, :, None]).sum(axis=2)
    number, all_ = there.sum(axis=1), member.sum(axis=1)
    made = []
    for place, one in enumerate(columns):
        own = there[:, place]
        tag = one.tag._replace(figure=f"{one.tag.figure}_rank")
        made.append(column(tag, one.time, np.where(own, rank[:, place], np.nan), (np.where(own, number, 0), all_)))
    return made


def ranked(tag: Tag) -> bool:
    """Whether townships are ranked by a figure."""
    return tag.basis == "raw" and tag.figure in RANKED.get(tag.period, ())


def last_year(one: Column) -> Times:
    """Times of the same calendar period last year; for 29 February the running year's is 28 February, and the day has none (-1)."""
    if not len(one.time):
        return one.time
    known, same = _calendar(civil.year_of_day(civil.day_of(int(one.time[0]) + 1)), one.tag.period)
    return same[np.searchsorted(known, one.time)]


@lru_cache(maxsize=64)
def _calendar(year: int, period: str) -> tuple[Times, Times]:
    first, last = civil.year_days(year)
    days = range(first, last + 1)
    pairs = [(civil.period_stamp(day), _same_day(day, period)) for day in days]
    known, same = zip(*pairs, strict=True)
    return np.array(known, np.int64), np.array(same, np.int64)


def _same_day(day: int, period: str) -> int:
    date = civil.date_of(day)
    if period in {"month", "quarter", "year"}:
        # Stamped with its last day, which is another one in a leap February.
        after = civil.date_of(day + 1)
        return civil.period_stamp(civil.day_number(after.replace(year=after.year - 1)) - 1) if after.day == 1 else -1
    if (date.month, date.day) == (2, 29):
        return -1 if period == "day" else civil.period_stamp(civil.day_number(date.replace(year=date.year - 1, day=28)))
    return civil.period_stamp(civil.day_number(date.replace(year=date.year - 1)))


def _month_before(times: Times) -> Times:
    firsts = [civil.date_of(civil.day_of(time + 1)).replace(day=1) for time in times.tolist()]
    return np.array([civil.period_stamp(civil.day_number(first) - 1) for first in firsts], np.int64)


def _join(one: Column, other: Column) -> Column:
    statuses = tuple(dict.fromkeys((*one.statuses, *other.statuses)))
    arrays: dict[str, Any] = {
        name: np.concatenate([getattr(part, name) for part in (one, other)]) for name in ("time", "value", "valid", "expected", "text", "version")
    }
    status = np.concatenate([np.array([statuses.index(word) for word in part.statuses], np.uint8)[part.status] for part in (one, other)])
    return replace(other, **arrays, status=status, statuses=statuses)


def _shifted(other: Column, times: Times) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Values of another column at some times, where it has a row, and where that row has too few data."""
    place = np.minimum(np.searchsorted(other.time, times), max(len(other.time) - 1, 0))
    there = (other.time[place] == times) & (other.valid[place] > 0) if len(other.time) else np.zeros(len(times), bool)
    value = np.where(there, other.value[place], np.nan) if len(other.time) else np.full(len(times), np.nan)
    return value, there, there & _incomplete(other)[place] if len(other.time) else there


def _incomplete(one: Column) -> npt.NDArray[np.bool_]:
    """Rows with too few data: no value, marked so, or a running year with less than the share of days that a year needs."""
    short = np.isnan(one.value) | (one.status == (one.statuses.index("incomplete") if "incomplete" in one.statuses else 255))
    if one.tag.period == "ytd":
        short |= one.valid * 365 < one.expected * air.YEAR_DAYS
    return np.asarray(short, bool)


def _beside(now: Column, suffix: str, other: npt.NDArray[np.float64], there: npt.NDArray[np.bool_], short: npt.NDArray[np.bool_]) -> Column:
    power = 10 ** FIGURES[now.tag.figure].digits
    both = there & ~np.isnan(other) & ~np.isnan(now.value)
    mine, last = (np.rint(np.where(both, values, 0) * power).astype(np.int64) for values in (now.value, other))
    change = mine - last
    percent = np.sign(change) * half_even(_TENTHS * np.abs(change), np.maximum(last, 1)) / 10
    status = (_incomplete(now) + 2 * short).astype(np.uint8)
    value, margin = np.where(both, change / power, np.nan), np.where(both & (last > 0), percent, np.nan)
    valid, nothing = np.where(there, now.valid, np.float32(0)), np.zeros(len(now.time), np.uint8)
    tag = now.tag._replace(figure=f"{now.tag.figure}_{suffix}")
    return Column(tag, now.time, value, valid, now.expected, status, nothing, STATES, target=other, margin=margin)
