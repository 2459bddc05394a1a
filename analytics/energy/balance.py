"""Balance of meters: what the main meters counted against what the meters behind them did, within a band of losses.

Behind the main meters of a medium stand the enterprise's other meters of it, each once: one that names another (``behind``) is in that
one's balance. What the parts lack is losses, lights and what has no meter; parts that count more than the main meter are a wrong multiplier
or a wrong wire.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Final, NamedTuple

import numpy as np

from analytics.counting import Longs
from analytics.energy.meteryear import MeterDays, months, stamps
from domain import energy
from domain.indicators import FIGURES, Indicator
from domain.places import Enterprise, Meter

OF_MEDIUM: Final = {energy.ELECTRICITY: "electricity_loss", energy.WATER: "water_loss"}
OF_METER: Final = "meter_loss"
WITHIN, ABOVE, BELOW, INCOMPLETE = "within", "above", "below", "incomplete"
_RULES: Final = "none"


class Side(NamedTuple):
    """Meters whose sum is one side of a balance, each with its sign."""

    meters: tuple[tuple[int, Meter], ...]


class Balance(NamedTuple):
    """One balance: figure and scope of its rows, and both sides."""

    figure: str
    scope: str
    main: Side
    parts: Side


def balances(owner: str, meters: Sequence[Meter]) -> Iterator[Balance]:
    """Balances of an enterprise: of its main meters by medium, and of each meter that others stand behind."""
    for medium, figure in OF_MEDIUM.items():
        own = [one for one in meters if one.medium == medium]
        main = tuple((energy.FLOWS[one.flow], one) for one in own if one.role.newest == "main" and one.flow in energy.FLOWS)
        behind = tuple((1, one) for one in own if one.role.newest != "main" and one.behind is None)
        if main and behind:
            yield Balance(figure, owner, Side(main), Side(behind))
    for meter in meters:
        behind = tuple((1, one) for one in meters if one.behind == meter.id and one.medium == meter.medium)
        if behind:
            yield Balance(OF_METER, meter.id, Side(((1, meter),)), Side(behind))


def rows(one: Balance, owner: Enterprise, days: Mapping[str, MeterDays], elapsed: Longs, year: int) -> Iterator[Indicator]:
    """A balance by day, month and year: what is lost of the main side [%], its room to the nearer edge of the band, both sums in the text.

    Parameters
    ----------
    days : mapping of meter to MeterDays
        A meter that is absent has no register this year: the balance is incomplete.
    elapsed : (d,) int64 [s]
        How much of each day is over; the running day has no row.
    """
    count = int((elapsed >= 86_400).sum())
    everybody = [meter for side in (one.main, one.parts) for _, meter in side.meters]
    known = [days[meter.id] for meter in everybody if meter.id in days]
    if not known or not count:
        return
    first = known[0].first
    whole = sum((_whole(own, elapsed)[:count] for own in known), np.zeros(count, np.int64))
    sums = [_sums(side, days, count) for side in (one.main, one.parts)]
    day, month, last = stamps(first, count, year)
    groups = [("day", day, [(place, place + 1) for place in range(count)]), ("month", month, list(months(first, count))), ("year", last, [(0, count)])]
    for period, times, edges in groups:
        for time, (start, stop) in zip(times.tolist(), edges, strict=True):
            asked, there = len(everybody) * (stop - start), int(whole[start:stop].sum())
            main, parts = (sum(side[start:stop], Fraction(0)) for side in sums)
            yield _row((one, period, int(time)), (main, parts), (there, asked), owner)


def _whole(own: MeterDays, elapsed: Longs) -> Longs:
    """Days of which a meter is known for at least 90 %."""
    return ((100 * own.cover >= energy.SHARE * elapsed) & (own.cover > 0)).astype(np.int64)


def _sums(side: Side, days: Mapping[str, MeterDays], count: int) -> list[Fraction]:
    found = [Fraction(0)] * count
    for sign, meter in side.meters:
        base = energy.base_units(meter.medium, meter.unit)
        own = days.get(meter.id)
        if own is None or base is None:
            continue
        unit = sign * Fraction(own.unit) * Fraction(base)
        found = [kept + unit * amount for kept, amount in zip(found, own.days[:count].tolist(), strict=True)]
    return found


def _row(what: tuple[Balance, str, int], sums: tuple[Fraction, Fraction], counts: tuple[int, int], owner: Enterprise) -> Indicator:
    (one, period, time), (main, parts), (there, asked) = what, sums, counts
    lost = None if main <= 0 else 100 * (main - parts) / main
    digits = FIGURES[one.figure].digits
    text = json.dumps({"main": float(main), "parts": float(parts), "low": owner.loss_low, "high": owner.loss_high})
    return Indicator(
        one.figure, period, one.scope, _RULES, time, None if lost is None else float(round(lost, digits)), valid=float(there), expected=float(asked),
        status=INCOMPLETE if there < asked else _status(lost, owner), text=text, margin=None if there < asked else _room(lost, owner),
    )  # fmt: skip


def _room(lost: Fraction | None, owner: Enterprise) -> float | None:
    """Per cent to the nearer edge of the registered band, below zero outside of it; None without a band, or where nothing came in."""
    low, high = (None if edge is None else Fraction(Decimal(edge)) for edge in (owner.loss_low, owner.loss_high))
    room = [] if lost is None else [*([] if high is None else [high - lost]), *([] if low is None else [lost - low])]
    return float(min(room)) if room else None


def _status(lost: Fraction | None, owner: Enterprise) -> str:
    """Against the registered band; empty where there is none, or nothing came in."""
    if lost is None:
        return ""
    if owner.loss_high is not None and lost > Fraction(Decimal(owner.loss_high)):
        return ABOVE
    if owner.loss_low is not None and lost < Fraction(Decimal(owner.loss_low)):
        return BELOW
    return WITHIN if owner.loss_high is not None or owner.loss_low is not None else ""
