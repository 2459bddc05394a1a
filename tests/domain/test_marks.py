"""Evidence that decides which values count: periods, places, what an entry touches, and what cannot be meant."""

from __future__ import annotations

from typing import Any

import pytest

from domain import civil, marks
from domain.fixed import MISSING
from domain.places import Registry
from tests.ingest.county import county

REGISTRY: Registry = county()
STATION = next(iter(REGISTRY.air_stations))
DUST = {"scope": STATION, "from": "2025-04-12T20:30:00+08:00", "to": "2025-04-13T02:10:00+08:00", "document": "d"}
MARK = {"source": STATION, "from": "2025-04-12", "to": "2025-04-12", "flag": "H", "reason": "calibration gas"}
REVIEW = {
    "site": STATION,
    "date": "2025-04-12",
    "span": 3600,
    "document": "d",
    "cells": [[1, "pm25", "35.5", "N"], [24, "co", None, "D"], [2, "so2", "-3", "Z"]],
}
OFFICIAL = {"scope": "anyone", "period": "2025-06", "item": "pm25", "value": "42.3", "rank": "2", "document": "d"}


def day(text: str) -> int:
    """Civil day of a date."""
    return civil.parse_date(text)


def test_a_touched_hour_counts_whole() -> None:
    """A period from 20:30 to 02:10 covers the labels 21:00 to 03:00, of particulates only, with the letter X."""
    one = marks.span("dust", DUST, REGISTRY)

    assert ["2025-04-12T20:30:00+08:00", "2025-04-13T03:00:00+08:00"] == [civil.iso(one.start), civil.iso(one.end)]
    assert ((STATION,), ("pm25", "pm10"), "X") == (one.sites, one.items, one.flag)


def test_the_county_stands_for_all_its_stations() -> None:
    """A county-wide period covers every air station, a meter or an unknown name none."""
    assert tuple(sorted(REGISTRY.air_stations)) == marks.places(REGISTRY.county.id, REGISTRY)
    assert [(), ()] == [marks.places(name, REGISTRY) for name in ("nobody", next(iter(REGISTRY.meters), "none"))]


def test_a_mark_on_another_place_is_about_its_items() -> None:
    """Of a section or a permit point all its own items, or those named; items of another kind of place say nothing."""
    section = next(iter(REGISTRY.water_sections))
    whole = marks.span("mark", {**MARK, "source": section}, REGISTRY)
    some = marks.span("mark", {**MARK, "source": section, "items": ["tp", "pm25"]}, REGISTRY)

    assert ((section,), True, ("tp",)) == (whole.sites, {"do", "tp", "level"} <= set(whole.items), some.items)


@pytest.mark.parametrize(
    ("kind", "body", "wanted"),
    [
        ("dust", DUST, {"2025-04-12": {STATION}, "2025-04-13": {STATION}}),
        ("mark", MARK, {"2025-04-12": {STATION}}),
        ("reviewed", REVIEW, {"2025-04-12": {STATION}}),
        ("official", OFFICIAL, {"2025-06-30": set()}),
        ("dust", {**DUST, "to": "never"}, {}),
    ],
)
def test_what_an_entry_touches(kind: str, body: dict[str, Any], wanted: dict[str, set[str]]) -> None:
    """Every civil day whose figures may change is named with its places; what cannot be read touches nothing."""
    assert {day(text): sites for text, sites in wanted.items()} == marks.touched(kind, body, REGISTRY)


def test_cells_of_a_review() -> None:
    """A value keeps its decimals, one that was taken out is missing, and noise below zero counts as zero."""
    cells = list(marks.cells(REVIEW))

    assert [35_500, MISSING, 0] == [cell.value for cell in cells]
    assert ["2025-04-12T01:00:00+08:00", "2025-04-13T00:00:00+08:00"] == [civil.iso(cell.time) for cell in cells[:2]]


BAD = [
    ("dust", {**DUST, "to": "2025-04-12T20:00:00+08:00"}),
    ("dust", {**DUST, "to": "2025-07-01"}),
    ("dust", {**DUST, "document": " "}),
    ("dust", {"scope": STATION}),
    ("mark", {**MARK, "flag": "Q"}),
    ("mark", {**MARK, "items": ["pm99"]}),
    ("mark", {**MARK, "items": 5}),
    ("mark", {**MARK, "reason": ""}),
    ("reviewed", {**REVIEW, "span": 60}),
    ("reviewed", {**REVIEW, "cells": [[25, "pm25", "35", "N"]]}),
    ("reviewed", {**REVIEW, "cells": [[1, "o3_8h", "35", "N"]]}),
    ("reviewed", {**REVIEW, "cells": [[1, "pm25", "nan", "N"]]}),
    ("reviewed", {**REVIEW, "cells": [[1, "pm25", "1e20", "N"]]}),
    ("reviewed", {**REVIEW, "cells": [[1, "co", "900", "N"]]}),
    ("reviewed", {**REVIEW, "cells": [[1, "pm25", None, "N"]]}),
    ("reviewed", {**REVIEW, "cells": [[1, "pm25", 35, "N"]]}),
    ("reviewed", {**REVIEW, "cells": "x"}),
    ("reviewed", {**REVIEW, "date": None}),
    ("official", {**OFFICIAL, "period": "2025-6"}),
    ("official", {**OFFICIAL, "period": "2025-02-30"}),
    ("official", {**OFFICIAL, "item": "aqi"}),
    ("official", {**OFFICIAL, "value": "-0.1"}),
    ("official", {**OFFICIAL, "rank": "first"}),
    ("official", {}),
]


@pytest.mark.parametrize(("kind", "body"), BAD)
def test_what_cannot_be_meant_has_a_reason(kind: str, body: dict[str, Any]) -> None:
    """Nothing that a person or a file enters raises; it is refused in words."""
    found = marks.fault(kind, body)

    assert isinstance(found, str) and found


@pytest.mark.parametrize(("kind", "body"), [("dust", DUST), ("mark", MARK), ("reviewed", REVIEW), ("official", OFFICIAL)])
def test_good_entries_have_no_fault(kind: str, body: dict[str, Any]) -> None:
    """The examples themselves can be used."""
    assert None is marks.fault(kind, body)
