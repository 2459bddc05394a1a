"""The cube: a site's year of hours as int32 thousandths, filled from stored readings in any order.

Every cell is a pure function of the stored rows of its hour, so that neither the order of arrival nor the batching can be
seen in it. The year carries the last day of the year before, for windows that reach back.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from analytics.kernels import layout
from analytics.tables import DAILY
from domain import air, civil, fixed
from domain.items import AIR
from domain.readings import STATISTICAL, Reading

BACK: Final = 1
"""Days kept before the first of January."""
_COUNTED: Final = STATISTICAL | {"X"}
"""Flags whose values enter the raw series; a dust event stays in it."""
SHORT: Final = ord("-")
"""Mark of an hour of which less than 45 minutes were there."""
_WITHDRAWN: Final = "W"


class SiteYear(NamedTuple):
    """A site's year.

    Attributes
    ----------
    first : int
        Civil day of the first of January.
    hours : (24·(BACK + d), 6) int32 [thousandths of the reporting unit]
        Hours 1…24 of each day, ``BACK`` days before ``first`` included; ``MISSING`` = no valid hour.
    built : (24·(BACK + d), 6) bool
        Whether the hour was made of shorter spans.
    days : (d, 6) int32 [thousandths]
        Daily values that were sent or published as such (span 86,400).
    lost : (24·(BACK + d), 6) uint8
        Why an hour is missing although something was stored: the letter of its flag (ASCII; W = withdrawn), or ``SHORT``; 0 otherwise.
    """

    first: int
    hours: npt.NDArray[np.int32]
    built: npt.NDArray[np.bool_]
    days: npt.NDArray[np.int32]
    lost: npt.NDArray[np.uint8]


def empty(year: int) -> SiteYear:
    """A year without readings."""
    first, last = civil.year_days(year)
    count = last - first + 1
    rows = 24 * (count + BACK)
    hours = np.full((rows, len(AIR)), fixed.MISSING, np.int32)
    return SiteYear(first, hours, np.zeros(hours.shape, bool), np.full((count, len(AIR)), fixed.MISSING, np.int32), np.zeros(hours.shape, np.uint8))


def bounds(site: SiteYear) -> tuple[int, int]:
    """Start (excluded) and end (included) of the labels that belong to a site's year [s]."""
    return civil.day_start(site.first - BACK), civil.day_start(site.first + len(site.days))


def clear(site: SiteYear, day: int) -> None:
    """Forget a civil day, before it is filled again."""
    place = day - site.first
    if -BACK <= place < len(site.days):
        rows = slice(24 * (place + BACK), 24 * (place + BACK + 1))
        site.hours[rows] = fixed.MISSING
        site.built[rows] = False
        site.lost[rows] = 0
    if 0 <= place < len(site.days):
        site.days[place] = fixed.MISSING


def fill(site: SiteYear, rows: Iterable[Reading], interval: Callable[[int], int]) -> None:
    """Put stored rows of one site into its year; a sent hour goes before one built of shorter spans.

    Parameters
    ----------
    rows : iterable of Reading
        All rows of the hours they touch; other years' rows are passed over.
    interval : callable
        Seconds that an instantaneous value of a civil day stands for.
    """
    sent: list[Reading] = []
    short: defaultdict[int, list[Reading]] = defaultdict(list)
    start, end = bounds(site)
    for row in rows:
        if not start < row.time <= end:
            continue
        if row.span == civil.HOUR_S and row.time % civil.HOUR_S == 0:
            sent.append(row)
        elif row.span == civil.DAY_S:
            _daily(site, row)
        elif 0 <= row.span < civil.HOUR_S:
            short[-(-row.time // civil.HOUR_S)].append(row)
    for hour, parts in short.items():
        _build(site, hour, parts, interval)
    _sent(site, sent)


def _sent(site: SiteYear, rows: Sequence[Reading]) -> None:
    if not rows:
        return
    origin = bounds(site)[0]
    for place, item in enumerate(AIR):
        has = [row for row in rows if item in row.values]
        if not has:
            continue
        where = np.array([(row.time - origin) // civil.HOUR_S - 1 for row in has], np.int64)
        site.hours[where, place] = thousandths([_counted(row, item) for row in has])
        site.built[where, place] = False
        site.lost[where, place] = 0
    for row in rows:
        if row.flags or None in row.values.values():
            _mark(site, (row.time - origin) // civil.HOUR_S - 1, row)


def _mark(site: SiteYear, place: int, row: Reading) -> None:
    """Say why the values of a row do not count, where they do not."""
    for column, item in enumerate(AIR):
        if item in row.values and _counted(row, item) is None:
            site.lost[place, column] = ord(_letter(row, item))


def _letter(row: Reading, item: str) -> str:
    return _WITHDRAWN if row.values[item] is None else row.flags[item]


def _daily(site: SiteYear, row: Reading) -> None:
    day = civil.day_of(row.time)
    if not 0 <= day - site.first < len(site.days):
        return
    values = [_counted(row, item) for item in DAILY]
    site.days[day - site.first] = thousandths(values)


def _counted(row: Reading, item: str) -> float | None:
    """A value that enters statistics; noise below zero (flag Z) counts as zero."""
    value = row.values.get(item)
    if value is None or row.flags.get(item, "N") not in _COUNTED:
        return None
    return max(value, 0.0)


def thousandths(values: Sequence[float | None]) -> npt.NDArray[np.int32]:
    """Thousandths of floats that stand for decimals, half to even on the decimal; None = ``MISSING``.

    >>> thousandths([35.0, 0.0005, None]).tolist()[:2]
    [35000, 0]
    """
    return laid(np.array([[np.nan if value is None else value for value in values]], np.float64))[:, 0]


def laid(values: npt.NDArray[np.float64]) -> npt.NDArray[np.int32]:
    """Thousandths of floats that stand for decimals, turned from one series a row to one hour a row.

    Parameters
    ----------
    values : (s, t) float64 [reporting unit]
        NaN = no value.

    Returns
    -------
    (t, s) int32 [thousandths]
        Half to even on the decimal; ``MISSING`` = no value.

    Raises
    ------
    ValueError
        A value is infinite or beyond ±2,147,483.647.
    """
    out = np.empty(values.shape[::-1], np.int32)
    values = np.ascontiguousarray(values)
    refused, between = layout.laid(values, np.empty((layout.TILE, layout.TILE), np.int32), out)
    if refused:
        message = f"{refused} values are infinite or too large"
        raise ValueError(message)
    if between:
        scaled = values * fixed.SCALE
        for series, hour in np.argwhere(np.abs(scaled - np.rint(scaled)) > layout.NEAR).tolist():
            out[hour, series] = fixed.from_float(float(values[series, hour]))
    return out


def _build(site: SiteYear, hour: int, rows: Sequence[Reading], interval: Callable[[int], int]) -> None:
    """An hour of each item from shorter spans that cover at least 45 minutes (GB 3095-2026 table 4)."""
    place = hour - bounds(site)[0] // civil.HOUR_S - 1
    if not 0 <= place < len(site.hours):
        return
    for column, item in enumerate(AIR):
        parts = [row for row in rows if item in row.values]
        site.hours[place, column] = _mean(parts, item, interval)
        site.built[place, column] = site.hours[place, column] != fixed.MISSING
        if parts and not site.built[place, column]:
            site.lost[place, column] = _excuse(parts, item)


def _excuse(rows: Sequence[Reading], item: str) -> int:
    """The flag that most of the shorter spans bear; ``SHORT`` where the ones that count are at least as many."""
    letters = sorted("" if _counted(row, item) is not None else _letter(row, item) for row in rows)
    common = max(dict.fromkeys(letters), key=letters.count)
    return ord(common) if common else SHORT


def _mean(rows: Sequence[Reading], item: str, interval: Callable[[int], int]) -> int:
    """Exact mean over the span length that covers most, rounded once; ties go to the longer span."""
    groups: defaultdict[int, list[int]] = defaultdict(list)
    for row in rows:
        value = _counted(row, item)
        if value is not None:
            groups[row.span or interval(civil.day_of(row.time))].append(fixed.from_float(value))
    if not groups:
        return fixed.MISSING
    covered, span = max((span * len(values), span) for span, values in groups.items())
    if covered < air.HOUR_MINUTES * 60:
        return fixed.MISSING
    return fixed.half_even(sum(groups[span]), len(groups[span]))


def digest(sites: Mapping[str, SiteYear]) -> bytes:
    """All cells of some sites as bytes: equal for equal contents, whatever the order in which they arrived."""
    return b"".join(
        name.encode() + site.hours.tobytes() + site.built.tobytes() + site.days.tobytes() + site.lost.tobytes() for name, site in sorted(sites.items())
    )
