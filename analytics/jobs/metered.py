"""Sheets of meters, and of the accounts that enterprises, industries and the county are: hours, days, months and the year.

A running period has its row under its own last day, and what is not known yet is not expected yet. So the newest row of a running year lies
ahead, and whoever asks for the latest figure up to now finds last year's: for them an account has its year so far at the end of each closed day.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from analytics.counting import Longs
from analytics.energy.enterprise import LINES, Account
from analytics.energy.meteryear import GUESSED, HELD, MeterDays, MeterHours, months, stamps
from analytics.energy.worth import GRAINS
from analytics.jobs import stations
from analytics.jobs.rounding import half_even
from analytics.jobs.sheets import Integers, Kind, Sheet
from domain import civil
from domain.civil import DAY_S, HOUR_S
from domain.energy import SHARE
from domain.indicators import FIGURES

USE: Final = "meter_use"
SO_FAR: Final = "ytd"
CAPTURE: Final = "meter_capture"
RULES: Final = "none"
STATUSES: Final = ("", "estimated", "incomplete", "held", "no-factor", "below-zero")
ESTIMATED, INCOMPLETE, KEPT_APART, NO_FACTOR, BELOW_ZERO = range(1, len(STATUSES))
DEVIATION: Final = 5
"""Days may differ from their month by so many percent before it is held (重点用能单位能耗在线监测)."""
TONNES: Final = frozenset({"energy_tce", "energy_equal", "energy_net", "energy_fuel", "energy_green", "energy_feedstock", "co2", "co2_net"})
"""Lines that are shown in tonnes and added in kilograms."""
Codes = npt.NDArray[np.uint8]


class Period(NamedTuple):
    """One kind of period of a year: times of its rows, and sums of columns of days."""

    name: str
    time: Longs
    starts: Longs

    def of(self, days: Longs) -> Longs:
        """Sums by period; of the year so far, up to each of its days."""
        if self.name == SO_FAR:
            return np.asarray(np.cumsum(days)[self.starts])
        return np.asarray(np.add.reduceat(days, self.starts))


def periods(first: int, count: int) -> tuple[Period, ...]:
    """Days, months and the year, as far as its days have begun."""
    year = civil.year_of_day(first)
    days, month, whole = stamps(first, count, year)
    starts = np.array([start for start, _ in months(first, count)], np.int64)
    return Period("day", days, np.arange(count)), Period("month", month, starts), Period("year", whole, np.zeros(1, np.int64))


def so_far(first: int, closed: int) -> tuple[Period, ...]:
    """The year so far at the end of each closed day; none before the first is over."""
    if not closed:
        return ()
    days, _, _ = stamps(first, closed, civil.year_of_day(first))
    return (Period(SO_FAR, days, np.arange(closed)),)


def elapsed(first: int, count: int, now: int) -> Longs:
    """(d,) int64 [s] how much of each day is over."""
    return np.clip(now - civil.day_start(first) - DAY_S * np.arange(count), 0, DAY_S)


def hours(scope: str, own: MeterHours) -> Sheet:
    """A meter's use by hour; ``valid`` of ``expected`` are minutes. Nothing known is no row, which is not zero."""
    status = _status(own.covered, np.full(len(own.covered), HOUR_S), own.marks)
    status[(own.marks & HELD) > 0] = KEPT_APART
    minutes = (-(-own.covered // 60)).astype(np.uint8)
    return _use((scope, "hour"), stations.labels(own.first, len(own.covered)), (own.hours, own.unit), (minutes, np.array(60)), status)


def meter(scope: str, own: MeterDays, now: int) -> list[Sheet]:
    """A meter's use by day, month and year (``valid`` of ``expected`` are hours), and how complete its readings are."""
    found = []
    passed = elapsed(own.first, len(own.days), now)
    for period in periods(own.first, len(own.days)):
        cover, due = period.of(own.cover), period.of(passed)
        status = _status(cover, due, np.bitwise_or.reduceat(own.marks, period.starts))
        held, counted = period.of(own.held), period.of(own.days)
        # Of a longer period only so much as the days may differ from the month by; of a day, any.
        status[(held > 0) & ((period.name == "day") | (100 * held > DEVIATION * (counted + held)))] = KEPT_APART
        found.append(_use((scope, period.name), period.time, (counted, own.unit), (-(-cover // HOUR_S), -(-due // HOUR_S)), status))
        found.append(_capture(scope, period, own, passed))
    return found


def _status(cover: Longs, due: Longs, marks: Codes) -> Codes:
    status = np.zeros(len(cover), np.uint8)
    status[(marks & GUESSED) > 0] = ESTIMATED
    status[100 * cover < SHARE * due] = INCOMPLETE
    return status


def _use(what: tuple[str, str], time: Longs, amount: tuple[Longs, Decimal], counts: tuple[Integers, Longs], status: Codes) -> Sheet:
    units, unit = amount
    scope, period = what
    divisor = np.array([[float(1 / unit)]])
    return Sheet(Kind((USE,), period, scope, RULES), time, units[None], divisor, counts[0][None], counts[1], status[None], statuses=STATUSES)


def _capture(scope: str, period: Period, own: MeterDays, passed: Longs) -> Sheet:
    """Readings that came, of those that should have by now [%]; below 90 % the period is incomplete."""
    due = period.of(own.expected * passed // DAY_S)
    came = np.minimum(period.of(own.readings), due)
    share = half_even(1_000 * came, due)
    status = np.where(100 * came < SHARE * due, INCOMPLETE, 0).astype(np.uint8)
    kind, divisor = Kind((CAPTURE,), period.name, scope, RULES), np.array([[10.0]])
    return Sheet(kind, period.time, share[None], divisor, due[None], due, status[None], statuses=STATUSES)


def account(scope: str, first: int, own: Account, now: int) -> Iterator[Sheet]:
    """An account by day, month and year, and the year so far; ``valid`` of ``expected`` are meter-days behind a line."""
    closed = int((elapsed(first, own.days, now) == DAY_S).sum())
    for line in LINES:
        if line in own.lines:
            for period in (*periods(first, own.days), *so_far(first, closed)):
                yield _line((scope, line), period, own)


def _line(what: tuple[str, str], period: Period, own: Account) -> Sheet:
    scope, line = what
    amount, known, whole, asked = (period.of(kept[line]) for kept in (own.lines, own.known, own.whole, own.asked))
    digits = 10 ** FIGURES[line].digits
    step = GRAINS * (1_000 if line in TONNES else 1) // digits
    units = np.where(amount < 0, -1, half_even(np.maximum(amount, 0), np.array(step)))
    status = np.where(whole < asked, INCOMPLETE, 0).astype(np.uint8)
    lacking = ",".join(sorted(own.without.get(line, ())))
    text = np.zeros_like(status)
    if lacking:
        status[:], text[:] = NO_FACTOR, 1
    status[amount < 0] = BELOW_ZERO
    kind = Kind((line,), period.name, scope, RULES)
    return Sheet(kind, period.time, units[None], np.array([[float(digits)]]), known[None], asked, status[None], text[None], STATUSES, ("", lacking))
