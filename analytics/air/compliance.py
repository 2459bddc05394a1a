"""Compliance of a period with GB 3095: each item's annual mean and percentile against their limits (HJ 663).

An item attains if all its values keep their limits, a place if all six items do. Judged on exact values: the texts at hand do
not say whether a mean that is within its limit only after rounding attains.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Final, NamedTuple

from analytics import tables
from analytics.air.periods import Figures
from analytics.air.years import MEANS, Running
from domain import air, fixed
from domain.items import AIR

_HUNDREDTHS: Final = 100


class Measure(NamedTuple):
    """A value over the limit that it is held against, as a fraction; its numerator and denominator may have something in common."""

    kind: str
    value: int
    limit: int

    @property
    def exceeds(self) -> bool:
        """Whether the limit is not kept."""
        return self.value > self.limit

    @property
    def multiple(self) -> Fraction | None:
        """Exceedance multiple (超标倍数), exact; None within the limit."""
        return air.multiple(Fraction(self.value), Fraction(self.limit))

    def units(self, power: int) -> int:
        """The multiple in parts of one, rounded half to even; 0 within the limit."""
        return fixed.half_even((self.value - self.limit) * power, self.limit) if self.exceeds else 0


class Verdict(NamedTuple):
    """An item's compliance; ``attained`` is None without a value."""

    item: str
    measures: tuple[Measure, ...]
    attained: bool | None


def verdicts(found: Figures, row: int, rules: air.RuleSet) -> tuple[Verdict, ...]:
    """Compliance of the six items in a period; annual limits for means, daily limits for percentiles."""
    one = found.periods[row]
    return held(measured(found.running, (one.start, one.stop), found.percentiles[:, row].tolist()), found.running.first, rules)


def measured(running: Running, span: tuple[int, int], tops: Sequence[int]) -> list[tuple[tuple[int, int] | None, int]]:
    """Exact mean and percentile [hundredths of a displayed unit; -1 = none] of the six items from one row of days up to another: the same under every rule set."""
    start, stop = span
    return list(zip([running.exact(item, stop - 1, start - 1) if item in MEANS else None for item in AIR], tops, strict=True))


def held(known: Sequence[tuple[tuple[int, int] | None, int]], first: int, rules: air.RuleSet) -> tuple[Verdict, ...]:
    """The same against the limits that a rule set has in the year that begins on civil day ``first``."""
    return tuple([_verdict(limits, *one) for limits, one in zip(_limits(rules.name, first), known, strict=True)])


def overall(items: tuple[Verdict, ...]) -> bool | None:
    """Whether all six items attain; None while an item that could decide has no value."""
    states = [one.attained for one in items]
    if False in states:
        return False
    return None if None in states else True


def whole(name: str, first: int, parts: int) -> list[list[int]]:
    """Limits of means in units of a sum of ``parts`` times as many parts as a daily value has, by item, and of percentiles; 0 = none."""
    limits = _limits(name, first)
    return [[tables.COMMON * parts * yearly * (item in MEANS) for item, yearly, _ in limits], [daily for _, _, daily in limits]]


@lru_cache(maxsize=64)
def _limits(name: str, first: int) -> tuple[tuple[str, int, int], ...]:
    """Items with their annual limit in thousandths of the reporting unit and their daily one in hundredths of a displayed unit; 0 = none."""
    table = air.limits_under(air.BY_NAME[name], first)
    return tuple((item, (table[item].year or 0) * step, (table[item].day or 0) * _HUNDREDTHS) for item, step in zip(AIR, tables.STEPS, strict=True))


def _verdict(limits: tuple[str, int, int], mean: tuple[int, int] | None, top: int) -> Verdict:
    item, yearly, daily = limits
    measures = []
    if mean is not None and yearly:
        measures.append(Measure("mean", mean[0] * 1_000, mean[1] * yearly))
    if top >= 0 and daily:
        measures.append(Measure("percentile", top, daily))
    return Verdict(item, tuple(measures), not any(one.exceeds for one in measures) if measures else None)
