"""A site-year of which only some days changed: what is made anew of them is the whole again, to the bit."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics import cube
from analytics.air.days import Days
from analytics.bases import Marks
from analytics.cube import BACK, SiteYear
from analytics.jobs import scopes, stations
from analytics.jobs.sheets import Sheet, Shelf
from domain import civil
from domain.fixed import MISSING

YEARS = (2025, 2026)
"""In the second one the rule set changes on the first of March."""


def filled(year: int, generator: np.random.Generator) -> SiteYear:
    """A year of random hours with gaps; some are built of shorter spans."""
    site = cube.empty(year)
    _fill(site, slice(0, len(site.hours)), generator)
    return site


def _fill(site: SiteYear, rows: slice, generator: np.random.Generator) -> None:
    shape = site.hours[rows].shape
    site.hours[rows] = np.where(generator.random(shape) < 0.1, MISSING, generator.integers(0, 300_000, shape))
    site.lost[rows] = np.where((generator.random(shape) < 0.02) & (site.hours[rows] != MISSING), cube.BUILT, 0)
    for day in range(rows.start // 24 - BACK, rows.stop // 24 - BACK):
        if day >= 0:
            sent = generator.random() < 0.1
            site.days[day] = generator.integers(0, 300_000, 6) if sent else MISSING
            if sent and generator.random() < 0.5:
                site.hours[24 * (BACK + day) : 24 * (BACK + day + 1)] = MISSING


def said(found: list[Sheet]) -> dict[object, tuple[list[list[int]], ...]]:
    """What sheets say, by kind."""
    return {one.kind: tuple(getattr(one, name).tolist() for name in ("units", "valid", "status", "text")) for one in found}


def values(days: Days) -> list[object]:
    """Daily values as lists."""
    return [one.tolist() for one in days]


@settings(max_examples=20, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from(YEARS),
    st.lists(st.one_of(st.integers(-BACK, 100), st.sampled_from([-1, 0, 57, 58, 59])), min_size=1, max_size=4, unique=True),
    st.integers(0, 23),
)
def test_changed_days_alone_give_the_whole(seed: int, year: int, days: list[int], hour: int) -> None:
    """Hours that a changed day does not reach are kept, and every sheet is that of a computation on everything; kept ones stay as they were."""
    generator = np.random.default_rng(seed)
    site = filled(year, generator)
    at = stations.span(year, civil.day_start(site.first + 100) + civil.HOUR_S * hour)
    shelf, nothing = Shelf(), Marks()
    known, before = scopes.sheets(site, nothing, "a", at)
    for one in before:
        shelf.put(one)
    old, old_days = said(before), values(known.raw)
    for day in days:
        _fill(site, slice(24 * (BACK + day), 24 * (BACK + day + 1)), generator)

    anew, sheets = scopes.sheets(site, nothing, "a", at)
    whole = said(sheets)

    for kept in (None, known.raw):
        again, found = scopes.sheets(site, nothing, "a", at, stations.Again(shelf.sheet, days, kept))

        assert whole == said(found)
        assert values(anew.raw) == values(again.raw)
    assert (old, old_days) == (said(before), values(known.raw))
    assert whole != old or max(days) < -1, "a change that changes nothing would prove nothing"


def test_a_sheet_of_other_hours_is_made_whole() -> None:
    """An hour later there is one mean more: nothing is taken from the sheet of the hour before."""
    site = filled(2025, np.random.default_rng(4))
    early, late = (stations.span(2025, civil.day_start(site.first + 9) + civil.HOUR_S * hour) for hour in (3, 4))
    shelf, nothing = Shelf(), Marks()
    known, before = scopes.sheets(site, nothing, "a", early)
    for one in before:
        shelf.put(one)

    found = said(scopes.sheets(site, nothing, "a", late, stations.Again(shelf.sheet, (), known.raw))[1])

    assert found == said(scopes.sheets(site, nothing, "a", late)[1])
    assert 9 * 24 + 4 == len(next(units for kind, (units, *_) in found.items() if kind.figures == ("pm25_24h",))[0])  # type: ignore[attr-defined]


def test_a_day_more_is_made_whole() -> None:
    """After midnight there is one day more: nothing is taken from the days of yesterday."""
    site = filled(2025, np.random.default_rng(5))
    today, tomorrow = (stations.span(2025, civil.day_start(site.first + day) + civil.HOUR_S) for day in (9, 10))
    shelf, nothing = Shelf(), Marks()
    known, before = scopes.sheets(site, nothing, "a", today)
    for one in before:
        shelf.put(one)

    again, found = scopes.sheets(site, nothing, "a", tomorrow, stations.Again(shelf.sheet, (), known.raw))

    assert said(scopes.sheets(site, nothing, "a", tomorrow)[1]) == said(found)
    assert 11 == len(again.raw.shown)
