"""Breaches of a class that a section must always keep: runs of records that are worse."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import NamedTuple

from analytics.water.records import NAMES, Day, thousandths
from domain import water


class Breach(NamedTuple):
    """A run of records worse than a class; records without a class neither begin nor end one.

    Attributes
    ----------
    start, end : int [s]
        Time of its first record, and of the first record that keeps the class again; None = still open.
    worst : int
        Worst class 1…6 in it.
    item : str
        The item that made the worst record, by class, then by multiple over III.
    multiple : Fraction or None
        Its multiple; oxygen has none.
    records : int
        Records in it.
    """

    start: int
    end: int | None
    worst: int
    item: str
    multiple: Fraction | None
    records: int


def find(days: Mapping[int, Day], limit: int, body: str) -> list[Breach]:
    """Breaches of one section in order of time.

    Parameters
    ----------
    days : mapping of civil day to Day
    limit : int
        Class that must be kept.
    """
    found: list[Breach] = []
    now: Breach | None = None
    for day in sorted(days):
        for record in days[day].records:
            if record.worst <= limit:
                found += [] if now is None else [now._replace(end=record.time)]
                now = None
            else:
                now = _longer(now, days[day], record.time, record.worst, body)
    return found if now is None else [*found, now]


def _longer(now: Breach | None, day: Day, time: int, worst: int, body: str) -> Breach:
    if now is not None and worst < now.worst:
        return now._replace(records=now.records + 1)
    values = day.values[int(day.time.searchsorted(time))]
    shown = {item: thousandths(float(values[NAMES.index(item)]), item) for item in water.DECIDING}
    item, multiple = water.main_items(shown, body)[0]
    if now is None:
        return Breach(time, None, worst, item, multiple, 1)
    new = Breach(now.start, None, worst, item, multiple, now.records + 1)
    return new if (worst, multiple or 0) > (now.worst, now.multiple or 0) else now._replace(records=new.records)
