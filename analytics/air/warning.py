"""Heavy-pollution warnings by what has happened: levels hour by hour from a scope's 24 h index and its hours."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from analytics import tables
from analytics.air import hours as air_hours
from analytics.kernels import rolling as kernel
from domain import air
from domain.warning import Criterion, Scheme

DAY: Final = 24
Ints = npt.NDArray[np.int64]


class Warned(NamedTuple):
    """By hour, (t,): the level that is met (0 = none), and the hours of pollution that meet it."""

    level: npt.NDArray[np.uint8]
    lasted: Ints


def index(hours: npt.NDArray[np.int32], rule: npt.NDArray[np.uint8]) -> npt.NDArray[np.int16]:
    """AQI of the 24 h means that end with each hour, without ozone (its average is another one); -1 = none.

    Parameters
    ----------
    hours : (t, 6) int32 [thousandths of the reporting unit]
    rule : (t,) uint8
        Index of the rule set in force on each hour's day.
    """
    total, count, mean = (np.empty_like(hours) for _ in range(3))
    kernel.sums(np.ascontiguousarray(hours), DAY, total, count)
    kernel.rounded(total, count, air.DAY_HOURS, tables.steps(), mean)
    mean[:, tables.OZONE] = -1
    found = air_hours.judge(np.ascontiguousarray(mean), rule, daily=True).iaqi
    return np.asarray(found.max(axis=1), np.int16)


def warned(means: npt.NDArray[np.int16], single: npt.NDArray[np.int16], scheme: Scheme) -> Warned:
    """Levels of a scheme.

    Parameters
    ----------
    means : (t,) int16
        From :func:`index`.
    single : (t,) int16
        AQI of each hour itself; -1 = none.
    """
    level, lasted = np.zeros(len(means), np.uint8), np.zeros(len(means), np.int64)
    for one in scheme.criteria:
        run = stretch(means, one.over)
        met = (run > one.hours - DAY) & _also(means, single, run, one) & (one.level > level)
        level[met] = one.level
        lasted[met] = run[met] + DAY - 1
    return Warned(level, lasted)


def stretch(means: npt.NDArray[np.int16], over: int) -> Ints:
    """How many means in a row, up to each hour, lie above a value.

    Pollution of H hours means that all 24 h means within these hours do, that is H - 23 of them.
    """
    above = means > over
    place = np.arange(1, len(means) + 1)
    last = np.maximum.accumulate(np.where(above, 0, place))
    return np.asarray(place - last)


def _also(means: npt.NDArray[np.int16], single: npt.NDArray[np.int16], run: Ints, one: Criterion) -> npt.NDArray[np.bool_]:
    """Whether the further condition happened since the stretch began, its first mean's own 24 hours included."""
    if one.also is None:
        return np.ones(len(means), bool)
    happened = single > one.also.over if one.also.hours == 0 else stretch(means, one.also.over) > one.also.hours - DAY
    place = np.arange(len(means))
    last = np.maximum.accumulate(np.where(happened, place, -1))
    begun = place - run + 1 - (DAY - 1 if one.also.hours == 0 else 0)
    return np.asarray((last >= 0) & (last >= begun))
