"""Days and records whose class differs: what faults, gaps and roundings make of air levels and water classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from analytics import tables
from analytics.air import days as air_days
from domain import fixed, water
from domain.civil import day_end, day_of, day_start
from domain.items import AIR, BY_REALM, ITEMS
from domain.places import Registry
from lanbi.score.readings import Rows
from lanbi.score.truth import Floats, Longs, Said


@dataclass
class Classes:
    """How many were compared, and how many differ: days of air stations by level, records of water sections by class."""

    air_days: int = 0
    air_differ: int = 0
    water_records: int = 0
    water_differ: int = 0


def classes(registry: Registry, said: Sequence[tuple[Said, Rows]], levels: Mapping[tuple[str, int], int]) -> Classes:
    """Compare.

    Parameters
    ----------
    levels : dict of (station, civil day) to level
        lanbi's stored levels; where it has stored none of a station, its stored hours are judged.
    """
    out = Classes()
    judged = {name for name, _ in levels}
    for one, rows in said:
        if one.source in registry.air_stations and one.span == 3600 and len(one):
            first, last = day_of(int(one.slot.min())), day_of(int(one.slot.max()))
            true = _levels(one.slot, one.truth, first, last)
            stored = levels if one.source in judged else _named(one.source, first, _levels(rows.times, rows.values, first, last))
            found = [stored.get((one.source, first + place), -1) for place in range(len(true))]
            out.air_days += len(true)
            out.air_differ += sum(level != other for level, other in zip(true, found, strict=True))
        elif one.source in registry.water_sections:
            _sections(out, one, rows, registry.water_sections[one.source].body)
    return out


def _named(source: str, first: int, levels: Sequence[int]) -> dict[tuple[str, int], int]:
    return {(source, first + place): level for place, level in enumerate(levels)}


def _levels(times: Longs, values: Floats, first: int, last: int) -> list[int]:
    """Level of each civil day from hours; -1 = none."""
    hours = np.full(((last - first + 1) * 24, 1, len(AIR)), fixed.MISSING, np.int32)
    row = (times - day_start(first)) // 3600 - 1
    inside = (times > day_start(first)) & (times <= day_end(last)) & (times % 3600 == 0)
    columns = [BY_REALM["air"].index(name) for name in AIR]
    whole = values[inside][:, columns]
    hours[row[inside], 0] = np.where(np.isnan(whole), fixed.MISSING, np.round(np.nan_to_num(whole) * 1000)).astype(np.int32)
    found = air_days.from_hours(hours)
    days = np.arange(first, last + 1)
    part = air_days.Days(found.exact[:, 0], found.parts[:, 0], found.hours[:, 0], found.shown[:, 0])
    return [int(level) for level in part.judged(tables.rules_on(days)).level]


def _sections(out: Classes, said: Said, rows: Rows, body: str) -> None:
    """Each sampling once: its true values, of which the nutrients are known from the start, against its stored row."""
    slots, first = np.unique(said.slot, return_index=True)
    stored = dict(zip(rows.times.tolist(), rows.values, strict=True))
    for slot, place in zip(slots.tolist(), first.tolist(), strict=True):
        out.water_records += 1
        out.water_differ += _class(said.truth[place], body) != (_class(stored[slot], body) if slot in stored else None)


def _class(values: Floats, body: str) -> int | None:
    shown: dict[str, int] = {}
    for name in water.DECIDING:
        value = float(values[BY_REALM["water"].index(name)])
        if not np.isnan(value):
            shown[name] = fixed.from_decimal(water.displayed(Decimal(repr(value)), ITEMS["water", name].digits))
    return water.judge(shown, body)[0]
