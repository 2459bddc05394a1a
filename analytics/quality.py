"""Quality of a station's hours: which rule flags what, with what numbers, and how far today's and this year's figures hang on it.

Nothing is deleted: what a person believes decides, by a mark. A finding says what would happen if the flagged hours were taken out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from analytics.kernels import quality as kernel
from domain import quality
from domain.air import DAY_HOURS
from domain.fixed import MISSING, SCALE
from domain.items import AIR
from domain.quality import RULES

Ints = npt.NDArray[np.int32]
Bytes = npt.NDArray[np.uint8]
Bools = npt.NDArray[np.bool_]
_NUMBERS: Final = np.array(
    [[SCALE * one.low, SCALE * one.high, SCALE * one.rate, SCALE * one.floor, one.stuck] for one in (quality.AIR[item] for item in AIR)], np.int32
)
_SHARES: Final = np.array([quality.AIR[item].share for item in AIR])


class Effect(NamedTuple):
    """An item's daily and yearly mean as they are and without the flagged hours [unit of the item]; None = no valid mean."""

    day: float | None
    day_without: float | None
    year: float | None
    year_without: float | None


class Finding(NamedTuple):
    """Values of one item that one rule flags on one day.

    Attributes
    ----------
    day : int
        Place of the civil day.
    hours : int
        Flagged hours of it.
    numbers : mapping of str to float
        By which numbers.
    effect : Effect
    """

    rule: str
    item: str
    day: int
    hours: int
    numbers: Mapping[str, float]
    effect: Effect


def flags(hours: Ints, neighbours: Mapping[str, Ints]) -> Bytes:
    """Bits of the rules for every value.

    Parameters
    ----------
    hours : (t, 6) int32 [thousandths]
        Items in the order of :data:`domain.items.AIR`.
    neighbours : mapping of station to (t, 6) int32
        Hours of the stations that it could be a copy of.

    Returns
    -------
    (t, 6) uint8
    """
    out = np.empty(hours.shape, np.uint8)
    kernel.scan(hours, _NUMBERS, _SHARES, out)
    part, whole, factor, least = quality.RELATION
    first, second = AIR.index(part), AIR.index(whole)
    related = np.zeros(len(hours), np.uint8)
    kernel.relation(hours[:, first], hours[:, second], factor, int(least * SCALE), related)
    out[:, [first, second]] |= related[:, None]
    for other in neighbours.values():
        kernel.copied(hours, other, quality.COPY_ITEMS, quality.COPY_HOURS, out)
    return out


def findings(hours: Ints, found: Bytes, since: int, year: int) -> Iterator[Finding]:
    """What is flagged from a civil day on, one finding a rule, item and day.

    Parameters
    ----------
    hours : (24·d, 6) int32 [thousandths]
    found : (24·d, 6) uint8
        Of :func:`flags`.
    since, year : int
        Places of the first day that is told and of the first day of the year whose mean is told.
    """
    days = found.reshape(-1, 24, len(AIR))
    for rule in RULES.values():
        counts = ((days & rule.bit) != 0).sum(axis=1)
        for day, place in np.argwhere(counts[since:] > 0).tolist():
            effect = _effect(hours[24 * year :, place], (found[24 * year :, place] & rule.bit) != 0, since + day - year)
            yield Finding(rule.name, AIR[place], since + day, int(counts[since + day, place]), _numbers(rule.name, AIR[place]), effect)


def _numbers(rule: str, item: str) -> dict[str, float]:
    one = quality.AIR[item]
    if rule == "relation":
        return {"factor": quality.RELATION[2], "least": quality.RELATION[3]}
    known = {"range": ("low", "high"), "rate": ("rate", "share"), "spike": ("rate", "share"), "stuck": ("stuck", "floor")}.get(rule)
    return {name: float(getattr(one, name)) for name in known} if known else {"hours": float(quality.COPY_HOURS), "items": float(quality.COPY_ITEMS)}


def _effect(values: Ints, flagged: Bools, day: int) -> Effect:
    """Means with and without the flagged hours; ``values`` begin with the year."""
    with_all, without = _means(values), _means(np.where(flagged, MISSING, values))
    return Effect(_shown(with_all[day]), _shown(without[day]), _shown(_mean(with_all)), _shown(_mean(without)))


def _means(values: Ints) -> npt.NDArray[np.float64]:
    days = values.reshape(-1, 24)
    there = days != MISSING
    count = there.sum(axis=1)
    total = np.where(there, days, 0).sum(axis=1, dtype=np.int64)
    return np.where(count >= DAY_HOURS, total / np.maximum(count, 1) / SCALE, np.nan)


def _mean(days: npt.NDArray[np.float64]) -> float:
    return float(np.nanmean(days)) if (~np.isnan(days)).any() else np.nan


def _shown(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 3)


def hugging(days: npt.NDArray[np.float64], limit: float) -> tuple[int, int] | None:
    """Days just below and just above a limit, if suspiciously many lie just below; None otherwise.

    >>> hugging(np.array([74.0] * 9 + [76.0]), 75.0), hugging(np.array([74.0] * 9 + [76.0] * 3), 75.0)
    ((9, 1), None)
    """
    below = int(((days <= limit) & (days > limit * (1 - quality.HUG_SHARE))).sum())
    above = int(((days > limit) & (days <= limit * (1 + quality.HUG_SHARE))).sum())
    return (below, above) if below >= quality.HUG_DAYS and below >= quality.HUG_TIMES * max(above, 1) else None
