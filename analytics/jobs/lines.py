"""Two-high production lines: unit consumption against 标杆 and 基准, water against its quota, rank, and the county's share at 标杆.

What a meter did not tell is no energy saved: a line of which a meter is silent, or burns what has no factor, has a lower bound. It may
miss its baseline for certain, but is never at the benchmark, within its quota or a leader.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from analytics.energy.enterprise import Worths
from analytics.energy.worth import GRAINS
from analytics.jobs.intensities import INCOMPLETE, NO_FACTOR, RULES, Output, monthly, ratio, stamp
from domain import civil, energy
from domain.indicators import Indicator
from domain.places import Line, Registry


class _Used(NamedTuple):
    """What the meters of a line turned in some months for each tonne, and what of it is lacking: then it is a lower bound."""

    rate: Fraction
    lacks: str


def lines(registry: Registry, days: Mapping[str, Worths], made: Mapping[str, Sequence[Output]], first: int, today: int) -> list[Indicator]:
    """Two-high lines of a year: unit consumption against 标杆 and 基准 and the water quota, their rank, and the county's share.

    Parameters
    ----------
    days : mapping of meter to Worths
        Only meters with anything known.
    today : int [civil day]
        A line's year so far stands under the last day of its newest month with output, never ahead of today.
    """
    found: list[Indicator] = []
    rates: dict[str, _Used] = {}
    newest: dict[str, int] = {}
    for line in registry.lines.values():
        own = [one for one in made.get(line.enterprise, ()) if one.line == line.id and one.quantity]
        if not own:
            continue
        tonnes, months = Fraction(sum(one.quantity for one in own)), sorted({one.month for one in own})
        newest[line.id] = min(stamp(first, months[-1]), civil.period_stamp(today))
        coal, water = (_used(_meters(registry, line, water=water), days, (first, today, months), tonnes) for water in (False, True))
        if coal is not None:
            rates[line.id] = coal
            found.append(_rated(line, coal, stamp(first, 12)))
        if water is not None and line.water_quota:
            found.append(_watered(line, water, line.water_quota, stamp(first, 12)))
    found += _ranks(registry, rates, stamp(first, 12))
    so_far = [replace(row, period="ytd", time=newest[row.scope]) for row in found]
    return [*found, *so_far, *_share(registry, rates, days, stamp(first, 12))]


def _meters(registry: Registry, line: Line, *, water: bool) -> list[str]:
    """Meters of a line that count water, or energy of any kind."""
    known = [registry.meters[name] for name in line.meters if name in registry.meters]
    return [one.id for one in known if (one.medium == energy.WATER) == water and energy.base_units(one.medium, one.unit) is not None]


def _used(names: Sequence[str], days: Mapping[str, Worths], at: tuple[int, int, Sequence[int]], tonnes: Fraction) -> _Used | None:
    """For each tonne, in months up to today; None where nothing is known of any meter. A meter that is silent has not used nothing."""
    first, today, months = at
    known = [days[name] for name in names if name in days]
    if not known:
        return None
    amount = Fraction(sum(monthly(one.grains, first, month) for one in known for month in months), GRAINS)
    over = np.arange(len(known[0].cover)) < today - first
    due = sum(monthly(over * civil.DAY_S, first, month) for month in months)
    short = len(known) < len(names) or any(100 * sum(monthly(one.cover * over, first, month) for month in months) < energy.SHARE * due for one in known)
    lacking = any(monthly(one.lacking.astype(np.int64), first, month) for one in known for month in months)
    return _Used(amount / tonnes, NO_FACTOR if lacking else INCOMPLETE if short else "")


def _rated(line: Line, used: _Used, time: int) -> Indicator:
    good, least = (Fraction(text) if text else None for text in (line.advanced, line.baseline))
    state = "advanced" if good is not None and used.rate <= good else "within" if least is not None else ""
    return _held(line, ("line_consumption", used, time), ("below" if least is not None and used.rate > least else "", state), line.baseline)


def _watered(line: Line, used: _Used, quota: str, time: int) -> Indicator:
    return _held(line, ("line_water", used, time), ("above" if used.rate > Fraction(quota) else "", "within"), quota)


def _held(line: Line, what: tuple[str, _Used, int], states: tuple[str, str], limit: str | None) -> Indicator:
    """A line's figure against its limit: a lower bound above it is above it, but says nothing else and has no room below it."""
    (figure, used, time), (over, else_) = what, states
    judged = (over or used.lacks or else_, limit if over or not used.lacks else None)
    return ratio((figure, "year", line.id), time, used.rate, line.product, judged=judged)


def _ranks(registry: Registry, rates: Mapping[str, _Used], time: int) -> Iterator[Indicator]:
    """Leaders (领跑者): lines of one product, the least consumption first; one whose consumption is a lower bound has no rank."""
    for name, used in rates.items():
        product = registry.lines[name].product
        peers = [one for other, one in rates.items() if registry.lines[other].product == product]
        ranked = [one.rate for one in peers if not one.lacks]
        place = None if used.lacks else 1.0 + sum(rate < used.rate for rate in ranked)
        yield Indicator("line_rank", "year", name, RULES, time, place, valid=len(ranked), expected=len(peers), status=used.lacks, text=product)


def _share(registry: Registry, rates: Mapping[str, _Used], days: Mapping[str, Any], time: int) -> Iterator[Indicator]:
    """Share of listed capacity at 标杆, and of lines with a live meter."""
    listed = {name: Fraction(one.capacity) for name, one in registry.lines.items() if one.capacity}
    if not registry.lines:
        return
    live = sum(any(meter in days for meter in one.meters) for one in registry.lines.values())
    share = Fraction(100 * live, len(registry.lines))
    yield ratio(("lines_live", "year", registry.county.id), time, share, counts=(live, len(registry.lines)))
    states = {name: _rated(registry.lines[name], rates[name], time).status for name in listed if name in rates}
    good = [name for name, state in states.items() if state == "advanced"]
    below = [name for name, state in states.items() if state == "below"]
    judged = [name for name in states if not rates[name].lacks or name in below]
    if states:
        total = 100 * sum((listed[name] for name in good), Fraction()) / sum(listed.values())
        row = ratio(("two_high_share", "year", registry.county.id), time, total, counts=(len(judged), len(listed)))
        text = json.dumps({"advanced": good, "below": below}, ensure_ascii=False)
        yield replace(row, text=text, value=row.value if judged else None)
