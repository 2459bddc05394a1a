"""Quality of a section's records: which rule flags what, by which numbers, and how far the day's and the year's means hang on it.

Nothing is deleted: what a person believes decides, by a mark.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from analytics.kernels import quality as kernel
from analytics.water.records import NAMES, Day
from domain import civil, quality
from domain.fixed import MISSING, SCALE
from domain.quality import RULES

ITEMS: Final = tuple(quality.WATER)
_PLACES: Final = [NAMES.index(item) for item in ITEMS]
_NUMBERS: Final = np.array(
    [[SCALE * one.low, SCALE * one.high, SCALE * one.rate, SCALE * one.floor, one.stuck] for one in (quality.WATER[item] for item in ITEMS)], np.int32
)
_SHARES: Final = np.array([quality.WATER[item].share for item in ITEMS])
_EDGE: Final = 2e6
_SATURATION: Final = (468.0, 31.6)
"""DO of saturation [mg/L] = 468 ÷ (31.6 + T), T in °C (HJ 2.3-2018)."""

Floats = npt.NDArray[np.float64]
Bytes = npt.NDArray[np.uint8]


class Table(NamedTuple):
    """Records of a section: (n,) int64 [s] and (n, k) float64 of :data:`ITEMS`, NaN = no value that counts."""

    time: npt.NDArray[np.int64]
    values: Floats


class Finding(NamedTuple):
    """Records of one item that one rule flags on one day, with the day's and the year's mean as they are and without them."""

    rule: str
    item: str
    day: int
    records: int
    numbers: Mapping[str, float]
    effect: Mapping[str, float | None]


def table(days: Mapping[int, Day], first: int, last: int) -> Table:
    """Records of some civil days, both ends included."""
    some = [days[day] for day in sorted(days) if first <= day <= last]
    if not some:
        return Table(np.zeros(0, np.int64), np.zeros((0, len(ITEMS))))
    return Table(np.concatenate([day.time for day in some]), np.concatenate([day.values[:, _PLACES] for day in some]))


def flags(known: Table) -> Bytes:
    """Bits of the rules for every value: (n, k) uint8."""
    rows = np.arange(len(known.time)) + np.cumsum(np.diff(known.time, prepend=known.time[:1]) > quality.WATER_GAP_S)
    dense = np.full((int(rows[-1]) + 1 if len(rows) else 0, len(ITEMS)), MISSING, np.int32)
    there = ~np.isnan(known.values)
    scaled = np.rint(np.clip(np.where(there, known.values, 0), -_EDGE, _EDGE) * SCALE)
    # A gap in time becomes a missing record, for the kernel knows none: no rate is taken across it.
    dense[rows] = np.where(there, scaled, MISSING).astype(np.int32)
    out = np.empty(dense.shape, np.uint8)
    kernel.scan(dense, _NUMBERS, _SHARES, out)
    found: Bytes = out[rows]
    _related(known.values, found)
    return found


def _related(values: Floats, found: Bytes) -> None:
    bit = np.uint8(RULES["relation"].bit)
    oxygen, temp = (values[:, ITEMS.index(item)] for item in ("do", "temp"))
    part, whole, factor, least = quality.PART
    small, large = (values[:, ITEMS.index(item)] for item in (part, whole))
    too_much = saturation(oxygen, temp) > quality.SATURATION
    found[:, ITEMS.index("do")] |= bit * too_much
    found[:, [ITEMS.index(part), ITEMS.index(whole)]] |= (bit * ((small > factor * large) & (small - large > least)))[:, None]


def saturation(oxygen: Floats, temp: Floats) -> Floats:
    """Oxygen as a share of its saturation [%]; NaN without temperature.

    >>> saturation(np.array([9.07]), np.array([20.0])).round(1)
    array([100.])
    """
    top, base = _SATURATION
    return 100 * oxygen * (base + temp) / top


def findings(known: Table, found: Bytes, since: int) -> Iterator[Finding]:
    """What is flagged from a civil day on, one finding a rule, item and day; the year is that of the table."""
    day = civil.day_of_array(known.time)
    for rule in (one for one in RULES.values() if one.bit):
        hit = (found & rule.bit) != 0
        for place in np.flatnonzero(hit.any(axis=0)).tolist():
            for number in np.unique(day[hit[:, place] & (day >= since)]).tolist():
                rows = hit[:, place] & (day == number)
                yield Finding(rule.name, ITEMS[place], number, int(rows.sum()), _numbers(rule.name, ITEMS[place]), _effect(known, place, (rows, day == number)))


def _numbers(rule: str, item: str) -> dict[str, float]:
    one = quality.WATER[item]
    if rule == "relation":
        return {"saturation": quality.SATURATION} if item == "do" else {"factor": quality.PART[2], "least": quality.PART[3]}
    return {name: float(getattr(one, name)) for name in {"range": ("low", "high")}.get(rule, ("rate", "share"))}


def _effect(known: Table, place: int, rows: tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]) -> dict[str, float | None]:
    flagged, today = rows
    values = known.values[:, place]
    without = np.where(flagged, np.nan, values)
    return {
        "day": _mean(values[today]),
        "day_without": _mean(without[today]),
        "year": _year(known, values),
        "year_without": _year(known, without),
    }


def _year(known: Table, values: Floats) -> float | None:
    """Mean of the months' means."""
    months = np.array([civil.month_of_day(day)[1] for day in civil.day_of_array(known.time).tolist()])
    means = [mean for month in np.unique(months).tolist() if (mean := _mean(values[months == month])) is not None]
    return round(sum(means) / len(means), 4) if means else None


def _mean(values: Floats) -> float | None:
    there = values[~np.isnan(values)]
    return round(float(there.mean()), 4) if len(there) else None
