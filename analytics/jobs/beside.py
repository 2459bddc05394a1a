"""Official figures beside ours as stored rows: the difference with its likely cause, the rank among counties, and the targets' judgement."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any, Final, NamedTuple

import numpy as np

from analytics import attainment, official
from analytics.jobs.columns import Column, Tag
from domain import marks
from domain.civil import period_stamp
from domain.details import details
from domain.fixed import to_float
from domain.indicators import FIGURES, Indicator
from domain.items import DAILY
from domain.readings import Entry
from domain.targets import Plan

OFFICIAL: Final = "official"
_DIGITS: Final = 3
_BASES = {"review": "reviewed", "dust": "dust-excluded"}


class Known(NamedTuple):
    """What stands beside the county's official figures.

    Attributes
    ----------
    columns : mapping of Tag to Column
        Ours, of the county and of its stations.
    stations : sequence of str
        All air stations.
    assessed : sequence of str
        Those that make the county's figures.
    """

    columns: Mapping[Tag, Column]
    stations: Sequence[str]
    assessed: Sequence[str]


def differences(rows: Iterable[Indicator], known: Known) -> Iterator[Indicator]:
    """Figure ``…_official``: value = ours - official, target = the official one, margin in percent, status = likely cause; nothing without ours."""
    for row in rows:
        if row.value is not None and row.figure in FIGURES and row.basis == OFFICIAL:
            yield from _difference(row, row.value, known)


def _difference(row: Indicator, value: float, known: Known) -> Iterator[Indicator]:
    power = 10 ** FIGURES[row.figure].digits
    ours = _at(known.columns, Tag(row.figure, row.period, row.scope, row.rule_set), row.time)
    if ours is None or ours.value is None:
        # Said also where there never was one: a value that a correction took away must not leave its difference behind.
        nothing = replace(row, figure=f"{row.figure}_official", value=None, valid=0.0, expected=None, target=value, margin=None, status="")
        yield replace(nothing, text=json.dumps(_words(row), ensure_ascii=False))
        return
    units, said = round(ours.value * power), round(value * power)
    others = {way: _at(known.columns, Tag(row.figure, row.period, row.scope, row.rule_set, basis), row.time) for way, basis in _BASES.items()}
    found = {way: [round(one.value * power)] for way, one in others.items() if one is not None and one.value is not None}
    stations = {
        name: one.value
        for name in known.stations
        if (one := _at(known.columns, Tag(row.figure, row.period, name, row.rule_set), row.time)) and one.value is not None
    }
    found["station-set"] = [round(one * power) for one in official.station_sets(stations, known.assessed)] if _is_mean(row.figure) else []
    body: dict[str, Any] = {"ours": ours.value, **{_BASES[way]: one.value for way, one in others.items() if one is not None}, **_words(row)}
    yield replace(
        row,
        figure=f"{row.figure}_official",
        value=(units - said) / power,
        valid=ours.valid,
        expected=ours.expected,
        target=value,
        margin=to_float(Fraction(100 * (units - said), said), 1) if said else None,
        status=official.cause(said, official.Ours(units, ours.valid or 0, ours.expected or 0), found),
        text=json.dumps(body, ensure_ascii=False),
    )


def _is_mean(figure: str) -> bool:
    """Means of stations are close to a mean of all; counts and percentiles are not."""
    return figure.endswith("_mean") or figure in DAILY


def _at(columns: Mapping[Tag, Column], tag: Tag, time: int) -> Indicator | None:
    one = columns.get(tag)
    if one is None or not len(one.time):
        return None
    place = int(np.searchsorted(one.time, time))
    return one.row(place, 0.0) if place < len(one.time) and int(one.time[place]) == time and one.valid[place] > 0 else None


def _words(row: Indicator) -> dict[str, str]:
    found = details(row.text)
    return {name: str(found[name]) for name in ("document", "rank") if name in found}


def ranks(rows: Iterable[Indicator], entries: Iterable[Entry]) -> Iterator[Indicator]:
    """Figure ``…_rank`` on the basis official: as it was published, else by the figures of other counties that were imported."""
    values = _published(entries)
    for row in rows:
        if row.value is None or row.figure not in FIGURES or row.basis != OFFICIAL:
            continue
        others = {scope: value for scope, value in values.get((row.figure, row.period, row.time), {}).items() if scope != row.scope}
        said = _words(row).get("rank", "")
        if not said and not others:
            continue
        sign = -1 if row.figure == "good_ratio" else 1
        better = sum(1 for value in others.values() if sign * value < sign * row.value)
        number = float(len(others) + 1) if others else None
        yield replace(row, figure=f"{row.figure}_rank", value=float(said) if said else better + 1.0, valid=number, expected=number, status="", text="")


def _published(entries: Iterable[Entry]) -> dict[tuple[str, str, int], dict[str, float]]:
    """Official values by figure, period and time, of every county that was imported; the later of two stands."""
    found: dict[tuple[str, str, int], dict[str, float]] = {}
    for entry in entries:
        if entry.kind == marks.OFFICIAL and not marks.fault(entry.kind, entry.body):
            period = marks.period(str(entry.body["period"]))
            figure = marks.figure(str(entry.body["item"]), period.kind)
            key = str(figure), period.kind, period_stamp(period.last)
            found.setdefault(key, {})[str(entry.body["scope"])] = float(str(entry.body["value"]))
    return found


def judged(rows: Iterable[Indicator], plans: Sequence[Plan], year: int) -> Iterator[Indicator]:
    """Targets judged by an official figure of the whole year, on its exact decimal."""
    goals = [
        (plan, target, goal)
        for plan in plans
        for target in plan.targets
        if attainment.figure_of(target) and (goal := target.for_year(year)) is not None and goal.value is not None
    ]
    for row in rows:
        if row.basis != OFFICIAL or row.period != "year" or row.value is None:
            continue
        for plan, target, goal in goals:
            if attainment.figure_of(target) == row.figure:
                margin, status = attainment.decided(target, Fraction(str(row.value)), Fraction(str(goal.value)))
                text = json.dumps({"horizon_passed": year > plan.horizon, "target_year": goal.year, **_words(row)}, ensure_ascii=False)
                yield replace(row, figure=target.id, target=float(Fraction(str(goal.value))), margin=to_float(margin, _DIGITS), status=status, text=text)
