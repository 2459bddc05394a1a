"""Real-time AQI: 1 h means on the 1 h tables, PM on the daily tables (HJ 633-2026 5.2; practice of the national feed)."""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from analytics import tables
from analytics.blocks import spread
from analytics.kernels import aqi as kernel
from analytics.kernels import scopes
from domain import air

Bytes = npt.NDArray[np.uint8]
Integers = npt.NDArray[np.integer]
BLOCK: Final = 320
"""Hours judged at a time: what lies between the steps takes 8 kB."""


class Judged(NamedTuple):
    """Rows of concentrations with their AQI.

    Attributes
    ----------
    shown : (n, 6) int32 [displayed units]
        Concentrations rounded half to even; -1 = missing.
    iaqi : (n, 6) int16
        -1 = missing, or none by the rule set.
    aqi : (n,) int16
        -1 = not published.
    level : (n,) int8
        1…6; -1 without AQI.
    primary : (n,) uint8
        Bit i = item i.
    """

    shown: npt.NDArray[np.int32]
    iaqi: npt.NDArray[np.int16]
    aqi: npt.NDArray[np.int16]
    level: npt.NDArray[np.int8]
    primary: npt.NDArray[np.uint8]

    def rows(self, chosen: slice) -> Judged:
        """Some of the rows."""
        return Judged(self.shown[chosen], self.iaqi[chosen], self.aqi[chosen], self.level[chosen], self.primary[chosen])


def shown(values: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Displayed units of (n, 6) int32 thousandths."""
    out = np.empty(values.shape, np.int32)
    kernel.displayed(np.ascontiguousarray(values), tables.steps(), out)
    return out


def judge(displayed: npt.NDArray[np.int32], rule: npt.NDArray[np.uint8], *, daily: bool) -> Judged:
    """AQI, level and primary pollutants of displayed concentrations.

    Parameters
    ----------
    displayed : (n, 6) int32 [displayed units]
        In the order of :data:`domain.items.AIR`; -1 = missing.
    rule : (n,) uint8
        Index of the rule set in :data:`domain.air.RULE_SETS`.
    daily : bool
        Daily values (24 h tables, O3 8 h) or 1 h means.
    """
    rows = len(displayed)
    iaqi = np.empty((rows, 6), np.int16)
    aqi = np.empty(rows, np.int16)
    primary = np.empty(rows, np.uint8)
    law = kernel.Law(rule, tables.strict(), tables.marks(daily=daily))
    kernel.verdicts(displayed, law, tables.answers(daily=daily), iaqi, aqi, primary)
    return Judged(displayed, iaqi, aqi, tables.levels()[aqi], primary)


def real_time(values: npt.NDArray[np.int32], rule: int, out: kernel.Verdicts | None = None, *, threads: int = 1) -> kernel.Verdicts:
    """AQI, primary pollutants and number of items of hours under one rule set: as :func:`hourly`, in one pass and without IAQIs.

    Parameters
    ----------
    values : (n, 6) int32 [thousandths of the reporting unit]
        ``MISSING`` = no valid hour.
    rule : int
        Index of the rule set in :data:`domain.air.RULE_SETS`.
    out : Verdicts, optional
        Written and returned.
    threads : int
    """
    rows = len(values)
    found = kernel.Verdicts(np.empty(rows, np.int16), np.empty(rows, np.uint8), np.empty(rows, np.uint8)) if out is None else out
    flat = np.ascontiguousarray(values).reshape(-1)

    def block(start: int, stop: int) -> None:
        own = kernel.Verdicts(found.aqi[start:stop], found.primary[start:stop], found.valid[start:stop])
        kernel.hours(flat[6 * start : 6 * stop], *_tables(rule), _OWN.room, own)

    spread(rows, threads, block)
    return found


def judge_into(values: npt.NDArray[np.int32], rule: int, out: tuple[Integers, Bytes, Integers, Bytes]) -> None:
    """The same with levels: AQI (int16), primary pollutants, number of items (uint8) and level are written."""
    scopes.hours(np.ascontiguousarray(values).reshape(-1), _tables(rule), tables.level_tops(), _OWN.room, out)


@lru_cache
def _tables(rule: int) -> tuple[kernel.Rounding, npt.NDArray[np.int16], npt.NDArray[np.int16]]:
    return tables.rounding(), tables.answers_or_absent(daily=False)[rule], tables.verdict_marks()[rule]


class _Own(threading.local):
    """A thread's own scratch."""

    def __init__(self) -> None:
        self.room = kernel.Scratch(np.zeros(BLOCK * 6, np.int16), np.empty((6, BLOCK), np.int16))


_OWN: Final = _Own()


class Seen(NamedTuple):
    """Days as rows of figures, with their verdicts under each rule set.

    Attributes
    ----------
    shown : (6, d) int32 [displayed units]
        -1 = not valid.
    behind : (6, d) uint16 [h]
        Valid hours; a published day does not say its hours and counts as whole.
    items : (d,) uint8
        Items that are there.
    aqi : (r, d) int16
        -1 = none.
    primary, level : (r, d) uint8
        Bit i = item i; 1…6, 0 without AQI.
    top : int
        The largest of ``shown``, at least 0.
    """

    shown: npt.NDArray[np.int32]
    behind: npt.NDArray[np.uint16]
    items: npt.NDArray[np.uint8]
    aqi: npt.NDArray[np.int16]
    primary: npt.NDArray[np.uint8]
    level: npt.NDArray[np.uint8]
    top: int


def of_days(displayed: npt.NDArray[np.int32], hours: npt.NDArray[np.int32]) -> Seen:
    """AQI, level and primary pollutants of days under each rule set: as :func:`judge`, without IAQIs.

    Parameters
    ----------
    displayed : (d, 6) int32 [displayed units]
        -1 = missing.
    hours : (d, 6) int32 [h]
        Valid hours behind each; -1 = not known.
    """
    count, rules = len(displayed), len(air.RULE_SETS)
    shown, behind, items = np.empty((6, count), np.int32), np.empty((6, count), np.uint16), np.empty(count, np.uint8)
    aqi, primary, level = np.empty((rules, count), np.int16), np.empty((rules, count), np.uint8), np.empty((rules, count), np.uint8)
    law, room = (tables.answers_or_absent(daily=True), tables.verdict_marks(), tables.level_tops()), np.empty((6, count), np.int16)
    top = scopes.judged(displayed, hours, law, room, scopes.Rows(shown, behind, items, aqi, primary, level))
    return Seen(shown, behind, items, aqi, primary, level, top)


def levels(aqi: npt.NDArray[np.int16]) -> npt.NDArray[np.uint8]:
    """Level 1…6 of AQIs, 0 without one."""
    out = np.empty(aqi.shape, np.uint8)
    kernel.levels(aqi, tables.level_tops(), out)
    return out


def hourly(values: npt.NDArray[np.int32], rule: npt.NDArray[np.uint8]) -> Judged:
    """Real-time AQI of (n, 6) int32 thousandths; ``MISSING`` = no valid hour."""
    return judge(shown(values), rule, daily=False)
