"""The repair clock of meters' data: a day of which less than 90 % of the readings came must be mended within three working days.

A day that was mended stays in the record with how it went; only a row that stood there before tells that it was broken once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np

from analytics.energy.meteryear import MeterDays
from domain import civil
from domain.energy import SHARE
from domain.indicators import Indicator
from domain.workdays import Calendar

FIGURE: Final = "meter_repair"
ALLOWED: Final = 3
"""Working days behind the day (重点用能单位能耗在线监测: 3 个工作日)."""
RUNNING, OVERDUE, MENDED, LATE = ("running", "overdue", "mended", "mended-late")
RULES: Final = "none"


def rows(name: str, own: MeterDays, before: Mapping[int, Indicator], calendar: Calendar, now: int) -> Iterator[Indicator]:
    """Broken days of a meter, and those that were broken once.

    Value = working days that the clock has run, to the day; target = 3; ``valid`` of ``expected`` readings. Days before the meter's first
    reading of the year are none of its days.

    Parameters
    ----------
    before : mapping of time to row
        Rows as they were written last.
    """
    there = np.flatnonzero((own.readings > 0) | (own.cover > 0))
    if not len(there):
        return
    today = civil.day_of(now)
    begin, end = int(there[0]), min(len(own.days), today - own.first)
    came, due = np.minimum(own.readings, own.expected), own.expected
    broken = set((begin + np.flatnonzero((100 * came < SHARE * due)[begin:end])).tolist())
    once = {civil.day_of(time + 1) - own.first for time in before}
    for place in sorted(broken | {one for one in once if begin <= one < end}):
        day = own.first + place
        old = None if place in broken else before[civil.period_stamp(day)]
        yield _row(name, day, (int(came[place]), int(due[place])), (calendar, today), old)


def _row(name: str, day: int, counts: tuple[int, int], clock: tuple[Calendar, int], mended: Indicator | None) -> Indicator:
    (came, due), (calendar, today) = counts, clock
    until = calendar.after(day, ALLOWED)
    run = min(calendar.between(day, today), 2 * ALLOWED)
    state = OVERDUE if today > until else RUNNING
    if mended is not None:
        # How it went is decided at the first look behind the mending, and stays.
        state = mended.status if mended.status in {MENDED, LATE} else (LATE if today > until else MENDED)
        run = 0
    text = json.dumps({"until": civil.date_of(until).isoformat(), "readings": came, "due": due})
    return Indicator(
        FIGURE, "day", name, RULES, civil.period_stamp(day), float(run), valid=float(came), expected=float(due), target=float(ALLOWED),
        margin=float(ALLOWED - run), status=state, text=text,
    )  # fmt: skip
