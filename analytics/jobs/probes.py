"""Findings about water probes as events: the drift that a visit found, and level shifts without one, with what they did to the means.

A finding keeps its place however often it is looked for: kind, source, and the time of the reading at which it shows with the
item's number added as seconds.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import numpy as np

from analytics.jobs.effects import effect
from analytics.water import probes
from analytics.water.probes import Interval, Limits, Probe, Shift, Visit
from analytics.water.records import NAMES, Day
from domain import civil, statements
from domain.alarms import ALARMS
from domain.indicators import Event
from domain.items import ITEMS
from domain.places import Registry
from domain.readings import Entry
from domain.watch import Watch

DRIFT, SHIFT = (ALARMS[kind].kind for kind in ("probe-drift", "probe-shift"))
VISITS: Final = frozenset({"calibration-start", "calibration-end", "maintenance"})
"""What a device tells of its own visits."""
FLAGGED: Final = frozenset(map(ord, "CM"))


def limits(watch: Watch) -> Limits:
    """Limits as a county registered them."""
    return Limits(*(float(getattr(watch, name)) for name in probes.NAMES.values()))


def told(entries: Iterable[Entry], registry: Registry) -> dict[str, list[Visit]]:
    """Visits that devices told, by source; of an event without a source or a usable time the device's own source and the time of receipt."""
    found: dict[str, list[Visit]] = {}
    for entry in entries:
        if entry.body.get("type") in VISITS:
            received = entry.received_ns // 10**9
            try:
                time = statements.instant(entry.body["time"])
            except (KeyError, ValueError, TypeError):
                time = received
            own = registry.sources_of(entry.user, civil.day_of(time))
            named = entry.body.get("source")
            for source in (str(named),) if named else own if len(own) == 1 else ():
                found.setdefault(source, []).append(Visit(time, time))
    return found


def findings(site: str, days: Mapping[int, Day], visits: Sequence[Visit], known: Limits) -> Iterator[Event]:
    """Drifts and shifts of a section's probes.

    Parameters
    ----------
    days : mapping of civil day to Day
        Of years that follow each other; records flagged C or M are visits too.
    """
    some = [days[day] for day in sorted(days)]
    if not some:
        return
    time = np.concatenate([day.time for day in some])
    for item in probes.PROBES:
        place = NAMES.index(item)
        flags = np.concatenate([day.flags[:, place] for day in some])
        own = [*visits, *(Visit(at, at) for at in time[np.isin(flags, list(FLAGGED))].tolist())]
        probe = probes.probe(item, time, np.concatenate([day.values[:, place] for day in some]))
        for one in probes.intervals(probe, own, known):
            if one.size is not None:
                yield _drift(site, item, probe, one)
        for shift in probes.shifts(item, probe, own, known):
            yield _shift(site, item, probe, shift, next((visit.begin for visit in sorted(own) if visit.begin > shift.time), int(probe.time[-1])))


def _drift(site: str, item: str, probe: Probe, one: Interval) -> Event:
    size = one.size or 0.0
    per_day = size / max((one.end - one.begin) / civil.DAY_S, 1)
    numbers = {"least": one.least, "readings": one.readings}
    done = _effect(probe, (one.begin, one.end), (0.0, size))
    body = {"item": item, "from": civil.iso(one.begin), "to": civil.iso(one.end), "size": size, "unit": ITEMS["water", item].unit}
    return _event(DRIFT, site, (one.end, item), size, body | {"per_day": float(f"{per_day:.3g}"), "numbers": numbers, "effect": done})


def _shift(site: str, item: str, probe: Probe, one: Shift, until: int) -> Event:
    done = _effect(probe, (one.time - 1, until), (one.size, one.size))
    body = {"item": item, "from": civil.iso(one.time), "size": one.size, "unit": ITEMS["water", item].unit, "effect": done}
    return _event(SHIFT, site, (one.time, item), one.size, body)


def _event(kind: str, site: str, at: tuple[int, str], size: float, body: Mapping[str, object]) -> Event:
    time, item = at
    return Event(kind, site, time + NAMES.index(item), size, json.dumps(body, ensure_ascii=False))


def _effect(probe: Probe, span: tuple[int, int], error: tuple[float, float]) -> dict[str, float | None]:
    """Mean of the last day and of its year as they are, and without an error that grows straight from the first to the second over a span."""
    begin, end = span
    inside = (probe.time > begin) & (probe.time <= end)
    share = (probe.time - begin) / max(end - begin, 1)
    return effect(probe.time, probe.values, np.where(inside, probe.values - (error[0] + (error[1] - error[0]) * share), probe.values))
