"""Warm-up: run every kernel once on a handful of values, so that no first hour waits for a compiler."""

from __future__ import annotations

from decimal import Decimal

import numpy as np

from analytics import counting, cube, filling, quality
from analytics.energy.meteryear import laid
from analytics.jobs import county, metered, scopes, stations
from domain.places import Dated, Meter

_DAYS = 31


def warm() -> None:
    """Compile the kernels, or load their machine code from the cache."""
    filling.laid(np.ones((1, 1)))
    site = cube.empty(2_001)
    site.hours[:48] = 1_000
    days = stations.daily(site, _DAYS)
    at = stations.Span(site.first, _DAYS, _DAYS, 48)
    stations.hour_sheets("", site.first, site.hours[24:72])
    stations.rolling_sheets("", site, at)
    for expected in (None, 24):
        for _ in scopes.figures("", scopes.Known(days), at, expected):
            pass
    member = np.ones((_DAYS, 1), bool)
    county.daily([days], member)
    county.hourly({"": site}, ("",), member)
    quality.flags(site.hours[:48], {"": site.hours[:48]})
    _meter(site.first)


def _meter(first: int) -> None:
    one = Meter("", "", "", Dated.always("main"), "", Dated.always("1"))
    readings = counting.Readings(first * 86_400 + 900 * np.arange(8, dtype=np.int64), np.arange(8, dtype=np.int64), Decimal(1))
    hours, days = laid(counting.count(one, readings, 900), readings, (first, _DAYS), 900)
    metered.hours("", hours)
    metered.meter("", days, (first + _DAYS) * 86_400)
