"""How complete a section's records are: classed records against those that were due, by month and by year."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Final

from analytics.jobs.points import months
from analytics.water.records import Day
from domain import civil, quality, water
from domain.fixed import to_float
from domain.indicators import Indicator

FIGURE: Final = "water_capture"
STEP_S: Final = 4 * civil.HOUR_S
"""Between two records of an automatic station (HJ 915)."""


def rows(site: str, year: int, days: Mapping[int, Day], closed: int) -> Iterator[Indicator]:
    """Share of the due records that have a class; status ``incomplete`` below 90 %, ``unusable`` below 75 %."""
    first, last = civil.year_days(year)
    edge = first + closed
    spans = [("month", begin, end) for begin, end in months(year) if end < edge]
    spans += [("year", first, last)] if last < edge else []
    told = [0]
    for day in range(first, edge):
        told.append(told[-1] + (len({one.time // STEP_S for one in days[day].records}) if day in days else 0))
    for period, begin, end in spans:
        got, due = told[end + 1 - first] - told[begin - first], (end + 1 - begin) * civil.DAY_S // STEP_S
        share = Fraction(100 * min(got, due), due)
        status = "unusable" if share < quality.USABLE else "incomplete" if share < quality.COMPLETE else ""
        row = Indicator(FIGURE, period, site, water.RULE_SET, civil.period_stamp(end), to_float(share, 1), valid=float(got), expected=float(due))
        yield replace(row, status=status)
