"""Energy and carbon: what a unit of each medium is worth, in which edition, and where it was read.

Coefficients are kilograms of standard coal (kgce) a base unit (GB/T 2589-2020), CO2 factors kilograms a base unit. What was not
read in a text of the authority says so in its source; a county's registry may replace any of them (`[[factor]]`).
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from types import MappingProxyType
from typing import Final, NamedTuple

SHARE: Final = 90
"""A day of which less than this share [%] is known is not complete (重点用能单位能耗在线监测)."""

COAL_KJ: Final = Decimal("29307.6")
"""Heat of 1 kgce [kJ] (7,000 kcal)."""
EDITION: Final = "GB/T 2589-2020"
ELECTRICITY: Final = "electricity"
WATER: Final = "water"
HEAT: Final = "heat"
STEAM: Final = "steam"
ACCOUNTS: Final = ("energy", "green", "feedstock")
"""What a meter's amount is in an enterprise's totals: energy, green power (绿电), or feedstock (原料用能)."""
FLOWS: Final = MappingProxyType({"purchased": 1, "own": 1, "sold": -1})
"""Flows of main meters that are summed, and how: what is sold is taken off."""
DIGITS: Final = 4
"""Decimals of a coefficient made of a measured heat value, as the standard prints its own."""

UNITS: Final = MappingProxyType(
    {
        "kWh": ("kWh", Decimal(1)),
        "MWh": ("kWh", Decimal(1000)),
        "万kWh": ("kWh", Decimal(10_000)),
        "kg": ("kg", Decimal(1)),
        "t": ("kg", Decimal(1000)),
        "m3": ("m3", Decimal(1)),
        "m³": ("m3", Decimal(1)),
        "Nm3": ("m3", Decimal(1)),
        "万m3": ("m3", Decimal(10_000)),
        "L": ("m3", Decimal("0.001")),
        "MJ": ("MJ", Decimal(1)),
        "GJ": ("MJ", Decimal(1000)),
    },
)
"""Base unit of each unit that a meter may count in, and how many of it one is."""


class Fuel(NamedTuple):
    """A row of the standard's annex: base unit, kgce a base unit or None where only a measured heat value will do."""

    unit: str
    coal: Decimal | None
    zh: str
    en: str


FUELS: Final = MappingProxyType(
    {
        name: Fuel(unit, None if coal is None else Decimal(coal), zh, en)
        for name, unit, coal, zh, en in (
            ("coal", "kg", "0.7143", "原煤", "raw coal"),
            ("washed-coal", "kg", "0.9000", "洗精煤", "washed coal"),
            ("coke", "kg", "0.9714", "焦炭", "coke"),
            ("coal-tar", "kg", "1.1429", "煤焦油", "coal tar"),
            ("crude-oil", "kg", "1.4286", "原油", "crude oil"),
            ("fuel-oil", "kg", "1.4286", "燃料油", "fuel oil"),
            ("petrol", "kg", "1.4714", "汽油", "petrol"),
            ("kerosene", "kg", "1.4714", "煤油", "kerosene"),
            ("diesel", "kg", "1.4571", "柴油", "diesel"),
            ("lpg", "kg", "1.7143", "液化石油气", "LPG"),
            ("lng", "kg", "1.7572", "液化天然气", "LNG"),
            ("refinery-gas", "kg", "1.5714", "炼厂干气", "refinery gas"),
            ("gas", "m3", None, "天然气", "natural gas"),
            ("coke-oven-gas", "m3", None, "焦炉煤气", "coke-oven gas"),
            ("blast-furnace-gas", "m3", "0.1286", "高炉煤气", "blast-furnace gas"),
            ("methanol", "kg", "0.6794", "甲醇", "methanol"),
            ("ethanol", "kg", "0.9144", "乙醇", "ethanol"),
            ("hydrogen", "m3", "0.3329", "氢气", "hydrogen"),
            (HEAT, "MJ", "0.03412", "热力", "heat"),
            (STEAM, "kg", None, "蒸汽", "steam"),
            (ELECTRICITY, "kWh", "0.1229", "电力", "electricity"),
            (WATER, "m3", "0.2571", "新水", "fresh water"),
        )
    },
)
"""Coefficients; natural gas (1.1000…1.3300), coke-oven gas (0.5714…0.6143) and steam have no single one: measured, or the site's own."""


def base_units(medium: str, unit: str) -> Decimal | None:
    """Base units of a medium in a meter's unit; None where it is not counted in such a unit. A heat meter in kWh is one in MJ.

    >>> base_units("heat", "kWh"), base_units("coal", "m3")
    (Decimal('3.6'), None)
    """
    base, many = UNITS.get(unit, ("", Decimal(0)))
    fuel = FUELS.get(medium)
    if fuel is None or not base:
        return None
    if base == fuel.unit:
        return many
    if (base, fuel.unit) == ("kWh", "MJ"):
        return many * Decimal("3.6")
    return many / 1000 if (medium, base) == (WATER, "kg") else None


class Factor(NamedTuple):
    """A dated factor: what a base unit of a medium is worth from the first of January of ``year`` on, and who published it."""

    medium: str
    kind: str
    region: str
    year: int
    value: Decimal
    source: str


COAL: Final = "tce"
EQUAL: Final = "tce-equal"
CARBON: Final = "co2"
KINDS: Final = (COAL, EQUAL, CARBON)
"""Kinds of factors: 当量 and 等价 standard coal [kgce], CO2 [kg], each a base unit."""
NATIONAL: Final = "national"
_NOTICE: Final = "生态环境部 国家统计局 公告2025年第47号"
_UNREAD: Final = "not read in the authority's text"

FACTORS: Final = tuple(
    Factor(medium, kind, region, year, Decimal(value), source)
    for medium, kind, region, year, value, source in (
        (ELECTRICITY, CARBON, "shandong", 2022, "0.6410", f"grid factor of 2022, {_UNREAD}"),
        (ELECTRICITY, CARBON, "shandong", 2023, "0.6191", _NOTICE),
        (ELECTRICITY, CARBON, "north-china", 2023, "0.6361", _NOTICE),
        (ELECTRICITY, CARBON, NATIONAL, 2022, "0.5366", f"grid factor of 2022, {_UNREAD}"),
        (ELECTRICITY, CARBON, NATIONAL, 2023, "0.5306", _NOTICE),
        (ELECTRICITY, EQUAL, NATIONAL, 2000, "0.3000", f"coal used for a kWh supplied, rounded; {_UNREAD}: give the year's own in the registry"),
        (HEAT, CARBON, NATIONAL, 2000, "0.11", "0.11 tCO2/GJ, enterprise guideline"),
        (HEAT, CARBON, NATIONAL, 2026, "0.111", "0.1110 tCO2/GJ, national factor database v2"),
        ("gas", CARBON, NATIONAL, 2000, "2.1622", "389.31 GJ/10⁴ Nm³, 15.3 tC/TJ, 99 %"),
        ("gas", CARBON, NATIONAL, 2026, "2.1540", "0.038931 GJ/Nm³, 15.242055 tC/TJ, 99 %, national factor database v2"),
        ("diesel", CARBON, NATIONAL, 2000, "3.171", "3.171 t/t, national factor database v2"),
        ("washed-coal", CARBON, NATIONAL, 2000, "2.2818", "26.344 GJ/t, 25.40 tC/TJ, 93 %, enterprise guideline"),
    )
)
"""Factors that were read somewhere, oldest first within a medium, kind and region. Raw coal has none: its carbon is measured or the site's own."""


def newest(kind: str, medium: str, region: str, year: int) -> Factor | None:
    """The newest factor not younger than a year, of the region if it has any, else the nation's.

    >>> newest("co2", "electricity", "shandong", 2026).value, newest("co2", "electricity", "hebei", 2026).value
    (Decimal('0.6191'), Decimal('0.5306'))
    >>> newest("co2", "electricity", "shandong", 2021).year
    2022
    """
    for place in (region, NATIONAL):
        known = [one for one in FACTORS if (one.kind, one.medium, one.region) == (kind, medium, place)]
        if known:
            # Before the first published one there is none; the nearest is better than nothing, and its year is shown.
            return next((one for one in reversed(known) if one.year <= year), known[0])
    return None


def measured(heat_value: Decimal) -> Decimal:
    """Coefficient [kgce a base unit] of a measured heat value [kJ a base unit].

    >>> measured(Decimal(20934)), measured(Decimal(38979))
    (Decimal('0.7143'), Decimal('1.3300'))
    """
    return (heat_value / COAL_KJ).quantize(Decimal(1).scaleb(-DIGITS), ROUND_HALF_EVEN)
