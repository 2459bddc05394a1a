"""Daily AQI without sand dust: particulates leave a day only where it would exceed because of them.

So the published tables of such days read (211 city-days: 163 equal the gases' own index, the other 48 keep an AQI up to 100 that
particulates make): the concentrations of a dust day are always excluded, its measured AQI only above 100. What is left out by
decision is no missing item.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from analytics.air.days import Days
from analytics.air.hours import Judged, judge
from domain import air
from domain.items import AIR
from domain.marks import PARTICLES

_PM = [AIR.index(item) for item in PARTICLES]


def judged(kept: Days, measured: tuple[Judged, ...], touched: npt.NDArray[np.bool_]) -> tuple[Judged, ...]:
    """Verdicts of days without dust under each rule set.

    Parameters
    ----------
    kept : Days
        (d, 6) without the particulates of dust hours.
    measured : tuple of Judged
        Verdicts of the same days with them, by rule set.
    touched : (d,) bool
        Days with an excluded hour.
    """
    return tuple(_one(kept, verdict, np.flatnonzero(touched & (verdict.aqi > air.GOOD_MAX)), place) for place, verdict in enumerate(measured))


def _one(kept: Days, measured: Judged, rows: npt.NDArray[np.integer], place: int) -> Judged:
    found = Judged(kept.shown, measured.iaqi.copy(), measured.aqi.copy(), measured.level.copy(), measured.primary.copy())
    if len(rows):
        shown = kept.shown[rows].copy()
        # An index of 0 is no missing item and can be no primary pollutant.
        shown[:, _PM] = np.maximum(shown[:, _PM], 0)
        again = judge(np.ascontiguousarray(shown), np.full(len(rows), place, np.uint8), daily=True)
        found.iaqi[rows] = np.where(kept.shown[rows] < 0, -1, again.iaqi)
        found.aqi[rows], found.level[rows], found.primary[rows] = again.aqi, again.level, again.primary
    return found
