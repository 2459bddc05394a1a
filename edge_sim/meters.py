"""Meters as what they are in the field: integer registers that only know how far they have turned.

A day's consumption is a whole number of register units, spread over its 96 quarter hours; the register is the sum of all
whole days since :data:`ORIGIN` plus the part of the running day, modulo the register's length. So any instant can be asked
for directly, and the true energy between two instants is an exact integer.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Final

import numpy as np

from domain.civil import DAY_S, OFFSET_S, day_number
from domain.places import Meter
from edge_sim.loads import Act, Load, load_of, unused
from edge_sim.noise import Floats, Ints, Noise
from edge_sim.occasions import festival

ORIGIN: Final = day_number(date(2020, 1, 1))
QUARTERS: Final = 96
MOST: Final = 0.86
"""Share of the registered power that no quarter of an hour exceeds, so that a main meter registered as its production is can carry
treatment and losses too: an honest meter must not look like a fault."""
AHEAD_DAYS: Final = 512
"""Days for which totals are computed at once."""
_QUARTER_S = 900
LOSSES: Final = 1.04
"""A main meter counts so much of what its parts count: transformers, lights, offices."""


@dataclass(frozen=True)
class MeterSignal:
    """One meter's truth.

    A treatment meter runs with the production meter it ``treats``; a main meter counts what the meters behind it (``parts``)
    count, and its own share of losses and lights.
    """

    noise: Noise
    meter: Meter
    industry: str = ""
    parts: tuple[MeterSignal, ...] = ()
    acts: tuple[Act, ...] = ()
    """What the enterprise did out of the ordinary; only for registers that never restart by themselves."""

    @cached_property
    def load(self) -> Load:
        """The industry's load curve."""
        return load_of(self.industry)

    @property
    def _driver(self) -> str:
        """Whose production moves this register: a treatment plant stands still when its production does."""
        return self.meter.treats or self.meter.id

    @cached_property
    def resolution(self) -> Decimal:
        """Value of one register unit, in the registered unit."""
        return Decimal(self.meter.resolution)

    @cached_property
    def start(self) -> int:
        """Register at :data:`ORIGIN` [units]."""
        length = self.length or 10**8
        return int(self.noise.share(f"{self.meter.id}/start") * length)

    @cached_property
    def length(self) -> int | None:
        """Register units after which it begins anew; None = never."""
        return int(Decimal(self.meter.modulus) / self.resolution) if self.meter.modulus else None

    def _hourly_cap(self, days: Ints) -> Floats:
        """Most units an hour that the registry allows: (n,) civil days to (n,) float64."""
        if self.meter.max_rate:
            return np.full(len(days), float(Decimal(self.meter.max_rate) / self.resolution))
        power = float(self.meter.max_power or "400")
        ratio = np.full(len(days), np.nan)
        for first, value in self.meter.multiplier.steps:
            ratio[days >= first] = float(value)
        first_value = float(self.meter.multiplier.steps[0][1])
        return power / np.where(np.isnan(ratio), first_value, ratio) / float(self.resolution)

    def daily(self, days: Ints) -> Ints:
        """Units consumed on each civil day, acts aside: (n,) int64 to (n,) int64."""
        usual = self.load.level + 0.08 * self.noise.share(f"{self.meter.id}/load")
        busy = self._running(days) * np.exp(0.05 * self.noise.ar1(f"{self._driver}/load", days, 5))
        busy = busy * np.exp(0.015 * self.noise.ar1(f"{self.meter.id}/own", days, 3))
        busy = busy * (1 + self.load.cold * np.cos(2 * np.pi * (days % 365.25 - 15) / 365.25))
        return np.asarray((24 * np.minimum(usual * busy, MOST / self.load.peak) * self._hourly_cap(days)).astype(np.int64))

    def _running(self, days: Ints) -> Floats:
        stopped = self.noise.ar1(f"{self._driver}/stop", days, 4) > 2.5  # spreads: four days a year
        out = np.where(stopped, 0.03, 1.0) * np.where(days % 7 == 3, self.load.sunday, 1.0)  # civil day 3 was a Sunday
        return out * np.where(festival(days), self.load.festival, 1.0)

    def _shape(self, days: Ints) -> Floats:
        """Cumulative share of the day at the end of each quarter hour: (n,) to (n, 96), the last column exactly 1."""
        base = self.load.shape((np.arange(QUARTERS) + 0.5) / 4)
        quarter = (days[:, None] * QUARTERS + np.arange(QUARTERS)[None, :]).ravel()
        jitter = self.noise.uniform(f"{self.meter.id}/quarter", quarter).reshape(len(days), QUARTERS)
        summed = np.cumsum(base[None, :] * (1 + self.load.rough * (jitter - 0.5)), axis=1)
        return summed / summed[:, -1:]

    def turned(self, times: Ints) -> Ints:
        """Units turned since the start of the register, never rolled over: the meter's truth.

        Parameters
        ----------
        times : (n,) int64 [s]
            Instants; within a quarter of an hour the register turns evenly.

        Returns
        -------
        (n,) int64
        """
        if self.parts:
            return self.start + self._together(times)
        units = self._undisturbed(times)
        # Each act is held against the undisturbed register: behind one act the turned units lag, and would place the next one late.
        return np.asarray(units - sum((unused(act, units, self._undisturbed) for act in self.acts), np.zeros(len(units), np.int64)))

    def _undisturbed(self, times: Ints) -> Ints:
        local = times + OFFSET_S - self._daily_reset
        # A register that restarts each day is read as the last thing of its day: 00:00 shows the whole day, not 0.
        ahead = 1 if self._resets else 0
        day, within_day = (local - ahead) // DAY_S, (local - ahead) % DAY_S + ahead
        quarter, rest = within_day // _QUARTER_S, within_day % _QUARTER_S
        days, row = np.unique(day, return_inverse=True)
        within = np.zeros((len(days), QUARTERS + 2), np.int64)
        within[:, 1:-1] = (self._shape(days) * self._of_days(days)[:, None]).astype(np.int64)
        begun = within[row, quarter]
        return self._before(days)[row] + begun + np.where(rest > 0, (within[row, quarter + 1] - begun) * rest // _QUARTER_S, 0)

    def _together(self, times: Ints) -> Ints:
        """Units of this register for what the parts have turned; only parts of constant multiplier can be summed this way."""
        energy = sum((part.turned(times) - part.start) * part.unit for part in self.parts)
        return np.floor(np.asarray(energy) * (LOSSES / self.unit)).astype(np.int64)

    @property
    def unit(self) -> float:
        """Energy of one register unit."""
        return float(self.meter.multiplier.newest) * float(self.resolution)

    @property
    def summable(self) -> bool:
        """Whether the whole register is energy by one factor: it never restarts, and its multiplier never changed."""
        return not self._resets and len(self.meter.multiplier.steps) == 1

    def _before(self, days: Ints) -> Ints:
        if self._resets:
            return np.zeros(len(days), np.int64)
        first, totals = self._totals(days)
        return np.asarray(self.start + totals[days - first])

    def _of_days(self, days: Ints) -> Ints:
        first, totals = self._totals(days)
        return np.asarray(totals[days - first + 1] - totals[days - first])

    def _totals(self, days: Ints) -> tuple[int, Ints]:
        """First day, and units turned before it and each later one; kept, because a live device asks every quarter hour."""
        first = min(ORIGIN, int(days[0]))
        last = (int(days[-1]) // AHEAD_DAYS + 1) * AHEAD_DAYS
        kept = self._kept.get((first, last))
        if kept is None:
            kept = np.concatenate([[0], np.cumsum(self.daily(np.arange(first, last, dtype=np.int64)))])
            self._kept.clear()
            self._kept[first, last] = kept
        return first, kept

    @cached_property
    def _kept(self) -> dict[tuple[int, int], Ints]:
        return {}

    @property
    def _resets(self) -> bool:
        return ":" in self.meter.reset

    @property
    def _daily_reset(self) -> int:
        if not self._resets:
            return 0
        hour, minute = self.meter.reset.split(":")[:2]
        return int(hour) * 3600 + int(minute) * 60

    def at(self, times: Ints) -> dict[str, Floats]:
        """What the register shows, in the registered unit: (n,) int64 [s] to (n,) float64, rolled over at the modulus."""
        return {"register": self.display(self.turned(times))}

    def display(self, units: Ints) -> Floats:
        """Turned units as the register shows them: (n,) int64 to (n,) float64 in the registered unit."""
        digits = max(0, -int(self.resolution.as_tuple().exponent))
        return np.round((units % self.length if self.length else units) * float(self.resolution), digits)
