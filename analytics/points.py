"""A permit point's hours and days against its limits: what exceeds, by how much, what was marked, what came.

Values stay as they were sent; an hour made of shorter spans and a day's mean are exact and rounded to the nearest float only.
A pure function of the stored rows, the registry and the marks, so neither order nor repetition can be seen.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from analytics import bases
from analytics.water.records import SCALE, exact_sum
from domain import civil, permit
from domain.items import BY_REALM
from domain.marks import Span
from domain.places import Point, PointLimit
from domain.readings import Series

REALM: Final = "point"
NAMES: Final = BY_REALM[REALM]
_COUNTED: Final = np.isin(np.arange(256), [ord(letter) for letter in permit.COUNTED])
_EXCUSED: Final = np.isin(np.arange(256), [ord(letter) for letter in permit.EXCUSED])

Longs = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bytes = npt.NDArray[np.uint8]


class Hours(NamedTuple):
    """Hours of a point.

    Attributes
    ----------
    time : (n,) int64 [s]
        End labels of full hours, ascending.
    values : (n, k) float64
        Items of :data:`NAMES` that count; NaN = none.
    flags : (n, k) uint8
        Letter of each hour's value (ASCII), also of those that do not count; 0 = nothing came.
    """

    time: Longs
    values: Floats
    flags: Bytes


class Over(NamedTuple):
    """What exceeded one limit on one day: hours over it, or the day's mean (``hours`` = 0).

    Attributes
    ----------
    time : int [s]
        End of the first such hour, or of the day.
    worst : float
        Largest value, as sent, or the mean [unit of the item].
    multiple : Fraction
        (worst − limit) ÷ limit.
    """

    limit: PointLimit
    time: int
    hours: int
    worst: float
    worst_time: int
    multiple: Fraction


class PointDay(NamedTuple):
    """A point's civil day.

    Attributes
    ----------
    due : int
        Hours that should have come by now; 0 while no accepted device speaks for the point.
    told : int
        Hours with every limited item valid or marked with a reason.
    marked : int
        Those of them with a mark.
    reasons : mapping of letter to hours
    over_hours : int
        Hours over any hourly limit.
    over_day : bool
        Whether a daily mean is over its limit.
    """

    due: int
    told: int
    marked: int
    reasons: Mapping[str, int]
    over: tuple[Over, ...]
    over_hours: int
    over_day: bool

    @property
    def multiple(self) -> Fraction:
        """Largest multiple; 0 where nothing exceeds."""
        return max((one.multiple for one in self.over), default=Fraction(0))

    @property
    def state(self) -> str:
        """One of :data:`domain.permit.STATES`."""
        if self.over:
            return "over"
        return "silent" if not self.told else "marked" if self.marked == self.told else "within"


NOTHING: Final = Hours(np.zeros(0, np.int64), np.zeros((0, len(NAMES))), np.zeros((0, len(NAMES)), np.uint8))


def hours(known: Iterable[Series], interval: int, marks: Sequence[Span] = ()) -> Hours:
    """Hours out of stored rows: a sent hour first, else the exact mean of shorter spans that cover 45 minutes.

    Parameters
    ----------
    known : iterable of Series
        Rows of the hours in question; spans over an hour say nothing here.
    interval : int [s]
        What an instantaneous value stands for.
    marks : sequence of Span
        What people marked, in order of receipt.
    """
    found: dict[int, tuple[Floats, Bytes]] = {}
    for one in sorted((one for one in known if one.span <= civil.HOUR_S), key=lambda one: one.span):
        for time, values, flags in _sent(one) if one.span == civil.HOUR_S else _built(one, one.span or interval):
            found[time] = _over_it(found.get(time), values, flags)
    if not found:
        return NOTHING
    labels = sorted(found)
    values_of, flags_of = np.stack([found[label][0] for label in labels]), np.stack([found[label][1] for label in labels])
    return _marked(Hours(np.array(labels, np.int64), values_of, flags_of.astype(np.uint8)), marks)


def _over_it(before: tuple[Floats, Bytes] | None, values: Floats, flags: Bytes) -> tuple[Floats, Bytes]:
    """A longer span's items over those of a shorter one."""
    return (values, flags) if before is None else (np.where(flags != 0, values, before[0]), np.where(flags != 0, flags, before[1]))


def _sent(one: Series) -> Iterable[tuple[int, Floats, Bytes]]:
    counts = _COUNTED[one.flags] & ~np.isnan(one.values)
    for row in np.flatnonzero(one.time % civil.HOUR_S == 0).tolist():
        yield int(one.time[row]), np.where(counts[row], one.values[row], np.nan), one.flags[row]


def _built(one: Series, span: int) -> Iterable[tuple[int, Floats, Bytes]]:
    label = -(-one.time // civil.HOUR_S) * civil.HOUR_S
    edges = np.flatnonzero(np.diff(label, prepend=-(2**62), append=2**62))
    least = -(-permit.MINUTES * 60 // span)
    for begin, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        values, flags = np.full(len(NAMES), np.nan), np.zeros(len(NAMES), np.uint8)
        for place in np.flatnonzero(one.flags[begin:end].any(axis=0)).tolist():
            values[place], flags[place] = _hour(one.values[begin:end, place], one.flags[begin:end, place], least)
        if flags.any():
            yield int(label[begin]), values, flags


def _hour(values: Floats, flags: Bytes, least: int) -> tuple[float, int]:
    """Value and flag of an hour of shorter spans; (NaN, 0) where too few of them came."""
    counts = _COUNTED[flags] & ~np.isnan(values)
    number = int(counts.sum())
    if number >= least:
        return mean(values[counts]), ord("N")
    excused = flags[_EXCUSED[flags]]
    if number + len(excused) < least or not len(excused):
        return np.nan, 0
    letters, often = np.unique(excused, return_counts=True)
    return np.nan, int(letters[int(often.argmax())])


def mean(values: Floats) -> float:
    """Mean of decimals, exact, then the nearest float.

    >>> mean(np.array([0.1, 0.2]))
    0.15
    """
    return float(Fraction(exact_sum(values), len(values) * SCALE))


def _marked(known: Hours, marks: Sequence[Span]) -> Hours:
    """What people marked takes a value out; N gives back what came."""
    letters = bases.placed(marks, known.time, NAMES)
    gone = bases.out(letters) & (known.flags != 0)
    return known._replace(values=np.where(gone, np.nan, known.values), flags=np.where(gone, letters, known.flags).astype(np.uint8))


def limits_on(point: Point, day: int) -> list[PointLimit]:
    """Limits in force on a civil day, one an item and average: the one that began last."""
    found: dict[tuple[str, str], PointLimit] = {}
    for limit in sorted(point.limits, key=lambda one: one.first_day):
        if limit.first_day <= day:
            found[limit.item, limit.average] = limit
    return list(found.values())


def judged(known: Hours, limits: Sequence[PointLimit], day: int, due: int) -> PointDay:
    """A civil day held against its limits.

    Parameters
    ----------
    known : Hours
        Of that day, or of more.
    due : int
        Hours that should have come.
    """
    begin, end = (int(known.time.searchsorted(label, side="right")) for label in (civil.day_start(day), civil.day_end(day)))
    time, values, flags = known.time[begin:end], known.values[begin:end], known.flags[begin:end]
    asked = sorted({NAMES.index(limit.item) for limit in limits}) or list(range(len(NAMES)))
    there, excused = ~np.isnan(values[:, asked]), _EXCUSED[flags[:, asked]]
    told = (there | excused).all(axis=1) if limits else (there | excused).any(axis=1)
    marked = told & excused.any(axis=1)
    reasons: defaultdict[str, int] = defaultdict(int)
    for row in np.flatnonzero(marked).tolist():
        for letter in sorted({int(one) for one in flags[row, asked][excused[row]]}):
            reasons[chr(letter)] += 1
    over = [one for limit in limits if (one := _over(time, values[:, NAMES.index(limit.item)], limit, day)) is not None]
    hourly = [one.limit for one in over if one.hours]
    bounds = np.array([float(limit.value) for limit in hourly])
    above = (values[:, [NAMES.index(limit.item) for limit in hourly]] > bounds).any(axis=1) if hourly else np.zeros(0, bool)
    return PointDay(due, int(told.sum()), int(marked.sum()), dict(reasons), tuple(over), int(above.sum()), any(not one.hours for one in over))


def _over(time: Longs, values: Floats, limit: PointLimit, day: int) -> Over | None:
    """What exceeds one limit; floats of shortest decimals keep the decimals' order, so the comparison is exact."""
    bound = float(limit.value)
    if limit.average == "day":
        there = values[~np.isnan(values)]
        value = mean(there) if len(there) >= permit.DAY_HOURS else np.nan
        label = civil.day_end(day)
        return Over(limit, label, 0, value, label, multiple_of(value, limit)) if value > bound else None
    above = np.flatnonzero(values > bound)
    if not len(above):
        return None
    worst = int(above[int(values[above].argmax())])
    return Over(limit, int(time[above[0]]), len(above), float(values[worst]), int(time[worst]), multiple_of(float(values[worst]), limit))


def multiple_of(value: float, limit: PointLimit) -> Fraction:
    """(C − S) ÷ S, exact on the decimals.

    >>> multiple_of(60.5, PointLimit("cod", "50", "hour", 0))
    Fraction(21, 100)
    """
    bound = Fraction(limit.value)
    return (Fraction(Decimal(repr(value))) - bound) / bound
