"""Alarms of sensors that still call for a person, counted by place: an alert can judge a number only, and sizes have two signs."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from domain import civil, permit
from domain.indicators import Event, Indicator
from domain.judgements import Alarm, Judgement

FIGURE: Final = "sensor_alarms"
DAYS: Final = 14
"""So long an alarm calls for a person unless one has settled it."""
SETTLED: Final = frozenset({"false", "known-work"})
"""Verdicts after which nobody needs to come."""


def rows(places: Iterable[str], told: Iterable[Event], said: Mapping[Alarm, Judgement], now: int) -> Iterator[Indicator]:
    """One row a place for the running civil day.

    Parameters
    ----------
    told : iterable of Event
        Findings that stand, none that was withdrawn.
    said : mapping of Alarm to Judgement
        The last word on each.
    """
    standing: defaultdict[str, list[str]] = defaultdict(list)
    for event in told:
        about = Alarm(*event[:3])
        word = said.get(about)
        if now - DAYS * civil.DAY_S < event.time <= now and (word is None or word.verdict not in SETTLED):
            standing[event.source].append(about.name)
    for place in places:
        names = sorted(standing.get(place, ()))
        text = json.dumps(names) if names else ""
        yield Indicator(FIGURE, "day", place, permit.RULE_SET, civil.period_stamp(civil.day_of(now)), float(len(names)), valid=1.0, expected=1.0, text=text)
