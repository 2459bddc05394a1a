"""Clues of electricity monitoring as events: the two curves, the rule's numbers, the state and its audit trail.

An event keeps its place however often it is looked for: kind, treatment meter, and the second at which the stretch began. Its value is
1 while nobody has answered (``open``) and 0 afterwards, for an alert can judge numbers only.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple

import numpy as np

from analytics import counting
from analytics.counting import Counted
from analytics.energy import pairs
from analytics.energy.pairs import Curves, Judged, Limits, Stretch
from domain import civil, clues, energy, verdicts
from domain.civil import HOUR_S
from domain.clues import Electricity
from domain.indicators import Event
from domain.places import Meter, Registry
from domain.verdicts import Word

BESIDE_S: Final = 2 * HOUR_S
"""What the curves show before and behind a stretch."""
POINTS: Final = 96


class Pair(NamedTuple):
    """A treatment meter and the production meter that it belongs to."""

    production: Meter
    treatment: Meter


class Known(NamedTuple):
    """A meter's intervals, and how often it is read [s]."""

    counted: Counted
    interval: int


def watched(registry: Registry) -> dict[str, Pair]:
    """Pairs of enterprises that take part (``monitoring = true``), by treatment meter."""
    found = {}
    for name, meter in registry.meters.items():
        other, owner = registry.meters.get(meter.treats or ""), registry.enterprises.get(meter.enterprise)
        if other is not None and owner is not None and owner.monitoring and meter.medium == other.medium == energy.ELECTRICITY:
            found[name] = Pair(other, meter)
    return found


def curves(pair: Pair, known: tuple[Known, Known], span: tuple[int, int], rules: Electricity) -> Curves | None:
    """Power of both meters from the first instant to the second [s]; None where their readings come too rarely to be held together."""
    kwh = [float(energy.base_units(energy.ELECTRICITY, meter.unit) or 1) for meter in pair]
    unit = float(Decimal(pair.treatment.resolution)) * float(pair.treatment.multiplier.newest) * kwh[1]
    production, treatment = known
    step = pairs.width((production.interval, treatment.interval), unit, _top(treatment.counted) * kwh[1])
    if step is None:
        return None
    start = span[0] // step * step
    count = max(0, (span[1] - start) // step)
    scaled = list(zip(known, kwh, strict=True))
    shown = [pairs.power(one.counted, start, step, count, each) for one, each in scaled]
    # Hourly history of a meter that is read every quarter of an hour is too coarse to judge, and is not silence.
    heard = [pairs.power(one.counted, start, step, count, each, longest=60 * int(rules.blind_minutes)) for one, each in scaled]
    return Curves(start, step, shown[0], shown[1], np.isnan(heard[0]) | np.isnan(heard[1]))


def _top(counted: Counted) -> float:
    """Usual top power [registered unit an hour]."""
    good = (counted.flag != counting.HELD) & (counted.end - counted.begin <= 2 * HOUR_S) & (counted.amount > 0)
    if not good.any():
        return 0.0
    rate = counted.amount[good] / (counted.end[good] - counted.begin[good])
    return float(np.percentile(rate, pairs.TOP)) * float(counted.unit) * HOUR_S


def found(pair: Pair, shown: Curves, rules: Electricity, told: Sequence[Word]) -> Iterator[Event]:
    """Clues of a pair on its curves.

    Parameters
    ----------
    told : sequence of Word
        What people said of this pair, in order of receipt.
    """

    def excused(kind: str, begin: int, end: int) -> bool:
        return any(word.state == verdicts.EXPLAINED for word in verdicts.about(told, kind, begin, end)[-1:])

    limits = Limits(*(float(meter.on_power) if meter.on_power else None for meter in pair))
    judged = pairs.judge(shown, limits, rules, excused)
    for one in judged.stretches:
        yield _event(pair, shown, judged, one, told)


def _event(pair: Pair, shown: Curves, judged: Judged, one: Stretch, told: Sequence[Word]) -> Event:
    begin, end = (shown.start + shown.step * place for place in (one.start, one.stop))
    own = slice(one.start, one.stop)
    body: dict[str, Any] = {
        "rule": clues.RULES[one.kind].number,
        "from": civil.iso(begin), "to": civil.iso(end), "minutes": (end - begin) // 60,
        "production": pair.production.id, "treatment": pair.treatment.id,
        "production_kw": _mean(shown.production[own]), "treatment_kw": _mean(shown.treatment[own]),
        "usual_kw": _mean(judged.usual[own]), "off_below_kw": _mean(judged.level[own]),
        "curves": _curves(shown, judged, one),
    }  # fmt: skip
    return stated(one.kind, pair.treatment, (begin, end), body, told)


def stated(kind: str, meter: Meter, span: tuple[int, int], body: Mapping[str, Any], told: Sequence[Word]) -> Event:
    """A clue with its state and trail: it opens by itself, an announced maintenance explains it, and a person's last word stands."""
    opened = _said(span[0], verdicts.OPEN, "lanbi", clues.RULES[kind].zh)
    inside = [window for window in meter.maintenance if window.begin <= span[0] and span[1] <= window.end]
    trail = [
        opened,
        *(_said(window.begin, verdicts.EXPLAINED, "registry", verdicts.window_text(window)) for window in inside),
        *(_said(word.said, word.state, word.user, word.reason) for word in verdicts.about(told, kind, *span)),
    ]
    state = trail[-1]["state"]
    text = json.dumps({"state": state, **body, "trail": trail}, ensure_ascii=False)
    return Event(kind, str(body.get("source", meter.id)), span[0], float(state == verdicts.OPEN), text)


def _said(time: int, state: str, user: str, reason: str) -> dict[str, str]:
    return {"time": civil.iso(time), "state": state, "user": user, "reason": reason}


def _curves(shown: Curves, judged: Judged, one: Stretch) -> dict[str, Any]:
    """Both curves and the usual draw around a stretch, at most so many points [kW]; null where nothing is known."""
    beside = BESIDE_S // shown.step
    low, high = max(0, one.start - beside), min(len(shown.production), one.stop + beside)
    each = -(-(high - low) // POINTS)
    columns = {"production": shown.production, "treatment": shown.treatment, "usual": judged.usual}
    points = {name: [_mean(column[place : min(place + each, high)]) for place in range(low, high, each)] for name, column in columns.items()}
    return {"from": civil.iso(shown.start + shown.step * low), "step": shown.step * each, **points}


def _mean(some: pairs.Floats) -> float | None:
    known = some[~np.isnan(some)]
    return float(f"{known.mean():.4g}") if len(known) else None
