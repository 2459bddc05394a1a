"""Daily AQI without sand dust: particulates leave a day only where it would exceed because of them.

So the published tables of such days read (211 city-days: 163 equal the gases' own index, the other 48 keep an AQI up to 100 that
particulates make): the concentrations of a dust day are always excluded, its measured AQI only above 100. What is left out by
decision is no missing item.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from analytics.air.days import Days
from analytics.air.hours import Seen, judge, levels
from domain import air
from domain.items import AIR
from domain.marks import PARTICLES

_PM = [AIR.index(item) for item in PARTICLES]


def judged(kept: Days, seen: Seen, measured: Seen, touched: npt.NDArray[np.bool_]) -> Seen:
    """Days without dust with their verdicts under each rule set.

    Parameters
    ----------
    kept : Days
        (d, 6) without the particulates of dust hours.
    seen : Seen
        The same days as rows of figures, whose own verdicts are not asked for.
    measured : Seen
        The same days with those particulates.
    touched : (d,) bool
        Days with an excluded hour.
    """
    aqi, primary = measured.aqi.copy(), measured.primary.copy()
    for place in range(len(aqi)):
        rows = np.flatnonzero(touched & (aqi[place] > air.GOOD_MAX))
        if len(rows):
            shown = kept.shown[rows].copy()
            # An index of 0 is no missing item and can be no primary pollutant.
            shown[:, _PM] = np.maximum(shown[:, _PM], 0)
            again = judge(np.ascontiguousarray(shown), np.full(len(rows), place, np.uint8), daily=True)
            aqi[place, rows], primary[place, rows] = again.aqi, again.primary
    return seen._replace(aqi=aqi, primary=primary, level=levels(aqi.reshape(-1)).reshape(aqi.shape))
