"""Daily AQI without sand dust: particulates leave a day only where it would exceed because of them.

So the published tables of such days read (211 city-days: 163 equal the gases' own index, the other 48 keep an AQI up to 100 that
particulates make): the concentrations of a dust day are always excluded, its measured AQI only above 100. What is left out by
decision is no missing item.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from analytics.air.days import Days
from analytics.air.hours import judge
from analytics.kernels.aqi import Verdicts
from domain import air
from domain.items import AIR
from domain.marks import PARTICLES

_PM = [AIR.index(item) for item in PARTICLES]


def judged(kept: Days, measured: tuple[Verdicts, ...], touched: npt.NDArray[np.bool_]) -> tuple[Verdicts, ...]:
    """Verdicts of days without dust under each rule set.

    Parameters
    ----------
    kept : Days
        (d, 6) without the particulates of dust hours.
    measured : tuple of Verdicts
        Verdicts of the same days with them, by rule set.
    touched : (d,) bool
        Days with an excluded hour.
    """
    return tuple(_one(kept, verdict, np.flatnonzero(touched & (verdict.aqi > air.GOOD_MAX)), place) for place, verdict in enumerate(measured))


def _one(kept: Days, measured: Verdicts, rows: npt.NDArray[np.integer], place: int) -> Verdicts:
    found = Verdicts(measured.aqi.copy(), measured.primary.copy(), measured.valid)
    if len(rows):
        shown = kept.shown[rows].copy()
        # An index of 0 is no missing item and can be no primary pollutant.
        shown[:, _PM] = np.maximum(shown[:, _PM], 0)
        again = judge(np.ascontiguousarray(shown), np.full(len(rows), place, np.uint8), daily=True)
        found.aqi[rows], found.primary[rows] = again.aqi, again.primary
    return found
