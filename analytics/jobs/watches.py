"""Findings of the watches as events: sensors that drift off their neighbours, stand still, or are masked.

A finding keeps its place however often it is looked for: kind, source, and the time at which it could be known (of standing
sensors: at which the standing began) with the item's number added as seconds, for two items may be told at one time.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from analytics import drift, quality, stuck
from analytics.jobs.effects import effect
from analytics.water import quality as sections
from analytics.water.records import Day
from domain import air, civil
from domain.air import DAY_HOURS
from domain.alarms import ALARMS
from domain.fixed import MISSING, SCALE
from domain.indicators import Event
from domain.items import AIR, BY_REALM, ITEMS
from domain.places import Registry
from domain.watch import Watch

Floats = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]
RECENT_HOURS: Final = 200
"""So far back the hourly look tells masked samplers; the daily one tells all."""
WINDOW_HOURS: Final = RECENT_HOURS + drift.USUAL_HOURS + 24
QUALITY: Final = "quality-"
"""Begins the kinds of events that tell flagged values; the rule's name follows."""
QUALITY_DAYS: Final = 31
"""So many closed days are told."""
_NUMBERS: Final = MappingProxyType({(realm, item): place for realm in ("air", "water") for place, item in enumerate(BY_REALM[realm])})


class Hours(NamedTuple):
    """Hours of one item at several sites: (h, s) with NaN = missing, from the first hour of a civil day on."""

    item: str
    sites: tuple[str, ...]
    first: int
    table: Floats

    @property
    def start(self) -> int:
        """Instant at which the first hour begins [s]."""
        return civil.day_start(self.first)


def hours(item: str, sites: Mapping[str, Sequence[npt.NDArray[np.int32]]], first: int, count: int) -> Hours:
    """Hours of an item out of the cube's years, which follow each other; ``count`` hours of them have ended."""
    place = AIR.index(item)
    table = np.stack([np.concatenate([year[:, place] for year in years])[:count] for years in sites.values()], axis=1)
    return Hours(item, tuple(sites), first, np.where(table == MISSING, np.nan, table / SCALE))


def limits(watch: Watch) -> drift.Limits:
    """Limits as a county registered them."""
    return drift.Limits(*(float(getattr(watch, name)) for name in ("drift_floor", "drift_k", "drift_h", "drift_slow", "masked_share", "masked_level")))


def neighbours(registry: Registry, site: str, sites: Sequence[str], day: int) -> list[str]:
    """Whom a station is compared with: those that the registry names, else all others but control sites (对照点)."""
    named = [name for name in registry.air_stations[site].neighbours if name in sites]
    if named:
        return named
    return [name for name in sites if name != site and name in registry.air_stations and registry.air_stations[name].role.on(day) != "background"]


def drifts(known: Hours, site: str, beside: Sequence[str], told: drift.Limits) -> Iterator[Event]:
    """Drifts and masked stretches of one station's item."""
    own, other = _pair(known, site, beside)
    days = len(own) // 24 * 24
    for one in drift.find(known.item, own[:days], other[:days], told):
        yield _event(known, one, site, (beside, own))


def masked(known: Hours, site: str, beside: Sequence[str], told: drift.Limits) -> Iterator[Event]:
    """Masked stretches of the last hours; ``known`` holds :data:`WINDOW_HOURS` of them."""
    own, other = _pair(known, site, beside)
    for one in drift.masked(known.item, own, other, told):
        if one.detected >= len(own) - RECENT_HOURS:
            yield _event(known, one, site, (beside, own))


def _pair(known: Hours, site: str, beside: Sequence[str]) -> tuple[Floats, Floats]:
    place = known.sites.index(site)
    return np.ascontiguousarray(known.table[:, place]), drift.proxy(known.table, place, [known.sites.index(name) for name in beside])


def _event(known: Hours, one: drift.Drift, site: str, of: tuple[Sequence[str], Floats]) -> Event:
    beside, own = of
    if one.kind == "divergence":
        onset, detected = (known.start + civil.HOUR_S * (place + 1) for place in (one.onset, one.detected))
    else:
        onset, detected = civil.day_start(known.first + one.onset), civil.day_end(known.first + one.detected)
    size, unit = (one.size, ITEMS["air", one.item].unit) if one.kind == "offset" else (100 * one.size, "%")
    body = {"item": one.item, "onset": civil.iso(onset), "detected": civil.iso(detected), "size": float(f"{size:.3g}"), "unit": unit, "beside": list(beside)}
    time = known.start + civil.HOUR_S * np.arange(1, len(own) + 1, dtype=np.int64)
    told = body | {"effect": effect(time, own, _without(own, one), DAY_HOURS)}
    return Event(ALARMS[one.kind].kind, site, detected + _NUMBERS["air", one.item], float(f"{size:.3g}"), json.dumps(told, ensure_ascii=False))


def _without(own: Floats, one: drift.Drift) -> Floats:
    """Hours as they would be without a drift, up to where it was told; masked ones are out."""
    right, unit = own.copy(), 1 if one.kind == "divergence" else 24
    rows = slice(unit * one.onset, unit * (one.detected + 1))
    if one.kind == "divergence":
        right[rows] = np.nan
    elif one.kind == "offset":
        right[rows] = np.maximum(own[rows] - one.size, 0)
    else:
        grown = np.linspace(0, one.size, len(own[rows])) if one.kind == "ramp" else one.size
        right[rows] = own[rows] / (1 + grown)
    return right


def standing(realm: str, site: str, times: Longs, items: Mapping[str, Floats]) -> Iterator[Event]:
    """Stretches in which a sensor stands still; ``value`` = hours."""
    for run in stuck.find(times, items) if len(times) > 1 else ():
        hours_of = round(run.seconds / civil.HOUR_S, 1)
        stood = (times >= run.begin) & (times <= run.end)
        done = effect(times, items[run.item], np.where(stood, np.nan, items[run.item]), DAY_HOURS if realm == "air" else 1)
        body = {"item": run.item, "onset": civil.iso(run.begin), "to": civil.iso(run.end), "hours": hours_of, "value": run.value, "effect": done}
        yield Event(ALARMS["stuck"].kind, site, run.begin + _NUMBERS[realm, run.item], hours_of, json.dumps(body, ensure_ascii=False))


def flagged(
    site: str, first: int, years: Sequence[npt.NDArray[np.int32]], closed: int, beside: Mapping[str, Sequence[npt.NDArray[np.int32]]]
) -> Iterator[Event]:
    """Values that a rule of quality flags on the last closed days, one event a rule, item and day; and items that hug a limit this year.

    Parameters
    ----------
    first : int
        Civil day with which the years begin.
    years : sequence of (24·d, 6) int32 [thousandths]
        Years that follow each other.
    closed : int
        Days of them that are over.
    """
    count = 24 * closed
    own = np.ascontiguousarray(np.concatenate(years)[:count])
    bits = quality.flags(own, {name: np.ascontiguousarray(np.concatenate(some)[:count]) for name, some in beside.items()})
    # The year of the last closed day: the newest in memory may have no closed day yet.
    year = max(0, civil.year_days(civil.year_of_day(first + closed - 1))[0] - first)
    for one in quality.findings(own, bits, max(0, closed - QUALITY_DAYS), year):
        body = {"item": one.item, "hours": one.hours, "numbers": dict(one.numbers), "effect": one.effect._asdict()}
        time = civil.day_end(first + one.day) + _NUMBERS["air", one.item]
        yield Event(f"{QUALITY}{one.rule}", site, time, float(one.hours), json.dumps(body, ensure_ascii=False))
    yield from _hugging(site, first + year, own[24 * year :])


def flagged_water(site: str, days: Mapping[int, Day], year: int, closed: int) -> Iterator[Event]:
    """Records of a section that a rule flags on the last closed days, one event a rule, item and day; ``value`` = records.

    Parameters
    ----------
    days : mapping of civil day to Day
    closed : int
        Days of the year that are over.
    """
    first = civil.year_days(year)[0]
    known = sections.table(days, first, first + closed - 1)
    for one in sections.findings(known, sections.flags(known), first + max(0, closed - QUALITY_DAYS)):
        body = {"item": one.item, "records": one.records, "numbers": dict(one.numbers), "effect": dict(one.effect)}
        time = civil.day_end(one.day) + _NUMBERS["water", one.item]
        yield Event(f"{QUALITY}{one.rule}", site, time, float(one.records), json.dumps(body, ensure_ascii=False))


def _hugging(site: str, first: int, own: npt.NDArray[np.int32]) -> Iterator[Event]:
    limits_of = air.limits_on(first)
    for place, item in enumerate(AIR):
        limit = limits_of[item].day
        # Ozone's daily limit is about its maximum of 8 h, not about the mean of the day.
        found = (
            quality.hugging(drift.days(np.where(own[:, place] == MISSING, np.nan, own[:, place] / SCALE)), _unit(item, limit))
            if limit and item != "o3"
            else None
        )
        if found is not None and limit is not None:
            body = {"item": item, "limit": _unit(item, limit), "below": found[0], "above": found[1]}
            yield Event(f"{QUALITY}hugging", site, civil.day_start(first) + _NUMBERS["air", item], float(found[0]), json.dumps(body, ensure_ascii=False))


def _unit(item: str, limit: int) -> float:
    """Limits of CO stand in tenths."""
    return limit / 10 if item == "co" else float(limit)
