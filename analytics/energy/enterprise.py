"""An enterprise's days: purchased + fuel − sold, never a kilowatt-hour twice.

Power, heat and gas that an enterprise makes itself (``flow = "own"``) come out of fuel that is metered: they are shown and never
added, and carry that fuel's CO2. Own green power is the exception, for nothing is burnt for it. Green power and feedstock are lines
of their own; totals stand with and without them. Water is a line of its own and no part of the totals.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from analytics.counting import Longs
from analytics.energy.meteryear import MeterDays
from analytics.energy.worth import Worth, grains, worth
from domain import energy
from domain.civil import HOUR_S
from domain.places import Dated, Meter, Registry

LINES: Final = (
    "electricity_bought", "electricity_sold", "electricity_own", "water_use", "energy_tce", "energy_equal", "energy_net", "energy_fuel",
    "energy_green", "energy_feedstock", "co2", "co2_net",
)  # fmt: skip
"""Lines of an account [kWh, m³, kgce, kg]."""


@dataclass
class Account:
    """Days of a scope, line by line.

    Attributes
    ----------
    lines : dict of str to (d,) int64 [grains]
    known, whole, asked : dict of str to (d,) int64
        Meters behind the line of which anything is known, of which at least 90 % of the day is, and all of them.
    without : dict of str to set of str
        Media that have no factor and are left out of the line.
    """

    days: int
    lines: dict[str, Longs] = field(default_factory=dict)
    known: dict[str, Longs] = field(default_factory=dict)
    whole: dict[str, Longs] = field(default_factory=dict)
    asked: dict[str, Longs] = field(default_factory=dict)
    without: dict[str, set[str]] = field(default_factory=dict)

    def add(self, line: str, amount: Longs, counts: tuple[Longs, Longs, Longs]) -> None:
        """Add a meter's days to a line; ``counts`` are known, whole and asked."""
        for kept, more in zip((self.lines, self.known, self.whole, self.asked), (amount, *counts), strict=True):
            kept[line] = kept[line] + more if line in kept else more


def together(accounts: Iterable[Account], days: int) -> Account:
    """The account of an industry or a county: the sum of its enterprises'."""
    found = Account(days)
    for one in accounts:
        for line, amount in one.lines.items():
            found.add(line, amount, (one.known[line], one.whole[line], one.asked[line]))
        for line, media in one.without.items():
            found.without[line] = found.without.get(line, set()) | media
    return found


def account(meters: Sequence[tuple[Meter, MeterDays]], registry: Registry, year: int, elapsed: Longs) -> Account:
    """Account of one enterprise.

    Parameters
    ----------
    meters : sequence of (Meter, MeterDays)
        All of its meters; those that are no main meters, or internal, enter nothing.
    elapsed : (d,) int64 [s]
        How much of each day is over.
    """
    found = Account(len(elapsed))
    for meter, own in meters:
        if meter.flow in energy.FLOWS:
            _add(found, (meter, own), registry, year, elapsed)
    return found


def _add(found: Account, one: tuple[Meter, MeterDays], registry: Registry, year: int, elapsed: Longs) -> None:
    meter, own = one
    main = on_days(meter.role, own.first, found.days) == "main"
    base = energy.base_units(meter.medium, meter.unit)
    if base is None or not main.any():
        return
    unit = own.unit * base
    days = np.where(main, own.days, 0)
    cover = own.cover
    asked = (main & (elapsed >= HOUR_S)).astype(np.int64)
    counts = ((main & (cover > 0)).astype(np.int64), (main & (100 * cover >= energy.SHARE * elapsed) & (cover > 0)).astype(np.int64), asked)
    if meter.medium == energy.WATER:
        found.add("water_use", energy.FLOWS[meter.flow] * grains(days, unit, Decimal(1)), counts)
        return
    if meter.medium == energy.ELECTRICITY:
        line = {"purchased": "electricity_bought", "own": "electricity_own", "sold": "electricity_sold"}[meter.flow]
        found.add(line, grains(days, unit, Decimal(1)), counts)
    if meter.flow == "own" and meter.account != "green":
        return
    for kind, lines in _lines_of(meter).items():
        amount, lacking = _worth(days, (unit, own.first), worth(meter, kind, registry, year))
        for line in lines:
            found.add(line, energy.FLOWS[meter.flow] * amount, counts)
            if lacking.any():
                found.without.setdefault(line, set()).add(meter.medium)


class Worths(NamedTuple):
    """A meter's days, whatever its role: grains of coal (当量) or, of a meter of water, of water; seconds known; amounts that have no factor."""

    grains: Longs
    cover: Longs
    lacking: npt.NDArray[np.bool_]


def worths(meter: Meter, own: MeterDays, registry: Registry, year: int) -> Worths | None:
    """What a meter's days are worth; None of a medium that is no energy and no water."""
    base = energy.base_units(meter.medium, meter.unit)
    if base is None:
        return None
    if meter.medium == energy.WATER:
        return Worths(grains(own.days, own.unit * base, Decimal(1)), own.cover, np.zeros(len(own.days), bool))
    amount, lacking = _worth(own.days, (own.unit * base, own.first), worth(meter, energy.COAL, registry, year))
    return Worths(amount, own.cover, lacking)


def _lines_of(meter: Meter) -> dict[str, tuple[str, ...]]:
    """Lines that a meter enters, by kind of factor."""
    special = {"green": "energy_green", "feedstock": "energy_feedstock"}.get(meter.account)
    coal: tuple[str, ...] = ("energy_tce", special) if special else ("energy_tce", "energy_net")
    if meter.medium not in {energy.ELECTRICITY, energy.HEAT, energy.STEAM}:
        coal = (*coal, "energy_fuel")
    # Nothing is burnt for own green power; bought green power came over the grid, whose mean factor the total carries.
    carbon: tuple[str, ...] = () if meter.flow == "own" else ("co2",) if special else ("co2", "co2_net")
    return {energy.COAL: coal, energy.EQUAL: ("energy_equal",), **({energy.CARBON: carbon} if carbon else {})}


def _worth(days: Longs, scale: tuple[Decimal, int], steps: Sequence[Worth]) -> tuple[Longs, npt.NDArray[np.bool_]]:
    """Days in grains, stretch by stretch, and which of them have an amount and no factor."""
    unit, first = scale
    found, lacking = np.zeros(len(days), np.int64), np.zeros(len(days), bool)
    ends = [*(one.day - first for one in steps[1:]), len(days)]
    for one, stop in zip(steps, ends, strict=True):
        rows = slice(one.day - first, stop)
        if one.value is None:
            lacking[rows] = days[rows] != 0
        else:
            found[rows] = grains(days[rows], unit, one.value)
    return found, lacking


def on_days(role: Dated[str], first: int, count: int) -> npt.NDArray[np.str_]:
    """A dated word on each of some days; empty before its first."""
    found = np.full(count, "", "U16")
    for day, word in role.steps:
        found[max(0, min(count, day - first)) :] = word
    return found
