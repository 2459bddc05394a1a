"""The same readings on three bases: marks, reviews and dust lie over the cube and change no reading."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from analytics import bases, cube
from analytics.bases import Marks
from analytics.cube import BACK, SiteYear
from analytics.jobs import scopes, stations
from domain import civil, fixed
from domain.fixed import MISSING
from domain.places import AirStation, County, Dated, Registry
from domain.readings import Entry

FIRST = civil.day_number(date(2025, 1, 1))


def registry() -> Registry:
    """Two assessment stations."""
    both = {name: AirStation(name, name, Dated.always("assessment")) for name in ("a", "b")}
    empty: dict[str, Any] = {}
    return Registry(County("c", "c"), empty, both, empty, empty, empty, empty, empty, empty, empty, "v1")


def entries(*said: tuple[str, dict[str, Any]]) -> list[Entry]:
    """Entries in the order of their receipt."""
    return [Entry(kind, f"person/{place}", place, "x", body) for place, (kind, body) in enumerate(said, 1)]


def marks(*said: tuple[str, dict[str, Any]]) -> Marks:
    """What these entries say."""
    return bases.read(entries(*said), registry())


def dust(first: str, last: str, scope: str = "c") -> tuple[str, dict[str, Any]]:
    """A dust period."""
    return "dust", {"scope": scope, "from": first, "to": last, "document": "d"}


def mark(flag: str, first: str, last: str, *items: str) -> tuple[str, dict[str, Any]]:
    """A person's mark on station a."""
    return "mark", {"source": "a", "from": first, "to": last, "flag": flag, "items": list(items), "reason": "r"}


def review(day: str, span: int, *cells: tuple[int, str, str | None, str]) -> tuple[str, dict[str, Any]]:
    """Reviewed values of station a."""
    return "reviewed", {"site": "a", "date": day, "span": span, "document": "d", "cells": [list(cell) for cell in cells]}


def filled(*values: int, days: int = 60) -> SiteYear:
    """A year whose first days have these six concentrations [µg/m³; CO tenths] in every hour."""
    year = cube.empty(2025)
    year.hours[24 * BACK : 24 * (BACK + days)] = np.array(values, np.int32) * np.array([1_000, 1_000, 1_000, 1_000, 100, 1_000], np.int32)
    return year


def aqi(known: scopes.Known, basis: str, rules: str, day: int) -> tuple[float | None, str, str]:
    """AQI, level and primary pollutants of a day on a basis."""
    at = stations.Span(FIRST, len(known.raw.shown), len(known.raw.shown), 0)
    for one in scopes.figures("a", known, at):
        for column in (column for sheet in one.sheets for column in sheet.columns()):
            if column.tag == ("aqi", "day", "a", rules, basis):
                row = column.row(day, 0.0)
                return row.value, row.status, row.text
    raise AssertionError(basis)


@pytest.mark.parametrize("rules", ["HJ633-2012", "HJ633-2026"])
def test_dust_leaves_a_day_that_exceeds_because_of_it(rules: str) -> None:
    """PM10 of 400 is a heavy day as measured; without dust the day has the index of its four gases, and nothing counts as missing."""
    known = scopes.site(filled(70, 400, 6, 40, 5, 130), marks(dust("2025-01-03", "2025-01-04")), "a", 60)

    assert [(272.0, "5", "pm10"), (75.0, "2", "o3_8h")] == [aqi(known, basis, rules, 2) for basis in ("raw", "dust-excluded")]
    assert aqi(known, "raw", rules, 4) == aqi(known, "dust-excluded", rules, 4), "the day after is as measured"


def test_a_good_dust_day_keeps_its_index_and_loses_its_particulates() -> None:
    """A dust day up to AQI 100 keeps the measured index, primary pollutant included, while PM leaves the means."""
    known = scopes.site(filled(40, 120, 6, 40, 5, 60), marks(dust("2025-01-03", "2025-01-03")), "a", 60)

    assert aqi(known, "raw", "HJ633-2012", 2) == aqi(known, "dust-excluded", "HJ633-2012", 2) == (85.0, "2", "pm10")
    assert [-1, -1, 6, 40, 5, 60] == (known.kept or known.raw).shown[2].tolist()
    assert [40, 120] == known.raw.shown[2].tolist()[:2]


def test_a_day_that_exceeds_by_its_gases_stays_exceeding() -> None:
    """Ozone of 185 keeps its 123 (3rd level) when a dust event is taken out."""
    known = scopes.site(filled(40, 400, 6, 40, 5, 185), marks(dust("2025-01-03", "2025-01-03")), "a", 60)

    assert (123.0, "3", "o3_8h") == aqi(known, "dust-excluded", "HJ633-2012", 2)


def test_the_rest_of_a_dust_day_counts_if_it_is_a_day() -> None:
    """Three dust hours leave 21 hours, whose mean is the day's; five leave 19, and the day has no PM."""
    year = filled(50, 60, 6, 40, 5, 60)
    year.hours[24 * (BACK + 2) : 24 * (BACK + 2) + 5, 1] = 900_000
    three = scopes.site(year, marks(dust("2025-01-03T00:00:00+08:00", "2025-01-03T03:00:00+08:00")), "a", 60)
    five = scopes.site(year, marks(dust("2025-01-03T00:00:00+08:00", "2025-01-03T05:00:00+08:00")), "a", 60)

    assert [(900 * 2 + 60 * 19) // 21, -1] == [(known.kept or known.raw).shown[2, 1] for known in (three, five)]


def test_a_published_day_loses_its_particulates() -> None:
    """A day that came as a day cannot lose hours: PM leaves it if any hour was dusty, the gases stay."""
    year = cube.empty(2025)
    year.days[2] = np.array([70, 400, 6, 40, 1, 110], np.int32) * 1_000
    known = scopes.site(year, marks(dust("2025-01-03T08:00:00+08:00", "2025-01-03T10:00:00+08:00")), "a", 10)

    assert [-1, -1, 6, 40, 10, 110] == (known.kept or known.raw).shown[2].tolist()
    assert 400 == known.raw.shown[2, 1]


def test_both_figures_are_reported() -> None:
    """The published pair: 85.5 % good days as measured, 86.8 % without dust; 1.6 % heavy days, 1.1 % without."""
    year = filled(50, 60, 6, 40, 5, 60, days=365)
    bad = np.zeros(365, bool)
    bad[:53] = True
    heavy = np.zeros(365, bool)
    heavy[[0, 1, 2, 3, 51, 52]] = True
    hours = year.hours[24 * BACK :].reshape(365, 24, 6)
    hours[bad, :, 1] = 200_000
    hours[heavy, :, 1] = 400_000
    listed = [dust(civil.date_of(FIRST + day).isoformat(), civil.date_of(FIRST + day).isoformat()) for day in (48, 49, 50, 51, 52)]
    known = scopes.site(year, marks(*listed), "a", 365)
    at = stations.Span(FIRST, 365, 365, 0)
    found: dict[tuple[str, str], list[int]] = {}
    ratios = {}
    for one in scopes.figures("a", known, at, 24):
        counts = one.running[0].counts[-1].tolist()
        found[one.name, "counts"] = counts
        ratios[one.name] = [fixed.to_float(Fraction(100 * number, counts[0]), 1) for number in counts[1:]]

    assert {"raw": [85.5, 1.6], "dust-excluded": [86.8, 1.1]} == ratios
    assert [365, 365] == [found[name, "counts"][0] for name in ("raw", "dust-excluded")]


def test_the_county_is_dusty_where_a_station_is() -> None:
    """A dust period of one station leaves the county the mean of what is kept, by the same rule for its index."""
    one = scopes.site(filled(50, 400, 6, 40, 5, 60), marks(dust("2025-01-03", "2025-01-03", "a")), "a", 60)
    other = scopes.site(filled(30, 300, 6, 40, 5, 60), marks(), "b", 60)
    county = scopes.city([one, other], np.ones((60, 2), bool))

    assert [350, 300] == [days.shown[2, 1] for days in (county.raw, county.kept or county.raw)]
    assert None is scopes.city([other, other], np.ones((60, 2), bool)).kept, "without a list there is no second figure"


def test_a_held_hour_is_missing_and_says_why() -> None:
    """H and R take values out of the raw series, of the named items only; N takes a mark back; X leaves the raw series alone."""
    said = [
        mark("H", "2025-01-03T00:00:00+08:00", "2025-01-03T02:00:00+08:00", "pm25"),
        mark("R", "2025-01-03T02:00:00+08:00", "2025-01-03T03:00:00+08:00"),
        mark("N", "2025-01-03T01:00:00+08:00", "2025-01-03T02:00:00+08:00", "pm25"),
        mark("X", "2025-01-03T03:00:00+08:00", "2025-01-03T04:00:00+08:00"),
    ]
    year = filled(50, 60, 6, 40, 5, 60)
    letters = bases.letters(marks(*said), "a", year)
    assert letters is not None
    bases.hold(year, letters)
    rows = slice(24 * (BACK + 2), 24 * (BACK + 2) + 4)

    assert [MISSING, 50_000, MISSING, 50_000] == year.hours[rows, 0].tolist()
    assert [60_000, 60_000, MISSING, 60_000] == year.hours[rows, 1].tolist()
    assert [ord("H"), 0, ord("R"), 0] == year.lost[rows, 0].tolist()


def test_the_later_mark_stands_whatever_the_order_of_reading() -> None:
    """Marks lie over each other in the order of their receipt, not of the list."""
    said = entries(mark("H", "2025-01-03", "2025-01-03"), mark("N", "2025-01-03", "2025-01-03"))
    found = [bases.letters(bases.read(order, registry()), "a", filled(1, 1, 1, 1, 1, 1)) for order in (said, said[::-1])]

    assert all(one is not None and not one.any() for one in found)


def test_reviewed_values_stand_over_raw_ones() -> None:
    """A reviewed hour replaces its value, one taken out is missing, all other hours are the raw ones; the raw year is untouched."""
    year = filled(50, 60, 6, 40, 5, 60)
    before = year.hours.copy()
    known = marks(review("2025-01-03", 3600, (1, "pm25", "170", "N"), (2, "pm25", None, "D"), (24, "pm25", "50", "S")))
    view = bases.reviewed(known, "a", year)
    assert view is not None
    rows = slice(24 * (BACK + 2), 24 * (BACK + 2) + 3)

    assert [170_000, MISSING, 50_000] == view.year.hours[rows, 0].tolist()
    assert np.array_equal(before, year.hours)
    found = scopes.site(year, known, "a", 60)
    assert [50, 55] == [found.raw.shown[2, 0], found.best.shown[2, 0]]
    assert None is scopes.site(year, known, "b", 60).reviewed


def test_a_reviewed_day_decides_whatever_its_hours_say() -> None:
    """The authority's daily value is the day's, a day that was taken out is none, and the other items stay."""
    known = marks(review("2025-01-03", 86400, (24, "o3_8h", "120", "N"), (24, "pm25", None, "D")))
    found = scopes.site(filled(50, 60, 6, 40, 5, 60), known, "a", 60)

    assert [[50, 60, 6, 40, 5, 60], [-1, 60, 6, 40, 5, 120]] == [found.raw.shown[2].tolist(), found.best.shown[2].tolist()]


def test_the_last_review_of_a_value_stands() -> None:
    """Of two reviews of one hour the one received later counts."""
    known = marks(review("2025-01-03", 3600, (1, "so2", "7", "N")), review("2025-01-03", 3600, (1, "so2", "9", "N")))
    view = bases.reviewed(known, "a", filled(50, 60, 6, 40, 5, 60))

    assert view is not None and 9_000 == view.year.hours[24 * (BACK + 2), 2]


def test_dust_is_taken_out_of_the_reviewed_values() -> None:
    """The dust-excluded basis begins with what was reviewed."""
    known = marks(review("2025-01-03", 3600, *((hour, "no2", "80", "N") for hour in range(1, 25))), dust("2025-01-03", "2025-01-03"))
    found = scopes.site(filled(50, 400, 6, 40, 5, 60), known, "a", 60)

    assert [-1, -1, 6, 80] == (found.kept or found.raw).shown[2].tolist()[:4]
    assert (100.0, "2", "no2") == aqi(found, "dust-excluded", "HJ633-2012", 2)


def test_new_year_belongs_to_its_own_year() -> None:
    """A period over New Year touches the last day of the old year and the first of the new one, each in its own year."""
    known = marks(dust("2025-12-31", "2026-01-01"))
    old, new = (scopes.site(cube.empty(year), known, "a", count).touched for year, count in ((2025, 365), (2026, 3)))
    assert old is not None and new is not None

    assert ([364], [0]) == (np.flatnonzero(old).tolist(), np.flatnonzero(new).tolist())
