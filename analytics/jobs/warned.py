"""The county's running 24 h means of PM2.5, and the warning levels that what has happened meets, hour by hour."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from analytics import tables
from analytics.air import hours as air_hours
from analytics.air import warning
from analytics.cube import BACK
from analytics.jobs import sheets as kept
from analytics.jobs.sheets import Kind, Sheet
from analytics.jobs.stations import NAMES, Span, in_force, labels, rolling_pm25
from domain.warning import LEVELS, Scheme

_CODES: Final = tuple(code for code, _, _ in LEVELS)


def sheets(scope: str, hours: npt.NDArray[np.int32], at: Span, scheme: Scheme | None) -> list[Sheet]:
    """Rolling PM2.5 and warning levels of the hours that are over; a level stands only where one is met.

    Parameters
    ----------
    hours : (24·(BACK + d), 6) int32 [thousandths of the reporting unit]
        The scope's hours, ``BACK`` days before the first of January included.
    scheme : Scheme or None
        Whose conditions are asked; None = none.
    """
    own = slice(24 * BACK, 24 * BACK + at.hours)
    found = [rolling_pm25(scope, hours[: own.stop], at)]
    if scheme is not None:
        found.append(_levels(scope, hours[: own.stop], at, scheme))
    return [one.part(rows, NAMES[place]) for one in found for place, rows in in_force(at.first, at.hours)]


def _levels(scope: str, hours: npt.NDArray[np.int32], at: Span, scheme: Scheme) -> Sheet:
    rule = tables.rules_on(at.first - BACK + np.arange(len(hours)) // 24)
    single = np.full(len(hours), -1, np.int16)
    for place in np.unique(rule).tolist():
        rows = np.flatnonzero(rule == place)
        single[rows] = air_hours.real_time(np.ascontiguousarray(hours[rows]), place).aqi
    met = warning.warned(warning.index(hours, rule), single, scheme)
    level, lasted = met.level[24 * BACK :], met.lasted[24 * BACK :]
    there = level > 0
    units = np.where(there, level, -1).astype(np.int16)
    made = kept.single(Kind(("warning",), "hour", scope, ""), labels(at.first, at.hours), units, 1, (np.where(there, lasted, 0), lasted))
    return replace(made, status=level[None].astype(np.uint8), statuses=_CODES, texts=(scheme.id,))
