"""What a meter's amounts are worth: standard coal and CO2 of each day, in whole grains, by the factor in force."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Final, NamedTuple

import numpy as np

from analytics.counting import Longs
from domain import civil, energy
from domain.places import Meter, Registry

GRAINS: Final = 10**7
"""Grains in a unit (kgce, kg CO2, kWh, m³): fine enough for every coefficient times every register, and a county's year fits int64."""


class Worth(NamedTuple):
    """What one base unit of a meter is worth from a civil day on.

    Attributes
    ----------
    day : int
    value : Decimal or None
        None = no factor is known: the meter is left out of the figure, and the figure says so.
    source : str
    """

    day: int
    value: Decimal | None
    source: str


def worth(meter: Meter, kind: str, registry: Registry, year: int) -> list[Worth]:
    """Stretches of a year under one factor each.

    Parameters
    ----------
    kind : str
        One of :data:`domain.energy.KINDS`.
    """
    first, last = civil.year_days(year)
    own = [one for one in registry.factors.values() if (one.medium, one.kind) == (meter.medium, kind)]
    steps = {first, *(day for day, _ in meter.heat_value.steps), *(day for one in own for day, _ in one.value.steps)}
    return [_on(meter, kind, registry, max(day, first)) for day in sorted({max(day, first) for day in steps if day <= last})]


def _on(meter: Meter, kind: str, registry: Registry, day: int) -> Worth:
    """Measured before the county's own, its own before the table's."""
    heat = meter.heat_value.on(day)
    if heat is not None and (kind == energy.COAL or (kind == energy.EQUAL and meter.medium != energy.ELECTRICITY)):
        return Worth(day, energy.measured(Decimal(heat)), f"measured {heat} kJ")
    for one in registry.factors.values():
        value = one.value.on(day)
        if (one.medium, one.kind) == (meter.medium, kind) and value is not None:
            return Worth(day, Decimal(value), one.source)
    known = energy.newest(kind, meter.medium, registry.county.grid, civil.year_of_day(day))
    if known is not None:
        return Worth(day, known.value, f"{known.region} {known.year}, {known.source}")
    if kind == energy.EQUAL:
        return _on(meter, energy.COAL, registry, day)
    fuel = energy.FUELS.get(meter.medium) if kind == energy.COAL else None
    return Worth(day, fuel.coal if fuel else None, energy.EDITION if fuel and fuel.coal is not None else "")


def grains(amounts: Longs, unit: Decimal, value: Decimal) -> Longs:
    """Fine units × worth, in grains; exact wherever the coefficient's decimals fit, else each day half to even.

    Parameters
    ----------
    amounts : (n,) int64 [fine units]
    unit : Decimal
        Base units in a fine unit.
    value : Decimal
        Worth of a base unit.
    """
    whole = Fraction(unit) * Fraction(value) * GRAINS
    if whole.denominator == 1 and (len(amounts) == 0 or int(amounts.max()) < 2**62 // max(1, whole.numerator)):
        return amounts * whole.numerator
    return np.array([min(round(Fraction(one) * whole), 2**62) for one in amounts.tolist()], np.int64)
