"""Compliance of a period with GB 3095: each item's annual mean and percentile against their limits (HJ 663).

An item attains if all its values keep their limits, a place if all six items do. Judged on exact values: the texts at hand do
not say whether a mean that is within its limit only after rounding attains.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from analytics import tables
from analytics.air.periods import Figures
from domain import air
from domain.items import AIR


class Measure(NamedTuple):
    """A value with the limit that it is held against [reporting unit]; ``multiple`` is None within the limit."""

    kind: str
    value: Fraction
    limit: Fraction
    multiple: Fraction | None


class Verdict(NamedTuple):
    """An item's compliance; ``attained`` is None without a value."""

    item: str
    measures: tuple[Measure, ...]
    attained: bool | None


def verdicts(found: Figures, row: int, rules: air.RuleSet) -> tuple[Verdict, ...]:
    """Compliance of the six items in a period; annual limits for means, daily limits for percentiles."""
    table = air.limits_under(rules, found.running.first)
    return tuple(_verdict(found, row, item, table[item]) for item in AIR)


def overall(items: tuple[Verdict, ...]) -> bool | None:
    """Whether all six items attain; None while an item that could decide has no value."""
    states = [one.attained for one in items]
    if False in states:
        return False
    return None if None in states else True


def _verdict(found: Figures, row: int, item: str, limits: air.Limits) -> Verdict:
    step = tables.STEPS[AIR.index(item)]
    pairs = [("mean", found.mean(item, row) if limits.year else None, limits.year), ("percentile", found.percentile(item, row), limits.day)]
    measures = [_measure(kind, value, Fraction(limit * step, 1_000)) for kind, value, limit in pairs if value is not None and limit is not None]
    return Verdict(item, tuple(measures), all(one.multiple is None for one in measures) if measures else None)


def _measure(kind: str, value: Fraction, limit: Fraction) -> Measure:
    return Measure(kind, value, limit, air.multiple(value, limit))
