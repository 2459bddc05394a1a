"""Random histories of a small county's air, as a pure function of a seed: what devices and people say, and how it arrives.

Values lie where the law decides: around 20 valid hours, 14 ozone windows, 160 µg/m³, AQI 100 and 200, hour 24, New Year.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np

from domain import civil
from domain.message import Message
from domain.places import Registry
from domain.readings import Key
from ingest.revisions import FIRST_DEVICE_RUN
from lanbi.registry import loads

COUNTY: Final = """
[county]
id = "c"
name = "c"
""" + "".join(
    f"""
[[air_station]]
id = "{name}"
name = "{name}"
role = "{role}"
[[device]]
id = "d-{name}"
sources = ["{name}"]
format = "lanbi-json"
interval = 600
state = "accepted"
"""
    for name, role in (("a", "assessment"), ("b", "assessment"))
)
REGISTRY: Final[Registry] = loads(COUNTY, "tests/faults/parts/histories.py")
STATIONS: Final = ("a", "b")
ITEMS: Final = ("pm25", "pm10", "so2", "no2", "co", "o3")
BASES: Final = ((35, 60, 75, 115, 150, 250), (50, 120, 150, 250, 350), (50, 150), (40, 80), (2, 4), (100, 158, 160, 162, 200))
"""Where breakpoints and limits lie, by item."""
FIRST: Final = civil.parse_time("2024-12-30T00:00:00+08:00")
DAYS: Final = 5
NOW: Final = FIRST + DAYS * civil.DAY_S + 2 * civil.HOUR_S
BAD: Final = (
    b'{"seq":%d,"time":"2025-01-01T08:00:00+08:00","span":3600,"values":{"pm25":1e20}}',
    b'{"seq":%d,"time":"2025-01-01T08:00:00+08:00","span":3600,"values":{"pm25":NaN}}',
    b'{"seq":%d,"time":"2025-01-01T08:00:00+08:00","span":3600,"values":{"co":9999}}',
    b'{"seq":%d,"time":"2025-01-01T08:00:00+08:00","span":3600,"values":{"dust":1}}',
)
"""Readings of which nothing can be used."""


class Delivery(NamedTuple):
    """One journal record: through which door, under which topic, and what."""

    writer: str
    topic: str
    payload: bytes


@dataclass
class History:
    """What was said, and one order in which it arrives.

    Attributes
    ----------
    said : dict of station to list of Message
        Each under its own revision.
    bad : int
        Readings of which nothing can be used.
    entered : list of Delivery
        What people entered; these keep their order, for the later receipt counts.
    """

    seed: int
    said: dict[str, list[Message]] = field(default_factory=dict)
    bad: int = 0
    repeated: int = 0
    entered: list[Delivery] = field(default_factory=list)
    arrivals: list[list[Delivery]] = field(default_factory=list)

    @property
    def readings(self) -> int:
        """Readings that arrive, repetitions and useless ones included."""
        return sum(map(len, self.said.values())) + self.repeated + self.bad


def history(seed: int) -> History:
    """A history of a seed."""
    chance = np.random.default_rng([77, seed])
    made = History(seed)
    first = int(chance.integers(0, 3))
    days = range(first, min(DAYS, first + 1 + int(chance.integers(1, 3))))
    for station in STATIONS:
        made.said[station] = list(_station(chance, station, days))
    made.entered = list(_entries(chance, days))
    made.arrivals = _arrivals(chance, made)
    return made


def _station(chance: np.random.Generator, station: str, days: range) -> Iterator[Message]:
    """A station's hours and corrections; run and number grow as they are said."""
    run, number = 0, 0
    labels = []
    for day in days:
        bases = [float(chance.choice(one)) for one in BASES]
        missing = set(chance.choice(24, int(chance.choice([0, 0, 3, 4, 5, 11])), replace=False).tolist())
        for hour in range(24):
            time = FIRST + day * civil.DAY_S + (hour + 1) * civil.HOUR_S
            labels.append(time)
            if hour in missing:
                continue
            for message in _hour(chance, time, bases):
                yield msgspec.structs.replace(message, run=run, seq=number, source=station)
                number += 1
        if chance.random() < 0.2:
            run, number = run + 1, 0
    for _ in range(int(chance.integers(0, 16))):
        yield msgspec.structs.replace(_correction(chance, int(chance.choice(labels))), run=run, seq=number, source=station)
        number += 1


def _hour(chance: np.random.Generator, time: int, bases: Sequence[float]) -> Iterator[Message]:
    """An hour as one reading, or as ten-minute ones that may cover too little of it."""
    if chance.random() < 0.05:
        for part in sorted(chance.choice(6, int(chance.integers(3, 7)), replace=False).tolist()):
            yield Message(time - 3_000 + 600 * part, 600, _values(chance, bases))
        return
    flags = {"so2": str(chance.choice(list("MCDP")))} if chance.random() < 0.05 else {}
    yield Message(time, 3_600, _values(chance, bases), flags=flags)


def _values(chance: np.random.Generator, bases: Sequence[float]) -> dict[str, float | None]:
    found: dict[str, float | None] = {}
    for item, base in zip(ITEMS, bases, strict=True):
        step = chance.integers(-3, 4) / (2 if item != "co" else 20)
        found[item] = round(max(base + float(step), 0.0), 2)
    return found


def _correction(chance: np.random.Generator, time: int) -> Message:
    """Another word on an hour: another value, withdrawn, flagged, or the whole hour after all."""
    items = chance.choice(ITEMS, int(chance.integers(1, 4)), replace=False).tolist()
    kind = chance.integers(4)
    bases = [float(chance.choice(one)) for one in BASES]
    values = {item: value for item, value in _values(chance, bases).items() if kind == 3 or item in items}
    if kind == 1:
        values = dict.fromkeys(values)
    flags = dict.fromkeys(values, "M") if kind == 2 else {}
    return Message(time, 3_600, values, flags=flags, corrects=bool(chance.random() < 0.5))


def _entries(chance: np.random.Generator, days: range) -> Iterator[Delivery]:
    """What people enter about some of the days."""

    def on(day: int) -> str:
        return civil.date_of(civil.day_of(FIRST + 1) + day).isoformat()

    pool: list[tuple[str, Mapping[str, Any]]] = [
        ("dust", {"scope": str(chance.choice(["c", "a"])), "from": on(days[0]), "to": on(days[-1]), "document": "d1"}),
        (
            "mark",
            {"source": "a", "from": f"{on(days[0])}T03:00:00+08:00", "to": f"{on(days[0])}T09:00:00+08:00", "flag": "H", "items": ["pm25"], "reason": "r"},
        ),
        ("mark", {"source": "a", "from": f"{on(days[0])}T05:00:00+08:00", "to": f"{on(days[0])}T06:00:00+08:00", "flag": "N", "reason": "r"}),
        ("reviewed", {"site": "b", "date": on(days[-1]), "span": 3600, "document": "d2", "cells": [[h, "no2", str(40 + h), "N"] for h in range(1, 25)]}),
        ("official", {"scope": "c", "period": on(days[-1]), "item": "aqi", "value": "101", "document": "d3"}),
    ]
    for kind, body in pool:
        if chance.random() < 0.3:
            yield Delivery("person", f"lanbi/v1/~person/{kind}", msgspec.json.encode({"user": "x", **body}))


def _arrivals(chance: np.random.Generator, made: History) -> list[list[Delivery]]:
    """Everything in some order, some of it twice, in payloads of many sizes and a few batches."""
    deliveries: list[Delivery] = []
    for station, messages in made.said.items():
        topic = f"lanbi/v1/d-{station}/data"
        twice = [messages[place] for place in chance.integers(0, len(messages), int(chance.integers(0, 9)))]
        made.repeated += len(twice)
        order = [*messages, *twice]
        order = [order[place] for place in (chance.permutation(len(order)) if chance.random() < 0.8 else range(len(order)))]
        deliveries += [Delivery("mqtt", topic, msgspec.json.encode(part)) for part in _cut(chance, order, 30)]
    for number in range(int(chance.integers(0, 3))):
        made.bad += 1
        deliveries.append(Delivery("mqtt", "lanbi/v1/d-a/data", BAD[int(chance.integers(len(BAD)))] % (900_000 + number)))
    mixed = [deliveries[place] for place in chance.permutation(len(deliveries))]
    places = sorted(chance.integers(0, len(mixed) + 1, len(made.entered)).tolist(), reverse=True)
    for place, entry in zip(places, made.entered[::-1], strict=True):
        mixed.insert(place, entry)
    return _cut(chance, mixed, max(2, len(mixed) // 2))


def _cut(chance: np.random.Generator, rows: Sequence[Any], most: int) -> list[list[Any]]:
    found, begin = [], 0
    while begin < len(rows):
        end = begin + int(chance.integers(1, most + 1))
        found.append(list(rows[begin:end]))
        begin = end
    return found


def expected(made: History) -> dict[Key, dict[str, Any]]:
    """Rows of the store by the rule itself: of each item the greatest (run, number); the row carries the greatest of all."""
    rows: dict[Key, dict[str, Any]] = {}
    for station, messages in made.said.items():
        for message in sorted(messages, key=lambda one: (one.run, one.seq)):
            row = rows.setdefault(Key("air", station, message.span, message.time), {"rev": 0})
            row["rev"] = (message.run + FIRST_DEVICE_RUN) * 2**40 + int(message.seq or 0)
            for name, value in message.values.items():
                row[name] = (value, "W" if value is None else message.flags.get(name, "N"))
    return rows
