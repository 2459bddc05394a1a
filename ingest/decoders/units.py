"""Units of foreign payloads: a table of names, each a multiple of its dimension's base; decimal arithmetic. Pure."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import Final, NamedTuple


class Unit(NamedTuple):
    """So much of a dimension's base: value in base = value × ``up`` / ``down`` + ``shift``."""

    dimension: str
    up: Decimal
    down: Decimal = Decimal(1)
    shift: Decimal = Decimal(0)


_TABLE: Final = """
mass/volume  µg/m³:1 ug/m3:1 mg/m³:1e3 mg/m3:1e3 ng/m³:1/1e3 ng/m3:1/1e3 g/m3:1e6 kg/m3:1e9 mg/L:1e6 µg/L:1e3 ug/L:1e3 ng/L:1 g/L:1e9
temperature  °C:1 degC:1 Cel:1 C:1 ℃:1
pressure     Pa:1 hPa:100 mbar:100 kPa:1e3
fraction     1:1 /:1 pf:1 %:1/100 /100:1/100 %RH:1/100 /1000:1/1000 ppm:1/1e6
speed        m/s:1 km/h:1e3/3600
angle        °:1 deg:1 degree:1
conductivity µS/cm:1 uS/cm:1 mS/cm:1e3 S/m:1e4
turbidity    NTU:1
flow         m³/s:3600 m3/s:3600 m³/h:1 m3/h:1 L/s:36/10 l/s:36/10 L/min:6/100 m³/d:1/24 m3/d:1/24
volume       m³:1 m3:1 L:1/1e3 l:1/1e3
length       m:1 cm:1/100 mm:1/1000 km:1e3
energy       kWh:1 Wh:1/1e3 MWh:1e3 Wmin:1/6e4 J:1/36e5 Ws:1/36e5 kJ:1/36e2 MJ:10/36 GJ:1e4/36
reactive     kvarh:1 varh:1/1e3 vars:1/36e5
power        kW:1 W:1/1e3 MW:1e3
voltage      V:1 mV:1/1e3 kV:1e3
current      A:1 mA:1/1e3
mass         kg:1 g:1/1e3 t:1e3
number       pH:1
"""
"""SI names, those of SenML (RFC 8428, 8798) and those of field devices. ``%`` is percent here; SenML's old ``%`` is mapped by its decoder."""


def _unit(dimension: str, text: str) -> tuple[str, Unit]:
    name, _, worth = text.rpartition(":")
    up, _, down = worth.partition("/")
    return name, Unit(dimension, Decimal(up), Decimal(down or 1))


UNITS: Final = {
    **dict(_unit(words[0], text) for words in (line.split() for line in _TABLE.splitlines() if line) for text in words[1:]),
    "K": Unit("temperature", Decimal(1), Decimal(1), Decimal("-273.15")),
    "°F": Unit("temperature", Decimal(5), Decimal(9), Decimal(-160) / 9),
    "degF": Unit("temperature", Decimal(5), Decimal(9), Decimal(-160) / 9),
}
PLAIN: Final = frozenset({"", "1", "/", "pf", "pH"})
"""Units of a pure number."""

Convert = Callable[[Decimal], Decimal]


@lru_cache(1_000)
def converter(sent: str, wanted: str) -> Convert | str | None:
    """How a value in one unit becomes one in another: a function, None if it is the same, or words about why it cannot be.

    >>> str(converter("mg/m3", "µg/m³")(Decimal("0.058")))
    '58'
    >>> converter("µg/m3", "ug/m3")
    'unknown unit µg/m3'
    """
    if sent == wanted or (sent in PLAIN and wanted in PLAIN):
        return None
    one, other = UNITS.get(sent), UNITS.get(wanted)
    if one is None or other is None:
        return f"unknown unit {sent if one is None else wanted}"
    if one.dimension != other.dimension:
        return f"{sent} is {one.dimension}, {wanted} is {other.dimension}"
    if one[1:] == other[1:]:
        return None
    up, down = one.up * other.down, one.down * other.up

    def convert(value: Decimal) -> Decimal:
        return value * up / down + (one.shift - other.shift) * other.down / other.up

    return convert
