"""Warm-up: run every kernel once on a handful of values, so that no first hour waits for a compiler."""

from __future__ import annotations

import numpy as np

from analytics import cube, filling
from analytics.air import years
from analytics.jobs import county, periods, stations
from domain.air import RULES_2012

_DAYS = 31


def warm() -> None:
    """Compile the kernels, or load their machine code from the cache."""
    filling.laid(np.ones((1, 1)))
    site = cube.empty(2_001)
    site.hours[:48] = 1_000
    days = stations.daily(site, _DAYS)
    verdicts = stations.judged(days)
    running = years.running(days, verdicts[0].aqi, site.first)
    at = stations.Span(site.first, _DAYS, _DAYS, 48)
    stations.hour_sheets("", site.first, site.hours[24:72])
    stations.rolling_sheets("", site, at)
    stations.day_sheets("", days, verdicts, at)
    stations.year_sheets("", stations.NAMES[0], running, at)
    periods.sheets("", RULES_2012, days, running, at)
    member = np.ones((_DAYS, 1), bool)
    county.daily([days], member)
    county.hourly({"": site}, ("",), member)
