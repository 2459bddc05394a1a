"""The county's year: its assessment stations averaged, hours and days alike, with the station quorum."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from analytics import tables
from analytics.air import days as air_days
from analytics.air.days import Days
from analytics.cube import BACK, SiteYear
from analytics.kernels import days as kernel
from analytics.kernels.whole import NONE
from domain.fixed import MISSING
from domain.items import AIR
from domain.places import ASSESSMENT, Registry


def members(registry: Registry, first: int, count: int) -> tuple[tuple[str, ...], npt.NDArray[np.bool_]]:
    """Stations that are in the county's assessment on any of ``count`` days from ``first`` on, and on which.

    Returns
    -------
    names : tuple of str
        Ordered by id, so that no registry's order can be seen in a figure.
    member : (count, n) bool
    """
    days = range(first, first + count)
    # Few of a county's many stations are ever assessed: only these are asked day by day.
    roles = ((name, registry.air_stations[name].role) for name in sorted(registry.air_stations))
    ever = {name: role for name, role in roles if any(known == ASSESSMENT for _, known in role.steps)}
    found = {name: inside for name, role in ever.items() if any(inside := [role.on(day) == ASSESSMENT for day in days])}
    return tuple(found), np.array([*found.values()], bool).reshape(len(found), count).T.copy()


def before(registry: Registry, names: Sequence[str], first: int) -> npt.NDArray[np.bool_]:
    """(BACK, n) bool: which of these stations were in the county's assessment on the last days before ``first``."""
    return np.array([[name in registry.assessment(day) for name in names] for day in range(first - BACK, first)], bool).reshape(BACK, len(names))


def daily(stations: Sequence[Days], member: npt.NDArray[np.bool_]) -> Days:
    """(d, 6) daily values of the county from its stations' unrounded days."""
    count = len(member)
    if not stations:
        return air_days.none(count, len(AIR))
    grid = Days(
        np.stack([days.exact[:count] for days in stations], axis=1),
        np.stack([days.parts[:count] for days in stations], axis=1),
        np.stack([days.hours[:count] for days in stations], axis=1),
        np.stack([days.shown[:count] for days in stations], axis=1),
    )
    return air_days.city(grid, member)


def hourly(sites: Mapping[str, SiteYear], names: Sequence[str], member: npt.NDArray[np.bool_], back: int = 0) -> npt.NDArray[np.int32]:
    """(24·d, 6) int32 thousandths of the county's displayed hours: means of its stations' hours; ``MISSING`` without quorum.

    Parameters
    ----------
    member : (d, n) bool
    back : int [d]
        How many of the days lie before the first of January.
    """
    count = len(member)
    out = np.full((24 * count, len(AIR)), MISSING, np.int32)
    if not names:
        return out
    hours = np.stack([sites[name].hours[24 * (BACK - back) : 24 * (BACK - back + count)] for name in names], axis=1)
    exact = np.where(hours == MISSING, NONE, hours).astype(np.int64)
    total, parts = np.empty(out.shape, np.int64), np.empty(out.shape, np.int32)
    kernel.city(exact, np.repeat(member, 24, axis=0).astype(np.uint8), air_days.quorum(len(names)), total, parts)
    kernel.shown(total, np.maximum(parts, 1), tables.steps().astype(np.int64), out)
    return np.where(out < 0, MISSING, out * tables.steps()).astype(np.int32)
